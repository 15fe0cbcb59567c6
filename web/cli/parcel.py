"""``tanhui parcel``: bring plots in, look at them, decide on them."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from geo.intake import examine
from registry import imports, parcels
from registry.db import perform, transaction
from registry.places import ImportReport
from web import database, messages
from web.cli.acting import As, Json, acting, file_sha256, now
from web.cli.asking import DryRun, Key, act
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="地块 Parcels.")


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="GeoJSON, GeoPackage, Shapefile, KML, GPX, DXF, GML, CSV, Excel ..., or a zip"
        ),
    ],
    *,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen, write nothing")] = False,
    crs: Annotated[str | None, typer.Option(help="Reference system, e.g. EPSG:4549")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of attributes, e.g. GB18030")] = None,
    division: Annotated[str | None, typer.Option(help="Division code, 6 to 12 digits")] = None,
    programme: Annotated[str | None, typer.Option(help="Programme the plots are for")] = None,
    strict: Annotated[bool, typer.Option(help="All rows or none")] = False,
    key: Annotated[str | None, typer.Option(help="Idempotency key of this request")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Import plots row by row: accepted, questioned or refused, each with its reason and remedy."""
    intake = examine(file, crs=crs, encoding=encoding)
    command = imports.ImportParcels(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        file_name=file.name,
        file_sha256=file_sha256(file),
        division_code=division,
        programme_id=programme,
        strict=strict,
    )
    if dry_run:
        with transaction(database.app_engine(), actor_id=command.actor_id) as session:
            report = imports.preview(session, command, intake)
    else:
        verb = partial(imports.import_parcels, intake=intake)
        report = perform(database.app_engine(), verb, command)
    show(as_json(report), as_json=json, lines=_lines(report))
    if report.read > 0 and report.accepted == 0:
        raise typer.Exit(1)


def as_json(report: ImportReport) -> dict[str, Any]:
    """Return a report as machines get it: findings in words, both languages."""
    return {
        "batch": report.batch_id,
        "read": report.read,
        "accepted": report.accepted,
        "refused": report.refused,
        "questioned": report.questioned,
        "findings": [
            {
                "row": found.row,
                "code": found.code,
                "severity": found.severity,
                **asdict(messages.say(found.code, {"row": found.row, **found.params})),
                "params": dict(found.params),
                "at": found.at,
            }
            for found in report.findings
        ],
        "parcels": [asdict(parcel) for parcel in report.parcels],
    }


def _lines(report: ImportReport) -> list[str]:
    head = (
        f"读入 {report.read} = 接受 {report.accepted} + 拒绝 {report.refused}"
        f" + 待定 {report.questioned}"
        f"  (read = accepted + refused + questioned)"
    )
    lines = [head]
    for found in report.findings:
        said = messages.say(found.code, {"row": found.row, **found.params})
        lines += [f"[{found.code}] {said.zh}", f"    {said.en}", f"    → {said.remedy_zh}"]
    return lines


@app.command()
def decide(
    parcel: UUID,
    decision: Annotated[str, typer.Argument(help="submit, approve, return or withdraw")],
    *,
    reason: Annotated[str, typer.Option(help="Why; needed to return")] = "",
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Submit, approve, return or withdraw a parcel."""
    if decision not in {"submit", "approve", "return", "withdraw"}:
        raise typer.BadParameter(decision)
    command = parcels.DecideParcel(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        parcel_id=parcel,
        decision=decision,  # type: ignore[arg-type]  # checked above
        reason=reason,
    )
    state = act(parcels.decide, command, dry_run=dry_run)
    show(state, as_json=json, lines=[f"{state.parcel_id} v{state.version} {state.status}"])
