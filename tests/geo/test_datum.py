"""Datums and shifts: GCJ-02 and BD-09 both ways, older datums by parameters, doubts asked."""

import json
import math
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.crs import parse_crs, to_cgcs2000
from geo.errors import CrsError
from geo.fit import fit_shapes
from geo.helmert import parse_helmert, read_parameters
from geo.intake import IntakeOptions, examine
from geo.offsets import from_bd09, from_gcj02, to_bd09, to_gcj02
from geo.vector import open_features
from tests.geo.makers import collection, feature, good, ring, shapefile, write

CM_DEG = 1e-7
OUTLINES = Path(__file__).parents[2] / "web/demo/data/quzhou_districts_cgcs2000.geojson"
BURSA = (
    "dx_m=-15.5,dy_m=120.25,dz_m=47,rx_arcsec=1.2,ry_arcsec=-0.4,rz_arcsec=2.1,scale_ppm=-3.5,"
    "rotation=coordinate_frame"
)
COUNTY = shapely.box(118.6, 28.7, 119.0, 29.1)


def codes(intake, row=None):
    return [f.code for f in intake.findings_of(row)]


# the shift of web maps -----------------------------------------------------------------------


def test_the_public_formula_gives_its_known_values():
    place = np.array([[116.404, 39.915]])
    assert to_gcj02(place)[0] == pytest.approx([116.41024449916938, 39.91640428150164], abs=1e-12)
    assert to_bd09(place)[0] == pytest.approx([116.41662724378733, 39.922699552216216], abs=1e-9)


@given(st.floats(73.0, 135.5), st.floats(3.5, 53.8))
def test_there_and_back_is_the_same_place(lon, lat):
    place = np.array([[lon, lat]])
    for there, back in ((to_gcj02, from_gcj02), (to_bd09, from_bd09)):
        assert np.abs(back(there(place)) - place).max() < CM_DEG / 1000
        assert np.abs(there(back(place)) - place).max() < CM_DEG / 1000


def test_the_shift_in_the_county_is_what_was_measured():
    geod = pyproj.Geod(ellps="GRS80")
    grid = np.stack(np.meshgrid(np.linspace(118.1, 119.2, 9), np.linspace(28.3, 29.4, 9)), -1)
    places = grid.reshape(-1, 2)
    for there, low, high in ((to_gcj02, 555, 625), (to_bd09, 1_120, 1_225)):
        moved = there(places)
        metres = geod.inv(*places.T, *moved.T)[2]
        assert low < metres.min() < metres.max() < high


@pytest.mark.parametrize("place", [(0, 0), (140.0, 35.0), (-122.4, 37.8), (100, -1), (100, 60)])
def test_places_outside_china_are_untouched(place):
    places = np.array([place], dtype=float)
    for way in (to_gcj02, to_bd09, from_gcj02, from_bd09):
        assert (way(places) == places).all()


@pytest.mark.parametrize(("name", "there"), [("gcj02", to_gcj02), ("BD-09", to_bd09)])
def test_a_named_shift_is_undone(tmp_path, name, there):
    shifted = there(np.array(ring())).tolist()
    path = write(tmp_path / "a.geojson", collection(feature([shifted]), crs=None))
    intake = examine(path, crs=name)
    assert (intake.accepted, codes(intake)) == (1, [])
    assert np.abs(shapely.get_coordinates(intake.geometry[0]) - np.array(ring())).max() < 1e-10


# a datum that nobody named ------------------------------------------------------------------


def test_chinese_degrees_of_unproven_datum_are_taken_by_their_standard_and_told(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*good(3), crs=None))
    intake = examine(path)
    assert (intake.accepted, codes(intake)) == (3, ["DATUM_UNPROVEN"])
    assert intake.findings[0].severity == "warning"
    for answer in ("EPSG:4490", "EPSG:4326", "gcj02", "bd09"):
        assert examine(path, crs=answer).accepted == 3
    wgs84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    path = write(tmp_path / "b.geojson", collection(*good(2), crs=wgs84))
    assert examine(path).accepted == 2


