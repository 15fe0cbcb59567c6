"""``tanhui programme``: rules and thresholds as versioned data."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from registry import programmes
from registry.db import perform, transaction
from web import database, messages
from web.cli.acting import As, Json, acting, key_of, now
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="方案 Programmes.")


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List adopted versions, newest of each programme first."""
    with transaction(database.app_engine()) as session:
        found = programmes.adopted(session)
    rows = [_head(view) for view in found]
    lines = [f"{r['id']}@{r['version']}  {r['name_zh']} {r['name_en']}" for r in rows]
    show(rows, as_json=json, lines=lines or ["没有方案 No programme was adopted"])


@app.command("show")
def show_(
    programme: str,
    *,
    version: Annotated[str | None, typer.Option(help="Version; today's if not given")] = None,
    json: Json = False,
) -> None:
    """Show a programme: every figure with unit, source and mark."""
    with transaction(database.app_engine()) as session:
        view = (
            programmes.current(session, programme, on=programmes.day_of(now()))
            if version is None
            else programmes.version(session, programme, version)
        )
    figures = {path: asdict(figure) for path, figure in view.figures.items()}
    lines = [f"{view.id}@{view.version}  {view.name_zh} {view.name_en}  {view.sha256[:12]}"]
    lines += [
        f"  {path} = {figure.value} {figure.unit}  [{figure.mark}] {figure.source}"
        for path, figure in view.figures.items()
    ]
    show(_head(view) | {"figures": figures}, as_json=json, lines=lines)


@app.command()
def check(file: Path, *, json: Json = False) -> None:
    """Say every fault of a programme's file; exit 1 if there is one."""
    faults = programmes.check(file.read_text(encoding="utf-8"))
    rows = [
        {"path": f.path, "code": f.code, **asdict(messages.say(f.code, f.message_params()))}
        for f in faults
    ]
    lines = [
        f"[{row['code']}] {row['zh']}\n    {row['en']}\n    → {row['remedy_zh']}" for row in rows
    ]
    show({"faults": rows}, as_json=json, lines=lines or ["没有错误 No fault"])
    if faults:
        raise typer.Exit(1)


@app.command()
def trial(
    file: Annotated[Path, typer.Argument(help="TOML file of the programme, adopted or not")],
    *,
    parcel: Annotated[list[UUID] | None, typer.Option(help="Parcel; may be repeated")] = None,
    division: Annotated[str | None, typer.Option(help="Every parcel below a division")] = None,
    project: Annotated[UUID | None, typer.Option(help="Every parcel of a project")] = None,
    batch: Annotated[UUID | None, typer.Option(help="Every parcel of an import")] = None,
    dem: Annotated[Path | None, typer.Option(help="Elevation layer", exists=True)] = None,
    species: Annotated[Path | None, typer.Option(help="Species layer", exists=True)] = None,
    canopy: Annotated[Path | None, typer.Option(help="Canopy layer, percent", exists=True)] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show what a changed programme would answer before it is adopted; nothing is written."""
    from registry import measures
    from registry.eligibility_inputs import RunEligibility
    from registry.eligibility_trial import trial as try_

    layers = measures.open_layers(dem=dem, species=species, canopy=canopy)
    command = RunEligibility(
        at=now(),
        actor_id=acting(as_),
        key="trial",
        programme_id="",
        parcel_ids=parcel,
        division_code=division,
        project_id=project,
        batch_id=batch,
        layers=layers.digests,
    )
    source = file.read_text(encoding="utf-8")
    with transaction(database.app_engine(), actor_id=command.actor_id) as session:
        tried = try_(session, source, command, layers.measure)
    lines = [
        f"{tried.programme_id}  {tried.version_before or '-'} → {tried.version_after}",
        f"  {tried.parcels} 块 parcels, {tried.unchanged} 不变 unchanged",
        *(f"  {one.path}: {one.before} → {one.after}" for one in tried.figures),
        *(f"  {count:>6}  {turn}" for turn, count in tried.turns.items()),
        *(f"    {one.plot_code or one.parcel_id}  {one.after}  {one.code}" for one in tried.listed),
    ]
    show(tried, as_json=json, lines=lines)


@app.command()
def adopt(
    file: Annotated[Path, typer.Argument(help="TOML file of the programme")],
    *,
    as_: As = None,
    json: Json = False,
) -> None:
    """Adopt a version; the same text again changes nothing, another text is refused."""
    source = file.read_text(encoding="utf-8")
    command = programmes.AdoptProgramme(
        at=now(),
        actor_id=acting(as_),
        key=key_of("programme.adopt", source),
        source=source,
    )
    done = perform(database.app_engine(), programmes.adopt, command)
    word = "已启用 adopted" if done.new else "早已启用 adopted before"
    show(done, as_json=json, lines=[f"{done.id}@{done.version} {word}"])


def _head(view: programmes.ProgrammeView) -> dict[str, str | None]:
    return {
        "id": view.id,
        "version": view.version,
        "kind": view.kind,
        "scheme": view.scheme,
        "issuing_authority": view.issuing_authority,
        "name_zh": view.name_zh,
        "name_en": view.name_en,
        "sha256": view.sha256,
    }
