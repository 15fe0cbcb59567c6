"""Files of parcels: upload, preview with every finding on the map, confirm, receipt, approval."""

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from geo.errors import GeoError
from geo.repair import Proposal
from registry import answers, import_jobs, parcels, repairs, take_back
from registry import imports as intake_verbs
from registry.divisions import full_code
from registry.reads import batches
from registry.reads.choices import PlaceChoices, place_choices
from registry.reads.places import Page
from web import intake, messages
from web.api.parcels import DECIDES, guard_batch, guard_import
from web.auth import may, requires
from web.commands import form_key, from_form, from_query
from web.context import act, actor, config, now, reading
from web.i18n import english
from web.pages.acting import acted
from web.pages.frame import say, show
from web.pages.parcels import outline_of
from web.parsing import parse
from web.security import body_limit
from web.uploads import FILE_BYTES_MAX, Upload, Uploads

_ROW: Final = re.compile(r"[0-9]{1,8}")
blueprint = Blueprint("imports", __name__, url_prefix="/imports")
GEOJSON = "application/geo+json"
REPORT, ROWS, PLACES = ".report.json", ".rows.geojson", ".findings.geojson"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """Context of ``imports/form.html``."""

    choices: PlaceChoices
    recent: Page[batches.BatchLine]
    fault: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewPage:
    """Context of ``imports/preview.html``: the report of a dry run, findings by row."""

    name: str
    token: str
    report: dict[str, Any]
    outline: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """Context of ``imports/index.html``."""

    batches: Page[batches.BatchLine]
    next_url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairLine:
    """One proposed repair: its kind in words, areas in square metres."""

    row: int
    kind: str
    word: str
    before_m2: float
    after_m2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchContext:
    """Context of ``imports/batch.html``: the receipt and, for who may, the approval."""

    batch: batches.BatchPage
    findings: list[intake.SaidFinding]
    outline: str
    can_approve: bool
    own: bool
    previewed: bool
    can_take_back: bool
    stays: tuple[tuple[int, tuple[str, ...]], ...]
    proposals: tuple[RepairLine, ...]


@blueprint.get("/new")
@requires("parcel:import")
def form() -> str:
    """Show the upload form and the latest imports."""
    return _form(None)


@blueprint.post("/new")
@requires("parcel:import")
@body_limit(FILE_BYTES_MAX)
def upload() -> Response | tuple[str, int]:
    """Keep the file, try it, and lead to the preview; nothing is stored in the register."""
    about = {
        name: value
        for name in ("division_code", "programme_id", "crs", "crs_parameters", "encoding")
        if (value := request.form.get(name, "").strip())
    }
    file = request.files.get("file")
    if file is None or not file.filename:
        words = messages.say("UPLOAD_MISSING", {})
        return _form((words.en, "") if english() else (words.zh, "")), 422
    kept = _uploads().keep(file, actor_id=actor().id, about=about)
    command, options = _command(kept, key="preview")
    if kept.path.stat().st_size > intake.AT_ONCE_BYTES_MAX:
        command = replace(command, key=form_key())
        asked = intake.ask(kept.path, command, options, accept=False)
        return redirect(url_for("jobs.job", job_id=asked.job_id), 303)
    try:
        report, read = intake.preview(kept.path, command, options)
    except GeoError as error:
        said = messages.say(error.code, error.params)
        fault = (said.en, said.remedy_en) if english() else (said.zh, said.remedy_zh)
        return _form(fault), 422
    folder = kept.path.parent
    (folder / REPORT).write_text(json.dumps(asdict(report), default=str), encoding="utf-8")
    (folder / ROWS).write_text(intake.row_features(read, report), encoding="utf-8")
    (folder / PLACES).write_text(intake.finding_features(report.findings), encoding="utf-8")
    return redirect(url_for("imports.preview", token=kept.token), 303)


@blueprint.get("/preview/<token>")
@requires("parcel:import")
def preview(token: str) -> str:
    """Show what an import would do, row by row and on the map."""
    kept = _uploads().find(token, actor_id=actor().id)
    report = json.loads((kept.path.parent / REPORT).read_text(encoding="utf-8"))
    page = PreviewPage(
        name=kept.name, token=token, report=report, outline=outline_of(), key=f"web-{token}"
    )
    return show("imports/preview.html", page)


@blueprint.get("/preview/<token>/rows.geojson")
@requires("parcel:import")
def preview_rows(token: str) -> Response:
    """Answer with the rows of a previewed file."""
    return _stored(token, ROWS)


@blueprint.get("/preview/<token>/findings.geojson")
@requires("parcel:import")
def preview_findings(token: str) -> Response:
    """Answer with the places of the findings."""
    return _stored(token, PLACES)


