"""From quantities to fen: tonnes, trees and land. Each amount is rounded once, half up."""

from fractions import Fraction

from options.errors import AmountError, PaymentAmountError, RefundError
from options.rounding import half_up, require_amounts
from sinks.units import KG_PER_T


def amount_fen(kg: int, price_fen_per_t: int) -> int:
    """Price of a quantity of CO2e: half up of kg x price / 1000.

    Parameters
    ----------
    kg : int
        kg CO2e, at least 0.
    price_fen_per_t : int
        fen per tonne CO2e, at least 0.

    Returns
    -------
    int
        fen.

    Raises
    ------
    AmountError
        A number below zero or not whole.
    """
    require_amounts(kg=kg, price_fen_per_t=price_fen_per_t)
    return half_up(Fraction(kg * price_fen_per_t, KG_PER_T))


def refund_fen(*, paid_fen: int, delivered_kg: int, price_fen_per_t: int) -> int:
    """What goes back to the buyer of a line delivered in part: paid - price of the delivered.

    Raises
    ------
    RefundError
        The delivered is worth more than was paid.
    """
    require_amounts(paid_fen=paid_fen)
    kept_fen = amount_fen(delivered_kg, price_fen_per_t)
    if kept_fen > paid_fen:
        raise RefundError(paid_fen=paid_fen, kept_fen=kept_fen)
    return paid_fen - kept_fen


def packs_amount_fen(packs: int, pack_price_fen: int) -> int:
    """Price of whole tree packs, fen."""
    require_amounts(packs=packs, pack_price_fen=pack_price_fen)
    return packs * pack_price_fen


def tree_price_fen(pack_price_fen: int, trees: int) -> Fraction:
    """Exact price of one tree of a pack, fen a tree; never rounded before the amount is made.

    Raises
    ------
    AmountError
        No trees to divide by.
    """
    require_amounts(pack_price_fen=pack_price_fen, trees=trees)
    if trees == 0:
        raise AmountError(name="trees", value="0")
    return Fraction(pack_price_fen, trees)


def tree_refund_fen(*, paid_fen: int, delivered_trees: int, promised_trees: int) -> int:
    """Refund of a pack delivered in part: paid - half up(delivered x paid / promised).

    Raises
    ------
    AmountError
        Nothing promised.
    RefundError
        More delivered than promised.
    """
    require_amounts(
        paid_fen=paid_fen, delivered_trees=delivered_trees, promised_trees=promised_trees
    )
    kept_fen = half_up(delivered_trees * tree_price_fen(paid_fen, promised_trees))
    if delivered_trees > promised_trees:
        raise RefundError(paid_fen=paid_fen, kept_fen=kept_fen)
    return paid_fen - kept_fen


def land_amount_fen(*, area_mu: Fraction, years: int, price_fen_per_mu_year: Fraction) -> int:
    """Payment by area and years (Anji's collection price), fen, rounded once.

    Parameters
    ----------
    area_mu : Fraction
        Area in mu, at least 0.
    years : int
        Whole years, at least 0.
    price_fen_per_mu_year : Fraction
        May be a fraction of a fen: 16.926 yuan is 1692.6 fen.
    """
    require_amounts(years=years)
    return half_up(Fraction(area_mu) * years * Fraction(price_fen_per_mu_year))


def price_fen_per_t(*, amount_fen: int, kg: int) -> int:
    """Price a tonne that an amount and a quantity imply, half up; for reports, not for contracts.

    Raises
    ------
    AmountError
        No quantity to divide by.
    """
    require_amounts(amount_fen=amount_fen, kg=kg)
    if kg == 0:
        raise AmountError(name="kg", value="0")
    return half_up(Fraction(amount_fen * KG_PER_T, kg))


def require_exact_payment(*, due_fen: int, paid_fen: int) -> None:
    """Refuse a payment that is not the contract's amount to the fen.

    Raises
    ------
    PaymentAmountError
        With both amounts and the difference (paid - due).
    """
    if due_fen != paid_fen:
        raise PaymentAmountError(
            due_fen=due_fen, paid_fen=paid_fen, difference_fen=paid_fen - due_fen
        )
