"""Numbered trees and packs over HTTP and at the command line: who sees what, who may do what."""

import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from options import lots, pre_store, trees
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.people import AddActor, add_actor
from registry.programmes import store
from tests import factories
from tests.options.conftest import empty_walk, walk  # noqa: F401 -- fixtures
from tests.web.conftest import AT, HASH, PASSWORD
from web import database, tree_table
from web.accounts import logins
from web.app import create_app
from web.cli import app as tanhui
from web.config import Settings
from web.parsing import FieldsInvalidError

VILLAGE = "石梁村"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c636060"
    "606000000005000157a7b1d10000000049454e44ae426082"
)


@pytest.fixture
def grove(walk, tmp_path):  # noqa: F811
    """Tree ground of one village, logins of everyone concerned, and an API to call."""
    with transaction(walk.engine) as session:
        walk.program = walk.programme(session, unit="tree")
        walk.parcels[VILLAGE] = factories.parcel(session, walk.parties[VILLAGE], kind="tree")
    walk.claims[VILLAGE] = walk.project = None
    app = create_app(config=Settings(state_dir=tmp_path), engine=walk.engine)
    for role, party in (
        *(("buyer", "buyer"), ("company", "company"), ("collective", VILLAGE)),
        *(("auditor", None), ("verifier", "verifier"), ("bank", None)),
    ):
        base = {"at": AT, "actor_id": SYSTEM_ACTOR}
        command = AddActor(
            **base,
            key=f"a{role}",
            name=f"{role} 人",
            roles=[role],
            party_id=walk.parties[party] if party else None,
        )
        walk.people[role] = perform(walk.engine, add_actor, command).actor_id
        login = logins.AddLogin(
            **base,
            key=f"l{role}",
            username=role,
            password_hash=HASH,
            for_actor_id=walk.people[role],
        )
        perform(walk.engine, logins.add_login, login)
    walk.now = datetime.now(UTC) - timedelta(days=60)
    (at,) = walk.sql(
        "SELECT ST_X(c) AS lon, ST_Y(c) AS lat FROM (SELECT ST_PointOnSurface(geometry) AS c"
        " FROM parcel WHERE id = :id) p",
        id=walk.parcels[VILLAGE],
    )

    def call(path, who=None, body=None, **more):
        auth = (who, PASSWORD) if who else None
        if body is None and not more:
            return app.test_client().get(path, auth=auth)
        more.setdefault("headers", {"Idempotency-Key": uuid4().hex})
        return app.test_client().post(path, auth=auth, **({"json": body} if body else {}) | more)

    return SimpleNamespace(
        walk=walk, app=app, call=call, lon=at.lon, lat=at.lat, parcel=walk.parcels[VILLAGE]
    )


def rows(grove, numbers, **changes):
    facts = {"species": "闽楠", "lon": grove.lon, "lat": grove.lat, "planted_year": 2021}
    return {"trees": [{"number": n, **facts, **changes} for n in numbers]}


def listed(grove):
    """A hundred and ten trees, one pack of them on sale; returns lot and pack."""
    w = grove.walk
    path = f"/api/v1/parcels/{grove.parcel}/trees"
    assert grove.call(path, "collective", rows(grove, range(1, 111))).status_code == 201
    w.lot = w.draft(
        offers=((w.now.year, 1, 3_000_000),), run_id=None, number="YCWS-1", title="一村万树 01"
    ).lot_id
    w.run(trees.make_packs, trees.MakePacks, lot_id=w.lot, parcel_id=grove.parcel,
          packs=(tuple(range(1, 101)),))  # fmt: skip
    w.resolve(w.lot)
    w.run(pre_store.pre_store, pre_store.PreStore, lot_id=w.lot, exempt_reason="小额")
    w.run(lots.list_lot, lots.LotCommand, lot_id=w.lot)
    (pack,) = grove.call(f"/api/v1/lots/{w.lot}/packs").json["items"]
    return w.lot, pack


