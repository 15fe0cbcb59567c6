"""``/change`` and ``/disturbances``: series of layers, disturbances and what they reach."""

import json
from typing import Any, Final

from flask import Response
from sqlalchemy.orm import Session

from options import touched
from registry import change_series, disturbances, jobs, losses
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError, WrongStateError
from registry.people import ActorView
from registry.reads import change as reads
from registry.reads.scope import require_division, require_parcel, scope_of
from web.api.endpoints import Act, Noun, Raw, Read
from web.commands import from_query
from web.context import actor, reading

GEOJSON: Final = "application/geo+json"


def ask_series(session: Session, command: change_series.MeasureSeries) -> jobs.JobView:
    """Ask for the measuring, which a worker does."""
    return jobs.get(session, change_series.request(session, command))


def ask_detection(session: Session, command: losses.DetectLosses) -> jobs.JobView:
    """Ask for the search, which a worker does."""
    return jobs.get(session, losses.request(session, command))


def guard_series(session: Session, who: ActorView, command: change_series.MeasureSeries) -> None:
    """Refuse to measure ground that is not the actor's."""
    for parcel_id in command.parcel_ids:
        require_parcel(session, who, parcel_id)
    if not command.parcel_ids and not scope_of(who).everything:
        require_division(who, command.division_code)


def guard_detection(_session: Session, who: ActorView, command: losses.DetectLosses) -> None:
    """Refuse to search ground that is not the actor's."""
    if not scope_of(who).everything:
        require_division(who, command.division_code)


def guard_decide(
    session: Session,
    who: ActorView,
    command: disturbances.ConfirmDisturbance | disturbances.DismissDisturbance,
) -> None:
    """Refuse to decide on what is out of sight."""
    reads.disturbance(session, who, reads.DisturbanceById(disturbance_id=command.disturbance_id))


def features() -> Response:
    """Answer with disturbances in sight as GeoJSON."""
    query = from_query(reads.DisturbanceQuery)
    with reading() as session:
        found = reads.shapes(session, actor(), query)
    return Response(json.dumps(found, ensure_ascii=False), content_type=GEOJSON)


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_STATUSES: Final = {"type": "string", "enum": ["candidate", "confirmed", "dismissed"]}
_FEATURES: Final = {
    "parameters": [
        _parameter("status", _STATUSES),
        _parameter("year", {"type": "integer"}),
        _parameter("parcel_id", {"type": "string", "format": "uuid"}),
    ],
    "responses": {
        "200": {"description": "GeoJSON", "content": {GEOJSON: {"schema": {"type": "object"}}}}
    },
}
_DECIDES: Final = (NotFoundError, NotPermittedError, WrongStateError, InvalidValueError)

NOUN = Noun(
    name="change",
    title=("变化", "Change: series of layers, disturbances"),
    endpoints=(
        Act(
            name="measure_series",
            rule="/change/series",
            permission="change:run",
            command=change_series.MeasureSeries,
            verb=ask_series,
            summary=("测量植被指数和郁闭度（任务）", "Measure NDVI and canopy layers, as a job"),
            raises=(InvalidValueError, NotFoundError, NotPermittedError),
            status=202,
            guard=guard_series,
        ),
        Act(
            name="detect_losses",
            rule="/change/detections",
            permission="change:run",
            command=losses.DetectLosses,
            verb=ask_detection,
            summary=(
                "从损失图层找候选扰动（任务）",
                "Propose disturbances, as a job",
            ),
            raises=(InvalidValueError, NotFoundError, NotPermittedError),
            status=202,
            guard=guard_detection,
        ),
        Read(
            name="get_parcel_change",
            rule="/change/parcels/<uuid:parcel_id>",
            permission="change:read",
            query=reads.SeriesQuery,
            read=reads.parcel_change,
            summary=("一个地块的变化", "A parcel's series, lost ground and disturbances"),
            raises=(NotFoundError,),
        ),
        Read(
            name="list_disturbances",
            rule="/disturbances",
            permission="change:read",
            query=reads.DisturbanceQuery,
            read=reads.disturbances,
            summary=("扰动列表", "Disturbances, the newest first"),
        ),
        Raw(
            name="disturbance_features",
            rule="/disturbances.geojson",
            permission="change:read",
            view=features,
            summary=("地图上的扰动", "Disturbances as GeoJSON"),
            operation=_FEATURES,
            raises=(InvalidValueError,),
        ),
        Read(
            name="get_disturbance",
            rule="/disturbances/<uuid:disturbance_id>",
            permission="change:read",
            query=reads.DisturbanceById,
            read=touched.touched,
            summary=(
                "一处扰动和它触及的期、单位、批次、合同和款项",
                "One disturbance and the periods, units, lots, contracts and payments it touches",
            ),
            raises=(NotFoundError,),
        ),
        Act(
            name="confirm_disturbance",
            rule="/disturbances/<uuid:disturbance_id>/confirmation",
            permission="change:decide",
            command=disturbances.ConfirmDisturbance,
            verb=disturbances.confirm,
            summary=("确认扰动，重算所触地块", "Confirm a disturbance; its parcels are run again"),
            raises=_DECIDES,
            guard=guard_decide,
        ),
        Act(
            name="dismiss_disturbance",
            rule="/disturbances/<uuid:disturbance_id>/dismissal",
            permission="change:decide",
            command=disturbances.DismissDisturbance,
            verb=disturbances.dismiss,
            summary=("排除候选扰动", "Dismiss a candidate with the reason"),
            raises=_DECIDES,
            guard=guard_decide,
        ),
    ),
)
