"""What a programme's file must hold: read, checked with a finding for each fault, and frozen."""

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from geo.eligibility import RULES, Threshold
from registry.errors import RegistryError

KINDS: Final = ("carbon", "tree", "orchard")
SCHEMES: Final = ("ccer", "vcs", "inclusion", "ticket", "single_tree", "reward", "other")
AUTHORITIES: Final = ("local", "external")
MARKS: Final = ("read", "secondary", "recalled", "computed", "proposed")

SECTIONS: Final = frozenset(
    {
        "rules",
        "pools",
        "baseline",
        "crediting",
        "uncertainty",
        "non_permanence",
        "issuance",
        "sale",
        "waterfall",
        "mandate",
        "offers",
        "collection",
        "land",
        "stand",
        "fixation",
        "label",
        "reward",
    }
)
DEAD: Final = frozenset({"dead_wood", "litter", "soil"})
POOLS: Final = DEAD | {"above_ground", "below_ground", "shrub", "harvested_products"}
WARMTH: Final = "mean_temperature_c"
"""Of ``[pools]``: what a programme may count, and the yearly mean at which the dead ones decay."""

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "issuing_authority": AUTHORITIES,
    "scheme": SCHEMES,
}
_HEAD: Final = frozenset({"id", "version", "kind", "issuing_authority", "scheme", "methodology"})
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "carbon": ("scheme", "rules", "pools", "baseline", "crediting", "non_permanence"),
    "tree": ("rules", "crediting"),
    "orchard": ("rules", "label", "reward"),
}
_OVERLAP: Final = (("overlap_m2_max", "overlap_share_max"), ())
_THRESHOLDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "area_min": (("area_m2_min",), ("early_area_m2_min", "early_until_year")),
    "orchard_area_min": (("planted_mu_min",), ()),
    "width_min": (("width_m_min", "wide_share_min"), ()),
    "contiguity": (("gap_m_max", "part_m2_min"), ()),
    "canopy": (("canopy_share_min", "known_share_min"), ("canopy_share_max",)),
    "additionality": (("grounds", "excluded"), ()),
    "tenure": (("documents",), ()),
    "non_forest_years": (("years_min",), ()),
    "land_class_share": (("classes", "share_min"), ()),
    "economic_forest": (("excluded_land_classes",), ()),
    "slope": (("slope_deg_max", "method", "known_share_min"), ()),
    "wetland": _OVERLAP,
    "basic_farmland": _OVERLAP,
    "red_line": _OVERLAP,
    "other_programme": _OVERLAP,
}
"""Thresholds each rule needs and those it may have."""

