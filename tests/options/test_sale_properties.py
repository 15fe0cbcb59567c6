"""Whatever people do in whatever order, no kilogram and no fen is lost, made or negative."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from options import refunds, settlement, subscriptions
from options.errors import OptionsError
from options.terms import BuyerKind
from registry.errors import RegistryError
from registry.unit_errors import InsufficientBalanceError

ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "reserve",
                "reserve",
                "sign",
                "sign",
                "pay",
                "pay",
                "undo",
                "release",
                "back",
                "wait",
                "wait_long",
                "deliver",
                "settle",
                "refund",
            ]
        ),
        st.integers(0, 9),
        st.integers(1, 6_000),
    ),
    min_size=8,
    max_size=28,
)


class Story:
    """A walk driven by chance: each act may be refused, none may break the books."""

    def __init__(self, walk, lot_id):
        self.walk, self.lot_id, self.made, self.period = walk, lot_id, [], None

    def act(self, name: str, which: int, amount: int) -> None:
        try:
            getattr(self, name)(which, amount)
        except InsufficientBalanceError:  # a rule of ours should have spoken before the ledger
            raise
        except (OptionsError, RegistryError):
            pass  # refused whole: what must hold is looked at below
        self.walk.whole()

    def _one(self, which):
        return self.made[which % len(self.made)] if self.made else None

    def _step(self, verb, which):
        if done := self._one(which):
            self.walk.run(
                verb, subscriptions.SubscriptionCommand, subscription_id=done.subscription_id
            )

    def reserve(self, which, amount):
        kind = BuyerKind.PERSON if which % 2 else BuyerKind.ENTERPRISE
        asks = ((2024, amount), (2025, amount // 2 + 1)) if which % 3 else ((2025, amount),)
        self.made.append(self.walk.reserve(self.lot_id, *asks, kind=kind))

    def sign(self, which, _):
        if done := self._one(which):
            self.walk.sign(done.subscription_id)

    def pay(self, which, amount):
        if done := self._one(which):
            wrong = done.amount_fen + 1 if amount % 5 == 0 else None
            self.walk.pay(done, fen=wrong, reference=f"ROW-{done.number}-{amount % 2}")

    def undo(self, which, _):
        self._step(subscriptions.undo, which)

    def release(self, which, _):
        self._step(subscriptions.release, which)

    def back(self, which, _):
        self._step(refunds.withdraw_in_cooling_off, which)

    def wait(self, *_):
        self.walk.tick(minutes=11)

    def wait_long(self, *_):
        self.walk.tick(days=12)

    def deliver(self, _, amount):
        if self.period is None:
            self.period = self.walk.verified({"石梁村": {2024: amount, 2025: amount}})
        self.walk.deliver(self.period)

    def settle(self, which, _):
        aside = (settlement.SetAside(type="监测费", amount_fen=1),)
        for year in (2024, 2025):
            try:
                self.walk.settled(self.lot_id, year, set_aside=aside if which % 2 else ())
            except OptionsError:
                continue

    def refund(self, which, _):
        year = 2024 + which % 2
        self.walk.run(
            refunds.refund_shortfall, refunds.RefundShortfall, lot_id=self.lot_id, vintage=year
        )


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=ACTS)
def test_any_order_of_acts_keeps_the_books_whole(walk, acts):
    walk.project, walk.claims["石梁村"], walk.forecast = fresh_ground(walk)
    story = Story(walk, walk.on_sale(offers=((2024, 9_000, 6_001), (2025, 7_000, 4_999))))
    for name, which, amount in acts:
        story.act(name, which, amount)


def fresh_ground(walk):
    """A new project with the same village, so that examples do not meet."""
    from registry.db import transaction
    from tests import factories

    with transaction(walk.engine) as session:
        number = walk.one("SELECT count(*) FROM project") + 1
        walk.project = factories.project(
            session, walk.parties["company"], programme_id=walk.program, number=number
        )
        walk.parcels["石梁村"] = factories.parcel(session, walk.parties["石梁村"])
        claim = factories.claim(session, walk.project, walk.parcels["石梁村"], (2024, 2040))
        walk.claims["石梁村"] = claim
        walk.capacity(session, {"石梁村": {2024: 9_000, 2025: 9_000}})
    return walk.project, claim, walk.forecast
