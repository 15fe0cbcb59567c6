"""What the programmes' rules found on a parcel: the answer, its evidence, what to bring."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from registry import eligibility
from registry.eligibility_inputs import RunEligibility
from registry.reads import places
from web.api.endpoints import Empty
from web.api.programmes import (
    FindingsQuery,
    ProgrammeLine,
    SaidFinding,
    findings,
    guard_run,
    programme_list,
)
from web.auth import requires
from web.commands import from_form
from web.context import act, actor, reading
from web.pages.frame import say, show

blueprint = Blueprint("findings", __name__, url_prefix="/parcels")
WORST = ("not_eligible", "needs_documents", "eligible")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeFindings:
    """One programme's answer: the worst of its rules' answers, and each rule."""

    name_zh: str
    name_en: str
    version: str
    answer: str
    items: tuple[SaidFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingsPage:
    """Context of ``findings/findings.html``."""

    parcel: places.ParcelPage
    programmes: tuple[ProgrammeFindings, ...]
    offered: tuple[ProgrammeLine, ...]


@blueprint.get("/<uuid:parcel_id>/findings")
@requires("parcel:read")
def index(parcel_id: UUID) -> str:
    """Show every standing finding of a parcel, by programme."""
    with reading() as session:
        parcel = places.parcel(session, actor(), places.ParcelById(parcel_id=parcel_id))
        found = findings(session, actor(), FindingsQuery(parcel_id=parcel_id))
        listed = programme_list(session, actor(), Empty())
    names = {line.id: line for line in listed.items}
    groups: dict[tuple[str, str], list[SaidFinding]] = {}
    for one in found.items:
        groups.setdefault((one.programme_id, one.programme_version), []).append(one)
    shown = tuple(
        ProgrammeFindings(
            name_zh=names[programme].name_zh,
            name_en=names[programme].name_en,
            version=version,
            answer=min((one.answer for one in items), key=WORST.index),
            items=tuple(sorted(items, key=lambda one: WORST.index(one.answer))),
        )
        for (programme, version), items in groups.items()
    )
    offered = tuple(line for line in listed.items if line.adopted)
    return show(
        "findings/findings.html", FindingsPage(parcel=parcel, programmes=shown, offered=offered)
    )


@blueprint.post("/<uuid:parcel_id>/findings")
@requires("eligibility:run")
def run(parcel_id: UUID) -> Response:
    """Ask a programme's rules about this parcel now."""
    command = from_form(RunEligibility, parcel_ids=[parcel_id])
    with reading() as session:
        guard_run(session, actor(), command)
    done = act(eligibility.run_eligibility, command)
    word = gettext("已核查。") if done.parcels else gettext("这个地块不在该规则的核查范围。")
    say("good" if done.parcels else "warn", word)
    return redirect(url_for("findings.index", parcel_id=parcel_id), 303)
