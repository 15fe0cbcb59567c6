"""The demo county at toy size: same bytes, no gap, no overlap, coherent layers."""

import json

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from shapely.geometry import shape
from stdnum.cn.uscc import calc_check_digit

from geo.intake import examine
from geo.synthetic import KINDS, make_county, score
from geo.synthetic.mesh import make_mesh, outlines
from geo.synthetic.stands import LAYER_YEAR
from geo.synthetic.terrain import horn_slope


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    return make_county("tiny", out_dir=tmp_path_factory.mktemp("county"))


def read(county, name):
    return json.loads(county.path(name).read_text(encoding="utf-8"))


def layer(county, name):
    with rasterio.open(county.path(f"{name}.tif")) as source:
        return source.read(1), source.profile, source.transform


def shapes(county):
    return np.array([shape(f["geometry"]) for f in read(county, "parcels.geojson")["features"]])


def test_two_runs_write_the_same_bytes(county, tmp_path):
    again = make_county("tiny", out_dir=tmp_path)
    assert again.sha256 == county.sha256
    assert (tmp_path / "manifest.json").read_bytes() == county.path("manifest.json").read_bytes()
    assert read(county, "manifest.json")["sha256"] == county.sha256


def test_another_seed_is_another_county(county, tmp_path):
    other = make_county("tiny", 7, out_dir=tmp_path)
    assert other.sha256["parcels.geojson"] != county.sha256["parcels.geojson"]


def test_parcels_tile_the_window(county):
    parcels = shapes(county)
    assert len(parcels) == county.parcels == 200
    assert shapely.is_valid(parcels).all()
    assert shapely.coverage_is_valid(parcels)
    to_metres = pyproj.Transformer.from_crs(4490, 4549, always_xy=True)
    plane = shapely.transform(
        parcels, lambda xy: np.column_stack(to_metres.transform(xy[:, 0], xy[:, 1]))
    )
    a, b = shapely.STRtree(plane).query(plane, predicate="intersects")
    shared = shapely.area(shapely.intersection(plane[a], plane[b]))[a < b]
    assert shared.max() < 1e-3
    whole = shapely.coverage_union_all(parcels)
    ponds = [hole for part in shapely.get_parts(whole) for hole in part.interiors]
    assert len(ponds) == len(read(county, "notes.json")["with_hole"])


def test_parcels_lie_in_the_home_county(county):
    outline = shape(read(county, "county.geojson")["features"][0]["geometry"])
    assert shapely.contains_properly(outline, shapes(county)).all()
    assert "天地图" in read(county, "county.geojson")["credit"]


