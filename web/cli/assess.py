"""``tanhui assess``: run the model, show its answers, and say how one came about."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast, get_args
from uuid import UUID, uuid4

import typer

from options.worker import run_worker
from registry import assessments, estimation, jobs, people, provenance, replay
from registry.db import perform, transaction
from registry.errors import InvalidValueError, NotFoundError
from web import database, messages
from web.cli.acting import As, Json, acting, now
from web.cli.output import show
from web.config import settings

app = typer.Typer(no_args_is_help=True, help="测算 Assessments.")
Kind = Annotated[str, typer.Option(help="forecast or monitored")]


@app.command()
def run(
    *,
    years: Annotated[str, typer.Option(help="First and last year, e.g. 2026-2065")],
    kind: Kind = "forecast",
    division: Annotated[str | None, typer.Option(help="Its approved parcels")] = None,
    project: Annotated[UUID | None, typer.Option(help="The parcels it claims")] = None,
    parcel: Annotated[list[UUID] | None, typer.Option(help="These parcels")] = None,
    layer: Annotated[list[UUID] | None, typer.Option(help="Instead of the newest")] = None,
    curve: Annotated[list[str] | None, typer.Option(help="CODE=KEY of growth.csv")] = None,
    programme: Annotated[
        str | None, typer.Option(help="Whose pools count; a project's own if not given")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All approved parcels")] = False,
    queue: Annotated[bool, typer.Option(help="Leave it to a worker")] = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Assess parcels as a job, done here unless ``--queue``; the same inputs have one run."""
    if not (division or project or parcel or all_):
        raise typer.BadParameter("--division, --project, --parcel or --all")
    command = estimation.AssessParcels(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        kind=_kind(kind),
        first_year=_years(years)[0],
        last_year=_years(years)[1],
        parcel_ids=tuple(parcel or ()),
        project_id=project,
        division_code=division,
        layer_ids=tuple(layer or ()),
        curves=_curves(curve or []),
        programme_id=programme,
    )
    engine = database.app_engine()
    job_id = perform(engine, estimation.request, command)
    if not queue:
        run_worker(
            engine, layer_dir=settings().layer_dir, once=True, scheduler=settings().scheduler
        )
    with transaction(engine) as session:
        job = jobs.get(session, job_id)
    show(job, as_json=json, lines=_job_lines(job))
    if job.state in {"failed", "cancelled"}:
        raise typer.Exit(1)


@app.command("show")
def show_(
    *,
    kind: Kind = "forecast",
    parcel: Annotated[UUID | None, typer.Option()] = None,
    project: Annotated[UUID | None, typer.Option()] = None,
    owner: Annotated[UUID | None, typer.Option()] = None,
    division: Annotated[str | None, typer.Option()] = None,
    json: Json = False,
) -> None:
    """Show stock and net sequestration by year: a parcel's, project's, owner's, division's, all."""
    with transaction(database.app_engine()) as session:
        sums = assessments.yearly(
            session,
            kind=_kind(kind),
            parcel_id=parcel,
            project_id=project,
            owner_id=owner,
            division_code=division,
        )
    lines = [
        f"{one.year}  储量 stock {_t(one.stock_kg)}  净吸收 net {_t(one.net_kg)} t CO2e"
        f"  ({one.parcels})"
        for one in sums
    ]
    show([asdict(one) for one in sums], as_json=json, lines=lines)


