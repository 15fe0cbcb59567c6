"""Labels: stored with what they stood on, run again but never edited; vetoes, benchmarks, appeals."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.db import transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.orchards import county, label_settings, labels
from registry.orchards.errors import AppealTooLateError, BenchmarkSourceError, VetoLiftedError
from tests import factories
from tests.registry import orchard_makers as make

ADCODE = "330802"


@pytest.fixture
def at(engine):
    return make.desk(engine)


def benchmark(at, value="0.02", **more):
    fields = {
        "adcode": ADCODE,
        "year": 2025,
        "crop": "huyou",
        "stage": "mature",
        "basis": "fruit",
        "source": "会议纪要",
    }
    return at.do(
        label_settings.set_benchmark,
        label_settings.SetBenchmark,
        at.county,
        value=value,
        **fields | more,
    )


def run(at, **more):
    return at.do(labels.run_labels, labels.RunLabels, at.county, adcode=ADCODE, year=2025, **more)


def booked(at, *, scale=1, area="40000", **more):
    orchard = make.opened(at, area, **more)
    make.write(at, orchard.id, make.year_lines(scale=scale))
    make.approve(at, orchard.id)
    return orchard


def only(made):
    [label] = made.labels
    return label


def test_colours_follow_the_measure_against_the_countys_value(at):
    orchards = [booked(at, scale=scale) for scale in (1, 4, 6, 9)]
    with transaction(at.engine) as session:
        page = county.county(session, ADCODE, 2025)
    emission = {row.orchard.id: row.balance.e_kg for row in page.rows}
    # The measure of the second is exactly 1 against this value, whose text has no end otherwise.
    value = Fraction(emission[orchards[1].id], 66000)
    benchmark(at, f"{float(value):.12f}"[:-3])
    made = run(at)
    grade = {label.orchard_id: label.grade for label in made.labels}
    assert grade[orchards[0].id] == "dark_green"
    assert grade[orchards[1].id] == "yellow"  # a hair above 1: the value was cut off
    assert grade[orchards[3].id] == "red"
    assert made.groups[0].source == "county"
    first = next(label for label in made.labels if label.orchard_id == orchards[0].id)
    assert first.number.startswith("LBL-330802-2025-")
    assert Fraction(first.x) == Fraction(emission[orchards[0].id], 66000) / Fraction(
        first.inputs["benchmark"]["value"]
    )


def test_ten_accounts_of_last_year_make_their_own_benchmark(at):
    orchards = []
    for n in range(10):
        orchard = make.opened(at, "40000")
        for year in (2024, 2025):
            make.write(at, orchard.id, make.year_lines(year, scale=3 if n else 1), year)
            make.approve(at, orchard.id, year)
        orchards.append(orchard.id)
    made = run(at)
    [group] = [group for group in made.groups if group.basis == "fruit"]
    assert (group.source, group.n) == ("group", 10)
    grade = {label.orchard_id: label.grade for label in made.labels}
    assert grade[orchards[0]] == "dark_green"
    assert {grade[other] for other in orchards[1:]} == {"light_green"}  # x is exactly 1


def test_without_a_benchmark_or_a_book_or_the_area_there_is_no_label(at):
    booked(at)
    assert (only(run(at)).state, only(run(at)).reasons) == ("unlabelled", ("LABEL_NO_BENCHMARK",))
    benchmark(at)
    make.opened(at, "40000")
    small = booked(at, area="33333.3333")
    made = {label.orchard_id: label.reasons for label in run(at).labels}
    assert ("LABEL_NO_DATA",) in made.values()
    assert made[small.id] == ("LABEL_AREA",)


def test_young_trees_go_by_area(at):
    booked(at, stage="young")
    benchmark(at, "30", stage="young", basis="area")
    label = only(run(at))
    assert label.inputs["basis"] == "area"
    assert label.state == "labelled"


def test_a_veto_withholds_and_its_lifting_gives_the_label_back(at):
    orchard = booked(at)
    benchmark(at, "1")
    entered = at.do(
        label_settings.veto,
        label_settings.Veto,
        at.county,
        orchard_id=orchard.id,
        year=2025,
        kind="boundary_dispute",
        reason="四至有争议",
    )
    assert (only(run(at)).state, only(run(at)).grade) == ("withheld", "")
    lift = {"veto_id": entered.id, "reason": "已调解"}
    at.do(label_settings.lift_veto, label_settings.LiftVeto, at.county, **lift)
    assert only(run(at)).state == "labelled"
    with pytest.raises(VetoLiftedError):
        at.do(label_settings.lift_veto, label_settings.LiftVeto, at.county, **lift)


def test_a_run_again_appends_and_the_same_inputs_have_the_same_digest(at):
    booked(at)
    benchmark(at)
    first, second = only(run(at)), only(run(at))
    assert first.digest == second.digest
    assert first.number != second.number
    with transaction(at.engine) as session:
        kept = labels.label(session, first.number)
    assert (kept.replaced_by, kept.grade) == (second.number, first.grade)
    for change in ("UPDATE orchard_label SET grade = 'red'", "DELETE FROM label_run"):
        with pytest.raises(DBAPIError), transaction(at.engine) as session:
            session.execute(text(change))


def test_an_appeal_makes_a_new_run_for_its_orchard(at):
    orchard, _ = booked(at), booked(at, scale=2)
    benchmark(at)
    label = next(x for x in run(at, overrides={"cuts": ["0.1", "0.2", "0.3"]}).labels
                 if x.orchard_id == orchard.id)  # fmt: skip
    with transaction(at.engine) as session:
        farmer = factories.actor(session, "farmer", party_id=orchard.operator_id)
        other = factories.actor(session, "farmer", party_id=factories.party(session, "household"))
    ask = {"number": label.number, "reason": "产量少记"}
    with pytest.raises(NotFoundError):
        at.do(labels.appeal_label, labels.AppealLabel, other, **ask)
    again = only(at.do(labels.appeal_label, labels.AppealLabel, farmer, **ask))
    assert (again.appeal_of, again.orchard_id) == (label.number, orchard.id)
    assert (again.digest, again.rule_version) == (label.digest, label.rule_version)
    assert again.rule_version.endswith("+county")
    with pytest.raises(AppealTooLateError):
        at.do(labels.appeal_label, labels.AppealLabel, farmer, **ask)


def test_a_county_sets_some_values_and_no_others(at):
    booked(at)
    benchmark(at)
    for overrides in ({"area_gate_m2_times_3": 1}, {"cuts": ["2", "1", "3"]}, {"cuts": ["1"]}):
        with pytest.raises(InvalidValueError):
            run(at, overrides=overrides)
    with pytest.raises(BenchmarkSourceError):
        benchmark(at, source="")
    with pytest.raises(InvalidValueError):
        benchmark(at, "-1")


def test_two_runs_at_once_number_without_a_gap(at):
    booked(at)
    benchmark(at)
    with ThreadPoolExecutor(3) as pool:
        numbers = [only(made).number for made in pool.map(lambda _: run(at), range(3))]
    assert sorted(numbers) == [f"LBL-330802-2025-{n:06d}" for n in (1, 2, 3)]


def test_the_public_sees_no_person(at):
    with transaction(at.engine) as session:
        person = factories.party(session, "household", "张三户")
    benchmark(at)
    booked(at, operator=person)
    shown = booked(at)
    with transaction(at.engine) as session:
        made = {x.orchard_id: labels.public_label(session, x.number) for x in
                labels.current_labels(session, ADCODE, 2025)}  # fmt: skip
        assert not made
    run(at)
    with transaction(at.engine) as session:
        for label in labels.current_labels(session, ADCODE, 2025):
            public = labels.public_label(session, label.number)
            assert public.place == "柯城区"
            assert "张三" not in repr(public)
            assert (public.operator is not None) == (label.orchard_id == shown.id)
        with pytest.raises(NotFoundError):
            labels.public_label(session, "LBL-330802-2025-999999")


def test_records_for_too_little_of_the_area_give_no_label(at):
    orchard = make.opened(at, "30000", "10000")
    benchmark(at)
    by_size = {plot.planted_area_m2: plot.parcel_id for plot in orchard.plots}
    small = make.line("electricity", "100", parcel_id=by_size["10000"])
    state = make.write(at, orchard.id, [small, *make.year_lines()[2:]])
    assert state.balance.coverage == "1/4"
    make.approve(at, orchard.id)
    assert only(run(at)).reasons == ("LABEL_COVERAGE",)
