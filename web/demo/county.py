"""The first step: divisions, parties, and one actor for each kind of user."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import shapely

from registry import divisions, people
from registry.db import SYSTEM_ACTOR
from web.demo.teller import Teller, Totals, at

DATA = Path(__file__).resolve().parent / "data"
DAY = date(2026, 1, 5)
ADCODE = "330802"

DESKS = {
    "township": "航埠镇 林业站 张伟",
    "county": "柯城区 林业局 李敏",
    "county2": "柯城区 林业局 王强",
    "county3": "柯城区 林业局 刘洋",
    "company": "两山公司 陈静",
    "company2": "两山公司 周涛",
    "company3": "两山公司 何平",
    "verifier": "核证机构 赵磊",
    "auditor": "审计 孙丽",
    "buyer": "示例光伏材料有限公司 吴婷",
}
"""Demo people at desks; numbered ones are the other person where two must act."""


def tell(teller: Teller) -> Totals:
    """Load divisions, parties and actors."""
    loaded = teller.do(
        divisions.load,
        divisions.LoadDivisions(
            at=at(DAY),
            actor_id=SYSTEM_ACTOR,
            key="story:divisions",
            valid_from_year=2023,
            source="国家统计局（china-division 2.7.0，MIT）；边界：天地图，示意",
            rows=list(division_rows()),
        ),
    )
    parties = dict(_parties(teller))
    teller.found["parties"] = parties
    for desk, name in DESKS.items():
        teller.do(people.add_actor, _actor(teller, desk, name))
    teller.check("divisions are loaded", holds=loaded.new > 0, figure=loaded.new)
    return {"divisions": loaded.new, "parties": len(parties), "actors": len(DESKS)}


def division_rows() -> Iterator[divisions.DivisionRow]:
    """Yield the province, the city and everything of Quzhou below it."""
    outlines = _outlines()
    yield divisions.DivisionRow(
        code="330000000000", name="浙江省", level="province", parent_code=None
    )
    yield divisions.DivisionRow(
        code="330800000000", name="衢州市", level="city", parent_code="330000000000"
    )
    with (DATA / "quzhou_division_codes.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            level = {"district": "county"}.get(row["level"], row["level"])
            parent = row["parent"] if level != "county" else "330800"
            yield divisions.DivisionRow(
                code=divisions.full_code(row["code"]),
                name=row["name"],
                level=level,
                parent_code=divisions.full_code(parent),
                boundary=outlines.get(row["code"]),
            )


def _outlines() -> dict[str, bytes]:
    path = DATA / "quzhou_districts_cgcs2000.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    made = {}
    for feature in features:
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        parts = shape.geoms if shape.geom_type == "MultiPolygon" else [shape]
        multi = shapely.MultiPolygon(list(parts))
        made[str(feature["properties"]["adcode"])] = shapely.to_wkb(multi)
    return made


def _parties(teller: Teller) -> Iterator[tuple[str, UUID]]:
    accounts = {v["collective_id"]: v["bank_account"] for v in teller.read("villages.json")}
    for owner in teller.read("owners.json"):
        bank = accounts.get(owner["id"], {})
        yield (
            owner["id"],
            _party(
                teller,
                owner["id"],
                owner["kind"],
                owner["name"],
                owner.get("uscc"),
                division=owner.get("village_code"),
                bank=bank.get("number"),
            ),
        )
    for buyer in teller.read("buyers.json"):
        yield (
            buyer["id"],
            _party(
                teller,
                buyer["id"],
                buyer["kind"],
                buyer["name"],
                buyer.get("uscc"),
                bank=buyer["bank_account"]["number"],
            ),
        )
    yield (
        "COMPANY",
        _party(
            teller,
            "COMPANY",
            "company",
            "柯城区两山生态资源开发运营有限公司（演示）",
            None,
            division=ADCODE,
        ),
    )
    yield "VERIFIER", _party(teller, "VERIFIER", "verifier", "示例林业科技信息研究所", None)


def _party(
    teller: Teller,
    reference: str,
    kind: people.PartyKind,
    name: str,
    uscc: str | None,
    *,
    division: str | None = None,
    bank: str | None = None,
) -> UUID:
    command = people.AddParty(
        at=at(DAY),
        actor_id=SYSTEM_ACTOR,
        key=f"story:party:{reference}",
        kind=kind,
        name=name,
        division_code=division,
        reference=reference,
        uscc=uscc,
        bank_account=bank,
        bank_account_kind="basic" if kind == "collective" and bank else None,
    )
    return teller.do(people.add_party, command).party_id


def _actor(teller: Teller, desk: str, name: str) -> people.AddActor:
    role = desk.rstrip("23")
    party = {"company": "COMPANY", "verifier": "VERIFIER", "buyer": "BUY-001"}.get(role)
    return people.AddActor(
        at=at(DAY),
        actor_id=SYSTEM_ACTOR,
        key=f"story:actor:{desk}",
        name=name,
        roles=[role],
        new_actor_id=teller.who(desk),
        division_code={"township": "330802101000", "buyer": None}.get(role, ADCODE),
        party_id=teller.found["parties"][party] if party else None,
    )
