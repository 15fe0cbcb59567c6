"""Every benchmark runs at toy size and answers the same question as its peers."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tests.bench import answer_cases, books, places, raster_cases, served_cases, sink_cases, vector
from tests.bench.__main__ import line
from tests.bench.ground import SCHEME, ground
from tests.bench.store import open_store
from tests.bench.timing import Case, Way, interleaved, rows, slopes

TOY = 200
pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def store(pg):
    made = open_store(pg)
    yield made
    made.close()


def run(case):
    made = rows(case, interleaved(case, runs=1, warm=False))
    assert len(made) == max(1, len(case.peers))
    for row in made:
        assert row["median"] > 0
        assert (row["ratio"] is None) == (row["peer"] is None)
        json.dumps(row)
        assert case.name in line(row)
    return made


def test_rows_tell_times_and_rates_the_same_way_round():
    slow = Case(
        name="a", size=1, ours=Way(run=lambda: 4.0), peers={"p": Way(run=lambda: 8.0)}, unit="s"
    )
    fast = Case(
        name="b",
        size=1,
        ours=Way(run=lambda: 8.0),
        peers={"p": Way(run=lambda: 4.0)},
        limit=("l", Way(run=lambda: 16.0)),
        unit="acts/s",
    )
    (one,), (two,) = (rows(case, interleaved(case, runs=3)) for case in (slow, fast))
    assert one["ratio"] == two["ratio"] == 2.0
    assert two["share_of_limit"] == 0.5
    assert (one["runs"], one["peer_runs"]) == (3, 3)


def test_runs_are_taken_in_turn_and_the_first_round_is_not_counted():
    order = []
    ways = {name: Way(run=lambda name=name: order.append(name), runs=2) for name in "bc"}
    case = Case(name="t", size=1, ours=Way(run=lambda: order.append("a"), runs=2), peers=ways)
    took = interleaved(case)
    assert "".join(order) == "abcabcabc"
    assert all(len(one.values) == 2 for one in took.values())


@pytest.mark.parametrize("make", [raster_cases.zonal_case, raster_cases.growth_case])
def test_cases_of_rasters(folder, make):
    run(make(folder, TOY))


@pytest.mark.parametrize("make", [sink_cases.bandwidth_case, sink_cases.peak_case])
def test_cases_of_sinks(folder, make):
    run(replace(make(folder, TOY), peers={}))


def test_stands_step_through_their_years():
    run(replace(sink_cases.stepping_case(TOY), peers={}))


@pytest.mark.parametrize(
    "make", [vector.area_case, vector.read_case, vector.overlap_case, vector.eligibility_case]
)
def test_cases_of_vectors(folder, make):
    run(make(folder, TOY))


@pytest.mark.parametrize(
    "make",
    [
        places.import_case,
        places.load_case,
        places.assess_case,
        partial(places.assess_case, pools=True),
    ],
)
def test_cases_of_places(store, folder, make):
    run(make(store, folder, TOY))


@pytest.mark.parametrize(
    "make",
    [
        lambda store, folder: answer_cases.tile_case(store, folder, TOY, 10, 50),
        lambda store, folder: answer_cases.tile_case(store, folder, TOY, 14, 95),
        lambda store, folder: answer_cases.unchanged_case(store, folder, TOY, 14),
        lambda store, folder: answer_cases.claim_case(store, folder, TOY, 99),
        lambda store, folder: answer_cases.search_case(store, folder, TOY),
    ],
)
def test_cases_of_answers(store, folder, make):
    run(make(store, folder))


@pytest.mark.parametrize("again", [False, True])
def test_cases_of_what_is_served(store, folder, again):
    run(served_cases.parcel_case(store, folder, TOY, again=again))


@pytest.mark.browser
@pytest.mark.skipif(served_cases.CHROMIUM is None, reason="Chromium is not installed")
def test_the_first_map(store, folder):
    run(served_cases.map_case(store, folder, TOY))


@pytest.mark.parametrize("suffix", places.SUFFIXES)
def test_memory_of_imports(store, folder, suffix):
    run(places.import_peak_case(store, folder, TOY, suffix))


def test_a_slope_is_the_power_of_the_size():
    row = {"name": "a", "unit": "s"}
    made = [row | {"size": n, "values": [n**1.5, n**1.5 * 1.01]} for n in (10, 100, 1000)]
    (found,) = slopes([*made, row | {"name": "b", "size": 10, "values": [1.0]}])
    assert found["slope"] == pytest.approx(1.5, abs=0.01)
    assert 0 < found["half"] < 0.05


@pytest.mark.parametrize("clients", [1, 2])
def test_cases_of_books(store, clients):
    run(books.ledger_case(store, clients, 0.2, 1))


def test_growth_by_table_and_by_pixel_are_the_same_stock(folder):
    case = raster_cases.growth_case(folder, TOY)
    ours = case.ours.run() / (raster_cases.CELL_DM2 * raster_cases.MG)
    for peer in case.peers.values():
        np.testing.assert_allclose(ours, peer.run(), rtol=1e-6)


def test_exact_areas_agree_with_pixel_centres_in_the_whole(folder):
    land = ground(folder, TOY)
    case = raster_cases.zonal_case(folder, TOY)
    exact = case.ours.run().area_dm2.sum()
    key, cells = raster_cases.by_centres(land)
    centres = cells[key >= SCHEME.size].sum() * raster_cases.CELL_DM2
    assert exact == pytest.approx(centres, rel=2e-3)
