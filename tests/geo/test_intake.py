import json
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.intake import examine, examine_document
from tests.geo.makers import collection, feature, good, ring, write

BOW_TIE = [[118.5, 28.9], [118.501, 28.901], [118.501, 28.9], [118.5, 28.901], [118.5, 28.9]]


def codes(intake, row):
    return [finding.code for finding in intake.findings_of(row)]


def single(item, **members):
    """A broken row between two sound ones: the others are always kept."""
    one, two = good(2)
    intake = examine_document(collection(one, item, two, **members))
    assert intake.read == 3 == intake.accepted + intake.questioned + intake.refused
    assert intake.status[0] == intake.status[2] == "accepted"
    return intake


def polygon(*rings):
    return feature(list(rings))


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (polygon(ring()[:-1]), "GEOM_RING_UNCLOSED"),
        (polygon(BOW_TIE), "GEOM_SELF_INTERSECTION"),
        (polygon(), "GEOM_EMPTY"),
        (polygon([]), "GEOM_EMPTY"),
        (feature(geometry=None), "GEOM_EMPTY"),
        (polygon([[math.nan, 28.9], *ring()[1:-1], [math.nan, 28.9]]), "GEOM_NAN"),
        (polygon([*ring()[:2], [math.inf, 28.9], *ring()[3:]]), "GEOM_NAN"),
        (polygon([[1, 2], [3, 4], [1, 2]]), "GEOM_RING_TOO_FEW"),
        (polygon([ring()[0]] * 5), "GEOM_RING_TOO_FEW"),
        (polygon([["118", "28"], *ring()[1:]]), "GEOM_BAD_NUMBER"),
        (polygon([[118], *ring()[1:]]), "GEOM_BAD_NUMBER"),
        (polygon([[True, None], *ring()[1:]]), "GEOM_BAD_NUMBER"),
        (feature(ring()), "GEOM_BAD_NUMBER"),
        (feature([7]), "GEOM_MALFORMED"),
        (feature(geometry=[1]), "GEOM_MALFORMED"),
        (feature(geometry={"type": "Polygon", "coordinates": "x"}), "GEOM_MALFORMED"),
        (feature(geometry={"type": "Point", "coordinates": [118.9, 28.9]}), "NOT_A_POLYGON"),
        (feature(geometry={"type": "LineString", "coordinates": ring()[:4]}), "NOT_A_POLYGON"),
        (feature(geometry={"type": "Circle"}), "NOT_A_POLYGON"),
        (17, "FEATURE_NOT_OBJECT"),
        (polygon(ring(), ring(lon=119.5)), "GEOM_HOLE_OUTSIDE"),
        (polygon(ring(size=0.000005)), "GEOM_TINY"),
        (polygon([[13232548 + dx, 3372316 + dy] for dx, dy in [(0, 0), (9, 0), (9, 9), (0, 0)]]),
         "CRS_WEBMERCATOR_AS_DEGREES"),
        (polygon([[500 + x, y] for x, y in ring()]), "COORD_OUT_OF_RANGE"),
    ],
)  # fmt: skip
def test_a_broken_row_is_refused_and_the_others_kept(item, code):
    intake = single(item)
    assert codes(intake, 2) == [code]
    assert intake.status[1] == "refused"


def test_the_gap_of_an_open_ring_is_told():
    finding = single(polygon(ring()[:-1])).findings_of(2)[0]
    assert finding.params["gap_m"] == pytest.approx(111.2, abs=0.5)
    assert finding.at == (118.87, 28.97)


def test_the_crossing_of_a_bow_tie_is_told():
    finding = single(polygon(BOW_TIE)).findings_of(2)[0]
    assert finding.at == pytest.approx((118.5005, 28.9005))
    assert finding.params["lon"] == pytest.approx(118.5005)


def test_the_bad_vertex_is_told():
    item = polygon([*ring()[:2], [118.871, math.nan], *ring()[3:]])
    assert single(item).findings_of(2)[0].params == {"part": 1, "ring": 1, "vertex": 3}


def test_swapped_axes_are_questioned_with_the_place_they_mean():
    intake = single(polygon([[y, x] for x, y in ring()]))
    assert codes(intake, 2) == ["SWAPPED_AXES"]
    assert intake.status[1] == "questioned"
    assert shapely.bounds(intake.geometry[1]) == pytest.approx((118.87, 28.97, 118.871, 28.971))


def test_zone_prefixed_eastings_under_an_unprefixed_zone_are_questioned():
    square = [(0, 0), (30, 0), (30, 30), (0, 30), (0, 0)]
    item = polygon([[40389858.44 + dx, 3206470.36 + dy] for dx, dy in square])
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    intake = examine_document(collection(item, crs=crs))
    assert codes(intake, 1) == ["CRS_ZONE_PREFIX"]
    assert intake.findings_of(1)[0].params["epsg"] == 4528
    assert shapely.bounds(intake.geometry[0])[:2] == pytest.approx((118.87, 28.97), abs=1e-5)
    assert intake.area_m2[0] == pytest.approx(900, rel=1e-3)


def test_heights_are_dropped_with_a_warning():
    intake = single(polygon([[x, y, 99.0] for x, y in ring()]))
    assert intake.accepted == 3
    assert not shapely.has_z(intake.geometry).any()
    (note,) = [f for f in intake.findings_of(None) if f.code == "GEOM_3D_DROPPED"]
    assert note.params == {"rows": 1, "first_row": 2}