@blueprint.post("/preview/<token>")
@requires("parcel:import")
def confirm(token: str) -> Response:
    """Import the previewed file: accepted rows become parcels, the others are kept as they are."""
    kept = _uploads().find(token, actor_id=actor().id)
    command, options = _command(kept, key=form_key())
    report = intake.take(kept.path, command, options)
    say("good", gettext("已导入：接收 %(n)s 个地块", n=report.accepted))
    return redirect(url_for("imports.batch", batch_id=report.batch_id), 303)


@blueprint.get("")
@requires("parcel:read")
def index() -> str:
    """Show the imports the actor may see."""
    with reading() as session:
        page = batches.batches(session, actor(), from_query(batches.BatchQuery))
    more = url_for("imports.index", before=page.next) if page.next else None
    return show("imports/index.html", IndexPage(batches=page, next_url=more))


@blueprint.get("/<uuid:batch_id>")
@requires("parcel:read")
def batch(batch_id: UUID) -> str:
    """Show what became of a file."""
    with reading() as session:
        found = batches.batch(session, actor(), batches.BatchById(batch_id=batch_id))
        stays = take_back.obstacles(session, batch_id)
        proposed = repairs.proposals(session, batch_id)
    lines = [*found.findings, *(one for row in found.rows for one in row.findings)]
    page = BatchContext(
        batch=found,
        findings=[_said(line) for line in lines],
        outline=outline_of(),
        can_approve=may(actor(), DECIDES) and found.line.waiting > 0,
        own=found.line.sender_id == actor().id,
        previewed=found.line.state == "previewed",
        can_take_back=found.line.state == "accepted"
        and (found.line.sender_id == actor().id or actor().has("county"))
        and may(actor(), "parcel:import"),
        proposals=_proposals(proposed) if found.line.state == "accepted" else (),
        stays=tuple((one.row, tuple(_rests()[why] for why in one.why)) for one in stays),
    )
    return show("imports/batch.html", page)


def _proposals(found: list[Proposal]) -> tuple[RepairLine, ...]:
    words = {
        "close_ring": gettext("闭合边界"),
        "make_valid": gettext("消除自相交"),
        "trim": gettext("裁到邻界"),
        "clip_sliver": gettext("裁去碎边"),
        "drop_duplicate": gettext("略去重复"),
    }
    return tuple(
        RepairLine(
            row=one.row,
            kind=one.kind,
            word=words[one.kind],
            before_m2=one.area_before_m2,
            after_m2=one.area_after_m2,
        )
        for one in found
    )


@blueprint.get("/<uuid:batch_id>/repairs.geojson")
@requires("parcel:import")
def repair_features(batch_id: UUID) -> Response:
    """Answer with the proposed repairs: each row before and after."""
    with reading() as session:
        batches.batch(session, actor(), batches.BatchById(batch_id=batch_id))
        found = repairs.proposals(session, batch_id)
        before = repairs.shapes(session, batch_id, [one.row for one in found])
    shown = [(one.row, before[one.row], "refused") for one in found]
    shown += [(one.row, one.geometry, "accepted") for one in found if one.geometry is not None]
    return Response(intake.features(shown), content_type=GEOJSON)


@blueprint.post("/<uuid:batch_id>/answers")
@requires("parcel:import")
def answer(batch_id: UUID) -> Response:
    """Take questioned rows as they stand, for a reason."""
    words = re.split(r"[\s,，、;；]+", request.form.get("rows", "").strip())
    rows = [int(word) for word in words if _ROW.fullmatch(word)]
    chosen = {"rows": rows, "reason": request.form.get("reason", "")}
    given = {"at": now(), "actor_id": actor().id, "key": form_key(), "batch_id": batch_id}
    return acted(
        answers.answer,
        lambda: parse(answers.AnswerQuestions, json.dumps(chosen), given),
        url_for("imports.batch", batch_id=batch_id),
        guard=guard_import,
        done=gettext("已接收，等待审批。"),
    )


@blueprint.post("/<uuid:batch_id>/repairs")
@requires("parcel:import")
def repair(batch_id: UUID) -> Response:
    """Accept the proposed repair of a row, or all of a kind."""
    form = request.form
    chosen = {
        "rows": [int(form["row"])] if form.get("row", "").isdigit() else [],
        "kinds": [form["kind"]] if form.get("kind") else [],
    }
    given = {"at": now(), "actor_id": actor().id, "key": form_key(), "batch_id": batch_id}
    return acted(
        repairs.accept_repairs,
        lambda: parse(repairs.AcceptRepairs, json.dumps(chosen), given),
        url_for("imports.batch", batch_id=batch_id),
        guard=guard_import,
        done=gettext("已按建议修复，等待审批。"),
    )


