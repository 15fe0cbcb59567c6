"""A long work as it goes: how far it is, what came of it, and a way to stop it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response

from options import ground
from registry import eligibility_jobs, estimation, import_jobs, jobs
from web import messages
from web.auth import requires
from web.commands import from_form
from web.context import actor, reading
from web.formats import tonnes
from web.i18n import english
from web.messages import Said
from web.pages import frame
from web.pages.acting import acted
from web.pages.frame import show

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")
LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Context of ``jobs/job.html``: ``next_url`` leads to what was made."""

    job: jobs.JobView
    title: str
    phase: str
    fault: Said | None
    facts: tuple[tuple[str, str], ...]
    next_url: str | None
    open: bool
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage:
    """Context of ``jobs/index.html``: (job, its title), the newest first."""

    jobs: tuple[tuple[jobs.JobView, str], ...]


frame.NAV.append(
    frame.NavItem(
        word=lazy_gettext("任务"),
        endpoint="jobs.index",
        permission="job:read",
        group="projects",
    )
)


@blueprint.get("")
@requires("job:read")
def index() -> str:
    """Show the newest jobs."""
    with reading() as session:
        found = jobs.listing(session, at_most=LISTED)
    names = titles()
    return show(
        "jobs/index.html",
        JobsPage(jobs=tuple((one, names.get(one.task, one.task)) for one in found)),
    )


@blueprint.get("/<uuid:job_id>")
@requires("job:read")
def job(job_id: UUID) -> str:
    """Show one job; an open one is renewed as its stream of events tells."""
    with reading() as session:
        found = jobs.get(session, job_id)
    page = _page(found)
    part = request.headers.get("HX-Request") == "true"
    return show("jobs/_job.html" if part else "jobs/job.html", page)


@blueprint.post("/<uuid:job_id>/cancel")
@requires("job:read")
def cancel(job_id: UUID) -> Response:
    """Stop it."""
    return acted(
        jobs.stop,
        lambda: from_form(jobs.CancelJob, job_id=job_id),
        url_for("jobs.job", job_id=job_id),
        done=gettext("已请求停止。"),
    )


def titles() -> dict[str, str]:
    """Return the word of each kind of work."""
    return {
        estimation.TASK: gettext("测算"),
        eligibility_jobs.TASK: gettext("按规则核查"),
        import_jobs.READ: gettext("读取地块文件"),
        import_jobs.ACCEPT: gettext("接收地块"),
        ground.TASK: gettext("按再评估分割地块"),
    }


def _page(found: jobs.JobView) -> JobPage:
    fault = None
    if found.error is not None:
        fault = messages.say(found.error["code"], found.error["params"])
    phases = {
        "": gettext("等待处理"),
        "reading": gettext("读取地块和图层"),
        "covering": gettext("把地块叠到图层上"),
        "growing": gettext("计算生长"),
        "writing": gettext("写入结果"),
        "drawing": gettext("估计误差"),
        "asking": gettext("逐条核对规则"),
        "open": gettext("打开文件"),
        "read": gettext("逐行读取"),
        "compare": gettext("与其他地块比较"),
        "accept": gettext("写入地块"),
    }
    facts, next_url = _result(found)
    return JobPage(
        job=found,
        title=titles().get(found.task, found.task),
        phase=phases.get(found.phase or "", found.phase or ""),
        fault=fault,
        facts=facts,
        next_url=next_url,
        open=found.state in jobs.OPEN,
        own=found.actor_id == actor().id or actor().has("county", "system"),
    )


def _result(found: jobs.JobView) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """Return what came of it in words, and where it is to be seen."""
    result = found.result
    if result is None:
        return (), None
    if found.task == eligibility_jobs.TASK:
        return _answers(result), None
    if found.task in {import_jobs.READ, import_jobs.ACCEPT}:
        return _rows(result), url_for("imports.batch", batch_id=result["batch_id"])
    if found.task == ground.TASK:
        return _parts(result)
    if found.task != estimation.TASK:
        return (), None
    facts = (
        (gettext("地块"), str(result["parcels"])),
        (gettext("年份"), f"{result['first_year']}–{result['last_year']}"),
        (gettext("净吸收（吨二氧化碳当量）"), tonnes(int(result["net_kg"]))),
        (
            gettext("输入"),
            gettext("与以前相同，沿用那次结果") if result["reused"] else gettext("新的一次"),
        ),
        *((_first_words(str(code)), str(count)) for code, count in dict(result["flagged"]).items()),
    )
    return facts, url_for("assessments.run", run_id=result["run_id"])


def _parts(result: Mapping[str, Any]) -> tuple[tuple[tuple[str, str], ...], str | None]:
    """Return what each part took of what was sold ahead, and where the first is to be seen."""
    parts = [str(one["parcel_id"]) for one in result["parcels"]]
    taken = dict.fromkeys(parts, 0)
    for one in result["shared"]:
        if one["what"] == "reservation":
            taken[str(one["parcel_id"])] += int(one["kg"])
    facts = tuple(
        (gettext("第 %(n)s 部分分担的预存（吨）", n=n), tonnes(taken[part]))
        for n, part in enumerate(parts, 1)
    )
    return facts, url_for("parcels.parcel", parcel_id=parts[0])


def _rows(result: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return (
        (gettext("读入"), str(result["read"])),
        (gettext("接收"), str(result["accepted"])),
        (gettext("存疑"), str(result["questioned"])),
        (gettext("拒收"), str(result["refused"])),
    )


def _answers(result: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    reasons: Mapping[str, int] = result["reasons"]  # type: ignore[assignment]  # of our own making
    return (
        (gettext("地块"), str(result["parcels"])),
        (gettext("符合"), str(result["eligible"])),
        (gettext("不符合"), str(result["not_eligible"])),
        (gettext("需补充资料"), str(result["needs_documents"])),
        *((_first_words(code), str(count)) for code, count in reasons.items()),
    )


def _first_words(code: str) -> str:
    """Return the head of a code's message, as far as it needs no figure."""
    words = messages.entries()[code]["en" if english() else "zh"]
    return words.split("{", 1)[0].strip("（( ,，：:") or code
