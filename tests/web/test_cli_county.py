"""A county begun from the command line: any county, its own divisions, a first administrator."""

import json

import pytest
from typer.testing import CliRunner

from registry import divisions
from registry.db import transaction
from registry.nation import CountyUnknownError
from tests.geo.makers import CGCS2000
from tests.web.conftest import square
from tests.web.test_accounts import sign_in
from web import database
from web.app import create_app
from web.cli import app
from web.cli.county import CompanyNamedError
from web.config import Settings


@pytest.fixture
def tanhui(engine, monkeypatch):
    monkeypatch.setattr(database, "app_engine", lambda: engine)
    monkeypatch.setattr("web.cli.county.prepare", lambda **_said: None)

    def run(*words):
        result = CliRunner().invoke(app, [*map(str, words), "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return json.loads(result.stdout)

    return run


ANJI = ("county", "init", "--adcode", "330523", "--name", "安吉两山公司")


def test_any_county_begins_and_a_repeat_changes_nothing(tanhui):
    begun = tanhui(*ANJI)
    assert (begun["county"], begun["has_boundary"]) == ("安吉县", False)
    assert begun["divisions"] == begun["new_divisions"] > 10
    again = tanhui(*ANJI)
    assert again == begun | {"new_divisions": 0, "one_time_password": None}
    with pytest.raises(CompanyNamedError):
        tanhui("county", "init", "--adcode", "330523", "--name", "别的公司")
    with pytest.raises(CountyUnknownError):
        tanhui("county", "init", "--adcode", "330524", "--name", "谁")


def test_without_a_boundary_an_import_says_what_it_did_not_check(tanhui, engine, tmp_path):
    tanhui(*ANJI)
    plot = {"type": "Feature", "geometry": square(119.65, 30.65), "properties": {}}
    file = tmp_path / "plot.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": [plot]}))
    report = tanhui("parcel", "import", file, "--division", "330523", "--dry-run")
    assert report["accepted"] == 1
    assert "DIVISION_NO_BOUNDARY" in {one["code"] for one in report["findings"]}
    county = [[119.0, 30.0], [119.5, 30.0], [119.5, 30.5], [119.0, 30.5], [119.0, 30.0]]
    outline = tmp_path / "anji.geojson"
    outline.write_text(
        json.dumps(
            {
                "type": "Feature",
                "properties": {"adcode": "330523", "name": "安吉县"},
                "geometry": {"type": "Polygon", "coordinates": [county]},
            }
        )
    )
    assert tanhui(*ANJI, "--divisions", outline)["has_boundary"]
    with transaction(engine) as session:
        assert divisions.boundary(session, "330523").name == "安吉县"
    report = tanhui("parcel", "import", file, "--division", "330523", "--dry-run")
    assert report["questioned"] == 1
    assert {one["code"] for one in report["findings"]} >= {"OUTSIDE_DIVISION"}


def test_the_one_time_password_must_be_replaced_at_the_first_sign_in(tanhui, engine, tmp_path):
    first = tanhui(*ANJI)["one_time_password"]
    face = create_app(config=Settings(state_dir=tmp_path), engine=engine)
    client = face.test_client()
    asked = sign_in(client, "admin-330523", first)
    assert asked.status_code == 401
    assert 'name="new_password"' in asked.text
    assert client.get("/api/v1/me", auth=("admin-330523", first)).json["code"] == "PASSWORD_ONCE"
    assert sign_in(client, "admin-330523", first, new_password=first).status_code == 401
    assert sign_in(client, "admin-330523", first, new_password="short").status_code == 401
    mine = "three plain words"
    assert sign_in(client, "admin-330523", first, new_password=mine).status_code == 303
    other = face.test_client()
    assert sign_in(other, "admin-330523", first).status_code == 401
    assert sign_in(other, "admin-330523", mine).status_code == 303


def test_a_place_is_looked_up_and_an_own_file_ends_a_code(tanhui, tmp_path):
    tanhui(*ANJI)
    towns = tanhui("division", "list", "330523")["items"]
    town = towns[0]["code"][:9]
    ring = [[119.4, 30.5], [119.8, 30.5], [119.8, 30.8], [119.4, 30.8], [119.4, 30.5]]
    outline = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"XZQDM": town, "XZQMC": "递铺", "撤销年": 2025},
    }
    file = tmp_path / "towns.geojson"
    file.write_text(
        json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": [outline]})
    )
    load = ("division", "load", file, "--county", "330523", "--source", "县民政局")
    assert tanhui(*load) == {"new": 0, "outlined": 1, "ended": 1}
    shown = tanhui("division", "show", town)
    assert (shown["valid_to_year"], shown["has_boundary"]) == (2025, True)
    assert shown["above"] == ["330000000000 浙江省", "330500000000 湖州市", "330523000000 安吉县"]
    then = tanhui("division", "at", "119.6", "30.6", "--year", "2024")
    assert then["code"] == towns[0]["code"]
    assert [one["known"] for one in then["levels"]] == ["parent"] * 3 + ["boundary", "no_boundary"]
    assert tanhui("division", "at", "119.6", "30.6", "--year", "2026")["code"] is None
    west = tanhui("division", "at", "-119.6", "30.6")
    assert {one["known"] for one in west["levels"]} == {"no_boundary"}
