"""From an assessment to a certificate on pages and over HTTP: who may, what is refused, what adds up."""

import io
import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from registry import intervals, parameter_error, replay
from registry.db import transaction
from registry.worker import run_worker
from tests.web import record_world
from tests.web.conftest import PASSWORD, Machine
from web.formats import tonnes

FIELDS = {
    "name": "示例林业碳普惠",
    "adcode": "330802",
    "programme_id": record_world.PROGRAMME,
    "started_on": "2025-01-01",
    "crediting_from": "2025-01-01",
    "last_day": "2044-12-31",
}


@pytest.fixture(scope="module")
def town(pg, clone, tmp_path_factory):
    made = record_world.build(
        pg, clone, tmp_path_factory.mktemp("county"), tmp_path_factory.mktemp("state")
    )
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def desk(town):
    """A browser signed in as a desk: ``get(path)`` and ``post(path, **fields)``."""
    return lambda name: _Desk(town.app, name)


class _Desk:
    def __init__(self, app, name):
        self._client = app.test_client()
        if name:
            self.post("/sign-in", username=name, password=PASSWORD)

    def get(self, path):
        return self._client.get(path)

    def post(self, path, **fields):
        page = self._client.get("/sign-in" if path == "/sign-in" else "/").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        data = {"csrf_token": token, "request_key": uuid4().hex, **fields}
        return self._client.post(path, data=data)


def one(town, words, **row):
    with transaction(town.engine) as session:
        return session.scalar(text(words), row)


@pytest.fixture(scope="module")
def project(town, desk):
    """A project of the company with twelve parcels, approved and claimed, all on pages."""
    company = desk("company")
    sent = FIELDS | {"proponent_id": str(town.parties["company"])}
    here = company.post("/projects/new", **sent).headers["Location"]
    page = company.get(f"{here}/parcels").text
    assert "可以列入" in page
    assert company.post(f"{here}/parcels", parcel=town.ground[:12]).status_code == 303
    company.post(f"{here}/decisions", decision="submit")
    desk("county").post(f"{here}/decisions", decision="approve")
    desk("county2").post(f"{here}/claims")
    assert "有效" in company.get(here).text
    return here.rsplit("/", 1)[1]


def assessed(town, desk, project, kind, years):
    """Ask for a run on the page, let a worker do it, and return its page's address."""
    fields = {"scope": "project", "project_id": project, "kind": kind}
    made = desk("county").post(
        "/assessments/new", **fields, first_year=years[0], last_year=years[1]
    )
    assert made.status_code == 303, made.text
    job = made.headers["Location"]
    run_worker(town.engine, layer_dir=town.state / "layers", once=True)
    page = desk("county").get(job).text
    assert "已完成" in page
    return re.search(r'href="(/assessments/[0-9a-f-]{36})"', page)[1]


@pytest.fixture(scope="module")
def forecast(town, desk, project):
    return assessed(town, desk, project, "forecast", (2025, 2044))


@pytest.fixture(scope="module")
def monitored(town, desk, project):
    return assessed(town, desk, project, "monitored", (2025, 2025))


def submitted(desk, project, monitored):
    sent = {"first_year": "2025", "last_year": "2025", "uncertainty": "8"}
    run_id = monitored.rsplit("/", 1)[1]
    return desk("county").post(f"/projects/{project}/periods/new", **sent, run_id=run_id)


@pytest.fixture(scope="module")
def refused(desk, project, monitored):
    """A period that the verifier refused."""
    made = submitted(desk, project, monitored).headers["Location"]
    assert desk("verifier").post(f"{made}/refusal", reason="样地不足").status_code == 303
    return made


@pytest.fixture(scope="module")
def period(desk, project, monitored, refused):
    """A period over the same days, which waits for the verifier."""
    return submitted(desk, project, monitored).headers["Location"]


@pytest.fixture(scope="module")
def issued(desk, period):
    sent = {"verified": kg_of(desk, period), "statement": (io.BytesIO(b"statement"), "s.pdf")}
    assert desk("verifier").post(f"{period}/verification", **sent).status_code == 303
    assert desk("company").post(f"{period}/issuance").status_code == 303
    return re.search(r"CN-330802-FCS-\d{6}-\d{3}-2025", desk("company").get(period).text)[0]


