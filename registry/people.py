"""Parties and the actors who act for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session
from stdnum.cn import uscc as uscc_rules

from registry import divisions, events
from registry.db import Command
from registry.errors import InvalidValueError, NotFoundError, NotPermittedError, RegistryError
from registry.models import Actor, Party, PartyAccount

PartyKind = Literal[
    "collective",
    "cooperative",
    "state_farm",
    "household",
    "company",
    "enterprise",
    "person",
    "association",
    "institution",
    "verifier",
    "bank",
    "programme",
]
ROLES: Mapping[str, str] = {
    "township": "乡镇人员",
    "county": "县管理员",
    "company": "收储公司",
    "collective": "村集体",
    "farmer": "果农",
    "buyer": "认购方",
    "verifier": "核证机构",
    "bank": "银行",
    "auditor": "审计",
    "system": "系统",
}
"""Every role and its name on screens."""

USCC_ALPHABET = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
USCC_LENGTH = 18


class CreditCodeError(RegistryError):
    """A unified social credit code does not have the form of GB 32100-2015."""

    code = "USCC_FORM"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddParty(Command):
    """Enter a party; ``uscc`` for organisations."""

    kind: PartyKind
    name: str
    division_code: str | None = None
    reference: str | None = None
    uscc: str | None = None
    bank_account: str | None = None
    bank_account_kind: Literal["basic", "general", "personal"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyAdded:
    """The party and what to look at: early pilot codes are valid though their check fails."""

    party_id: UUID
    warnings: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddActor(Command):
    """Let somebody act: roles, for a division's subtree or for a party."""

    name: str
    roles: list[str]
    division_code: str | None = None
    party_id: UUID | None = None
    new_actor_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorAdded:
    """Who may act now."""

    actor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorView:
    """An actor as the face knows them."""

    id: UUID
    name: str
    roles: tuple[str, ...]
    division_code: str | None
    party_id: UUID | None

    def has(self, *roles: str) -> bool:
        """Say whether the actor has one of ``roles``."""
        return any(role in self.roles for role in roles)


def uscc_warnings(code: str) -> list[str]:
    """Return what is doubtful about a credit code.

    python-stdnum's own ``validate`` refuses village collectives (N1 to N3), so only its check
    digit is used; some early pilot codes are valid although their check fails.

    Raises
    ------
    CreditCodeError : not 18 characters of the code's alphabet.
    """
    if len(code) != USCC_LENGTH or not USCC_ALPHABET.issuperset(code):
        raise CreditCodeError(uscc=code)
    return [] if uscc_rules.calc_check_digit(code) == code[-1] else ["USCC_CHECK_DIGIT"]


def add_party(session: Session, command: AddParty) -> PartyAdded:
    """Enter a party.

    Raises
    ------
    CreditCodeError : its credit code is malformed.
    InvalidValueError : a collective or cooperative is given a personal account.
    """
    warnings = uscc_warnings(command.uscc) if command.uscc else []
    if command.kind in {"collective", "cooperative"} and command.bank_account_kind == "personal":
        raise InvalidValueError(
            field="bank_account_kind", value="personal", why="集体资金不得存入个人账户"
        )
    if command.division_code:
        divisions.require(session, command.division_code)
    party = Party(
        id=uuid4(),
        kind=command.kind,
        name=command.name,
        division_code=command.division_code and divisions.full_code(command.division_code),
        reference=command.reference,
        uscc=command.uscc,
    )
    session.add(party)
    session.flush()
    if command.bank_account:
        account = PartyAccount(
            party_id=party.id, number=command.bank_account, kind=command.bank_account_kind
        )
        session.add(account)
        session.flush()
    events.record(
        session,
        command,
        kind="party.added",
        subject=("party", str(party.id)),
        body={"kind": command.kind, "division": command.division_code, "warnings": warnings},
    )
    return PartyAdded(party_id=party.id, warnings=warnings)


def party_name(session: Session, reference: str) -> str | None:
    """Return the name of the party that other systems know by ``reference``."""
    return session.scalar(select(Party.name).where(Party.reference == reference))


def add_actor(session: Session, command: AddActor) -> ActorAdded:
    """Let somebody act.

    Raises
    ------
    InvalidValueError : a role that does not exist.
    """
    unknown = [role for role in command.roles if role not in ROLES]
    if unknown or not command.roles:
        raise InvalidValueError(field="roles", value=unknown, why="未知角色 unknown role")
    actor = Actor(
        id=command.new_actor_id or uuid4(),
        name=command.name,
        roles=list(command.roles),
        division_code=command.division_code and divisions.full_code(command.division_code),
        party_id=command.party_id,
        effective_at=command.at,
    )
    session.add(actor)
    session.flush()
    events.record(
        session,
        command,
        kind="actor.added",
        subject=("actor", str(actor.id)),
        body={"roles": command.roles, "party": command.party_id},
    )
    return ActorAdded(actor_id=actor.id)


def actor(session: Session, actor_id: UUID) -> ActorView:
    """Return an active actor.

    Raises
    ------
    NotFoundError : there is none, or they may no longer act.
    """
    row = session.scalar(select(Actor).where(Actor.id == actor_id, Actor.active))
    if row is None:
        raise NotFoundError(what="actor", id=actor_id)
    return ActorView(
        id=row.id,
        name=row.name,
        roles=tuple(row.roles),
        division_code=row.division_code,
        party_id=row.party_id,
    )


def require_role(session: Session, command: Command, *roles: str) -> ActorView:
    """Return who acts; the system may always.

    Raises
    ------
    NotPermittedError : the actor has none of ``roles``.
    """
    who = actor(session, command.actor_id)
    if not who.has("system", *roles):
        raise NotPermittedError(needs="/".join(ROLES[role] for role in roles))
    return who
