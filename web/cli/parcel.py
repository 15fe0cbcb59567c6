"""``tanhui parcel``: bring plots in, look at them, decide on them."""

from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from json import loads
from pathlib import Path
from typing import Annotated, Any, cast
from uuid import UUID, uuid4

import typer

from geo.export import FORMATS, FormatName
from geo.helmert import parse_helmert, read_parameters
from geo.intake import IntakeOptions, examine
from geo.repair import KINDS, Proposal
from options import ground
from registry import (
    answers,
    divisions,
    import_jobs,
    import_store,
    imports,
    parcel_edits,
    parcels,
    people,
    repairs,
    take_back,
)
from registry.db import perform, transaction
from registry.places import ImportReport
from web import database, messages
from web.cli.acting import As, Json, acting, file_sha256, now
from web.cli.asking import DryRun, Key, act, ask
from web.cli.following import JobFailedError, follow
from web.cli.output import show
from web.config import settings
from web.exporting import ExportRequest, write_export

app = typer.Typer(no_args_is_help=True, help="地块 Parcels.")
AT_ONCE_BYTES_MAX = 4_000_000
"""A larger file is read by a job: in runs, with progress, and taken up again if broken off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """What the user says of a file."""

    crs: str | None
    crs_parameters: str | None
    encoding: str | None


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
    crs: Annotated[str | None, typer.Option(help="EPSG:4490, EPSG:4549 ..., gcj02 or bd09")] = None,
    crs_parameters: Annotated[
        Path | None, typer.Option(help="Seven parameters of Beijing 54 or Xi'an 80 (TOML)")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of attributes, e.g. GB18030")] = None,
    division: Annotated[str | None, typer.Option(help="Division code, 6 to 12 digits")] = None,
    programme: Annotated[str | None, typer.Option(help="Programme the plots are for")] = None,
    strict: Annotated[bool, typer.Option(help="All rows or none")] = False,
    key: Annotated[str | None, typer.Option(help="Idempotency key of this request")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Import plots row by row: accepted, questioned or refused, each with its reason and remedy."""
    who = acting(as_)
    command = imports.ImportParcels(
        at=now(),
        actor_id=who,
        key=key or uuid4().hex,
        file_name=file.name,
        file_sha256=file_sha256(file),
        division_code=division or _own_division(who),
        programme_id=programme,
        strict=strict,
    )
    bring = _by_job if file.is_file() and file.stat().st_size > AT_ONCE_BYTES_MAX else _at_once
    how = _How(
        crs=crs,
        crs_parameters=read_parameters(crs_parameters) if crs_parameters else None,
        encoding=encoding,
    )
    report = bring(file, command, how, dry_run=dry_run)
    show(as_json(report), as_json=json, lines=_lines(report))
    if report.read > 0 and report.accepted == 0:
        raise typer.Exit(1)


def _own_division(who: UUID) -> str | None:
    """Return the division whose plots an actor brings in when none is named."""
    with transaction(database.app_engine(), actor_id=who) as session:
        return people.actor(session, who).division_code


def _at_once(
    file: Path, command: imports.ImportParcels, how: _How, *, dry_run: bool
) -> ImportReport:
    engine = database.app_engine()
    with transaction(engine, actor_id=command.actor_id) as session:
        ground = divisions.ground(session, command.division_code)
    parameters = parse_helmert(how.crs_parameters) if how.crs_parameters else None
    options = IntakeOptions(division=ground, parameters=parameters)
    intake = examine(file, crs=how.crs, encoding=how.encoding, options=options)
    if not dry_run:
        return perform(engine, partial(imports.import_parcels, intake=intake), command)
    with transaction(engine, actor_id=command.actor_id) as session:
        return imports.preview(session, command, intake)


