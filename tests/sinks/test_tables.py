from dataclasses import replace

import pytest

from sinks import emissions, tables
from sinks.errors import TableError
from sinks.tables.rows import MARKS, SpeciesRow


def test_every_row_says_where_it_comes_from():
    for row in tables.methods():
        assert row["mark"] in MARKS
        assert row["citation"]
        assert row["unit"]
        assert str(row["checked_on"]) >= str(row["valid_from"])


def test_all_species_groups_are_recalled_and_nobody_reads_them_as_checked():
    rows = tables.species().values()
    assert len(rows) == 43
    assert {row.mark for row in rows} == {"recalled"}


def test_growth_rows_say_quantity_scope_and_stocking():
    for row in tables.growth().values():
        assert row.quantity in {"volume", "biomass", "carbon"}
        assert row.scope in {"stem", "AGB", "AGB+BGB"}
        assert row.stocking in {"full", "inventory_mean"}
        assert row.below_range in {"form", "origin"}


def test_every_raster_code_has_a_curve_but_bare_ground():
    for row in tables.species_codes().values():
        assert (row.code == 0) == (row.curve == "")
        if row.curve:
            tables.lookup(tables.growth(), row.curve)
        if row.species:
            tables.lookup(tables.species(), row.species)


def test_no_orchard_value_is_presented_as_huyou():
    assert not [row for row in tables.methods() if "胡柚" in str(row["values"])]
    assert "not" in tables.growth()["orange_california"].note
    assert tables.growth()["citrus_linear_cap"].mark == "proposed"


def test_a_missing_row_an_unknown_table_and_a_bad_cell_are_named():
    with pytest.raises(TableError) as caught:
        tables.lookup(tables.species(), "unobtainium")
    assert caught.value.params["key"] == "unobtainium"
    with pytest.raises(TableError, match="TABLE_UNKNOWN"):
        tables.table_digest("nothing")


def _text(**changes: str) -> str:
    cells = {
        "key": "fir",
        "species_cn": "杉木",
        "species_en": "fir",
        "carbon_fraction": "0.52",
        "bef": "1.6",
        "density_t_m3": "0.3",
        "root_ratio": "0.2",
        "unit": "1",
        "source": "tanhui",
        "page": "",
        "valid_from": "2026-01-01",
        "checked_on": "2026-11-21",
        "mark": "read",
        "region": "",
        "domain": "",
        "note": "",
    } | changes
    return ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bef": "much"}, "TABLE_CELL"),
        ({"mark": "certain"}, "TABLE_CELL"),
        ({"source": "hearsay"}, "TABLE_CELL"),
        ({"unit": ""}, "TABLE_CELL"),
        ({"valid_from": "yesterday"}, "TABLE_CELL"),
        ({"extra": "1"}, "TABLE_COLUMNS"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(changes, code):
    with pytest.raises(TableError, match=code):
        tables.rows_from_text("species", SpeciesRow, _text(**changes))


def test_a_key_stands_once():
    text = _text()
    with pytest.raises(TableError, match="TABLE_KEY_TWICE"):
        tables.rows_from_text("species", SpeciesRow, text + text.splitlines()[1] + "\n")


def test_every_row_says_where_on_earth_it_is_from_and_what_is_to_be_checked():
    for row in tables.methods():
        assert row["region"]
        assert row["provisional"] >= (row["mark"] in {"recalled", "proposed"})
    fitted = tables.growth()["zhejiang_planted_fir"]
    assert fitted.mark == "computed"
    assert fitted.is_provisional
    assert not tables.growth()["flint_dryland"].is_provisional


def test_the_name_of_a_stored_growth_table_does_not_move_with_a_column_about_the_source():
    """`registry.cohort_tables` knows its rows by their repr."""
    row = tables.growth()["moso_zhejiang_linear"]
    assert repr(row) == repr(replace(row, region="elsewhere"))


def test_digests_name_the_bytes():
    assert len({tables.table_digest(name) for name in tables.ROW_TYPES}) == len(tables.ROW_TYPES)


def test_units_agree_with_what_the_rows_say_they_measure():
    units = {"volume": "m3/ha", "biomass": "t d.m./ha", "carbon": "t C/ha"}
    for row in tables.growth().values():
        assert row.unit == units[row.quantity]
        assert (row.scope == "stem") == (row.quantity == "volume")


def test_units_agree_with_how_the_orchard_sums_use_them():
    factors = tables.emission_factors()
    for _, key in emissions.CARBON_KINDS.values():
        assert factors[key].unit in {"kgC/kg", "tC/t"}
    for key in emissions.FUELS:
        assert factors[key].unit == "kgCO2/kg"
    nutrients = {"n": "tC-e/tN", "p": "tC-e/tP2O5", "k": "tC-e/tK2O", "gas": "1"}
    for product in (*emissions.PRODUCT_FACTORS.values(), emissions.GENERIC):
        for what, key in product.items():
            assert factors[key].unit == nutrients[what]
    for row in factors.values():
        if row.series in {"EF1", "EF1_synth", "EF1_other", "EF4", "EF5"}:
            assert row.unit == "kgN2O-N/kgN"
        if row.series.startswith("grid_"):
            assert row.unit == "kgCO2/kWh"
            assert row.year is not None


def test_all_digests_at_once():
    assert tables.table_digests()["growth"] == tables.table_digest("growth")
    assert {"sources", "label_sets"} <= set(tables.table_digests())