def test_a_spike_is_a_warning():
    spiked = [
        *ring()[:2],
        [118.871, 28.9705],
        [118.876, 28.97051],
        [118.871, 28.97052],
        *ring()[2:],
    ]
    intake = single(polygon(spiked))
    assert codes(intake, 2) == ["GEOM_SPIKE"]
    assert intake.status[1] == "accepted"


def test_a_place_drawn_on_the_map_is_not_asked_for_its_datum():
    intake = examine_document(collection(*good(2), crs=None))
    assert (intake.accepted, codes(intake, None)) == (2, [])


def test_neighbours_that_touch_do_not_overlap():
    intake = examine_document(collection(*good(30)))
    assert intake.accepted == 30
    assert len(intake.findings_of(None)) == len(intake.findings)


def test_both_rows_of_an_overlap_are_questioned():
    other = polygon(ring(lon=118.8705))
    intake = examine_document(collection(polygon(ring()), other, *good(1)))
    assert intake.status == ("questioned", "questioned", "accepted")
    first, second = intake.findings_of(1)[0], intake.findings_of(2)[0]
    assert (first.params["other_row"], second.params["other_row"]) == (2, 1)
    assert first.params["overlap_m2"] == pytest.approx(intake.area_m2[0] / 2, rel=1e-3)


def test_a_sliver_is_kept_and_listed():
    intake = examine_document(collection(polygon(ring()), polygon(ring(lon=118.87 + 0.001 - 4e-8))))
    assert intake.accepted == 2
    assert codes(intake, 1) == codes(intake, 2) == ["SLIVER_IN_FILE"]


def test_one_of_several_identical_shapes_is_kept_whatever_their_start_and_direction():
    points = ring()[:-1]
    turned = points[2:] + points[:2]
    back = turned[::-1]
    rows = [
        feature([ring()], name="丙"),
        feature([[*turned, turned[0]]], name="甲"),
        feature([[*back, back[0]]], name="乙"),
    ]
    for shift in range(3):
        intake = examine_document(collection(*rows[shift:], *rows[:shift]))
        assert (intake.accepted, intake.refused) == (1, 2)
        kept = intake.status.index("accepted")
        smallest = min(range(3), key=lambda n: intake.attribute_digest[n])
        assert kept == smallest
        for finding in intake.findings:
            if finding.code == "DUPLICATE_IN_FILE":
                assert finding.params == {"kept_row": kept + 1}


squares = st.tuples(
    st.integers(0, 12), st.integers(0, 12), st.sampled_from([2, 3]), st.integers(0, 9)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(squares, min_size=1, max_size=14), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_ring_vertices_changes_nothing(cells, random):
    def build(item, turn, *, back):
        x, y, size, name = item
        points = ring(lon=118.5 + x * 0.001, lat=28.9 + y * 0.001, size=size * 0.001)[:-1]
        points = points[turn:] + points[:turn]
        points = points[::-1] if back else points
        return feature([[*points, points[0]]], name=name)

    def verdict(items):
        intake = examine_document(collection(*items))
        assert intake.read == intake.accepted + intake.questioned + intake.refused
        return sorted(
            zip(intake.status, intake.attribute_digest, map(str, intake.shape_digest), strict=True)
        )

    straight = [build(item, 0, back=False) for item in cells]
    shuffled = [build(item, random.randrange(4), back=random.random() < 0.5) for item in cells]
    random.shuffle(shuffled)
    assert verdict(straight) == verdict(shuffled)


def test_examining_twice_gives_the_same():
    one, two = (examine_document(collection(*good(5))) for _ in range(2))
    assert one.findings == two.findings
    assert one.shape_digest == two.shape_digest
    assert np.array_equal(one.area_m2, two.area_m2)


def test_a_file_is_examined_with_its_digest(tmp_path):
    path = write(tmp_path / "plots.geojson", collection(*good(3)))
    intake = examine(path)
    assert (intake.name, intake.format, intake.accepted) == ("plots.geojson", "geojson", 3)
    assert len(intake.file_digest) == 64
    assert intake.attributes[0] == {"name": "地块0"}


def test_an_empty_collection_is_no_rows():
    intake = examine_document(collection())
    assert (intake.read, intake.accepted) == (0, 0)


def test_findings_are_plain_data():
    intake = examine_document(collection(polygon(BOW_TIE), *good(2), good(1)[0]))
    json.dumps([finding.message_params() for finding in intake.findings])


def test_a_shape_that_only_its_long_edges_break_gets_vertices():
    # a vertex 0.2 m below the middle of a 12 km edge of the grid, which sags by 1.5 m in degrees
    x, y = 389_858.0, 3_206_470.0
    outline = [(0, 0), (6000, 899.8), (12000, 0), (12000, 900), (0, 900), (0, 0)]
    crs = {"type": "name", "properties": {"name": "EPSG:4549"}}
    row = polygon([[x + a, y + b] for a, b in outline])
    intake = examine_document(collection(row, crs=crs))
    assert codes(intake, 1) == ["GEOM_EDGES_FOLLOWED"]
    assert intake.accepted == 1
    assert shapely.is_valid(intake.geometry[0])


def test_a_projected_bow_tie_is_placed_on_the_map():
    x, y = 389_858.44, 3_206_470.36
    tie = [(0, 0), (30, 30), (30, 0), (0, 30), (0, 0)]
    crs = {"type": "name", "properties": {"name": "EPSG:4549"}}
    intake = examine_document(collection(polygon([[x + a, y + b] for a, b in tie]), crs=crs))
    finding = intake.findings_of(1)[0]
    assert finding.code == "GEOM_SELF_INTERSECTION"
    assert finding.at == pytest.approx((118.87015, 28.97013), abs=5e-5)
