"""What must change nothing: where a ring begins, the order of rows, how a file is split, its format."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.export import FORMATS, Parcels, write_parcels
from geo.intake import IntakeOptions, examine, examine_document
from tests.geo.makers import collection, feature, ring

QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def square(x, y, size=8e-4):
    return ring(lon=118.5 + 1e-3 * x, lat=28.9 + 1e-3 * y, size=size)


@st.composite
def plans(draw):
    """Squares on a grid: sound ones, exact copies, ones that overlap, bow-ties and tiny ones."""
    cells = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=8))
    features = []
    for n, (x, y) in enumerate(cells):
        kind = draw(st.sampled_from(["sound", "sound", "wide", "bow", "tiny", "open"]))
        shape = square(x, y, size=1.4e-3 if kind == "wide" else 8e-4)
        if kind == "bow":
            shape = [shape[0], shape[2], shape[1], shape[3], shape[0]]
        if kind == "tiny":
            shape = square(x, y, size=1e-7)
        if kind == "open":
            shape = shape[:-1]
        features.append(feature([shape], number=n, 树种="杉木"))
    return features


def outcome(features, **options):
    """Per parcel its state and codes, by its own number; the copy kept of several is one of them."""
    intake = examine_document(collection(*features), options=IntakeOptions(**options))
    found = {}
    for row, status, attributes, area in zip(
        intake.rows, intake.status, intake.attributes, intake.area_m2, strict=True
    ):
        codes = sorted(f.code for f in intake.findings_of(int(row)))
        found[attributes["number"]] = (status, codes, None if np.isnan(area) else round(area, 4))
    return found


@QUIET
@given(plans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(features, random):
    shuffled = list(features)
    random.shuffle(shuffled)
    assert outcome(features) == outcome(shuffled)


@QUIET
@given(plans(), st.integers(0, 3), st.booleans())
def test_where_a_ring_begins_and_which_way_it_runs_changes_nothing(features, turn, back):
    turned = json.loads(json.dumps(features))
    for one in turned:
        (shape,) = one["geometry"]["coordinates"]
        if shape[0] != shape[-1]:
            continue
        inner = shape[:-1]
        inner = [*inner[turn:], *inner[:turn]]
        inner = inner[::-1] if back else inner
        one["geometry"]["coordinates"] = [[*inner, inner[0]]]
    assert outcome(features) == outcome(turned)


@QUIET
@given(plans(), st.integers(1, 7))
def test_splitting_a_file_changes_no_parcel_by_itself(features, at):
    alone = {"check_overlap": False}
    whole = list({json.dumps(one["geometry"]): one for one in features}.values())
    parts = outcome(whole[:at], **alone) | (outcome(whole[at:], **alone) if whole[at:] else {})
    assert outcome(whole, **alone) == parts


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    cells=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), min_size=2, max_size=6
    )
)
def test_the_same_parcels_in_every_format_give_the_same_answer(name, cells):
    shapes = [
        shapely.MultiPolygon([shapely.Polygon(square(x, y, 1.3e-3 if wide else 8e-4))])
        for x, y, wide in cells
    ]
    rows = [{"number": n} for n in range(len(shapes))]
    expected = outcome(
        [
            feature([square(x, y, 1.3e-3 if wide else 8e-4)], number=n)
            for n, (x, y, wide) in enumerate(cells)
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{FORMATS[name].suffix}"
        write_parcels(
            path, Parcels(geometries=np.array(shapes, dtype=object), attributes=rows), format=name
        )
        intake = examine(path)
    states = {
        attributes["number"]: status
        for attributes, status in zip(intake.attributes, intake.status, strict=True)
    }
    assert states == {number: state for number, (state, _, _) in expected.items()}