def test_a_village_registers_reports_and_replaces_its_trees_and_nobody_elses(grove):
    path = f"/api/v1/parcels/{grove.parcel}/trees"
    made = grove.call(path, "collective", rows(grove, [1, 2, 3], planted_on="2021-03-12"))
    assert (made.status_code, made.json["trees"]) == (201, 3)
    again = grove.call(path, "collective", rows(grove, [3]))
    assert (again.status_code, again.json["code"]) == (409, "TREE_NUMBER_TAKEN")
    assert grove.call(path, "buyer", rows(grove, [9])).status_code == 403
    assert grove.call(path, None, rows(grove, [9])).status_code == 401
    off = grove.call(path, "collective", rows(grove, [9], lon=grove.lon + 1))
    assert (off.status_code, off.json["code"]) == (422, "TREE_OUTSIDE_PARCEL")
    dead = {"numbers": [2], "live": False, "reason": "枯死"}
    assert grove.call(f"{path}/reports", "collective", dead).status_code == 200
    swap = {"replacements": [{"number": 2, "by": 3}], "reason": "补植"}
    assert grove.call(f"{path}/replacements", "collective", swap).status_code == 200
    found = grove.call(f"{path}?limit=2", "collective").json
    assert [(t["number"], t["status"], t["replaced_by"]) for t in found["items"]] == [
        (1, "live", None),
        (2, "dead", 3),
    ]
    assert found["next"] == 2
    (line,) = grove.call("/api/v1/groves", "collective").json["items"]
    assert (line["trees"], line["live"], line["dead"], line["free"]) == (3, 2, 1, 2)
    with transaction(grove.walk.engine) as session:
        elsewhere = factories.parcel(session, grove.walk.parties["second"], kind="tree")
    assert grove.call(f"/api/v1/parcels/{elsewhere}/trees", "collective").status_code == 404


def test_a_pack_is_public_without_places_and_persons_and_whole_to_its_buyer(grove):
    lot, pack = listed(grove)
    w = grove.walk
    bought = w.buy(lot, (w.now.year, 1))
    address = f"/api/v1/packs/{pack['pack_id']}"
    seen = grove.call(address)
    assert seen.status_code == 200
    assert seen.json["numbers"] == list(range(1, 101))
    said = json.dumps(seen.json, ensure_ascii=False)
    for secret in ("lon", '"lat"', "buyer", "绿源公司", str(grove.parcel)):
        assert secret not in said
    assert grove.call(f"{address}/record").status_code == 401
    assert grove.call(f"{address}/record", "bank").status_code == 404
    for who in ("buyer", "company", "collective", "auditor"):
        whole = grove.call(f"{address}/record", who).json
        assert whole["subscription_number"] == bought.number
        assert len(whole["members"]) == 100
        shapes = grove.call(f"{address}/features", who).json["features"]
        assert len(shapes) == 100
        assert shapes[0]["geometry"]["coordinates"] == pytest.approx([grove.lon, grove.lat])


def test_a_pack_of_a_lot_not_on_sale_is_nobody_elses_business(grove):
    lot, pack = listed(grove)
    grove.walk.run(lots.withdraw, lots.EndSale, lot_id=lot, reason="重新编包")
    assert grove.call(f"/api/v1/packs/{pack['pack_id']}").status_code == 404
    assert grove.call(f"/api/v1/lots/{lot}/packs").status_code == 404
    assert grove.call(f"/api/v1/packs/{pack['pack_id']}", "company").status_code == 200


def test_a_trees_photo_is_kept_for_who_may_see_it(grove):
    path = f"/api/v1/parcels/{grove.parcel}/trees"
    grove.call(path, "collective", rows(grove, [1]))

    def send(data, who="collective"):
        return grove.call(f"{path}/1/photo", who, data={"photo": (io.BytesIO(data), "t.png")})

    assert send(b"no photo").json["code"] == "PHOTO_INVALID"
    assert send(PNG).status_code == 201
    assert grove.call(f"{path}/1/photo", "collective").data == PNG
    assert grove.call(f"{path}/1/photo", "buyer").status_code == 404
    assert grove.call(f"{path}/2/photo", "collective").status_code == 404


