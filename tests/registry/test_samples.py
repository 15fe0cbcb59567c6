"""Field plots fall where a seed says, on claimed ground only."""

from uuid import uuid4

import pytest
import shapely
from sqlalchemy import text

from registry import samples
from registry.errors import InvalidValueError, NotFoundError
from tests import factories


@pytest.fixture
def project(session):
    owner = factories.party(session, "collective")
    factories.programme(session)
    made = factories.project(session, owner)
    for _ in range(2):
        factories.claim(session, made, factories.parcel(session, owner), (2021, 2041))
    factories.parcel(session, owner)  # not claimed: no point may fall on it
    return made


def claimed(session, project):
    rows = session.execute(
        text(
            "SELECT ST_AsBinary(v.geometry) AS wkb FROM claim c JOIN parcel_version v"
            " ON v.parcel_id = c.parcel_id AND v.version = c.version WHERE c.project_id = :p"
        ),
        {"p": project},
    )
    return shapely.union_all([shapely.from_wkb(bytes(row.wkb)) for row in rows]).buffer(1e-7)


@pytest.mark.parametrize("systematic", [False, True])
def test_plots_lie_on_claimed_ground_and_are_drawn_again_from_their_seed(
    session, project, systematic
):
    drawn = samples.draw(session, project, plots=20, seed=8, systematic=systematic)
    ground = claimed(session, project)
    assert all(ground.contains(shapely.Point(one.lon, one.lat)) for one in drawn.points)
    assert drawn.parcels == 2
    assert [one.number for one in drawn.points] == list(range(1, len(drawn.points) + 1))
    assert drawn == samples.draw(session, project, plots=20, seed=8, systematic=systematic)
    other = samples.draw(session, project, plots=20, seed=9, systematic=systematic)
    assert other.points != drawn.points
    if systematic:
        assert drawn.spacing_m == pytest.approx((drawn.area_m2 / 20) ** 0.5)
    else:
        assert len(drawn.points) == 20


def test_no_project_and_no_number_of_plots_are_refused(session, project):
    with pytest.raises(NotFoundError):
        samples.draw(session, uuid4(), plots=5, seed=1)
    with pytest.raises(InvalidValueError):
        samples.draw(session, project, plots=0, seed=1)


def test_strata_are_drawn_apart_by_area_and_do_not_move_each_other(session, project):
    plain = samples.draw(session, project, plots=20, seed=8)
    assert [(row.name, row.plots) for row in plain.strata] == [("", 20)]
    owner = factories.party(session, "collective")
    one = factories.parcel(session, owner, attributes={"forest": "杉木"})
    factories.claim(session, project, one, (2021, 2041))
    drawn = samples.draw(session, project, plots=20, seed=8, by="forest")
    assert {row.name: row.parcels for row in drawn.strata} == {"": 2, "杉木": 1}
    assert len(drawn.points) == sum(row.plots for row in drawn.strata) == 20
    shape = shapely.from_wkb(
        bytes(
            session.scalar(
                text("SELECT ST_AsBinary(geometry) FROM parcel_version WHERE parcel_id = :id"),
                {"id": one},
            )
        )
    ).buffer(1e-7)
    for point in drawn.points:
        assert shape.contains(shapely.Point(point.lon, point.lat)) == (point.stratum == "杉木")
    more = samples.draw(session, project, plots=0, seed=8, by="forest", each={"": 30, "杉木": 5})
    fir = [(p.lon, p.lat) for p in more.points if p.stratum == "杉木"]
    assert fir == [(p.lon, p.lat) for p in drawn.points if p.stratum == "杉木"][:5]
    with pytest.raises(InvalidValueError):
        samples.draw(session, project, plots=0, seed=8, by="forest", each={"松": 3})
