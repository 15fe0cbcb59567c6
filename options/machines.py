"""The state machines of a sale as data: states and steps with their names for screens.

Guards (dates, votes, money, quantities) are pure functions beside this module; here stands only
which step leads where. Nothing else in the product may name a next state.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from options.errors import (
    ApproverError,
    SaleSuspendedError,
    TransitionRefusedError,
    WithdrawalRefusedError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state: stable code and its name on screens."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens: stable code, name on screens, and where it leads from each state."""

    code: str
    zh: str
    en: str
    targets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """States, the first one, and events; deterministic by construction."""

    code: str
    zh: str
    en: str
    initial: str
    states: tuple[State, ...]
    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        codes = [state.code for state in self.states]
        steps = [(source, event.code) for event in self.events for source, _ in event.targets]
        named = {code for event in self.events for pair in event.targets for code in pair}
        if len(set(codes)) != len(codes) or len(set(steps)) != len(steps):
            raise ValueError(f"{self.code}: a state or a step stands twice")
        if not named <= set(codes) or self.initial not in codes:
            raise ValueError(f"{self.code}: a step names an unknown state")

    def state(self, code: str) -> State:
        """Find the state of this code.

        Raises
        ------
        KeyError
            No such state.
        """
        for state in self.states:
            if state.code == code:
                return state
        raise KeyError(code)

    def allowed(self, state: str) -> tuple[str, ...]:
        """List the events possible from a state, in the order of the machine."""
        return tuple(e.code for e in self.events if any(s == state for s, _ in e.targets))

    def terminal(self) -> tuple[str, ...]:
        """List the states that nothing leads out of."""
        return tuple(state.code for state in self.states if not self.allowed(state.code))


def transition(machine: Machine, state: str, event: str) -> str:
    """State after an event.

    Parameters
    ----------
    machine : Machine
    state, event : str
        Codes.

    Returns
    -------
    str
        Code of the new state.

    Raises
    ------
    TransitionRefusedError
        The event is not possible here (or unknown); carries machine, from, event and the allowed
        events.
    """
    for known in machine.events:
        if known.code == event:
            for source, target in known.targets:
                if source == state:
                    return target
    raise TransitionRefusedError(
        machine=machine.code, from_state=state, event=event, allowed=machine.allowed(state)
    )


def refusal_in_words(refused: TransitionRefusedError, *, language: str) -> dict[str, str]:
    """Put the names of states and events in place of the codes, for the text of a refusal.

    Parameters
    ----------
    refused : TransitionRefusedError
        As raised by ``transition`` on one of ``MACHINES``.
    language : str
        "zh", else English.

    Returns
    -------
    dict[str, str]
        The same keys as ``refused.params``; an unknown code stays as it is.
    """
    machine = MACHINES[str(refused.params["machine"])]
    source, event = str(refused.params["from_state"]), str(refused.params["event"])
    named: tuple[State | Event | Machine, ...] = (*machine.states, *machine.events, machine)
    names = {row.code: row.zh if language == "zh" else row.en for row in named}
    separator, nothing = ("、", "无") if language == "zh" else (", ", "nothing")
    allowed = separator.join(names[code] for code in machine.allowed(source))
    return {
        "machine": names[machine.code],
        "from_state": names.get(source, source),
        "event": names.get(event, event),
        "allowed": allowed or nothing,
    }


def _states(*rows: tuple[str, str, str]) -> tuple[State, ...]:
    return tuple(State(code=code, zh=zh, en=en) for code, zh, en in rows)


def _event(code: str, zh: str, en: str, /, **targets: str) -> Event:
    return Event(code=code, zh=zh, en=en, targets=tuple(targets.items()))


