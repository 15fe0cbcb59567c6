"""The farmer's page: each line renews the draft, faults are told in place, others see no person."""

import io
import re

import pytest

from registry.db import transaction
from registry.orchards import labels
from tests.web.conftest import PASSWORD
from tests.web.orchard_world import PNG, YEAR, line, plant

PART = {"HX-Request": "true"}


@pytest.fixture(scope="module")
def orchard(town):
    return plant(town, west=118.64)


@pytest.fixture
def desk(town):
    """A browser signed in as a desk."""

    def open_(name):
        client = town.app.test_client()
        client.post("/sign-in", data=form(client, "/sign-in", username=name, password=PASSWORD))
        return client

    return open_


def form(client, path, **fields):
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)[1]
    return {"csrf_token": token, **fields}


def fertiliser(client, path, number=1, **more):
    fields = {
        "part": "input",
        "client_id": f"p{number}",
        "kind": "fertiliser",
        "product": "compound",
        "quantity": "600",
        "on_date": f"{YEAR}-03-01",
        "n_percent": "15",
        "p2o5_percent": "15",
        "k2o_percent": "15",
        "evidence": "票 7",
    }
    return form(client, path, **(fields | more))


def test_a_line_renews_the_draft_in_place_and_twice_is_once(desk, orchard):
    client = desk(orchard.login)
    path = f"{orchard.path}?year={YEAR}"
    assert "这一年还没有记账" in client.get(path).text
    sent = fertiliser(client, path)
    lines = f"{orchard.path}/books/{YEAR}/lines"
    answer = client.post(lines, data=sent, headers=PART)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="book"')
    assert "净碳汇" in answer.text
    assert "化肥 · 复合肥" in answer.text
    assert "氧化亚氮" in answer.text
    again = client.post(lines, data=sent | {"request_key": "other"}, headers=PART)
    assert "台账（1 笔）" in again.text
    plain = client.post(lines, data=fertiliser(client, path, 2))
    assert plain.status_code == 303
    assert "台账（2 笔）" in client.get(plain.headers["Location"]).text


def test_faults_stand_beside_their_fields_and_what_was_typed_stays(desk, orchard):
    client = desk(orchard.login)
    path = f"{orchard.path}?year={YEAR}"
    sent = fertiliser(client, path, 3, quantity="六百", n_percent="150", evidence="我的票")
    lines = f"{orchard.path}/books/{YEAR}/lines"
    answer = client.post(lines, data=sent, headers=PART)
    assert answer.status_code == 422
    assert answer.text.count("field-error") == 2
    assert "我的票" in answer.text
    wrong_year = fertiliser(client, path, 4, on_date="2019-03-01")
    answer = client.post(lines, data=wrong_year, headers=PART)
    assert "怎么改" in answer.text
    client.set_cookie("tanhui_language", "en")
    assert "Correct the field" in client.post(lines, data=wrong_year, headers=PART).text


def test_what_has_no_factor_is_named_and_not_a_zero(desk, orchard):
    client = desk(orchard.login)
    path = f"{orchard.path}?year={YEAR}"
    sent = fertiliser(client, path, 5, kind="organic", product="commercial_organic", n_percent="2")
    answer = client.post(f"{orchard.path}/books/{YEAR}/lines", data=sent, headers=PART)
    assert "没有计入（待核实）" in answer.text
    assert "有机肥生产" in answer.text


def test_a_practice_brings_its_photo(desk, orchard):
    client = desk(orchard.login)
    path = f"{orchard.path}?year={YEAR}"
    sent = form(
        client,
        path,
        part="practice",
        client_id="g1",
        kind="practice_grass",
        area_percent="80",
        on_date=f"{YEAR}-04-02",
    )
    lines = f"{orchard.path}/books/{YEAR}/lines"
    bad = client.post(lines, data=sent | {"photo": (io.BytesIO(b"GIF89a"), "a.gif")}, headers=PART)
    assert bad.status_code == 422
    assert "JPEG" in bad.text
    good = client.post(lines, data=sent | {"photo": (io.BytesIO(PNG), "草.png")}, headers=PART)
    assert good.status_code == 200
    assert "面积 80.0%" in good.text
    address = re.search(r'href="(/orchards/[^"]+/photos/[0-9a-f]{64})"', good.text)[1]
    assert client.get(address).mimetype == "image/png"
    assert desk("other").get(address).status_code == 404


