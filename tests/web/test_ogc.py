"""The OGC interface: what the public and each desk get, in which system, by which filter."""

import os
import subprocess
import threading
from pathlib import Path
from uuid import uuid4

import pytest
import shapely
from pyproj import Transformer
from werkzeug.serving import make_server

from registry import divisions
from registry.db import SYSTEM_ACTOR, perform
from registry.reads.cql import FilterInvalidError, parse
from tests.web.conftest import AT, PASSWORD, PLACES, Machine, drawing
from web.ogc.asking import SYSTEMS

ROOT = Path(__file__).resolve().parent.parent.parent
OGCTESTS = Path(os.environ.get("TANHUI_OGCTESTS", ROOT / "var" / "ogctests" / "bin" / "python"))
BOX = shapely.box(118.7, 28.8, 119.0, 29.1)
COUNTY = "330802000000"


@pytest.fixture(scope="module")
def country(town):
    """A county with a boundary, four approved plots in one cell and one elsewhere."""
    rows = [
        divisions.DivisionRow(
            code=code, name=name, level=level, parent_code=parent,
            boundary=shapely.MultiPolygon([BOX]).wkb if code == COUNTY else None,
        )
        for code, name, level, parent in PLACES
    ]  # fmt: skip
    load = divisions.LoadDivisions(
        at=AT, actor_id=SYSTEM_ACTOR, key="outline", valid_from_year=2023, source="t", rows=rows
    )
    assert perform(town.engine, divisions.load, load).outlined == 1
    township, county = Machine(town.app, "township"), Machine(town.app, "county")
    for n, west in enumerate((118.8065, 118.8087, 118.8109, 118.8131, 118.90)):
        made = township.send("/parcels", drawing(west, plot_code=f"HB-{n}", submit=True))
        parcel = made.get_json()["parcel_id"]
        done = county.send(f"/parcels/{parcel}/decisions", {"decision": "approve", "reason": ""})
        assert done.status_code == 200, done.get_json()
    return town


@pytest.fixture
def ask(country):
    def get(path, desk=None, *, status=200, **query):
        auth = (desk, PASSWORD) if desk else None
        answer = country.app.test_client().get(f"/ogc{path}", query_string=query, auth=auth)
        assert answer.status_code == status, answer.text[:300]
        return answer

    return get


def codes(answer):
    return sorted(one["properties"]["code"] for one in answer.get_json()["features"])


def test_the_public_sees_divisions_and_cells_and_no_plot(ask):
    found = ask("/collections").get_json()["collections"]
    assert [one["id"] for one in found] == ["divisions", "cells"]
    (cell,) = ask("/collections/cells/items").get_json()["features"]
    assert cell["properties"]["parcels"] == 4
    assert set(cell["properties"]) == {"parcels", "area_m2"}
    ask("/collections/parcels/items", status=404)
    ask("/collections/parcels", status=404)
    assert "parcels" not in ask("/api").text.replace("properties", "")


def test_desks_see_their_plots(ask):
    everyone = [f"HB-{n}" for n in range(5)]
    assert codes(ask("/collections/parcels/items", "county")) == everyone
    assert codes(ask("/collections/parcels/items", "township")) == everyone
    assert codes(ask("/collections/parcels/items", "other")) == []
    one = ask("/collections/parcels/items", "county", limit="1").get_json()["features"][0]["id"]
    ask(f"/collections/parcels/items/{one}", "township")
    ask(f"/collections/parcels/items/{one}", "other", status=404)
    ask(f"/collections/parcels/items/{one}", "buyer", status=404)
    ask(f"/collections/parcels/items/{uuid4()}", "county", status=404)
    ask("/collections/parcels/items/x", "county", status=404)


def test_pages_lead_to_all_and_count_what_matches(ask, country):
    first = ask("/collections/parcels/items", "county", limit="2").get_json()
    seen, page = [one["id"] for one in first["features"]], first
    while following := [one["href"] for one in page["links"] if one["rel"] == "next"]:
        client = country.app.test_client()
        page = client.get(following[0], auth=("county", PASSWORD)).get_json()
        seen += [one["id"] for one in page["features"]]
    assert len(seen) == len(set(seen)) == first["numberMatched"] == 5
    assert first["numberReturned"] == 2


