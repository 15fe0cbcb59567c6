"""``/groves``, ``/parcels/.../trees``, ``/packs``: numbered trees and the packs they stand in."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from flask import Response, json, request
from sqlalchemy import text
from sqlalchemy.orm import Session

from options import groves, tree_lots, tree_reads
from options.errors import OptionsError
from options.reads import lot_page
from options.refusals import (
    LotGroundError,
    NumberTakenError,
    PackNotFoundError,
    TreeFactsError,
    TreeGroundError,
    TreeNotDeadError,
    TreeNumberError,
    TreeOutsideError,
    TreeReplacementError,
    TreeTakenError,
)
from registry.errors import NotFoundError, NotPermittedError
from registry.people import ActorView
from registry.reads.scope import require_parcel
from web import photos
from web.api.endpoints import JSON, Act, Noun, Raw, Read
from web.api.sale_scope import PUBLIC_STATES, may_see_lot, require_lot
from web.auth import PUBLIC
from web.commands import from_query, header_key
from web.context import act, actor, config, now, reading
from web.security import body_limit

_TREES: Final = "/parcels/<uuid:parcel_id>/trees"
_PHOTO: Final = f"{_TREES}/<int:number>/photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackById:
    """Which pack."""

    pack_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LotPacks:
    """The packs of which lot."""

    lot_id: UUID


class OfParcel(Protocol):
    """A command on the trees of one parcel."""

    @property
    def parcel_id(self) -> UUID:
        """The parcel."""


def guard_grove(session: Session, who: ActorView, command: OfParcel) -> None:
    """Refuse to act on trees of a parcel out of sight."""
    require_parcel(session, who, command.parcel_id)


def guard_draft(session: Session, who: ActorView, command: tree_lots.DraftTreeLot) -> None:
    """Refuse to draft for another company, and trees outside the actor's division."""
    if not who.has("system") and command.company_id != who.party_id:
        raise NotPermittedError(needs=str(command.company_id))
    for one in command.groves:
        require_parcel(session, who, one.parcel_id)


def packs_of_lot(session: Session, who: ActorView | None, query: LotPacks) -> tree_reads.Packs:
    """Return a lot's packs, of a lot on sale to everybody.

    Raises
    ------
    NotFoundError : there is no such lot, or it is not on sale and not the actor's.
    """
    if lot_page(session, query.lot_id).lot.sale_state not in PUBLIC_STATES:
        require_lot(session, who, query.lot_id)
    return tree_reads.packs(session, query.lot_id)


def public_pack(session: Session, who: ActorView | None, query: PackById) -> tree_reads.PublicPack:
    """Return a pack without places and persons.

    Raises
    ------
    NotFoundError : it is of a lot not on sale, and not the actor's.
    """
    found = tree_reads.record(session, query.pack_id)
    lot_id = found.public.pack.lot_id
    open_to_all = lot_page(session, lot_id).lot.sale_state in PUBLIC_STATES
    if not open_to_all and not sees_record(session, who, found):
        raise NotFoundError(what="pack", id=query.pack_id)
    return found.public


def pack_record(session: Session, who: ActorView, query: PackById) -> tree_reads.PackRecord:
    """Return a pack with every tree to its buyer and to who is concerned with its lot.

    Raises
    ------
    NotFoundError : there is no such pack, or it is somebody else's.
    """
    found = tree_reads.record(session, query.pack_id)
    if not sees_record(session, who, found):
        raise NotFoundError(what="pack", id=query.pack_id)
    return found


def sees_record(session: Session, who: ActorView | None, found: tree_reads.PackRecord) -> bool:
    """Say whether a pack's places and its contract are open to an actor."""
    if who is None:
        return False
    own = who.party_id is not None and who.party_id == found.buyer_id
    return own or may_see_lot(session, who, found.public.pack.lot_id)


def tree_features() -> Response:
    """Answer with the groves in sight and their trees as GeoJSON."""
    query = from_query(tree_reads.GroveQuery)
    with reading() as session:
        found = tree_reads.features(session, actor(), query)
    return collection(found)


def pack_features(pack_id: UUID) -> Response:
    """Answer with a pack's trees as GeoJSON, to who may see its record."""
    with reading() as session:
        found = pack_record(session, actor(), PackById(pack_id=pack_id))
    return collection(tree_reads.pack_features(found))


