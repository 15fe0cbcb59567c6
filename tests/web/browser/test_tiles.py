"""Ten thousand plots on the map: the page stays quick, a click tells which one it is."""

import itertools

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from registry.db import transaction
from tests.web.browser.test_places import ready
from tests.web.test_tiles import MANY


def until(page, act, selector):
    """Repeat an act, as a person would while the map still moves, until something is there."""
    for _ in range(20):
        act()
        try:
            return page.wait_for_selector(selector, timeout=1_500)
        except PlaywrightTimeout:
            continue
    raise AssertionError(selector)


def zoom_until_asked(page, address):
    """Zoom in step by step: a click while the map still moves is a smaller step."""
    for _ in range(20):
        try:
            with page.expect_response(address, timeout=1_500):
                page.locator("#draw .ol-zoom-in").click()
        except PlaywrightTimeout:
            continue
        return
    raise AssertionError(address)


@pytest.fixture(scope="module")
def crowd(town):
    with transaction(town.engine) as session:
        session.execute(MANY, {"count": 10_000})
    return town


def test_ten_thousand_plots_are_cells_far_off_and_plots_near(crowd, desk, look):
    with desk("county") as page:
        page.goto("/parcels")
        ready(page)
        look(page, "parcel-map-cells")
        box = page.locator("#map").bounding_box()
        centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.click(*centre)
        page.wait_for_selector(".map-popup-title")
        assert "个地块" in page.locator(".map-popup").inner_text()
        page.locator(".map-popup-close").click()

        aims = itertools.cycle((0, 25, -25, 50, -50))

        def nearer():
            if page.locator("#map .map-popup-close").is_visible():
                page.locator("#map .ol-zoom-in").click()
            page.mouse.click(centre[0] + next(aims), centre[1])

        with page.expect_response("**/parcels.geojson?id=*"):
            until(page, nearer, ".map-popup a.button")
        page.wait_for_selector(".map-popup dd:has-text('航埠镇')")
        told = page.locator(".map-popup").inner_text()
        assert "航埠-" in told
        assert "亩" in told
        look(page, "parcel-map-plots")


def test_neighbours_are_in_sight_while_drawing(crowd, desk, look):
    with desk("township") as page:
        asked = []
        page.on("request", lambda one: asked.append(one.url))
        page.goto("/parcels/new")
        ready(page)
        box = page.locator("#draw .map").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_selector("#draw .map:not([aria-busy])")
        look(page, "draw-neighbours")
        zoom_until_asked(page, "**/neighbours.geojson?bbox=*")
        assert any("/tiles/neighbours/" in url for url in asked)
        look(page, "draw-neighbours-near")