def kg_of(desk, period):
    page = desk("verifier").get(period).text
    return re.search(r'name="verified"[^>]* value="([0-9.]+)"', page)[1]


def test_a_run_needs_a_scope_years_and_the_right_desk(desk, project):
    county = desk("county")
    answer = county.post("/assessments/new", scope="project", kind="forecast", first_year="20x5")
    assert answer.status_code == 422
    for name in ("project_id", "first_year", "last_year"):
        assert f'id="e-{name}"' in answer.text
    sent = {"scope": "project", "project_id": project, "kind": "forecast"}
    backwards = county.post("/assessments/new", **sent, first_year="2044", last_year="2025")
    assert backwards.status_code == 422
    assert desk("company").get("/assessments/new").status_code == 403
    assert desk("company").post("/assessments/new", **sent).status_code == 403
    for name, status in (("buyer", 403), ("company", 200), ("verifier", 200), ("auditor", 200)):
        assert desk(name).get("/assessments").status_code == status


def test_a_run_asked_for_twice_is_one_job(town, desk, project):
    sent = {"scope": "project", "project_id": project, "kind": "forecast", "request_key": "one run"}
    county = desk("county")
    first, again = (
        county.post("/assessments/new", **sent, first_year="2030", last_year="2031").headers
        for _ in range(2)
    )
    assert first["Location"] == again["Location"]
    job = first["Location"]
    assert county.post(f"{job}/cancel").status_code == 303
    assert one(town, "SELECT state FROM job WHERE id::text = :id", id=job.rsplit("/", 1)[1]) == (
        "cancelled"
    )


def test_the_years_of_a_run_are_the_sums_of_its_parcels(town, desk, forecast, monitored):
    run_id = forecast.rsplit("/", 1)[1]
    company = Machine(town.app, "company")
    page = company.get(f"/assessments/{run_id}").json
    parcels = company.get(f"/assessments/{run_id}/parcels").json["items"]
    assert len(parcels) == 12
    assert page["years"][-1]["stock_kg"] == sum(p["stock_kg"] for p in parcels)
    assert sum(y["net_kg"] for y in page["years"]) == sum(p["net_kg"] for p in parcels)
    shown = desk("company").get(forecast).text
    assert "监测" in shown  # both kinds in one chart
    assert page["other_run"] == monitored.rsplit("/", 1)[1]
    assert shown.count("怎么算的？") >= len(parcels)


def test_a_figure_is_told_back_to_areas_rows_and_layers(town, desk, forecast):
    run_id = forecast.rsplit("/", 1)[1]
    machine = Machine(town.app, "county")
    parcel = machine.get(f"/assessments/{run_id}/parcels?limit=1").json["items"][0]["id"]
    path = f"/assessments/{run_id}/parcels/{parcel}"
    told = machine.get(f"{path}/years/2030").json
    assert told["stock_kg"] == told["stock_sum"] * 44 // (12 * 10**8)
    before = machine.get(f"{path}/years/2029").json
    assert told["net_kg"] == told["stock_kg"] - before["stock_kg"]
    page = desk("county").get(f"{path}/2030")
    assert page.status_code == 200
    for layer in told["run"]["layers"]:
        assert layer["sha256"] in page.text
    for curve in {c["curve"] for c in told["cohorts"] if c["curve"]}:
        assert f'id="row-{curve}"' in page.text
    assert told["run"]["code_revision"] in page.text
    assert re.search("待核实|建议|推算|二手|已核对", page.text)
    assert desk("county").get(f"{path}/1999").status_code == 409
    assert desk("buyer").get(f"{path}/2030").status_code == 403
    latest = desk("county").get(f"/assessments/of/{parcel}?year=2030")
    assert latest.headers["Location"].endswith(f"{parcel}/2030")


