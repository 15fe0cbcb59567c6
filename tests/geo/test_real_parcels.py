"""Real files: what their own documentation counts, our examination must find."""

import os
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.intake import examine, summary
from geo.overlap import overlap_pairs

HERE = Path(__file__).parent.parent / "data"
EXTRA = Path(os.environ.get("TANHUI_EXTRA_DATA", "/nowhere")) / "02_parcels"
needs_extra = pytest.mark.skipif(
    not EXTRA.is_dir(), reason="TANHUI_EXTRA_DATA does not name a folder with 02_parcels"
)


def test_vietnamese_fields_are_all_taken():
    intake = examine(HERE / "parcels/vietnam_smallfarms_EPSG32648.gpkg")
    assert (intake.read, intake.accepted, intake.crs_label) == (100, 100, "EPSG:32648")
    assert 200 < intake.area_m2.min() < intake.area_m2.max() < 28_500


@pytest.mark.parametrize(
    ("name", "read", "accepted", "asked"),
    [
        ("polygon", 1, 1, 0),
        ("schema", 1, 1, 0),
        ("multigeometry", 1, 0, 0),
        ("multitrack", 3, 0, 1),
        ("extended_data", 1, 0, 0),
    ],
)
def test_kml_of_field_apps(name, read, accepted, asked):
    intake = examine(HERE / f"kml/{name}.kml")
    assert (intake.read, intake.accepted, intake.questioned) == (read, accepted, asked)
    assert {f.code for f in intake.findings if f.severity == "refused"} <= {"NOT_A_POLYGON"}


@needs_extra
def test_a_real_cadastre_shows_the_faults_it_is_known_for():
    intake = examine(EXTRA / "swellendam_farms_EPSG32733.gpkg")
    codes = summary(intake)["codes"]
    unsound = {
        f.row for f in intake.findings if f.code.startswith("GEOM_") and f.severity == "refused"
    }
    assert intake.read == 2008
    assert len(unsound) == 16
    # 69 pairs; three rows of one shape are three pairs, of which two rows are refused
    assert codes["DUPLICATE_IN_FILE"] == 68
    sound = np.array([g if shapely.is_valid(g) else None for g in intake.geometry], dtype=object)
    pairs = overlap_pairs(sound)
    equal = shapely.equals(sound[pairs.left], sound[pairs.right])
    assert int(equal.sum()) == 69
    assert 3_500 < len(pairs.left) < 3_838


@needs_extra
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("catalonia_apricot_orchards_EPSG25831", "EPSG:25831"),
        ("finland_lpis_EPSG3067", "EPSG:3067"),
        ("austria_lpis_EPSG31287", "EPSG:31287"),
        ("cambodia_smallfarms_EPSG32648", "EPSG:32648"),
    ],
)
def test_fields_of_other_countries_are_all_taken(name, label):
    intake = examine(EXTRA / f"{name}.gpkg")
    assert (intake.read, intake.accepted, intake.crs_label) == (100, 100, label)
