"""Real files through the same verbs: the figures known from elsewhere come out again."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text

from registry.db import transaction
from web.demo import real
from web.demo.teller import Teller

HERE = Path(__file__).parent.parent / "data"
EXTRA = Path(os.environ.get("TANHUI_EXTRA_DATA", "/nowhere"))
needs_extra = pytest.mark.skipif(
    not EXTRA.is_dir(), reason="TANHUI_EXTRA_DATA does not name a folder of outside data"
)


@pytest.fixture
def teller(engine, tmp_path):
    made = Teller(engine=engine, folder=EXTRA, state=tmp_path)
    real.prepare(made)
    return made


def broken(teller):
    return [f"{check.name}: {check.figure}" for check in teller.checks if not check.holds]


def test_small_fields_are_all_taken(teller):
    totals = real.fields(teller, HERE / "parcels" / real.VIETNAM)
    assert not broken(teller)
    assert totals["accepted_m2"] == 529_026
    assert totals["findings DATUM_UNPROVEN"] == 1


def test_orchards_have_the_hectares_their_publisher_states(teller):
    totals = real.orchards(teller, HERE / "parcels" / real.CATALONIA)
    assert not broken(teller)
    assert totals["accepted_m2"] == pytest.approx(totals["published_m2"], rel=5e-4)
    with transaction(teller.engine) as session:
        kinds = session.execute(text("SELECT DISTINCT kind FROM parcel")).scalars().all()
    assert kinds == ["orchard"]


def test_a_field_file_in_kml_becomes_a_plot(teller):
    taken = real.bring_in(teller, HERE / "kml/polygon.kml")
    assert (taken.report.read, taken.report.accepted) == (1, 1)
    assert not broken(teller)


def test_the_sample_county_lies_in_its_districts_and_its_carbon_adds_up(teller):
    totals = real.hangbu(
        teller,
        HERE / "hangbu",
        parquet="parcels_200_EPSG4549.parquet",
        by_district={"330802": 100, "330822": 100},
    )
    assert not broken(teller)
    assert totals["outside_dm2"] == 0
    assert totals["stock_kg last year"] > totals["stock_kg first year"] > 0


def test_the_same_file_again_is_the_same_answer(teller):
    path = HERE / "parcels" / real.VIETNAM
    first, again = (real.bring_in(teller, path).report for _ in range(2))
    assert first == again


@needs_extra
def test_everything_in_the_outside_folder_agrees_with_what_is_known_of_it(engine, tmp_path):
    told = real.tell(Teller(engine=engine, folder=EXTRA, state=tmp_path))
    assert told.holds, [check for check in told.checks if not check.holds]
    assert not told.skipped
    farms = next(step.totals for step in told.steps if "Swellendam" in step.name)
    assert (farms["read"], farms["findings DUPLICATE_IN_FILE"]) == (2008, 68)


def test_files_that_are_not_there_are_named_and_the_rest_is_told(engine, tmp_path):
    told = real.tell(Teller(engine=engine, folder=tmp_path, state=tmp_path))
    assert [step.name for step in told.steps] == ["divisions and people 区划与人员"]
    assert len(told.skipped) == 4
    assert any("swellendam" in line for line in told.skipped)


def test_edges_of_kilometres_do_not_make_an_area_untrue(teller, tmp_path):
    # 12 km along a parallel, 100 m across: geodesics bow away from straight edges
    shape = (
        "[[118.8,28.9],[118.92,28.9],[118.92,28.901],[118.86,28.9012],[118.8,28.901],[118.8,28.9]]"
    )
    path = tmp_path / "long.geojson"
    path.write_text(
        '{"type":"FeatureCollection","tanhui:crs":"EPSG:4490","features":[{"type":"Feature","properties":{},'
        f'"geometry":{{"type":"Polygon","coordinates":[{shape}]}}}}]}}'
    )
    assert real.bring_in(teller, path).report.accepted == 1
