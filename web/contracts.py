"""The words of a contract (认购协议), made from its rows: its fingerprint can be made again.

The text is Chinese whatever the reader's language: it is what is signed.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from options.money_words import capital_rmb, digits_rmb
from options.reads import LotPage, SubscriptionPage
from options.terms import Timers
from web.formats import tonnes

FORMAT: Final = "认购协议 第1版"
_RISKS: Final = {
    "kg": "可认购数量来自预测。预测不是减排量，不能用来抵消排放；以核证签发的数量为准。",
    "tree": "树木可能因火灾、病虫害、冰雪、采伐而减少，成熟时可交付的株数可能少于约定。",
}
_RIGHTS: Final = {
    "buyer": "碳汇权益随本协议归乙方。",
    "seller": "碳汇权益仍归卖方，本协议只含树木权益。",
}


def contract_text(contract: SubscriptionPage, lot: LotPage) -> str:
    """Return the contract in words."""
    timers = _timers(lot.sale)
    lines = [
        FORMAT,
        f"协议编号：{contract.number}",
        f"甲方（收储公司）：{lot.company_name}",
        f"乙方（认购方）：{contract.buyer_name}",
        f"批次：{lot.lot.number} {lot.lot.title}（方案 {lot.lot.programme_id}）",
        "",
        "一、标的",
        *(f"  {_line(contract.unit, one)}" for one in contract.lines),
        f"  合计 {digits_rmb(contract.amount_fen)}（{capital_rmb(contract.amount_fen)}）",
        "二、期限",
        (
            f"  合同期 {lot.lot.term_years} 年。签约后 {timers.undo_minutes} 分钟内可撤销；"
            f"撤销期满后 {timers.payment_working_days} 个工作日内付款，逾期失效；"
            f"付款后 {timers.cooling_off_days} 日为冷静期，期内可退回并全额退款。"
        ),
        "三、风险提示",
        "  认购的是将来交付的权利，不是收益产品：没有承诺收益，也没有保证回购。",
        f"  {_RISKS[contract.unit]}",
        (
            "  未交付的部分按认购单价退款；资金依次来自本单监管资金、保险赔款、"
            "本批次留存和未分配款，不足部分记为对卖方的债权。"
        ),
        "四、权益",
        f"  {_RIGHTS[lot.lot.carbon_right_holder]}",
        "五、付款",
        "  款项只付入银行监管账户，由乙方本人（本单位）账户一次付清，金额须与合计完全一致。",
    ]
    return "\n".join(lines) + "\n"


def contract_sha256(text: str) -> bytes:
    """Return the fingerprint under which a contract is signed."""
    return hashlib.sha256(text.encode()).digest()


def _line(unit: str, line: Any) -> str:  # noqa: ANN401
    if unit == "kg":
        quantity, price = f"{tonnes(line.quantity)} 吨二氧化碳当量", "每吨"
        name = "碳汇量"
    else:
        quantity, price = f"{line.quantity} 包（每包百株，可取五十株）", "每包"
        name = "树木"
    return (
        f"{line.vintage} 年份{name} {quantity}，{price} {digits_rmb(line.price_fen)}，"
        f"金额 {digits_rmb(line.amount_fen)}"
    )


def _timers(sale: Mapping[str, Any]) -> Timers:
    return Timers(**dict(sale.get("timers", {})))
