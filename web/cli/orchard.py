"""``tanhui orchard``: accounts, their books, and the county's page."""

from dataclasses import asdict
from fractions import Fraction
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import typer

from registry.db import perform, transaction
from registry.orchards import accounts, books, county, labels, rewards
from registry.orchards.balances import BalanceView
from sinks.units import mu_from_m2
from web import database
from web.cli.acting import As, Json, acting, now
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="果园碳账户 Orchard accounts.")
Adcode = Annotated[str, typer.Option(help="County, 6 digits")]
Year = Annotated[int, typer.Option(help="Account year")]


@app.command("list")
def list_(
    *,
    adcode: Adcode,
    year: Year,
    base: Annotated[int | None, typer.Option(help="Year to compare with")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show a county's accounts in a year: emission, fixation, net, colours, change."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        page = county.county(session, adcode, year, base_year=base)
    show(_page(page), as_json=json, lines=_page_lines(page))


@app.command("show")
def show_(orchard: UUID, *, as_: As = None, json: Json = False) -> None:
    """Show an account: plots, years, labels, vouchers."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        held = accounts.orchard_view(session, orchard)
        years = books.years_of(session, orchard)
        verdicts = labels.labels_of(session, orchard)
        kept = rewards.vouchers(session, orchard_id=orchard)
    value = asdict(held) | {
        "years": years,
        "labels": [asdict(label) for label in verdicts],
        "vouchers": [asdict(voucher) for voucher in kept],
    }
    gate = "≥" if held.gate else "<"
    lines = [
        f"{held.name}  {held.operator_name}  {held.crop}  {held.id}",
        (
            f"  {_mu(held.planted_area_m2)} 亩 ({gate} 50)  {len(held.plots)} plots"
            f"  v{held.boundary_version} {held.valid_from}"
        ),
        *(
            f"  {x.number}  {x.year}  {x.grade or x.state}  {', '.join(x.reasons)}"
            for x in verdicts
        ),
        *(f"  {x.number}  {x.year}  {x.issued_kg} kg, open {x.open_kg} kg" for x in kept),
    ]
    show(value, as_json=json, lines=lines)


@app.command()
def book(orchard: UUID, *, year: Year, as_: As = None, json: Json = False) -> None:
    """Show a year's book: every line, and the balance it makes."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        kept = books.book_view(session, orchard, year)
    figures = kept.approved if kept.status == "approved" else kept.draft
    lines = [f"{year}  {kept.status}"]
    lines += [
        f"  {'·' if line.counts else '✗'} {line.on_date}  {line.kind}  {line.product}"
        f"  {line.quantity} {line.unit}{'' if line.evidenced else '  无凭证 no evidence'}"
        for line in kept.lines
    ]
    show(kept, as_json=json, lines=lines + (_balance_lines(figures) if figures else []))


@app.command()
def approve(
    orchard: UUID,
    *,
    year: Year,
    decision: Annotated[str, typer.Option(help="approve, return or reopen")] = "approve",
    reason: Annotated[str, typer.Option(help="Why; needed to return or reopen")] = "",
    key: Annotated[str | None, typer.Option(help="Idempotency key of this request")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Approve a submitted book, return it, or open an approved one again."""
    known: dict[str, Literal["approve", "return", "reopen"]] = {
        "approve": "approve",
        "return": "return",
        "reopen": "reopen",
    }
    if decision not in known:
        raise typer.BadParameter(decision)
    command = books.DecideBook(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        orchard_id=orchard,
        year=year,
        decision=known[decision],
        reason=reason,
    )
    state = perform(database.app_engine(), books.decide_book, command)
    show(state, as_json=json, lines=[f"{year}  {state.status}", *_balance_lines(state.balance)])


def _balance_lines(figures: BalanceView) -> list[str]:
    lines = [
        f"  E {figures.e_kg} kg CO2e   S {figures.s_kg}   net {figures.net_kg}",
        f"  {figures.yield_kg} kg fruit, premium {figures.premium_kg} kg",
    ]
    return lines + [
        f"  待核实 not counted: {term.line} {term.term} ({term.reason})"
        for term in figures.not_counted
    ]


def _page(page: county.CountyOrchards) -> dict[str, Any]:
    """Return the page as machines get it: one short row an account."""
    return {
        "adcode": page.adcode,
        "accounts": page.accounts,
        "above_gate": page.above_gate,
        "totals": asdict(page.totals),
        "colours": dict(page.colours),
        "change": asdict(page.change) if page.change else None,
        "reward": {
            "issued_kg": page.reward_issued_kg,
            "redeemed_kg": page.reward_redeemed_kg,
            "expired_kg": page.reward_expired_kg,
        },
        "orchards": [
            {
                "id": row.orchard.id,
                "name": row.orchard.name,
                "planted_area_m2": row.orchard.planted_area_m2,
                "gate": row.orchard.gate,
                "status": row.status,
                "e_kg": row.balance.e_kg if row.balance else None,
                "s_kg": row.balance.s_kg if row.balance else None,
                "net_kg": row.balance.net_kg if row.balance else None,
                "label": (row.label.grade or row.label.state) if row.label else None,
                "number": row.label.number if row.label else None,
            }
            for row in page.rows
        ],
    }


def _page_lines(page: county.CountyOrchards) -> list[str]:
    sums = page.totals
    lines = [
        (
            f"{page.adcode} {sums.year}: {page.accounts} 个账户 accounts, {sums.approved} approved;"
            f" E {sums.e_kg}  S {sums.s_kg}  net {sums.net_kg} kg CO2e"
        )
    ]
    if page.change is not None:
        change = page.change
        lines.append(
            f"  {change.base.year} → {change.now.year} ({change.accounts} accounts):"
            f" E {change.e_kg:+d}  S {change.s_kg:+d}  net {change.net_kg:+d} kg;"
            f" yield {_percent(change.yield_share)}, premium {_percent(change.premium_points)}"
        )
    for row in page.rows:
        figures, label = row.balance, row.label
        net = f"net {figures.net_kg:>8}" if figures else "—"
        colour = (label.grade or label.state) if label else "—"
        lines.append(
            f"  {row.orchard.id}  {_mu(row.orchard.planted_area_m2):>7} 亩  {row.status:<9}"
            f" {net}  {colour:<11}  {row.orchard.name}"
        )
    return lines


def _mu(area_m2: str) -> str:
    return f"{mu_from_m2(float(area_m2)):.2f}"


def _percent(share: str | None) -> str:
    return "—" if share is None else f"{float(Fraction(share)) * 100:+.1f} %"
