"""Drawing a new place in a browser: its divisions told live, every point kept, faults while drawing."""

import json
import re

import pytest
import shapely

from registry import divisions
from registry.db import SYSTEM_ACTOR, perform
from tests.web.browser.test_editor import DESK, STEP, Ground, opened, save
from tests.web.conftest import AT, PLACES, Machine, drawing

BORDER = 118.90
BOXES = {
    "330802000000": shapely.box(118.5, 28.6, 119.2, 29.2),
    "330802101000": shapely.box(118.5, 28.6, BORDER, 29.2),
    "330802102000": shapely.box(BORDER, 28.6, 119.2, 29.2),
}


@pytest.fixture(scope="module", autouse=True)
def outlines(town):
    rows = [
        divisions.DivisionRow(
            code=code,
            name=name,
            level=level,
            parent_code=parent,
            boundary=shapely.to_wkb(shapely.MultiPolygon([BOXES[code]])) if code in BOXES else None,
        )
        for code, name, level, parent in PLACES
    ]
    command = divisions.LoadDivisions(
        at=AT, actor_id=SYSTEM_ACTOR, key="outlines", valid_from_year=2023, source="t", rows=rows
    )
    assert perform(town.engine, divisions.load, command).outlined == len(BOXES)


@pytest.fixture
def board(town):
    """Open the drawing board near a plot beside which one draws; gives page and ground."""

    def open_(page, west, south, *, beside=True):
        if beside:
            answer = Machine(town.app, "county").send(
                "/parcels", drawing(west - STEP, south, division_code="330802101")
            )
            assert answer.status_code in {201, 409}, answer.json
        page.goto("/parcels/new")
        page.wait_for_selector("[data-draw][data-ready=true]")
        corners = [
            (west, south),
            (west + STEP, south),
            (west + STEP, south + STEP),
            (west, south + STEP),
        ]
        page.locator("[data-draw] summary").click()
        for at, (lon, lat) in enumerate(corners):
            page.locator("[data-draw-action=add-point]").press("Enter")
            inputs = page.locator("[data-draw-points] input")
            inputs.nth(2 * at).fill(f"{lon:.6f}")
            inputs.nth(2 * at + 1).fill(f"{lat:.6f}")
            inputs.nth(2 * at + 1).press("Tab")

    return open_


class Board(Ground):
    """The same for the drawing board, whose map is fitted with less space around."""

    def __init__(self, page, west, south):
        page.locator("[data-draw-map]").scroll_into_view_if_needed()
        super().__init__(page, west, south, map_="[data-draw-map]", spare=120)


def shape(page):
    return json.loads(page.locator("[data-draw-field]").input_value() or "null")


def test_the_division_is_told_and_proposed_and_a_cut_one_is_asked_about(desk, board, look):
    with desk("county", **DESK) as page:
        board(page, 118.80, 28.80)
        whole = page.locator("[data-division-whole]")
        page.wait_for_selector("[data-division-whole]:has-text('航埠镇')")
        assert whole.inner_text() == "所在区划：浙江省 › 衢州市 › 柯城区 › 航埠镇；村：没有边界资料"
        assert page.get_by_label("所在").input_value() == "330802101000"
        ground = Board(page, 118.80, 28.80)
        page.mouse.move(*ground.pixel(118.801, 28.801))
        page.wait_for_selector("[data-division-here]:has-text('指针处：浙江省')")
        look(page, "draw-division-1280")
        inputs = page.locator("[data-draw-points] input")
        for at, lon in enumerate((BORDER - 0.0012, BORDER + 0.0008)):
            for corner in ((0, 3), (1, 2))[at]:
                inputs.nth(2 * corner).fill(f"{lon:.6f}")
                inputs.nth(2 * corner).press("Tab")
        page.wait_for_selector("[data-division-whole][data-tone=bad]")
        assert re.search(r"航埠镇 60\.0%、石梁镇 40\.0%", whole.inner_text())
        page.get_by_label("所在").select_option("330802102000")
        page.get_by_role("button", name="保存并提交").click()
        page.wait_for_selector(".alert.tone-bad")
        assert "在石梁镇（330802102000）范围以外" in page.locator(".alert.tone-bad").inner_text()
        look(page, "draw-straddles-1280")
        page.get_by_label("所在无误").check()
        page.get_by_role("button", name="保存并提交").click()
        page.wait_for_url("**/parcels/*-*")
        assert "亩不在石梁镇的边界内" in page.locator("main").inner_text()
        look(page, "parcel-straddles-1280")


