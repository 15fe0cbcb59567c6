"""An operator with plots and a year's lines, for the tests of orchards."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

from sqlalchemy import Engine

from registry.db import perform, transaction
from registry.orchards import accounts, books
from registry.orchards.lines import LineEntry
from tests import factories

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_keys = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who acts in a test."""

    engine: Engine
    township: UUID
    county: UUID
    county2: UUID

    def do(self, verb, kind, who=None, /, *, key=None, at=AT, **fields):
        """Let a command act as the township, or as ``who``."""
        command = kind(
            at=at, actor_id=who or self.township, key=key or f"test:{next(_keys)}", **fields
        )
        return perform(self.engine, verb, command)


def desk(engine: Engine) -> Desk:
    """Three people at desks, written for real."""
    with transaction(engine) as session:
        factories.division(session)
        return Desk(
            engine=engine,
            township=factories.actor(session, "township"),
            county=factories.actor(session, "county"),
            county2=factories.actor(session, "county"),
        )


def ground(at: Desk, plots: int = 1, *, kind: str = "orchard") -> tuple[UUID, list[UUID]]:
    """An operator and parcels."""
    with transaction(at.engine) as session:
        operator = factories.party(session, "cooperative")
        return operator, [factories.parcel(session, operator, kind=kind) for _ in range(plots)]


def opened(
    at: Desk,
    *areas_m2: str,
    stage: str = "mature",
    planting_year: int = 2015,
    crop: str = "huyou",
    operator: UUID | None = None,
) -> accounts.OrchardView:
    """An account with a plot for each area."""
    owner, parcels = ground(at, len(areas_m2))
    return at.do(
        accounts.open_orchard,
        accounts.OpenOrchard,
        operator_id=operator or owner,
        adcode="330802",
        name="试验果园",
        crop=crop,
        valid_from=date(2024, 1, 1),
        plots=[
            accounts.Plot(
                parcel_id=parcel, planted_area_m2=area, planting_year=planting_year, stage=stage
            )
            for parcel, area in zip(parcels, areas_m2, strict=True)
        ],
    )


def line(kind: str, quantity: str, *, year: int = 2025, client_id: str = "", **more) -> LineEntry:
    """One evidenced line."""
    unit = {"electricity": "kWh"}.get(kind, "share" if kind.startswith("practice") else "kg")
    fields = {
        "client_id": client_id or f"phone:{next(_keys)}",
        "on_date": date(year, 5, 1),
        "unit": unit,
        "evidence": "invoice",
        "product": "compound" if kind == "fertiliser" else "commercial_organic",
    }
    return LineEntry(kind=kind, quantity=quantity, **fields | more)


def year_lines(year: int = 2025, *, scale: int = 1, fruit: str = "66000") -> list[LineEntry]:
    """A year of fertiliser, power and fruit."""
    return [
        line("fertiliser", str(1000 * scale), year=year, n_kg=str(150 * scale)),
        line("electricity", str(2000 * scale), year=year),
        line("harvest", fruit, year=year, premium_kg=str(int(fruit) // 2)),
    ]


def write(at: Desk, orchard: UUID, lines, year: int = 2025, **more) -> books.BookState:
    """Enter lines."""
    return at.do(
        books.add_lines, books.AddLines, orchard_id=orchard, year=year, lines=lines, **more
    )


def approve(at: Desk, orchard: UUID, year: int = 2025) -> books.BookState:
    """Submit and approve a year's book."""
    at.do(books.submit_book, books.SubmitBook, orchard_id=orchard, year=year)
    return at.do(
        books.decide_book,
        books.DecideBook,
        at.county,
        orchard_id=orchard,
        year=year,
        decision="approve",
    )
