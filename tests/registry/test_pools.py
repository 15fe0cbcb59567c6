"""Runs that keep pools apart: the programme's pools, events of the record, bamboo by culms."""

from uuid import uuid4

import numpy as np
import pytest
import rasterio
from sqlalchemy import text

from registry import (
    assessments,
    covering,
    maps,
    parameter_error,
    parcels,
    people,
    programmes,
    provenance,
    replay,
    stand_events,
    strata,
)
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.estimation import assess
from registry.programmes import AdoptProgramme, packaged
from registry.stand_events import RecordStandEvent, WithdrawStandEvent
from sinks import monte_carlo, stands, tables, units
from sinks.cohorts import default_curves, stock_kg_co2
from sinks.pools import Pool
from sinks.strata_tables import POOLS, Yearly, culm_stock_t_ha
from tests import factories
from tests.registry import makers_science as makers
from tests.registry.makers_science import command, series


@pytest.fixture
def all_pools(engine, at):
    """A programme that counts six pools."""
    source = makers.all_pools_source()
    adopted = AdoptProgramme(at=at, actor_id=SYSTEM_ACTOR, key=uuid4().hex, source=source)
    return perform(engine, programmes.adopt, adopted).id


def happen(engine, at, parcel, **more):
    given = {"year": 2026, "kind": "harvest", "source": "采伐证"} | more
    asked = RecordStandEvent(
        at=at.replace(year=2026), actor_id=SYSTEM_ACTOR, key=uuid4().hex, parcel_id=parcel, **given
    )
    return perform(engine, stand_events.record, asked)


def flags_of(engine, run_id, parcel):
    with transaction(engine) as session:
        found = session.scalar(
            text("SELECT flags FROM assessment_series WHERE run_id = :run AND parcel_id = :id"),
            {"run": run_id, "id": parcel},
        )
    return {flag["code"] for flag in found}


def pools(engine, run_id):
    with transaction(engine) as session:
        rows = session.execute(
            text("SELECT * FROM assessment_pool WHERE run_id = :run"), {"run": run_id}
        )
        return {(row.parcel_id, row.year, row.pool): (row.stock_kg, row.net_kg) for row in rows}


def test_live_pools_apart_are_what_a_run_of_live_carbon_has(
    engine, at, tmp_path, county, all_pools
):
    ids, *_ = county
    folder = tmp_path / "layers"
    plain = assess(engine, command(at, ids), layer_dir=folder)
    source = packaged()["county-inclusion"]
    adopted = AdoptProgramme(at=at, actor_id=SYSTEM_ACTOR, key=uuid4().hex, source=source)
    perform(engine, programmes.adopt, adopted)
    live = assess(engine, command(at, ids, programme_id="county-inclusion"), layer_dir=folder)
    assert series(engine, live.run_id) == series(engine, plain.run_id)
    dead = assess(engine, command(at, ids, programme_id=all_pools), layer_dir=folder)
    assert dead.net_kg != live.net_kg
    apart = pools(engine, dead.run_id)
    assert {pool for *_, pool in apart} == {str(pool) for pool in POOLS}
    for (parcel, year), (stock, net) in series(engine, dead.run_id).items():
        mine = [apart[parcel, year, str(pool)] for pool in POOLS]
        assert (sum(s for s, _ in mine), sum(n for _, n in mine)) == (stock, net)


