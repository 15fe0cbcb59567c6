"""``/parcels`` and ``/imports``: places over HTTP."""

import json
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import Response, request
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from geo.errors import CrsError, FileError, GeometryError
from geo.export import FORMATS
from registry import answers, import_jobs, imports, parcels, repairs, take_back
from registry.divisions import DivisionExpiredError, full_code
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError, WrongStateError
from registry.ground_claims import ParcelObligedError
from registry.parcel_store import PlaceRefusedError, VersionConflictError
from registry.people import ROLES, ActorView
from registry.reads import batches, places
from registry.reads.exports import TooManyParcelsError
from registry.reads.scope import require_division, require_parcel
from registry.refusals import NotApprovedByAnotherError, ParcelOverlapError
from registry.within import DivisionQuestionError, StraddlesDivisionError
from web import intake
from web.api.endpoints import JSON, Act, Noun, Raw, Read
from web.api.places import FEATURES, GEOJSON
from web.auth import may, roles_with
from web.commands import from_query, header_key
from web.context import actor, config, now, reading
from web.exporting import ExportRequest, write_export
from web.parsing import parse
from web.security import body_limit
from web.uploads import FILE_BYTES_MAX, Uploads, safe_name

DECIDES: Final = "parcel:decide"
HTTP_ROWS_MAX: Final = 20_000
"""Parcels in one download; the command line writes more."""

_REPORT: Final = TypeAdapter(intake.SaidReport)
_ASKED: Final = TypeAdapter(import_jobs.JobAsked)
ImportCommand = (
    imports.AcceptImport | take_back.TakeBack | repairs.AcceptRepairs | answers.AnswerQuestions
)


def guard_draw(_session: Session, who: ActorView, command: parcels.DrawParcel) -> None:
    """Refuse to draw outside the actor's division."""
    require_division(who, command.division_code and full_code(command.division_code))


def guard_revise(session: Session, who: ActorView, command: parcels.ReviseParcel) -> None:
    """Refuse to change a parcel the actor may not see."""
    require_parcel(session, who, command.parcel_id)


def guard_decide(session: Session, who: ActorView, command: parcels.DecideParcel) -> None:
    """Refuse decisions on parcels out of sight, and approvals by who may only submit."""
    require_parcel(session, who, command.parcel_id)
    if command.decision in {"approve", "return"} and not may(who, DECIDES):
        raise NotPermittedError(needs="/".join(ROLES[role] for role in roles_with(DECIDES)))


def guard_batch(session: Session, who: ActorView, command: parcels.ApproveBatch) -> None:
    """Refuse to approve an import out of sight, or one's own."""
    page = batches.batch(session, who, batches.BatchById(batch_id=command.batch_id))
    if page.line.sender_id == who.id:
        raise NotApprovedByAnotherError


def guard_import(session: Session, who: ActorView, command: ImportCommand) -> None:
    """Refuse to act on an import out of sight."""
    batches.batch(session, who, batches.BatchById(batch_id=command.batch_id))


def features() -> Response:
    """Answer with the parcels in ``bbox``, or one, that the caller may see, as GeoJSON."""
    words = request.args.get("bbox")
    box = places.box_of(words) if words else None
    only = _id_of(request.args.get("id"))
    with reading() as session:
        found = places.parcel_features(session, actor(), box, only)
    return Response(found, content_type=GEOJSON)


def _id_of(words: str | None) -> UUID | None:
    if not words:
        return None
    try:
        return UUID(words)
    except ValueError:
        raise InvalidValueError(field="id", value=words[:80], why="UUID") from None


def neighbours() -> Response:
    """Answer with the active shapes in ``bbox``, without owner or name: to draw beside."""
    box = places.box_of(request.args.get("bbox", ""))
    with reading() as session:
        return Response(places.neighbour_features(session, box), content_type=GEOJSON)


def export() -> Response:
    """Answer with the parcels that the caller may see as a file."""
    asked = from_query(ExportRequest)
    with tempfile.TemporaryDirectory(prefix="tanhui-") as folder:
        path = Path(folder) / "parcels"
        with reading() as session:
            write_export(session, actor(), asked, path=path, most=HTTP_ROWS_MAX)
        data = path.read_bytes()
    about = FORMATS[asked.format]
    head = {"Content-Disposition": f'attachment; filename="parcels{about.suffix}"'}
    return Response(data, content_type=about.media_type, headers=head)


def own_outline() -> Response:
    """Answer with the outline in which the caller's maps begin."""
    with reading() as session:
        return Response(places.own_outline(session, actor()), content_type=GEOJSON)