def test_degrees_elsewhere_are_not_asked_about(tmp_path):
    away = [feature([ring(lon=2.3 + k / 100, lat=48.8)]) for k in range(2)]
    intake = examine(write(tmp_path / "a.geojson", collection(*away, crs=None)))
    assert (intake.accepted, codes(intake)) == (2, [])


def spread(shift=lambda places: places, n=20):
    """Squares all over the county, the outermost 300 m from its boundary."""
    lon = np.linspace(118.603, 118.996, n)
    lat = np.linspace(28.703, 29.096, n)
    return [
        feature([shift(np.array(ring(lon=x, lat=y, size=5e-4))).tolist()]) for x in lon for y in lat
    ]


def test_the_boundary_proves_true_places(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*spread(), crs=None))
    intake = examine(path, options=IntakeOptions(division=COUNTY))
    assert (intake.accepted, codes(intake)) == (400, ["DATUM_FITS"])


@pytest.mark.parametrize(("reading", "there"), [("GCJ-02", to_gcj02), ("BD-09", to_bd09)])
def test_the_boundary_shows_a_shift_that_is_proposed_undone(tmp_path, reading, there):
    path = write(tmp_path / "a.geojson", collection(*spread(there), crs=None))
    options = IntakeOptions(division=COUNTY)
    intake = examine(path, options=options)
    assert (intake.questioned, codes(intake)) == (400, ["DATUM_LOOKS_SHIFTED"])
    said = intake.findings_of(None)[0].params
    assert (said["reading"], said["outside_shifted"]) == (reading, 0)
    assert said["outside"] > 10
    first = shapely.get_coordinates(intake.geometry[0])[0]
    assert np.abs(first - [118.603, 28.703]).max() < 1e-9
    stated = examine(path, crs="EPSG:4490", options=options)
    assert (stated.accepted, codes(stated)) == (400, ["DATUM_LOOKS_SHIFTED"])


def test_few_parcels_in_the_middle_prove_nothing(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*good(5), crs=None))
    wide = IntakeOptions(division=shapely.box(118, 28, 119, 30))
    assert codes(examine(path, options=wide)) == ["DATUM_UNPROVEN"]


# zones and units ------------------------------------------------------------------------------


def test_the_next_zone_is_proposed_where_only_it_fits(tmp_path):
    path = shapefile(tmp_path, crs="EPSG:4548")
    options = IntakeOptions(division=COUNTY)
    intake = examine(path, options=options)
    assert (intake.questioned, codes(intake)) == (3, ["CRS_OTHER_ZONE_FITS"])
    assert intake.findings_of(None)[0].params["other"] == "EPSG:4549"
    assert shapely.contains(COUNTY, intake.geometry[0])
    stated = examine(path, crs="EPSG:4548", options=options)
    assert (stated.accepted, codes(stated)) == (3, ["CRS_OTHER_ZONE_FITS"])


ZONED = [*range(4491, 4555)]


@pytest.mark.parametrize("code", ZONED)
def test_every_chinese_grid_finds_the_place_it_was_made_from(code):
    grid = parse_crs(f"EPSG:{code}").gauss_kruger
    place = np.array([[grid.meridian_deg + 0.7, 30.25]])
    easting, northing = pyproj.Transformer.from_crs(4490, code, always_xy=True).transform(*place[0])
    assert math.floor(easting / 1e6) == (grid.prefix or 0)
    back = to_cgcs2000(np.array([[easting, northing]]), parse_crs(str(code)))
    assert np.abs(back - place).max() < 1e-11


def grid_shapes(scale):
    x, y = 389_858.0, 3_206_470.0
    corners = np.array([[x, y], [x + 40, y], [x + 40, y + 30], [x, y + 30], [x, y]])
    return [feature([(corners * scale).tolist()])]


