"""Figures are added up once each, and each can say where it comes from."""

from uuid import uuid4

import numpy as np
import pytest

from registry import assessments, parameter_error
from registry.db import SYSTEM_ACTOR, transaction
from registry.errors import InvalidValueError, NotFoundError
from registry.estimation import AssessParcels, assess
from sinks import monte_carlo, units
from tests.registry import makers_science as makers


def run(engine, at, tmp_path, ids, last=2034):
    command = AssessParcels(
        at=at,
        actor_id=SYSTEM_ACTOR,
        key=uuid4().hex,
        kind="forecast",
        first_year=2025,
        last_year=last,
        parcel_ids=tuple(ids),
    )
    return assess(engine, command, layer_dir=tmp_path / "layers")


@pytest.fixture
def stand(engine, at, tmp_path):
    """Six parcels on three layers and a loss in the west, with one run."""
    ids = makers.draw_parcels(engine, at, makers.blocks(2, 3))
    loss = np.zeros((makers.GRID.height, makers.GRID.width), np.uint16)
    loss[:, :10] = 2028
    makers.add_layers(engine, at, tmp_path, makers.arrays())
    makers.add_layers(engine, at, tmp_path, {"disturbance": loss}, nodata=65535)
    return ids, run(engine, at, tmp_path, ids)


def test_years_add_up_over_parcels(engine, stand):
    ids, report = stand
    with transaction(engine) as session:
        whole = assessments.yearly(session)
        parts = [assessments.of_parcel(session, parcel) for parcel in ids]
        assert assessments.yearly(session, kind="monitored") == []
    assert [one.year for one in whole] == list(range(2025, 2035))
    for i, year in enumerate(whole):
        assert year.parcels == len(ids)
        assert year.net_kg == sum(part.years[i].net_kg for part in parts)
        assert year.stock_kg == sum(part.years[i].stock_kg for part in parts)
    assert sum(one.net_kg for one in whole) == report.net_kg


def test_only_the_latest_run_of_a_parcel_counts(engine, at, tmp_path, stand):
    ids, first = stand
    second = run(engine, at, tmp_path, ids[:2], last=2030)
    with transaction(engine) as session:
        assert assessments.of_parcel(session, ids[0]).run_id == second.run_id
        assert assessments.of_parcel(session, ids[3]).run_id == first.run_id
        assert assessments.of_parcel(session, ids[0], run_id=first.run_id).run_id == first.run_id
        whole = {one.year: one.parcels for one in assessments.yearly(session)}
        assert [view.id for view in assessments.runs(session)] == [second.run_id, first.run_id]
    assert whole[2030] == len(ids)
    assert whole[2031] == len(ids) - 2


@pytest.mark.parametrize("year", [2025, 2027, 2028, 2034])
def test_the_parts_of_an_explanation_are_the_figure(engine, stand, year):
    ids, report = stand
    for parcel in ids[:3]:
        with transaction(engine) as session:
            told = assessments.explain(session, parcel, year)
        assert told.run.id == report.run_id
        assert units.kg_co2_from_stock_sum(told.stock_sum) == told.stock_kg
        ground = sum(part.area_m2 for part in told.cohorts) + told.nodata_m2 + told.outside_m2
        assert ground == pytest.approx(told.area_m2, abs=0.0051)
        assert {layer["kind"] for layer in told.run.layers} == {
            "species", "age", "site", "disturbance",
        }  # fmt: skip
        assert all(part.curve for part in told.cohorts if part.mg_c_m2)
    lost = [part for part in told.cohorts if part.lost_in]
    assert all(part.age_yr == year - 2028 for part in lost)
    with transaction(engine) as session:
        west = assessments.explain(session, ids[0], year)
    assert any(part.lost_in == 2028 for part in west.cohorts) == (year >= 2028)


def test_a_year_without_assessment_has_no_explanation(engine, stand):
    ids, _ = stand
    with transaction(engine) as session:
        for parcel, year in ((ids[0], 2024), (ids[0], 2035), (uuid4(), 2030)):
            with pytest.raises(assessments.NoAssessmentError):
                assessments.explain(session, parcel, year)
        assert assessments.of_parcel(session, uuid4()) is None
        assert assessments.run(session, uuid4()) is None
        with pytest.raises(InvalidValueError):
            assessments.yearly(session, parcel_id=ids[0], division_code="330802")


def test_drawn_without_error_a_run_is_its_own_middle_losses_included(engine, stand, monkeypatch):
    ids, report = stand
    monkeypatch.setattr(monte_carlo, "from_rmse", lambda _row: None)
    with transaction(engine) as session:
        told = parameter_error.interval(session, report.run_id, seed=1, draws=2)
        sums = assessments.yearly(session)
    assert told.net.kg == report.net_kg
    for one, year in zip(told.years, sums, strict=True):
        assert (one.stock.kg, one.net.kg) == (year.stock_kg, year.net_kg)
        # Stocks are whole mg C/m2 a cohort and whole kg a parcel; the draws are neither.
        for end in (one.stock.low_kg, one.stock.high_kg):
            assert end == pytest.approx(year.stock_kg, rel=1e-6, abs=len(ids) + 1)
    assert told.half_width == pytest.approx(0, abs=1e-4)


def test_a_runs_interval_comes_again_from_its_seed_and_knows_what_it_does_not_know(engine, stand):
    _, report = stand
    with transaction(engine) as session:
        told = parameter_error.interval(session, report.run_id, seed=5, draws=400)
        assert told == parameter_error.interval(session, report.run_id, seed=5, draws=400)
        other = parameter_error.interval(
            session, report.run_id, seed=6, draws=400, sampling_half_width=0.1
        )
        assert other.net != told.net
        assert other.combined == pytest.approx((other.half_width**2 + 0.01) ** 0.5)
        for bad in ({"draws": 0}, {"draws": 10**6}):
            with pytest.raises(InvalidValueError):
                parameter_error.interval(session, report.run_id, seed=1, **bad)
        with pytest.raises(NotFoundError):
            parameter_error.interval(session, uuid4(), seed=1)
    for one in told.years:
        assert one.stock.low_kg < one.stock.kg < one.stock.high_kg
    assert {one.curve for one in told.errors} == {"zhejiang_planted_fir", "zhejiang_planted_masson"}
    assert "moso_zhejiang_linear" in told.unknown