def test_nothing_that_happened_costs_nothing_and_a_run_is_found_again(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    before = assess(engine, command(at, ids), layer_dir=folder)
    event = happen(engine, at, ids[0], intensity_ppm=400_000)
    after = assess(engine, command(at, ids), layer_dir=folder)
    assert (after.reused, after.histograms_made) == (False, 0)
    assert after.run_id != before.run_id
    assert assess(engine, command(at, ids), layer_dir=folder).reused
    old, new = series(engine, before.run_id), series(engine, after.run_id)
    assert {parcel for (parcel, year) in old if old[parcel, year] != new[parcel, year]} == {ids[0]}
    assert new[ids[0], 2025] == old[ids[0], 2025]
    assert new[ids[0], 2026][1] < 0 < new[ids[0], 2026][0] < old[ids[0], 2026][0]
    asked = WithdrawStandEvent(
        at=at, actor_id=SYSTEM_ACTOR, key=uuid4().hex, event_id=event.id, reason="误报"
    )
    perform(engine, stand_events.withdraw, asked)
    assert assess(engine, command(at, ids), layer_dir=folder).run_id == before.run_id


def by_cells(engine, parcel, happened, years):
    """Kg CO2 by year of a parcel, each cohort's stand run alone in float64."""
    with transaction(engine) as session:
        row = session.execute(
            text("SELECT cohort, area_dm2 FROM histogram WHERE parcel_id = :id"), {"id": parcel}
        ).one()
    curves = default_curves()
    species, site, age = strata.SCHEME.decode(np.array(row.cohort) % strata.SCHEME.size)
    multiplier = {one.site: one.multiplier for one in tables.site_classes().values()}
    total = np.zeros((len(POOLS), len(years)))
    for s, q, a, area in zip(species, site, age, row.area_dm2, strict=True):
        if s not in curves:
            continue
        yearly = Yearly(curves=curves, table=None, multiplier=multiplier, temperature_c=10.0)
        model = yearly.model(int(s))
        felled = {3: "harvest_fir", 4: "harvest_masson", 5: "harvest_broadleaf"}
        events = [
            stands.Event(
                year=year,
                flow=felled.get(int(s), "clear_to_air") if kind == "harvest" else kind,
                intensity=share,
            )
            for year, kind, share in happened
        ]
        ran = stands.run(
            model,
            stands.settled(model, stands.planted(1, age_yr=[0.0])),
            first_year=makers.LAYER_YEAR - int(a) + 1,
            last_year=years[-1],
            events=events,
        )
        at = [ran.years.index(year) for year in years]
        each = ran.stock[at][:, 0, [stands.INDEX[pool] for pool in POOLS]].T * multiplier[q]
        total += each * area / units.DM2_PER_M2 / units.M2_PER_HA * units.KG_PER_T * 44 / 12
    return total


def test_a_run_with_events_equals_its_cohorts_run_one_by_one(
    engine, at, tmp_path, county, all_pools
):
    ids, *_ = county
    happen(engine, at, ids[3], year=2026, touched_ppm=500_000, intensity_ppm=600_000)
    happen(engine, at, ids[3], year=2026, kind="snow", intensity_ppm=100_000)
    run = assess(engine, command(at, ids, programme_id=all_pools), layer_dir=tmp_path / "layers")
    apart = pools(engine, run.run_id)
    years = range(2025, 2035)
    happened = [(2026, "harvest", 0.3), (2026, "snow", 0.1)]
    expected = by_cells(engine, ids[3], happened, years)
    for k, pool in enumerate(POOLS):
        found = [apart[ids[3], year, str(pool)][0] for year in years]
        assert found == pytest.approx(expected[k], rel=2e-5, abs=3)
    assert {"STAND_EVENT", "POOL_ABSENT", "FLOW_PROVISIONAL"} <= flags_of(
        engine, run.run_id, ids[3]
    )
    assert "STAND_EVENT" not in flags_of(engine, run.run_id, ids[4])


def test_two_batches_have_the_bits_of_one_with_events_and_pools(
    engine, at, tmp_path, county, all_pools
):
    ids, *_ = county
    folder = tmp_path / "layers"
    for i, one in enumerate(ids[::3]):
        happen(
            engine,
            at,
            one,
            kind=("fire", "pest", "thinning")[i % 3],
            intensity_ppm=10_007 * (i + 1),
        )
        happen(engine, at, one, kind="replanting", touched_ppm=5_003 * (i + 1), species=4)
    halves = [
        assess(engine, command(at, part, programme_id=all_pools), layer_dir=folder)
        for part in (ids[1::2], ids[::2])
    ]
    whole = assess(engine, command(at, ids, programme_id=all_pools), layer_dir=folder)
    parts = series(engine, halves[0].run_id) | series(engine, halves[1].run_id)
    assert series(engine, whole.run_id) == parts
    assert pools(engine, whole.run_id) == pools(engine, halves[0].run_id) | pools(
        engine, halves[1].run_id
    )


def test_block_size_changes_no_bit_of_a_pool(engine, at, tmp_path, county, all_pools, monkeypatch):  # noqa: PLR0917
    ids, *_ = county
    folder = tmp_path / "layers"
    for one in ids[:5]:
        happen(engine, at, one, kind="fire", intensity_ppm=333_333)
    monkeypatch.setattr(covering, "BLOCK", 3)
    small = assess(engine, command(at, ids, programme_id=all_pools), layer_dir=folder)
    monkeypatch.setattr(covering, "BLOCK", 5_000)
    later = command(at, ids, programme_id=all_pools, years=(2025, 2035))
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM histogram")) == len(ids)
    large = assess(engine, later, layer_dir=folder)
    found = pools(engine, large.run_id)
    assert {key: found[key] for key in pools(engine, small.run_id)} == pools(engine, small.run_id)


def test_a_figure_with_events_is_told_and_comes_again_from_its_archive(
    engine, at, tmp_path, county, all_pools
):
    ids, *_ = county
    happen(engine, at, ids[5], intensity_ppm=1_000_000)
    happen(engine, at, ids[5], year=2026, kind="replanting", species=3)
    run = assess(engine, command(at, ids, programme_id=all_pools), layer_dir=tmp_path / "layers")
    with transaction(engine) as session:
        told = assessments.explain(session, ids[5], 2030, run.run_id)
        who = people.actor(session, SYSTEM_ACTOR)
        data = provenance.bundle(session, who, told, layer_dir=tmp_path / "layers")
        sums = assessments.pool_sums(session, run.run_id)
    assert sum(one.stock_kg for one in told.pools) == told.stock_kg
    assert int(stock_kg_co2(told.stock_sum)) == told.stock_kg
    assert sum(round(p.area_m2 * 100) * p.mg_c_m2 for p in told.cohorts) == told.stock_sum
    assert any(part.happened for part in told.cohorts)
    known = {one["key"]: one["mark"] for one in told.factors}
    assert known["decay_DW_ATM"] == "read"
    assert "clear_to_air_AGB_ATM" in known or "harvest_fir_AGB_HWP" in known
    assert "snow_AGB_DW" not in known
    assert {one.pool for one in sums} == {str(pool) for pool in POOLS}
    again = replay.rerun(data)
    assert (again.same, again.table_again, again.stock_kg) == (True, True, told.stock_kg)


@pytest.fixture
def felled(engine, at, tmp_path, county, all_pools):
    """A run of six pools in which the sixth parcel was felled in part: (ids, report)."""
    ids, *_ = county
    happen(engine, at, ids[5], intensity_ppm=800_000)
    asked = command(at, ids, programme_id=all_pools)
    return ids, assess(engine, asked, layer_dir=tmp_path / "layers")


def test_drawn_without_error_a_run_with_events_is_its_own_middle(engine, felled, monkeypatch):
    ids, run = felled
    known = {}
    with transaction(engine) as session:
        for parcel in (None, ids[5], ids[6]):
            known[parcel] = parameter_error.interval(
                session, run.run_id, seed=3, draws=200, parcel_id=parcel
            )
    for one in known.values():
        assert all(y.stock.low_kg < y.stock.kg < y.stock.high_kg for y in one.years)
    monkeypatch.setattr(monte_carlo, "from_rmse", lambda _row: None)
    found = series(engine, run.run_id)
    with transaction(engine) as session:
        whole = parameter_error.interval(session, run.run_id, seed=3, draws=2)
        mine = parameter_error.interval(session, run.run_id, seed=3, draws=2, parcel_id=ids[5])
    assert whole.net.kg == run.net_kg
    for one in mine.years:
        assert (one.stock.kg, one.net.kg) == found[ids[5], one.year]
        assert one.stock.low_kg == pytest.approx(one.stock.kg, rel=1e-6, abs=2)
    for one in whole.years:
        assert one.stock.high_kg == pytest.approx(one.stock.kg, rel=1e-6, abs=len(ids) + 1)


@pytest.mark.parametrize("what", ["stock", "net"])
def test_a_map_of_pools_adds_up_to_the_runs_kg_events_counted(engine, tmp_path, felled, what):
    _, run = felled
    with transaction(engine) as session:
        who = people.actor(session, SYSTEM_ACTOR)
        found = [
            maps.write_map(
                session,
                who,
                run.run_id,
                year,
                out=tmp_path / f"{year}.tif",
                layer_dir=tmp_path / "layers",
                what=what,
            )
            for year in (2025, 2026)
        ]
        kg = session.scalar(
            text("SELECT sum(stock_kg) FROM assessment WHERE run_id = :run AND year = 2026"),
            {"run": run.run_id},
        )
    for made in found:
        assert made.total_kg == pytest.approx(made.run_kg, abs=2)
    if what == "stock":
        assert found[1].run_kg == kg
        with rasterio.open(tmp_path / "2025.tif") as before:
            dense = before.read(1)
        with rasterio.open(tmp_path / "2026.tif") as after:
            fallen = (after.read(1) < dense * 0.9) & (dense > 0)
        assert 0 < fallen.sum() < (dense > 0).sum() / 4  # one of twenty parcels was felled


def test_planned_events_are_of_forecasts_only(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    kinds = ("forecast", "monitored")
    years = {"forecast": (2025, 2034), "monitored": (2025, 2026)}
    before = {
        k: assess(engine, command(at, ids, kind=k, years=years[k]), layer_dir=folder) for k in kinds
    }
    happen(engine, at, ids[0], planned=True)
    after = {
        k: assess(engine, command(at, ids, kind=k, years=years[k]), layer_dir=folder) for k in kinds
    }
    assert after["monitored"].run_id == before["monitored"].run_id
    assert after["forecast"].net_kg < before["forecast"].net_kg


CULMS = {
    "culm_year": "2024",
    "culm_d_cm": "9.5",
    "culms_by_du": "600/1100/900/400",
    "culm_recruits": "700/150",
    "culm_cut_by_du": "0/0/0/0.9",
    "culm_age_max": "7",
}


@pytest.fixture
def moso(engine, at, tmp_path):
    """Ground of moso bamboo alone, and a way to draw approved parcels with attributes on it."""
    shape = (makers.GRID.height, makers.GRID.width)
    made = {"species": np.full(shape, 2, np.uint8), "age": np.full(shape, 6, np.uint8)}
    makers.add_layers(engine, at, tmp_path, made)

    with transaction(engine) as session:
        factories.division(session, factories.VILLAGE, name="村", level="village")
        approver = factories.actor(session, "county")

    def drawn(attributes):
        found = makers.draw_parcels(
            engine,
            at,
            makers.blocks(1, 1),
            division_code=factories.VILLAGE,
            attributes=attributes,
        )[0]
        decision = parcels.DecideParcel(
            at=at, actor_id=approver, key=uuid4().hex, parcel_id=found, decision="approve"
        )
        perform(engine, parcels.decide, decision)
        return found

    return drawn


def test_counted_bamboo_is_grown_by_its_culms(engine, at, tmp_path, moso):
    parcel = moso(CULMS)
    run = assess(engine, command(at, [parcel]), layer_dir=tmp_path / "layers")
    assert "CULMS_COUNTED" in flags_of(engine, run.run_id, parcel)
    with transaction(engine) as session:
        told = assessments.explain(session, parcel, 2024 + 1, run.run_id)
    culms = strata.given_of(told.given).culms
    expected = culm_stock_t_ha(culms, 10)[1]
    (part,) = told.cohorts
    assert part.mg_c_m2 == round(expected * units.MG_M2_PER_T_HA)
    assert part.pools_mg_c_m2 == {str(Pool.ABOVEGROUND): part.mg_c_m2, str(Pool.BELOWGROUND): 0}


@pytest.mark.parametrize("field", [*CULMS])
def test_an_incomplete_count_is_said_and_the_curve_is_used(engine, at, tmp_path, moso, field):
    parcel = moso(CULMS | {field: "0/x"})
    run = assess(engine, command(at, [parcel]), layer_dir=tmp_path / "layers")
    assert "CULMS_INCOMPLETE" in flags_of(engine, run.run_id, parcel)
    assert run.net_kg > 0


def test_a_programme_must_say_at_what_temperature_dead_wood_decays(all_pools):
    source = packaged()["county-inclusion"]
    counted = source.replace("dead_wood = { value = false", "dead_wood = { value = true")
    assert [one.path for one in programmes.check(counted)] == ["pools.mean_temperature_c"]
    wrong = source.replace("[pools]\n", "[pools]\nmoss = { value = true }\n")
    assert "pools.moss" in [one.path for one in programmes.check(wrong)]