@body_limit(FILE_BYTES_MAX)
def import_file() -> Response:
    """Take a file in, or say what would happen (``dry_run``); a large file by a job: 202."""
    file = request.files.get("file")
    name = safe_name(file.filename) if file else ""
    if file is None or not name:
        raise InvalidValueError(field="file", value="—", why="没有文件 no file")
    dry = request.form.get("dry_run", "").lower() in {"1", "true", "on"}
    key = "dry-run" if dry else header_key()
    options = parse(intake.FileOptions, json.dumps(_sent("crs", "crs_parameters", "encoding")), {})
    if (request.content_length or 0) > intake.AT_ONCE_BYTES_MAX:
        kept = Uploads(config().state_dir / "uploads").keep(file, actor_id=actor().id, about={})
        command = _import_command(kept.path, name, header_key())
        asked = intake.ask(kept.path, command, options, accept=not dry)
        return Response(
            _ASKED.dump_json(asked),
            status=202,
            content_type=JSON,
            headers={"Location": f"/api/v1/jobs/{asked.job_id}"},
        )
    with tempfile.TemporaryDirectory(prefix="tanhui-") as folder:
        path = Path(folder) / name
        file.save(path)
        command = _import_command(path, name, key)
        if dry:
            report, _ = intake.preview(path, command, options)
        else:
            report = intake.take(path, command, options)
    status = 201 if report.batch_id is not None else 200
    return Response(_REPORT.dump_json(report), status=status, content_type=JSON)


def _import_command(path: Path, name: str, key: str) -> imports.ImportParcels:
    command = parse(
        imports.ImportParcels,
        json.dumps(_sent("division_code", "programme_id", "strict")),
        {
            "at": now(),
            "actor_id": actor().id,
            "key": key,
            "file_name": name,
            "file_sha256": intake.sha256_of(path),
        },
    )
    return replace(
        command, division_code=command.division_code and full_code(command.division_code)
    )


def _sent(*names: str) -> dict[str, str]:
    return {name: request.form[name] for name in names if request.form.get(name, "").strip()}


_BOX: Final[dict[str, Any]] = {
    "name": "bbox",
    "in": "query",
    "description": "west,south,east,north in degrees",
    "schema": {"type": "string"},
}
_ONE: Final[dict[str, Any]] = {
    "name": "id",
    "in": "query",
    "description": "one parcel only",
    "schema": {"type": "string", "format": "uuid"},
}
_FILE_FORM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "contentMediaType": "application/octet-stream"},
        "division_code": {"type": "string"},
        "programme_id": {"type": "string"},
        "crs": {"type": "string"},
        "crs_parameters": {"type": "string"},
        "encoding": {"type": "string"},
        "strict": {"type": "boolean"},
        "dry_run": {"type": "boolean"},
    },
}


def _export_operation() -> dict[str, Any]:
    names = [field.name for field in fields(ExportRequest) if field.name != "format"]
    chosen = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    kinds = {"type": "string", "enum": list(FORMATS), "default": "gpkg"}
    binary = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    content = {about.media_type: binary for about in FORMATS.values()}
    return {
        "parameters": [{"name": "format", "in": "query", "schema": kinds}, *chosen],
        "responses": {"200": {"description": "OK", "content": content}},
    }


def _import_operation() -> dict[str, Any]:
    report = TypeAdapter(intake.SaidReport).json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    shared = report.pop("$defs", {})
    for name, schema in shared.items():
        report = json.loads(
            json.dumps(report).replace(
                json.dumps({"$ref": f"#/components/schemas/{name}"}), json.dumps(schema)
            )
        )
    content = {"application/json": {"schema": report}}
    return {
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Needed unless dry_run: a repeat with the same key acts once.",
                "schema": {"type": "string", "maxLength": 200},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": _FILE_FORM}},
        },
        "responses": {
            "200": {"description": "dry run", "content": content},
            "201": {"description": "stored", "content": content},
            "202": {
                "description": "a large file: its job; the batch has the job's id",
                "content": {"application/json": {"schema": _ASKED.json_schema()}},
            },
        },
    }


