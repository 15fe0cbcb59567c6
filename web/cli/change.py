"""``tanhui change``: what layers by date show of parcels, and disturbances that staff decide."""

from dataclasses import asdict
from typing import Annotated, Any, cast, get_args
from uuid import UUID, uuid4

import typer

from options import touched
from options.worker import run_worker
from registry import change_series, disturbances, jobs, losses, people
from registry.db import perform, transaction
from registry.errors import InvalidValueError
from registry.reads import change as reads
from sinks.units import M2_PER_MU
from web import database
from web.cli.acting import As, Json, acting, now
from web.cli.asking import ask
from web.cli.output import show
from web.cli.telling import tell
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="变化 Series of layers, disturbances.")
Division = Annotated[str | None, typer.Option(help="其已批准地块 its approved parcels; else all")]
Queue = Annotated[bool, typer.Option("--queue", help="交给后台 leave it to a worker")]
ask(app, "confirm", disturbances.confirm, disturbances.ConfirmDisturbance, subject="disturbance_id")
ask(app, "dismiss", disturbances.dismiss, disturbances.DismissDisturbance, subject="disturbance_id")


@app.command()
def series(
    parcel: Annotated[UUID | None, typer.Argument(help="只看一个地块 show one parcel's")] = None,
    *,
    division: Division = None,
    layer: Annotated[list[UUID] | None, typer.Option(help="只用这些图层 these layers")] = None,
    queue: Queue = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Measure NDVI and canopy layers over parcels, as a job; with a parcel, show its series."""
    if parcel is not None:
        _show_series(parcel, acting(as_), as_json=json)
        return
    command = change_series.MeasureSeries(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        division_code=division,
        layer_ids=tuple(layer or ()),
    )
    _job(change_series.request, command, queue=queue, as_json=json)


@app.command()
def detect(
    layer: Annotated[UUID, typer.Argument(help="损失年份图层 a layer of losses")],
    *,
    division: Division = None,
    unit: Annotated[
        int | None, typer.Option(help="最小图斑，平方米 minimum mapping unit, m2")
    ] = None,
    queue: Queue = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Propose disturbances from a loss raster, as a job; the same raster proposes once."""
    command = losses.DetectLosses(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        layer_id=layer,
        division_code=division,
        unit_m2=unit,
    )
    _job(losses.request, command, queue=queue, as_json=json)


@app.command("list")
def list_(
    *,
    status: Annotated[str | None, typer.Option(help=" | ".join(get_args(reads.Status)))] = None,
    year: Annotated[int | None, typer.Option(help="损失年份 year of loss")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List disturbances, the newest first."""
    if status is not None and status not in get_args(reads.Status):
        raise InvalidValueError(
            field="status", value=status, why=" | ".join(get_args(reads.Status))
        )
    query = reads.DisturbanceQuery(status=cast("reads.Status | None", status), year=year, limit=200)
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        who = people.actor(session, acting(as_))
        found = reads.disturbances(session, who, query).items
    lines = [
        f"{one.id}  {one.status:<9}  {one.year}  {one.area_m2 / M2_PER_MU:,.2f} 亩 mu"
        f"  {one.parcels} 块 parcels  {one.place or '—'}  {one.kind or ''}"
        for one in found
    ]
    show([asdict(one) for one in found], as_json=json, lines=lines or ["没有 None"])


@app.command("show")
def show_(disturbance: UUID, *, as_: As = None, json: Json = False) -> None:
    """Show one disturbance: its parcels, the decision, runs before and after, what it touches."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        who = people.actor(session, acting(as_))
        query = reads.DisturbanceById(disturbance_id=disturbance)
        found = touched.touched(session, who, query)
    tell(found, as_json=json)


def _show_series(parcel: UUID, actor_id: UUID, *, as_json: bool) -> None:
    with transaction(database.app_engine(), actor_id=actor_id) as session:
        who = people.actor(session, actor_id)
        found = reads.parcel_change(session, who, reads.SeriesQuery(parcel_id=parcel))
    lines = [
        f"{one.kind:<7} {one.shows}  {'—' if one.mean is None else f'{one.mean:.4f}'}"
        f"  有数据 known {one.known_share:.1%}  {one.name}"
        for one in found.points
    ]
    lines += [f"损失 lost {one.year}  {one.area_m2:,.2f} m2" for one in found.losses]
    show(found, as_json=as_json, lines=lines or ["没有 None"])


def _job(verb: Any, command: Any, *, queue: bool, as_json: bool) -> None:  # noqa: ANN401
    """Ask for a job and, unless it is left to a worker, do it here."""
    engine = database.app_engine()
    job_id = perform(engine, verb, command)
    if not queue:
        run_worker(engine, layer_dir=settings().layer_dir, once=True)
    with transaction(engine) as session:
        job = jobs.get(session, job_id)
    tell(job, as_json=as_json)
    if job.state in {"failed", "cancelled"}:
        raise typer.Exit(1)
