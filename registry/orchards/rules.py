"""What the orchard programme says: label rule, reward terms, all with the text they come from."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any, Final

from registry.errors import InvalidValueError
from sinks import tables
from sinks.errors import SinksError
from sinks.exact import exact
from sinks.labels import LabelRule, label_rule
from sinks.reward import RewardRule

PROGRAMME: Final = "orchard-label"
OVERRIDABLE: Final = frozenset(
    {
        "cuts",
        "coverage_min",
        "evidence_min",
        "net_condition",
        "benchmark_n_min",
        "tie_points_min",
        "tie_band",
        "organic_share_min",
    }
)
"""Fields of a label set that a county may set otherwise; they are stored with every run."""

Override = str | int | bool | list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardProgramme:
    """The programme as a run uses it."""

    id: str
    version: str
    sha256: bytes
    label_set: str
    reward: RewardRule
    voucher_days: int
    exclusive: bool


@cache
def programme() -> OrchardProgramme:
    """Return the orchard programme that ships with this program."""
    source = resources.files("registry").joinpath("programmes", f"{PROGRAMME}.toml").read_bytes()
    data = tomllib.loads(source.decode())
    terms = data["reward"]
    return OrchardProgramme(
        id=data["id"],
        version=data["version"],
        sha256=hashlib.sha256(source).digest(),
        label_set=data["label"]["set"],
        reward=RewardRule(
            unit=_value(terms, "net_unit"),
            fertiliser_t_per_t=exact(_value(terms, "fertiliser_t_per_t_net")),
            evidence_min=exact(_value(terms, "evidence_share_min")),
            step_kg=_value(terms, "step_kg"),
        ),
        voucher_days=_value(terms, "voucher_valid_days"),
        exclusive=_value(terms, "reward_and_sale") == "exclusive",
    )


def _value(part: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 -- TOML
    return part[name]["value"]


def rule_of(label_set: str, overrides: Mapping[str, Override]) -> LabelRule:
    """Return a label set's rule with a county's own values; its version says that it has some.

    Raises
    ------
    InvalidValueError : a field that may not be set, or values that make no rule.
    """
    unknown = sorted(overrides.keys() - OVERRIDABLE)
    if unknown:
        raise InvalidValueError(
            field="rule", value=", ".join(unknown), why="不可由县设定 not for a county to set"
        )
    try:
        base = label_rule(label_set)
        if not overrides:
            return base
        values = dict(tables.label_sets()[label_set]) | dict(overrides)
        return label_rule(label_set, values | {"version": f"{base.version}+county"})
    except SinksError as error:
        raise InvalidValueError(field="rule", value=label_set, why=error.code) from None


def plain_rule(rule: LabelRule | RewardRule) -> dict[str, Any]:
    """Return a rule as JSON: fractions as text."""
    return {
        name: [str(x) for x in value]
        if isinstance(value, tuple)
        else str(value)
        if isinstance(value, Fraction)
        else value
        for name, value in asdict(rule).items()
    }
