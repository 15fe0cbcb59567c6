"""A figure leaves with all it stands on, and comes out again to the kg without a database."""

import io
import json
import zipfile

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import cutout
from geo.raster import ArrayLayer
from registry import assessments, people, provenance, replay
from registry.db import SYSTEM_ACTOR, transaction
from registry.estimation import assess
from tests import factories
from tests.registry import makers_science as makers


@pytest.fixture
def stand(engine, at, tmp_path):
    """Six parcels, one partly off the layers, and a loss in the west; one run."""
    ids = makers.draw_parcels(engine, at, makers.blocks(2, 3))
    loss = np.zeros((makers.GRID.height, makers.GRID.width), np.uint16)
    loss[:, :10] = 2028
    makers.add_layers(engine, at, tmp_path, makers.arrays())
    makers.add_layers(engine, at, tmp_path, {"disturbance": loss}, nodata=65535)
    return ids, assess(engine, makers.command(at, ids), layer_dir=tmp_path / "layers")


def bundle(engine, tmp_path, parcel, year=2030, actor_id=SYSTEM_ACTOR):
    with transaction(engine) as session:
        told = assessments.explain(session, parcel, year)
        who = people.actor(session, actor_id)
        return told, provenance.bundle(session, who, told, layer_dir=tmp_path / "layers")


def tampered(data, name, change):
    """The same archive, comment and all, with one member's bytes changed."""
    room = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(room, "w") as new:
        for member in old.namelist():
            body = old.read(member)
            new.writestr(member, change(body) if member == name else body)
        new.comment = old.comment
    return room.getvalue()


@pytest.mark.parametrize("year", [2025, 2028, 2034])
def test_every_parcel_comes_out_again_to_the_kg(engine, tmp_path, stand, year):
    ids, _ = stand
    for parcel in ids:
        told, data = bundle(engine, tmp_path, parcel, year)
        again = replay.rerun(data)
        assert again.same
        assert again.table_again
        assert (again.stock_kg, again.net_kg) == (told.stock_kg, told.net_kg)
        assert [one.year for one in again.years] == list(range(2025, 2035))
        assert bundle(engine, tmp_path, parcel, year)[1] == data


def test_each_file_that_is_changed_is_named(engine, tmp_path, stand):
    ids, _ = stand
    _, data = bundle(engine, tmp_path, ids[0])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
    assert {"parcel.wkb", "layers/age.tif", "tables/cohorts.bin", "README.md"} < set(names)
    assert "tables/planted-2028.bin" in names
    for name in names:
        with pytest.raises(replay.BundleChangedError) as refused:
            replay.rerun(tampered(data, name, lambda body: body[:-1] + bytes([body[-1] ^ 1])))
        assert refused.value.params["files"] == name


def test_a_file_that_is_missing_or_added_is_named_and_no_archive_is_refused(
    engine, tmp_path, stand
):
    ids, _ = stand
    _, data = bundle(engine, tmp_path, ids[0])
    room = io.BytesIO(data)
    with zipfile.ZipFile(room, "a") as archive:
        archive.writestr("more.txt", "x")
    with pytest.raises(replay.BundleChangedError, match=r"more\.txt"):
        replay.rerun(room.getvalue())
    for bad in (b"", b"PK", data[: len(data) // 2]):
        with pytest.raises(replay.BundleUnreadableError):
            replay.rerun(bad)


def test_an_archive_made_up_anew_with_other_figures_is_not_the_same(engine, tmp_path, stand):
    ids, _ = stand
    _, data = bundle(engine, tmp_path, ids[0])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != provenance.SUMS}
    head = json.loads(files[provenance.MANIFEST])
    head["stock_kg"] += 1
    files[provenance.MANIFEST] = json.dumps(head).encode()
    assert not replay.rerun(provenance.packed(files)).same
    head["engine_version"] += 1
    files[provenance.MANIFEST] = json.dumps(head).encode()
    with pytest.raises(replay.BundleEngineError):
        replay.rerun(provenance.packed(files))


def test_who_may_not_have_the_boundary_does_not_get_it(engine, tmp_path, stand):
    ids, _ = stand
    with transaction(engine) as session:
        nobody = factories.actor(session, "buyer", party_id=factories.party(session, "enterprise"))
        verifier = factories.actor(session, "verifier")
        auditor = factories.actor(session, "auditor")
    for actor_id in (nobody, verifier):  # the verifier has no approved project with this parcel
        with pytest.raises(provenance.GeometryWithheldError):
            bundle(engine, tmp_path, ids[0], actor_id=actor_id)
    assert replay.rerun(bundle(engine, tmp_path, ids[0], actor_id=auditor)[1]).same


@given(
    row0=st.integers(-5, 60), col0=st.integers(-5, 60),
    height=st.integers(1, 20), width=st.integers(1, 20),
)  # fmt: skip
def test_a_cut_reads_as_the_layer_it_was_cut_from(row0, col0, height, width):
    cells = np.arange(50 * 60, dtype=np.int32).reshape(50, 60)
    layer = ArrayLayer(name="x", grid=makers.GRID, nodata=-1.0, cells=cells)
    x, y = makers.GRID.origin_x + col0 * 30 + 7, makers.GRID.origin_y - row0 * 30 - 7
    shape = shapely.transform(
        shapely.box(x, y - height * 30, x + width * 30, y),
        makers.TO_LON_LAT.transform,
        interleaved=False,
    )
    part = cutout.cut(layer, np.array([shape]))
    rows, columns = part.cells.shape
    with part.reader() as read:
        whole = read(0, 50, 0, 60)
    known = whole != -1
    assert known.sum() == rows * columns
    assert (whole[known] == cells[known]).all()
    if part.cells.size:
        assert part.own_grid.origin_x == makers.GRID.origin_x + part.column0 * 30
