"""Editing a stored boundary in a browser: by hand on the map, and by keyboard in the table."""

import math

import pytest

from tests.web.conftest import Machine, drawing

STEP = 0.002
PHONE = {"viewport": {"width": 360, "height": 740}}
DESK = {"viewport": {"width": 1280, "height": 1000}}


@pytest.fixture
def plot(town):
    """Enter parcels of the township: ``plot(west, south)`` gives the id."""
    machine = Machine(town.app, "township")

    def enter(west, south, **more):
        made = machine.send("/parcels", drawing(west, south, **more))
        assert made.status_code == 201, made.json
        return made.json["parcel_id"]

    return enter


def opened(page, parcel_id):
    page.goto(f"/parcels/{parcel_id}/edit")
    page.wait_for_selector("[data-edit][data-ready=true]", timeout=10_000)


class Ground:
    """Longitude and latitude to pixels: the map is fitted to a parcel of STEP degrees."""

    def __init__(self, page, west, south, *, map_="[data-edit-map]", spare=160):
        page.locator(map_).scroll_into_view_if_needed()
        box = page.locator(map_).bounding_box()
        north = south + STEP

        def mercator(lat):
            return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)))

        high = mercator(north) - mercator(south)
        pixels = min((box["height"] - spare) / high, (box["width"] - spare) / STEP)
        pixels = min(pixels, 256 * 2**18 / 360)  # the map goes no nearer than this
        self._at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self._middle = (west + STEP / 2, (mercator(north) + mercator(south)) / 2)
        self._pixels, self._mercator, self._page = pixels, mercator, page

    def pixel(self, lon, lat):
        right = (lon - self._middle[0]) * self._pixels
        down = (self._middle[1] - self._mercator(lat)) * self._pixels
        return self._at[0] + right, self._at[1] + down

    def click(self, lon, lat):
        self._page.mouse.move(*self.pixel(lon, lat))
        self._page.mouse.click(*self.pixel(lon, lat))
        self._page.wait_for_timeout(300)  # two clicks within 250 ms would be a double click

    def drag(self, a, b):
        self._page.mouse.move(*self.pixel(*a))
        self._page.mouse.down()
        self._page.mouse.move(*self.pixel(*b), steps=6)
        self._page.mouse.up()


def cells(page):
    values = page.locator("[data-edit-points] input").evaluate_all("all => all.map(x => x.value)")
    return [(float(a), float(b)) for a, b in zip(values[::2], values[1::2], strict=True)]


def fill(page, at, lon, lat):
    inputs = page.locator("[data-edit-points] input")
    inputs.nth(2 * at).fill(str(lon))
    inputs.nth(2 * at + 1).fill(str(lat))
    inputs.nth(2 * at + 1).press("Tab")


def save(page, reason):
    page.get_by_label("修改原因").fill(reason)
    page.get_by_role("button", name="保存", exact=True).click()
    page.wait_for_selector("[data-edit-answer]:not([hidden])")
    return page.locator("[data-edit-answer]").inner_text()


def test_a_corner_is_dragged_onto_a_neighbour_undone_redone_and_saved(desk, plot, look):
    west, south = 118.60, 28.80
    own, _ = plot(west, south), plot(west + STEP + 0.0004, south, plot_code="邻")
    with desk("township", **DESK) as page:
        page.goto(f"/parcels/{own}")
        page.get_by_role("link", name="编辑边界").click()
        page.wait_for_selector("[data-edit][data-ready=true]")
        look(page, "editor-1280")
        ground = Ground(page, west, south)
        before = cells(page)
        corner = max(before, key=lambda point: (point[0], point[1]))
        beside = (round(west + STEP + 0.0004, 7), south + STEP)
        ground.drag(corner, (beside[0] - 0.00002, beside[1] + 0.00001))
        assert beside in cells(page)  # snapped: the very corner of the neighbour
        assert "约 " in page.locator("[data-edit-area]").inner_text()
        page.locator("[data-edit-map]").press("Control+z")
        assert cells(page) == before
        page.locator("[data-edit-map]").press("Control+y")
        assert beside in cells(page)
        page.get_by_role("button", name="保存", exact=True).click()
        assert "请写明修改原因" in page.locator("[data-edit-message]").inner_text()
        said = save(page, "量错了")
        assert "已保存：原来 64.92 亩，现在 1 个地块共" in said
        look(page, "editor-saved-1280")
        page.get_by_role("link", name="看地块").click()
        page.wait_for_selector("[data-map][data-ready=true]")
        assert "第 2 版" in page.locator(".timeline").inner_text()


def test_an_overlap_is_marked_while_it_is_made(desk, plot, look):
    west, south = 118.62, 28.80
    own, _ = plot(west, south), plot(west + STEP, south)
    with desk("township", **DESK) as page:
        opened(page, own)
        ground = Ground(page, west, south)
        corner = (west + STEP, south + STEP)
        ground.drag(corner, (corner[0] + 0.0005, corner[1] - 0.0006))
        assert "压到相邻地块" in page.locator("[data-edit-problems]").inner_text()
        look(page, "editor-overlap-1280")
        assert "重叠" in save(page, "试试")
        page.get_by_role("button", name="撤销").click()
        assert page.locator("[data-edit-problems] li").count() == 0


