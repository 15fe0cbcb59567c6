"""Tiles of a real database: who sees what, which version they carry, how true and how large."""

import threading
from uuid import uuid4

import numpy as np
import pytest
import shapely
from geoalchemy2 import WKTElement
from sqlalchemy import text

from registry.canonical import digest
from registry.db import SYSTEM_ACTOR, transaction
from registry.errors import NotFoundError
from registry.models import Actor, Parcel
from registry.reads import tiles
from registry.reads.tiles import Tile
from tests import factories
from tests.factories import mvt

LON, LAT = 118.80, 28.95
HANGBU, SHILIANG, OTHER = "330802101000", "330802102000", "330803101000"


def as_actor(session, actor_id):
    session.execute(text("SELECT set_config('tanhui.actor', :a, true)"), {"a": str(actor_id)})


@pytest.fixture
def land(session):
    """Divisions of two counties; the session acts as the system."""
    factories.division(session)
    for code, name in ((HANGBU, "航埠镇"), (SHILIANG, "石梁镇"), (OTHER, "全旺镇")):
        factories.division(session, code, name=name, level="township")
    factories.division(session, "330802101001", name="一村", level="village")
    return session


def staff(session, role, code):
    made = Actor(name="某人", roles=[role], division_code=code, effective_at=factories.AT)
    session.add(made)
    session.flush()
    return made.id


def area_m2(session, shape):
    return session.scalar(
        text("SELECT ST_Area(ST_GeomFromText(:w, 4490)::geography)"), {"w": shape.wkt}
    )


def plot(
    session,
    west=LON,
    south=LAT,
    *,
    size=0.001,
    division=HANGBU,
    owner=None,
    kind="carbon",
    status="submitted",
    code=None,
):
    shape = shapely.box(west, south, west + size, south + size)
    area = area_m2(session, shape)
    made = Parcel(
        id=uuid4(), code=code, kind=kind, status=status, version=1, division_code=division,
        owner_id=owner, area_m2=area, shape_digest=digest(shape.wkt),
        geometry=WKTElement(shapely.MultiPolygon([shape]).wkt, srid=4490),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def approve(session, *plots):
    from registry.models import ParcelDecision, ParcelVersion

    submitter, approver = factories.actor(session, "township"), factories.actor(session, "county")
    for one in plots:
        session.refresh(one)
        session.add(
            ParcelVersion(
                parcel_id=one.id, version=1, geometry=one.geometry, area_m2=one.area_m2,
                shape_digest=one.shape_digest, attributes={}, source_crs="EPSG:4490",
                captured_with="drawing", reason="test", actor_id=submitter,
                effective_at=factories.AT,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            ParcelDecision(
                parcel_id=one.id, version=1, decision="approve", reason="",
                submitted_by=submitter, actor_id=approver, effective_at=factories.AT,
            )
        )  # fmt: skip
        session.flush()
        one.submitted_by, one.status = submitter, "approved"
        session.flush()


def place(lon, lat):
    """Where a point lies on the square of the web map, from its north-west corner."""
    return (lon + 180) / 360, (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2


def tile_at(z, lon=LON + 0.0005, lat=LAT + 0.0005, layer="parcels"):
    x, y = (int(part * 2**z) for part in place(lon, lat))
    return Tile(layer=layer, z=z, x=x, y=y)


def middle_of(tile):
    """Longitude and latitude of a tile's middle."""
    x, y = (tile.x + 0.5) / 2**tile.z, (tile.y + 0.5) / 2**tile.z
    return x * 360 - 180, float(np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y)))))


def seen(session, tile, tmp_path):
    return mvt.layers(tiles.content(session, tile), tmp_path)


def names(session, tile, tmp_path):
    return sorted(row["name"] for row, _ in seen(session, tile, tmp_path).get("parcels", []))


def test_each_actor_gets_their_own_plots_and_nobody_else_s(land, tmp_path):
    party = factories.party(land, "household")
    plot(land, code="航埠", owner=party)
    plot(land, LON + 0.002, code="石梁", division=SHILIANG)
    plot(land, LON + 0.004, code="外县", division=OTHER)
    plot(land, LON + 0.006, code="无区划", division=None)
    plot(land, LON + 0.008, code="撤回", status="withdrawn")
    sights = {
        SYSTEM_ACTOR: ["外县", "无区划", "石梁", "航埠"],
        factories.actor(land, "auditor"): ["外县", "无区划", "石梁", "航埠"],
        staff(land, "county", factories.COUNTY): ["石梁", "航埠"],
        staff(land, "township", SHILIANG): ["石梁"],
        staff(land, "township", "330802101001"): [],
        factories.actor(land, "farmer", party_id=party): ["航埠"],
        factories.actor(land, "farmer", party_id=factories.party(land, "household")): [],
        staff(land, "farmer", HANGBU): [],  # a division without a desk is no reach
        uuid4(): [],
    }
    for who, expected in sights.items():
        as_actor(land, who)
        assert names(land, tile_at(14), tmp_path) == sorted(expected)
        cells = seen(land, tile_at(10), tmp_path).get("cells", [])
        assert sum(row["parcels"] for row, _ in cells) == len(expected)