def test_a_bundle_is_computed_again_from_its_file_alone(town, desk, forecast):
    run_id = forecast.rsplit("/", 1)[1]
    machine = Machine(town.app, "county")
    parcel = machine.get(f"/assessments/{run_id}/parcels?limit=1").json["items"][0]["id"]
    path = f"/assessments/{run_id}/parcels/{parcel}/2030"
    told = machine.get(f"/assessments/{run_id}/parcels/{parcel}/years/2030").json
    for name in ("county", "verifier", "auditor"):  # the verifier's project claims this ground
        assert f'href="{path}/bundle.zip"' in desk(name).get(path).text
        again = replay.rerun(desk(name).get(f"{path}/bundle.zip").data)
        assert again.same
        assert (again.stock_kg, again.net_kg) == (told["stock_kg"], told["net_kg"])
    assert desk("buyer").get(f"{path}/bundle.zip").status_code == 403
    with transaction(town.engine) as session:
        release = text("UPDATE claim SET status = 'released' WHERE parcel_id::text = :id")
        session.execute(release, {"id": parcel})
    assert desk("verifier").get(f"{path}/bundle.zip").status_code == 403
    assert "bundle.zip" not in desk("verifier").get(path).text
    with transaction(town.engine) as session:
        session.execute(text(str(release).replace("released", "active")), {"id": parcel})


def test_a_run_made_by_a_job_shows_how_sure_it_is(town, desk, project, forecast):
    run_id = forecast.rsplit("/", 1)[1]
    with transaction(town.engine) as session:
        kept = intervals.of_run(session, UUID(run_id))
        again = parameter_error.interval(session, UUID(run_id), seed=kept.seed, draws=kept.draws)
    assert kept == again
    assert kept.net.low_kg < kept.net.kg < kept.net.high_kg
    widest = max(kept.net.high_kg - kept.net.kg, kept.net.kg - kept.net.low_kg)
    for path in (forecast, f"/projects/{project}"):
        assert f"± {tonnes(widest)}" in desk("county").get(path).text
    assert str(kept.seed) in desk("county").get(forecast).text
    with transaction(town.engine) as session:  # nothing is said where nothing was drawn
        session.execute(text("SELECT set_config('tanhui.actor', '', true)"))
        assert intervals.of_run(session, UUID(run_id)) is None


def test_a_parcel_shows_how_sure_its_tonnes_are(town, desk, forecast):
    run_id, parcel = UUID(forecast.rsplit("/", 1)[1]), town.ground[0]
    with transaction(town.engine) as session:
        kept = intervals.of_run(session, run_id)
        mine = intervals.of_parcel(session, run_id, UUID(str(parcel)))
    assert (mine.seed, mine.draws) == (kept.seed, kept.draws)
    assert mine.years[-1].stock.low_kg <= mine.years[-1].stock.kg <= mine.years[-1].stock.high_kg
    page = desk("county").get(f"{forecast}/parcels/{parcel}").text
    for one_ in (mine.net, mine.years[-1].stock, mine.years[3].net):
        widest = max(one_.high_kg - one_.kg, one_.kg - one_.low_kg)
        assert f"± {tonnes(widest)}" in page
    told = desk("county").get(f"{forecast}/parcels/{parcel}/2030").text
    assert "地上生物质（AGB）" in told


def test_an_owners_account_shows_its_interval_or_that_there_is_none(town, desk, forecast):
    owner = one(town, "SELECT owner_id FROM parcel WHERE id = :id", id=town.ground[0])
    with transaction(town.engine) as session:
        ids = list(session.scalars(text("SELECT id FROM parcel WHERE owner_id = :o"), {"o": owner}))
        found = intervals.of_parcels(session, ids, kind="forecast")
    year = found[2030]
    # Curves without a published error do not spread: what is left may be a kilogram wide.
    assert year.net.low_kg <= year.net.kg <= year.net.high_kg
    page = desk("county").get(f"/parties/{owner}/account").text
    widest = max(year.net.high_kg - year.net.kg, year.net.kg - year.net.low_kg)
    assert f"± {tonnes(widest)}" in page


