"""Any row and any equation can be asked for, and a slip gets a clear answer."""

import json

import pytest
from typer.testing import CliRunner

from registry.errors import InvalidValueError, NotFoundError
from web.cli import app

run = CliRunner()


def test_every_row_is_listed_with_source_and_mark():
    rows = json.loads(run.invoke(app, ["factor", "list", "--json"]).stdout)
    assert len(rows) > 250
    assert all(row["unit"] and row["source"] and row["mark"] for row in rows)


def test_a_row_is_shown_and_an_unknown_one_is_refused():
    (row,) = json.loads(run.invoke(app, ["factor", "show", "chinese_fir", "--json"]).stdout)[:1]
    assert row["values"]
    assert isinstance(run.invoke(app, ["factor", "show", "nothing"]).exception, NotFoundError)


def test_a_curve_is_evaluated_with_its_flag():
    inside = json.loads(
        run.invoke(app, ["factor", "eval", "zhejiang_planted_fir", "age=20", "--json"]).stdout
    )
    assert inside["in_domain"]
    assert inside["value"] == pytest.approx(
        34.98 * (1 - 2.718281828459045 ** (-0.079 * 20)) ** 1.21
    )
    old = json.loads(
        run.invoke(app, ["factor", "eval", "zhejiang_planted_fir", "age=400", "--json"]).stdout
    )
    assert not old["in_domain"]


def test_a_value_that_is_no_number_is_refused():
    result = run.invoke(app, ["factor", "eval", "zhejiang_planted_fir", "age=old"])
    assert isinstance(result.exception, InvalidValueError)


def test_any_row_answers_with_unit_source_and_what_is_to_be_checked():
    words = ["factor", "eval", "species/chinese_fir", "volume_m3_ha=100", "--json"]
    told = json.loads(run.invoke(app, words).stdout)
    assert told["unit"] == "t d.m./ha"
    assert told["provisional"]
    assert told["sources"]
    assert round(told["outputs"]["carbon"]["value"], 3) == 32.502
    constant = json.loads(run.invoke(app, ["factor", "eval", "grid_east_2023", "--json"]).stdout)
    assert (constant["value"], constant["unit"]) == (0.55, "kgCO2/kWh")


def test_a_person_reads_the_flag_and_that_a_value_is_to_be_checked():
    told = run.invoke(app, ["factor", "eval", "zhejiang_planted_fir", "age=400"]).stdout
    assert "林龄大于曲线的标定范围" in told
    assert "待核实" in told
    rows = run.invoke(app, ["factor", "list"]).stdout.splitlines()
    assert any("zhejiang_planted_fir " in row and "推算·待核实" in row for row in rows)
