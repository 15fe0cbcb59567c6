"""From the forms of a lot to its commands: the draft with its offers, the mandate."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from flask import request

from options import lots, sale_reads
from options.mandate import Consent, Tenure, Vote
from registry import projects
from web.api.sale_scope import party_of
from web.context import actor, reading
from web.pages.acting import fen, given, kg, whole, word
from web.parsing import FieldsInvalidError, field_error, parse

OFFER_ROWS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    project_id: UUID


def mandate(lot_id: UUID) -> lots.RecordMandate:
    """Return the vote, the households' papers and the charter."""
    vote = None
    if word("vote_on"):
        body = {"on": word("vote_on"), "yes": whole("yes"), "entitled": whole("entitled")}
        vote = parse(Vote, json.dumps(body), {})
    consents = tuple(
        Consent(parcel=name.removeprefix("consent-"), document_ref=value.strip() or None)
        for name, value in request.form.items()
        if name.startswith("consent-")
    )
    return lots.RecordMandate(
        **given(  # type: ignore[arg-type]
            lot_id=lot_id, vote=vote, consents=consents, charter_ref=word("charter_ref") or None
        )
    )


def drafted() -> lots.DraftLot:
    """Return the draft: what is offered by year, on the ticked parcels of the project."""
    project_id = parse(_Chosen, json.dumps({"project_id": word("project_id")}), {}).project_id
    wanted = set(request.form.getlist("parcel"))
    with reading() as session:
        project = projects.view(session, project_id)
        ground = sale_reads.sellable(session, project_id)
        run_id = sale_reads.latest_forecast(session, project_id)
    offers = tuple(
        lots.Offer(
            vintage=whole(f"vintage-{row}"), quantity=kg(f"t-{row}"), price_fen=fen(f"price-{row}")
        )
        for row in range(OFFER_ROWS)
        if word(f"vintage-{row}")
    )
    if not offers:
        raise FieldsInvalidError((field_error("/vintage-0", "FIELD_MISSING", field="vintage"),))
    body = {"number": word("number"), "title": word("title"), "term_years": whole("term_years")}
    if word("closes_on"):
        body["closes_on"] = word("closes_on")
    return parse(
        lots.DraftLot,
        json.dumps(body),
        given(
            programme_id=project.programme_id,
            programme_version=project.programme_version,
            company_id=party_of(actor()),
            project_id=project_id,
            run_id=run_id,
            offers=offers,
            parcels=tuple(
                lots.ParcelOfLot(
                    parcel_id=one.parcel_id,
                    claim_id=one.claim_id,
                    supplier_id=one.supplier_id,
                    household_id=one.household_id,
                    tenure=Tenure(one.tenure),
                )
                for one in ground
                if str(one.parcel_id) in wanted
            ),
            advance_fen=0,
        ),
    )