@app.command()
def explain(
    parcel: UUID,
    year: int,
    *,
    run_id: Annotated[UUID | None, typer.Option("--run", help="Instead of the latest")] = None,
    kind: Kind = "forecast",
    bundle: Annotated[
        Path | None, typer.Option(help="Write all it stands on here, for `assess rerun`")
    ] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Say how a parcel's figure of one year came about, with every input's digest."""
    actor_id = acting(as_)
    with transaction(database.app_engine(), actor_id=actor_id) as session:
        told = assessments.explain(session, parcel, year, run_id, kind=_kind(kind))
        if bundle is not None:
            data = provenance.bundle(
                session, people.actor(session, actor_id), told, layer_dir=settings().layer_dir
            )
            bundle.write_bytes(data)
    show(told, as_json=json, lines=_explained(told))


@app.command()
def rerun(
    bundle: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], *, json: Json = False
) -> None:
    """Compute a bundle's figures again, with no database; 1 where the kg are not the same."""
    again = replay.rerun(bundle.read_bytes())
    lines = [
        (
            f"{again.parcel} v{again.version}  {again.year}  储量 stock {again.stock_kg:,} kg"
            f"  净吸收 net {again.net_kg:,} kg CO2e"
        ),
        *(
            f"! {one.year}  {one.stock_kg:,} → {one.stock_again_kg:,} kg"
            f"  ({one.net_kg:,} → {one.net_again_kg:,})"
            for one in again.years
            if (one.stock_kg, one.net_kg) != (one.stock_again_kg, one.net_again_kg)
        ),
        (
            f"相同，{len(again.years)} 年逐公斤一致 the same to the kg in {len(again.years)} years"
            if again.same
            else "不同 not the same"
        ),
    ]
    if not again.table_again:
        lines.append("! 本程序的生长表与包内的不同 this program's growth rows give other tables")
    show(again, as_json=json, lines=lines)
    if not again.same:
        raise typer.Exit(1)


@app.command()
def interval(
    *,
    run_id: Annotated[UUID | None, typer.Option("--run", help="Instead of the latest")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer")] = 1,
    draws: Annotated[int, typer.Option(help="How often the curves are drawn")] = 1000,
    sampling: Annotated[
        float, typer.Option(help="Relative half-width of the field plots, e.g. 0.08")
    ] = 0.0,
    keep: Annotated[bool, typer.Option(help="Keep it, for the pages to show")] = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Say how a run's figures spread when its curves err as their fits did (90 %)."""
    from registry import intervals, parameter_error

    actor_id = acting(as_)
    with transaction(database.app_engine(), actor_id=actor_id) as session:
        if run_id is None:
            newest = assessments.runs(session, at_most=1)
            if not newest:
                raise NotFoundError(what="assessment_run", id="latest")
            run_id = newest[0].id
        if keep:
            intervals.keep(session, run_id, seed=seed, draws=draws, actor_id=actor_id)
        told = parameter_error.interval(
            session, run_id, seed=seed, draws=draws, sampling_half_width=sampling
        )
    lines = [
        f"{one.year}  净吸收 net {_t(one.net.kg)}  [{_t(one.net.low_kg)}, {_t(one.net.high_kg)}]"
        " t CO2e"
        for one in told.years
    ]
    lines.append(
        f"合计 total {_t(told.net.kg)}  [{_t(told.net.low_kg)}, {_t(told.net.high_kg)}] t CO2e"
        f"  （{told.draws} 次 draws, seed {told.seed}）"
    )
    if told.half_width is not None and told.combined is not None:
        lines.append(
            f"相对半宽 half-width {told.half_width:.1%}，含抽样 combined {told.combined:.1%}"
        )
    lines += [f"± {one.curve} {one.relative_sd:.1%}" for one in told.errors]
    lines += [f"! 误差未知 error not known: {one}" for one in told.unknown]
    show(told, as_json=json, lines=lines)


@app.command("map")
def map_(
    run: UUID,
    year: int,
    *,
    out: Annotated[Path, typer.Option(help="t C/ha here; kg CO2e beside it as .total.tif")],
    what: Annotated[str, typer.Option(help="stock at 31 December, or net of the year")] = "stock",
    as_: As = None,
    json: Json = False,
) -> None:
    """Write a run's carbon of a year as rasters (COG) and a STAC item: density, and kg apart."""
    from registry import map_items, maps

    if what not in get_args(maps.What):
        raise InvalidValueError(field="what", value=what, why="stock | net")
    actor_id = acting(as_)
    with transaction(database.app_engine(), actor_id=actor_id) as session:
        made = maps.write_map(
            session,
            people.actor(session, actor_id),
            run,
            year,
            out=out,
            layer_dir=settings().layer_dir,
            what=cast("maps.What", what),
        )
    lines = [
        f"{made.density}  {made.density_sha256}",
        f"{made.total}  {made.total_sha256}",
        map_items.write_item(made, out).name,
        (
            f"像元 cells {made.cells:,}  合计 sum {_t(made.total_kg)} t CO2e"
            f"  测算 run {_t(made.run_kg)} t CO2e"
        ),
    ]
    show(made, as_json=json, lines=lines)


KINDS: dict[str, assessments.Kind] = {"forecast": "forecast", "monitored": "monitored"}


def _kind(words: str) -> assessments.Kind:
    if words not in KINDS:
        raise InvalidValueError(field="kind", value=words, why=" | ".join(KINDS))
    return KINDS[words]


def _years(words: str) -> tuple[int, int]:
    first, _, last = words.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise InvalidValueError(field="years", value=words, why="2026-2065")
    return int(first), int(last or first)


def _curves(choices: list[str]) -> dict[int, str]:
    pairs = [choice.partition("=") for choice in choices]
    for code, _, key in pairs:
        if not (code.isdecimal() and key):
            raise InvalidValueError(field="curve", value=f"{code}={key}", why="3=zhejiang_...")
    return {int(code): key for code, _, key in pairs}


def _t(kg: int) -> str:
    """Return kg as t with three decimals, exactly."""
    whole, rest = divmod(abs(kg), 1000)
    return f"{'-' if kg < 0 else ''}{whole:,}.{rest:03d}"


def _job_lines(job: jobs.JobView) -> list[str]:
    if job.error is not None:
        said = messages.say(job.error["code"], job.error["params"])
        return [f"[{job.error['code']}] {said.zh}", f"  {said.en}", f"  → {said.remedy_zh}"]
    found: dict[str, Any] | None = job.result
    if found is None:
        return [f"{job.id} {job.state}"]
    lines = [
        (
            f"{found['run_id']}  {found['first_year']}-{found['last_year']}"
            f"  地块 parcels {found['parcels']}  净吸收 net {_t(found['net_kg'])} t CO2e"
            f"{'  （输入相同，沿用 same inputs, reused）' if found['reused'] else ''}"
        )
    ]
    return lines + [f"  {code}: {count}" for code, count in found["flagged"].items()]


def _explained(told: assessments.Explanation) -> list[str]:
    lines = [
        (
            f"{told.parcel_id} v{told.version}  {told.year}  储量 stock {_t(told.stock_kg)}"
            f"  净吸收 net {_t(told.net_kg)} t CO2e"
        ),
        (
            f"  面积 area {told.area_m2:.2f} m2, 无数据 no data {told.nodata_m2:.2f},"
            f" 图层外 outside {told.outside_m2:.2f}"
        ),
    ]
    lines += [
        f"  {one.pool:<4} 储量 stock {_t(one.stock_kg)}  净吸收 net {_t(one.net_kg)} t CO2e"
        for one in told.pools
    ]
    lines += [
        f"  {part.name_cn} {part.age_yr} 年 yr  立地 site {part.site}  {part.area_m2:.2f} m2"
        f" x {part.mg_c_m2 / 100_000:.5f} t C/ha  {part.curve} [{part.curve_mark}]"
        + "".join(f"  {year} {flow} {share:.2%}" for year, flow, share in part.happened)
        for part in told.cohorts
    ]
    lines += [f"  {layer['kind']}: {layer['sha256']}" for layer in told.run.layers]
    lines.append(f"  表 table {told.run.table_digest}  程序 code {told.run.code_revision[:12]}")
    for flag in told.flags:
        said = messages.say(flag["code"], flag)
        lines.append(f"  [{flag['code']}] {said.zh}")
    return lines