def test_a_reload_keeps_every_point_and_a_saved_shape_is_no_draft(desk, board, look):
    west, south = 118.82, 28.80
    with desk("township", **DESK) as page:
        board(page, west, south)
        page.get_by_role("button", name="清除").click()
        page.get_by_role("button", name="画边界").click()
        ground = Board(page, west, south)
        for lon, lat in [(west, south), (west + STEP, south), (west + STEP, south + STEP)]:
            ground.click(lon, lat)
        page.reload()
        page.wait_for_selector("[data-draw-restore][open]")
        look(page, "draw-restore-1280")
        page.get_by_role("button", name="接着画").click()
        page.wait_for_selector("[data-draw].is-drawing")
        page.get_by_role("button", name="完成").click()
        assert len(shape(page)["coordinates"][0]) == 4
        page.get_by_role("button", name="撤销").click()
        assert shape(page) is None
        page.get_by_role("button", name="重做").click()
        assert len(shape(page)["coordinates"][0]) == 4
        page.reload()
        page.wait_for_selector("[data-draw-restore][open]")
        page.get_by_role("button", name="接着画").click()
        page.wait_for_selector("[data-draw-points] tr:nth-child(3)", state="attached")
        page.get_by_role("button", name="存为草稿").click()
        page.wait_for_url("**/parcels/*-*")
        page.goto("/parcels/new")
        page.wait_for_selector("[data-draw][data-ready=true]")
        assert page.locator("[data-draw-restore][open]").count() == 0


def test_faults_are_told_while_the_hand_draws(desk, board, look):
    west, south = 118.84, 28.80
    with desk("township", **DESK) as page:
        board(page, west, south)
        page.get_by_role("button", name="清除").click()
        page.get_by_role("button", name="画边界").click()
        ground = Board(page, west, south)
        bow = [(0, 0), (STEP, STEP), (STEP, 0)]
        for right, up in bow:
            ground.click(west + 0.0002 + right * 0.8, south + 0.0002 + up * 0.8)
        page.mouse.move(*ground.pixel(west + 0.0002, south + 0.0018), steps=4)
        page.wait_for_selector("[data-draw-warning]:has-text('边线自己相交')")
        look(page, "draw-crossing-1280")
        page.locator("[data-draw-map]").press("Escape")
        page.get_by_role("button", name="画边界").click()
        for right, up in [(-0.0006, 0.0005), (0.001, 0.0005), (0.001, 0.0015)]:
            ground.click(west + right, south + up)
        page.wait_for_selector("[data-draw-warning]:has-text('压到相邻地块')")


def test_a_neighbour_is_traced_and_left_again(desk, board, look):
    west, south = 118.86, 28.80
    with desk("township", **DESK) as page:
        board(page, west, south)
        page.get_by_role("button", name="清除").click()
        page.get_by_role("button", name="画边界").click()
        ground = Board(page, west, south)
        ground.click(west, south + 0.0004)
        for up in (0.0010, 0.0016):
            page.mouse.move(*ground.pixel(west, south + up), steps=4)
        ground.click(west, south + 0.0016)
        ground.click(west + 0.0012, south + 0.0016)
        ground.click(west + 0.0012, south + 0.0004)
        page.get_by_role("button", name="完成").click()
        ring = shape(page)["coordinates"][0]
        assert len(ring) == 5
        assert all(abs(lon - west) < 1e-7 for lon, _ in ring if lon < west + 0.001)
        assert sorted({round(lon - west, 4) for lon, _ in ring}) == [0, 0.0012]
        look(page, "draw-traced-1280")


def test_the_editor_tells_the_division_and_takes_a_confirmation(desk, town, look):
    west, south = BORDER - STEP - 0.0002, 28.84
    made = Machine(town.app, "county").send(
        "/parcels", drawing(west, south, division_code="330802101")
    )
    own = made.json["parcel_id"]
    with desk("county", **DESK) as page:
        opened(page, own)
        page.wait_for_selector("[data-division-whole]:has-text('航埠镇')")
        ground = Ground(page, west, south)
        for up in (0, STEP):
            ground.drag((west + STEP, south + up), (west + STEP + 0.0006, south + up))
        page.wait_for_selector("[data-division-whole][data-tone=bad]")
        look(page, "editor-straddles-1280")
        assert "在航埠镇（330802101000）范围以外" in save(page, "改")
        page.get_by_label("所在无误").check()
        page.get_by_role("button", name="保存", exact=True).click()
        page.wait_for_selector("[data-edit-answer].tone-good")
