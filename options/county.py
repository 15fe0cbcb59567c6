"""Money that came back to a county's villages and households, in whole fen."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedYear:
    """What became due of a vintage and what was received."""

    vintage: int
    due_fen: int
    received_fen: int


def returned(session: Session, adcode: str) -> tuple[ReturnedYear, ...]:
    """Return by vintage what is due to and received by a county's villages and households.

    Parameters
    ----------
    adcode : county, 6 digits; payees whose own division lies in it.
    """
    rows = session.execute(_RETURNED, {"prefix": f"{adcode}%"})
    return tuple(ReturnedYear(**row._asdict()) for row in rows)


_RETURNED = text(
    "SELECT s.vintage, sum(n.amount_fen)::bigint AS due_fen,"
    " coalesce(sum(p.amount_fen), 0)::bigint AS received_fen"
    " FROM settlement_line n JOIN settlement s ON s.id = n.settlement_id"
    "   AND s.revision = n.revision JOIN party y ON y.id = n.payee_id"
    " LEFT JOIN settlement_payment p ON (p.settlement_id, p.revision, p.n)"
    "   = (n.settlement_id, n.revision, n.n)"
    " WHERE s.state NOT IN ('DRAFT', 'CHECKED') AND n.kind IN ('village', 'household')"
    "   AND y.division_code LIKE :prefix GROUP BY s.vintage ORDER BY s.vintage"
)
