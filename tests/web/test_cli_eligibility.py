"""``tanhui exclusion`` and ``tanhui eligibility`` against a real database."""

import json

import pytest
from typer.testing import CliRunner

from tests.geo.makers import CGCS2000
from tests.web.conftest import square
from tests.web.orchard_world import plant
from web import database
from web.cli import app


@pytest.fixture(scope="module")
def orchard(town):
    return plant(town, west=118.62)


def test_a_layer_is_loaded_once_and_parcels_are_checked_against_it(
    town, orchard, tmp_path, monkeypatch
):
    monkeypatch.setattr(database, "app_engine", lambda: town.engine)
    shape = {"type": "Feature", "geometry": square(118.62), "properties": {"name": "基本农田一"}}
    path = tmp_path / "farmland.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": [shape]}))

    def run(*words):
        answer = CliRunner().invoke(app, [*words, "--json"])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.output)

    load = ("exclusion", "load", str(path), "--kind", "basic_farmland")
    assert run(*load)["new"] is True
    run(*load)
    (held,) = run("exclusion", "list")
    assert (held["kind"], held["shapes"], held["years"]) == ("basic_farmland", 1, None)
    adopted = CliRunner().invoke(
        app, ["programme", "adopt", "registry/programmes/orchard-label.toml"]
    )
    assert adopted.exit_code == 0, adopted.output
    parcel = str(orchard.parcel)
    assert run("eligibility", "run", "orchard-label", "--parcel", parcel)["not_eligible"] == 1
    shown = {row["rule"]: row for row in run("eligibility", "show", parcel)}
    assert shown["basic_farmland"]["answer"] == "not_eligible"
    assert shown["basic_farmland"]["evidence_area_m2"] > 40_000
    lines = CliRunner().invoke(app, ["eligibility", "show", parcel]).output
    assert "不符合" in lines
    assert "→" in lines
