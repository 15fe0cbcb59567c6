"""Eligibility, projects and claims on real rows: evidence, another person, ground and years."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import text

from geo.eligibility import Answer
from geo.intake import IntakeOptions, examine_document
from registry import claims, eligibility, eligibility_trial, exclusions, programmes, projects
from registry.db import SYSTEM_ACTOR, attempt, transaction
from registry.eligibility_inputs import RunEligibility
from registry.errors import InvalidValueError, WrongStateError
from registry.refusals import ClaimOverlapError, NotApprovedByAnotherError
from tests import factories

# Rules that stored rows alone can answer, so that no layer is needed here.
SOURCE = "\n".join(
    block
    for block in programmes.packaged()["county-inclusion"].split("\n\n")
    if 'rule = "slope"' not in block
    and 'rule = "land_class_share"' not in block
    and 'rule = "tenure"' not in block
).replace("# Every figure", "\n# Every figure")
YEARS = (2025, 2044)


def by(at, actor=SYSTEM_ACTOR):
    return {"at": at, "actor_id": actor, "key": uuid4().hex}


def adopt(session, at):
    return programmes.adopt(session, programmes.AdoptProgramme(**by(at), source=SOURCE))


def box(session, parcel_id):
    return session.execute(
        text(
            "SELECT ST_XMin(geometry), ST_YMin(geometry), ST_XMax(geometry), ST_YMax(geometry)"
            " FROM parcel WHERE id = :id"
        ),
        {"id": parcel_id},
    ).one()


def layer(bounds, properties=None):
    x0, y0, x1, y1 = bounds
    ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
    feature = {
        "type": "Feature",
        "properties": properties or {},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return examine_document(
        {"type": "FeatureCollection", "features": [feature]},
        options=IntakeOptions(check_overlap=False),
    )


def far_away(session, at, kind):
    load = exclusions.LoadExclusion(
        **by(at), kind=kind, file_name="far", file_sha256=uuid4().hex * 2
    )
    return exclusions.load(session, load, layer((120.0, 30.0, 120.01, 30.01)))


@pytest.fixture
def ground(session, at):
    """Two approved parcels of a collective, programme adopted, exclusion layers loaded."""
    factories.division(session)
    owner = factories.party(session, "collective")
    adopt(session, at)
    for kind in ("wetland", "basic_farmland"):
        far_away(session, at, kind)
    return owner, [factories.parcel(session, owner), factories.parcel(session, owner)]


def ask(session, at, parcel_ids):
    command = RunEligibility(
        **by(at), programme_id="county-inclusion", parcel_ids=parcel_ids, crediting=YEARS
    )
    return eligibility.run_eligibility(session, command)


def project(session, at, owner, parcel_ids, crediting=(date(2025, 1, 1), date(2045, 1, 1))):
    state = projects.create(
        session,
        projects.CreateProject(
            **by(at),
            adcode="330802",
            name="p",
            proponent_id=owner,
            programme_id="county-inclusion",
            started_on=crediting[0],
            crediting_from=crediting[0],
            crediting_to=crediting[1],
        ),
    )
    return projects.attach(
        session,
        projects.AttachParcels(**by(at), project_id=state.project_id, parcel_ids=parcel_ids),
    )


def decide(session, at, state, decision, actor=SYSTEM_ACTOR):
    command = projects.DecideProject(
        **by(at, actor), project_id=state.project_id, decision=decision
    )
    return projects.decide(session, command)


def approved(session, at, owner, parcel_ids):
    state = project(session, at, owner, parcel_ids)
    decide(session, at, state, "submit")
    return decide(session, at, state, "approve", factories.actor(session, "county"))


def place(session, at, state, **years):
    command = claims.PlaceClaims(**by(at), project_id=state.project_id, **years)
    return claims.place(session, command)


def test_the_same_inputs_write_no_second_finding(session, at, ground):
    _, parcels = ground
    first = ask(session, at, parcels)
    assert (first.parcels, first.eligible) == (2, 2)
    assert first.findings_new > 0
    again = ask(session, at, list(reversed(parcels)))
    assert again == replace(first, findings_new=0)


def test_ground_on_a_wetland_is_refused_with_its_area_and_shape(session, at, ground):
    _, (wet, dry) = ground
    ask(session, at, [wet, dry])
    x0, y0, x1, y1 = box(session, wet)
    load = exclusions.LoadExclusion(**by(at), kind="wetland", file_name="w", file_sha256="ab" * 32)
    shape = layer((x0, y0, (x0 + x1) / 2, y1))
    assert exclusions.load(session, load, shape).new
    assert not exclusions.load(session, replace(load, key="again"), shape).new
    run = ask(session, at, [wet, dry])
    assert (run.not_eligible, run.eligible) == (1, 1)
    assert run.reasons == {"RULE_WETLAND_OVERLAP": 1}
    found = {f.rule: f for f in eligibility.findings(session, wet)}
    half = found["area_min"].evidence_area_m2 / 2
    assert found["wetland"].evidence_area_m2 == pytest.approx(half, rel=1e-3)
    assert found["wetland"].evidence is not None
    version = run.programme_version
    standing = eligibility.answers(
        session, [wet, dry], programme_id="county-inclusion", programme_version=version
    )
    assert standing == {wet: Answer.NOT_ELIGIBLE, dry: Answer.ELIGIBLE}
    counted = eligibility.summary(
        session, programme_id="county-inclusion", programme_version=version
    )
    assert counted.answers["not_eligible"] == 1
    assert counted.reasons == run.reasons


def test_a_layer_that_is_not_loaded_is_asked_for(session, at):
    factories.division(session)
    adopt(session, at)
    parcel = factories.parcel(session, factories.party(session, "collective"))
    run = ask(session, at, [parcel])
    assert run.needs_documents == 1
    assert set(run.reasons) == {"RULE_WETLAND_UNKNOWN", "RULE_FARMLAND_UNKNOWN"}


def test_parcels_are_chosen_in_one_way(session, at):
    command = RunEligibility(**by(at), programme_id="county-inclusion")
    with pytest.raises(InvalidValueError):
        eligibility.run_eligibility(session, command)


def test_numbers_follow_and_have_six_digits(session, at, ground):
    owner, parcels = ground
    ask(session, at, parcels)
    assert project(session, at, owner, parcels[:1]).number == "000001"
    assert project(session, at, owner, parcels[1:]).number == "000002"


def test_a_parcel_that_was_not_checked_is_named(session, at, ground):
    owner, parcels = ground
    ask(session, at, parcels[:1])
    with pytest.raises(projects.ParcelsRefusedError) as refused:
        project(session, at, owner, parcels)
    assert refused.value.reasons == {parcels[1]: "not_checked"}


@pytest.mark.parametrize("end", [date(2025, 7, 1), date(2046, 1, 1), date(2045, 2, 1)])
def test_the_crediting_period_keeps_the_programmes_limits(session, at, ground, end):
    owner, parcels = ground
    ask(session, at, parcels)
    with pytest.raises(projects.CreditingPeriodError):
        project(session, at, owner, parcels, (date(2025, 1, 1), end))


def test_who_submits_does_not_approve(session, at, ground):
    owner, parcels = ground
    ask(session, at, parcels)
    county = factories.actor(session, "county")
    state = project(session, at, owner, parcels)
    decide(session, at, state, "submit", county)
    with pytest.raises(Exception, match="approved_by_another"), session.begin_nested():
        decide(session, at, state, "approve", county)
    with pytest.raises(Exception, match="not approved by another"), session.begin_nested():
        session.execute(
            text("UPDATE project SET status = 'approved' WHERE id = :id"),
            {"id": state.project_id},
        )
    done = decide(session, at, state, "approve", factories.actor(session, "county"))
    assert done.status == "approved"
    assert NotApprovedByAnotherError.code == "APPROVER_IS_SUBMITTER"


def test_claims_need_an_approved_project_and_its_years(session, at, ground):
    owner, parcels = ground
    ask(session, at, parcels)
    state = project(session, at, owner, parcels)
    with pytest.raises(WrongStateError):
        place(session, at, state)
    decide(session, at, state, "submit")
    decide(session, at, state, "approve", factories.actor(session, "county"))
    with pytest.raises(claims.ClaimYearsError):
        place(session, at, state, last_year=2045)
    placed = place(session, at, state)
    assert (placed.first_year, placed.last_year, len(placed.claim_ids)) == (2025, 2044, 2)
    assert ask(session, at, parcels).eligible == 2  # its own claim is not in its way
    released = claims.release(
        session,
        claims.ReleaseClaims(**by(at), claim_ids=placed.claim_ids, reason="withdrawn"),
    )
    assert released.released == 2
    assert len(place(session, at, state).claim_ids) == 2


def test_an_outside_project_excludes_by_ground_and_years(session, at, ground):
    owner, (held, free) = ground
    command = claims.ImportOutsideClaims(
        **by(at), file_name="o", file_sha256="cd" * 32, scheme="vcs"
    )
    outside = layer(box(session, held), {"scheme": "CCER", "from": 2020, "to": 2039})
    assert claims.import_outside(session, command, outside).placed == 1
    assert claims.import_outside(session, command, outside).known == 1
    run = ask(session, at, [held, free])
    assert run.reasons == {"RULE_CLAIMED_ELSEWHERE": 1}
    assert [c.scheme for c in claims.claims_on(session, held)] == ["ccer"]
    late = layer(box(session, held), {"from": 2040, "to": 2050})
    other = replace(command, file_sha256="ce" * 32)
    assert claims.import_outside(session, other, late).placed == 1
    state = approved(session, at, owner, [free])
    place(session, at, state)
    clash = layer(box(session, free), {"from": 2044, "to": 2050})
    refused = claims.import_outside(session, replace(command, file_sha256="cf" * 32), clash)
    assert (refused.placed, refused.refused) == (0, 1)
    assert refused.findings[0].code == "CLAIM_OUTSIDE_OVERLAP"


def test_two_writers_at_once_leave_one_claim(engine, at):
    with transaction(engine) as session:
        factories.division(session)
        parcel = factories.parcel(session, factories.party(session, "collective"))
        bounds = tuple(box(session, parcel))
    shape = layer(bounds, {"from": 2025, "to": 2044})

    def write(number):
        command = claims.ImportOutsideClaims(
            **by(at), file_name="o", file_sha256=f"{number:02x}" * 32, scheme="ticket"
        )
        return attempt(engine, lambda s: claims.import_outside(s, command, shape)).placed

    with ThreadPoolExecutor(4) as pool:
        placed = list(pool.map(write, range(4)))
    assert sorted(placed) == [0, 0, 0, 1]
    assert ClaimOverlapError.code == "CLAIM_OVERLAP"


def test_a_changed_programme_is_tried_before_it_is_adopted_and_writes_nothing(session, at, ground):
    _, parcel_ids = ground
    ask(session, at, parcel_ids)
    before = session.scalar(text("SELECT count(*) FROM finding"))
    stricter = SOURCE.replace("value = 400, unit", "value = 900000, unit").replace(
        'version = "2026.1"', 'version = "2026.9"'
    )
    command = RunEligibility(**by(at), programme_id="", parcel_ids=parcel_ids)
    tried = eligibility_trial.trial(session, stricter, command)
    assert (tried.version_before, tried.version_after, tried.parcels) == ("2026.1", "2026.9", 2)
    assert [one.path for one in tried.figures] == ["rules.area_min.area_m2_min"]
    assert tried.turns == {"eligible > not_eligible": 2}
    assert {turn.code for turn in tried.listed} == {"RULE_AREA_TOO_SMALL"}
    same = eligibility_trial.trial(session, SOURCE, command)
    assert (same.unchanged, same.turns, same.figures) == (2, {}, [])
    assert session.scalar(text("SELECT count(*) FROM finding")) == before
