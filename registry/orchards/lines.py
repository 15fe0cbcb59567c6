"""Lines of an orchard's book: what each kind needs, and what the science makes of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Final
from uuid import UUID

from registry.models import OrchardLine
from registry.orchards.accounts import decimal_text
from registry.orchards.errors import LineInvalidError
from sinks import emissions
from sinks.errors import DomainError
from sinks.exact import amount, total

FERTILISERS: Final = frozenset({"fertiliser", "organic"})
USES: Final = frozenset({"electricity", "residue_n", *emissions.CARBON_KINDS, *emissions.FUELS})
PRACTICES: Final = MappingProxyType(
    {"practice_grass": "grass", "practice_straw": "straw", "practice_organic": "organic"}
)
"""Kinds of the three dated practices, each with the share of the area and a photo."""

HARVEST: Final = "harvest"
KINDS: Final = FERTILISERS | USES | PRACTICES.keys() | {HARVEST}
UNITS: Final = MappingProxyType(
    dict.fromkeys(KINDS, ("kg",))
    | {"electricity": ("kWh",), "diesel": ("kg", "L"), "gasoline": ("kg", "L")}
    | dict.fromkeys(PRACTICES, ("share",))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """One line as somebody enters it; amounts are exact decimals, as text.

    Attributes
    ----------
    client_id : number given by the phone; the same number is the same line.
    quantity : fertiliser, fuel, fruit ... in ``unit``; for a practice the share of the area.
    n_kg, p2o5_kg, k2o_kg : nutrients in a fertiliser.
    premium_kg : part of a harvest that is premium grade.
    parcel_id : None for the whole orchard.
    evidence : reference of an invoice or record; empty for none.
    photo_sha256 : digest of a photo, in hexadecimal.
    """

    client_id: str
    kind: str
    on_date: date
    quantity: str
    unit: str
    product: str = ""
    n_kg: str = "0"
    p2o5_kg: str = "0"
    k2o_kg: str = "0"
    premium_kg: str | None = None
    parcel_id: UUID | None = None
    evidence: str = ""
    photo_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line as it stands; ``counts`` is false for reversed lines and reversals."""

    id: UUID
    client_id: str
    kind: str
    product: str
    quantity: str
    unit: str
    n_kg: str
    p2o5_kg: str
    k2o_kg: str
    premium_kg: str | None
    on_date: date
    parcel_id: UUID | None
    evidence: str
    photo_sha256: str | None
    reverses_id: UUID | None
    reason: str
    entered_by: UUID
    counts: bool

    @property
    def evidenced(self) -> bool:
        """Whether a record or a photo stands behind the line."""
        return bool(self.evidence or self.photo_sha256)


def check(entry: LineEntry, year: int) -> None:
    """Refuse a line that can never be counted.

    Raises
    ------
    LineInvalidError : ``field``, ``value``, ``needs``.
    DomainError : what the science refuses, such as litres without a density.
    """
    _is(entry.kind in KINDS, "kind", entry.kind, "/".join(sorted(KINDS)))
    _is(entry.on_date.year == year, "on_date", entry.on_date, str(year))
    _is(0 < len(entry.client_id) <= 80, "client_id", entry.client_id, "1-80")  # noqa: PLR2004
    units = UNITS[entry.kind]
    _is(entry.unit in units, "unit", entry.unit, "/".join(units))
    quantity = _number(entry.quantity, "quantity")
    for name in ("n_kg", "p2o5_kg", "k2o_kg"):
        _number(getattr(entry, name), name)
    _check_kind(entry, quantity)
    photo = entry.photo_sha256
    _is(photo is None or _is_sha256(photo), "photo_sha256", photo, "SHA-256")
    found = emissions.inventory(items([preview(entry)]), emissions.Setting(account_year=year))
    if found.findings:
        raise DomainError(found.findings[0].code, **found.findings[0].params)


def _check_kind(entry: LineEntry, quantity: Fraction) -> None:
    """Refuse what makes no sense for this kind."""
    if entry.kind in PRACTICES:
        _is(0 < quantity <= 1, "quantity", entry.quantity, "0 < share <= 1")
        return
    _is(quantity > 0, "quantity", entry.quantity, "> 0")
    nutrients = total(_number(v, "n_kg") for v in (entry.n_kg, entry.p2o5_kg, entry.k2o_kg))
    if entry.kind in FERTILISERS:
        _is(nutrients <= quantity, "n_kg", str(nutrients), f"<= {entry.quantity} kg")
        _is(bool(entry.product), "product", "", "product")
    else:
        _is(not nutrients, "n_kg", str(nutrients), "0")
    if entry.premium_kg is not None:
        premium = _number(entry.premium_kg, "premium_kg")
        fits = entry.kind == HARVEST and premium <= quantity
        _is(fits, "premium_kg", entry.premium_kg, f"harvest, <= {entry.quantity}")