def _by_job(
    file: Path, command: imports.ImportParcels, how: _How, *, dry_run: bool
) -> ImportReport:
    """Read a large file by a job that another run can take up, then accept it at once."""
    engine = database.app_engine()
    import_jobs.register_tasks()
    asked = import_jobs.RequestImport(**_fields(command), **_fields(how), path=str(file.resolve()))
    batch_id = perform(engine, import_jobs.request, asked).batch_id
    follow(engine, batch_id)
    if not dry_run:
        taken = imports.AcceptImport(
            at=command.at,
            actor_id=command.actor_id,
            key=f"{command.key}:accept",
            batch_id=batch_id,
            strict=command.strict,
        )
        try:
            follow(engine, perform(engine, import_jobs.request_acceptance, taken).job_id)
        except JobFailedError:
            with transaction(engine, actor_id=command.actor_id) as session:
                import_store.discard(session, batch_id)
            raise
    with transaction(engine, actor_id=command.actor_id) as session:
        report = import_store.report(session, batch_id)
        if dry_run:
            import_store.discard(session, batch_id)
            return replace(report, batch_id=None)
        return report


def _fields(value: imports.ImportParcels | _How) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


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
def export(
    file: Annotated[Path, typer.Argument(help="Where to write")],
    *,
    format_: Annotated[
        str | None, typer.Option("--format", help=f"{', '.join(FORMATS)}; by the name if none")
    ] = None,
    status: Annotated[str | None, typer.Option(help="Only these, e.g. approved")] = None,
    kind: Annotated[str | None, typer.Option(help="carbon, orchard or tree")] = None,
    division: Annotated[str | None, typer.Option(help="Only below this division")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Write the plots you may see to a file, with every attribute."""
    named = format_ or next((n for n, f in FORMATS.items() if f.suffix == file.suffix), "gpkg")
    asked = ExportRequest(
        format=cast("FormatName", named), status=status, kind=kind, division=division
    )
    actor_id = acting(as_)
    with transaction(database.app_engine(), actor_id=actor_id) as session:
        who = people.actor(session, actor_id)
        count = write_export(session, who, asked, path=file)
    said = {"file": file.name, "format": named, "parcels": count}
    show(said, as_json=json, lines=[f"已导出 exported {count} → {file}"])


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


@app.command("take-back")
def take_back_(
    batch: Annotated[UUID, typer.Argument(help="批次 The import to take back")],
    *,
    reason: Annotated[str, typer.Option(help="理由 Why; kept with every parcel")],
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Withdraw what an import brought; parcels that something rests on stay, and are listed."""
    command = take_back.TakeBack(
        at=now(), actor_id=acting(as_), key=key or uuid4().hex, batch_id=batch, reason=reason
    )
    done = act(take_back.take_back, command, dry_run=dry_run)
    lines = [f"已撤回 withdrawn: {done.withdrawn}  保留 kept: {len(done.kept)}"]
    lines += [
        f"  第 {one.row} 行 row  {one.parcel_id}  {', '.join(WHY[why] for why in one.why)}"
        for one in done.kept
    ]
    show(done, as_json=json, lines=lines)
    if done.withdrawn == 0:
        raise typer.Exit(1)


@app.command()
def repair(
    batch: Annotated[UUID, typer.Argument(help="批次 The import")],
    *,
    row: Annotated[int | None, typer.Option(help="只看这一行 This row only")] = None,
    kind: Annotated[str | None, typer.Option(help=f"只看这一种 One of {', '.join(KINDS)}")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="采纳 Accept what is shown")] = False,
    key: Key = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show how faulty rows could be repaired, and accept that by row or by kind."""
    if kind is not None and kind not in KINDS:
        raise typer.BadParameter(kind)
    engine, who = database.app_engine(), acting(as_)
    with transaction(engine, actor_id=who) as session:
        found = repairs.select(repairs.proposals(session, batch), row=row, kind=kind)
    if not accept:
        told = [_told(one) for one in found]
        lines = [
            f"第 {one['row']} 行 row  {one['kind']}  {one['area_before_m2']:.2f} →"
            f" {one['area_after_m2']:.2f} m2  ({one['difference_m2']:+.2f})"
            for one in told
        ]
        show(told, as_json=json, lines=lines or ["没有修复建议 nothing to propose"])
        return
    command = repairs.AcceptRepairs(
        at=now(),
        actor_id=who,
        key=key or uuid4().hex,
        batch_id=batch,
        rows=tuple(one.row for one in found),
    )
    done = perform(engine, repairs.accept_repairs, command)
    lines = [f"第 {one.row} 行 row  {one.kind}  {one.parcel_id or '—'}" for one in done.repaired]
    show(done, as_json=json, lines=lines)


@app.command()
def answer(
    batch: Annotated[UUID, typer.Argument(help="批次 The import")],
    *,
    row: Annotated[list[int], typer.Option(help="待定的行，可重复 A questioned row; may repeat")],
    reason: Annotated[str, typer.Option(help="理由 Why it is right as it stands")],
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Take questioned rows as they stand; they wait for approval as any other."""
    command = answers.AnswerQuestions(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        batch_id=batch,
        rows=tuple(row),
        reason=reason,
    )
    done = act(answers.answer, command, dry_run=dry_run)
    accepted = "、".join(map(str, done.accepted)) or "—"
    refused = "、".join(map(str, done.refused)) or "—"
    show(done, as_json=json, lines=[f"接收 taken: {accepted}  拒绝 refused: {refused}"])


def _told(one: Proposal) -> dict[str, Any]:
    return {
        "row": one.row,
        "kind": one.kind,
        "area_before_m2": round(one.area_before_m2, 2),
        "area_after_m2": round(one.area_after_m2, 2),
        "difference_m2": round(one.area_after_m2 - one.area_before_m2, 2),
    }


WHY = {
    "claim": "有碳汇主张 claimed",
    "lot": "在资产包中 in a lot",
    "project": "在项目中 in a project",
    "orchard": "属果园账户 in an orchard account",
    "tree": "有登记树木 has registered trees",
    "revised": "已修订 edited since",
}
"""What may rest on a parcel, in words."""


@app.command("split-by-assessment")
def split_by_assessment(
    parcel: UUID,
    *,
    line: Annotated[Path, typer.Option(exists=True, help="分割线，GeoJSON 几何 a LineString")],
    version: Annotated[int, typer.Option(help="看到的版本 The version you saw")],
    reason: Annotated[str, typer.Option(help="理由 Why")],
    key: Key = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Cut a parcel whose tonnes are sold ahead or issued; its parts share them by assessment."""
    try:
        shape = loads(line.read_text(encoding="utf-8"))
    except ValueError as error:
        raise typer.BadParameter(f"{line}: {error}") from error
    command = parcel_edits.SplitParcel(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        parcel_id=parcel,
        based_on_version=version,
        line=shape if isinstance(shape, dict) else {},
        reason=reason,
    )
    engine = database.app_engine()
    verb = partial(ground.split_measured, engine=engine, layer_dir=settings().layer_dir)
    done = perform(engine, verb, command)
    show(done, as_json=json, lines=_shared_lines(done))


def _shared_lines(done: parcel_edits.ParcelsEdited) -> list[str]:
    lines = [f"{one.parcel_id} v{one.version} {one.status}" for one in done.parcels]
    said = {"capacity": "可售 capacity", "reservation": "预存 reserved"}
    return lines + [
        f"  {said[one.what]} {one.vintage}  {one.kg} kg → {one.parcel_id}  {one.ref}"
        for one in done.shared
        if one.what in said
    ]


ask(app, "split", ground.split, parcel_edits.SplitParcel, subject="parcel_id")
ask(app, "merge", ground.merge, parcel_edits.MergeParcels)
ask(app, "trim", parcel_edits.trim, parcel_edits.TrimParcel, subject="parcel_id")
ask(app, "cut-hole", parcel_edits.cut_hole, parcel_edits.CutHole, subject="parcel_id")
ask(app, "move-boundary", parcel_edits.move_boundary, parcel_edits.MoveBoundary)
