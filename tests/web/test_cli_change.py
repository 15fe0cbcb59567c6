"""From rasters of days and of losses to a decision, on the command line."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.raster import RasterError, write_cog
from registry import parcels
from registry.db import transaction
from registry.errors import InvalidValueError, WrongStateError
from tests import factories
from tests.registry import makers_science as makers
from web import database
from web.cli import app

SHAPE = (makers.GRID.height, makers.GRID.width)


@pytest.fixture
def tanhui(engine, monkeypatch, tmp_path):
    """The command line on this test's own database and folder; returns what it printed as JSON."""
    monkeypatch.setattr(database, "app_engine", lambda: engine)
    kept = SimpleNamespace(
        layer_dir=tmp_path / "layers", scheduler=None, state_dir=tmp_path, raster_prefixes=()
    )
    for noun in ("layer", "change"):
        monkeypatch.setattr(f"web.cli.{noun}.settings", lambda: kept)

    def run(*words: object, code: int = 0):
        result = CliRunner().invoke(app, [*map(str, words), "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code
        return json.loads(result.stdout)

    return run


@pytest.fixture
def ground(engine, at):
    ids = makers.draw_parcels(engine, at, makers.blocks(2, 3))
    with transaction(engine) as session:
        code = factories.division(session)
        county = factories.actor(session, "county", division_code=code)
        session.execute(text("UPDATE parcel SET division_code = :code"), {"code": code})
        for n, parcel in enumerate(ids):
            command = parcels.DecideParcel(
                at=at, actor_id=county, key=f"approve:{n}", parcel_id=parcel, decision="approve"
            )
            parcels.decide(session, command)
    return ids


def add(tanhui, path, kind, cells, *more, nodata=65535):
    write_cog(path, cells, grid=makers.GRID, nodata=nodata)
    about = ("--kind", kind, "--year", 2025, "--source", "t", "--licence", "CC0")
    return tanhui("layer", "add", path, *about, *more)


def test_measured_proposed_shown_confirmed(tanhui, ground, tmp_path):
    green = np.full(SHAPE, 7_200, np.int16)
    day = ("--on", "2025-07-20", "--scale", "0.0001")
    view = add(tanhui, tmp_path / "ndvi.tif", "ndvi", green, *day, nodata=-1)
    assert (view["observed_on"], view["scale"]) == ("2025-07-20", 0.0001)
    lost = np.zeros(SHAPE, np.uint16)
    lost[4:10, 4:30] = 25
    loss = add(tanhui, tmp_path / "loss.tif", "loss", lost)
    job = tanhui("change", "series", "--division", "330802")
    assert (job["state"], job["result"]["measured"]) == ("done", 6)
    shown = tanhui("change", "series", ground[4])
    assert shown["points"][0]["mean"] == pytest.approx(0.72)
    job = tanhui("change", "detect", loss["id"], "--unit", 1_000)
    assert (job["state"], job["result"]["new"], job["result"]["unit_m2"]) == ("done", 1, 1_000)
    assert tanhui("change", "detect", loss["id"])["result"]["new"] == 0
    (line,) = tanhui("change", "list", "--status", "candidate")
    assert (line["year"], line["status"]) == (2025, "candidate")
    told = tanhui("change", "show", line["id"])
    assert len(told["page"]["parcels"]) == line["parcels"]
    kind = ("--kind", "snow", "--share-ppm", 500_000, "--reason", "雪灾核查")
    assert tanhui("change", "confirm", line["id"], *kind)["status"] == "confirmed"
    assert tanhui("change", "list", "--status", "candidate") == []
    with pytest.raises(WrongStateError):
        tanhui("change", "dismiss", line["id"], "--reason", "x")


def test_rasters_that_make_no_sense_are_refused(tanhui, ground, tmp_path):
    green = np.full(SHAPE, 7_200, np.int16)
    with pytest.raises(RasterError):
        add(tanhui, tmp_path / "a.tif", "ndvi", green, "--on", "2025-07-20", nodata=-1)
    more = ("--on", "2024-07-20", "--scale", "0.0001")
    with pytest.raises(InvalidValueError):
        add(tanhui, tmp_path / "b.tif", "ndvi", green, *more, nodata=-1)
    with pytest.raises(InvalidValueError):
        add(tanhui, tmp_path / "c.tif", "ndvi", green, "--scale", "0", nodata=-1)
    with pytest.raises(RasterError):
        add(tanhui, tmp_path / "d.tif", "loss", np.full(SHAPE, 2026, np.uint16))
    with pytest.raises(InvalidValueError):
        tanhui("change", "list", "--status", "open")