def _is(holds: bool, field: str, value: object, needs: str) -> None:  # noqa: FBT001
    if not holds:
        raise LineInvalidError(field=field, value=str(value), needs=needs)


def _number(value: str, field: str) -> Fraction:
    """Exact amount of a decimal text; a fraction such as "1/3" is no amount people enter."""
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value):
        raise LineInvalidError(field=field, value=value, needs="0-999999999999.999999")
    return amount(value, name=field)


def _is_sha256(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def row(entry: LineEntry, **more: object) -> OrchardLine:
    """Return the row of a line; practices keep their share as such."""
    share = Decimal(entry.quantity) if entry.kind in PRACTICES else None
    return OrchardLine(
        client_id=entry.client_id,
        kind=entry.kind,
        product=entry.product,
        quantity=Decimal(entry.quantity),
        unit=entry.unit,
        n_kg=Decimal(entry.n_kg),
        p2o5_kg=Decimal(entry.p2o5_kg),
        k2o_kg=Decimal(entry.k2o_kg),
        area_share=share,
        premium_kg=None if entry.premium_kg is None else Decimal(entry.premium_kg),
        on_date=entry.on_date,
        parcel_id=entry.parcel_id,
        evidence=entry.evidence,
        photo_sha256=bytes.fromhex(entry.photo_sha256) if entry.photo_sha256 else None,
        **more,
    )


def same(entry: LineEntry, kept: OrchardLine) -> bool:
    """Whether a repeated line says what the kept one says."""
    again = row(entry)
    names = ("kind", "product", "quantity", "unit", "n_kg", "p2o5_kg", "k2o_kg", "premium_kg")
    more = ("on_date", "parcel_id", "evidence", "photo_sha256")
    return all(getattr(again, name) == getattr(kept, name) for name in (*names, *more))


def view(kept: OrchardLine, *, counts: bool) -> LineView:
    """Return a row as others see it."""
    return LineView(
        id=kept.id,
        client_id=kept.client_id,
        kind=kept.kind,
        product=kept.product,
        quantity=decimal_text(kept.quantity),
        unit=kept.unit,
        n_kg=decimal_text(kept.n_kg),
        p2o5_kg=decimal_text(kept.p2o5_kg),
        k2o_kg=decimal_text(kept.k2o_kg),
        premium_kg=None if kept.premium_kg is None else decimal_text(kept.premium_kg),
        on_date=kept.on_date,
        parcel_id=kept.parcel_id,
        evidence=kept.evidence,
        photo_sha256=kept.photo_sha256.hex() if kept.photo_sha256 else None,
        reverses_id=kept.reverses_id,
        reason=kept.reason,
        entered_by=kept.actor_id,
        counts=counts,
    )


def preview(entry: LineEntry) -> LineView:
    """Return an entry as the line it would be."""
    nobody = UUID(int=0)
    return view(row(entry, id=nobody, reason="", actor_id=nobody), counts=True)


def items(lines: Iterable[LineView]) -> list[emissions.Fertiliser | emissions.Use]:
    """Return the inputs of the lines that count; fruit and practices emit nothing."""
    made: list[emissions.Fertiliser | emissions.Use] = []
    for line in lines:
        if not line.counts:
            continue
        if line.kind in FERTILISERS:
            made.append(_fertiliser(line))
        elif line.kind in USES:
            made.append(
                emissions.Use(
                    ref=str(line.id),
                    kind=line.kind,
                    quantity=line.quantity,
                    unit=line.unit,
                    evidenced=line.evidenced,
                )
            )
    return made


def fertilisers(lines: Iterable[LineView]) -> list[emissions.Fertiliser]:
    """Return the fertilisers among the lines that count."""
    return [_fertiliser(line) for line in lines if line.counts and line.kind in FERTILISERS]


def _fertiliser(line: LineView) -> emissions.Fertiliser:
    return emissions.Fertiliser(
        ref=str(line.id),
        product=line.product,
        mass_kg=line.quantity,
        n_kg=line.n_kg,
        p2o5_kg=line.p2o5_kg,
        k2o_kg=line.k2o_kg,
        organic=line.kind == "organic",
        evidenced=line.evidenced,
    )


def harvest(lines: Iterable[LineView]) -> Mapping[str, Fraction]:
    """Return exact kilograms of fruit and of premium grade."""
    crops = [line for line in lines if line.counts and line.kind == HARVEST]
    return {
        "yield_kg": total(Fraction(line.quantity) for line in crops),
        "premium_kg": total(Fraction(line.premium_kg or "0") for line in crops),
    }


def practices(lines: Iterable[LineView]) -> tuple[str, ...]:
    """Return the practices carried out with a photo or a record behind them."""
    return tuple(
        sorted(
            {PRACTICES[x.kind] for x in lines if x.counts and x.kind in PRACTICES and x.evidenced}
        )
    )
