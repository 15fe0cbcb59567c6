"""Orchard labels: sets of grades are data, the verdict a pure function of exact numbers.

Order: area gate, coverage, veto (withheld), data, measure against the benchmark, net condition,
tie-break, cap for thin evidence. A label is re-run, never edited.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sinks import tables
from sinks.errors import DomainError, TableError
from sinks.exact import Number, exact, total


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRule:
    """One label set; grades from best to worst, one cut fewer than grades."""

    key: str
    version: str
    measure: str  # intensity (smaller is better) | neutral_degree (larger is better)
    grades: tuple[str, ...]
    cuts: tuple[Fraction, ...]
    area_gate_m2_times_3: int
    coverage_min: Fraction
    evidence_min: Fraction
    evidence_cap: str
    net_condition: bool
    benchmark_n_min: int
    tie_points_min: int
    tie_band: Fraction
    organic_share_min: Fraction

    def __post_init__(self) -> None:
        order = sorted(self.cuts, reverse=self.measure == "neutral_degree")
        sound = (
            self.measure in {"intensity", "neutral_degree"}
            and len(self.grades) == len(self.cuts) + 1
            and list(self.cuts) == order
            and len(set(self.cuts)) == len(self.cuts)
            and self.evidence_cap in self.grades
        )
        if not sound:
            raise TableError("LABEL_RULE", key=self.key)


def label_rule(key: str, values: Mapping[str, Any] | None = None) -> LabelRule:
    """Rule of a label set, built in or given as the same mapping by a programme.

    Raises
    ------
    TableError : TABLE_NO_ROW; LABEL_RULE when a field is missing or the cuts make no sense.
    """
    sets = tables.label_sets()
    if values is None and key not in sets:
        raise TableError("TABLE_NO_ROW", key=key)
    data = sets[key] if values is None else values
    try:
        return LabelRule(
            key=key,
            version=str(data["version"]),
            measure=data["measure"],
            grades=tuple(data["grades"]),
            cuts=tuple(exact(cut, name="cut") for cut in data["cuts"]),
            area_gate_m2_times_3=int(data["area_gate_m2_times_3"]),
            coverage_min=exact(data["coverage_min"]),
            evidence_min=exact(data["evidence_min"]),
            evidence_cap=data["evidence_cap"],
            net_condition=bool(data["net_condition"]),
            benchmark_n_min=int(data["benchmark_n_min"]),
            tie_points_min=int(data["tie_points_min"]),
            tie_band=exact(data["tie_band"]),
            organic_share_min=exact(data["organic_share_min"]),
        )
    except (KeyError, TypeError):
        raise TableError("LABEL_RULE", key=key) from None


def gate_holds(planted_m2: Iterable[Number], rule: LabelRule) -> bool:
    """Whether 3 x the planted area reaches the gate, without any rounding; the gate is inside."""
    return 3 * total(exact(area, name="planted_m2") for area in planted_m2) >= (
        rule.area_gate_m2_times_3
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFigures:
    """One account year: emission, what it is divided by (kg fruit, or m2 by area), fixation."""

    e_kg: int
    quantity: Number
    s_kg: int = 0


def smoothed_measure(years: Sequence[YearFigures], rule: LabelRule) -> Fraction | None:
    """(E1 + E2) / (Q1 + Q2), or S over E for the neutral degree; one year if there is only one.

    None when there is nothing to divide by.
    """
    last = years[-2:]
    emission = total(Fraction(year.e_kg) for year in last)
    if rule.measure == "neutral_degree":
        return total(Fraction(year.s_kg) for year in last) / emission if emission else None
    quantity = total(exact(year.quantity, name="quantity") for year in last)
    return emission / quantity if quantity > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What intensities of a group are compared with; ``value`` None: there is none."""

    value: Fraction | None
    basis: str  # group | county | none
    n: int


def benchmark(
    members: Iterable[tuple[Number, Number]], rule: LabelRule, *, county_value: Number | None = None
) -> Benchmark:
    """Lower median of the group's intensities weighted by area, or the county's value.

    Parameters
    ----------
    members : (intensity, area) of each verified account of county, crop and tree stage last year.
    county_value : set by the bureau; used when the group is smaller than the rule asks.
    """
    group = sorted((exact(x), exact(area)) for x, area in members)
    if len(group) < rule.benchmark_n_min or not group:
        if county_value is None:
            return Benchmark(value=None, basis="none", n=len(group))
        return Benchmark(value=exact(county_value), basis="county", n=len(group))
    whole, reached = total(area for _, area in group), Fraction(0)
    if whole <= 0 or any(area < 0 for _, area in group):
        raise DomainError("BENCHMARK_AREA", n=len(group))
    for value, area in group:
        reached += area
        if 2 * reached >= whole:
            return Benchmark(value=value, basis="group", n=len(group))
    raise AssertionError("the weights add up to their sum")


