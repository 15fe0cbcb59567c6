"""Invented owners and buyers with unified social credit codes whose check digits hold."""

from dataclasses import asdict, dataclass
from typing import Final

from numpy.random import Generator
from stdnum.cn.uscc import calc_check_digit

from geo.synthetic.mesh import generator
from geo.synthetic.places import HOME_DISTRICT, Village

_ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_ORG_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HOUSEHOLDS_A_VILLAGE: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Holder of forest or orchard land; `kind` is collective, cooperative, household or state_farm.

    `uscc` is None for a household; all names of households are numbers, never persons.
    """

    id: str
    kind: str
    name: str
    village_code: str
    uscc: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Owners by kind and village, and the village and buyer records that go to files."""

    collectives: dict[str, Owner]
    cooperatives: list[Owner]
    households: dict[str, list[Owner]]
    state_farm: Owner
    villages: list[dict[str, object]]
    buyers: list[dict[str, object]]

    def every(self) -> list[dict[str, object]]:
        """All owners as records, ordered by id."""
        owners = [*self.collectives.values(), *self.cooperatives, self.state_farm]
        owners += [owner for group in self.households.values() for owner in group]
        return [asdict(owner) for owner in sorted(owners, key=lambda o: o.id)]


def organisation_code(number: int) -> str:
    """Nine characters after GB 11714; the first two are XN (虚拟): no registered body has them."""
    body = f"XN{number:06d}"
    weighted = zip(_ORG_WEIGHTS, body, strict=True)
    rest = -sum(weight * _ORG_ALPHABET.index(char) for weight, char in weighted) % 11
    return body + "0123456789X"[rest]


def credit_code(prefix: str, adcode: str, number: int) -> str:
    """Unified social credit code (GB 32100): prefix 91, 93, N3 ..., county, organisation, check."""
    body = f"{prefix}{adcode}{organisation_code(number)}"
    return body + str(calc_check_digit(body))


def make_people(villages: list[Village], seed: int) -> People:
    """Collectives, co-operatives, households, a state forest farm and buyers of the demo."""
    rng = generator(seed, 31)
    unique = sorted({v.code: v for v in villages}.values(), key=lambda v: v.code)
    collectives = {
        v.code: Owner(
            id=f"COL-{v.code}",
            kind="collective",
            name=v.collective,
            village_code=v.code,
            uscc=credit_code("N3", v.county_code, 1_000 + i),
        )
        for i, v in enumerate(unique)
    }
    cooperatives = [
        Owner(
            id=f"COP-{v.code}",
            kind="cooperative",
            name=f"{v.county_name}示例{v.name}林业专业合作社",
            village_code=v.code,
            uscc=credit_code("93", v.county_code, 2_000 + i),
        )
        for i, v in enumerate(unique[::2])
    ]
    households = {
        v.code: [
            Owner(
                id=f"HH-{v.code}-{k:03d}",
                kind="household",
                name=f"{v.name}示例农户{k:03d}",
                village_code=v.code,
                uscc=None,
            )
            for k in range(1, HOUSEHOLDS_A_VILLAGE + 1)
        ]
        for v in unique
    }
    return People(
        collectives=collectives,
        cooperatives=cooperatives,
        households=households,
        state_farm=Owner(
            id=f"SOF-{HOME_DISTRICT}",
            kind="state_farm",
            name="柯城区示例国有林场",
            village_code=unique[0].code,
            uscc=credit_code("12", HOME_DISTRICT, 3_000),
        ),
        villages=[_village_record(v, collectives[v.code], rng) for v in unique],
        buyers=_buyers(),
    )


def _village_record(village: Village, collective: Owner, rng: Generator) -> dict[str, object]:
    households = int(rng.integers(180, 520))
    members = round(households * float(rng.uniform(2.7, 3.4)))
    return {
        "code": village.code,
        "name": village.name,
        "town_code": village.town_code,
        "town_name": village.town_name,
        "county_code": village.county_code,
        "county_name": village.county_name,
        "collective_id": collective.id,
        "collective_name": collective.name,
        "uscc": collective.uscc,
        "households": households,
        "members": members,
        "entitled_voters": round(members * 0.78),
        "shares": members * 10,
        "bank_account": {
            "holder": collective.name,
            "kind": "basic",
            "number": f"DEMO{int(rng.integers(10**11, 10**12))}",
            "demo": True,
            "personal": False,
        },
    }


_BUYERS: Final = (
    ("enterprise", "91", "示例光伏材料有限公司", "年度碳中和"),
    ("enterprise", "91", "示例柑橘饮品股份有限公司", "产品碳中和"),
    ("enterprise", "91", "示例农村商业银行股份有限公司", "网点碳中和"),
    ("enterprise", "91", "示例物流有限公司", "运输抵消"),
    ("enterprise", "91", "示例会展服务有限公司", "会议碳中和"),
    ("association", "51", "示例异地商会", "一村万树认购"),
    ("institution", "12", "示例中学", "植树纪念"),
    ("person", None, "示例个人甲", "家庭纪念林"),
    ("person", None, "示例个人乙", "一村万树认购"),
)


def _buyers() -> list[dict[str, object]]:
    return [
        {
            "id": f"BUY-{i:03d}",
            "kind": kind,
            "name": name,
            "uscc": credit_code(prefix, HOME_DISTRICT, 4_000 + i) if prefix else None,
            "purpose": purpose,
            "bank_account": {"holder": name, "number": f"DEMO9{i:011d}", "demo": True},
        }
        for i, (kind, prefix, name, purpose) in enumerate(_BUYERS, start=1)
    ]
