"""Fifteen invented orchard operators whose books reach every outcome of the label rule.

Amounts a mu are set so that the emission intensity of an operator is `intensity` times that of
the reference operator; no emission factor is used here, the inputs are simply scaled together.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.random import Generator

from geo.synthetic.layout import Layout
from geo.synthetic.mesh import Ints, generator
from geo.synthetic.people import credit_code
from geo.synthetic.stands import LAYER_YEAR
from sinks.units import M2_PER_MU, mu_from_m2

BOOK_YEARS: Final = {2024: 1.0, 2025: 0.97}
"""Years with a book, and inputs against the first: the county gets a little better."""
_PLANTED_SHARE: Final = 0.92
_YIELD_KG_PER_MU: Final = 1_330
"""Reference operator; the county's huyou stands at about 1.28 t a mu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What an operator is meant to show.

    `outcome` is the label expected by construction: a colour, unlabelled, withheld, or None where
    it depends on a value the county sets. `organic_only` replaces all synthetic fertiliser.
    """

    name: str
    planted_mu: str
    intensity: float
    age: int
    outcome: str | None
    reason: str = ""
    organic_only: bool = False
    evidence: float = 0.95
    has_book: bool = True
    stage: str = "mature"


PROFILES: Final = (
    Profile(name="生态一号", planted_mu="60.5", intensity=0.9, age=11, outcome="dark_green",
            reason="organic only: net >= 0", organic_only=True),
    Profile(name="生态二号", planted_mu="50", intensity=1.1, age=13, outcome="dark_green",
            reason="exactly 50 mu, organic only: net >= 0", organic_only=True),
    Profile(name="减量一号", planted_mu="58", intensity=0.68, age=15, outcome="light_green",
            reason="x under 0.8 and net < 0"),
    Profile(name="减量二号", planted_mu="50", intensity=0.86, age=17, outcome="light_green",
            reason="exactly 50 mu"),
    Profile(name="减量三号", planted_mu="52", intensity=0.93, age=19, outcome="light_green"),
    Profile(name="常规大户", planted_mu="160", intensity=1.0, age=21, outcome="light_green",
            reason="the benchmark itself"),
    Profile(name="常规一号", planted_mu="55", intensity=1.09, age=18, outcome="yellow"),
    Profile(name="常规二号", planted_mu="51.2", intensity=1.14, age=24, outcome="yellow"),
    Profile(name="凭证不足", planted_mu="53", intensity=0.89, age=16, outcome="yellow",
            reason="evidence under 0.7 caps at yellow", evidence=0.45),
    Profile(name="高投入一号", planted_mu="57", intensity=1.36, age=22, outcome="red"),
    Profile(name="高投入二号", planted_mu="54", intensity=1.52, age=26, outcome="red"),
    Profile(name="待核用地", planted_mu="56", intensity=1.05, age=20, outcome="withheld",
            reason="permanent basic farmland conflict"),
    Profile(name="不足面积", planted_mu="49.99", intensity=0.96, age=14, outcome="unlabelled",
            reason="below the 50 mu gate"),
    Profile(name="未记台账", planted_mu="62", intensity=1.0, age=17, outcome="unlabelled",
            reason="no book", has_book=False),
    Profile(name="新植果园", planted_mu="51", intensity=0.8, age=4, outcome=None,
            reason="young trees: intensity a mu against the county's value", stage="young"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator with its parcels (positions in the layout) and the mu planted on each."""

    id: str
    profile: Profile
    parcels: tuple[int, ...]
    planted_mu: tuple[Decimal, ...]
    uscc: str

    @property
    def name(self) -> str:
        """Name of the co-operative."""
        return f"柯城区示例{self.profile.name}柑橘专业合作社"


def planted_m2(mu: Decimal) -> float:
    """Square metres of so many mu, rounded up to 1 cm2.

    A mu is 2000/3 m2, so rounding to nearest could lose a gate that is met exactly.
    """
    return math.ceil(Fraction(mu) * M2_PER_MU * 10_000) / 10_000


def assign_orchards(layout: Layout, citrus: Ints, county_of: list[str]) -> list[Operator]:
    """Give operators whole citrus parcels, from the west, until their planted area fits.

    Parameters
    ----------
    citrus : positions of parcels that carry citrus.
    county_of : county code of each parcel.
    """
    order = citrus[np.lexsort([citrus, np.round(layout.centre_m[citrus, 0], -3)])]
    queue = iter(order.tolist())
    operators = []
    for number, profile in enumerate(PROFILES, start=1):
        rest = Decimal(profile.planted_mu)
        parcels: list[int] = []
        planted: list[Decimal] = []
        while rest > 0:
            parcel = next(queue, None)
            if parcel is None:
                message = "the window has too little citrus land for the operators"
                raise AssertionError(message)
            room = mu_from_m2(float(layout.area_m2[parcel])) * _PLANTED_SHARE
            mu = min(rest, Decimal(str(np.floor(room * 10) / 10)))
            parcels.append(parcel)
            planted.append(mu)
            rest -= mu
        operators.append(
            Operator(
                id=f"ORC-{number:03d}",
                profile=profile,
                parcels=tuple(parcels),
                planted_mu=tuple(planted),
                uscc=credit_code("93", county_of[parcels[0]], 5_000 + number),
            )
        )
    return operators


