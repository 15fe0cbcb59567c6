"""The machines: every state can be reached, nothing leads out of an end, refusals are typed."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from options import machines
from options.errors import (
    ApproverError,
    SaleSuspendedError,
    TransitionRefusedError,
    WithdrawalRefusedError,
)
from options.machines import MACHINES, transition

TERMINAL = {
    "lot_sale": {"CLOSED_TO_SALE", "REJECTED", "WITHDRAWN"},
    "lot_physical": {"WRITTEN_OFF"},
    "subscription_line": {
        "DELIVERED",
        "LAPSED",
        "CANCELLED",
        "REFUNDED",
        "SUBSTITUTED",
        "SELLER_DEFAULT",
        "EXPIRED",
    },
    "settlement": {"PUBLISHED"},
}

PATHS = {
    "lot_sale": "submit pass_review publish_notice record_mandate pre_store list_for_sale sell_out"
    " free_up close_sale",
    "lot_physical": "report_damage recover lower_forecast report_damage lower_forecast write_off",
    "subscription_line": "sign undo_over clear_payment start_cooling_off cooling_off_over mature"
    " deliver",
    "settlement": "check reopen check approve start_payment confirm_payment publish",
}


def walk(machine, events):
    state = machine.initial
    for event in events:
        state = transition(machine, state, event)
    return state


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda m: m.code)
def test_every_state_is_reached_and_the_ends_are_listed(machine):
    reached, frontier = {machine.initial}, [machine.initial]
    while frontier:
        state = frontier.pop()
        for event in machine.allowed(state):
            target = transition(machine, state, event)
            if target not in reached:
                reached.add(target)
                frontier.append(target)
    assert reached == {state.code for state in machine.states}
    assert set(machine.terminal()) == TERMINAL[machine.code]


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda m: m.code)
def test_the_main_path(machine):
    assert walk(machine, PATHS[machine.code].split()) in machine.terminal()


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda m: m.code)
def test_names_are_there_in_both_languages_and_distinct(machine):
    for names in (machine.states, machine.events):
        assert all(n.zh and n.en for n in names)
        assert len({n.code for n in names}) == len(names)
    assert len({s.zh for s in machine.states}) == len(machine.states)
    assert not any("期权" in n.zh for n in (*machine.states, *machine.events))


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda m: m.code)
def test_every_other_step_is_refused_with_what_is_allowed(machine):
    for state in machine.states:
        allowed = machine.allowed(state.code)
        for event in [e.code for e in machine.events] + ["unknown"]:
            if event in allowed:
                continue
            with pytest.raises(TransitionRefusedError) as refused:
                transition(machine, state.code, event)
            assert refused.value.code == "TRANSITION_REFUSED"
            assert refused.value.params == {
                "machine": machine.code,
                "from_state": state.code,
                "event": event,
                "allowed": allowed,
            }


def test_a_refusal_in_words():
    with pytest.raises(TransitionRefusedError) as refused:
        transition(machines.SETTLEMENT, "DRAFT", "publish")
    assert machines.refusal_in_words(refused.value, language="zh") == {
        "machine": "结算",
        "from_state": "草稿",
        "event": "公开",
        "allowed": "复核",
    }
    with pytest.raises(TransitionRefusedError) as refused:
        transition(machines.LOT_SALE, "WITHDRAWN", "nonsense")
    words = machines.refusal_in_words(refused.value, language="en")
    assert (words["event"], words["allowed"]) == ("nonsense", "nothing")


def test_upheld_objection_returns_to_review():
    assert walk(
        machines.LOT_SALE, ["submit", "pass_review", "publish_notice", "uphold_objection"]
    ) == ("REVIEW")


def test_a_paid_line_never_lapses_and_a_forecast_never_delivers():
    line = machines.SUBSCRIPTION_LINE
    for state in machines.SOLD_STATES:
        assert "lapse" not in line.allowed(state)
        assert ("deliver" in line.allowed(state)) == (state == "DELIVERABLE")


def test_an_inconsistent_machine_cannot_be_made():
    state = machines.State(code="A", zh="甲", en="a")
    with pytest.raises(ValueError):
        machines.Machine(code="m", zh="", en="", initial="B", states=(state,), events=())
    with pytest.raises(ValueError):
        machines.Machine(code="m", zh="", en="", initial="A", states=(state, state), events=())
    with pytest.raises(KeyError):
        machines.LOT_SALE.state("NOWHERE")
    assert machines.LOT_SALE.state("LISTED").zh == "在售"


def test_guards():
    machines.require_on_sale(sale="LISTED", physical="GROWING")
    for sale, physical in (("LISTED", "SHORT"), ("LISTED", "DAMAGED"), ("SOLD_OUT", "GROWING")):
        with pytest.raises(SaleSuspendedError):
            machines.require_on_sale(sale=sale, physical=physical)
    machines.require_no_sale(committed=0)
    with pytest.raises(WithdrawalRefusedError):
        machines.require_no_sale(committed=1)
    machines.require_two_persons(["a", "b"])
    for persons in ([], ["a"], ["a", "a"]):
        with pytest.raises(ApproverError):
            machines.require_two_persons(persons)


class AnyMachine(RuleBasedStateMachine):
    """Drives a random machine with random events; the state only moves along its own steps."""

    @initialize(machine=st.sampled_from(list(MACHINES.values())))
    def start(self, machine):
        self.machine = machine
        self.state = machine.initial
        self.ended = False

    @rule(data=st.data())
    def any_event(self, data):
        event = data.draw(st.sampled_from([e.code for e in self.machine.events]))
        before = self.state
        if event in self.machine.allowed(before):
            self.state = transition(self.machine, before, event)
            assert not self.ended
        else:
            with pytest.raises(TransitionRefusedError):
                transition(self.machine, before, event)
            assert self.state == before

    @invariant()
    def the_state_is_known_and_an_end_stays_an_end(self):
        if hasattr(self, "machine"):
            self.machine.state(self.state)
            self.ended = self.ended or self.state in self.machine.terminal()


TestAnyMachine = AnyMachine.TestCase
