"""Ten thousand plots on the map: the page stays quick, a click tells which one it is."""

import pytest

from registry.db import transaction
from tests.web.browser.test_places import ready
from tests.web.test_tiles import MANY

STEPS = 8  # of zoom, from a county to a few plots
DRAWN = "new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 0)))"


def go_near(page, where):
    """Zoom in by keyboard, each step drawn before the next."""
    for _ in range(STEPS):
        page.locator(where).press("+")
        page.evaluate(DRAWN)


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
        page.locator("#map").press("Escape")  # a second click soon after would be a double click
        go_near(page, "#map")
        page.wait_for_selector("#map:not([aria-busy])")
        with page.expect_response("**/parcels.geojson?id=*"):
            page.mouse.click(centre[0] + 100, centre[1])  # the very middle is between four plots
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
        with page.expect_response("**/neighbours.geojson?bbox=*"):
            go_near(page, "#draw .map")
        assert any("/tiles/neighbours/" in url for url in asked)
        look(page, "draw-neighbours-near")
