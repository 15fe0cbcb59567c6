"""What each actor finds in a real database, by which words."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from registry import people
from registry.db import SYSTEM_ACTOR
from registry.reads.search import SearchQuery, search
from tests import factories
from tests.registry.test_tiles import HANGBU, LON, OTHER, SHILIANG, as_actor, land, plot, staff

__all__ = ["land"]


@pytest.fixture
def place(land):
    """Two townships with plots, owners and a project."""
    for code, name in (("330800000000", "衢州市"), ("330802102201", "双溪口村")):
        factories.division(
            land, code, name=name, level="city" if code.endswith("00000000") else "village"
        )
    owner = factories.party(land, "household", "徐双林", code=HANGBU)
    plot(land, code="HB-0012", owner=owner)
    plot(land, LON + 0.002, code="HB-0013")
    plot(land, LON + 0.004, code="SL-0012", division=SHILIANG)
    plot(land, LON + 0.006, code="HB-0099", status="withdrawn")
    factories.project(land, owner)
    return land


def found(session, actor_id, words):
    as_actor(session, SYSTEM_ACTOR)
    who = people.actor(session, actor_id) if actor_id else None
    as_actor(session, actor_id or uuid4())
    lines = search(session, who, SearchQuery(q=words)).items
    as_actor(session, SYSTEM_ACTOR)
    return [(one.kind, one.name) for one in lines]


def test_names_are_found_by_any_part_and_the_nearest_come_first(place):
    assert found(place, None, "双溪") == [("division", "双溪口村")]
    assert found(place, None, "溪口村") == [("division", "双溪口村")]
    assert found(place, None, "村") == [("division", "一村"), ("division", "双溪口村")]
    assert found(place, None, "航埠镇") == [("division", "航埠镇")]
    assert found(place, None, "双口") == []
    assert found(place, None, "330802102") == [("division", "石梁镇"), ("division", "双溪口村")]


def test_plots_are_found_by_head_tail_owner_and_id_within_reach(place):
    county = staff(place, "county", factories.COUNTY)
    township = staff(place, "township", HANGBU)
    assert found(place, county, "hb-") == [("parcel", "HB-0012"), ("parcel", "HB-0013")]
    assert found(place, county, "0012") == [("parcel", "HB-0012"), ("parcel", "SL-0012")]
    assert found(place, township, "0012") == [("parcel", "HB-0012")]
    assert found(place, township, "SL-0012") == []
    assert found(place, township, "双林") == [("parcel", "HB-0012")]
    assert found(place, staff(place, "township", SHILIANG), "双林") == []
    key = place.scalar(text("SELECT id::text FROM parcel WHERE code = 'SL-0012'"))
    assert found(place, county, key) == [("parcel", "SL-0012")]
    assert found(place, township, key) == []


def test_an_owner_finds_their_own_and_the_public_no_plot(place):
    owner = place.scalar(text("SELECT owner_id FROM parcel WHERE code = 'HB-0012'"))
    farmer = factories.actor(place, "farmer", party_id=owner)
    assert found(place, farmer, "HB") == [("parcel", "HB-0012")]
    assert found(place, None, "HB-0012") == []
    assert found(place, None, "双林") == []


def test_projects_are_found_by_name_and_number(place):
    county = staff(place, "county", factories.COUNTY)
    assert ("project", "柯城竹林") in found(place, county, "竹林")
    assert ("project", "柯城竹林") in found(place, county, "330802-000001")
    assert ("project", "柯城竹林") not in found(place, staff(place, "county", OTHER), "竹林")


@pytest.mark.parametrize(
    "words", ["%", "_", "\\", "'; DROP TABLE parcel; --", "%%%", "a\U0010ffff"]
)
def test_signs_of_patterns_are_plain_signs(place, words):
    assert found(place, SYSTEM_ACTOR, words) == []


@given(words=st.text(min_size=1, max_size=12).filter(lambda one: one.strip() and "\x00" not in one))
def test_the_grams_of_any_part_are_among_those_of_the_whole(shared_engine, words):
    whole = f"甲{words}乙"
    with shared_engine.connect() as connection:
        holds = connection.scalar(
            text("SELECT grams(:whole) @> grams_asked(:words)"), {"whole": whole, "words": words}
        )
    assert holds