def _rests() -> dict[str, str]:
    """Return the words for what may rest on a parcel."""
    return {
        "claim": gettext("有碳汇主张"),
        "lot": gettext("在资产包中"),
        "project": gettext("在项目中"),
        "orchard": gettext("属果园账户"),
        "tree": gettext("有登记树木"),
        "revised": gettext("导入后已修订"),
    }


@blueprint.post("/<uuid:batch_id>/acceptance")
@requires("parcel:import")
def accept(batch_id: UUID) -> Response:
    """Have a previewed file accepted by a job."""
    return acted(
        import_jobs.request_acceptance,
        lambda: from_form(intake_verbs.AcceptImport, batch_id=batch_id),
        lambda asked: url_for("jobs.job", job_id=asked.job_id),
        guard=guard_import,
        again=url_for("imports.batch", batch_id=batch_id),
    )


@blueprint.post("/<uuid:batch_id>/discard")
@requires("parcel:import")
def discard(batch_id: UUID) -> Response:
    """Forget a previewed file."""
    return acted(
        import_jobs.discard,
        lambda: from_form(import_jobs.DiscardImport, batch_id=batch_id),
        url_for("imports.index"),
        done=gettext("已放弃，没有写入任何内容。"),
    )


@blueprint.post("/<uuid:batch_id>/withdrawal")
@requires("parcel:import")
def withdraw(batch_id: UUID) -> Response:
    """Take the import back."""
    return acted(
        take_back.take_back,
        lambda: from_form(take_back.TakeBack, batch_id=batch_id),
        url_for("imports.batch", batch_id=batch_id),
        guard=guard_import,
        done=gettext("已撤回，不能撤回的地块列在下面。"),
    )


@blueprint.get("/<uuid:batch_id>/rows.geojson")
@requires("parcel:read")
def batch_rows(batch_id: UUID) -> Response:
    """Answer with the rows of an import that can be drawn."""
    with reading() as session:
        found = batches.batch_features(session, actor(), batches.BatchById(batch_id=batch_id))
    return Response(found, content_type=GEOJSON)


@blueprint.get("/<uuid:batch_id>/findings.geojson")
@requires("parcel:read")
def batch_findings(batch_id: UUID) -> Response:
    """Answer with the places of an import's findings."""
    with reading() as session:
        found = batches.batch(session, actor(), batches.BatchById(batch_id=batch_id))
    lines = [_said(one) for row in found.rows for one in row.findings]
    return Response(intake.finding_features(lines), content_type=GEOJSON)


@blueprint.post("/<uuid:batch_id>/approval")
@requires(DECIDES)
def approve(batch_id: UUID) -> Response:
    """Approve what an import brought and what still waits."""
    command = from_form(parcels.ApproveBatch, batch_id=batch_id)
    with reading() as session:
        guard_batch(session, actor(), command)
    done = act(parcels.approve_batch, command)
    say("good", gettext("已批准 %(n)s 个地块", n=done.approved))
    return redirect(url_for("imports.batch", batch_id=batch_id), 303)


def _form(fault: tuple[str, str] | None) -> str:
    with reading() as session:
        choices = place_choices(session, actor())
        recent = batches.batches(session, actor(), batches.BatchQuery(limit=10))
    return show("imports/form.html", FormPage(choices=choices, recent=recent, fault=fault))


def _uploads() -> Uploads:
    return Uploads(config().state_dir / "uploads")


def _stored(token: str, name: str) -> Response:
    kept = _uploads().find(token, actor_id=actor().id)
    return Response((kept.path.parent / name).read_bytes(), content_type=GEOJSON)


def _command(kept: Upload, *, key: str) -> tuple[intake_verbs.ImportParcels, intake.FileOptions]:
    about = dict(kept.about)
    options = intake.FileOptions(
        **{name: about.pop(name, None) for name in ("crs", "crs_parameters", "encoding")}
    )
    given = {
        "at": now(),
        "actor_id": actor().id,
        "key": key,
        "file_name": kept.name,
        "file_sha256": intake.sha256_of(kept.path),
    }
    command = parse(intake_verbs.ImportParcels, json.dumps(about), given)
    code = command.division_code or actor().division_code
    return replace(command, division_code=code and full_code(code)), options


def _said(line: dict[str, Any]) -> intake.SaidFinding:
    at = line.get("at")
    params = dict(line.get("params") or {})
    words = messages.say(line["code"], {"row": line.get("row"), **params})
    return intake.SaidFinding(
        row=line.get("row"),
        code=line["code"],
        severity=line["severity"],
        zh=words.zh,
        en=words.en,
        remedy_zh=words.remedy_zh,
        remedy_en=words.remedy_en,
        params=params,
        at=(at[0], at[1]) if at else None,
    )