def test_a_table_of_trees_is_imported_at_the_command_line_once(grove, monkeypatch, tmp_path):
    monkeypatch.setattr(database, "app_engine", lambda: grove.walk.engine)
    file = tmp_path / "trees.csv"
    file.write_bytes(
        "树号,树种,经度,纬度,种植日期,备注\r\n"
        f"1,银杏,{grove.lon},{grove.lat},2021-03-12,村口\r\n\r\n"
        f"2,浙江楠,{grove.lon},{grove.lat},2020,\r\n".encode("gb18030")
    )

    def run(*words):
        return CliRunner().invoke(tanhui, ["tree", *map(str, words), "--json"])

    assert json.loads(run("import", grove.parcel, file, "--dry-run").stdout)["trees"] == 2
    assert grove.walk.one("SELECT count(*) FROM tree") == 0
    first, second = run("import", grove.parcel, file), run("import", grove.parcel, file)
    assert json.loads(first.stdout) == json.loads(second.stdout)
    found = json.loads(run("list", grove.parcel).stdout)["items"]
    assert [(t["number"], t["species"], t["planted_on"]) for t in found] == [
        (1, "银杏", "2021-03-12"),
        (2, "浙江楠", None),
    ]
    assert json.loads(run("groves").stdout)["items"][0]["trees"] == 2


def test_every_fault_of_a_table_is_named_by_line_and_heading():
    data = "树号,树种,经度,纬度,种植日期\n1,,118.8,28.9,2021\nx,银杏,118.8,north,2021-13-01\n"
    with pytest.raises(FieldsInvalidError) as refused:
        tree_table.read_table(data.encode())
    assert [one.pointer for one in refused.value.errors] == [
        "/2/species",
        "/3/number",
        "/3/lat",
        "/3/planted",
    ]
    with pytest.raises(FieldsInvalidError) as refused:
        tree_table.read_table("树号,树种\n1,银杏\n".encode())
    assert [one.pointer for one in refused.value.errors] == ["/lon", "/lat", "/planted"]
    assert tree_table.read_table(tree_table.EXAMPLE.encode())[0].number == 1


def adopt(grove):
    """Let the packaged programme of village trees hold."""
    source = store.packaged()["one-village-ten-thousand-trees"]
    command = store.AdoptProgramme(at=AT, actor_id=SYSTEM_ACTOR, key="adopt", source=source)
    perform(grove.walk.engine, store.adopt, command)


def company_of_county(grove):
    """The company's desk, which answers for the ground of its county."""
    with transaction(grove.walk.engine) as session:
        factories.division(session)
        session.execute(
            text("UPDATE actor SET division_code = :code WHERE id = :id"),
            {"code": factories.COUNTY, "id": grove.walk.people["company"]},
        )
        session.execute(
            text("UPDATE parcel SET division_code = :code WHERE kind = 'tree'"),
            {"code": factories.VILLAGE},
        )


def table(grove, numbers, lon=None):
    lines = [f"{n},浙江楠,{lon or grove.lon},{grove.lat},2021-03-12" for n in numbers]
    return "\n".join(["树号,树种,经度,纬度,种植日期", *lines]).encode()


