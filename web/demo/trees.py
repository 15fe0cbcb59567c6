"""A tree: a village's numbered trees are packed, sold, paid to the village, and fifty handed over.

The ground, trees and deaths come from ``groves.json``; the price is the published one of 2019, an
example.  One pack is the collective's, one a household's; a third waits for a buyer.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from options import groves, reads, settlement, tree_lots, tree_reads, trees
from options.mandate import Consent
from options.terms import PACK_PROMISED_TREES, PACK_TREES
from options.waterfall import Deduction
from registry import ledger, parcels, programmes
from web.demo.fen import BUYER, BUYER_NAME
from web.demo.sale import OnSale, Sale, check_identity, contract, pay, put_on_sale, refused, settle
from web.demo.teller import Teller, Totals

PROGRAMME = "one-village-ten-thousand-trees"
DRAWN = date(2026, 1, 20)
REGISTERED = date(2026, 1, 27)
TO_MARKET = OnSale(
    drafted=date(2026, 2, 6),
    noticed=date(2026, 2, 10),
    voted=date(2026, 3, 10),
    listed=date(2026, 3, 12),
)
BOUGHT = date(2026, 3, 17)
PAID = date(2026, 3, 19)
SETTLED = date(2026, 4, 20)
RETURNED = date(2026, 4, 22)
FROST = date(2026, 6, 3)
REPLANTED = date(2026, 6, 17)
MATURES = 2031
LATER = 2036
DELIVERED = date(MATURES, 4, 12)
PRICES_FEN = {MATURES: 3_000_000, LATER: 5_000_000}
"""Published in 2019 for five and for ten years (read); an example, no default."""
BUYERS = {BUYER: BUYER_NAME, "BUY-006": "示例异地商会"}
Grove = Mapping[str, Any]


def tell(teller: Teller) -> Totals:
    """Register trees, pack them, sell two packs, return the money, replace the dead, deliver."""
    sale = Sale(teller, teller.found["parties"], "trees")
    records: list[Grove] = teller.read("groves.json")
    ground: dict[str, UUID] = teller.found["groves"]
    registered = sum(_register(sale, record, ground[record["id"]]) for record in records)
    lot, waiting = _lots(sale, records, ground)
    _one_pack_a_tree(sale, ground[records[0]["id"]], waiting.lot_id)
    bought = []
    for n, (buyer, name) in enumerate(BUYERS.items(), start=1):
        state = contract(sale, lot.lot_id, buyer=buyer, vintage=MATURES, quantity=1, on=BOUGHT)
        pay(sale, state, f"TREES-IN-{n}", name, PAID)
        bought.append(state)
    done = settle(
        sale,
        lot.lot_id,
        MATURES,
        deductions=(
            Deduction(type="印花税", voucher="DEMO-TREES-T-001", amount_fen=3_001),
            Deduction(type="森林保险", voucher="DEMO-TREES-I-001", amount_fen=120_000),
        ),
        on=(SETTLED, RETURNED),
    )
    dead = sum(_replant(sale, record, ground[record["id"]]) for record in records)
    delivered = teller.do(
        trees.deliver_trees,
        trees.DeliverTrees(**sale.by("company", DELIVERED), lot_id=lot.lot_id, vintage=MATURES),
    )
    teller.found["tree_lot_id"] = lot.lot_id
    _check_trees(sale, records, lot, delivered)
    _check_money(sale, records, done, paid_fen=sum(one.amount_fen for one in bought))
    return {
        "trees": registered,
        "packs": len(lot.codes) + len(waiting.codes),
        "packed_trees": PACK_TREES * (len(lot.codes) + len(waiting.codes)),
        "died_trees": dead,
        "replaced_trees": dead,
        "delivered_trees": delivered.delivered,
        "missing_trees": delivered.missing,
        "paid_fen": sum(one.amount_fen for one in bought),
        "taxes_fen": done.taxes_fen,
        "insurance_fen": done.insurance_fen,
        "returned_fen": done.returned_fen,
        "pass_through_fen": _of_kind(done, "household"),
        "remainder_fen": done.remainder_fen,
    }


def draw_ground(teller: Teller) -> None:
    """Find the groves' parcels; what the county file has not or the import held back is drawn."""
    records: list[Grove] = teller.read("groves.json")
    teller.found["groves"] = {record["id"]: _ground(teller, record) for record in records}


