"""Field plots of a project: entered singly or by table, told by every equation, estimated."""

from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Final, cast
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from registry import field_plots, periods, plot_estimates
from registry.errors import NotPermittedError, RegistryError
from registry.field_plots import Origin, PlotView
from registry.people import ActorView
from registry.reads import projects as project_reads
from sinks import tables
from sinks.errors import SinksError
from web import plot_table
from web.auth import may, requires
from web.context import act, actor, now, reading
from web.errors import status_of
from web.pages.acting import acted, given, refusal_words, word
from web.pages.frame import say, show
from web.parsing import FieldsInvalidError, field_error
from web.security import body_limit

blueprint = Blueprint("plots", __name__, url_prefix="/projects/<uuid:project_id>/plots")
FAULTS_SHOWN: Final = 40
_STEM_HEADINGS: Final = ("树种", "胸径(厘米)", "树高(米)", "冠长(米)", "竹度", "株数")
_FACTS: Final = (
    ("number", "样地号"),
    ("lon", "经度"),
    ("lat", "纬度"),
    ("slope", "坡度(比值)"),
    ("measured_on", "调查日期"),
    ("measured_by", "调查人"),
    ("stratum", "层"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A source of equations as people read it."""

    key: str
    citation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateLine:
    """An estimate with its half-width as a share."""

    kept: plot_estimates.EstimateView
    u_percent: str
    low_t_c_ha: float
    high_t_c_ha: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotsPage:
    """Context of ``periods/plots.html``; ``writes`` is whose plots the actor may enter, if any."""

    project: project_reads.ProjectLine
    origin: str
    year: int
    surveys: tuple[tuple[str, int, int], ...]
    plots: list[PlotView]
    strata: tuple[str, ...]
    models: tuple[Model, ...]
    estimates: tuple[EstimateLine, ...]
    writes: str | None
    why_not: str
    faults: tuple[str, ...]
    faults_total: int
    today: str


@blueprint.get("")
@requires("period:read")
def index(project_id: UUID) -> str:
    """Show a survey's plots."""
    return _page(project_id, [])


@blueprint.get("/table.csv")
@requires("period:read")
def example(project_id: UUID) -> Response:
    """Answer with an example of the table that is taken in."""
    head = {"Content-Disposition": f'attachment; filename="plots-{str(project_id)[:8]}.csv"'}
    data = plot_table.EXAMPLE.encode("utf-8-sig")
    return Response(data, content_type="text/csv; charset=utf-8", headers=head)


@blueprint.post("")
@requires("plot:write")
@body_limit(plot_table.BYTES_MAX + 64 * 1024)
def enter(project_id: UUID) -> Response | tuple[str, int]:
    """Enter a plot or a table of them, or show everything that is wrong with it."""
    try:
        data, plots = _sent()
        command = field_plots.EnterPlots(
            **given(  # type: ignore[arg-type]
                project_id=project_id,
                origin=_own(project_id),
                survey_year=_year("survey_year"),
                plots=plots,
                reason=word("reason"),
                source_sha256=sha256(data).hexdigest() if data else None,
            )
        )
        done = act(field_plots.enter, command)
    except NotPermittedError:
        raise
    except (RegistryError, SinksError) as error:
        return _page(project_id, refusal_words(error)), status_of(error)
    say(
        "good",
        gettext(
            "新录入 %(n)s 个，更正 %(c)s 个，未变 %(s)s 个。",
            n=done.new,
            c=done.corrected,
            s=done.same,
        ),
    )
    return redirect(_here(project_id, done.survey_year, command.origin), 303)


@blueprint.post("/withdrawal")
@requires("plot:write")
def withdraw(project_id: UUID) -> Response:
    """Leave a plot out of its survey."""
    year = _year("survey_year")
    origin = _own(project_id)
    return acted(
        field_plots.withdraw,
        lambda: field_plots.WithdrawPlot(
            **given(  # type: ignore[arg-type]
                project_id=project_id,
                origin=origin,
                survey_year=year,
                number=word("number"),
                reason=word("reason"),
            )
        ),
        _here(project_id, year, origin),
        done=gettext("已从本次调查中去掉，原记录保留。"),
    )


@blueprint.post("/estimates")
@requires("plot:write")
def estimate(project_id: UUID) -> Response | tuple[str, int]:
    """Estimate the survey and keep what comes out."""
    try:
        since = word("before_year")
        command = plot_estimates.EstimatePlots(
            **given(  # type: ignore[arg-type]
                project_id=project_id,
                origin=_own(project_id),
                survey_year=_year("survey_year"),
                before_year=_year("before_year") if since else None,
                model=word("model") or None,
                stratum_ha=_areas(),
                estimator=cast("plot_estimates.Estimator", word("estimator") or "expansion"),
                by=word("by"),
            )
        )
        done = act(plot_estimates.estimate, command)
    except NotPermittedError:
        raise
    except (RegistryError, SinksError) as error:
        return _page(project_id, refusal_words(error)), status_of(error)
    say("good", gettext("估计已留存，可在监测期里引用。"))
    return redirect(_here(project_id, done.survey_year, done.origin), 303)


def _here(project_id: UUID, year: int, origin: str) -> str:
    return url_for("plots.index", project_id=project_id, year=year, origin=origin)


def _own(project_id: UUID) -> Origin:
    """Return whose plots the actor enters.

    Raises
    ------
    NotFoundError, NotPermittedError : the project is out of sight, or not the actor's to measure.
    """
    with reading() as session:
        who = actor()
        if who.has("verifier"):
            asked = project_reads.ProjectById(project_id=project_id)
            project_reads.project(session, who, asked)
            if _bound(session, who, project_id):
                raise NotPermittedError(needs=gettext("独立的核证机构"))
            return "verifier"
        project_reads.require_writer(session, who, project_id)
        return "project"


def _bound(session: Session, who: ActorView, project_id: UUID) -> bool:
    relation = (
        "no_verifier"
        if who.party_id is None
        else periods.relation(session, verifier_id=who.party_id, project_id=project_id)
    )
    return relation is not None


def _sent() -> tuple[bytes, tuple[field_plots.Plot, ...]]:
    """Return the uploaded table's bytes and plots, or the one plot of the form."""
    sent = request.files.get("table")
    data = sent.stream.read() if sent is not None else b""
    if sent is not None and data:
        return data, plot_table.read_plots(data, sent.filename or "")
    size = ("半径(米)" if word("shape") != "square" else "边长(米)", word("size_m"))
    facts = [*((heading, word(name)) for name, heading in _FACTS), size]
    headings = [heading for heading, _ in facts] + list(_STEM_HEADINGS)
    values = [value for _, value in facts]
    stems = [_stem(line) for line in word("stems").splitlines() if line.strip()] or [[""] * 6]
    rows = [headings, *([*values, *stem] for stem in stems)]
    return b"", plot_table.plots_of(rows)


def _stem(line: str) -> list[str]:
    """Read ``杉木 14.2 11.5 [冠长]``, or ``2度 12 9.8``: age class, count, mean diameter."""
    parts = line.replace("，", " ").replace(",", " ").split()
    if parts[0].rstrip("度").isdecimal():
        du, count, d = (*parts, "", "")[:3]
        return ["", d, "", "", du.rstrip("度"), count]
    species, d, h, crown = (*parts, "", "", "")[:4]
    return [species, d, h, crown, "", ""]


def _year(name: str) -> int:
    text = word(name)
    if len(text) == 4 and text.isascii() and text.isdecimal():  # noqa: PLR2004 -- of a year
        return int(text)
    raise FieldsInvalidError((field_error(f"/{name}", "FIELD_FORMAT", field=name),))


def _areas() -> dict[str, float]:
    """Read the strata's areas, a field each."""
    found = {}
    for key, value in request.form.items():
        if key.startswith("area-") and value.strip():
            try:
                found[key.removeprefix("area-")] = float(value)
            except ValueError as error:
                fault = field_error(f"/{key}", "FIELD_FORMAT", field=key)
                raise FieldsInvalidError((fault,)) from error
    return found


def _page(project_id: UUID, faults: list[str]) -> str:
    who = actor()
    with reading() as session:
        asked = project_reads.ProjectById(project_id=project_id)
        line = project_reads.project(session, who, asked)
        surveys = field_plots.surveys(session, project_id)
        origin, year = _asked(surveys, verifier=who.has("verifier"))
        plots = field_plots.listing(session, project_id, origin=origin, survey_year=year)
        kept = plot_estimates.listing(session, project_id)
        writes, why = _writes(session, who, project_id)
    citations = tables.sources()
    keys = dict.fromkeys(model for one in plots for model in one.models)
    return show(
        "periods/plots.html",
        PlotsPage(
            project=line,
            origin=origin,
            year=year,
            surveys=tuple(surveys),
            plots=plots,
            strata=tuple(sorted({one.plot.stratum for one in plots})),
            models=tuple(Model(key=key, citation=citations.get(key, "")) for key in sorted(keys)),
            estimates=tuple(_line(one) for one in kept),
            writes=writes,
            why_not=why,
            faults=tuple(faults[:FAULTS_SHOWN]),
            faults_total=len(faults),
            today=now().date().isoformat(),
        ),
        estimator_word=estimator_word,
    )


def _writes(session: Session, who: ActorView, project_id: UUID) -> tuple[str | None, str]:
    if not may(who, "plot:write"):
        return None, ""
    if who.has("verifier"):
        if _bound(session, who, project_id):
            return None, gettext("贵机构与本项目有利害关系，不能录入核证样地。")
        return "verifier", ""
    try:
        project_reads.require_writer(session, who, project_id)
    except RegistryError:
        return None, ""
    return "project", ""


def _asked(surveys: list[tuple[Origin, int, int]], *, verifier: bool) -> tuple[Origin, int]:
    own: Origin = "verifier" if verifier else "project"
    year, origin = request.args.get("year", ""), request.args.get("origin", "")
    if not year.isdecimal() and surveys:
        mine = [one for one in surveys if one[0] == own] or surveys
        return mine[0][0], mine[0][1]
    chosen = cast("Origin", origin) if origin in {"project", "verifier"} else own
    return chosen, int(year[:4]) if year.isdecimal() else now().year


def estimator_word(key: str) -> str:
    """Return the word of an estimator."""
    words: dict[str, str] = {
        "expansion": gettext("只用样地"),
        "difference": gettext("测算图加差值"),
        "ratio": gettext("测算图乘比值"),
        "regression": gettext("测算图作回归"),
    }
    return words.get(key, key)


def _line(one: plot_estimates.EstimateView) -> EstimateLine:
    return EstimateLine(
        kept=one,
        u_percent=f"{float(Fraction(one.u)):.2%}",
        low_t_c_ha=one.mean_t_c_ha - one.half_width_t_c_ha,
        high_t_c_ha=one.mean_t_c_ha + one.half_width_t_c_ha,
    )
