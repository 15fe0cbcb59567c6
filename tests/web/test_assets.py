"""The built assets belong to their sources, and nothing we ship asks another host or needs inline style."""

import hashlib
import json
import re
import tomllib
from html.parser import HTMLParser

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from geo.eligibility.table import Answer
from options.machines import MACHINES
from web.asset_manifest import DIST, AssetManifest
from web.charts import Axes, bar_chart
from web.formats import FILTERS
from web.pages.frame import NavEntry

WEB = DIST.parent.parent
ASSETS = WEB / "assets"
TEMPLATES = WEB / "templates"
MANIFEST = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
# Names of languages, not addresses: nothing is fetched from them.
NAMESPACES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")
ADDRESS = re.compile(r"https?://[^\s\"'`)<]*")
OWN_TEXT = [
    path
    for folder, ends in ((TEMPLATES, {".html", ".svg"}), (ASSETS / "src", {".js", ".css", ".svg"}))
    for path in sorted(folder.rglob("*"))
    if path.suffix in ends
] + [DIST / "app.css", DIST / "map.css"]
BUDGET_BYTES = {"app.js": 60_000, "app.css": 40_000, "map.js": 520_000, "map.css": 20_000}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_sources_and_lock_are_those_the_build_was_made_from():
    inputs = [path for path in (ASSETS / "src").rglob("*") if path.is_file()]
    inputs += [ASSETS / name for name in ("build.mjs", "package.json", "package-lock.json")]
    lines = sorted(
        f"{path.relative_to(ASSETS).as_posix()} {sha256(path.read_bytes())}\n" for path in inputs
    )
    digest = sha256("".join(lines).encode())
    assert digest == MANIFEST["sources"], (
        "web/assets changed: run `make assets` and commit the result"
    )


@pytest.mark.parametrize("name", sorted(MANIFEST["files"]))
def test_built_file_is_the_one_in_the_manifest(name):
    data = (DIST / name).read_bytes()
    entry = MANIFEST["files"][name]
    assert (sha256(data), len(data)) == (entry["sha256"], entry["bytes"])


def test_manifest_names_every_built_file():
    built = {path.name for path in DIST.iterdir()} - {"manifest.json"}
    assert built == set(MANIFEST["files"])


@pytest.mark.parametrize(("name", "limit"), BUDGET_BYTES.items())
def test_built_file_stays_in_its_budget(name, limit):
    assert MANIFEST["files"][name]["bytes"] <= limit


def test_lock_holds_hashes_and_no_registry_address():
    lock = json.loads((ASSETS / "package-lock.json").read_text(encoding="utf-8"))
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or "integrity" in package, name