def test_millimetres_are_read_as_metres_and_asked_about(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*grid_shapes(1_000)))
    intake = examine(path, crs="EPSG:4549")
    assert (intake.questioned, codes(intake, 1)) == (1, ["COORD_MILLIMETRES"])
    assert intake.area_m2[0] == pytest.approx(1_200, rel=1e-3)


def test_feet_are_refused(tmp_path):
    path = write(tmp_path / "a.geojson", collection(*grid_shapes(1 / 0.3048)))
    assert codes(examine(path, crs="EPSG:4549"), 1) == ["CRS_FEET_AS_METRES"]


@pytest.mark.parametrize(
    ("corner", "likely"),
    [
        ((118.87, 28.97), ["EPSG:4490", "gcj02", "bd09", "EPSG:4326"]),
        ((28.97, 118.87), ["EPSG:4490", "gcj02", "bd09", "EPSG:4326"]),
        ((40_389_858.0, 3_206_470.0), ["EPSG:4528"]),
        ((3_206_470.0, 39_389_858.0), ["EPSG:4527"]),
        ((13_232_600.0, 3_372_000.0), ["EPSG:3857", "EPSG:4491"]),
    ],
)
def test_a_file_without_a_reference_is_asked_with_likely_answers(tmp_path, corner, likely):
    x, y = corner
    path = tmp_path / "a.csv"
    path.write_text(f'wkt\n"POLYGON(({x} {y},{x + 1e-3} {y},{x} {y + 1e-3},{x} {y}))"')
    with pytest.raises(CrsError) as error:
        open_features(path)
    assert (error.value.code, error.value.params["candidates"]) == ("CRS_MISSING", likely)


# older datums ---------------------------------------------------------------------------------


def bursa_by_hand(lon, lat, values):
    """The formula of the textbooks: geocentric, shifted and turned, and back."""
    a, rf = 6_378_245.0, 298.3
    e2 = (2 - 1 / rf) / rf
    phi, lam = np.radians([lat, lon])
    n = a / math.sqrt(1 - e2 * math.sin(phi) ** 2)
    x = np.array(
        [
            n * math.cos(phi) * math.cos(lam),
            n * math.cos(phi) * math.sin(lam),
            n * (1 - e2) * math.sin(phi),
        ]
    )
    rx, ry, rz = np.radians(
        np.array([values[k] for k in ("rx_arcsec", "ry_arcsec", "rz_arcsec")]) / 3600
    )
    turn = np.array([[1, rz, -ry], [-rz, 1, rx], [ry, -rx, 1]])
    moved = (
        np.array([values["dx_m"], values["dy_m"], values["dz_m"]])
        + (1 + values["scale_ppm"] * 1e-6) * turn @ x
    )
    back = pyproj.Transformer.from_crs(4479, 4480, always_xy=True).transform(*moved)
    return back[:2]


def test_seven_parameters_carry_beijing_54_over():
    parameters = parse_helmert(BURSA)
    values = {pair.split("=")[0]: pair.split("=")[1] for pair in BURSA.split(",")}
    numbers = {k: float(v) for k, v in values.items() if k != "rotation"}
    system = parse_crs("EPSG:4214", parameters)
    got = to_cgcs2000(np.array([[118.87, 28.97]]), system)[0]
    assert got == pytest.approx(bursa_by_hand(118.87, 28.97, numbers), abs=1e-9)
    turned = parse_helmert(BURSA.replace("coordinate_frame", "position_vector"))
    other = to_cgcs2000(np.array([[118.87, 28.97]]), parse_crs("EPSG:4214", turned))[0]
    assert np.abs(other - got).max() > 1e-5


@pytest.mark.parametrize("crs", ["EPSG:2437", "EPSG:2385", "EPSG:21480", "西安80", "北京54"])
def test_older_datums_are_refused_without_and_taken_with_parameters(crs):
    with pytest.raises(CrsError) as error:
        parse_crs(crs)
    assert error.value.code == "CRS_NEEDS_PARAMETERS"
    assert parse_crs(crs, parse_helmert(BURSA)).parameters is not None


