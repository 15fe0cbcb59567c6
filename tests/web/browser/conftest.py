"""Chromium against the real application; every page fails on a script error or a refused policy."""

import os
import shutil
import threading
from contextlib import contextmanager

import pytest
from werkzeug.serving import make_server

from tests.web.conftest import PASSWORD, town  # noqa: F401 -- the fixture

CHROMIUM = os.environ.get("TANHUI_CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.fixture(scope="module")
def address(town):  # noqa: F811
    server = make_server("127.0.0.1", 0, town.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def desk(chromium, address, request):
    """Open a browser signed in as a desk: ``with desk("county") as page``."""

    @contextmanager
    def open_(name, **more):
        wrong = []
        more = {
            "viewport": {"width": 1200, "height": 1000},
            "base_url": address,
            "reduced_motion": "reduce",  # a map that glides is hit elsewhere than it was aimed at
        } | more
        context = chromium.new_context(**more)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: _note(wrong, line))
        page.on(
            "request",
            lambda ask: (
                None if ask.url.startswith((address, "data:", "blob:")) else wrong.append(ask.url)
            ),
        )
        if name:
            page.goto("/sign-in")
            page.get_by_label("用户名").fill(name)
            page.get_by_label("密码").fill(PASSWORD)
            page.locator("main").get_by_role("button", name="登录").click()
            page.wait_for_url("**/")
        yield page
        context.close()
        assert wrong == []

    return open_


def _note(wrong, line):
    """Keep console errors; a refused form is an answer that the test asked for."""
    if line.type == "error" and "status of 4" not in line.text:
        wrong.append(line.text)


@pytest.fixture
def look(request):
    """Keep a screenshot where ``TANHUI_SCREENSHOTS`` names a folder."""
    folder = os.environ.get("TANHUI_SCREENSHOTS")

    def take(page, name):
        if folder:
            page.screenshot(path=f"{folder}/{name}.png", full_page=True, caret="initial")

    return take