def test_lock_fixes_what_the_manifest_says_is_inside():
    lock = json.loads((ASSETS / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for name, version in MANIFEST["packages"].items():
        assert lock[f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize("path", OWN_TEXT, ids=lambda path: path.relative_to(WEB).as_posix())
def test_no_address_of_another_host(path):
    found = [
        one for one in ADDRESS.findall(path.read_text(encoding="utf-8")) if one not in NAMESPACES
    ]
    assert found == []


class _Reader(HTMLParser):
    """Collects what a strict content security policy would refuse."""

    def __init__(self):
        super().__init__()
        self.refused = []
        self.ids = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.refused.append(tag)
        self.refused += [
            name for name in given if name == "style" or name.startswith(("on", "hx-on"))
        ]
        if "id" in given:
            self.ids.append(given["id"])


def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
    )
    env.install_gettext_callables(str, lambda one, _many, _n: one, newstyle=True)
    env.globals["asset_url"] = AssetManifest.load().url
    env.filters.update(FILTERS)
    return env


PAGE = """{% extends 'layout.html' %}
{% import 'components/status.html' as s %}{% import 'components/data.html' as d %}
{% import 'components/forms.html' as f %}{% import 'components/actions.html' as a %}
{% import 'components/charts.html' as c %}{% import 'components/map.html' as m %}
{% block main %}
{{ s.badge('LISTED') }}{{ s.label_badge('dark_green') }}{{ s.finding_list(findings) }}
{% call s.alert('warn', '<i>') %}x{% endcall %}
{{ d.table(['a', 'b'], [['<script>alert(1)</script>', 2]], numeric=[1]) }}{{ d.table([], [], empty='无') }}
{{ d.money(10154938, capitals=true) }}{{ d.stat('x', '1', 't', how='/h') }}{{ d.stepper(['a', 'b'], 1) }}
{{ d.facts([('k', 'v')]) }}{{ d.progress('p', 1) }}{{ d.pagination(next='/n') }}
{{ f.field('n', 'N', errors=['bad'], unit='亩') }}{{ f.select('s', 'S', [(1, 'one')], value='1') }}
{{ f.radios('r', 'R', [('1', 'one')]) }}{{ f.checkbox('c', 'C') }}{{ f.file('u', 'U') }}{{ f.textarea('t', 'T') }}
{{ a.post_button('go', '/go', confirm="sure? ' \\"", fields={'k': 'v'}) }}
{% call a.dialog('dlg', 'D') %}body{% endcall %}
{{ c.chart_figure(chart) }}
{{ m.map_view('/p.geojson', ['draft', 'eligible'], fields=[('name', "it's")]) }}{{ m.map_draw('geometry') }}
{% endblock %}"""


@pytest.fixture
def page() -> str:
    chart = bar_chart(
        Axes(title="<b>", description="d", x="x", y="y", unit="t"), ["<a>", "b"], [1.0, -2.0]
    )
    finding = {
        "severity": "refused", "row": 3, "code": "GEOM_BOWTIE",
        "zh": "<u>", "en": "e", "remedy_zh": "改", "remedy_en": "mend",
    }  # fmt: skip
    return (
        environment()
        .from_string(PAGE)
        .render(
            chart=chart,
            findings=[finding],
            csrf_token=lambda: "token",
            preference_url="/preferences",
            nav_items=[
                NavEntry(word="地图", href="/map", current=True),
                NavEntry(
                    word="项目",
                    href="",
                    current=False,
                    inside=(NavEntry(word="任务", href="/jobs", current=False),),
                ),
            ],
            messages=[("good", "ok")],
        )
    )


def test_components_need_no_inline_style_or_script(page):
    reader = _Reader()
    reader.feed(page)
    assert reader.refused == []
    assert len(reader.ids) == len(set(reader.ids))


def test_components_escape_what_people_wrote(page):
    assert "<script>alert(1)" not in page
    assert "<u>" not in page
    assert "<b>" not in page


def test_layout_needs_nothing_but_asset_addresses():
    text = environment().get_template("layout.html").render()
    assert 'href="#main"' in text
    assert '"includeIndicatorCSS": false' in text


def test_status_says_itself_in_a_word_and_a_shape():
    module = environment().get_template("components/status.html").module
    for status in ("draft", "listed", "not_eligible", "retired"):
        badge = module.badge(status)
        assert "<path" in badge
        assert re.search(r"[一-鿿]", badge)
    shapes = {
        re.search(r'<path[^>]* d="([^"]+)"', module.label_badge(colour)).group(1)
        for colour in ("dark_green", "light_green", "yellow", "red", "unlabelled", "withheld")
    }
    assert len(shapes) == 6


OWN_WORDS = {"ELIGIBLE"}  # a plot's answer has the same code: a lot passes its own word


@pytest.mark.parametrize("machine", MACHINES.values(), ids=list(MACHINES))
def test_every_state_of_a_sale_has_a_badge_with_its_name(machine):
    badge = environment().get_template("components/status.html").module.badge
    for state in machine.states:
        drawn = re.sub(r"<[^>]*>", "", badge(state.code))
        assert drawn != state.code
        if state.code not in OWN_WORDS:
            assert drawn == state.zh


@pytest.mark.parametrize("answer", Answer)
def test_every_answer_of_a_rule_has_a_badge(answer):
    badge = environment().get_template("components/status.html").module.badge
    assert answer.value not in re.sub(r"<[^>]*>", "", badge(answer.value))


def test_every_grade_of_every_label_set_has_its_badge():
    module = environment().get_template("components/status.html").module
    sets = tomllib.loads((WEB.parent / "sinks/tables/label_sets.toml").read_text(encoding="utf-8"))
    for label_set in sets.values():
        for grade, word in zip(label_set["grades"], label_set["grades_zh"], strict=True):
            assert word[0] in module.label_badge(grade)
    css = (DIST / "app.css").read_text(encoding="utf-8")
    for grade in {grade for label_set in sets.values() for grade in label_set["grades"]}:
        assert f".label-{grade.replace('_', '-')}" in css


def test_address_of_an_asset_changes_with_its_content():
    manifest = AssetManifest.load()
    assert manifest.url("app.css") == f"/static/dist/app.css?v={manifest.digests['app.css'][:8]}"
    with pytest.raises(KeyError):
        manifest.url("no-such-file.js")


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TOKENS = dict(
    re.findall(
        r"--([\w-]+):\s*(#[0-9a-f]{6})",
        (ASSETS / "src/css/tokens.css").read_text().split("html[data")[0],
    )
)
TONES = ("neutral", "progress", "good", "warn", "bad", "done")


@pytest.mark.parametrize(
    ("front", "back"),
    [
        (front, back)
        for front in ("ink", "ink-soft", "link", "tone-bad")
        for back in ("paper", "surface", "sunken", "forest-pale")
    ]
    + [(f"tone-{tone}", f"tone-{tone}-pale") for tone in TONES],
)
def test_text_reaches_the_aa_contrast(front, back):
    assert contrast(TOKENS[front], TOKENS[back]) >= 4.5