def test_a_file_on_beijing_54_is_taken_with_a_file_of_parameters(tmp_path):
    path = tmp_path / "parameters.toml"
    lines = [
        f'{k} = "{v}"' if k == "rotation" else f"{k} = {v}"
        for k, _, v in (p.partition("=") for p in BURSA.split(","))
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    options = IntakeOptions(parameters=parse_helmert(read_parameters(path)))
    intake = examine(shapefile(tmp_path, crs="EPSG:2437"), options=options)
    assert (intake.accepted, intake.crs_label) == (3, "EPSG:2437")
    assert intake.area_m2 == pytest.approx(900, rel=1e-3)
    with pytest.raises(CrsError) as error:
        examine(shapefile(tmp_path, name="new"), options=options)
    assert error.value.code == "CRS_PARAMETERS_UNUSED"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dx_m=1", "dy_m"), (BURSA.replace("coordinate_frame", "left"), "rotation"),
        (BURSA.replace("-15.5", "nan"), "dx_m"), (BURSA.replace("=1.2", "=90"), "rx_arcsec"),
        (BURSA + ",extra=1", "extra"), ("dx_m = 1\ndy_m = [", "TOML"),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_meant_are_named(text, name):
    with pytest.raises(CrsError) as error:
        parse_helmert(text)
    assert (error.value.code, error.value.params["name"]) == ("CRS_PARAMETERS_BAD", name)


def test_our_own_geojson_names_its_datum(tmp_path):
    document = collection(*good(1), crs=None) | {"tanhui:crs": "EPSG:4490"}
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(document))
    assert (examine(path).accepted, examine(path).crs_label) == (1, "EPSG:4490")


# fifty parcels in a real county ------------------------------------------------------------

KECHENG = next(
    shapely.from_geojson(json.dumps(one["geometry"]))
    for one in json.loads(OUTLINES.read_text(encoding="utf-8"))["features"]
    if str(one["properties"]["adcode"]) == "330802"
)


def fifty(seed):
    """Fifty parcels wholly inside the county, none at another."""
    draw, found = np.random.default_rng(seed), []
    west, south, east, north = KECHENG.bounds
    while len(found) < 50:
        x, y = draw.uniform(west, east), draw.uniform(south, north)
        box = shapely.box(x, y, x + 0.0015, y + 0.0012)
        if KECHENG.contains(box) and not any(box.intersects(one) for one in found):
            found.append(box)
    return found


@pytest.mark.parametrize(("move", "name"), [(to_gcj02, "GCJ-02"), (to_bd09, "BD-09")])
@pytest.mark.parametrize("crs", [None, "urn:ogc:def:crs:EPSG::4490"])
def test_fifty_shifted_parcels_are_asked_about_and_mended_to_a_centimetre(
    tmp_path, move, name, crs
):
    true = fifty(4)
    moved = [json.loads(shapely.to_geojson(shapely.transform(one, move))) for one in true]
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in moved]
    body = {"type": "FeatureCollection", "features": features}
    if crs:
        body["crs"] = {"type": "name", "properties": {"name": crs}}
    path = write(tmp_path / "shifted.geojson", body)
    asked = examine(path, options=IntakeOptions(division=KECHENG))
    assert (asked.accepted, asked.questioned) == (0, 50)
    assert "DATUM_LOOKS_SHIFTED" in codes(asked)
    mended = examine(path, crs=name, options=IntakeOptions(division=KECHENG))
    assert mended.accepted == 50
    for got, one in zip(mended.geometry, true, strict=True):
        assert shapely.hausdorff_distance(got, one) < CM_DEG
    kept = examine(path, crs="EPSG:4490", options=IntakeOptions(division=KECHENG))
    assert kept.accepted == 50


@given(st.integers(0, 10_000))
def test_parcels_that_lie_in_their_county_are_never_asked_about_their_datum(seed):
    shapes = np.array(fifty(seed), dtype=object)
    assert fit_shapes(shapes, KECHENG).reading is None
    assert fit_shapes(shapes[:5], KECHENG.buffer(-0.05)).reading is None
