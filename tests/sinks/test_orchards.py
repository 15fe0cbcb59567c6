from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinks import emissions, orchard_balance, reward, soil, tables
from sinks.emissions import Fertiliser, Setting, Use
from sinks.errors import DomainError, TableError

SETTING = Setting(account_year=2024)


def kg_by_term(items, setting=SETTING):
    got = {}
    for line in emissions.inventory(items, setting).lines:
        got.setdefault(line.term, []).append(line.kg_co2e)
    return got


def per_kg_n(setting, *, organic=False):
    item = Fertiliser(ref="1", product="compound", mass_kg=0, n_kg=1, organic=organic)
    terms = kg_by_term([item], setting)
    return float(terms["N2O_dir"][0] + terms["N2O_ind"][0])


def test_field_nitrous_oxide_as_computed_in_the_source_table():
    assert round(per_kg_n(SETTING), 3) == 8.657
    assert round(per_kg_n(SETTING, organic=True), 3) == 4.968
    assert round(per_kg_n(replace(SETTING, climate="aggregate")), 3) == 5.894
    assert round(per_kg_n(replace(SETTING, gwp="GWP_N2O_AR5")), 3) == 8.404


def test_one_kg_of_nitrogen_from_plant_to_field():
    item = Fertiliser(ref="1", product="compound", mass_kg=0, n_kg=1)
    assert round(float(emissions.inventory([item], SETTING).total), 1) == 16.4


@pytest.mark.parametrize(
    ("kind", "kg"),
    [
        ("limestone", "0.4400"),
        ("dolomite", "0.4767"),
        ("pesticide", "18.0917"),
        ("film", "18.9933"),
    ],
)
def test_carbon_factors_become_carbon_dioxide(kind, kg):
    (line,) = emissions.inventory([Use(ref="1", kind=kind, quantity=1, unit="kg")], SETTING).lines
    assert f"{float(line.kg_co2e):.4f}" == kg


def test_urea_by_product_before_generic():
    item = Fertiliser(ref="1", product="urea", mass_kg=1000, n_kg=460)
    lines = {x.term: x for x in emissions.inventory([item], SETTING).lines}
    assert round(float(lines["CO2_urea"].kg_co2e), 1) == 733.3
    assert "FracGASF_urea" in lines["N2O_ind"].factors
    assert lines["E_fertprod"].factors == ("N_production_urea",)
    assert lines["E_fertprod"].kg_co2e == 460 * Fraction("2.041") * Fraction(44, 12)


def test_production_per_kg_of_nutrient():
    items = [Fertiliser(ref="1", product="compound", mass_kg=9, n_kg=0, p2o5_kg=1, k2o_kg=1)]
    assert [round(float(x), 3) for x in kg_by_term(items)["E_fertprod"]] == [2.332, 0.660]


@pytest.mark.parametrize(
    ("year", "key"),
    [(2021, "grid_zhejiang_2021"), (2022, "grid_zhejiang_2022"), (2026, "grid_zhejiang_2022")],
)
def test_power_takes_the_years_factor_or_the_latest_before_it(year, key):
    use = Use(ref="1", kind="electricity", quantity=100, unit="kWh")
    (line,) = emissions.inventory([use], Setting(account_year=year)).lines
    assert line.factors == (key,)
    early = emissions.inventory([use], Setting(account_year=2019))
    assert early.lines[0].kg_co2e is None
    assert early.not_counted[0].reason == "FACTOR_MISSING"


def test_a_missing_factor_is_not_counted_and_says_so():
    item = Fertiliser(ref="7", product="manure", mass_kg=1000, n_kg=20, organic=True)
    got = emissions.inventory([item], SETTING)
    (missing,) = got.not_counted
    assert (missing.ref, missing.term) == ("7", "E_orgprod")
    assert missing.factors == ("organic_fertiliser_production",)
    assert missing.kg_co2e is None
    assert got.total == Fraction(per_kg_n(SETTING, organic=True)).limit_denominator(10**6) * 20


def test_litres_are_refused_without_a_density_and_taken_with_one():
    use = Use(ref="3", kind="diesel", quantity=10, unit="L")
    (finding,) = emissions.inventory([use], SETTING).findings
    assert (finding.ref, finding.code, finding.severity) == ("3", "FUEL_LITRES", "refused")
    row = replace(tables.emission_factors()["diesel"], key="diesel_density_kg_l", value=0.84)
    factors = {**tables.emission_factors(), row.key: row}
    got = emissions.inventory([use], SETTING, factors=factors)
    assert got.total == 10 * Fraction("0.84") * Fraction("3.0959")
    assert emissions.inventory([replace(use, unit="kg")], SETTING).total == Fraction("30.959")


