"""Orchard accounts and books: exact gate, lines that act once, approval by another person."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.db import transaction
from registry.errors import NotFoundError, NotPermittedError, WrongStateError
from registry.orchards import accounts, balances, books
from registry.orchards.errors import (
    BookClosedError,
    BookEmptyError,
    LineInvalidError,
    LineReusedError,
    LineReversedError,
    OrchardExistsError,
    PlantedTooLargeError,
    PlotNotOrchardError,
    PlotsInvalidError,
    PlotTakenError,
)
from registry.refusals import NotApprovedByAnotherError
from sinks.errors import DomainError
from tests import factories
from tests.registry import orchard_makers as make


@pytest.fixture
def at(engine):
    return make.desk(engine)


def test_the_gate_is_exact(at):
    # 50 mu is 100000/3 m2: no decimal is exactly that, so a hair below and a hair above decide.
    assert make.opened(at, "33333.3333").gate is False
    assert make.opened(at, "33333.3334").gate is True
    assert make.opened(at, "20000", "13333.3334").gate is True
    assert make.opened(at, "20000", "13333.3333333333").gate is False


def test_a_boundary_is_versioned_and_a_year_keeps_its_own(at):
    orchard = make.opened(at, "30000")
    _, [more] = make.ground(at)
    plots = [
        accounts.Plot(parcel_id=plot, planted_area_m2="20000", planting_year=2015, stage="mature")
        for plot in (orchard.plots[0].parcel_id, more)
    ]
    change = {"orchard_id": orchard.id, "plots": plots, "reason": "并入一块"}
    now = at.do(accounts.set_boundary, accounts.SetBoundary, valid_from=date(2025, 7, 1), **change)
    assert (now.boundary_version, now.planted_area_m2, now.gate) == (2, "40000", True)
    with transaction(at.engine) as session:
        then = accounts.orchard_view(session, orchard.id, year=2024)
    assert (then.boundary_version, then.planted_area_m2, then.gate) == (1, "30000", False)


def test_what_cannot_be_a_plot(at):
    orchard = make.opened(at, "30000")
    operator, [wood] = make.ground(at, kind="carbon")
    _, [big] = make.ground(at)
    common = {"operator_id": operator, "adcode": "330802", "name": "x", "crop": "huyou"}

    def plots(parcel, area="1000"):
        return accounts.Plot(
            parcel_id=parcel, planted_area_m2=area, planting_year=2015, stage="mature"
        )

    def attempt(*given):
        return at.do(
            accounts.open_orchard,
            accounts.OpenOrchard,
            valid_from=date(2024, 1, 1),
            plots=list(given),
            **common,
        )

    with pytest.raises(PlotNotOrchardError):
        attempt(plots(wood))
    with pytest.raises(PlotTakenError):
        attempt(plots(orchard.plots[0].parcel_id))
    with pytest.raises(PlantedTooLargeError):
        attempt(plots(big, "100000"))
    for given in ((), (plots(big), plots(big)), (plots(big, "0"),), (plots(big, "many"),)):
        with pytest.raises(PlotsInvalidError):
            attempt(*given)
    attempt(plots(big))
    _, [third] = make.ground(at)
    with pytest.raises(OrchardExistsError):
        attempt(plots(third))


def test_each_line_recomputes_the_balance(at):
    orchard = make.opened(at, "40000")
    first = make.write(at, orchard.id, [make.line("electricity", "1000")]).balance
    assert (first.e_kg, first.s_kg) == (516, first.s_biomass_kg)  # 0.5153 kg/kWh, rounded up
    assert first.net_kg == first.s_kg - first.e_kg
    assert first.s_kg == pytest.approx(0.43 * 44 / 12 * 1000 * 4, abs=1)  # 4 ha, below age 20
    grid = {factor.key: factor for factor in first.factors}["grid_zhejiang_2022"]
    assert (grid.value, grid.year, grid.mark) == ("0.5153", 2022, "secondary")
    second = make.write(at, orchard.id, [make.line("diesel", "100")]).balance
    assert second.e_kg > first.e_kg
    assert second.input_digest != first.input_digest
    assert second.evidence_share == "1"


def test_a_missing_factor_is_shown_as_not_counted(at):
    orchard = make.opened(at, "40000")
    entry = make.line("organic", "2000", n_kg="40")
    balance = make.write(at, orchard.id, [entry]).balance
    [missing] = balance.not_counted
    assert (missing.term, missing.reason) == ("E_orgprod", "FACTOR_MISSING")
    assert balance.e_kg > 0  # its nitrous oxide does count
    row = {f.key: f for f in balance.factors}["organic_fertiliser_production"]
    assert row.value is None


def test_a_crop_without_a_curve_says_so(at):
    orchard = make.opened(at, "40000", crop="pear")
    balance = make.write(at, orchard.id, make.year_lines()).balance
    assert balance.s_kg == 0
    assert [term.reason for term in balance.not_counted] == ["CURVE_MISSING"]


def test_a_repeated_line_acts_once(at):
    orchard = make.opened(at, "40000")
    entry = make.line("electricity", "1000", client_id="phone-1")
    first = make.write(at, orchard.id, [entry])
    again = make.write(at, orchard.id, [entry])
    assert again.line_ids == first.line_ids
    assert again.balance.id == first.balance.id
    with pytest.raises(LineReusedError):
        make.write(at, orchard.id, [make.line("electricity", "999", client_id="phone-1")])
    with transaction(at.engine) as session:
        assert len(books.lines_of(session, orchard.id, 2025)) == 1


def test_two_phones_send_the_same_line_at_once(at):
    orchard = make.opened(at, "40000")
    entry = make.line("electricity", "1000", client_id="phone-1")
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: make.write(at, orchard.id, [entry]), range(4)))
    assert len({state.line_ids for state in states}) == 1


def test_a_reversal_takes_a_line_back_and_both_stay(at):
    orchard = make.opened(at, "40000")
    before = make.write(at, orchard.id, [make.line("electricity", "1000")])
    wrong = make.write(at, orchard.id, [make.line("electricity", "9000")])
    reverse = {"orchard_id": orchard.id, "year": 2025, "line_id": wrong.line_ids[0]}
    state = at.do(books.reverse_line, books.ReverseLine, reason="多写一个零", **reverse)
    assert state.balance.e_kg == before.balance.e_kg
    with transaction(at.engine) as session:
        counted = [line.counts for line in books.lines_of(session, orchard.id, 2025)]
    assert sorted(counted) == [False, False, True]
    with pytest.raises(LineReversedError):
        at.do(books.reverse_line, books.ReverseLine, reason="again", **reverse)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "magic"}, "kind"),
        ({"on_date": date(2024, 5, 1)}, "on_date"),
        ({"unit": "t"}, "unit"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "1/3"}, "quantity"),
        ({"n_kg": "2000"}, "n_kg"),
        ({"product": ""}, "product"),
        ({"premium_kg": "1"}, "premium_kg"),
        ({"client_id": ""}, "client_id"),
        ({"photo_sha256": "zz"}, "photo_sha256"),
    ],
)
def test_a_line_that_can_never_count_is_refused(at, change, field):
    orchard = make.opened(at, "40000")
    good = make.line("fertiliser", "1000", n_kg="150")
    values = {name: getattr(good, name) for name in good.__slots__} | change
    with pytest.raises(LineInvalidError) as refused:
        make.write(at, orchard.id, [type(good)(**values)])
    assert refused.value.params["field"] == field


def test_litres_without_a_density_are_refused(at):
    orchard = make.opened(at, "40000")
    with pytest.raises(DomainError) as refused:
        make.write(at, orchard.id, [make.line("diesel", "10", unit="L")])
    assert refused.value.code == "FUEL_LITRES"


def test_another_person_approves_and_the_book_is_closed(at):
    orchard = make.opened(at, "40000")
    year = {"orchard_id": orchard.id, "year": 2025}
    make.write(at, orchard.id, make.year_lines())
    at.do(books.submit_book, books.SubmitBook, at.county, **year)
    with pytest.raises(NotApprovedByAnotherError):
        at.do(books.decide_book, books.DecideBook, at.county, decision="approve", **year)
    with pytest.raises(NotPermittedError):
        at.do(books.decide_book, books.DecideBook, at.township, decision="approve", **year)
    state = at.do(books.decide_book, books.DecideBook, at.county2, decision="approve", **year)
    assert (state.status, state.balance.kind) == ("approved", "approved")
    with pytest.raises(BookClosedError):
        make.write(at, orchard.id, [make.line("electricity", "1")])
    at.do(books.decide_book, books.DecideBook, at.county2, decision="reopen", reason="漏记", **year)
    make.write(at, orchard.id, [make.line("electricity", "500")])
    second = make.approve(at, orchard.id)
    with transaction(at.engine) as session:
        kept = balances.latest(session, orchard.id, 2025, "approved")
        view = books.book_view(session, orchard.id, 2025)
    assert kept.id == second.balance.id != state.balance.id
    assert [d.decision for d in view.decisions] == [
        "submit", "approve", "reopen", "submit", "approve",
    ]  # fmt: skip


def test_a_return_says_why_and_the_book_takes_lines_again(at):
    orchard = make.opened(at, "40000")
    year = {"orchard_id": orchard.id, "year": 2025}
    make.write(at, orchard.id, make.year_lines())
    at.do(books.submit_book, books.SubmitBook, **year)
    state = at.do(
        books.decide_book, books.DecideBook, at.county, decision="return", reason="缺发票", **year
    )
    assert state.status == "returned"
    make.write(at, orchard.id, [make.line("electricity", "1")])


def test_two_people_approve_at_once_and_one_does(at):
    orchard = make.opened(at, "40000")
    year = {"orchard_id": orchard.id, "year": 2025}
    make.write(at, orchard.id, make.year_lines())
    at.do(books.submit_book, books.SubmitBook, **year)

    def approve(who):
        try:
            at.do(books.decide_book, books.DecideBook, who, decision="approve", **year)
        except WrongStateError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(approve, [at.county, at.county2]))
    assert sorted(done) == [False, True]
    with transaction(at.engine) as session:
        n = session.scalar(text("SELECT count(*) FROM orchard_balance WHERE kind = 'approved'"))
    assert n == 1


def test_a_farmer_keeps_only_their_own_book(at):
    orchard = make.opened(at, "40000")
    with transaction(at.engine) as session:
        own = factories.actor(session, "farmer", party_id=orchard.operator_id)
        other = factories.actor(session, "farmer", party_id=factories.party(session, "household"))
    fields = {"orchard_id": orchard.id, "year": 2025, "lines": make.year_lines()}
    assert at.do(books.add_lines, books.AddLines, own, **fields).status == "draft"
    with pytest.raises(NotFoundError):
        at.do(books.add_lines, books.AddLines, other, **fields)


def test_an_empty_book_is_not_handed_in(at):
    orchard = make.opened(at, "40000")
    state = make.write(at, orchard.id, [make.line("electricity", "1")])
    at.do(
        books.reverse_line,
        books.ReverseLine,
        orchard_id=orchard.id,
        year=2025,
        line_id=state.line_ids[0],
        reason="错",
    )
    with pytest.raises(BookEmptyError):
        at.do(books.submit_book, books.SubmitBook, orchard_id=orchard.id, year=2025)


def test_records_cannot_be_changed(at):
    orchard = make.opened(at, "40000")
    make.write(at, orchard.id, make.year_lines())
    for table in ("orchard_line", "orchard_balance", "orchard_boundary", "orchard_plot"):
        with pytest.raises(DBAPIError), transaction(at.engine) as session:
            session.execute(text(f"DELETE FROM {table}"))


def test_the_order_of_lines_changes_nothing(at):
    entries = [*make.year_lines(), make.line("pesticide", "7.3"), make.line("film", "2.25")]
    figures = set()
    for given in (entries, entries[::-1]):
        orchard = make.opened(at, "40000")
        balance = make.write(at, orchard.id, given).balance
        figures.add((balance.e_kg, balance.s_kg, balance.net_kg, balance.evidence_share))
        total = sum(Fraction(term.kg_exact) for term in balance.terms)
        assert balance.e_kg - 1 < total <= balance.e_kg
    assert len(figures) == 1