def test_a_village_enters_its_trees_on_the_page(grove):
    page = f"/trees/{grove.parcel}"
    send = grove.call
    sent = send(
        f"{page}/table",
        "collective",
        data={"table": (io.BytesIO(table(grove, range(1, 61))), "t.csv")},
    )
    assert sent.status_code == 303
    one = {
        "number": "61",
        "species": "银杏",
        "lon": str(grove.lon),
        "lat": str(grove.lat),
        "planted": "2020",
    }
    assert send(page, "collective", data=one).status_code == 303
    bad = table(grove, [61, 62], lon=118.0)
    faulty = send(f"{page}/table", "collective", data={"table": (io.BytesIO(bad), "t.csv")})
    assert faulty.status_code == 422
    assert "共 3 处要改" in faulty.text
    assert grove.walk.one("SELECT count(*) FROM tree") == 61
    for path, form in (
        ("reports", {"numbers": "3, 7-9", "live": "false", "reason": "冻害"}),
        ("replacements", {"number": "7", "by": "10", "reason": "补植"}),
    ):
        assert send(f"{page}/{path}", "collective", data=form).status_code == 303
    assert grove.walk.one("SELECT count(*) FROM tree WHERE status = 'dead'") == 4
    shown = send(page, "collective").text
    assert "由 10 号接替" in shown
    assert "下一页" in shown
    assert 'name="numbers"' not in send(page, "auditor").text
    assert send(page, "bank").status_code == 403
    photo = {"number": "1", "photo": (io.BytesIO(PNG), "t.png")}
    assert send(f"{page}/photos", "collective", data=photo).status_code == 303
    assert "看照片" in send(page, "collective").text
    index = send("/trees", "collective").text
    assert "57 / 61" in index
    shapes = send("/api/v1/groves/features", "collective").json["features"]
    assert [one["geometry"]["type"] for one in shapes].count("Point") == 61
    assert send("/trees/table.csv", "collective").data.startswith(b"\xef\xbb\xbf")


def test_a_company_drafts_packs_and_delivers_them_to_their_buyer(grove):
    adopt(grove)
    company_of_county(grove)
    w = grove.walk
    grove.call(f"/api/v1/parcels/{grove.parcel}/trees", "collective", rows(grove, range(1, 206)))
    assert "未编包 205 株，至多 2 包" in grove.call("/packs/new", "company").text
    form = {"number": "YCWS-1", "title": "一村万树 01", "term_years": "5", "price": "30000"}
    few = grove.call("/packs/new", "company", data=form | {f"packs-{grove.parcel}": "3"})
    assert few.status_code == 303
    assert w.one("SELECT count(*) FROM lot") == 0
    made = grove.call("/packs/new", "company", data=form | {f"packs-{grove.parcel}": "2"})
    page = made.headers["Location"]
    assert "YCWS-1-002" in grove.call(page, "company").text
    assert grove.call(page).status_code == 404
    w.lot = w.one("SELECT id FROM lot")
    w.resolve(w.lot)
    w.run(pre_store.pre_store, pre_store.PreStore, lot_id=w.lot, exempt_reason="小额")
    w.run(lots.list_lot, lots.LotCommand, lot_id=w.lot)
    matures = w.one("SELECT vintage FROM lot_offer")
    bought = w.buy(w.lot, (matures, 1))
    pack = w.one("SELECT id FROM tree_pack WHERE line_id IS NOT NULL")
    public = grove.call(f"/packs/{pack}").text
    assert "1–100" in public
    for secret in ("绿源公司", "data-map", "每一棵树", bought.number):
        assert secret not in public
    mine = grove.call(f"/packs/{pack}", "buyer").text
    assert "这是您认购的树包" in mine
    assert bought.number in mine
    assert f"/packs/{pack}" in grove.call(f"/subscriptions/{bought.subscription_id}", "buyer").text
    assert f"/packs/{pack}" in grove.call("/lookup?q=YCWS-1-001").text
    w.now = w.now.replace(year=matures, month=12, day=1)
    w.run(trees.deliver_trees, trees.DeliverTrees, lot_id=w.lot, vintage=matures)
    assert "已交付：" in grove.call(f"/packs/{pack}", "buyer").text
    assert w.one("SELECT count(*) FROM tree WHERE owner_id = :b", b=w.parties["buyer"]) == 50
    w.whole()