def _ground(teller: Teller, record: Grove) -> UUID:
    number = record["parcel_no"]
    if number is not None:
        with teller.reading() as session:
            found = session.scalar(_PARCEL, {"code": number})
        if isinstance(found, UUID):
            return found
    by = teller.by("township", f"trees:draw:{record['id']}", DRAWN)
    drawn = teller.do(
        parcels.draw,
        parcels.DrawParcel(
            **by,
            geojson=record["geometry"],
            kind="tree",
            division_code=record["village_code"],
            plot_code=number or f"{record['village_code']}-庭院",
            owner_id=teller.found["parties"][record["owner_id"]],
            captured_with="drawing",
            attributes={"land": record["land"]},
        ),
    )
    teller.do(
        parcels.decide,
        parcels.DecideParcel(
            **teller.by("county", f"trees:ground:{record['id']}", DRAWN),
            parcel_id=drawn.parcel_id,
            decision="approve",
        ),
    )
    return drawn.parcel_id


def _register(sale: Sale, record: Grove, parcel_id: UUID) -> int:
    found = tuple(
        groves.NewTree(
            number=tree["number"],
            species=tree["species"],
            lon=tree["lon"],
            lat=tree["lat"],
            planted_year=int(tree["planted_on"][:4]),
            planted_on=date.fromisoformat(tree["planted_on"]),
        )
        for tree in record["trees"]
    )
    command = groves.RegisterTrees(
        **sale.by("township", REGISTERED),
        parcel_id=parcel_id,
        trees=found,
        owner_id=sale.party[record["owner_id"]],
    )
    return sale.teller.do(groves.register_trees, command).trees


def _lots(
    sale: Sale, records: list[Grove], ground: Mapping[str, UUID]
) -> tuple[tree_lots.TreeLotDrafted, tree_lots.TreeLotDrafted]:
    """Put two lots on sale: a pack of each grove for five years, another for ten."""
    with sale.teller.reading() as session:
        version = programmes.current(session, PROGRAMME, on=TO_MARKET.drafted).version
    made = []
    for n, (matures, chosen) in enumerate(((MATURES, records), (LATER, records[:1])), start=1):
        drafted = sale.teller.do(
            tree_lots.draft_tree_lot,
            tree_lots.DraftTreeLot(
                **sale.by("company", TO_MARKET.drafted),
                number=f"YCWS-330802-2026-{n:03d}",
                title=f"一村万树（{matures} 年成熟）",
                programme_id=PROGRAMME,
                programme_version=version,
                company_id=sale.party["COMPANY"],
                term_years=matures - TO_MARKET.drafted.year,
                matures=matures,
                price_fen=PRICES_FEN[matures],
                groves=tuple(
                    tree_lots.GrovePacks(parcel_id=ground[one["id"]], packs=1) for one in chosen
                ),
            ),
        )
        consents = tuple(
            Consent(parcel=str(ground[one["id"]]), document_ref="DEMO-委托-001")
            for one in chosen
            if one["parcel_no"] is None
        )
        put_on_sale(sale, drafted.lot_id, on=TO_MARKET, consents=consents)
        made.append(drafted)
    return made[0], made[1]


def _one_pack_a_tree(sale: Sale, parcel_id: UUID, lot_id: UUID) -> None:
    """Ask a grove for a pack more than it has free trees for."""
    with sale.teller.reading() as session:
        version = programmes.current(session, PROGRAMME, on=TO_MARKET.drafted).version
        twice = session.scalar(_TWICE)
    command = tree_lots.DraftTreeLot(
        **sale.by("company", TO_MARKET.listed),
        number="YCWS-330802-2026-099",
        title="重复编包",
        programme_id=PROGRAMME,
        programme_version=version,
        company_id=sale.party["COMPANY"],
        term_years=5,
        matures=MATURES,
        price_fen=PRICES_FEN[MATURES],
        groves=(tree_lots.GrovePacks(parcel_id=parcel_id, packs=1),),
    )
    code = refused(sale.teller, tree_lots.draft_tree_lot, command)
    with sale.teller.reading() as session:
        packs = tree_reads.packs(session, lot_id).items
    sale.teller.check(
        "a tree stands in one pack only, and no pack is made of what is not free",
        holds=bool(code) and twice == 0 and all(one.trees == PACK_TREES for one in packs),
        figure=f"{code}, {twice} trees in two packs",
    )


def _replant(sale: Sale, record: Grove, parcel_id: UUID) -> int:
    """Report the trees that the frost killed, and let free ones of their species stand in."""
    dead = record["die"]
    sale.teller.do(
        groves.report_trees,
        groves.ReportTrees(
            **sale.by("township", FROST),
            parcel_id=parcel_id,
            numbers=tuple(dead),
            live=False,
            reason="倒春寒冻死（演示）",
        ),
    )
    species = {tree["number"]: tree["species"] for tree in record["trees"]}
    last = max(species)
    young = tuple(
        groves.NewTree(
            number=last + n,
            species=species[number],
            lon=record["trees"][number - 1]["lon"],
            lat=record["trees"][number - 1]["lat"],
            planted_year=REPLANTED.year,
            planted_on=REPLANTED,
        )
        for n, number in enumerate(dead, start=1)
    )
    sale.teller.do(
        groves.register_trees,
        groves.RegisterTrees(
            **sale.by("township", REPLANTED),
            parcel_id=parcel_id,
            trees=young,
            owner_id=sale.party[record["owner_id"]],
        ),
    )
    done = sale.teller.do(
        groves.replace_trees,
        groves.ReplaceTrees(
            **sale.by("township", REPLANTED),
            parcel_id=parcel_id,
            replacements=tuple(
                groves.Replacement(number=number, by=tree.number)
                for number, tree in zip(dead, young, strict=True)
            ),
            reason="原地补植（演示）",
        ),
    )
    return done.trees


