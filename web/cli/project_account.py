"""``tanhui project item`` and ``account``: what counts against a project, and its account."""

from typing import Annotated, cast, get_args
from uuid import UUID, uuid4

import typer

from registry import project_accounts, project_items
from registry.db import transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.project_accounts import AccountView
from web import database
from web.cli.acting import As, Json, acting, now
from web.cli.asking import DryRun, act, ask
from web.cli.output import show
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="项目明细 What counts against a project.")
ask(app, "withdraw", project_items.withdraw, project_items.WithdrawItem, subject="item_id")


@app.command()
def record(
    project: UUID,
    kind: Annotated[str, typer.Argument(help=" | ".join(get_args(project_items.Kind)))],
    year: int,
    *,
    detail: Annotated[list[str], typer.Option(help="名称=数 NAME=VALUE, one a number")],
    source: Annotated[str, typer.Option(help="依据 who measured it, or what it is taken from")],
    planned: Annotated[bool, typer.Option(help="尚未发生，只计入预测 not done yet")] = False,
    evidence_sha256: Annotated[str | None, typer.Option(help="证据文件的指纹")] = None,
    replaces: Annotated[UUID | None, typer.Option(help="所更正的明细 the row it corrects")] = None,
    reason: Annotated[str, typer.Option(help="更正理由 why")] = "",
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Enter a row with its numbers and its source."""
    if kind not in get_args(project_items.Kind):
        why = " | ".join(get_args(project_items.Kind))
        raise InvalidValueError(field="kind", value=kind, why=why)
    command = project_items.RecordItem(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        project_id=project,
        kind=cast("project_items.Kind", kind),
        year=year,
        details=dict(_pair(one) for one in detail),
        planned=planned,
        source=source,
        evidence_sha256=evidence_sha256,
        replaces=replaces,
        reason=reason,
    )
    made = act(project_items.record, command, dry_run=dry_run)
    tell(made, as_json=json, rehearsed=dry_run)


@app.command("list")
def list_(project: UUID, *, history: bool = False, as_: As = None, json: Json = False) -> None:
    """List a project's rows; with ``--history`` also what was corrected."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = project_items.listing(session, project, history=history)
    if json:
        tell(found, as_json=True)
        return
    lines = [
        f"{one.year}  {one.kind}{'（计划 planned）' if one.planned else ''}"
        f"{'（已撤回 withdrawn）' if one.withdrawn else ''}  {one.source}  {one.id}"
        for one in found
    ]
    show(None, as_json=False, lines=lines or ["没有明细 No row"])


def account(
    project: UUID,
    *,
    kind: Annotated[str, typer.Option(help="forecast or monitored")] = "forecast",
    run_id: Annotated[UUID | None, typer.Option("--run", help="Instead of the newest")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show a project's account by year: stands, baseline, emissions, leakage, net, creditable."""
    if kind not in get_args(project_accounts.Kind):
        raise InvalidValueError(field="kind", value=kind, why="forecast | monitored")
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = project_accounts.account(
            session, project, kind=cast("project_accounts.Kind", kind), run_id=run_id
        )
    if found is None:
        raise NotFoundError(what="assessment_run", id=kind)
    if json:
        tell(found, as_json=True)
        return
    show(None, as_json=False, lines=_lines(found))


def _lines(found: AccountView) -> list[str]:
    lines = [
        f"{one.year}  变化 change {one.change_kg:,}  基线 baseline {one.baseline_kg:,}"
        f"  排放 emissions {one.emissions_kg:,}  泄漏 leakage {one.leakage_kg:,}"
        f"  净 net {one.net_kg:,} kg CO2e"
        for one in found.years
    ]
    lines += [
        f"  {one.part} {one.year} {one.kg:,} kg  {one.kind}: {one.how}  {one.source}"
        for one in found.lines
    ]
    lasting = f"{found.non_permanence} {found.non_permanence_share}"
    lines.append(f"可计入 creditable {found.sums.creditable_kg:,} kg CO2e  （{lasting}）")
    return lines


def _pair(words: str) -> tuple[str, str]:
    name, equals, value = words.partition("=")
    if not (name and equals and value):
        raise InvalidValueError(field="detail", value=words, why="area_ha=12.5")
    return name, value
