"""The second step: a county file with known defects comes in; nothing of it is lost."""

import hashlib
from datetime import date
from functools import partial

from sqlalchemy import text

from geo.intake import examine
from geo.synthetic import score
from geo.synthetic.county import read_truth
from registry import imports, parcels
from web.demo.county import ADCODE
from web.demo.teller import Teller, Totals
from web.demo.trees import draw_ground

SENT = date(2026, 1, 12)
APPROVED = date(2026, 1, 20)


def tell(teller: Teller) -> Totals:
    """Import the defective county file, score its findings, approve what was accepted."""
    path = teller.folder / "parcels_defective.geojson"
    command = imports.ImportParcels(
        **teller.by("county3", "import", SENT),
        file_name=path.name,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        division_code=ADCODE,
        programme_id="county-inclusion",
    )
    report = teller.do(partial(imports.import_parcels, intake=examine(path)), command)
    batch_id = report.batch_id
    assert batch_id is not None  # noqa: S101 -- only a dry run has none
    approved = teller.do(
        parcels.approve_batch,
        parcels.ApproveBatch(**teller.by("county", "approve", APPROVED), batch_id=batch_id),
    )
    with teller.reading() as session:
        area_m2, overlaps = session.execute(_GROUND, {"batch": batch_id}).one()
    counted = score(
        read_truth(teller.folder),
        {(found.row, found.code, found.severity) for found in report.findings},
    )
    teller.check(
        "read = accepted + refused + questioned",
        holds=report.read == report.accepted + report.refused + report.questioned,
        figure=f"{report.read} = {report.accepted} + {report.refused} + {report.questioned}",
    )
    teller.check(
        "every planted defect is found, and nothing else",
        holds=not counted.missed and not counted.false_alarms,
        figure=f"recall {counted.recall:.3f}, false alarms {len(counted.false_alarms)}",
    )
    teller.check("no two active parcels of a kind overlap", holds=overlaps == 0, figure=overlaps)
    teller.check(
        "what was accepted was approved by another person",
        holds=approved.approved == report.accepted,
        figure=approved.approved,
    )
    teller.found["batch_id"] = batch_id
    draw_ground(teller)
    return {
        "read": report.read,
        "accepted": report.accepted,
        "refused": report.refused,
        "questioned": report.questioned,
        "area_m2": round(area_m2),
    }


_GROUND = text(
    "SELECT (SELECT sum(p.area_m2) FROM parcel p WHERE p.status = 'approved'"
    "   AND EXISTS (SELECT FROM parcel_version v WHERE v.parcel_id = p.id"
    "     AND v.batch_id = :batch)),"
    " (SELECT count(*) FROM parcel a JOIN parcel b"
    "  ON a.kind = b.kind AND a.id < b.id AND a.geometry && b.geometry"
    "  AND a.status IN ('submitted', 'approved') AND b.status IN ('submitted', 'approved')"
    "  WHERE ST_Area(ST_Intersection(a.geometry, b.geometry, 1e-10)::geography)"
    "   > overlap_tolerance_m2(a.area_m2, b.area_m2))"
)