def test_a_far_tile_counts_by_status_and_adds_no_area_twice(land, tmp_path):
    one, two, three = (plot(land, LON + 0.0012 * n) for n in range(3))
    plot(land, LON + 0.004, status="draft")
    approve(land, one, two)
    for z in (0, 5, 10, 12):
        cells = [row for row, _ in seen(land, tile_at(z), tmp_path)["cells"]]
        sums = {name: sum(row[name] or 0 for row in cells) for name in cells[0]}
        assert (sums["approved"], sums["submitted"], sums["draft"]) == (2, 1, 1)
        assert sums["parcels"] == 4
        assert sums["area_m2"] == pytest.approx(4 * three.area_m2, rel=1e-3)


def test_cells_stand_where_their_plots_are(land, tmp_path):
    plot(land)
    middle = (LON + 0.0005, LAT + 0.0005)
    for z in range(13):
        tile = tile_at(z)
        ((_, shape),) = seen(land, tile, tmp_path)["cells"]
        x, y = ((part * 2**z) % 1 * 4096 for part in place(*middle))
        assert shape.area == 256 * 256
        assert shape.covers(shapely.Point(x, 4096 - y))


def test_neighbours_are_shapes_without_names(land, tmp_path):
    plot(land, code="秘", owner=factories.party(land, "household"))
    plot(land, LON + 0.002, division=OTHER, kind="orchard")
    plot(land, LON + 0.004, status="draft")
    as_actor(land, staff(land, "township", SHILIANG))
    found = seen(land, tile_at(14, layer="neighbours"), tmp_path)["parcels"]
    rows = sorted((row for row, _ in found), key=str)
    assert rows == [
        {"kind": "carbon", "status": "submitted"},
        {"kind": "orchard", "status": "submitted"},
    ]


def test_the_public_sees_cells_of_three_approved_plots_and_no_difference_tells_of_others(
    land, tmp_path
):
    plots = [plot(land, LON + 0.0012 * n) for n in range(4)]
    lone = plot(land, LON + 0.2)
    approve(land, *plots[:2], lone)
    as_actor(land, uuid4())
    for z in (8, 12, 15):
        assert seen(land, tile_at(z, layer="public"), tmp_path) == {}
    as_actor(land, SYSTEM_ACTOR)
    approve(land, plots[2])
    as_actor(land, uuid4())
    for z in (0, 8, 12, 15):
        ((row, shape),) = seen(land, tile_at(z, layer="public"), tmp_path)["cells"]
        assert row["parcels"] == 3
        assert set(row) == {"parcels", "area_m2"}
        side = 4096 / min(16, 2 ** (15 - z))
        assert shape.area == side * side


def test_degrees_lie_on_the_tile_within_half_a_unit_of_the_projection(session):
    """Mercator bends within a tile: at z13, at China's latitudes, by less than a third of a unit."""
    worst = {}
    for z in (12, 13, 14, 16):
        for lat in (18.2, 29.0, 40.0, 53.5):
            found = session.execute(
                text(
                    """
                    WITH t AS (SELECT tile_box(:z, :x, :y) AS box),
                    p AS (SELECT box, ST_YMin(box) + f / 64.0 * (ST_YMax(box) - ST_YMin(box)) AS lat
                            FROM t, generate_series(0, 64) f),
                    m AS (SELECT (lat - ST_YMin(box)) / (ST_YMax(box) - ST_YMin(box)) AS straight,
                      ST_Y(ST_Transform(ST_SetSRID(ST_MakePoint(118, lat), 4326), 3857)) AS y,
                      ST_Y(ST_Transform(ST_SetSRID(ST_MakePoint(118, ST_YMin(box)), 4326), 3857)) AS low,
                      ST_Y(ST_Transform(ST_SetSRID(ST_MakePoint(118, ST_YMax(box)), 4326), 3857)) AS high
                      FROM p)
                    SELECT max(abs((y - low) / (high - low) - straight)) * 4096, min(high - low) FROM m
                    """
                ),
                {"z": z, "x": tile_at(z, 118.0, lat).x, "y": tile_at(z, 118.0, lat).y},
            ).one()
            worst[z] = max(worst.get(z, 0), found[0])
            assert found[1] == pytest.approx(40075016.6856 / 2**z, rel=1e-9)
    assert worst[13] < 0.33
    assert worst[14] < 0.17
    assert worst[12] > 0.5  # why cells, not plots, stand at z12