def test_a_projects_account_takes_rows_and_shows_both_sides(
    town, desk, project, forecast, monitored
):
    here, county = f"/projects/{project}/account", desk("county")
    page = county.get(here).text
    assert "预测不是减排量" in page
    assert desk("buyer").get(here).status_code in {403, 404}
    row = {"kind": "leakage", "year": "2044", "kg": "1500", "source": "放牧调查", "planned": "yes"}
    wrong = county.post(f"/projects/{project}/items", **row | {"kg": "", "year": "25"})
    assert wrong.status_code == 422
    assert county.post(f"/projects/{project}/items", **row).status_code == 303
    page = county.get(here).text
    assert page.count("放牧调查") == 2  # the row, and its line in the forecast
    told = Machine(town.app, "county").get(f"/projects/{project}/account").json
    assert told["sums"]["leakage_kg"] == 1500
    assert sum(one_["net_kg"] for one_ in told["years"]) == (
        told["sums"]["gross_kg"] - told["sums"]["leakage_kg"]
    )
    item = one(town, "SELECT id FROM project_item")
    path = f"/projects/{project}/items/{item}/withdrawal"
    assert county.post(path, reason="误填").status_code == 303
    assert county.get(here).text.count("放牧调查") == 0


def plot_rows(town, project, unit="厘米"):
    middle = (
        "SELECT {}(ST_PointOnSurface(v.geometry)) FROM claim c JOIN parcel_version v"
        " ON v.parcel_id = c.parcel_id AND v.version = c.version"
        " WHERE c.project_id::text = :id AND c.status = 'active' ORDER BY c.parcel_id LIMIT 1"
    )
    lon, lat = (one(town, middle.format(f), id=project) for f in ("ST_X", "ST_Y"))
    head = f"样地号,经度,纬度,半径(米),坡度(比值),调查日期,调查人,树种,胸径({unit}),树高(米)"
    rows = [
        f"{n},{lon},{lat},14.57,0.2,2025-11-03,李四,杉木,{12 + n},{10 + n}" for n in range(1, 6)
    ]
    return "\r\n".join([head, *rows]).encode("gb18030")


def test_a_verifier_enters_plots_sees_the_error_and_a_period_names_it(town, desk, project):
    here = f"/projects/{project}/plots"
    verifier, county = desk("verifier"), desk("county")
    for name, status in (("verifier", 200), ("county", 200), ("auditor", 200), ("buyer", 403)):
        assert desk(name).get(here).status_code == status
    slip = (io.BytesIO(plot_rows(town, project, "毫米")), "plots.csv")
    refused = verifier.post(here, survey_year="2025", table=slip)
    assert refused.status_code == 422
    assert "毫米" in refused.text
    for name in ("verifier", "county"):
        sent = (io.BytesIO(plot_rows(town, project)), "plots.csv")
        assert desk(name).post(here, survey_year="2025", table=sent).status_code == 303
    assert "核证样地" in verifier.get(here).text
    page = verifier.get(f"{here}?year=2025&origin=verifier").text
    assert page.count("李四") == 5
    more = {"number": "6", "lon": "0", "lat": "0", "shape": "circle", "size_m": "10",
            "slope": "0", "measured_on": "2025-11-05", "measured_by": "李四"}  # fmt: skip
    stems = {"stems": "杉木 14.2 11.5\n1度 12 9.4"}
    far = verifier.post(here, survey_year="2025", **more, **stems)
    assert far.status_code == 422  # the middle of the sea is not the project's ground
    assert desk("buyer").post(here, survey_year="2025").status_code == 403
    assert county.post(f"{here}/estimates", survey_year="2025").status_code == 303
    assert verifier.post(f"{here}/estimates", survey_year="2025").status_code == 303
    shown = county.get(here).text
    assert "相对半宽" in shown
    kept = one(town, "SELECT id FROM plot_estimate WHERE origin = 'project'")
    assert f'value="{kept}"' in county.get(f"/projects/{project}/periods/new").text
    gone = verifier.post(f"{here}/withdrawal", survey_year="2025", number="5", reason="界外")
    assert gone.status_code == 303
    assert verifier.get(f"{here}?year=2025&origin=verifier").text.count("李四") == 4
    assert county.get(f"{here}?year=2025&origin=project").text.count("李四") == 5


