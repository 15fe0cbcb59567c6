"""What the application serves of a register with very many parcels: one parcel, the first map."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from flask import Flask
from werkzeug.serving import make_server

from registry.db import transaction
from tests.bench.standing import PASSWORD, standing
from tests.bench.store import AT, Store
from tests.bench.timing import Case, Cases, Way
from web.accounts import logins
from web.app import create_app
from web.auth import requires
from web.config import Settings

ASKED = 200
CHROMIUM = os.environ.get("TANHUI_CHROMIUM") or shutil.which("chromium")
FLAGS = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-sync"]
EMPTY = "/bench/empty"


def served(store: Store, folder: Path, size: int) -> tuple[Flask, str]:
    """Return the application over a register, with a route that does nothing, and a token."""
    engine = store.app(standing(store, folder, size))
    with transaction(engine) as session:
        token = logins.token_for(session, "desk", name=os.urandom(4).hex(), at=AT)
    app = create_app(Settings(state_dir=folder / "state"), engine)
    app.add_url_rule(EMPTY, view_func=requires("parcel:read")(_empty))
    return app, token


def _empty() -> str:
    return ""


def parcel_case(store: Store, folder: Path, size: int, *, again: bool) -> Case:
    """Answers a second with one parcel, beside an empty route behind the same sign-in."""
    app, token = served(store, folder, size)
    session = store.session(standing(store, folder, size))
    found = session.execute("SELECT id FROM parcel ORDER BY md5(id::text) LIMIT %s", (ASKED,))
    paths = [f"/api/v1/parcels/{row[0]}" for row in found.fetchall()]
    client = app.test_client()
    head = {"Authorization": f"Bearer {token}"}
    first = client.get(paths[0], headers=head)
    known = head | ({"If-None-Match": first.headers["ETag"]} if again else {})
    status = 304 if again else 200

    def ask(address: Callable[[int], str], given: dict[str, str], expected: int) -> float:
        began = time.perf_counter()
        for n in range(ASKED):
            answer = client.get(address(n), headers=given)
            if answer.status_code != expected:
                raise AssertionError(answer.status)
        return ASKED / (time.perf_counter() - began)

    empty = Way(run=partial(ask, lambda _: EMPTY, head, 200))
    return Case(
        name="one parcel, unchanged (304)" if again else "one parcel",
        size=size,
        ours=Way(run=partial(ask, lambda n: paths[0 if again else n % len(paths)], known, status)),
        limit=("an empty route, signed in the same way", empty),
        unit="answers/s",
        note="one caller inside the process, by token; without the network",
    )


def map_case(store: Store, folder: Path, size: int) -> Case:
    """Seconds from asking for the map page to the map drawn, in a browser that has seen nothing."""
    app, _ = served(store, folder, size)
    return Case(
        name="first map in Chromium",
        size=size,
        ours=Way(run=partial(first_map_s, app), runs=3),
        note="page, scripts, tiles and drawing until the map says rendercomplete",
    )


def first_map_s(app: Flask) -> float:
    """Sign in with a new browser and time the map page."""
    from playwright.sync_api import sync_playwright

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(base_url=f"http://127.0.0.1:{server.server_port}")
            page.goto("/sign-in")
            page.get_by_label("用户名").fill("desk")
            page.get_by_label("密码").fill(PASSWORD)
            page.locator("main").get_by_role("button", name="登录").click()
            page.wait_for_url("**/")
            began = time.perf_counter()
            page.goto("/parcels")
            page.wait_for_selector("[data-map][data-ready=true]")
            return time.perf_counter() - began
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def cases(opened: Callable[[], Store], folder: Path, sizes: tuple[int, ...]) -> Cases:
    """Yield the cases of what is served."""
    for size in sizes:
        for again in (False, True):
            yield (
                f"parcel {'304' if again else 'get'} {size}",
                lambda size=size, again=again: parcel_case(opened(), folder, size, again=again),
            )
        if CHROMIUM and find_spec("playwright"):
            yield f"map first {size}", lambda size=size: map_case(opened(), folder, size)