def _check_trees(
    sale: Sale,
    records: list[Grove],
    lot: tree_lots.TreeLotDrafted,
    delivered: trees.TreesDelivered,
) -> None:
    teller = sale.teller
    planted = sum(len(record["trees"]) + len(record["die"]) for record in records)
    ground = list(teller.found["groves"].values())
    holders = [sale.party[buyer] for buyer in BUYERS]
    with teller.reading() as session:
        counted = session.execute(_COUNTED, {"ground": ground}).one()
        packs = tree_reads.packs(session, lot.lot_id).items
        books = {row.kind: row.balance for row in session.execute(_BOOKS)}
        owned = session.scalar(_OWNED, {"holders": holders})
        trial = ledger.trial_balance(session)
    teller.check(
        "every tree of the groves is registered, the dead and their successors too",
        holds=counted.trees == planted and counted.replaced == counted.dead,
        figure=f"{counted.trees} trees, {counted.dead} dead, {counted.replaced} replaced",
    )
    teller.check(
        "every sold pack has a hundred live trees again",
        holds=all((one.trees, one.live) == (PACK_TREES, PACK_TREES) for one in packs),
        figure=", ".join(f"{one.code} {one.live}/{one.trees}" for one in packs),
    )
    teller.check(
        "each buyer owns fifty trees, and the ledger holds as many",
        holds=delivered.delivered
        == owned
        == books.get("holding")
        == PACK_PROMISED_TREES * len(BUYERS)
        and not books.get("right"),
        figure=f"{owned} trees owned, {books}",
    )
    teller.check(
        "the trees of the ledger sum to zero",
        holds=trial.get("tree") == 0,
        figure=trial.get("tree"),
    )


def _check_money(
    sale: Sale, records: list[Grove], done: settlement.SettlementState, *, paid_fen: int
) -> None:
    teller = sale.teller
    household = sale.party[records[-1]["owner_id"]]
    village = sale.party[records[0]["owner_id"]]
    with teller.reading() as session:
        own = reads.village_statement(session, household)
        of_village = reads.village_statement(session, village)
        paid_out = session.scalar(_PAID_OUT, {"id": done.settlement_id})
    passed_fen, village_fen = _of_kind(done, "household"), _of_kind(done, "village")
    check_identity(teller, done, of="trees: ")
    teller.check(
        "trees: what was paid went out to the fen, and the company keeps nothing",
        holds=paid_out == paid_fen == done.escrow_in_fen and done.escrow_balance_fen == 0,
        figure=f"{paid_out} of {paid_fen} fen",
    )
    teller.check(
        "a household's trees: its money passes through to it, outside the village's income",
        holds=own.received_fen == passed_fen > 0
        and passed_fen + village_fen == done.returned_fen
        and of_village.received_fen >= village_fen,
        figure=f"{passed_fen} fen to the household, {village_fen} fen to the village",
    )


def _of_kind(done: settlement.SettlementState, kind: str) -> int:
    return sum(line.amount_fen for line in done.lines if line.kind == kind)


_PARCEL = text("SELECT id FROM parcel WHERE code = :code AND kind = 'tree' AND status = 'approved'")
_TWICE = text(
    "SELECT count(*) FROM (SELECT tree_id FROM tree_pack_member GROUP BY tree_id"
    " HAVING count(*) > 1) t"
)
_COUNTED = text(
    "SELECT count(*) AS trees, count(*) FILTER (WHERE status = 'dead') AS dead,"
    " count(replaces_id) AS replaced FROM tree WHERE parcel_id = ANY(:ground)"
)
_BOOKS = text(
    "SELECT kind, sum(balance)::bigint AS balance FROM account WHERE asset = 'tree' GROUP BY kind"
)
_OWNED = text("SELECT count(*) FROM tree WHERE owner_id = ANY(:holders)")
_PAID_OUT = text(
    "SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM settlement_payment p"
    " JOIN settlement s ON s.id = p.settlement_id AND s.revision = p.revision WHERE s.id = :id"
)