def test_plots_come_and_go_over_http_with_a_map_to_help(town, desk, project, monitored):
    machine = Machine(town.app, "county")
    middle = (
        "SELECT ST_AsText(ST_PointOnSurface(v.geometry)) FROM claim c JOIN parcel_version v"
        " ON v.parcel_id = c.parcel_id AND v.version = c.version"
        " WHERE c.project_id::text = :id AND c.status = 'active' ORDER BY c.parcel_id OFFSET :n"
    )
    points = [one(town, middle, id=project, n=n)[6:-1].split() for n in range(5)]
    sent = [
        {
            "number": f"h{n}",
            "lon": float(x),
            "lat": float(y),
            "shape": "circle",
            "size_m": 14.57,
            "slope": 0.2,
            "measured_on": "2025-11-03",
            "measured_by": "李四",
            "trees": [{"species": "杉木", "d_cm": 12 + n, "h_m": 10 + n}],
        }
        for n, (x, y) in enumerate(points)
    ]
    here = f"/projects/{project}/plots"
    body = {"origin": "project", "survey_year": 2023, "plots": sent}
    refused = machine.send(here, body)
    assert refused.status_code == 422  # measured two years after the survey's own
    body["survey_year"] = 2025
    answer = machine.send(here, body)
    assert answer.status_code == 201, answer.json
    found = machine.get(f"{here}?survey_year=2025").json["items"]
    assert {f"h{n}" for n in range(5)} <= {row["plot"]["number"] for row in found}
    asked = {"origin": "project", "survey_year": 2025, "estimator": "difference"}
    made = machine.send(f"{here}/estimates", asked)
    assert made.status_code == 201, made.json
    assert made.json["run_id"] == monitored.rsplit("/", 1)[1]
    assert made.json["assisted"]["relative_efficiency"] > 0
    assert machine.get(f"{here}/estimates").json["items"][0]["id"] == made.json["id"]
    assert Machine(town.app, "verifier").send(here, body).status_code == 403
    assert Machine(town.app, "buyer").get(f"{here}?survey_year=2025").status_code in {403, 404}
    page = desk("county").get(here).text
    assert "测算图加差值" in page
    for n in range(5):
        gone = {"origin": "project", "survey_year": 2025, "number": f"h{n}", "reason": "试"}
        assert machine.send(f"{here}/withdrawals", gone).status_code == 200


def test_what_happened_to_stands_comes_over_http_and_another_run_shows_it(town, desk, project):
    county, parcel = Machine(town.app, "county"), town.ground[1]
    here = f"/parcels/{parcel}/events"
    body = {"year": 2025, "kind": "snow", "intensity_ppm": 200000, "source": "雪灾调查"}
    made = county.send(here, body)
    assert made.status_code == 201, made.json
    assert county.send(here, body | {"kind": "meteor"}).status_code == 422
    assert Machine(town.app, "buyer").send(here, body).status_code in {403, 404}
    assert [one_["id"] for one_ in county.get(here).json["items"]] == [made.json["id"]]
    run = assessed(town, desk, project, "forecast", (2025, 2030))
    page = desk("county").get(f"{run}/parcels/{parcel}").text
    assert "计入 2025 年的林分事件" in page
    assert "snow 20.00%" in desk("county").get(f"{run}/parcels/{parcel}/2026").text
    back = county.send(f"{here}/{made.json['id']}/withdrawal", {"reason": "误报"})
    assert back.status_code == 200
    assert county.get(here).json["items"] == []


def test_another_county_sees_nothing_of_a_run(town, desk, forecast):
    with transaction(town.engine) as session:
        session.execute(
            text("UPDATE actor SET division_code = '330803000000' WHERE name = 'township 人'")
        )
    assert desk("township").get(forecast).status_code == 404
    assert Machine(town.app, "township").get("/assessments").json["items"] == []
    assert Machine(town.app, "township").get("/projects").json["items"] == []


