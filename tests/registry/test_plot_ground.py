"""Field plots keep to the ground: after every edit each lies on the one parcel that holds its point."""

import json
from datetime import date
from uuid import uuid4

import shapely
from geoalchemy2.shape import to_shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import field_plots, plot_ground
from registry import parcel_edits as edits
from registry.db import SYSTEM_ACTOR, transaction
from registry.field_plots import EnterPlots, Plot, Tree
from registry.models import FieldPlot, Parcel
from tests import factories

shares = st.floats(0, 1)


def by(at):
    return {"at": at, "actor_id": SYSTEM_ACTOR, "key": uuid4().hex}


def geojson(shape):
    return json.loads(shapely.to_geojson(shape))


def sampled(session, at, points):
    """A claimed parcel with plots at shares of its box; returns parcel, shape and project."""
    owner = factories.party(session, "collective")
    project = factories.project(session, owner, crediting=(date(2020, 1, 1), date(2040, 1, 1)))
    parcel = factories.parcel(session, owner)
    factories.claim(session, project, parcel, (2020, 2040))
    shape = to_shape(session.get(Parcel, parcel).geometry)
    west, south, east, north = shape.bounds
    places = [(west + (east - west) * x, south + (north - south) * y) for x, y in points]
    found = [one for one in places if shape.covers(shapely.Point(one))]
    if found:
        entered = EnterPlots(
            **by(at),
            project_id=project,
            origin="project",
            survey_year=at.year,
            plots=tuple(
                Plot(
                    number=str(n),
                    lon=lon,
                    lat=lat,
                    shape="circle",
                    size_m=10.0,
                    slope=0.0,
                    measured_on=at.date(),
                    measured_by="张三",
                    trees=(Tree(species="杉木", d_cm=12.0, h_m=9.0),),
                )
                for n, (lon, lat) in enumerate(found)
            ),
        )
        field_plots.enter(session, entered)
    return parcel, shape, project, len(found)


def shapes(session, ids):
    session.expire_all()
    return {one: to_shape(session.get(Parcel, one).geometry) for one in ids}


def point(session, place):
    row = session.get(FieldPlot, place.plot_id)
    return shapely.Point(row.lon, row.lat)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    points=st.lists(st.tuples(shares, shares), min_size=1, max_size=12, unique=True),
    cut=st.floats(0.05, 0.95),
    on_line=st.lists(shares, max_size=3, unique=True),
)
def test_each_plot_lies_in_one_child_and_comes_together_again(engine, at, points, cut, on_line):
    with transaction(engine) as session:
        points = points + [(cut, y) for y in on_line if (cut, y) not in points]
        parcel, shape, _, plots = sampled(session, at, points)
        west, south, east, north = shape.bounds
        x = west + (east - west) * cut
        line = shapely.LineString([(x, south - 1e-3), (x, north + 1e-3)])
        done = edits.split(
            session,
            edits.SplitParcel(
                **by(at), parcel_id=parcel, based_on_version=1, line=geojson(line), reason="分"
            ),
        )
        children = shapes(session, [one.parcel_id for one in done.parcels])
        assert len(done.plots) == len({one.plot_id for one in done.plots}) == plots
        for place in done.plots:
            assert place.parcel_id in children
            assert children[place.parcel_id].distance(point(session, place)) < 1e-9
        seen = tuple(
            edits.PlaceSeen(parcel_id=one.parcel_id, version=one.version) for one in done.parcels
        )
        joined = edits.merge(session, edits.MergeParcels(**by(at), parcels=seen, reason="合"))
        whole = joined.parcels[0].parcel_id
        assert {one.plot_id for one in joined.plots} == {one.plot_id for one in done.plots}
        assert {one.parcel_id for one in joined.plots} <= {whole}
        session.rollback()


def test_a_plot_on_ground_taken_out_is_told_and_stays_in_the_record(session, at):
    parcel, shape, project, plots = sampled(session, at, [(0.5, 0.5), (0.1, 0.5), (0.5, 0.1)])
    hole = shape.centroid.buffer((shape.bounds[2] - shape.bounds[0]) / 20)
    done = edits.cut_hole(
        session,
        edits.CutHole(
            **by(at), parcel_id=parcel, based_on_version=1, hole=geojson(hole), reason="塘"
        ),
    )
    assert len(done.plots) == plots
    gone = [one for one in done.plots if one.parcel_id is None]
    assert [hole.covers(point(session, one)) for one in gone] == [True]
    listed = field_plots.listing(session, project, origin="project", survey_year=at.year)
    assert sum(one.parcel_id is None for one in listed) == 1
    assert plot_ground.on_parcels(session, [parcel]) == sorted(
        one.plot_id for one in done.plots if one.parcel_id is not None
    )