@pytest.mark.parametrize(
    ("use", "code"),
    [
        (Use(ref="1", kind="magic", quantity=1, unit="kg"), "ACTIVITY_KIND"),
        (Use(ref="1", kind="film", quantity=1, unit="g"), "ACTIVITY_UNIT"),
        (Use(ref="1", kind="diesel", quantity=1, unit="gal"), "ACTIVITY_UNIT"),
        (Use(ref="1", kind="film", quantity=-1, unit="kg"), "NUMBER_NEGATIVE"),
        (Use(ref="1", kind="film", quantity=float("nan"), unit="kg"), "NUMBER_INVALID"),
        (Use(ref="1", kind="film", quantity="much", unit="kg"), "NUMBER_INVALID"),
    ],
)
def test_a_bad_input_is_a_finding_and_stops_the_balance(use, code):
    got = emissions.inventory([use], SETTING)
    assert [f.code for f in got.findings] == [code]
    assert got.lines == ()
    with pytest.raises(DomainError, match="ACTIVITY_REFUSED"):
        orchard_balance.balance(got, [], orchard_balance.Fixation())


kinds = st.sampled_from(
    [("residue_n", "kg"), ("film", "kg"), ("diesel", "kg"), ("electricity", "kWh")]
)
uses = st.lists(
    st.builds(
        lambda k, q, e: Use(ref="1", kind=k[0], unit=k[1], quantity=q, evidenced=e),
        kinds,
        st.floats(0, 1e6),
        st.booleans(),
    ),
    max_size=30,
)


@given(uses)
def test_order_of_inputs_changes_no_bit(items):
    forth, back = emissions.inventory(items, SETTING), emissions.inventory(items[::-1], SETTING)
    assert forth.total == back.total
    assert forth.evidence_share == back.evidence_share
    assert forth.e_kg == ceil(forth.total)
    assert forth.evidence_share is None or 0 <= forth.evidence_share <= 1


def test_organic_share_goes_by_nitrogen():
    items = [
        Fertiliser(ref="1", product="manure", mass_kg=900, n_kg=3, organic=True),
        Fertiliser(ref="2", product="urea", mass_kg=15, n_kg=7),
    ]
    assert emissions.organic_share(items) == Fraction(3, 10)
    assert emissions.organic_share([]) is None


def test_an_unknown_climate_is_refused():
    with pytest.raises(DomainError, match="CLIMATE_UNKNOWN"):
        Setting(account_year=2024, climate="nice")


INVENTORY = emissions.inventory(
    [Use(ref="1", kind="electricity", quantity=1000, unit="kWh", evidenced=True)], SETTING
)


def test_emission_fixation_and_net_stay_apart():
    plots = [
        orchard_balance.PlotStock(ref="a", before_kg=5_000, after_kg=6_200),
        orchard_balance.PlotStock(ref="b", before_kg=900, after_kg=0),
    ]
    got = orchard_balance.balance(INVENTORY, plots, orchard_balance.Fixation(), soil_kg=9_999.9)
    assert (got.e_kg, got.s_biomass_kg, got.s_soil_kg, got.s_kg) == (516, 300, 0, 300)
    assert got.soil_shown_kg == 9_999
    assert got.net_kg == got.net_without_soil_kg == -216
    assert got.evidence_share == 1
    gain = orchard_balance.balance(INVENTORY, plots[:1], orchard_balance.Fixation())
    assert gain.net_kg == 684


def test_soil_is_capped_and_a_loss_counts_whole():
    capped = orchard_balance.Fixation(method="sampled_soil", soil_cap_kg=100)
    got = orchard_balance.balance(INVENTORY, [], capped, soil_kg=250)
    assert (got.s_soil_kg, got.net_kg, got.net_without_soil_kg) == (100, -416, -516)
    assert orchard_balance.balance(INVENTORY, [], capped, soil_kg=-250).s_soil_kg == -250


def test_stage_factors_wait_for_the_standard():
    with pytest.raises(DomainError, match="FIXATION_NOT_LOADED"):
        orchard_balance.Fixation(method="stage_factors")
    with pytest.raises(DomainError, match="FIXATION_METHOD"):
        orchard_balance.Fixation(method="hope")
    with pytest.raises(DomainError, match="AMOUNT_NEGATIVE"):
        orchard_balance.Fixation(soil_cap_kg=-1)


def test_a_plot_counts_once():
    plot = orchard_balance.PlotStock(ref="a", before_kg=0, after_kg=1)
    with pytest.raises(DomainError, match="PLOT_TWICE"):
        orchard_balance.balance(INVENTORY, [plot, plot], orchard_balance.Fixation())


