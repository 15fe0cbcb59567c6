import numpy as np
import pytest

from geo.crs import gauss_kruger_epsg, is_ballpark, parse_crs, to_cgcs2000, unprefixed_epsg
from geo.errors import CrsError
from geo.slips import find_slips

LON, LAT = 118.87, 28.97


@pytest.mark.parametrize(
    ("code", "x", "y"),
    [
        ("EPSG:4549", 389858.44, 3206470.36),
        ("4528", 40389858.44, 3206470.36),
        ("urn:ogc:def:crs:EPSG::4549", 389858.44, 3206470.36),
        ("EPSG:4490", LON, LAT),
        ("EPSG:4326", LON, LAT),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", LON, LAT),
        ("EPSG:4480", LON, LAT),
        ("EPSG:3857", 13232547.87, 3371828.26),
    ],
)
def test_every_way_leads_to_the_same_place(code, x, y):
    found = to_cgcs2000(np.array([[x, y]]), parse_crs(code))
    assert found[0] == pytest.approx([LON, LAT], abs=1e-7)


def test_the_chinese_grids_know_their_zone():
    for zone in [*range(13, 24), *range(25, 46)]:
        meridian = zone * 6 - 3 if zone < 24 else zone * 3
        with_zone = parse_crs(f"EPSG:{gauss_kruger_epsg(zone=zone)}").gauss_kruger
        without = parse_crs(f"EPSG:{unprefixed_epsg(zone=zone)}").gauss_kruger
        assert (with_zone.meridian_deg, with_zone.prefix) == (meridian, zone)
        assert (without.meridian_deg, without.prefix) == (meridian, None)


def test_an_esri_definition_of_a_chinese_grid_is_recognised():
    import pyproj

    wkt = pyproj.CRS("EPSG:4528").to_wkt("WKT1_ESRI")
    system = parse_crs(wkt)
    assert system.gauss_kruger.prefix == 40
    assert system.china_2000
    found = to_cgcs2000(np.array([[40389858.44, 3206470.36]]), system)
    assert found[0] == pytest.approx([LON, LAT], abs=1e-7)


@pytest.mark.parametrize("code", ["EPSG:2437", "EPSG:2385", "EPSG:4214", "EPSG:4610", "EPSG:2422"])
def test_old_chinese_datums_need_parameters(code):
    with pytest.raises(CrsError) as caught:
        parse_crs(code)
    assert caught.value.code == "CRS_NEEDS_PARAMETERS"


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "CRS_MISSING"), ("EPSG:999999", "CRS_UNKNOWN"), ("<html>", "CRS_UNKNOWN")],
)
def test_no_or_unknown_systems_are_refused(text, code):
    with pytest.raises(CrsError) as caught:
        parse_crs(text)
    assert caught.value.code == code


def test_a_utm_zone_on_wgs84_has_no_hidden_shift():
    assert not is_ballpark(parse_crs("EPSG:32733"))
    assert not is_ballpark(parse_crs("EPSG:4549"))


@pytest.mark.parametrize(
    ("declared", "bounds", "code", "swap", "crs"),
    [
        ("4326", (28.9, 118.8, 29.0, 118.9), "SWAPPED_AXES", True, None),
        ("4490", (28.9, 80.1, 29.0, 80.2), "SWAPPED_AXES", True, None),
        ("4326", (13232548, 3372316, 13232648, 3372416), "CRS_WEBMERCATOR_AS_DEGREES", False, None),
        ("4326", (40389858, 3206470, 40389958, 3206570), "CRS_ZONE_PREFIX", False, "EPSG:4528"),
        ("4490", (389858, 3206470, 389958, 3206570), "CRS_METRES_AS_DEGREES", False, None),
        ("4549", (40389858, 3206470, 40389958, 3206570), "CRS_ZONE_PREFIX", False, "EPSG:4528"),
        ("4549", (39389858, 3206470, 39389958, 3206570), "CRS_ZONE_PREFIX", False, "EPSG:4527"),
        ("4509", (20389858, 3206470, 20389958, 3206570), "CRS_ZONE_PREFIX", False, "EPSG:4498"),
        ("4528", (39389858, 3206470, 39389958, 3206570), "CRS_ZONE_PREFIX", False, "EPSG:4527"),
        ("4528", (389858, 3206470, 389958, 3206570), "CRS_ZONE_PREFIX_MISSING", False, "EPSG:4549"),
        ("4549", (3206470, 389858, 3206570, 389958), "SWAPPED_AXES", True, None),
        ("4528", (3206470, 40389858, 3206570, 40389958), "SWAPPED_AXES", True, None),
        ("4549", (3206470, 40389858, 3206570, 40389958), "CRS_ZONE_PREFIX", True, "EPSG:4528"),
        ("4549", (118.8, 28.9, 118.9, 29.0), "CRS_DEGREES_AS_METRES", False, None),
        ("32650", (118.8, 28.9, 118.9, 29.0), "CRS_DEGREES_AS_METRES", False, None),
        ("4326", (500.0, 28.9, 501.0, 29.0), "COORD_OUT_OF_RANGE", False, None),
    ],
)
def test_slips_are_named(declared, bounds, code, swap, crs):
    slips = find_slips(np.array([bounds], dtype=float), parse_crs(declared))
    assert [(s.code, s.swap, s.crs) for s in slips] == [(code, swap, crs)]


@pytest.mark.parametrize(
    ("declared", "bounds"),
    [
        ("4326", (118.8, 28.9, 118.9, 29.0)),
        ("4326", (20.4, -34.1, 20.5, -34.0)),
        ("4549", (389858, 3206470, 389958, 3206570)),
        ("4528", (40389858, 3206470, 40389958, 3206570)),
        ("3857", (13232548, 3372316, 13232648, 3372416)),
        ("32733", (570000, 6220000, 571000, 6221000)),
    ],
)
def test_what_fits_is_left_alone(declared, bounds):
    assert find_slips(np.array([bounds], dtype=float), parse_crs(declared)) == []


def test_rows_without_coordinates_show_no_slip():
    assert find_slips(np.full((2, 4), np.nan), parse_crs("4326")) == []
