"""``tanhui period plots``: field plots of a survey, and what they say with how much error."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, cast, get_args
from uuid import UUID, uuid4

import typer

from registry import field_plots, plot_estimates
from registry.db import transaction
from registry.errors import InvalidValueError
from web import database
from web.cli.acting import As, Json, acting, file_sha256, now
from web.cli.asking import DryRun, act
from web.cli.output import show
from web.cli.telling import tell

app = typer.Typer(no_args_is_help=True, help="样地 Field plots.")
Year = Annotated[int, typer.Option(help="储量所属年份 stock at 31 December of this year")]
Whose = Annotated[str, typer.Option("--origin", help="project or verifier")]


@app.command()
def example(file: Annotated[Path, typer.Argument(help="CSV to write")]) -> None:
    """Write an example of the table that is taken in."""
    from web.plot_table import EXAMPLE

    file.write_bytes(EXAMPLE.encode("utf-8-sig"))


@app.command()
def enter(
    project: UUID,
    file: Annotated[Path, typer.Argument(help="Excel or CSV", exists=True, dir_okay=False)],
    *,
    year: Year,
    origin: Whose = "project",
    reason: Annotated[str, typer.Option(help="更正理由 why plots are entered again")] = "",
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Enter every plot of a table, or say everything that is wrong with it."""
    from web.plot_table import read_plots

    command = field_plots.EnterPlots(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        project_id=project,
        origin=_origin(origin),
        survey_year=year,
        plots=read_plots(file.read_bytes(), file.name),
        reason=reason,
        source_sha256=file_sha256(file),
    )
    tell(act(field_plots.enter, command, dry_run=dry_run), as_json=json, rehearsed=dry_run)


@app.command()
def withdraw(
    project: UUID,
    number: str,
    *,
    year: Year,
    reason: Annotated[str, typer.Option(help="理由 why")],
    origin: Whose = "project",
    as_: As = None,
    json: Json = False,
) -> None:
    """Leave a plot out of its survey; the record keeps it."""
    command = field_plots.WithdrawPlot(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        project_id=project,
        origin=_origin(origin),
        survey_year=year,
        number=number,
        reason=reason,
    )
    tell(act(field_plots.withdraw, command, dry_run=False), as_json=json)


@app.command("list")
def list_(
    project: UUID, *, year: Year, origin: Whose = "project", as_: As = None, json: Json = False
) -> None:
    """List a survey's plots with their carbon by every equation that knows their trees."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = field_plots.listing(session, project, origin=_origin(origin), survey_year=year)
    if json:
        tell(found, as_json=True)
        return
    lines = [
        f"{one.plot.number:>6}  v{one.version}  {one.parcel_code or one.parcel_id or '—'}"
        f"  {one.plot.stratum or '—'}  {one.area_m2:.1f} m2  {_band(one)}"
        f"  {one.plot.measured_on}  {one.plot.measured_by}"
        for one in found
    ]
    show(None, as_json=False, lines=lines or ["没有样地 No plot"])


@app.command()
def estimate(
    project: UUID,
    *,
    year: Year,
    since: Annotated[
        int | None, typer.Option(help="复测：与该年同号样地之差 change since that year")
    ] = None,
    model: Annotated[str | None, typer.Option(help="方程来源 source of the equations")] = None,
    stratum: Annotated[
        list[str] | None, typer.Option(help="层名=公顷 NAME=HECTARES, one a stratum")
    ] = None,
    estimator: Annotated[
        str, typer.Option(help="expansion | difference | ratio | regression，后三种借助测算图")
    ] = "expansion",
    run_id: Annotated[
        UUID | None, typer.Option("--run", help="作图的测算 the map; the newest if not given")
    ] = None,
    by: Annotated[str, typer.Option(help="分层字段 attribute of parcels that is the stratum")] = "",
    origin: Whose = "project",
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Estimate a survey with its half-width at 90 % and keep it, for a period to name."""
    command = plot_estimates.EstimatePlots(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        project_id=project,
        origin=_origin(origin),
        survey_year=year,
        before_year=since,
        model=model,
        stratum_ha=dict(_area(one) for one in stratum or []),
        estimator=_estimator(estimator),
        run_id=run_id,
        by=by,
    )
    found = act(plot_estimates.estimate, command, dry_run=dry_run)
    if json:
        tell(found, as_json=True, rehearsed=dry_run)
        return
    lines = [
        f"{found.id}",
        (
            f"{found.mean_t_c_ha:.3f} ± {found.half_width_t_c_ha:.3f} t C/ha"
            f"  U = {float(Fraction(found.u)):.3%}  n = {found.n}  [{found.model},"
            f" {found.estimator}]"
        ),
        *_helped(found.assisted),
        *(
            f"  {one['model']}: {one['mean_t_c_ha']:.3f} ± {one['half_width_t_c_ha']:.3f} t C/ha"
            for one in found.models
        ),
    ]
    show(None, as_json=False, lines=lines)


def _band(one: field_plots.PlotView) -> str:
    if one.low_t_ha is None or one.high_t_ha is None:
        return "! 没有认得全部树种的方程 no equation knows every tree"
    return f"{one.low_t_ha:.2f}–{one.high_t_ha:.2f} t C/ha"


def _origin(words: str) -> field_plots.Origin:
    if words not in get_args(field_plots.Origin):
        raise InvalidValueError(field="origin", value=words, why="project | verifier")
    return cast("field_plots.Origin", words)


def _helped(assisted: dict[str, Any] | None) -> list[str]:
    if assisted is None:
        return []
    gain = assisted["relative_efficiency"]
    return [f"  相对效率 relative efficiency {'∞' if gain is None else gain}"]


def _estimator(words: str) -> plot_estimates.Estimator:
    known = get_args(plot_estimates.Estimator)
    if words not in known:
        raise InvalidValueError(field="estimator", value=words, why=" | ".join(known))
    return cast("plot_estimates.Estimator", words)


def _area(words: str) -> tuple[str, float]:
    name, _, hectares = words.rpartition("=")
    try:
        return name, float(hectares)
    except ValueError as error:
        raise InvalidValueError(field="stratum", value=words, why="A=12.5") from error