BASE = soil.SoilPractice(
    reference="SOCref_lac_temperate_moist_2006",
    land_use="FLU_perennial_tree_crop_temperate_moist_2006",
    management="FMG_full_tillage_temperate_moist_2006",
    input="FI_medium",
)


@pytest.mark.parametrize(
    ("input_level", "t_mu"), [("FI_high_without_manure", 0.213), ("FI_high_with_manure", 0.505)]
)
def test_soil_defaults_would_dominate_every_label(input_level, t_mu):
    now = replace(BASE, management="FMG_no_till_temperate_moist_2006", input=input_level)
    yearly = soil.yearly_change_t_c_ha(BASE, now, years_since_change=3)
    assert round(yearly * 44 / 12 / 15, 3) == t_mu
    assert soil.yearly_change_t_c_ha(BASE, now, years_since_change=20) == 0
    assert soil.yearly_change_t_c_ha(now, BASE, years_since_change=3) == -yearly


def test_soil_needs_a_stated_base_and_the_right_rows():
    with pytest.raises(DomainError, match="SOIL_BASE_MISSING"):
        soil.yearly_change_t_c_ha(None, BASE, years_since_change=1)
    with pytest.raises(DomainError, match="VALUE_NEGATIVE"):
        soil.yearly_change_t_c_ha(BASE, BASE, years_since_change=-1)
    with pytest.raises(DomainError, match="SOIL_FACTOR"):
        soil.stock_t_c_ha(replace(BASE, input=BASE.management))
    with pytest.raises(TableError, match="TABLE_NO_ROW"):
        soil.stock_t_c_ha(replace(BASE, input="FI_heavenly"))


def paid(net_kg, rule=None, **changes):
    values = {"gate": True, "approved": True, "evidence_share": Fraction(7, 10)} | changes
    return reward.plan_reward(rule or reward.RewardRule(), net_kg=net_kg, **values)


@pytest.mark.parametrize(("net_kg", "kg"), [(3_009, 3_000), (9, 0), (10, 10), (0, 0), (-50, 0)])
def test_one_tonne_net_is_one_tonne_of_fertiliser_in_steps_of_ten_kg(net_kg, kg):
    assert paid(net_kg).fertiliser_kg == kg


def test_by_carbon_it_is_twelve_fourty_fourths():
    assert paid(4_400, reward.RewardRule(unit="tC")).fertiliser_kg == 1_200


def test_every_condition_is_named():
    got = paid(5_000, gate=False, approved=False, evidence_share=Fraction(69, 100), carried_kg=-7)
    assert got.fertiliser_kg == 0
    assert got.reasons == ("REWARD_GATE", "REWARD_NOT_APPROVED", "REWARD_EVIDENCE")
    assert got.carried_kg == -7
    assert paid(5_000, evidence_share=None).reasons == ("REWARD_EVIDENCE",)


def test_a_correction_is_carried_and_never_clawed_back():
    first = paid(300, carried_kg=-500)
    assert (first.fertiliser_kg, first.carried_kg) == (0, -200)
    second = paid(1_000, carried_kg=first.carried_kg)
    assert (second.fertiliser_kg, second.carried_kg) == (800, 0)


@given(st.lists(st.integers(-(10**6), 10**6), max_size=12), st.integers(-(10**6), 0))
def test_carrying_loses_and_invents_nothing(nets, carried):
    start, given_kg = carried, 0
    for net in nets:
        got = paid(net, carried_kg=carried)
        given_kg, carried = given_kg + got.basis_kg, got.carried_kg
    assert given_kg + carried == start + sum(max(0, net) for net in nets)


def test_senseless_reward_terms_are_refused():
    with pytest.raises(DomainError, match="REWARD_UNIT"):
        reward.RewardRule(unit="tCH4")
    with pytest.raises(DomainError, match="REWARD_STEP"):
        reward.RewardRule(step_kg=0)
    with pytest.raises(DomainError, match="REWARD_CARRIED"):
        paid(1, carried_kg=1)


def test_o13_anji_payment_agrees_with_its_published_factor():
    assert round(275_500 / 43.44 / 5_425 / 3, 4) == 0.3897
    published = tables.bamboo()["moso_anji_payment"].value
    assert pytest.approx(published, abs=0.001) == 275_500 / 43.44 / 5_425 / 3
    assert 2_723 * 15 == 40_845
    assert 2_723 * 15 + 10_000 * 10 == 140_845
    assert 2_000 * 7_341 == 14_682_000
