"""Map, drawing board and small behaviours in Chromium, under the policy that pages are served with."""

import functools
import http.server
import json
import math
import shutil
import threading
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.asset_manifest import DIST, AssetManifest
from web.formats import FILTERS

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'"
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HEAD = """{% extends 'layout.html' %}{% import 'components/map.html' as m %}{% import 'components/actions.html' as a %}
{% block styles %}{{ m.map_styles() }}{% endblock %}{% block scripts %}{{ m.map_scripts() }}{% endblock %}{% block main %}"""
PAGES = {
    "/map": "{{ m.map_view('/parcels.geojson', ['eligible', 'review'], fields=[('code', '编号')], findings='/findings.geojson', findings_table='#rows') }}"
    "<table id='rows'><tr data-row='7'><td><button type='button'>7</button></td></tr></table>",
    "/draw": "<form>{{ m.map_draw('geometry', neighbours='/parcels.geojson', outline='/outline.geojson') }}</form>",
    "/kit": "{% call a.dialog('dlg', 'D') %}<button type='button' data-dialog-close>x</button>{% endcall %}{{ a.button('open', open='dlg') }}"
    "<button id='swap' hx-get='/part' hx-target='#there'>get</button><div id='there'></div>"
    "{{ a.post_button('write', '/written', confirm='真的吗？') }}",
}


def square(west: float, south: float, size: float = 0.01) -> dict:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def collection(*features: tuple[dict, dict]) -> bytes:
    rows = [
        {"type": "Feature", "id": i, "geometry": geometry, "properties": properties}
        for i, (geometry, properties) in enumerate(features)
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows}).encode()


DATA = {
    "/parcels.geojson": collection(
        (square(118.80, 28.90), {"name": "<b>甲</b>", "status": "eligible", "code": "P1"}),
        (square(118.82, 28.90), {"name": "乙", "status": "review", "code": "P2"}),
    ),
    "/findings.geojson": collection(
        (square(118.82, 28.90, 0.002), {"row": 7, "severity": "refused"})
    ),
    "/outline.geojson": collection((square(118.79, 28.89, 0.04), {"name": "镇"})),
    "/part": b"<p>swapped</p>",
    "/written": b"<!doctype html><title>w</title><link rel=icon href='data:,'><p id='done'>written</p>",
}


class _Site(http.server.BaseHTTPRequestHandler):
    def __init__(self, pages, seen, *args):
        self.pages = pages
        self.seen = seen
        super().__init__(*args)

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.seen.append((self.command, self.path, self.headers.get("X-CSRFToken")))
        if path.startswith("/static/dist/"):
            body = (DIST / Path(path).name).read_bytes()
        else:
            body = self.pages[path]
        kinds = {
            ".js": "text/javascript",
            ".css": "text/css",
            ".svg": "image/svg+xml",
            ".geojson": "application/geo+json",
        }
        self.send_response(200)
        self.send_header("Content-Type", kinds.get(Path(path).suffix, "text/html; charset=utf-8"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()


@pytest.fixture(scope="module")
def site():
    env = Environment(
        loader=FileSystemLoader(DIST.parent.parent / "templates"),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
    )
    env.install_gettext_callables(str, lambda one, _many, _n: one, newstyle=True)
    env.globals.update(asset_url=AssetManifest.load().url, csrf_token=lambda: "t-1")
    env.filters.update(FILTERS)
    pages = dict(DATA)
    for path, body in PAGES.items():
        text = env.from_string(HEAD + body + "{% endblock %}").render(preference_url="/written")
        pages[path] = text.encode()
    seen = []
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Site, pages, seen)
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, site):
    """A page that fails its test on any script error, refused policy or request to another host."""
    base, _ = site
    wrong = []
    context = browser.new_context(viewport={"width": 1100, "height": 900}, base_url=base)
    tab = context.new_page()
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    tab.on(
        "request",
        lambda ask: None if ask.url.startswith((base, "data:")) else wrong.append(ask.url),
    )
    yield tab
    context.close()
    assert wrong == []


