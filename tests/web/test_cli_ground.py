"""The nouns of ground on a real database: county, programme, parcel, project, claim, orchard."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from registry import people
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.errors import NotFoundError
from tests import factories
from tests.geo.makers import CGCS2000
from tests.web.conftest import AT, square
from web import database
from web.cli import NOUNS, app
from web.cli.following import JobFailedError


@pytest.fixture
def town(engine, monkeypatch):
    """A county made from the command line, with a clerk and a reviewer."""
    monkeypatch.setattr(database, "app_engine", lambda: engine)
    monkeypatch.setattr("web.cli.county.prepare", lambda **_said: None)

    def run(*words: object, code: int = 0):
        result = CliRunner().invoke(app, [*map(str, words), "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    begin = ["county", "init", "--adcode", "330802", "--name", "收储公司"]
    for _ in range(2):  # safe to repeat
        result = CliRunner().invoke(app, begin)
        assert result.exit_code == 0, result.output
    who = {}
    for role in ("township", "county"):
        command = people.AddActor(
            at=AT,
            actor_id=SYSTEM_ACTOR,
            key=role,
            name=role,
            roles=[role],
            division_code="330802000000",
        )
        who[role] = perform(engine, people.add_actor, command).actor_id
    return SimpleNamespace(run=run, who=who, engine=engine)


def test_programmes_are_listed_shown_and_checked(town, tmp_path):
    listed = {row["id"] for row in town.run("programme", "list")}
    assert "county-inclusion" in listed
    shown = town.run("programme", "show", "county-inclusion")
    assert all(figure["mark"] for figure in shown["figures"].values())
    bad = tmp_path / "bad.toml"
    bad.write_text('id = "x"\n')
    assert town.run("programme", "check", bad, code=1)["faults"]


def test_parcels_go_out_to_a_file_and_come_in_again_as_duplicates(town, tmp_path):
    shape = {"type": "Feature", "geometry": square(118.86), "properties": {"优势树种": "杉木"}}
    file = tmp_path / "plots.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": [shape]}))
    who = ("--as", town.who["township"])
    ask = ("parcel", "import", "--division", "330802", *who)
    assert len(town.run(*ask, file)["parcels"]) == 1
    for name in ("out.gpkg", "out.xlsx", "out.dxf", "out.kml"):
        said = town.run("parcel", "export", tmp_path / name, "--kind", "carbon", *who)
        assert said["parcels"] == 1
        again = town.run(*ask, tmp_path / name, "--dry-run", code=1)
        assert [f["code"] for f in again["findings"] if f["severity"] == "refused"] in (
            ["DUPLICATE_STORED"],
            ["OVERLAP_STORED"],
        )
    assert (
        town.run("parcel", "export", tmp_path / "a.gpkg", "--status", "approved", *who)["parcels"]
        == 0
    )


def test_a_parcel_goes_from_file_to_approval(town, tmp_path):
    shape = {"type": "Feature", "geometry": square(118.84, 28.94), "properties": {"name": "一号"}}
    file = tmp_path / "plots.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": [shape]}))
    ask = ("parcel", "import", file, "--division", "330802", "--as", town.who["township"])
    rehearsed = town.run(*ask, "--dry-run")
    assert (rehearsed["read"], rehearsed["batch"]) == (1, None)
    (made,) = town.run(*ask, "--key", "one")["parcels"]
    assert town.run(*ask, "--key", "one")["parcels"] == [made]
    parcel = made["id"]
    done = town.run("parcel", "decide", parcel, "approve", "--as", town.who["county"])
    assert done["status"] == "approved"


def test_a_project_and_its_claims_are_listed_and_shown(town):
    with transaction(town.engine) as session:
        owner = factories.party(session, "collective")
        parcel = factories.parcel(session, owner)
        other = factories.programme(session, "another")
        held = factories.project(session, owner, programme_id=other, number=77)
        claim = factories.claim(session, held, parcel, (2024, 2030))
    spans = ("--started", "2024-01-01", "--first", "2024-01-01", "--end", "2034-01-01")
    ask = (
        *("project", "create", "--adcode", "330802", "--name", "石梁竹林"),
        *("--proponent", owner, "--programme", "county-inclusion", *spans),
    )
    town.run(*ask, "--dry-run")  # leaves nothing: the list below has two
    made = town.run(*ask, "--key", "one")
    assert town.run(*ask, "--key", "one") == made
    assert made["status"] == "draft"
    assert {row["id"] for row in town.run("project", "list", "--adcode", "330802")} == {
        made["project_id"],
        str(held),
    }
    assert town.run("project", "show", held)["id"] == str(held)
    (one,) = town.run("claim", "list", held)
    assert one["id"] == str(claim)
    assert town.run("claim", "release", claim, "--reason", "退出")["released"] == 1
    gone = town.run("project", "decide", made["project_id"], "withdraw", "--reason", "重复")
    assert gone["status"] == "withdrawn"


def test_an_empty_county_answers(town):
    page = town.run("orchard", "list", "--adcode", "330802", "--year", 2025)
    assert page["accounts"] == 0
    assert town.run("layer", "list") == []
    assert town.run("lot", "list") == []
    assert town.run("job", "list") == []
    with pytest.raises(NotFoundError):
        town.run("label", "show", "LBL-330802-2025-000001")


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_every_noun_says_what_it_does(noun):
    result = CliRunner().invoke(app, [noun, "--help"])
    assert result.exit_code == 0
    assert CliRunner().invoke(app, [noun, "--nonsense"]).exit_code == 2


def test_a_large_file_is_read_by_a_job_and_can_be_taken_back(town, tmp_path, monkeypatch):
    monkeypatch.setattr("web.cli.parcel.AT_ONCE_BYTES_MAX", 0)
    shapes = [square(118.84 + n * 0.01, 28.94) for n in range(3)] + [square(118.84, 28.94)]
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in shapes]
    file = tmp_path / "plots.geojson"
    file.write_text(
        json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": features})
    )
    words = ("parcel", "import", file, "--division", "330802", "--as", who := town.who["township"])
    tried = town.run(*words, "--dry-run")
    assert (tried["read"], tried["accepted"], tried["refused"], tried["batch"]) == (4, 3, 1, None)
    with pytest.raises(JobFailedError, match="IMPORT_NOT_ALL_ACCEPTED"):
        town.run(*words, "--strict")
    done = town.run(*words, "--key", "k")
    assert (done["read"], done["accepted"], done["refused"]) == (4, 3, 1)
    assert len(done["parcels"]) == 3
    assert town.run(*words, "--key", "k") == done
    again = town.run(*words, code=1)
    assert (again["accepted"], again["refused"]) == (0, 4)
    assert "IMPORT_REPEATED" in {one["code"] for one in again["findings"]}
    back = ("parcel", "take-back", done["batch"], "--reason", "试导入", "--as", who)
    assert town.run(*back, "--dry-run")["withdrawn"] == 3
    assert town.run(*back) == {"batch_id": done["batch"], "withdrawn": 3, "kept": []}
