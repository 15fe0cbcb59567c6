"""What the attributes of a plot must not say: values no stand can have, species nobody knows."""

from collections.abc import Iterator, Mapping
from functools import cache

from registry.places import RowFinding
from sinks import tables

AGE_FIELDS = ("pingjun_nl", "平均年龄", "林龄", "stand_age")
SPECIES_FIELDS = ("you_shi_sz", "优势树种", "树种")
SPECIES_CODE_FIELDS = ("species_code",)


def attribute_findings(row: int, attributes: Mapping[str, object]) -> Iterator[RowFinding]:
    """Yield what is wrong with one row's attributes; missing ones are the rules' business."""
    for field in AGE_FIELDS:
        age = _number(attributes.get(field))
        if age is not None and age < 0:
            yield RowFinding(
                row=row,
                code="ATTR_AGE_NEGATIVE",
                severity="refused",
                params={"field": field, "value": age},
            )
    for field in SPECIES_FIELDS:
        named = attributes.get(field)
        if isinstance(named, str) and named.strip() and named.strip() not in known_species():
            yield _unknown(row, field, named)
    for field in SPECIES_CODE_FIELDS:
        code = _number(attributes.get(field))
        if code is not None and code not in known_codes():
            yield _unknown(row, field, code)


@cache
def known_species() -> frozenset[str]:
    """Return every species or group name of the tables, in Chinese and as a key."""
    names: set[str] = set()
    for key, row in tables.species().items():
        names.update((key, row.species_cn, *row.species_cn.split("|")))
    for code in tables.species_codes().values():
        names.update((code.key, code.name_cn))
    return frozenset(names | {"常绿阔叶树", "无林木", "柑橘", "胡柚", "毛竹"})


@cache
def known_codes() -> frozenset[int]:
    """Return the species codes that rasters and plots may use."""
    return frozenset(row.code for row in tables.species_codes().values())


def _unknown(row: int, field: str, value: object) -> RowFinding:
    return RowFinding(
        row=row,
        code="ATTR_SPECIES_UNKNOWN",
        severity="questioned",
        params={"field": field, "value": value},
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value in (None, ""):
        return None
    try:
        return float(str(value))
    except ValueError:
        return None