def test_map_shows_parcels_and_leads_from_row_to_place(page):
    page.goto("/map")
    page.wait_for_selector("[data-map][data-ready=true]")
    assert page.evaluate("window.tanhuiMapReady") is True
    box = page.locator("[data-map]").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.wait_for_selector(".map-popup-title")
    assert page.locator(".map-popup-title").inner_text() == "<b>甲</b>"
    assert page.locator(".map-popup dd").all_inner_texts() == ["符合", "P1"]
    page.locator("[data-row='7'] button").click()
    assert page.locator("[data-row='7']").get_attribute("class") == "is-active"


def test_drawing_writes_a_polygon_and_can_be_taken_back(page):
    page.goto("/draw")
    page.wait_for_selector("[data-draw][data-ready=true]")
    field = page.locator("[data-draw-field]")
    box = page.locator("[data-draw-map]").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("[data-draw-action=draw]").click()
    for dx, dy in ((-40, 60), (40, 60), (40, 140)):
        page.mouse.move(middle[0] + dx, middle[1] + dy, steps=2)
        page.mouse.click(middle[0] + dx, middle[1] + dy, delay=20)
    assert page.locator("[data-draw-area]").inner_text().startswith("约 ")
    page.locator("[data-draw-action=finish]").click()
    drawn = json.loads(field.input_value())
    assert drawn["type"] == "Polygon"
    assert drawn["coordinates"][0][0] == drawn["coordinates"][0][-1]
    page.locator("[data-draw-action=clear]").click()
    assert field.input_value() == ""
    page.locator("[data-draw-action=undo]").click()
    assert json.loads(field.input_value()) == drawn


def test_a_boundary_can_be_made_without_a_mouse(page):
    page.goto("/draw")
    page.wait_for_selector("[data-draw][data-ready=true]")
    page.locator("[data-draw] summary").click()
    corners = [("118.80", "28.90"), ("118.81", "28.90"), ("118.81", "28.91"), ("118.80", "28.91")]
    for at, (lon, lat) in enumerate(corners):
        page.locator("[data-draw-action=add-point]").press("Enter")
        inputs = page.locator("[data-draw-points] input")
        inputs.nth(2 * at).fill(lon)
        inputs.nth(2 * at + 1).fill(lat)
        inputs.nth(2 * at + 1).press("Tab")
    ring = json.loads(page.locator("[data-draw-field]").input_value())["coordinates"][0]
    assert [tuple(point) for point in ring[:-1]] == [(float(x), float(y)) for x, y in corners]
    text = page.locator("[data-draw-area]").inner_text()
    metres = math.radians(0.01) * 6371008.8
    expected_mu = metres * metres * math.cos(math.radians(28.905)) * 3 / 2000
    assert float(text.split()[1]) == pytest.approx(expected_mu, rel=1e-4)
    page.locator("[data-draw-points] input").nth(2).fill("118.79")
    page.locator("[data-draw-points] input").nth(2).press("Tab")
    assert page.locator("[data-draw-warning]").is_visible()


def test_small_behaviours(page, site):
    page.goto("/kit")
    page.get_by_role("button", name="open").click()
    assert page.locator("#dlg").evaluate("dialog => dialog.open")
    page.locator("[data-dialog-close]").click()
    page.get_by_role("button", name="大字版").click()
    assert page.locator("html").get_attribute("data-size") == "large"
    page.locator("#swap").click()
    page.wait_for_selector("#there p")
    assert ("GET", "/part", "t-1") in site[1]
    assert page.evaluate("document.adoptedStyleSheets.length") == 0
    page.get_by_role("button", name="write").click()
    assert page.locator("[data-confirm-text]").inner_text() == "真的吗？"
    page.locator("#confirm-dialog button[value=yes]").click()
    page.wait_for_selector("#done")
