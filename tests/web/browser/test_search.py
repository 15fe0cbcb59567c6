"""The search box by keyboard, on a wide and a narrow screen."""

from tests.web.test_search import drawn

__all__ = ["drawn"]


def test_the_keyboard_finds_a_plot(drawn, desk, look):
    with desk("township") as page:
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "site-search"
        page.keyboard.type("HB")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=找到 2 项")
        look(page, "search-found")
        page.get_by_role("link", name="HB-7").press("Enter")
        page.wait_for_url("**/parcels/*-*")
    with desk(None, viewport={"width": 360, "height": 800}) as page:
        page.goto("/search?q=没有这个")
        look(page, "search-nothing-360")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