def test_a_box_and_a_filter_choose(ask):
    items = "/collections/parcels/items"
    assert codes(ask(items, "county", bbox="118.89,28.9,118.95,29")) == ["HB-4"]
    assert codes(ask(items, "county", bbox="1,1,2,2")) == []
    chosen = {
        "code = 'HB-1'": ["HB-1"],
        "code LIKE 'HB-%' AND NOT code IN ('HB-0', 'HB-1')": ["HB-2", "HB-3", "HB-4"],
        "S_INTERSECTS(geometry, POLYGON((118.89 28.9,118.95 28.9,118.95 29,118.89 29,118.89 28.9)))": [
            "HB-4"
        ],
        "S_INTERSECTS(geometry, BBOX(118.80,28.9,118.807,29)) OR code='HB-4'": ["HB-0", "HB-4"],
        "area_m2 > 1e9 OR status IS NULL": [],
        "version BETWEEN 1 AND 2 AND (code = 'HB-2' OR code = 'HB-3')": ["HB-2", "HB-3"],
        "recorded_at < TIMESTAMP('2001-01-01T00:00:00Z')": [],
    }
    for words, expected in chosen.items():
        assert codes(ask(items, "county", filter=words)) == expected, words
    assert codes(ask(items, "county", datetime="2001-01-01T00:00:00Z/..")) == [
        f"HB-{n}" for n in range(5)
    ]
    assert codes(ask(items, "county", datetime="../2001-01-01T00:00:00Z")) == []


@pytest.mark.parametrize(
    "query",
    [
        {"ooga": "booga"},
        {"limit": "unlimited"},
        {"limit": "0"},
        {"bbox": "1,2,3"},
        {"bbox": "nan,0,1,1"},
        {"bbox": "3,0,1,1"},
        {"datetime": "yesterday"},
        {"crs": "EPSG:4490"},
        {"filter": "ooga = 1"},
        {"filter": "name = 'a'; DROP TABLE parcel"},
        {"filter": "name"},
        {"filter": "name = 'a"},
        {"filter": "(" * 200 + "name = 'a'"},
        {"filter": "NOT " * 500 + "name = 'a'"},
        {"filter": "name = 'a'", "filter-lang": "cql2-json"},
        {"f": "xml"},
    ],
)
def test_what_can_not_be_read_is_refused_with_the_remedy(ask, query):
    problem = ask("/collections/divisions/items", status=400, **query)
    assert problem.status_code == 400


def test_each_system_comes_in_its_own_order_of_axes(ask):
    for uri, axes in SYSTEMS.items():
        answer = ask("/collections/divisions/items", crs=uri)
        assert answer.headers["Content-Crs"] == f"<{uri}>"
        (found,) = answer.get_json()["features"]
        corner = found["geometry"]["coordinates"][0][0][0]
        plain = shapely.get_coordinates(BOX)
        moved = Transformer.from_crs(4326 if axes.srid == 3857 else 4490, axes.srid, always_xy=True)
        x, y = moved.transform(plain[:, 0], plain[:, 1])
        expected = (
            list(zip(y, x, strict=True)) if axes.north_first else list(zip(x, y, strict=True))
        )
        error = min(max(abs(corner[0] - a), abs(corner[1] - b)) for a, b in expected)
        assert error < (1e-8 if axes.srid in {4326, 4490} else 0.01), uri
        west, south, east, north = min(x), min(y), max(x), max(y)
        box = [south, west, north, east] if axes.north_first else [west, south, east, north]
        inside = {"bbox": ",".join(map(str, box)), "bbox-crs": uri}
        assert ask("/collections/divisions/items", **inside).get_json()["numberMatched"] == 1


def test_people_get_pages(ask, country):
    for path in (
        "/",
        "/conformance",
        "/collections",
        "/collections/cells",
        "/collections/cells/items",
    ):
        page = country.app.test_client().get(
            f"/ogc{path}", headers={"Accept": "text/html,*/*;q=0.8"}
        )
        assert page.content_type.startswith("text/html"), path
        assert "<style" not in page.text
        assert " style=" not in page.text
    assert "柯城区" in ask(f"/collections/divisions/items/{COUNTY}", f="html").text


def test_a_filter_never_reaches_the_statement_but_by_names_and_bound_values():
    made = parse("a = 'x'' OR 1=1 --' AND b IN (1, 2.5)", {"a": "f.a", "b": "f.b"}, "f.g")
    assert made.sql == "((f.a = :cql_0 AND f.b IN (:cql_1, :cql_2)))"
    assert made.params == {"cql_0": "x' OR 1=1 --", "cql_1": 1, "cql_2": 2.5}
    with pytest.raises(FilterInvalidError):
        parse("c = 1", {"a": "f.a"}, "f.g")


@pytest.mark.skipif(not OGCTESTS.exists(), reason="ogctests is not installed: make ogctests")
def test_the_open_verifier_finds_no_fault(country):
    server = make_server("127.0.0.1", 0, country.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        scope = "import sys, ogctests.main as m; sys.exit(m.run_ogctests(['features/core'][0]))"
        done = subprocess.run(
            [OGCTESTS, "-c", scope],
            env={
                "INSTANCE_URL": f"http://127.0.0.1:{server.server_port}/ogc",
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