def test_plots_lie_on_the_tile_where_the_projection_puts_them(land, tmp_path):
    tile = tile_at(15)
    west, south = middle_of(tile)
    one = plot(land, west - 0.0003, south + 0.0002, size=0.0011)
    ((_, shape),) = seen(land, tile, tmp_path)["parcels"]
    expected = land.scalar(
        text(
            "SELECT ST_AsText(ST_AsMVTGeom(ST_Transform(ST_SetSRID(geometry, 4326), 3857),"
            " ST_TileEnvelope(:z, :x, :y), 4096, 64, true)) FROM parcel WHERE id = :id"
        ),
        {"z": tile.z, "x": tile.x, "y": tile.y, "id": one.id},
    )
    flipped = shapely.transform(
        shapely.from_wkt(expected),
        lambda corners: corners * np.array([1, -1]) + np.array([0, 4096]),
    )
    assert shape.hausdorff_distance(flipped) <= 1.5


def test_what_no_longer_fits_is_counted_and_the_largest_come_first(land, tmp_path):
    tile = tile_at(14)
    west, south = middle_of(tile)
    for n in range(9):
        plot(land, west + 0.0011 * (n - 4), south, size=0.0005 + 0.00005 * n, code=f"第{n}")
    given = {"z": tile.z, "x": tile.x, "y": tile.y}
    body = land.scalar(text("SELECT parcel_tile(:z, :x, :y, 300)"), given)
    found = mvt.layers(bytes(body), tmp_path)
    assert [row["name"] for row, _ in found["parcels"]] == ["第8", "第7", "第6"]
    assert [row["parcels"] for row, _ in found["left_out"]] == [6]
    assert "left_out" not in seen(land, tile, tmp_path)


def test_a_crowded_tile_stays_below_half_a_megabyte(land):
    box = tile_at(13)
    land.execute(
        text(
            """
            INSERT INTO parcel (id, code, kind, status, version, division_code, geometry, area_m2,
                                shape_digest)
            SELECT gen_random_uuid(), '330802-' || n, 'carbon', 'draft', 1, :division, g,
                   ST_Area(g::geography), decode(md5(n::text) || md5(n::text), 'hex')
              FROM generate_series(0, 11999) n, tile_box(:z, :x, :y) b,
                   ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(
                     ST_XMin(b) + (n % 120 + 0.5) / 120 * (ST_XMax(b) - ST_XMin(b)),
                     ST_YMin(b) + (n / 120 + 0.5) / 100 * (ST_YMax(b) - ST_YMin(b))), 4490),
                     0.00012)) g
            """
        ),
        {"z": box.z, "x": box.x, "y": box.y, "division": HANGBU},
    )
    body = tiles.content(land, box)
    assert 250_000 < len(body) < 500_000


def versions(session):
    return [
        tiles.version(session, tile_at(z, layer=layer))
        for z, layer in ((8, "parcels"), (14, "parcels"), (14, "neighbours"), (12, "public"))
    ]


def test_every_change_gives_the_tile_another_version_and_others_none(land):
    plot(land, LON + 0.3)
    far = tiles.version(land, tile_at(14, LON + 0.3))
    states = [versions(land)]
    one = plot(land)
    states.append(versions(land))
    for change in (
        {"code": "甲"},
        {"status": "returned"},
        {"status": "submitted"},
        {"kind": "orchard"},
        {"division_code": SHILIANG},
    ):
        for name, value in change.items():
            setattr(one, name, value)
        land.flush()
        states.append(versions(land))
    for n in range(4):
        assert len({state[n] for state in states}) == len(states)
    one.submitted_by = SYSTEM_ACTOR
    land.flush()
    assert versions(land) == states[-1]  # nothing that a tile shows
    assert tiles.version(land, tile_at(14, LON + 0.3)) == far


def test_a_large_plot_changes_every_tile_it_reaches_into(land):
    wide = plot(land, LON - 0.2, LAT - 0.1, size=0.4)
    tile = tile_at(16)
    before = tiles.version(land, tile)
    wide.status = "returned"
    land.flush()
    assert tiles.version(land, tile) != before


def test_two_reaches_have_two_versions_and_an_owner_s_follows_their_plots(land):
    party = factories.party(land, "household")
    one = plot(land, owner=party)
    sights = {}
    for who in (
        staff(land, "township", HANGBU),
        staff(land, "county", factories.COUNTY),
        factories.actor(land, "farmer", party_id=party),
        uuid4(),
    ):
        as_actor(land, who)
        sights[who] = tiles.version(land, tile_at(14))
    assert len(set(sights.values())) == 4
    as_actor(land, SYSTEM_ACTOR)
    one.status = "returned"
    land.flush()
    for who in list(sights)[:3]:
        as_actor(land, who)
        assert tiles.version(land, tile_at(14)) != sights[who]