def test_a_split_is_drawn_and_the_kin_are_told(desk, plot, look):
    west, south = 118.64, 28.80
    own = plot(west, south, plot_code="分")
    with desk("township", **DESK) as page:
        opened(page, own)
        ground = Ground(page, west, south)
        page.get_by_role("button", name="分割").click()
        ground.click(west + STEP / 2, south - 0.0003)
        ground.click(west + STEP / 2, south + STEP / 2)
        page.mouse.dblclick(*ground.pixel(west + STEP / 2, south + STEP + 0.0003))
        assert len(cells(page)) == 3
        look(page, "editor-split-1280")
        said = save(page, "分户")
        assert "现在 2 个地块" in said
        page.goto(f"/parcels/{own}")
        assert "已分割为" in page.locator("main").inner_text()
        look(page, "parcel-split-1280")


def test_a_hole_is_cut_and_a_reload_loses_no_point(desk, plot, look):
    west, south = 118.66, 28.80
    own = plot(west, south)
    corners = [(0.0006, 0.0006), (0.0014, 0.0006), (0.0014, 0.0014)]
    with desk("township", **DESK) as page:
        opened(page, own)
        ground = Ground(page, west, south)
        page.get_by_role("button", name="挖空").click()
        for right, up in corners[:2]:
            ground.click(west + right, south + up)
        page.reload()
        page.wait_for_selector("[data-edit-restore][open]")
        look(page, "editor-restore-1280")
        page.get_by_role("button", name="接着改").click()
        ground = Ground(page, west, south)
        ground.click(west + corners[2][0], south + corners[2][1])
        page.get_by_role("button", name="画完了").click()
        assert len(cells(page)) == 3
        assert "挖去约" in page.locator("[data-edit-area]").inner_text()
        assert "现在 1 个地块" in save(page, "水塘")
        opened(page, own)  # nothing is asked: what was saved is no draft any more
        assert page.locator("[data-edit-restore][open]").count() == 0
        assert page.locator("[data-edit-path] option").all_inner_texts() == ["外圈", "空洞 1"]
        page.get_by_label("哪一圈").select_option(label="空洞 1")
        assert len(cells(page)) == 3


def test_the_table_alone_moves_adds_and_splits_without_a_mouse(desk, plot, look):
    west, south = 118.68, 28.80
    own = plot(west, south)
    with desk("township", **PHONE) as page:
        opened(page, own)
        look(page, "editor-360")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        first = page.locator("[data-edit-points] input").first
        first.fill("200")
        first.press("Tab")
        assert "-180 到 180" in page.locator("[data-edit-table-fault]").inner_text()
        corner = (west, south)
        first.fill(f"{corner[0] + 0.0001:.7f}")
        first.press("Tab")
        assert page.locator("[data-edit-action=undo]").is_enabled()
        page.locator("[data-point-act=insert]").first.press("Enter")
        assert page.locator("[data-edit-points] tr").count() == 5
        page.get_by_role("button", name="撤销").press("Enter")
        assert corner in cells(page)
        page.get_by_role("button", name="分割").press("Enter")
        for at, lat in enumerate((south - 0.001, south + STEP + 0.001)):
            page.get_by_role("button", name="加一个拐点").press("Enter")
            fill(page, at, west + STEP / 2, lat)
        assert "现在 2 个地块" in save(page, "分户")
        look(page, "editor-split-360")


def test_neighbours_are_chosen_from_the_list_and_merged(desk, plot, look):
    west, south = 118.70, 28.80
    own, _ = plot(west, south, plot_code="甲"), plot(west + STEP, south, plot_code="乙")
    with desk("township", **DESK) as page:
        opened(page, own)
        page.get_by_role("button", name="合并").click()
        there = page.locator("[data-edit-neighbour] option", has_text="东边，约")
        page.get_by_label("相邻地块").select_option(value=there.get_attribute("value"))
        page.wait_for_selector("text=已选相邻地块 乙")
        look(page, "editor-merge-1280")
        assert "现在 1 个地块" in save(page, "并块")


def test_a_common_line_is_moved_by_the_table(desk, plot):
    west, south = 118.72, 28.80
    own, _ = plot(west, south, plot_code="丙"), plot(west + STEP, south, plot_code="丁")
    with desk("township", **DESK) as page:
        opened(page, own)
        page.get_by_role("button", name="移公共边界").click()
        there = page.locator("[data-edit-neighbour] option", has_text="东边，约")
        page.get_by_label("相邻地块").select_option(value=there.get_attribute("value"))
        page.wait_for_selector("text=已选相邻地块 丁")
        for at, lat in enumerate((south - 0.001, south + STEP + 0.001)):
            page.get_by_role("button", name="加一个拐点").click()
            fill(page, at, west + STEP + 0.0003, lat)
        assert "现在 2 个地块" in save(page, "协议调整")