def test_a_period_names_its_faults_and_takes_its_terms_from_the_programme(town, desk, project):
    path = f"/projects/{project}/periods/new"
    answer = desk("county").post(path, first_year="25", last_year="", uncertainty="viel")
    assert answer.status_code == 422
    for name in ("first_year", "last_year", "uncertainty", "run_id"):
        assert f'id="e-{name}"' in answer.text
    assert "artool14" in answer.text
    assert desk("company").get(path).status_code == 403


def test_a_period_shows_its_arithmetic_and_everybody_draws_the_same_sample(town, desk, period):
    period_id = period.rsplit("/", 1)[1]
    found = Machine(town.app, "verifier").get(f"/periods/{period_id}").json
    assert found["inputs"]["uncertainty"] == "2/25"
    assert found["inputs"]["non_permanence_share"] == "1/10"
    samples = [
        Machine(town.app, who).get(f"/periods/{period_id}/sample").json
        for who in ("verifier", "auditor")
    ]
    assert samples[0] == samples[1]
    assert samples[0]["size"] == 4  # of twelve
    larger = Machine(town.app, "verifier").get(f"/periods/{period_id}/sample?size=6").json
    assert larger["items"][:4] == samples[0]["items"]
    page = desk("verifier").get(period).text
    for word in ("项目储量变化", "减不确定性折减", "核证抽样", "核证声明"):
        assert word in page


def test_a_verifier_who_has_a_part_in_it_is_told_so_and_refused(town, desk, period):
    period_id = period.rsplit("/", 1)[1]
    body = {
        "verifier_id": str(town.parties["company"]),
        "verified_kg": 1,
        "statement_sha256": "00" * 32,
    }
    company = Machine(town.app, "company")
    assert company.send(f"/periods/{period_id}/verification", body).status_code == 403
    other = Machine(town.app, "verifier").send(f"/periods/{period_id}/verification", body)
    assert other.status_code == 403  # for another party
    with transaction(town.engine) as session:
        session.execute(
            text("UPDATE parcel SET owner_id = :v WHERE id = :p"),
            {"v": town.parties["verifier"], "p": town.ground[0]},
        )
        session.commit()
    page = desk("verifier").get(period).text
    assert "您不能核证这个监测期" in page
    assert "贵机构是项目地块的权利人" in page
    own = {**body, "verifier_id": str(town.parties["verifier"])}
    answer = Machine(town.app, "verifier").send(f"/periods/{period_id}/verification", own)
    assert (answer.status_code, answer.json["code"]) == (403, "VERIFIER_NOT_INDEPENDENT")
    with transaction(town.engine) as session:
        session.execute(
            text("UPDATE parcel SET owner_id = :o WHERE id = :p"),
            {"o": town.parties["company"], "p": town.ground[0]},
        )


def test_a_yes_needs_its_statement_and_no_more_than_is_creditable(desk, period):
    verifier = desk("verifier")
    answer = verifier.post(f"{period}/verification", verified="")
    assert answer.status_code == 422
    assert 'id="e-verified"' in answer.text
    assert 'id="e-statement"' in answer.text
    paper = {"statement": (io.BytesIO(b"x"), "x.pdf")}
    assert verifier.post(f"{period}/verification", verified="999999", **paper).status_code == 409
    assert verifier.post(f"{period}/refusal", reason=" ").status_code == 422
    assert desk("county").post(f"{period}/refusal", reason="不是我的事").status_code == 403


def test_a_refused_period_leaves_its_days_free_and_an_open_one_does_not(
    desk, project, monitored, refused, period
):
    page = desk("county").get(refused).text
    assert "样地不足" in page
    assert "核证不通过" in page
    assert submitted(desk, project, monitored).status_code == 409
    assert period != refused


