"""What the pages ask of orchards: whom an actor sees, lists, the farmer's page, public pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from registry.errors import NotFoundError
from registry.models import Orchard, OrchardLabel
from registry.orchards import accounts, books, labels, rewards
from registry.orchards.books import BookView
from registry.orchards.labels import LabelView, PublicLabel
from registry.orchards.rewards import VoucherView
from registry.people import ActorView
from registry.reads.places import Page
from registry.reads.scope import scope_of
from sinks.labels import gate_holds, label_rule
from sinks.reward import Reward

YearNumber = Annotated[int, Field(ge=2000, le=2100)]

_SEEN: Final = (
    "(cast(:everything AS boolean) OR o.operator_id = cast(:party AS uuid)"
    " OR o.adcode LIKE cast(:prefix AS text) OR EXISTS (SELECT FROM orchard_plot k"
    "  JOIN parcel p ON p.id = k.parcel_id WHERE k.orchard_id = o.id"
    "  AND k.version = o.boundary_version AND p.division_code LIKE cast(:prefix AS text)))"
)
"""True for an account ``o`` that the actor may see; binds the values of a scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardQuery:
    """Which accounts, in which year, from where on."""

    year: YearNumber | None = None
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardLine:
    """An account in a list with its newest balance and verdict of the year."""

    id: UUID
    name: str
    operator: str
    crop: str
    planted_area_m2: str
    gate: bool
    year: int
    book: str
    balance: str | None
    e_kg: int | None
    s_kg: int | None
    net_kg: int | None
    label_number: str | None
    label: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardYearQuery:
    """One account in one year; the newest year that has a book if none is named."""

    orchard_id: UUID
    year: YearNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardPage:
    """The farmer's page: the account, its book of a year, its labels and vouchers."""

    orchard: accounts.OrchardView
    place: str
    year: int
    years: tuple[int, ...]
    book: BookView
    labels: tuple[LabelView, ...]
    vouchers: tuple[VoucherView, ...]
    reward: Reward


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchardById:
    """One account."""

    orchard_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicYear:
    """An approved year of an account, kg CO2e."""

    year: int
    e_kg: int
    s_kg: int
    net_kg: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStep:
    """A verdict in a history."""

    number: str
    year: int
    state: str
    grade: str
    valid_from: date
    valid_to: date
    appeal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOrchard:
    """What anyone may see of an account: no person's name, no place below the township."""

    id: UUID
    crop: str
    place: str
    operator: str | None
    planted_area_m2: str
    years: tuple[PublicYear, ...]
    labels: tuple[LabelStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelByNumber:
    """One label."""

    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPage:
    """What a label stands on, for anyone: measure, benchmark, cut-offs, evidence, history.

    ``x`` = intensity / benchmark; fractions are exact text.  ``rule`` holds the cut-offs and
    conditions as they stood when it was decided.
    """

    label: PublicLabel
    orchard_id: UUID
    x: str | None
    points: int
    digest: str
    rule: Mapping[str, Any]
    inputs: Mapping[str, Any]
    history: tuple[LabelStep, ...]


def require_orchard(session: Session, who: ActorView, orchard_id: UUID) -> None:
    """Refuse an account that the actor may not see.

    Raises
    ------
    NotFoundError : there is none, or it is outside the actor's division and party.
    """
    bound = {"id": orchard_id, **scope_of(who).params()}
    if session.execute(_ONE_SEEN, bound).first() is None:
        raise NotFoundError(what="orchard", id=orchard_id)


def orchard_list(session: Session, who: ActorView, query: OrchardQuery) -> Page[OrchardLine]:
    """Return the accounts the actor may see, by name; the latest year with a book if none."""
    scope = scope_of(who).params()
    year = query.year or session.scalar(_LAST_YEAR, scope) or 0
    bound = scope | {"year": year, "after": query.after, "limit": query.limit + 1}
    rows = session.execute(_LIST, bound).all()
    rule = label_rule("orchard-four-colours")
    items = [
        OrchardLine(
            id=row.id,
            name=row.name,
            operator=row.operator,
            crop=row.crop,
            planted_area_m2=accounts.decimal_text(row.planted_area_m2),
            gate=gate_holds([accounts.decimal_text(row.planted_area_m2)], rule),
            year=year,
            book=row.book or "none",
            balance=row.balance,
            e_kg=row.e_kg,
            s_kg=row.s_kg,
            net_kg=row.net_kg,
            label_number=row.label_number,
            label=row.label,
        )
        for row in rows[: query.limit]
    ]
    more = len(rows) > query.limit
    return Page(items=items, next=str(items[-1].id) if more else None)


def orchard_years(session: Session, who: ActorView) -> tuple[int, ...]:
    """Return the years in which the accounts the actor may see have books, newest first."""
    return tuple(session.scalars(_YEARS, scope_of(who).params()))


def orchard_page(session: Session, who: ActorView, query: OrchardYearQuery) -> OrchardPage:
    """Return an account with a year's book, labels and vouchers.

    Raises
    ------
    NotFoundError : there is none, or the actor may not see it.
    BoundaryDateError : the year lies before the account's first day.
    """
    require_orchard(session, who, query.orchard_id)
    years = books.years_of(session, query.orchard_id)
    newest = accounts.orchard_view(session, query.orchard_id)
    year = query.year or (years[-1] if years else newest.valid_from.year)
    held = accounts.orchard_view(session, query.orchard_id, year=year)
    return OrchardPage(
        orchard=held,
        place=place_of(session, held),
        year=year,
        years=tuple(sorted({*years, year})),
        book=books.book_view(session, held.id, year),
        labels=labels.labels_of(session, held.id),
        vouchers=tuple(rewards.vouchers(session, orchard_id=held.id)),
        reward=rewards.reward_of(session, held.id, year),
    )


def public_orchard(session: Session, _who: ActorView | None, query: OrchardById) -> PublicOrchard:
    """Return what anyone may see of an account: approved years and verdicts.

    Raises
    ------
    NotFoundError : there is no such account.
    """
    row = session.execute(_PUBLIC, {"orchard": query.orchard_id}).first()
    if row is None:
        raise NotFoundError(what="orchard", id=query.orchard_id)
    years = session.execute(_PUBLIC_YEARS, {"orchard": row.id})
    return PublicOrchard(
        id=row.id,
        crop=row.crop,
        place=row.place or row.adcode,
        operator=row.operator,
        planted_area_m2=accounts.decimal_text(row.planted_area_m2),
        years=tuple(PublicYear(**year._asdict()) for year in years),
        labels=_history(session, row.id),
    )


def label_page(session: Session, _who: ActorView | None, query: LabelByNumber) -> LabelPage:
    """Return what a label stands on, without any person's name.

    Raises
    ------
    NotFoundError : there is no such number.
    """
    label = labels.public_label(session, query.number)
    found = labels.public_rows(session, number=query.number)[0]
    return LabelPage(
        label=label,
        orchard_id=found.orchard_id,
        x=found.x,
        points=found.points,
        digest=bytes(found.digest).hex(),
        rule=found.rule,
        inputs=found.inputs,
        history=_history(session, found.orchard_id),
    )


def place_of(session: Session, orchard: accounts.OrchardView) -> str:
    """Return county and township by name, nothing below."""
    bound = {"orchard": orchard.id, "drawn": orchard.boundary_version}
    return session.scalar(_PLACE, bound) or orchard.adcode


def label_orchard(session: Session, number: str) -> UUID:
    """Return the account that a label belongs to.

    Raises
    ------
    NotFoundError : there is no such number.
    """
    found = session.scalar(select(OrchardLabel.orchard_id).where(OrchardLabel.number == number))
    if found is None:
        raise NotFoundError(what="label", id=number[:60])
    return found


def county_of(session: Session, orchard_id: UUID) -> str:
    """Return an account's county, 6 digits."""
    return session.get_one(Orchard, orchard_id).adcode


def _history(session: Session, orchard_id: UUID) -> tuple[LabelStep, ...]:
    return tuple(
        LabelStep(**{name: getattr(row, name) for name in LabelStep.__dataclass_fields__})
        for row in labels.public_rows(session, orchard_id=orchard_id)
    )


_ONE_SEEN = text(f"SELECT 1 FROM orchard o WHERE o.id = :id AND {_SEEN}")
_LAST_YEAR = text(
    f"SELECT max(k.year) FROM orchard_book k JOIN orchard o ON o.id = k.orchard_id WHERE {_SEEN}"
)
_YEARS = text(
    "SELECT DISTINCT k.year FROM orchard_book k JOIN orchard o ON o.id = k.orchard_id"
    f" WHERE {_SEEN} ORDER BY k.year DESC"
)
_LIST = text(
    "SELECT o.id, o.name, y.name AS operator, o.crop, b.planted_area_m2, k.status AS book,"
    " l.kind AS balance, l.e_kg, l.s_kg, l.net_kg, v.number AS label_number, v.label"
    " FROM orchard o JOIN party y ON y.id = o.operator_id"
    " JOIN orchard_boundary b ON b.orchard_id = o.id AND b.version = o.boundary_version"
    " LEFT JOIN orchard_book k ON k.orchard_id = o.id AND k.year = :year"
    " LEFT JOIN LATERAL (SELECT a.kind, a.e_kg, a.s_kg, a.net_kg FROM orchard_balance a"
    "  WHERE a.orchard_id = o.id AND a.year = :year"
    "  AND a.kind = CASE WHEN k.status = 'approved' THEN 'approved' ELSE 'draft' END"
    "  ORDER BY a.number DESC LIMIT 1) l ON true"
    " LEFT JOIN LATERAL (SELECT x.number, coalesce(nullif(x.grade, ''), x.state) AS label"
    "  FROM orchard_label x WHERE x.orchard_id = o.id AND x.year = :year"
    "  ORDER BY x.seq DESC LIMIT 1) v ON true"
    f" WHERE {_SEEN} AND (cast(:after AS uuid) IS NULL OR (o.name, o.id) >"
    "  (SELECT n.name, n.id FROM orchard n WHERE n.id = cast(:after AS uuid)))"
    " ORDER BY o.name, o.id LIMIT :limit"
)
_PUBLIC = text("SELECT * FROM public_orchard(:orchard)")
_PUBLIC_YEARS = text("SELECT * FROM public_orchard_years(:orchard)")
_PLACE = text("SELECT orchard_place(:orchard, :drawn)")