NOUN = Noun(
    name="parcels",
    title=("地块", "Parcels and their imports"),
    endpoints=(
        Read(
            name="list_parcels",
            rule="/parcels",
            permission="parcel:read",
            query=places.ParcelQuery,
            read=places.parcels,
            summary=("可见地块列表", "The parcels the caller may see"),
        ),
        Raw(
            name="parcel_features",
            rule="/parcels.geojson",
            permission="parcel:read",
            view=features,
            summary=("地图上的地块", "Parcels in a box as GeoJSON"),
            operation={"parameters": [_BOX, _ONE], "responses": FEATURES},
            raises=(InvalidValueError,),
        ),
        Raw(
            name="export_parcels",
            rule="/parcels/export",
            permission="parcel:read",
            view=export,
            summary=("下载可见地块", "The parcels the caller may see, as a file"),
            operation=_export_operation(),
            raises=(TooManyParcelsError, GeometryError),
        ),
        Raw(
            name="own_outline",
            rule="/parcels/outline.geojson",
            permission="parcel:read",
            view=own_outline,
            summary=("本辖区范围", "Where the caller's parcels lie: the outline of their maps"),
            operation={"responses": FEATURES},
        ),
        Raw(
            name="neighbour_features",
            rule="/parcels/neighbours.geojson",
            permission="parcel:draw",
            view=neighbours,
            summary=("相邻地块的边界", "Active shapes in a box, without owner or name"),
            operation={"parameters": [{**_BOX, "required": True}], "responses": FEATURES},
            raises=(InvalidValueError,),
        ),
        Act(
            name="draw_parcel",
            rule="/parcels",
            permission="parcel:draw",
            command=parcels.DrawParcel,
            verb=parcels.draw,
            summary=("画一个地块", "Enter one drawn parcel"),
            raises=(
                PlaceRefusedError,
                DivisionQuestionError,
                StraddlesDivisionError,
                DivisionExpiredError,
                ParcelOverlapError,
                NotFoundError,
            ),
            status=201,
            etag="version",
            guard=guard_draw,
        ),
        Read(
            name="get_parcel",
            rule="/parcels/<uuid:parcel_id>",
            permission="parcel:read",
            query=places.ParcelById,
            read=places.parcel,
            summary=("一个地块", "One parcel with versions, decisions and findings"),
            raises=(NotFoundError,),
            etag="version",
        ),
        Act(
            name="revise_parcel",
            rule="/parcels/<uuid:parcel_id>",
            method="PATCH",
            permission="parcel:draw",
            command=parcels.ReviseParcel,
            verb=parcels.revise,
            summary=("修订地块", "Add a version to a parcel"),
            raises=(
                PlaceRefusedError,
                DivisionQuestionError,
                StraddlesDivisionError,
                ParcelObligedError,
                VersionConflictError,
                ParcelOverlapError,
                NotFoundError,
            ),
            if_match="based_on_version",
            etag="version",
            guard=guard_revise,
        ),
        Act(
            name="decide_parcel",
            rule="/parcels/<uuid:parcel_id>/decisions",
            permission="parcel:draw",
            command=parcels.DecideParcel,
            verb=parcels.decide,
            summary=("提交、批准、退回或撤回", "Submit, approve, return or withdraw a parcel"),
            raises=(NotApprovedByAnotherError, WrongStateError, NotFoundError),
            etag="version",
            guard=guard_decide,
        ),
        Raw(
            name="import_parcels",
            rule="/imports",
            method="POST",
            permission="parcel:import",
            view=import_file,
            summary=("导入地块文件", "Import a file of parcels, or try it with dry_run"),
            operation=_import_operation(),
            raises=(
                FileError,
                CrsError,
                NotFoundError,
                DivisionExpiredError,
                imports.NothingAcceptedError,
            ),
        ),
        Read(
            name="list_imports",
            rule="/imports",
            permission="parcel:read",
            query=batches.BatchQuery,
            read=batches.batches,
            summary=("导入批次", "Imports, the newest first"),
        ),
        Read(
            name="get_import",
            rule="/imports/<uuid:batch_id>",
            permission="parcel:read",
            query=batches.BatchById,
            read=batches.batch,
            summary=("一个导入批次", "One import with its findings by row"),
            raises=(NotFoundError,),
        ),
        Act(
            name="accept_import",
            rule="/imports/<uuid:batch_id>/acceptance",
            permission="parcel:import",
            command=imports.AcceptImport,
            verb=import_jobs.request_acceptance,
            summary=("接收已预览的批次", "Have a previewed import accepted by a job"),
            raises=(NotFoundError,),
            status=202,
            guard=guard_import,
        ),
        Act(
            name="answer_import",
            rule="/imports/<uuid:batch_id>/answers",
            permission="parcel:import",
            command=answers.AnswerQuestions,
            verb=answers.answer,
            summary=("确认待定的行并接收", "Take questioned rows as they stand, for a reason"),
            raises=(NotFoundError, WrongStateError, InvalidValueError, ParcelOverlapError),
            status=201,
            guard=guard_import,
        ),
        Act(
            name="repair_import",
            rule="/imports/<uuid:batch_id>/repairs",
            permission="parcel:import",
            command=repairs.AcceptRepairs,
            verb=repairs.accept_repairs,
            summary=("采纳修复建议", "Accept proposed repairs by row or by kind"),
            raises=(
                NotFoundError,
                NotPermittedError,
                WrongStateError,
                InvalidValueError,
                ParcelOverlapError,
            ),
            guard=guard_import,
        ),
        Act(
            name="take_back_import",
            rule="/imports/<uuid:batch_id>/withdrawal",
            permission="parcel:import",
            command=take_back.TakeBack,
            verb=take_back.take_back,
            summary=("撤回一批导入", "Withdraw what an import brought, except what is in use"),
            raises=(NotFoundError, NotPermittedError, WrongStateError, InvalidValueError),
            guard=guard_import,
        ),
        Act(
            name="approve_import",
            rule="/imports/<uuid:batch_id>/approval",
            permission=DECIDES,
            command=parcels.ApproveBatch,
            verb=parcels.approve_batch,
            summary=("批准整批地块", "Approve the submitted parcels of an import"),
            raises=(NotApprovedByAnotherError, NotFoundError),
            guard=guard_batch,
        ),
    ),
)
