"""``tanhui project``: parcels under one programme, approved by another person."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, cast, get_args
from uuid import UUID, uuid4

import typer

from registry import claims, projects
from registry.db import transaction
from registry.errors import InvalidValueError
from sinks.units import ha_from_m2
from web import database
from web.cli import project_account
from web.cli.acting import As, Json, acting, file_sha256, now
from web.cli.asking import DryRun, Key, act
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="项目 Projects.")
app.add_typer(project_account.app, name="item")
app.command("account")(project_account.account)
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]


@app.command("list")
def list_(
    *,
    adcode: Annotated[str | None, typer.Option(help="Six-digit county code")] = None,
    json: Json = False,
) -> None:
    """List projects."""
    with transaction(database.app_engine()) as session:
        found = projects.projects(session, adcode=adcode)
    rows = [view_json(view) for view in found]
    lines = [f"{v.adcode}-{v.number}  {v.status}  {v.name}  {v.parcels}" for v in found]
    show(rows, as_json=json, lines=lines or ["没有项目 No project"])


@app.command("show")
def show_(project: UUID, *, json: Json = False) -> None:
    """Show a project with its parcels and claims."""
    with transaction(database.app_engine()) as session:
        view = projects.view(session, project)
        parcels = [str(parcel) for parcel, _ in projects.parcels_of(session, project)]
        held = claims.claims_of_project(session, project)
    lines = [f"{view.adcode}-{view.number}  {view.status}  {view.name}"]
    lines += [
        f"  {c.parcel_id}  {c.scheme}  {c.first_year}-{c.last_year}  {c.status}" for c in held
    ]
    show(view_json(view) | {"parcel_ids": parcels}, as_json=json, lines=lines)


@app.command()
def sample(
    project: UUID,
    *,
    plots: Annotated[int, typer.Option(help="How many plots, of all strata together")] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same points")],
    systematic: Annotated[bool, typer.Option(help="A grid with a random start")] = False,
    by: Annotated[str, typer.Option(help="Attribute of parcels that names their stratum")] = "",
    stratum: Annotated[
        list[str] | None, typer.Option(help="NAME=PLOTS, one a stratum, not by area")
    ] = None,
    json: Json = False,
) -> None:
    """Draw the field plots of a project over the ground it claims, from a seed."""
    from registry import samples

    with transaction(database.app_engine()) as session:
        drawn = samples.draw(
            session,
            project,
            plots=plots,
            seed=seed,
            systematic=systematic,
            by=by,
            each=dict(_plots(one) for one in stratum or []),
        )
    lines = [
        f"{one.number:4}  {one.lon:.7f}  {one.lat:.7f}{f'  {one.stratum}' if one.stratum else ''}"
        for one in drawn.points
    ]
    if by:
        lines += [
            f"{one.name or '—'}: {one.plots} plots, {ha_from_m2(one.area_m2):.2f} ha"
            for one in drawn.strata
        ]
    lines.append(
        f"{drawn.method}, seed {drawn.seed}, {ha_from_m2(drawn.area_m2):.2f} ha, EPSG:4490"
    )
    show(drawn, as_json=json, lines=lines)


def _plots(words: str) -> tuple[str, int]:
    name, _, number = words.rpartition("=")
    if not number.isdecimal():
        raise InvalidValueError(field="stratum", value=words, why="杉木=12")
    return name, int(number)


@app.command()
def create(
    *,
    adcode: str = typer.Option(..., help="Six-digit county code"),
    name: str = typer.Option(..., help="Name of the project"),
    proponent: UUID = typer.Option(..., help="Party that undertakes it"),
    programme: str = typer.Option(..., help="Programme id"),
    started: Day,
    first: Day,
    end: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First day after the crediting period")
    ],
    document: Annotated[Path | None, typer.Option(help="Project document", exists=True)] = None,
    external_number: Annotated[str | None, typer.Option(help="Number elsewhere")] = None,
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Begin a project as a draft."""
    command = projects.CreateProject(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        adcode=adcode,
        name=name,
        proponent_id=proponent,
        programme_id=programme,
        started_on=started.date(),
        crediting_from=first.date(),
        crediting_to=end.date(),
        external_number=external_number,
        document_sha256=file_sha256(document) if document else None,
    )
    _say(act(projects.create, command, dry_run=dry_run), json=json)


@app.command()
def attach(
    project: UUID,
    parcels: list[UUID],
    *,
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Take approved and eligible parcels in; all or none."""
    command = projects.AttachParcels(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        project_id=project,
        parcel_ids=parcels,
    )
    _say(act(projects.attach, command, dry_run=dry_run), json=json)


@app.command()
def decide(
    project: UUID,
    decision: Annotated[str, typer.Argument(help="submit, approve, return or withdraw")],
    *,
    reason: Annotated[str, typer.Option(help="Why; needed to return")] = "",
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Submit, approve, return or withdraw a project."""
    if decision not in get_args(projects.Decision):
        raise typer.BadParameter(decision)
    command = projects.DecideProject(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        project_id=project,
        decision=cast("projects.Decision", decision),
        reason=reason,
    )
    _say(act(projects.decide, command, dry_run=dry_run), json=json)


def view_json(view: projects.ProjectView) -> dict[str, object]:
    """Return a project as machines get it."""
    return {name: getattr(view, name) for name in view.__dataclass_fields__}


def _say(state: projects.ProjectState, *, json: bool) -> None:
    words = f"{state.project_id} {state.number} {state.status} ({state.parcels})"
    show(state, as_json=json, lines=[words])