_FIGURE: Final = frozenset({"value", "unit", "source", "mark", "checked_on"})
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class ProgrammeRefusedError(RegistryError):
    """A programme's file has faults; ``findings`` holds them all."""

    code = "PROGRAMME_REFUSED"

    def __init__(self, findings: list["ProgrammeFinding"]) -> None:
        self.findings = findings
        first = findings[0]
        super().__init__(count=len(findings), path=first.path, first=first.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFinding:
    """One fault of a programme's file: where, which, and what its message needs."""

    path: str
    code: str
    params: Mapping[str, object]

    def message_params(self) -> dict[str, object]:
        """Return what the message of ``code`` is formatted with."""
        return {"path": self.path, **self.params}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeView:
    """One version of a programme; each figure with unit, source and mark."""

    id: str
    version: str
    kind: str
    issuing_authority: str
    scheme: str | None
    methodology: str | None
    name_zh: str
    name_en: str
    rules: Mapping[str, Mapping[str, Threshold]]
    figures: Mapping[str, Threshold]
    """Every figure by its path in the file: ``crediting.years_min``, ``rules.slope.method``."""
    sections: Mapping[str, Any]
    """The file's sections as read; ``[sale]`` and ``[waterfall]`` are for options to check."""
    source: str
    sha256: str

    def settings(self, section: str) -> dict[str, Any]:
        """Return a section's values without their sources; empty where there is none.

        Options reads ``[sale]`` and ``[waterfall]`` in this form.
        """
        values = _plain(self.sections.get(section, {}))
        assert isinstance(values, dict)  # noqa: S101 -- checked when the file was read
        return values

    def figure(self, path: str) -> Threshold | None:
        """Return the figure at a path, with its source."""
        return self.figures.get(path)

    @property
    def is_local(self) -> bool:
        """Whether units of this programme are issued here (decision 3)."""
        return self.issuing_authority == "local"


def check(source: str) -> list[ProgrammeFinding]:
    """Return every fault of a programme's text; none means :func:`read` will take it."""
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        return [_found("", "PROGRAMME_SYNTAX", why=str(error))]
    found = [*_head(data), *_sections(data), *_pools(data), *_rules(data)]
    for path, value in _leaves({k: v for k, v in data.items() if k in SECTIONS - {"rules"}}):
        found.extend(_leaf(path, value))
    return found


def read(source: str) -> ProgrammeView:
    """Return the programme a text describes.

    Raises
    ------
    ProgrammeRefusedError : it has faults; the error carries all of them.
    """
    faults = check(source)
    if faults:
        raise ProgrammeRefusedError(faults)
    data = tomllib.loads(source)
    rules = {
        rule["rule"]: MappingProxyType(
            {key: threshold(figure) for key, figure in rule["thresholds"].items()}
        )
        for rule in data["rules"]
    }
    figures = {
        path: threshold(value)
        for path, value in _leaves({k: v for k, v in data.items() if k in SECTIONS - {"rules"}})
        if isinstance(value, dict)
    }
    for rule, values in rules.items():
        figures.update({f"rules.{rule}.{key}": value for key, value in values.items()})
    return ProgrammeView(
        id=data["id"],
        version=data["version"],
        kind=data["kind"],
        issuing_authority=data["issuing_authority"],
        scheme=data.get("scheme"),
        methodology=data.get("methodology"),
        name_zh=data["name"]["zh"],
        name_en=data["name"]["en"],
        rules=MappingProxyType(rules),
        figures=MappingProxyType(figures),
        sections=MappingProxyType({k: v for k, v in data.items() if k in SECTIONS}),
        source=source,
        sha256=hashlib.sha256(source.encode()).hexdigest(),
    )


def threshold(figure: Mapping[str, Any]) -> Threshold:
    """Return a checked figure of a file as the value that rules read."""
    return Threshold(
        value=figure["value"],
        unit=figure["unit"],
        source=figure["source"],
        mark=figure["mark"],
        checked_on=figure["checked_on"],
        note=figure.get("note", ""),
    )


def _found(path: str, code: str, **params: object) -> ProgrammeFinding:
    return ProgrammeFinding(path=path, code=code, params=params)


def _head(data: Mapping[str, Any]) -> Iterator[ProgrammeFinding]:
    """Faults of the lines before the sections."""
    for key in ("id", "version", "kind", "issuing_authority"):
        if key not in data:
            yield _found(key, "PROGRAMME_KEY_MISSING")
    for key in sorted(_HEAD & set(data)):
        yield from _word(key, data[key])
    name = data.get("name")
    for key in ("zh", "en"):
        if not isinstance(name, dict) or not isinstance(name.get(key), str):
            yield _found(f"name.{key}", "PROGRAMME_KEY_MISSING")


def _word(key: str, value: Any) -> Iterator[ProgrammeFinding]:  # noqa: ANN401
    """Fault of one line before the sections."""
    if not isinstance(value, str) or not value:
        yield _found(key, "PROGRAMME_VALUE", value=value, why="须为文字 must be text")
    elif key == "id" and not _ID.fullmatch(value):
        yield _found("id", "PROGRAMME_VALUE", value=value, why="a-z 0-9 -")
    elif key in _CHOICES and value not in _CHOICES[key]:
        yield _found(key, "PROGRAMME_VALUE", value=value, why=" / ".join(_CHOICES[key]))


def _sections(data: Mapping[str, Any]) -> Iterator[ProgrammeFinding]:
    """Sections that are unknown, missing or do not fit the kind of programme."""
    for key in data.keys() - SECTIONS - _HEAD - {"name"}:
        yield _found(key, "PROGRAMME_KEY_UNKNOWN")
    kind = data.get("kind")
    for key in _NEEDED.get(kind, ()) if isinstance(kind, str) else ():
        if key not in data:
            yield _found(key, "PROGRAMME_KEY_MISSING")
    for key in data.keys() & SECTIONS - {"rules", "offers"}:
        if not isinstance(data[key], dict):
            yield _found(key, "PROGRAMME_VALUE", value=data[key], why="须为一节 must be a section")
    yield from _fit(data)


def _fit(data: Mapping[str, Any]) -> Iterator[ProgrammeFinding]:
    """Sections that contradict the authority, and a crediting period without limits."""
    if data.get("issuing_authority") == "external":
        for key in sorted({"sale", "waterfall"} & data.keys()):
            yield _found(key, "PROGRAMME_EXTERNAL_SALE")
    issuance = data.get("issuance", {})
    forbidden = issuance.get("marks_forbidden", {}) if isinstance(issuance, dict) else {}
    given = forbidden.get("value", []) if isinstance(forbidden, dict) else []
    if not isinstance(given, list) or not set(given) <= set(MARKS):
        path, why = "issuance.marks_forbidden", " / ".join(MARKS)
        yield _found(path, "PROGRAMME_VALUE", value=given, why=why)
    if data.get("kind") == "carbon" and isinstance(data.get("crediting"), dict):
        for key in sorted({"years_min", "years_max"} - data["crediting"].keys()):
            yield _found(f"crediting.{key}", "PROGRAMME_KEY_MISSING")


def _pools(data: Mapping[str, Any]) -> Iterator[ProgrammeFinding]:
    """Pools that nobody knows, and dead pools counted without the temperature they decay at."""
    pools = data.get("pools", {})
    if not isinstance(pools, dict):
        return
    for key in sorted(pools.keys() - POOLS - {WARMTH}):
        yield _found(f"pools.{key}", "PROGRAMME_KEY_UNKNOWN")
    counted = {key for key, one in pools.items() if isinstance(one, dict) and one.get("value")}
    if counted & DEAD and WARMTH not in pools:
        yield _found(f"pools.{WARMTH}", "PROGRAMME_KEY_MISSING")
    warm = pools.get(WARMTH, {})
    value = warm.get("value", 0.0) if isinstance(warm, dict) else warm
    if isinstance(value, bool) or not isinstance(value, int | float) or not -30 < value < 40:  # noqa: PLR2004 -- of forests
        yield _found(f"pools.{WARMTH}", "PROGRAMME_VALUE", value=value, why="°C")


def _rules(data: Mapping[str, Any]) -> Iterator[ProgrammeFinding]:
    """Faults of the eligibility rules and their thresholds."""
    rules = data.get("rules", [])
    if not isinstance(rules, list):
        yield _found("rules", "PROGRAMME_VALUE", value=rules, why="[[rules]]")
        return
    seen: set[str] = set()
    for number, rule in enumerate(rules, start=1):
        name = rule.get("rule")
        if name not in RULES or name in seen:
            code = "PROGRAMME_RULE_TWICE" if name in seen else "PROGRAMME_RULE_UNKNOWN"
            yield _found(f"rules[{number}]", code, rule=name, known=", ".join(RULES))
            continue
        seen.add(name)
        yield from _rule(f"rules.{name}", name, rule.get("thresholds", {}))


def _rule(path: str, name: str, given: Any) -> Iterator[ProgrammeFinding]:  # noqa: ANN401
    needed, optional = _THRESHOLDS[name]
    if not isinstance(given, dict):
        yield _found(path, "PROGRAMME_VALUE", value=given, why="[rules.thresholds]")
        return
    for key in needed:
        if key not in given:
            yield _found(f"{path}.{key}", "PROGRAMME_KEY_MISSING")
    for key in given.keys() - set(needed) - set(optional):
        yield _found(f"{path}.{key}", "PROGRAMME_KEY_UNKNOWN")
    for key, value in given.items():
        if isinstance(value, dict):
            yield from _leaf(f"{path}.{key}", value)
        else:
            yield _found(f"{path}.{key}", "PROGRAMME_FIGURE_BARE", value=value)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield every figure and every bare value, with its path."""
    if isinstance(value, dict) and "value" not in value:
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from _leaves(below, f"{path}[{number}]")
    else:
        yield path, value


def _leaf(path: str, value: Any) -> Iterator[ProgrammeFinding]:  # noqa: ANN401
    """Faults of one figure; a bare text names something, a bare number has no source."""
    if not isinstance(value, dict):
        if not isinstance(value, str):
            yield _found(path, "PROGRAMME_FIGURE_BARE", value=value)
        return
    for key in sorted(_FIGURE - value.keys()):
        yield _found(f"{path}.{key}", "PROGRAMME_KEY_MISSING")
    for key in sorted(value.keys() - _FIGURE - {"note"}):
        yield _found(f"{path}.{key}", "PROGRAMME_KEY_UNKNOWN")
    yield from _figure(path, value)


def _figure(path: str, value: Mapping[str, Any]) -> Iterator[ProgrammeFinding]:
    """Faults of what is said about a figure."""
    if value.get("mark", MARKS[0]) not in MARKS:
        yield _found(f"{path}.mark", "PROGRAMME_VALUE", value=value["mark"], why=" / ".join(MARKS))
    if not isinstance(value.get("checked_on", date.min), date):
        given = value["checked_on"]
        yield _found(f"{path}.checked_on", "PROGRAMME_VALUE", value=given, why="YYYY-MM-DD")
    for key in ("unit", "source"):
        if not isinstance(value.get(key, "-"), str) or not value.get(key, "-"):
            yield _found(f"{path}.{key}", "PROGRAMME_VALUE", value=value[key], why="文字 text")


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a section without units, sources and marks."""
    if isinstance(value, dict):
        if "value" in value:
            return value["value"]
        return {key: _plain(below) for key, below in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