def by_area(*, tree_stage_young: bool, yield_kg: Number, stage_median_kg: Number | None) -> bool:
    """Whether intensity goes by area, not fruit: young trees, or under a fifth of the median."""
    if tree_stage_young or exact(yield_kg) <= 0:
        return True
    return stage_median_kg is not None and 5 * exact(yield_kg) < exact(stage_median_kg)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCase:
    """Everything a verdict depends on.

    Attributes
    ----------
    years : one or two account years, oldest first; empty means no data.
    evidence_share : share of E in kg with evidence.
    organic_share : share of fertiliser nitrogen that is organic.
    vetoes : reasons to withhold, such as a boundary dispute.
    """

    planted_m2: tuple[Number, ...]
    coverage: Fraction
    years: tuple[YearFigures, ...]
    net_without_soil_kg: int = 0
    evidence_share: Fraction | None = None
    benchmark: Benchmark | None = None
    grass: bool = False
    straw: bool = False
    organic_share: Fraction | None = None
    vetoes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A verdict and why.

    Attributes
    ----------
    state : ``labelled``, ``unlabelled`` or ``withheld``.
    grade : one of the rule's grades, empty unless labelled.
    x : the measure, against the benchmark for intensities.
    reasons : codes of the steps that shaped the verdict, in order.
    """

    state: str
    grade: str
    x: Fraction | None
    points: int
    reasons: tuple[str, ...]
    rule_key: str
    rule_version: str
    digest: str


def practice_points(case: LabelCase, rule: LabelRule) -> int:
    """One point each for grass, straw, and enough organic nitrogen."""
    organic = case.organic_share is not None and case.organic_share >= rule.organic_share_min
    return int(case.grass) + int(case.straw) + int(organic)


def _blocked(case: LabelCase, rule: LabelRule) -> tuple[str, str] | None:
    """State and reason when no measure is looked at."""
    if not gate_holds(case.planted_m2, rule):
        return "unlabelled", "LABEL_AREA"
    if case.coverage < rule.coverage_min:
        return "unlabelled", "LABEL_COVERAGE"
    if case.vetoes:
        return "withheld", "LABEL_VETO"
    return None if case.years else ("unlabelled", "LABEL_NO_DATA")


def _measure(case: LabelCase, rule: LabelRule) -> tuple[Fraction | None, str]:
    """X, or None and why there is none."""
    value = smoothed_measure(case.years, rule)
    if value is None:
        return None, "LABEL_NO_QUANTITY"
    if rule.measure == "neutral_degree":
        return value, ""
    base = case.benchmark.value if case.benchmark else None
    if base is None or base <= 0:
        return None, "LABEL_NO_BENCHMARK"
    return value / base, ""


def _grade(x: Fraction, rule: LabelRule) -> int:
    """Place of the first grade whose cut holds x; cuts are inside the better grade."""
    sign = -1 if rule.measure == "neutral_degree" else 1
    return bisect_left([sign * cut for cut in rule.cuts], sign * x)


def _lifted(x: Fraction, place: int, points: int, rule: LabelRule) -> bool:
    """Whether practice lifts a grade: just beyond the better grade's cut, never more than one."""
    if not place or points < rule.tie_points_min or rule.measure == "neutral_degree":
        return False
    cut = rule.cuts[place - 1]
    return cut < x <= rule.tie_band * cut


def _graded(x: Fraction, points: int, case: LabelCase, rule: LabelRule) -> tuple[int, list[str]]:
    """Place among the grades and the reasons that moved it."""
    place, reasons = _grade(x, rule), []
    if _lifted(x, place, points, rule):
        place -= 1
        reasons.append("LABEL_TIE_BREAK")
    if rule.net_condition and place == 0 and case.net_without_soil_kg < 0:
        place = 1
        # A lift into the best grade that the net condition takes back is no lift.
        reasons = ["LABEL_NET_CONDITION"]
    cap = rule.grades.index(rule.evidence_cap)
    if (case.evidence_share or 0) < rule.evidence_min and place < cap:
        place = cap
        reasons.append("LABEL_EVIDENCE_CAP")
    return place, reasons


def decide(case: LabelCase, rule: LabelRule) -> Label:
    """Verdict of a case under a rule; the same inputs always give the same digest.

    Returns
    -------
    Label; no data, no benchmark or too small an area is unlabelled, never the worst grade; a veto
    withholds.
    """
    points = practice_points(case, rule)
    digest = hashlib.sha256(repr((rule, case)).encode()).hexdigest()

    def verdict(state: str, x: Fraction | None, grade: str, reasons: Sequence[str]) -> Label:
        return Label(
            state=state,
            grade=grade,
            x=x,
            points=points,
            reasons=tuple(reasons),
            rule_key=rule.key,
            rule_version=rule.version,
            digest=digest,
        )

    blocked = _blocked(case, rule)
    if blocked:
        return verdict(blocked[0], None, "", [blocked[1]])
    x, reason = _measure(case, rule)
    if x is None:
        return verdict("unlabelled", None, "", [reason])
    place, reasons = _graded(x, points, case, rule)
    return verdict("labelled", x, rule.grades[place], reasons)