LOT_SALE: Final = Machine(
    code="lot_sale",
    zh="批次销售",
    en="Lot, sale",
    initial="DRAFT",
    states=_states(
        ("DRAFT", "草稿", "draft"),
        ("REVIEW", "审核中", "in review"),
        ("ELIGIBLE", "符合条件", "eligible"),
        ("NOTICED", "公示中", "on notice"),
        ("RESOLVED", "已获授权", "mandate given"),
        ("PRE_STORED", "已预存", "pre-stored"),
        ("LISTED", "在售", "listed"),
        ("SOLD_OUT", "售罄", "sold out"),
        ("CLOSED_TO_SALE", "停止销售", "closed to sale"),
        ("REJECTED", "审核未通过", "rejected"),
        ("WITHDRAWN", "已撤回", "withdrawn"),
    ),
    events=(
        _event("submit", "提交审核", "submit", DRAFT="REVIEW"),
        _event("pass_review", "审核通过", "pass review", REVIEW="ELIGIBLE"),
        _event("reject", "审核不通过", "reject", REVIEW="REJECTED"),
        _event("publish_notice", "发布公示", "publish notice", ELIGIBLE="NOTICED"),
        _event("uphold_objection", "异议成立，退回审核", "uphold objection", NOTICED="REVIEW"),
        _event("record_mandate", "登记授权", "record mandate", NOTICED="RESOLVED"),
        _event("pre_store", "预存入库", "pre-store", RESOLVED="PRE_STORED"),
        _event("list_for_sale", "上架", "list for sale", PRE_STORED="LISTED"),
        _event("sell_out", "售罄", "sell out", LISTED="SOLD_OUT"),
        _event("free_up", "有余量，恢复在售", "free up", SOLD_OUT="LISTED"),
        _event(
            "close_sale",
            "停止销售",
            "close sale",
            LISTED="CLOSED_TO_SALE",
            SOLD_OUT="CLOSED_TO_SALE",
        ),
        _event(
            "withdraw",
            "撤回",
            "withdraw",
            DRAFT="WITHDRAWN",
            REVIEW="WITHDRAWN",
            ELIGIBLE="WITHDRAWN",
            NOTICED="WITHDRAWN",
            RESOLVED="WITHDRAWN",
            PRE_STORED="WITHDRAWN",
            LISTED="WITHDRAWN",
        ),
    ),
)
"""Sale axis of a lot (decision 6). Withdrawing a listed lot also needs ``require_no_sale``."""

LOT_PHYSICAL: Final = Machine(
    code="lot_physical",
    zh="批次林况",
    en="Lot, forest",
    initial="GROWING",
    states=_states(
        ("GROWING", "正常生长", "growing"),
        ("DAMAGED", "受灾", "damaged"),
        ("SHORT", "预计不足", "short"),
        ("WRITTEN_OFF", "已核销", "written off"),
    ),
    events=(
        _event("report_damage", "登记受灾", "report damage", GROWING="DAMAGED", SHORT="DAMAGED"),
        _event("lower_forecast", "预测下调", "lower forecast", GROWING="SHORT", DAMAGED="SHORT"),
        _event("recover", "恢复生长", "recover", DAMAGED="GROWING", SHORT="GROWING"),
        _event(
            "write_off",
            "核销",
            "write off",
            GROWING="WRITTEN_OFF",
            DAMAGED="WRITTEN_OFF",
            SHORT="WRITTEN_OFF",
        ),
    ),
)
"""Physical axis of a lot from pre-storage on (decision 6); all but GROWING suspends the sale."""