def test_some_parcels_have_parts_and_holes(county):
    notes = read(county, "notes.json")
    assert len(notes["multipart"]) == 6
    assert len(notes["with_hole"]) >= 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mesh_is_a_coverage_and_grouping_keeps_its_area(seed):
    mesh = make_mesh(9, 7, 110.0, (380_900.0, 3_204_300.0), seed)
    cells = [parts[0] for parts in outlines(mesh, np.arange(63))]
    assert shapely.coverage_is_valid(cells)
    groups = [shapely.MultiPolygon(p) for p in outlines(mesh, np.arange(63) // 4)]
    assert shapely.is_valid(groups).all()
    assert shapely.area(groups).sum() == pytest.approx(shapely.area(cells).sum(), rel=1e-9)


def test_records_carry_real_codes_and_agree_with_each_other(county):
    records = [f["properties"] for f in read(county, "parcels.geojson")["features"]]
    villages = {v["code"]: v for v in read(county, "villages.json")}
    owners = {o["id"] for o in read(county, "owners.json")}
    operators = {o["id"] for o in read(county, "orchards.json")}
    assert len({r["parcel_no"] for r in records}) == len(records)
    assert {r["xian"] for r in records} == {"330802"}
    assert {r["xiang_mc"] for r in records} == {"航埠镇", "沟溪乡"}
    for record in records:
        assert record["ZLDWDM"] in villages
        assert record["planting_year"] == LAYER_YEAR - record["pingjun_nl"]
        assert record["owner_id"] in owners | operators
        assert record["kind"] in {"carbon", "orchard", "tree"}
        assert (record["kind"] == "orchard") == (record["DLBM"] == "0201")


def test_credit_codes_hold_and_are_marked_invented(county):
    holders = [*read(county, "villages.json"), *read(county, "owners.json")]
    holders += [*read(county, "buyers.json"), *read(county, "orchards.json")]
    codes = [h["uscc"] for h in holders if h["uscc"]]
    assert codes
    for code in codes:
        assert len(code) == 18
        assert code[8:10] == "XN"
        assert code[-1] == str(calc_check_digit(code[:-1]))
    assert all(v["uscc"].startswith("N3330802") for v in read(county, "villages.json"))


@pytest.mark.parametrize("name", ["dem", "species", "age", "site", "disturbance"])
def test_layers_declare_nodata_and_hold_some(county, name):
    values, profile, _ = layer(county, name)
    assert profile["crs"].to_epsg() == 4549
    assert profile["tiled"]
    missing = values == profile["nodata"]
    assert 0 < missing.mean() < 0.1
    assert missing[-1, -1]
    assert not missing[0, 0]


def test_layers_agree_with_the_records(county):
    features = read(county, "parcels.geojson")["features"]
    disagrees = set(read(county, "notes.json")["age_disagrees"])
    (age, profile, transform), (species, _, _) = layer(county, "age"), layer(county, "species")
    to_metres = pyproj.Transformer.from_crs(4490, 4549, always_xy=True)
    differences, same = [], []
    for feature in features:
        point = shape(feature["geometry"]).representative_point()
        column, row = ~transform @ to_metres.transform(point.x, point.y)
        at = int(row), int(column)
        if age[at] == profile["nodata"]:
            continue
        record = feature["properties"]
        same.append(species[at] == record["species_code"])
        if record["parcel_no"] not in disagrees:
            differences.append(abs(int(age[at]) - record["pingjun_nl"]))
    assert max(differences) <= 3
    assert np.mean(differences) < 1
    assert np.mean(same) > 0.9


def test_fire_is_in_raster_and_vector(county):
    values, _, transform = layer(county, "disturbance")
    fire = shape(read(county, "disturbances.geojson")["features"][0]["geometry"])
    assert set(np.unique(values).tolist()) == {0, 2025, 65535}
    hectares = (values == 2025).sum() * abs(transform.a * transform.e) / 10_000
    area, _ = pyproj.Geod(ellps="GRS80").geometry_area_perimeter(fire)
    assert hectares == pytest.approx(abs(area) / 10_000, rel=0.05)
    assert read(county, "notes.json")["fire"]


def test_zones_touch_a_few_parcels(county):
    notes = read(county, "notes.json")
    for name in ("wetland", "basic_farmland", "other_programme"):
        assert 0 < len(notes[name]) < 20
    withheld = [o for o in read(county, "orchards.json") if o["veto"]]
    assert [o["parcels"][0]["parcel_no"] in notes["basic_farmland"] for o in withheld] == [True]


def test_horn_slope_of_a_plane():
    across = np.tile(np.arange(8.0) * 10.0, (8, 1))
    assert horn_slope(across)[1:-1, 1:-1] == pytest.approx(45.0)


class TestDefects:
    def test_truth_covers_every_kind(self, county):
        assert {t.kind for t in county.truth} == {kind.name for kind in KINDS}
        table = read(county, "truth.json")
        assert len(table["defects"]) == len(county.truth)

    def test_only_the_rows_of_the_truth_differ(self, county):
        clean = read(county, "parcels.geojson")["features"]
        text = county.path("parcels_defective.geojson").read_text(encoding="utf-8")
        spoilt = json.loads(text)["features"]
        added = {t.row for t in county.truth if t.kind == "rotated_duplicate"}
        assert len(spoilt) == len(clean) + len(added) == read(county, "truth.json")["read"]
        changed = {
            row
            for row, (a, b) in enumerate(zip(clean, spoilt, strict=False), 1)
            if json.dumps(a) != json.dumps(b)
        }
        assert changed | added == {t.row for t in county.truth}

    def test_rows_and_numbers_of_the_truth_match_the_file(self, county):
        text = county.path("parcels_defective.geojson").read_text(encoding="utf-8")
        spoilt = json.loads(text)["features"]
        for truth in county.truth:
            assert spoilt[truth.row - 1]["properties"]["parcel_no"] == truth.parcel_no

    def test_overlaps_and_slivers_are_what_they_say(self, county):
        text = county.path("parcels_defective.geojson").read_text(encoding="utf-8")
        spoilt = json.loads(text)["features"]
        geod = pyproj.Geod(ellps="GRS80")
        for truth in county.truth:
            if truth.kind not in {"overlap", "sliver", "spike"}:
                continue
            own = shape(spoilt[truth.row - 1]["geometry"])
            assert own.is_valid
            assert truth.partner_rows or truth.also_rows
            for row in truth.partner_rows or truth.also_rows:
                cut = own.intersection(shape(spoilt[row - 1]["geometry"]))
                area = sum(abs(geod.geometry_area_perimeter(p)[0]) for p in shapely.get_parts(cut))
                assert area > 1.0 if truth.kind == "overlap" else 0 < area < 1.0

    def test_duplicate_is_the_same_ground(self, county):
        text = county.path("parcels_defective.geojson").read_text(encoding="utf-8")
        spoilt = json.loads(text)["features"]
        for truth in (t for t in county.truth if t.kind == "rotated_duplicate"):
            first = spoilt[truth.partner_rows[0] - 1]["geometry"]
            second = spoilt[truth.row - 1]["geometry"]
            assert first["coordinates"][0] != second["coordinates"]
            assert shapely.normalize(shape(first).geoms[0]) == shapely.normalize(shape(second))

    def test_score_counts_recall_and_false_alarms(self, county):
        def ideal(truth):
            row = None if truth.scope == "file" else truth.row
            return (row, truth.code, truth.severity)

        perfect = score(county.truth, map(ideal, county.truth))
        assert perfect.recall == 1.0
        assert not perfect.false_alarms
        without = [ideal(t) for t in county.truth if t.kind != "bow_tie"]
        flawed = score(
            county.truth, [*without, (None, "CRS_OVERRIDDEN", "warning"), (1, "X", "refused")]
        )
        assert [t.kind for t in flawed.missed] == ["bow_tie"]
        assert flawed.false_alarms == ((1, "X", "refused"),)


class TestGroves:
    """Numbered trees stand in rows within their ground, and each group has a pack to give."""

    def test_trees_stand_within_their_grove_on_ground_of_their_owner(self, county):
        parcels = {
            one["properties"]["parcel_no"]: one
            for one in read(county, "parcels.geojson")["features"]
        }
        groves = read(county, "groves.json")
        assert [len(grove["trees"]) for grove in groves] == [230, 110]
        for grove in groves:
            ground = shape(grove["geometry"])
            points = shapely.points([(tree["lon"], tree["lat"]) for tree in grove["trees"]])
            assert shapely.contains(ground, points).all()
            numbers = [tree["number"] for tree in grove["trees"]]
            assert numbers == list(range(1, len(numbers) + 1))
            assert set(grove["die"]) <= set(range(1, 101))
            around = [
                one["properties"]
                for one in parcels.values()
                if shape(one["geometry"]).contains(ground)
            ]
            assert [one["owner_id"] for one in around] == [grove["owner_id"]]


class TestImport:
    """The examination of a file agrees with the truth; attributes are judged elsewhere."""

    attributes = frozenset({"negative_age", "unknown_species"})

    def test_clean_file_has_no_finding(self, county):
        seen = examine(county.path("parcels.geojson"))
        assert (seen.read, seen.accepted) == (200, 200)
        # That the forest survey's names were understood is told, and is no fault.
        assert [found.code for found in seen.findings] == ["FIELDS_MAPPED"]

    def test_every_defect_of_geometry_is_found_and_nothing_else(self, county):
        seen = examine(county.path("parcels_defective.geojson"))
        result = score(county.truth, [(f.row, f.code, f.severity) for f in seen.findings])
        assert {t.kind for t in result.missed} <= self.attributes
        assert result.false_alarms == ()
        assert seen.read == seen.accepted + seen.questioned + seen.refused
