"""The story of the demo county: from plot files to money back in the village."""

from web.demo import change, county, decision, fen, logins, orchards, plots, tonne, trees, unit
from web.demo.teller import Teller, Told

STEPS = {
    "county 县": county.tell,
    "logins 账号": logins.tell,
    "plots 地块": plots.tell,
    "decision 审定": decision.tell,
    "tonne 一吨": tonne.tell,
    "fen 一分": fen.tell,
    "unit 一单位": unit.tell,
    "orchards 果园": orchards.tell,
    "trees 树": trees.tell,
    "change 变化": change.tell,
}


def tell(teller: Teller) -> Told:
    """Tell the whole story; a step that is not built is absent."""
    return teller.tell(STEPS)
