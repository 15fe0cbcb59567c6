"""Tables of field plots: Chinese headings, Excel and CSV, every slip at its row with its remedy."""

import io
from datetime import date

import pytest
import xlsxwriter

from web.parsing import FieldsInvalidError
from web.plot_table import EXAMPLE, plots_of, read_plots

HEAD = [
    "样地号",
    "经度",
    "纬度",
    "半径(米)",
    "坡度",
    "调查日期",
    "调查人",
    "树种",
    "胸径(cm)",
    "树高(m)",
]
ROW = ["1", "118.7", "28.9", "14.57", "0.2", "2025年11月3日", "张三", "杉木", "14.2", "11.5"]


def faults(rows):
    with pytest.raises(FieldsInvalidError) as refused:
        plots_of(rows)
    return {(one.pointer, one.code) for one in refused.value.errors}


def test_the_example_is_taken_in_every_encoding_and_as_excel():
    plain = read_plots(EXAMPLE.encode("utf-8-sig"), "a.csv")
    assert read_plots(EXAMPLE.encode("gb18030"), "a.csv") == plain
    room = io.BytesIO()
    with xlsxwriter.Workbook(room) as book:
        sheet = book.add_worksheet()
        for r, line in enumerate(EXAMPLE.splitlines()):
            for c, cell in enumerate(line.split(",")):
                sheet.write(r, c, cell)
    assert read_plots(room.getvalue(), "a.xlsx") == plain
    assert [one.number for one in plain] == ["1", "2"]
    assert [len(one.trees) for one in plain] == [2, 0]
    assert [culm.count for culm in plain[1].culms] == [12, 15]
    assert plain[0].measured_on == date(2025, 11, 3)


def test_a_plot_is_told_once_and_its_trees_follow():
    (plot,) = plots_of([HEAD, ROW, ["", *[""] * 6, "马尾松", "20", "14"]])
    assert [tree.species for tree in plot.trees] == ["杉木", "马尾松"]
    assert (plot.shape, plot.size_m, plot.slope) == ("circle", 14.57, 0.2)


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        (8, "142", ("/2", "TREE_SIZE")),
        (8, "0.142", ("/2", "TREE_SIZE")),
        (9, "1150", ("/2", "TREE_SIZE")),
        (8, "nan", ("/2/d_cm", "FIELD_FORMAT")),
        (3, "1457", ("/2", "PLOT_SHAPE")),
        (4, "45", ("/2", "PLOT_SLOPE")),
        (4, "abc", ("/2/slope", "FIELD_FORMAT")),
        (5, "2025-13-01", ("/2/measured_on", "FIELD_FORMAT")),
        (3, "", ("/2/radius_m", "PLOT_TABLE_SIZE")),
        (6, "", ("/2/measured_by", "FIELD_MISSING")),
        (7, "", ("/2/species", "FIELD_MISSING")),
    ],
)
def test_each_slip_is_told_at_its_row(column, value, fault):
    bad = [value if at == column else cell for at, cell in enumerate(ROW)]
    assert fault in faults([HEAD, bad])


def test_a_slip_says_what_to_do_in_both_languages():
    with pytest.raises(FieldsInvalidError) as refused:
        plots_of([HEAD, [*ROW[:8], "142", "11.5"]])
    (only,) = refused.value.errors
    assert "第 2 行" in only.zh
    assert "厘米" in only.zh
    assert "cm" in only.en


def test_a_heading_in_another_unit_is_refused_not_converted():
    head = [("胸径(毫米)" if one == "胸径(cm)" else one) for one in HEAD]
    assert faults([head, ROW]) == {("/1/胸径", "PLOT_TABLE_UNIT")}


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02", b"PK\x03\x04broken", "一,二\n".encode()])
def test_what_is_no_such_table_is_refused(data):
    with pytest.raises(FieldsInvalidError):
        read_plots(data, "a.xlsx")
