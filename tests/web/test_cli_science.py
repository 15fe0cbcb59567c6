"""Layers, assessments and jobs from the command line, on a real database."""

import json
from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from geo.raster import RasterError, write_cog
from registry import intervals
from registry.db import transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.raster_sources import SourceNotAllowedError
from tests import factories
from tests.registry import makers_science as makers
from web import database
from web.cli import app
from web.config import Settings


@pytest.fixture
def tanhui(engine, monkeypatch, tmp_path):
    """The command line on this test's own database and folder; returns what it printed as JSON."""
    monkeypatch.setattr(database, "app_engine", lambda: engine)
    kept = Settings(state_dir=tmp_path)
    for noun in ("layer", "assess"):
        monkeypatch.setattr(f"web.cli.{noun}.settings", lambda: kept)

    def run(*words: object, code: int = 0):
        result = CliRunner().invoke(app, [*map(str, words), "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code
        return json.loads(result.stdout)

    return run


def add(tanhui, path, kind, cells, nodata=255):
    write_cog(path, cells, grid=makers.GRID, nodata=nodata)
    return tanhui(
        "layer", "add", path, "--kind", kind, "--year", 2024, "--source", "t", "--licence", "CC0"
    )


def test_from_rasters_to_a_figure_and_back(engine, at, tanhui, tmp_path, monkeypatch):
    ids = makers.draw_parcels(engine, at, makers.blocks(1, 3))
    made = makers.arrays()
    kept = [add(tanhui, tmp_path / f"{kind}.tif", kind, made[kind]) for kind in made]
    assert [one["id"] for one in tanhui("layer", "list", "--kind", "age")] == [kept[1]["id"]]
    chosen = [word for one in ids for word in ("--parcel", one)]
    job = tanhui("assess", "run", "--years", "2026-2035", *chosen)
    assert job["state"] == "done"
    assert job["result"]["parcels"] == 3
    again = tanhui("assess", "run", "--years", "2026-2035", *chosen)
    assert again["result"]["reused"]
    years = tanhui("assess", "show")
    assert sum(one["net_kg"] for one in years) == job["result"]["net_kg"]
    told = tanhui("assess", "explain", ids[0], 2030)
    assert told["run"]["layers"][0]["sha256"] == kept[0]["sha256"]
    assert told["cohorts"]
    kept_in = tmp_path / "figure.zip"
    assert tanhui("assess", "explain", ids[0], 2030, "--bundle", kept_in) == told
    monkeypatch.setattr(database, "app_engine", None)  # from here on there is no database
    again = tanhui("assess", "rerun", kept_in)
    assert again["same"]
    assert again["stock_kg"] == told["stock_kg"]
    assert "逐公斤一致" in CliRunner().invoke(app, ["assess", "rerun", str(kept_in)]).stdout
    monkeypatch.setattr(database, "app_engine", lambda: engine)
    assert [one["state"] for one in tanhui("job", "list")] == ["done", "done"]


def test_a_run_says_how_sure_it_is_of_its_curves(engine, at, tanhui, tmp_path):
    ids = makers.draw_parcels(engine, at, makers.blocks(1, 2))
    with pytest.raises(NotFoundError):
        tanhui("assess", "interval")
    made = makers.arrays()
    for kind, cells in made.items():
        add(tanhui, tmp_path / f"{kind}.tif", kind, cells)
    chosen = [word for one in ids for word in ("--parcel", one)]
    job = tanhui("assess", "run", "--years", "2026-2035", *chosen)
    told = tanhui("assess", "interval", "--draws", 200, "--sampling", 0.08)
    assert told["run_id"] == job["result"]["run_id"]
    assert (
        told["net"]["low_kg"]
        < told["net"]["kg"]
        == job["result"]["net_kg"]
        < told["net"]["high_kg"]
    )
    assert told["combined"] > told["half_width"]
    assert told == tanhui("assess", "interval", "--draws", 200, "--sampling", 0.08)
    assert "moso_zhejiang_linear" in told["unknown"]
    tanhui("assess", "interval", "--draws", 60, "--seed", 9, "--keep")
    with transaction(engine) as session:
        kept = intervals.of_run(session, UUID(told["run_id"]))
        assert (kept.seed, kept.draws) == (9, 60)
        assert session.scalar(text("SELECT count(*) FROM run_interval")) == 2  # the job's, and this
    words = CliRunner().invoke(app, ["assess", "interval", "--draws", "50"]).stdout
    assert "误差未知" in words


def test_the_plots_of_a_project_are_drawn_again_from_their_seed(engine, tanhui):
    with transaction(engine) as session:
        owner = factories.party(session, "collective")
        factories.programme(session)
        project = factories.project(session, owner)
        factories.claim(session, project, factories.parcel(session, owner), (2021, 2041))
    words = ("project", "sample", project, "--plots", 12, "--seed", 7)
    drawn = tanhui(*words)
    assert len(drawn["points"]) == 12
    assert drawn == tanhui(*words)
    grid = tanhui(*words, "--systematic")
    assert grid["spacing_m"] > 0
    told = CliRunner().invoke(app, [*map(str, words)]).stdout
    assert f"{drawn['points'][0]['lon']:.7f}" in told


def test_a_queued_run_can_be_cancelled_and_is_not_done(engine, at, tanhui, tmp_path):
    ids = makers.draw_parcels(engine, at, makers.blocks(1, 1))
    job = tanhui("assess", "run", "--years", "2026", "--parcel", ids[0], "--queue")
    assert job["state"] == "queued"
    assert tanhui("job", "cancel", job["id"])["state"] == "cancelled"
    CliRunner().invoke(app, ["job", "work", "--once"])
    assert tanhui("job", "show", job["id"])["result"] is None


def test_a_run_that_fails_says_why_and_exits_with_one(engine, at, tanhui):
    ids = makers.draw_parcels(engine, at, makers.blocks(1, 1))
    job = tanhui("assess", "run", "--years", "2026-2030", "--parcel", ids[0], code=1)
    assert job["error"] == {"code": "LAYER_MISSING", "params": {"kind": "species"}}


def test_bad_words_and_bad_rasters_are_refused(tanhui, tmp_path):
    with pytest.raises(InvalidValueError):
        tanhui("assess", "run", "--years", "soon", "--all")
    with pytest.raises(InvalidValueError):
        tanhui("assess", "run", "--years", "2026", "--all", "--kind", "wish")
    below = np.full((50, 60), -3, np.int16)
    with pytest.raises(RasterError) as refused:
        add(tanhui, tmp_path / "age.tif", "age", below, nodata=-9999)
    assert refused.value.code == "RASTER_NEGATIVE_AGE"


def test_parts_are_put_together_and_laid_on_a_layers_cells(tanhui, tmp_path):
    cells = makers.arrays()
    age = add(tanhui, tmp_path / "age.tif", "age", cells["age"])
    rows, columns = cells["species"].shape
    parts = tmp_path / "parts"
    parts.mkdir()
    for number, top in enumerate(range(0, rows, 30)):
        cut = cells["species"][top : top + 30]
        grid = replace(
            makers.GRID,
            origin_y=makers.GRID.origin_y - top * makers.GRID.cell_y,
            height=len(cut),
        )
        write_cog(parts / f"{number}.tif", cut, grid=grid, nodata=255)
    known = ("--kind", "species", "--year", 2024, "--source", "t", "--licence", "CC0")
    whole = tanhui("layer", "add", parts, *known)
    assert (whole["width"], whole["height"]) == (columns, rows)
    coarse = np.repeat(np.repeat(cells["species"][:10, :10], 3, 0), 3, 1)
    other = replace(makers.GRID, cell_x=10.0, cell_y=10.0, width=30, height=30)
    write_cog(tmp_path / "fine.tif", coarse, grid=other, nodata=255)
    laid = tanhui("layer", "add", tmp_path / "fine.tif", *known, "--align-to", age["id"])
    assert (laid["width"], laid["height"], laid["cell_m"]) == (columns, rows, 30.0)
    with pytest.raises(SourceNotAllowedError):
        tanhui("layer", "add", "https://data.example.org/a.tif", *known)
    with pytest.raises(RasterError) as refused:
        tanhui(
            "layer", "add", tmp_path / "fine.tif", *known,
            "--align-to", age["id"], "--method", "average",
        )  # fmt: skip
    assert refused.value.code == "RASTER_METHOD_UNFIT"


def test_a_felling_is_recorded_and_the_next_run_shows_it(engine, at, tanhui, tmp_path):
    (parcel,) = makers.draw_parcels(engine, at, makers.blocks(1, 1))
    for kind, cells in makers.arrays().items():
        add(tanhui, tmp_path / f"{kind}.tif", kind, cells)
    run = ("assess", "run", "--years", "2025-2035", "--parcel", parcel)
    before = tanhui(*run)["result"]
    made = tanhui(
        *("stand", "record", parcel, "--year", 2026, "--kind", "harvest"),
        *("--intensity-ppm", 400_000, "--source", "采伐证"),
    )
    assert [one["id"] for one in tanhui("stand", "list", parcel)] == [made["id"]]
    after = tanhui(*run)["result"]
    assert not after["reused"]
    assert after["net_kg"] < before["net_kg"]
    told = tanhui("assess", "explain", parcel, 2027)
    assert {one["pool"] for one in told["pools"]} == {"AGB", "BGB"}
    assert any(part["happened"] for part in told["cohorts"])
    words = CliRunner().invoke(app, ["assess", "explain", str(parcel), "2027"]).stdout
    assert "AGB" in words
    assert "40.00%" in words
    tanhui("stand", "withdraw", made["id"], "--reason", "误报")
    assert tanhui(*run)["result"]["run_id"] == before["run_id"]
    assert len(tanhui("stand", "list", parcel, "--history")) == 2


def test_a_projects_account_is_told_row_by_row(engine, tanhui):
    with transaction(engine) as session:
        village = factories.party(session, "collective")
        factories.programme(session)
        project = factories.project(session, village)
        parcel = factories.parcel(session, village)
        factories.claim(session, project, parcel, (2021, 2041))
        factories.run(session, project, {parcel: {2024: 5_000, 2025: 6_000}}, kind="forecast")
    item = tanhui(
        *("project", "item", "record", project, "burning", 2024),
        *("--detail", "fuel_t=2", "--source", "火情记录"),
    )
    found = tanhui("project", "account", project)
    assert [one["item_id"] for one in found["lines"]] == [item["id"]]
    assert found["sums"]["creditable_kg"] == 11_000 - found["sums"]["emissions_kg"]
    words = CliRunner().invoke(app, ["project", "account", str(project)]).stdout
    assert "火情记录" in words
    tanhui("project", "item", "withdraw", item["id"], "--reason", "误填")
    assert tanhui("project", "item", "list", project) == []
    with pytest.raises(NotFoundError):
        tanhui("project", "account", project, "--kind", "monitored")