def collection(found: list[dict[str, Any]]) -> Response:
    """Return features as a GeoJSON answer."""
    body = json.dumps({"type": "FeatureCollection", "features": found})
    return Response(body, content_type="application/geo+json")


@body_limit(photos.PHOTO_BYTES_MAX + 64 * 1024)
def add_photo(parcel_id: UUID, number: int) -> Response:
    """Keep a tree's photo.

    Raises
    ------
    PhotoInvalidError : no photo, of another type, or too large.
    """
    done = keep_photo(parcel_id, number, key=header_key())
    return Response(json.dumps(asdict(done)), status=201, content_type=JSON)


def keep_photo(parcel_id: UUID, number: int, *, key: str | None = None) -> photos.Photo:
    """Keep the photo of the request and name it by the tree.

    Raises
    ------
    PhotoInvalidError : no photo, of another type, or too large.
    """
    with reading() as session:
        require_parcel(session, actor(), parcel_id)
    sent = request.files.get("photo")
    if sent is None:
        raise photos.PhotoInvalidError(field="photo", value="—", why="photo")
    kept = photos.keep(config().state_dir, sent)
    command = groves.ShowTree(
        at=now(),
        actor_id=actor().id,
        key=key or uuid4().hex,
        parcel_id=parcel_id,
        number=number,
        photo_sha256=bytes.fromhex(kept.sha256),
    )
    act(groves.show_tree, command)
    return kept


def get_photo(parcel_id: UUID, number: int) -> Response:
    """Answer with a tree's photo to who sees its parcel, or holds its pack.

    Raises
    ------
    NotFoundError : the tree has none, or is out of sight.
    """
    bound = {"parcel": parcel_id, "number": number, "party": actor().party_id}
    with reading() as session:
        row = session.execute(_SHOWN, bound).first()
        if row is None:
            raise NotFoundError(what="photo", id=number)
        if not row.own:
            require_parcel(session, actor(), parcel_id)
    data, kind = photos.find(config().state_dir, row.sha256)
    return Response(data, content_type=kind, headers={"Content-Disposition": "inline"})


