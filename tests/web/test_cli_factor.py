"""Any row and any equation can be asked for, and a slip gets a clear answer."""

import json

import pytest
from typer.testing import CliRunner

from registry.errors import InvalidValueError, NotFoundError
from sinks.errors import DomainError
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


def test_a_curve_is_fitted_to_a_file_of_plots(tmp_path):
    file = tmp_path / "plots.csv"
    file.write_text("age_yr,value\n5.5,11.20\n15.5,18.18\n25.5,20.37\n40.5,42.05\n")
    found = json.loads(run.invoke(app, ["factor", "fit", "linear", str(file), "--json"]).stdout)
    assert dict(found["parameters"]) == pytest.approx({"c0": 4.44, "c1": 0.851}, abs=0.006)
    assert round(found["rmse"], 1) == 3.5
    assert "5.5-40.5" in run.invoke(app, ["factor", "fit", "linear", str(file)]).stdout
    file.write_text("age_yr,value\n5.5,much\n")
    assert isinstance(
        run.invoke(app, ["factor", "fit", "linear", str(file)]).exception, InvalidValueError
    )
    file.write_text("age,value\n5.5,3\n")
    assert isinstance(
        run.invoke(app, ["factor", "fit", "linear", str(file)]).exception, InvalidValueError
    )


def test_a_tree_list_becomes_a_band_and_a_slip_of_a_unit_is_refused(tmp_path):
    file = tmp_path / "trees.csv"
    file.write_text("\ufeffspecies_cn,d_cm,h_m\n杉木,10.347,12.6\n杉木,15,12\n")
    words = ["factor", "plot", str(file), "--radius", "13.82", "--slope", "0.5"]
    band = json.loads(run.invoke(app, [*words, "--json"]).stdout)
    assert band["area_m2"] == pytest.approx(600 / 1.25**0.5, rel=1e-3)
    assert 0 < band["low_t_ha"] < band["high_t_ha"]
    told = run.invoke(app, words).stdout
    assert "来源没有说明适用范围" in told
    assert "不含根" in told
    file.write_text("species_cn,d_cm,h_m,crown_length_m\n杉木,103.47,12.6,5\n杉木,0.15,12,5\n")
    refused = run.invoke(app, words).exception
    assert isinstance(refused, DomainError)
    assert refused.code == "TREE_SIZE"
