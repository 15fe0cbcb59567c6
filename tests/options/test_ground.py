"""Ground of a lot on sale is split: the lot goes on with the parts, to the last kilogram and fen."""

import json
from uuid import uuid4

import pytest
import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy.exc import DBAPIError

from options import ground
from registry import ground_shares, parcel_edits, parcels
from registry.db import SYSTEM_ACTOR, transaction
from registry.models import Parcel


def shape_of(walk, parcel_id):
    with transaction(walk.engine) as session:
        return to_shape(session.get(Parcel, parcel_id).geometry)


def split(walk, parcel_id, *, measured=True):
    """Cut a parcel down its middle; nothing is known of runs, so the parts share by area."""
    west, south, east, north = shape_of(walk, parcel_id).bounds
    x = west + (east - west) / 3
    command = parcel_edits.SplitParcel(
        at=walk.now,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        parcel_id=parcel_id,
        based_on_version=1,
        line=json.loads(
            shapely.to_geojson(shapely.LineString([(x, south - 1e-3), (x, north + 1e-3)]))
        ),
        reason="分户",
    )
    with transaction(walk.engine, actor_id=SYSTEM_ACTOR) as session:
        parts = parcel_edits.parts_of(session, command)
        sharing = ground_shares.Sharing(
            parcel_id=parcel_id,
            version=1,
            shapes=ground_shares.shapes_of(parts.pieces),
            runs={},
        )
        return ground.split(session, command, sharing if measured else None)


def supply(walk, lot_id):
    rows = walk.sql(
        "SELECT x.parcel_id, c.parcel_id AS claimed, s.units FROM lot_parcel x"
        " JOIN claim c ON c.id = x.claim_id AND c.status = 'active'"
        " LEFT JOIN lot_supply s ON s.lot_id = x.lot_id AND s.parcel_id = x.parcel_id"
        " WHERE x.lot_id = :lot",
        lot=lot_id,
    )
    assert all(row.parcel_id == row.claimed for row in rows)
    return {row.parcel_id: row.units for row in rows}


def test_a_lot_sells_delivers_and_pays_on_after_its_ground_is_split(walk):
    lot_id = walk.on_sale()
    whole = supply(walk, lot_id)
    (parcel_id,) = whole
    first = walk.buy(lot_id, (2025, 2_000))
    done = split(walk, parcel_id)
    parts = supply(walk, lot_id)
    assert set(parts) == {state.parcel_id for state in done.parcels}
    assert sum(parts.values()) == whole[parcel_id]
    walk.whole()
    second = walk.buy(lot_id, (2025, 2_000))
    names = ["西", "东"]
    for name, state in zip(names, done.parcels, strict=True):
        walk.parcels[name] = state.parcel_id
    period = walk.verified({"西": {2025: 2_000}, "东": {2025: 3_000}})
    (one,) = walk.deliver(period).vintages
    assert (one.available_kg, one.delivered_kg) == (4_500, 4_000)
    walk.whole()
    burned = walk.sql(
        "SELECT parcel_id, sum(burned_kg) AS kg FROM reservation WHERE state <> 'shared' GROUP BY 1"
    )
    assert {row.parcel_id for row in burned} == set(parts)
    assert sum(row.kg for row in burned) == 4_000
    paid = walk.settled(lot_id, 2025)
    assert paid.returned_fen == first.amount_fen + second.amount_fen


def test_a_draft_lot_goes_on_with_the_parts(walk):
    lot_id = walk.draft().lot_id
    (parcel_id,) = supply(walk, lot_id)
    done = split(walk, parcel_id, measured=False)
    assert set(supply(walk, lot_id)) == {state.parcel_id for state in done.parcels}


def test_neighbours_of_different_lots_are_not_joined(walk):
    lot_id = walk.draft().lot_id
    (parcel_id,) = supply(walk, lot_id)
    done = split(walk, parcel_id, measured=False)
    walk.change("UPDATE lot SET sale_state = 'WITHDRAWN'")
    west, east = done.parcels
    claims = dict(walk.sql("SELECT parcel_id, id FROM claim WHERE status = 'active'"))
    walk.parcels["半"], walk.claims["半"] = west.parcel_id, claims[west.parcel_id]
    walk.parties["半"] = walk.parties["石梁村"]
    for one in (west, east):
        walk.run(parcels.decide, parcels.DecideParcel, parcel_id=one.parcel_id, decision="approve")
    walk.draft(villages=("半",))
    command = parcel_edits.MergeParcels(
        at=walk.now,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        parcels=tuple(
            parcel_edits.PlaceSeen(parcel_id=one.parcel_id, version=one.version)
            for one in (west, east)
        ),
        reason="并",
    )
    with (
        pytest.raises(parcel_edits.EditAcrossLotsError),
        transaction(walk.engine, actor_id=SYSTEM_ACTOR) as session,
    ):
        ground.merge(session, command)


def test_the_database_keeps_the_ground_of_lots_and_what_it_gave(walk):
    lot_id = walk.on_sale()
    for name in ("lot_supply", "lot_parcel"):
        with pytest.raises(DBAPIError):
            walk.change(f"DELETE FROM {name}")
    (parcel_id,) = supply(walk, lot_id)
    with pytest.raises(DBAPIError, match="not shared whole"):
        walk.sql("SELECT share_lot_ground(:p, :l, '{}', '{}', '[]')", p=parcel_id, l=lot_id)