SUBSCRIPTION_LINE: Final = Machine(
    code="subscription_line",
    zh="认购协议明细",
    en="Subscription line",
    initial="RESERVED",
    states=_states(
        ("RESERVED", "已预留", "reserved"),
        ("SIGNED", "已签约（可撤销）", "signed, can be undone"),
        ("AWAITING_PAYMENT", "待付款", "awaiting payment"),
        ("PAID", "已付款", "paid"),
        ("COOLING_OFF", "冷静期", "cooling-off"),
        ("VESTING", "履约中", "vesting"),
        ("DELIVERABLE", "可交付", "deliverable"),
        ("DELIVERED", "已交付", "delivered"),
        ("LAPSED", "逾期失效", "lapsed"),
        ("CANCELLED", "已取消", "cancelled"),
        ("REFUNDED", "已退款", "refunded"),
        ("SUBSTITUTED", "已替换", "substituted"),
        ("SELLER_DEFAULT", "卖方违约", "seller default"),
        ("EXPIRED", "逾期未领", "expired"),
    ),
    events=(
        _event("sign", "签订认购协议", "sign", RESERVED="SIGNED"),
        _event("release", "放弃预留", "release", RESERVED="CANCELLED"),
        _event("undo", "撤销签约", "undo", SIGNED="CANCELLED"),
        _event("undo_over", "撤销期满", "undo time over", SIGNED="AWAITING_PAYMENT"),
        _event("lapse", "逾期", "lapse", RESERVED="LAPSED", AWAITING_PAYMENT="LAPSED"),
        _event("clear_payment", "款项到账", "payment cleared", AWAITING_PAYMENT="PAID"),
        _event("start_cooling_off", "进入冷静期", "start cooling-off", PAID="COOLING_OFF"),
        _event("cooling_off_over", "冷静期满", "cooling-off over", COOLING_OFF="VESTING"),
        _event("refund", "退款", "refund", COOLING_OFF="REFUNDED", VESTING="REFUNDED"),
        _event("mature", "核证签发或到期", "issued or mature", VESTING="DELIVERABLE"),
        _event("substitute", "替换批次", "substitute", VESTING="SUBSTITUTED"),
        _event("default", "认定卖方违约", "seller default", VESTING="SELLER_DEFAULT"),
        _event("deliver", "交付", "deliver", DELIVERABLE="DELIVERED"),
        _event("expire", "逾期未领", "expire", DELIVERABLE="EXPIRED"),
    ),
)
"""A line of a subscription, one vintage (decision 9). A substitute line starts at VESTING."""

SETTLEMENT: Final = Machine(
    code="settlement",
    zh="结算",
    en="Settlement",
    initial="DRAFT",
    states=_states(
        ("DRAFT", "草稿", "draft"),
        ("CHECKED", "已复核", "checked"),
        ("APPROVED", "已批准", "approved"),
        ("PAYING", "付款中", "paying"),
        ("RETURNED", "已返还", "returned"),
        ("PUBLISHED", "已公开", "published"),
    ),
    events=(
        _event("check", "复核", "check", DRAFT="CHECKED"),
        _event("reopen", "退回修改", "reopen", CHECKED="DRAFT"),
        _event("approve", "批准（两人）", "approve (two persons)", CHECKED="APPROVED"),
        _event("start_payment", "发起付款", "start payment", APPROVED="PAYING"),
        _event("confirm_payment", "银行回单确认", "confirm payment", PAYING="RETURNED"),
        _event("publish", "公开", "publish", RETURNED="PUBLISHED"),
    ),
)
"""A settlement of lot x vintage x run (decision 11)."""

MACHINES: Final = {m.code: m for m in (LOT_SALE, LOT_PHYSICAL, SUBSCRIPTION_LINE, SETTLEMENT)}

HOLDING_STATES: Final = frozenset({"RESERVED", "SIGNED", "AWAITING_PAYMENT"})
"""Line states that hold quantity without money."""

SOLD_STATES: Final = frozenset({"PAID", "COOLING_OFF", "VESTING", "DELIVERABLE"})
"""Line states that are paid for and not yet delivered: they share in the next delivery."""

HOLDER_STATES: Final = frozenset({"DELIVERED"})
"""Line states in which the holder may retire, transfer or donate."""


def require_on_sale(*, sale: str, physical: str) -> None:
    """Refuse a reservation on a lot that is not listed or whose forest is not growing.

    Raises
    ------
    SaleSuspendedError
    """
    if sale != "LISTED" or physical != "GROWING":
        raise SaleSuspendedError(sale=sale, physical=physical)


def require_no_sale(*, committed: int) -> None:
    """Refuse to withdraw a lot of which something is reserved or sold.

    Parameters
    ----------
    committed : int
        Reserved + sold + delivered, kg or trees.

    Raises
    ------
    WithdrawalRefusedError
    """
    if committed > 0:
        raise WithdrawalRefusedError(committed=committed)


def require_two_persons(approved_by: Collection[str]) -> None:
    """Refuse an approval that is not by two different persons.

    Raises
    ------
    ApproverError
    """
    persons = len(set(approved_by))
    if persons < 2:  # noqa: PLR2004
        raise ApproverError(persons=persons)
