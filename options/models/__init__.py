"""Tables of contracts on credits; private to options."""

import registry.people  # noqa: F401 -- foreign keys here name registry's tables: load them
from options.models.contracts import (
    BankLine,
    Lot,
    LotObjection,
    LotOffer,
    LotParcel,
    LotStep,
    LotSupply,
    Subscription,
    SubscriptionLine,
    Tree,
    TreePack,
    TreePackMember,
)
from options.models.money import (
    Delivery,
    Distribution,
    DistributionPayout,
    Refund,
    Settlement,
    SettlementLine,
    SettlementPayment,
)

__all__ = [
    "BankLine",
    "Delivery",
    "Distribution",
    "DistributionPayout",
    "Lot",
    "LotObjection",
    "LotOffer",
    "LotParcel",
    "LotStep",
    "LotSupply",
    "Refund",
    "Settlement",
    "SettlementLine",
    "SettlementPayment",
    "Subscription",
    "SubscriptionLine",
    "Tree",
    "TreePack",
    "TreePackMember",
]