def test_the_way_of_a_book_and_what_anyone_sees(desk, town, orchard, client):
    farmer, county = desk(orchard.login), desk("county")
    path = f"{orchard.path}?year={YEAR}"
    book = f"{orchard.path}/books/{YEAR}"
    farmer.post(f"{book}/lines", data=fertiliser(farmer, path), headers=PART)
    harvest = form(
        farmer,
        path,
        part="harvest",
        client_id="h1",
        kind="harvest",
        quantity="60000",
        premium_kg="30000",
        on_date=f"{YEAR}-12-01",
        evidence="磅单",
    )
    assert farmer.post(f"{book}/lines", data=harvest, headers=PART).status_code == 200
    assert farmer.post(f"{book}/submission", data=form(farmer, path)).status_code == 303
    assert "记入台账" not in farmer.get(path).text
    assert "批准台账" not in farmer.get(path).text
    assert desk("other").get(path).status_code == 404
    back = form(county, path, decision="return", reason="缺产量票据")
    assert county.post(f"{book}/decisions", data=back).status_code == 303
    assert "缺产量票据" in farmer.get(path).text
    farmer.post(f"{book}/submission", data=form(farmer, path))
    county.post(f"{book}/decisions", data=form(county, path, decision="approve"))
    sent = form(county, f"/labels?year={YEAR}", adcode="330802", year=str(YEAR))
    assert county.post("/labels/runs", data=sent).status_code == 303
    with transaction(town.engine) as session:
        (number,) = [row.number for row in labels.labels_of(session, orchard.id)]
    label = client.get(f"/labels/{number}")
    assert label.status_code == 200
    assert "<svg" in label.text
    assert number in label.text
    assert "张三" not in label.text
    shown = client.get(f"{orchard.path}/public")
    assert number in shown.text
    assert "张三" not in shown.text
    appeal = form(farmer, path, reason="基准不对")
    moved = farmer.post(f"/labels/{number}/appeals", data=appeal)
    assert moved.status_code == 303
    assert "已有更新的结果" in client.get(f"/labels/{number}").text
    assert "公开页" not in client.get(f"/lookup?q={orchard.id}").text
    assert f"{orchard.path}/public" in client.get(f"/lookup?q={orchard.id}").text
    assert f"/labels/{number}" in client.get(f"/lookup?q={number}").text
    listed = county.get(f"/orchards?year={YEAR}").text
    assert "张三果园" in listed
    assert moved.headers["Location"].rpartition("/")[2] in county.get("/labels").text
    page = county.get(f"/county?year={YEAR}")
    assert page.status_code == 200
    assert page.text.count("<svg") >= 4
    assert desk("buyer").get("/county").status_code == 403


def test_the_farmers_page_is_small_however_long_the_book(desk, machine, orchard):
    lines = [line(number, quantity=str(number)) | {"n_kg": "0"} for number in range(1, 61)]
    for entry in lines:
        entry["on_date"] = "2026-03-02"
    path = f"{orchard.path}/books/2026/lines"
    assert machine(orchard.login).send(path, {"lines": lines}).status_code == 201
    client = desk(orchard.login)
    page = client.get(f"{orchard.path}?year=2026")
    assert len(page.data) <= 60 * 1024
    assert "看全部 60 笔" in page.text
    assert client.get(f"{orchard.path}?year=2026&lines=all").text.count("记错了") == 60


def test_methods_are_searched_and_every_row_has_its_mark(client):
    page = client.get("/methods")
    assert page.status_code == 200
    for anchor in ('id="area"', 'id="overlap"', 'id="orchard"'):
        assert anchor in page.text
    found = client.get("/methods?q=EF1_synth_wet").text
    assert "0.016" in found
    assert "二手" in found
    assert "没有符合的参数" in client.get("/methods?q=没有这个").text
    assert "下一页" in page.text
    programme = client.get("/methods/programmes/orchard-label")
    assert "planted_mu_min" in programme.text.replace("<wbr>", "")
    assert client.get("/methods/programmes/none").status_code == 404


def test_findings_say_what_to_bring(desk, orchard, machine):
    from registry.programmes.store import packaged

    machine("county").send("/programmes", {"source": packaged()["orchard-label"]})
    client = desk("township")
    path = f"/parcels/{orchard.parcel}/findings"
    assert "还没有按项目规则核查" in client.get(path).text
    sent = form(client, path, programme_id="orchard-label")
    assert client.post(path, data=sent).status_code == 303
    shown = client.get(path).text
    assert "需补充资料" in shown
    assert "要带什么" in shown
    assert desk("other").get(path).status_code == 404