_SHOWN = text(
    "SELECT encode(t.photo_sha256, 'hex') AS sha256,"
    " coalesce(t.owner_id = cast(:party AS uuid) OR s.buyer_id = cast(:party AS uuid), false)"
    "   AS own FROM tree t LEFT JOIN tree_pack_member m ON m.tree_id = t.id"
    " LEFT JOIN tree_pack k ON k.id = m.pack_id"
    " LEFT JOIN subscription_line n ON n.id = k.line_id"
    " LEFT JOIN subscription s ON s.id = n.subscription_id"
    " WHERE t.parcel_id = :parcel AND t.number = :number AND t.photo_sha256 IS NOT NULL"
)
_PHOTO_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["photo"],
                "properties": {"photo": {"type": "string", "format": "binary"}},
            }
        }
    },
}
_KEPT: Final = {
    "type": "object",
    "required": ["sha256", "media_type"],
    "properties": {"sha256": {"type": "string"}, "media_type": {"type": "string"}},
}
_GEOJSON: Final = {
    "200": {
        "description": "GeoJSON",
        "content": {"application/geo+json": {"schema": {"type": "object"}}},
    }
}
NOUN = Noun(
    name="trees",
    title=("树木与树包", "Numbered trees and packs"),
    endpoints=(
        Read(
            name="list_groves",
            rule="/groves",
            permission="tree:read",
            query=tree_reads.GroveQuery,
            read=tree_reads.groves,
            summary=("可见的树木地块", "Parcels of kind tree the caller may see"),
        ),
        Raw(
            name="tree_features",
            rule="/groves/features",
            permission="tree:read",
            view=tree_features,
            summary=("树木地块和树木（GeoJSON）", "Groves and their trees as GeoJSON"),
            operation={
                "parameters": [
                    {
                        "name": "village",
                        "in": "query",
                        "schema": {"type": "string", "pattern": "^[0-9]{0,12}$"},
                        "description": "A division code, or the first digits of one",
                    },
                    {
                        "name": "parcel_id",
                        "in": "query",
                        "schema": {"type": "string", "format": "uuid"},
                        "description": "One parcel only",
                    },
                ],
                "responses": _GEOJSON,
            },
        ),
        Read(
            name="list_trees",
            rule=_TREES,
            permission="tree:read",
            query=tree_reads.TreeQuery,
            read=tree_reads.trees,
            summary=("地块的编号树木", "The numbered trees of a parcel"),
            raises=(NotFoundError,),
        ),
        Act(
            name="register_trees",
            rule=_TREES,
            permission="tree:write",
            command=groves.RegisterTrees,
            verb=groves.register_trees,
            summary=("登记编号树木", "Register numbered trees"),
            raises=(
                NotFoundError,
                TreeGroundError,
                TreeFactsError,
                TreeNumberError,
                TreeOutsideError,
            ),
            status=201,
            guard=guard_grove,
        ),
        Act(
            name="report_trees",
            rule=f"{_TREES}/reports",
            permission="tree:write",
            command=groves.ReportTrees,
            verb=groves.report_trees,
            summary=("登记死亡或更正", "Report trees dead, or alive after all"),
            raises=(NotFoundError, TreeTakenError),
            guard=guard_grove,
        ),
        Act(
            name="replace_trees",
            rule=f"{_TREES}/replacements",
            permission="tree:write",
            command=groves.ReplaceTrees,
            verb=groves.replace_trees,
            summary=("补植：活树接替死树", "Let live trees stand in for dead ones"),
            raises=(NotFoundError, TreeNotDeadError, TreeTakenError, TreeReplacementError),
            guard=guard_grove,
        ),
        Raw(
            name="add_tree_photo",
            rule=_PHOTO,
            permission="tree:write",
            view=add_photo,
            summary=("上传树木照片", "Keep a tree's photo"),
            method="POST",
            operation={
                "requestBody": _PHOTO_BODY,
                "responses": {
                    "201": {
                        "description": "Kept",
                        "content": {"application/json": {"schema": _KEPT}},
                    }
                },
            },
            raises=(NotFoundError, TreeTakenError, photos.PhotoInvalidError),
        ),
        Raw(
            name="get_tree_photo",
            rule=_PHOTO,
            permission="account:use",
            view=get_photo,
            summary=("树木照片", "A tree's photo"),
            operation={
                "responses": {
                    "200": {
                        "description": "The photo",
                        "content": {
                            kind: {"schema": {"type": "string", "format": "binary"}}
                            for kind in ("image/jpeg", "image/png", "image/webp")
                        },
                    }
                }
            },
            raises=(NotFoundError,),
        ),
        Act(
            name="draft_tree_lot",
            rule="/tree-lots",
            permission="lot:write",
            command=tree_lots.DraftTreeLot,
            verb=tree_lots.draft_tree_lot,
            summary=("起草树包批次并编包", "Draft a lot of tree packs with its packs"),
            raises=(LotGroundError, NumberTakenError, OptionsError),
            status=201,
            guard=guard_draft,
        ),
        Read(
            name="list_packs",
            rule="/lots/<uuid:lot_id>/packs",
            permission=PUBLIC,
            query=LotPacks,
            read=packs_of_lot,
            summary=("批次的树包", "The packs of a lot"),
            raises=(NotFoundError, OptionsError),
        ),
        Read(
            name="get_pack",
            rule="/packs/<uuid:pack_id>",
            permission=PUBLIC,
            query=PackById,
            read=public_pack,
            summary=("一个树包（公开内容）", "One pack, as everybody may see it"),
            raises=(NotFoundError, PackNotFoundError),
        ),
        Read(
            name="get_pack_record",
            rule="/packs/<uuid:pack_id>/record",
            permission="account:use",
            query=PackById,
            read=pack_record,
            summary=("树包的合同与每棵树", "A pack with its contract and every tree"),
            raises=(NotFoundError, PackNotFoundError),
        ),
        Raw(
            name="pack_features",
            rule="/packs/<uuid:pack_id>/features",
            permission="account:use",
            view=pack_features,
            summary=("树包的树木（GeoJSON）", "A pack's trees as GeoJSON"),
            operation={"responses": _GEOJSON},
            raises=(NotFoundError, PackNotFoundError),
        ),
    ),
)
