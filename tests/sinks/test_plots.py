import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import plots
from sinks.errors import DomainError

PLOT = 600.0
FIRS = plots.TreeList(species_cn=("杉木",) * 3, d_cm=(10.347, 15.0, 20.0), h_m=(12.6, 12.0, 15.0))


def test_a_plot_is_as_large_as_the_map_has_it():
    assert plots.horizontal_area_m2(radius_m=13.82) == pytest.approx(600, rel=1e-3)
    assert plots.horizontal_area_m2(side_m=20) == 400
    # 100 % of slope is 45 degrees; 10 % is left as it is.
    assert plots.horizontal_area_m2(side_m=20, slope=1) == pytest.approx(400 / math.sqrt(2))
    assert plots.horizontal_area_m2(side_m=20, slope=0.10) == 400
    assert plots.slope_length_m(20, slope=1) == pytest.approx(20 * math.sqrt(2))
    assert plots.slope_length_m(20, slope=0.05) == 20


@given(st.floats(0.11, 2), st.floats(1, 50))
def test_a_length_measured_up_the_slope_gives_its_map_area_back(slope, side):
    up = plots.slope_length_m(side, slope=slope)
    # A square of the map is `side` across and `up` along the slope.
    mapped = plots.horizontal_area_m2(side_m=math.sqrt(side * up), slope=slope)
    assert mapped == pytest.approx(side**2)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"radius_m": 5, "side_m": 5}, {"radius_m": 0}, {"side_m": math.nan}, {"side_m": 2000}],
)
def test_what_makes_no_plot_is_refused(wrong):
    with pytest.raises(DomainError, match="PLOT_SHAPE"):
        plots.horizontal_area_m2(**wrong)
    with pytest.raises(DomainError, match="PLOT_SLOPE"):
        plots.horizontal_area_m2(side_m=20, slope=35)


@pytest.mark.parametrize(
    ("d", "h"),
    [
        (0.15, 12),
        (1500, 12),
        (15, 1200),
        (15, 0.12),
        (150, 12),
        (15, 120),
        (math.nan, 12),
        (15, math.nan),
    ],
)
def test_a_slip_of_a_unit_is_stopped_by_its_tree(d, h):
    with pytest.raises(DomainError) as caught:
        plots.TreeList(species_cn=("杉木", "杉木"), d_cm=(15, d), h_m=(12, h))
    assert caught.value.code == "TREE_SIZE"
    assert caught.value.params["index"] == 1


def test_a_list_that_does_not_fit_together_is_refused():
    with pytest.raises(DomainError, match="TREE_LIST"):
        plots.TreeList(species_cn=("杉木",), d_cm=(15, 16), h_m=(12, 12))
    with pytest.raises(DomainError, match="TREE_CROWN"):
        plots.TreeList(species_cn=("杉木",), d_cm=(15,), h_m=(12,), crown_length_m=(13,))


def test_a_plot_is_shown_as_the_band_of_all_equations_that_know_its_trees():
    band = plots.tree_band(FIRS, area_m2=PLOT)
    by_model = {one.model: one for one in band.estimates}
    assert set(by_model) == {"stemanalysis", "jiulongshan", "anhui_allometry"}
    assert not by_model["jiulongshan"].with_roots
    assert band.low_t_ha < band.high_t_ha
    whole = [by_model["stemanalysis"].carbon_t_ha, by_model["anhui_allometry"].carbon_t_ha]
    assert [band.low_t_ha, band.high_t_ha] == sorted(whole)
    with_crowns = plots.TreeList(
        species_cn=FIRS.species_cn, d_cm=FIRS.d_cm, h_m=FIRS.h_m, crown_length_m=(4, 4, 5)
    )
    more = {one.model for one in plots.tree_band(with_crowns, area_m2=PLOT).estimates}
    assert more == {*by_model, "yuan_zhejiang"}


def test_o1_one_tree_on_a_plot():
    one = plots.TreeList(species_cn=("杉木",), d_cm=(10.347,), h_m=(12.6,))
    band = plots.tree_band(one, area_m2=10_000)
    (lyt,) = (e for e in band.estimates if e.model == "stemanalysis")
    assert lyt.carbon_t_ha * 1000 == pytest.approx(14.948, abs=0.003)


def test_trees_no_equation_knows_are_counted_as_not_counted():
    trees = plots.TreeList(species_cn=("杉木", "银杏"), d_cm=(15, 15), h_m=(12, 12))
    band = plots.tree_band(trees, area_m2=PLOT)
    assert {one.uncounted for one in band.estimates} == {1}
    assert band.low_t_ha is None
    with pytest.raises(DomainError, match="PLOT_MODEL"):
        plots.as_sample([band], "stemanalysis")
    good = plots.tree_band(FIRS, area_m2=PLOT)
    assert plots.as_sample([good, good], "stemanalysis").shape == (2,)


@given(st.permutations(range(3)), st.integers(2, 5))
def test_the_order_of_trees_changes_nothing_and_twice_the_trees_are_twice_the_carbon(order, times):
    def carbon(trees):
        return {e.model: e.carbon_t_ha for e in plots.tree_band(trees, area_m2=PLOT).estimates}

    shuffled = plots.TreeList(
        species_cn=FIRS.species_cn,
        d_cm=tuple(FIRS.d_cm[i] for i in order),
        h_m=tuple(FIRS.h_m[i] for i in order),
    )
    assert carbon(shuffled) == pytest.approx(carbon(FIRS))
    many = plots.TreeList(
        species_cn=FIRS.species_cn * times, d_cm=FIRS.d_cm * times, h_m=FIRS.h_m * times
    )
    assert carbon(many) == pytest.approx({k: v * times for k, v in carbon(FIRS).items()})


def test_culms_are_counted_by_class():
    culms = plots.CulmCounts(du=(1, 2), count=(40, 60), d_cm=(10, 10))
    got = plots.culm_t_c_ha(culms, area_m2=400)
    assert got == pytest.approx(
        (40 * 13.0822 * 0.476 + 60 * 13.8191 * 0.466) / 1000 / 0.04, rel=1e-4
    )
    with pytest.raises(DomainError, match="CULM_SIZE"):
        plots.CulmCounts(du=(1,), count=(40,), d_cm=(100,))
    with pytest.raises(DomainError, match="CULM_DENSITY"):
        plots.culm_t_c_ha(culms, area_m2=4)
    with pytest.raises(DomainError, match="VALUE_NEGATIVE"):
        plots.CulmCounts(du=(1,), count=(-4,), d_cm=(10,))
    with pytest.raises(DomainError, match="TREE_LIST"):
        plots.CulmCounts(du=(), count=(), d_cm=())
    with pytest.raises(DomainError, match="AREA_NOT_POSITIVE"):
        plots.culm_t_c_ha(culms, area_m2=0)
