"""``/parcels/.../split`` and its kin: edits of boundaries over HTTP."""

from sqlalchemy.orm import Session

from geo.errors import GeometryError
from options import ground
from registry import parcel_edits as edits
from registry.errors import NotFoundError, WrongStateError
from registry.ground_claims import EditClaimsDifferError, ParcelObligedError
from registry.parcel_store import VersionConflictError
from registry.people import ActorView
from registry.reads.scope import require_parcel
from registry.refusals import ParcelOverlapError
from registry.within import DivisionQuestionError, StraddlesDivisionError
from web.api.endpoints import Act, Noun

DRAWS = "parcel:draw"
DECIDES = "parcel:decide"
_SHARED = (
    VersionConflictError,
    GeometryError,
    ParcelOverlapError,
    NotFoundError,
    WrongStateError,
)
_ASKED = (DivisionQuestionError, StraddlesDivisionError)
_CLAIMED = (ParcelObligedError, EditClaimsDifferError)


def guard_one(
    session: Session, who: ActorView, command: edits.SplitParcel | edits.TrimParcel | edits.CutHole
) -> None:
    """Refuse to edit a parcel out of sight."""
    require_parcel(session, who, command.parcel_id)


def guard_all(
    session: Session, who: ActorView, command: edits.MergeParcels | edits.MoveBoundary
) -> None:
    """Refuse to edit where one of the parcels is out of sight."""
    for one in command.parcels:
        require_parcel(session, who, one.parcel_id)


NOUN = Noun(
    name="parcel-edits",
    title=("地块编辑", "Edits of parcels' boundaries"),
    endpoints=(
        Act(
            name="split_parcel",
            rule="/parcels/<uuid:parcel_id>/split",
            permission=DRAWS,
            command=edits.SplitParcel,
            verb=ground.split,
            summary=("分割地块", "Cut a parcel along a line"),
            raises=(*_SHARED, *_ASKED, *_CLAIMED, edits.EditLineExpectedError),
            status=201,
            guard=guard_one,
        ),
        Act(
            name="split_obliged_parcel",
            rule="/parcels/<uuid:parcel_id>/split-by-assessment",
            permission=DECIDES,
            command=edits.SplitParcel,
            verb=ground.request,
            summary=(
                "按再评估分割有预售或已签发的地块（任务）",
                "Cut a parcel whose tonnes are sold or issued; its parts share them, as a job",
            ),
            raises=(*_SHARED, edits.EditLineExpectedError),
            status=202,
            guard=guard_one,
        ),
        Act(
            name="merge_parcels",
            rule="/parcels/merges",
            permission=DRAWS,
            command=edits.MergeParcels,
            verb=ground.merge,
            summary=("合并相邻地块", "Join neighbouring parcels of one owner"),
            raises=(
                *_SHARED,
                *_ASKED,
                *_CLAIMED,
                edits.EditAcrossOwnersError,
                edits.EditAcrossLotsError,
                edits.EditAcrossKindsError,
            ),
            status=201,
            guard=guard_all,
        ),
        Act(
            name="trim_parcel",
            rule="/parcels/<uuid:parcel_id>/trim",
            permission=DRAWS,
            command=edits.TrimParcel,
            verb=edits.trim,
            summary=("修剪到邻界", "Cut a parcel back to its neighbours' lines"),
            raises=(*_SHARED, ParcelObligedError),
            guard=guard_one,
        ),
        Act(
            name="cut_hole_in_parcel",
            rule="/parcels/<uuid:parcel_id>/holes",
            permission=DRAWS,
            command=edits.CutHole,
            verb=edits.cut_hole,
            summary=("挖空", "Take a pond, a house or a rock out of a parcel"),
            raises=(*_SHARED, ParcelObligedError, edits.EditLineExpectedError),
            guard=guard_one,
        ),
        Act(
            name="move_boundary_of_parcels",
            rule="/parcels/boundary-moves",
            permission=DRAWS,
            command=edits.MoveBoundary,
            verb=edits.move_boundary,
            summary=("移动公共边界", "Give two neighbours a new common line"),
            raises=(
                *_SHARED,
                *_ASKED,
                ParcelObligedError,
                edits.EditLineExpectedError,
                edits.EditAcrossKindsError,
            ),
            guard=guard_all,
        ),
    ),
)