def orchard_records(
    operators: list[Operator], parcel_no: list[str], seed: int
) -> list[dict[str, object]]:
    """Accounts with parcels and books, ready for `orchards.json`."""
    return [
        {
            "id": op.id,
            "name": op.name,
            "uscc": op.uscc,
            "crop": "huyou",
            "crop_name": "胡柚",
            "stage": op.profile.stage,
            "age": op.profile.age,
            "age_year": LAYER_YEAR,
            "planting_year": LAYER_YEAR - op.profile.age,
            "planted_mu": op.profile.planted_mu,
            "planted_m2": round(sum(planted_m2(mu) for mu in op.planted_mu), 4),
            "parcels": [
                {
                    "parcel_no": parcel_no[i],
                    "planted_mu": str(mu),
                    "planted_area_m2": planted_m2(mu),
                }
                for i, mu in zip(op.parcels, op.planted_mu, strict=True)
            ],
            "veto": "basic_farmland" if op.profile.outcome == "withheld" else None,
            "expected": {"label": op.profile.outcome, "reason": op.profile.reason},
            "books": _books(op, generator(seed, 500 + k)),
        }
        for k, op in enumerate(operators)
    ]


def _books(operator: Operator, rng: Generator) -> list[dict[str, object]]:
    if not operator.profile.has_book:
        return []
    return [_book(operator, year, rng) for year in BOOK_YEARS]


_CONVENTIONAL: Final = (
    # day, kind, product, kg a mu, share of N, P2O5, K2O
    ("03-08", "fertiliser", "compound_15_15_15", 50.0, (0.15, 0.15, 0.15)),
    ("06-22", "fertiliser", "compound_15_15_15", 50.0, (0.15, 0.15, 0.15)),
    ("07-16", "fertiliser", "urea", 20.0, (0.46, 0.0, 0.0)),
    ("11-20", "organic", "commercial_organic", 200.0, (0.02, 0.01, 0.01)),
)
_ORGANIC_ONLY: Final = (
    ("03-08", "organic", "rapeseed_cake", 50.0, (0.05, 0.02, 0.01)),
    ("11-20", "organic", "commercial_organic", 250.0, (0.02, 0.01, 0.01)),
)
_OTHER_INPUTS: Final = (
    ("04-25", "pesticide", "pesticide", 1.2, "kg"),
    ("05-30", "diesel", "diesel", 4.0, "kg"),
    ("08-10", "electricity", "electricity", 45.0, "kWh"),
)


def _book(operator: Operator, year: int, rng: Generator) -> dict[str, object]:
    """One year's book; inputs scale with the intensity, and with the small luck of the year."""
    profile = operator.profile
    mu = float(profile.planted_mu)
    scale = profile.intensity * mu * BOOK_YEARS[year]
    scale *= float(rng.uniform(0.995, 1.005))
    plan = _ORGANIC_ONLY if profile.organic_only else _CONVENTIONAL
    lines: list[dict[str, object]] = []
    for day, kind, product, kg, shares in plan:
        amount = round(kg * scale)
        n, p2o5, k2o = (round(amount * share, 2) for share in shares)
        lines.append(
            {"date": f"{year}-{day}", "kind": kind, "product": product, "amount": amount,
             "unit": "kg", "n_kg": n, "p2o5_kg": p2o5, "k2o_kg": k2o}
        )  # fmt: skip
    other = 0.25 if profile.organic_only else 1.0
    lines += [
        {"date": f"{year}-{day}", "kind": kind, "product": product,
         "amount": round(amount * scale * other, 1), "unit": unit}
        for day, kind, product, amount, unit in _OTHER_INPUTS
    ]  # fmt: skip
    if profile.stage == "young":
        lines.append(
            {"date": f"{year}-02-20", "kind": "film", "product": "plastic_film",
             "amount": round(1.5 * mu, 1), "unit": "kg"}
        )  # fmt: skip
    lines.sort(key=lambda line: (str(line["date"]), str(line["kind"])))
    _mark_evidence(lines, profile.evidence)
    return {
        "year": year,
        "lines": lines,
        "practices": _practices(profile, year),
        "yield_kg": _yield_kg(profile, mu, rng),
        "premium_share": round(float(rng.uniform(0.35, 0.7)), 2),
    }


def _mark_evidence(lines: list[dict[str, object]], share: float) -> None:
    """Put documents on every line, or on too few: synthetic nitrogen makes up most of E."""
    for number, line in enumerate(lines):
        weak = share <= 0.5 and line["kind"] == "fertiliser"  # noqa: PLR2004 - half
        line["evidence"] = None if weak else f"demo/invoice/{line['date']}-{number:02d}"


def _yield_kg(profile: Profile, mu: float, rng: Generator) -> int:
    a_mu = _YIELD_KG_PER_MU * float(rng.uniform(0.995, 1.005))
    if profile.stage == "young":
        a_mu *= 0.1
    if profile.organic_only:
        a_mu *= 0.8
    return round(a_mu * mu)


def _practices(profile: Profile, year: int) -> list[dict[str, object]]:
    """Grass, straw and organic fertiliser, dated, with the share of the area and a photo."""
    share = {"dark_green": 1.0, "light_green": 0.7, "yellow": 0.4}.get(profile.outcome or "", 0.2)
    if profile.intensity > 1:
        kinds: tuple[tuple[str, str], ...] = (("organic", "11-20"),)
    else:
        kinds = (("grass", "04-12"), ("straw", "10-28"), ("organic", "11-20"))
    return [
        {"date": f"{year}-{day}", "kind": kind, "area_share": share,
         "photo": f"demo/photo/{year}-{kind}.jpg"}
        for kind, day in kinds
    ]  # fmt: skip