def test_counts_are_those_of_the_plots_after_any_changes(land):
    rng = np.random.default_rng(7)
    plots = [plot(land, LON + 0.0012 * n, LAT + 0.02 * (n % 3)) for n in range(12)]
    for _ in range(30):
        one = plots[rng.integers(12)]
        one.status = ["draft", "submitted", "returned", "withdrawn"][rng.integers(4)]
        one.division_code = [HANGBU, SHILIANG, OTHER, None][rng.integers(4)]
        if rng.random() < 0.3:
            shape = shapely.transform(
                shapely.from_wkt(
                    land.scalar(
                        text("SELECT ST_AsText(geometry) FROM parcel WHERE id = :i"), {"i": one.id}
                    )
                ),
                lambda corners: corners + np.array([0, 0.06]),
            )
            area = area_m2(land, shape)
            one.geometry = WKTElement(shape.wkt, srid=4490)
            one.area_m2, one.shape_digest = area, digest(shape.wkt)
        land.flush()
    cells = land.execute(
        text("SELECT sum(parcels)::int FROM cells_in_reach(0, 0, 65535, 65535)")
    ).scalar()
    assert cells == land.scalar(text("SELECT count(*) FROM parcel WHERE status <> 'withdrawn'"))
    assert land.scalar(text("SELECT parcel_cells_astray()")) == 0
    wide = land.execute(text("SELECT * FROM cells_in_reach(0, 0, 65535, 65535, true)")).all()
    assert sum(one.parcels for one in wide) == cells
    assert all(one.x % 16 == 0 and one.y % 16 == 0 for one in wide)


def test_a_county_s_desk_and_its_visitors_get_the_counts_of_wide_cells_once(land, tmp_path):
    party = factories.party(land, "household")
    plot(land, owner=party)
    plot(land, LON + 0.002, division=OTHER, owner=party)
    plot(land, LON + 0.3, division=OTHER)
    as_actor(land, factories.actor(land, "county", party_id=party, division_code=factories.COUNTY))
    for z in (6, 8, 9):
        cells = [row for row, _ in seen(land, tile_at(z), tmp_path)["cells"]]
        assert sum(row["parcels"] for row in cells) == 2


def test_the_counts_themselves_are_nobody_s_to_read_or_write(session):
    from sqlalchemy.exc import ProgrammingError

    for statement in ("SELECT * FROM parcel_cell", "UPDATE parcel_cell SET parcels = 0"):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(statement))


def test_writers_who_meet_in_the_same_cells_lose_no_count(engine):
    with transaction(engine) as session:
        factories.division(session)
    faults = []

    def write(lane):
        try:
            for n in range(12):
                with transaction(engine) as session:
                    plot(
                        session, LON + 0.0012 * n, LAT + 0.0012 * lane,
                        division=factories.COUNTY, kind=("carbon", "orchard", "tree")[lane % 3],
                    )  # fmt: skip
        except Exception as fault:  # noqa: BLE001 -- told below
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(lane,)) for lane in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    with transaction(engine) as session:
        total = session.scalar(
            text("SELECT sum(parcels)::int FROM cells_in_reach(0, 0, 65535, 65535)")
        )
    assert total == 72


@pytest.mark.parametrize(
    ("layer", "z", "x"),
    [("parcels", 17, 0), ("parcels", 3, 8), ("neighbours", 12, 0), ("public", 16, 0)],
)
def test_there_is_no_tile_outside_the_grid(layer, z, x):
    with pytest.raises(NotFoundError):
        Tile(layer=layer, z=z, x=x, y=0)


def test_a_project_s_proponent_gets_its_plots_near_and_far(land, tmp_path):
    from registry.models import ProjectParcel

    party = factories.party(land, "company")
    one = plot(land, code="入项", division=SHILIANG)
    plot(land, LON + 0.002, code="旁人", division=SHILIANG)
    approve(land, one)
    project = factories.project(land, party)
    who = factories.actor(land, "collective", party_id=party)
    as_actor(land, who)
    before = tiles.version(land, tile_at(14))
    assert names(land, tile_at(14), tmp_path) == []
    as_actor(land, SYSTEM_ACTOR)
    land.add(
        ProjectParcel(
            project_id=project,
            parcel_id=one.id,
            version=1,
            actor_id=SYSTEM_ACTOR,
            effective_at=factories.AT,
        )
    )
    land.flush()
    as_actor(land, who)
    assert names(land, tile_at(14), tmp_path) == ["入项"]
    assert tiles.version(land, tile_at(14)) != before
    (cell,) = seen(land, tile_at(10), tmp_path)["cells"]
    assert cell[0]["parcels"] == 1
    as_actor(land, uuid4())
    assert names(land, tile_at(14), tmp_path) == []
