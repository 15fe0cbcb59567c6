"""In a browser: look at what a raster proposes, confirm it, see what follows; also on a phone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.worker import run_worker
from tests.web import change_world


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    made = change_world.build(
        pg, clone, tmp_path_factory.mktemp("county"), tmp_path_factory.mktemp("state")
    )
    made.found = change_world.propose(made)
    yield made
    made.engine.dispose()


def drawn(page):
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("[data-map] canvas")


def test_a_candidate_is_found_on_the_map_confirmed_and_says_what_follows(town, desk, look):
    with desk("county") as page:
        page.goto("/disturbances")
        drawn(page)
        look(page, "disturbances")
        page.get_by_role("link", name="2025").first.click()
        page.wait_for_url(f"**/disturbances/{town.found}")
        drawn(page)
        assert page.locator(".chart .line").count() == 4  # two lines, each once more in the legend
        look(page, "disturbance-candidate")
        page.get_by_label("类别").select_option("fire")
        page.get_by_label("林木受损比例").fill("80")
        page.get_by_label("发生日期").fill("2025-03-18")
        page.get_by_label("依据").fill("火灾调查表")
        page.get_by_role("button", name="确认受损").click()
        page.get_by_role("heading", name="接下来").wait_for()
        with ThreadPoolExecutor(1) as aside:  # the browser's own loop runs in this thread
            aside.submit(
                run_worker, town.engine, layer_dir=town.state / "layers", once=True
            ).result()
        page.reload()
        first = page.locator(".finding").first
        assert "已完成" in first.inner_text()
        look(page, "disturbance-confirmed")


def test_on_a_phone_nothing_is_wider_than_the_screen(town, desk, look):
    with desk("county", viewport={"width": 390, "height": 844}) as page:
        for path in ("/disturbances", f"/disturbances/{town.found}"):
            page.goto(path)
            drawn(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            look(page, f"phone{path.replace('/', '-')[:14]}")
        page.get_by_role("button", name="English").click()
        page.goto(f"/disturbances/{town.found}")
        assert "Plots touched" in page.content()
        look(page, "phone-english")
