"""Forestry records of the parcels, with the field names of the sub-compartment survey."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.synthetic.layout import Layout
from geo.synthetic.mesh import generator
from geo.synthetic.orchards import Operator, planted_m2
from geo.synthetic.people import Owner, People
from geo.synthetic.places import Village
from geo.synthetic.stands import LAYER_YEAR, MOSO, SPECIES_NAMES, Stands
from sinks.units import ha_from_m2

SURVEYED_ON: Final = f"{LAYER_YEAR}-12-31"
_OWNER_SHARES: Final = {
    "carbon": (0.62, 0.15, 0.18, 0.05),
    "orchard": (0.30, 0.0, 0.70, 0.0),
    "tree": (1.0, 0.0, 0.0, 0.0),
}
"""Collective, co-operative, household, state farm by kind of parcel."""
_CATEGORY: Final = {"orchard": "economic", "tree": "greening"}
_DOCUMENT_NAMES: Final = {
    "transfer_contract": "流转合同",
    "forest_right_certificate": "林权证",
    "real_estate_certificate": "不动产权证书",
}
_LAND_CLASS: Final = {
    "orchard": ("0201", "果园"),
    "tree": ("0307", "其他林地"),
    "bamboo": ("0302", "竹林地"),
    "forest": ("0301", "乔木林地"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Who holds a parcel and by which document."""

    owner: Owner
    document: str
    number: str
    until: str


def parcel_numbers(villages: list[Village]) -> list[str]:
    """Village code, compartment (林班) and sub-compartment (小班): unique, 21 digits."""
    seen: dict[str, int] = {}
    numbers = []
    for village in villages:
        at = seen.get(village.code, 0)
        seen[village.code] = at + 1
        numbers.append(f"{village.code}{at // 100 + 1:04d}{at % 100 + 1:05d}")
    return numbers


def make_holdings(
    villages: list[Village], stands: Stands, people: People, operators: list[Operator], seed: int
) -> list[Holding]:
    """Draw an owner and a title for every parcel; operators hold their orchards by contract."""
    rng = generator(seed, 61)
    draws = rng.random((len(villages), 4))
    operator_of = {parcel: op for op in operators for parcel in op.parcels}
    holdings = []
    for i, village in enumerate(villages):
        operator = operator_of.get(i)
        if operator is not None:
            owner = Owner(
                id=operator.id,
                kind="cooperative",
                name=operator.name,
                village_code=village.code,
                uscc=operator.uscc,
            )
        else:
            owner = _owner(str(stands.kind[i]), village, people, draws[i])
        holdings.append(_title(i, owner, village, draws[i, 2], draws[i, 3]))
    return holdings


def _owner(kind: str, village: Village, people: People, draw: np.ndarray) -> Owner:
    shares = np.cumsum(_OWNER_SHARES[kind])
    choice = int(np.searchsorted(shares, draw[0], side="right"))
    if choice == 1:
        return people.cooperatives[int(draw[1] * len(people.cooperatives))]
    if choice == 2:  # noqa: PLR2004 - third of the four kinds
        households = people.households[village.code]
        return households[int(draw[1] * len(households))]
    return people.state_farm if choice == 3 else people.collectives[village.code]  # noqa: PLR2004


def _title(number: int, owner: Owner, village: Village, which: float, when: float) -> Holding:
    """Title document: registered right, old forest right certificate, or contract."""
    year = 2009 + int(when * 14)
    short = village.county_name
    if owner.kind == "cooperative":
        document, text = "transfer_contract", f"{short}流转〔{year}〕第{number:05d}号"
        until = year + 20 + int(which * 10)
    elif owner.kind == "household" or which < 0.3:  # noqa: PLR2004 - share of old certificates
        document, text = "forest_right_certificate", f"{short}林证字（{year}）第{number:06d}号"
        until = year + 30 + int(which * 20)
    else:
        document, text = "real_estate_certificate", f"浙（{year}）{short}不动产权第{number:07d}号"
        until = year + 50
    return Holding(owner=owner, document=document, number=text, until=f"{until}-12-31")


def parcel_records(
    layout: Layout,
    villages: list[Village],
    *,
    numbers: list[str],
    stands: Stands,
    holdings: list[Holding],
    operators: list[Operator],
) -> list[dict[str, object]]:
    """One flat record a parcel, in the order of the layout.

    Codes stand under the names that eligibility rules read (``tenure_type``, ``land_class`` ...),
    Chinese terms under those of the survey.
    """
    planted = {
        i: {"account_id": op.id, "planted_area_m2": planted_m2(mu)}
        for op in operators
        for i, mu in zip(op.parcels, op.planted_mu, strict=True)
    }
    return [
        {
            "parcel_no": numbers[i],
            "kind": str(stands.kind[i]),
            **_place(village, numbers[i]),
            **_stand(stands, i),
            "xbmj": round(ha_from_m2(float(layout.area_m2[i])), 4),
            **_holding(holdings[i]),
            **planted.get(i, {}),
        }
        for i, village in enumerate(villages)
    ]


def _place(village: Village, number: str) -> dict[str, object]:
    return {
        "ZLDWDM": village.code,
        "xian": village.county_code,
        "xian_mc": village.county_name,
        "xiang": village.town_code[6:],
        "xiang_mc": village.town_name,
        "cun": village.code[9:],
        "cun_mc": village.name,
        "lin_ban": number[12:16],
        "xiao_ban": number[16:],
    }


def _stand(stands: Stands, i: int) -> dict[str, object]:
    kind, species, age = str(stands.kind[i]), int(stands.species[i]), int(stands.recorded_age[i])
    forest = "bamboo" if species == MOSO else "forest"
    code, name = _LAND_CLASS[forest if kind == "carbon" else kind]
    planted = kind != "carbon" or int(stands.non_forest_years[i]) > 0
    welfare = kind == "carbon" and i % 3 == 0
    return {
        "land_class": code,
        "forest_category": _CATEGORY.get(kind, "public_welfare" if welfare else "commercial"),
        "DLBM": code,
        "DLMC": name,
        "di_lei": name,
        "sen_lin_lb": "公益林" if welfare else "商品林",
        "lin_zhong": "经济林" if kind == "orchard" else "用材林",
        "qi_yuan": "人工" if planted else "天然",
        "you_shi_sz": SPECIES_NAMES[species],
        "species_code": species,
        "pingjun_nl": age,
        "planting_year": LAYER_YEAR - age,
        "yu_bi_du": float(stands.canopy[i]),
        "po_du": round(float(stands.slope[i])),
        "hai_ba": round(float(stands.elevation[i])),
        "non_forest_years": int(stands.non_forest_years[i]),
        "surveyed_on": SURVEYED_ON,
    }


def _holding(holding: Holding) -> dict[str, object]:
    return {
        "owner_kind": holding.owner.kind,
        "owner_id": holding.owner.id,
        "owner_name": holding.owner.name,
        "tenure_type": holding.document,
        "tenure_type_name": _DOCUMENT_NAMES[holding.document],
        "tenure_document": holding.number,
        "tenure_until": holding.until,
    }
