"""``/me``: who the caller is."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from registry.people import ActorView
from web.api.endpoints import Empty, Noun, Read
from web.auth import PERMISSIONS, SIGNED_IN, may


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The caller: roles, division, party, and what they may do."""

    id: UUID
    name: str
    roles: list[str]
    division_code: str | None
    party_id: UUID | None
    permissions: list[str]


def me(_session: Session, who: ActorView, _query: Empty) -> Me:
    """Return the caller."""
    return Me(
        id=who.id,
        name=who.name,
        roles=list(who.roles),
        division_code=who.division_code,
        party_id=who.party_id,
        permissions=sorted(one for one in PERMISSIONS if may(who, one)),
    )


NOUN = Noun(
    name="account",
    title=("账号", "The caller's account"),
    endpoints=(
        Read(
            name="me",
            rule="/me",
            permission=SIGNED_IN,
            query=Empty,
            read=me,
            summary=("我是谁，能做什么", "Who the caller is and what they may do"),
        ),
    ),
)