def test_units_come_out_whole_and_their_page_tells_where_from(town, desk, period, issued):
    batch = Machine(town.app, "auditor").get(f"/batches/{issued}").json
    assert sum(batch["states"].values()) == batch["size_kg"]
    assert batch["parcels"] == 12
    page = desk(None).get(f"/batches/{issued}")
    assert page.status_code == 200
    for layer in batch["layers"]:
        assert layer["sha256"] in page.text
    names = one(town, "SELECT string_agg(DISTINCT code, '|') FROM parcel WHERE code IS NOT NULL")
    assert not any(code in page.text for code in names.split("|"))  # no plot
    assert "人</" not in page.text  # no person
    for who in ("auditor", "county", "company", "village", "farmer", "buyer"):
        seen = desk(who).get(f"/batches/{issued}").text
        for link in set(re.findall(r'href="(/assessments/[^"#]+)', seen)):
            assert desk(who).get(link).status_code == 200, (who, link)
    assert "/assessments/" in desk("auditor").get(f"/batches/{issued}").text
    assert desk(None).get("/batches/CN-330802-FCS-000001-999-2025").status_code == 404
    assert desk(None).get("/batches/nothing").status_code == 422
    assert issued in desk(None).get(f"/lookup?q={issued}").text
    assert desk("company").post(f"{period}/issuance").status_code == 303  # refused, and said
    assert one(town, "SELECT count(*) FROM batch") == 1


def test_units_pass_to_a_buyer_who_retires_a_part_and_gets_a_certificate(town, desk, issued):
    company, buyer = desk("company"), desk("buyer")
    held = one(
        town,
        "SELECT upper(serials) - 1 FROM unit_range WHERE status = 'held' AND closed_by IS NULL",
    )
    serial = f"{issued}-1-{held}"
    answer = company.post("/units/transfer", serial=serial, amount="x", receiver="没有这家")
    assert answer.status_code == 422
    assert 'id="e-amount"' in answer.text
    assert 'id="e-receiver"' in answer.text
    sent = {"serial": serial, "amount": "2.500", "receiver": "示例enterprise", "act": "donation"}
    first = company.post("/units/transfer", **sent, request_key="give")
    again = company.post("/units/transfer", **sent, request_key="give")
    assert first.status_code == again.status_code == 303
    holdings = Machine(town.app, "buyer").get(f"/parties/{town.parties['buyer']}/holdings").json
    assert holdings["kg"] == 2_500
    given = holdings["ranges"][0]["serial"]
    assert given == f"{issued}-{held - 2_499}-{held}"
    other = Machine(town.app, "company").get(f"/parties/{town.parties['buyer']}/holdings")
    assert other.status_code == 404
    answer = buyer.post("/units/retire", serial=given, amount="1")
    assert answer.status_code == 422
    for name in ("beneficiary", "beneficiary_location", "reporting_period"):
        assert f'id="e-{name}"' in answer.text
    sent = {
        "serial": given,
        "amount": "1",
        "beneficiary": "示例会议",
        "beneficiary_kind": "event",
        "beneficiary_location": "浙江衢州",
        "purpose": "other",
        "reporting_period": "2025",
    }
    too_much = buyer.post("/units/retire", **(sent | {"amount": "3"}))
    assert too_much.status_code == 422
    made = buyer.post("/units/retire", **sent)
    assert made.status_code == 303, made.text
    here = made.headers["Location"]
    assert company.get(here).status_code == 404
    certificate = buyer.post(f"{here}/certificate")
    assert certificate.status_code == 303
    page = desk(None).get(certificate.headers["Location"]).text
    assert "示例会议" in page
    assert "1.000" in page
    assert certificate.headers["Location"] in buyer.get("/units").text
    history = desk(None).get(f"/serials/{given}").text
    for word in ("捐赠", "签发", "注销使用", "已注销使用", "持有"):
        assert word in history
    assert "示例enterprise" not in history
    gone = buyer.post(
        "/units/retire", **(sent | {"serial": f"{issued}-{held}-{held}", "amount": ""})
    )
    assert gone.status_code == 409  # retired once is retired
    batch = Machine(town.app, "auditor").get(f"/batches/{issued}").json
    assert batch["states"]["retired"] == 1_000
    assert sum(batch["states"].values()) == batch["size_kg"]
    for name, status in (("verifier", 403), ("auditor", 403), ("buyer", 200)):
        assert desk(name).get("/units/retire").status_code == status
