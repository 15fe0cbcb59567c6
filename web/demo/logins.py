"""One login for each kind of user of the demo county; nobody else can sign in."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from registry import people
from registry.db import SYSTEM_ACTOR, transaction
from web.accounts import logins
from web.accounts.passwords import hashed
from web.demo.county import DESKS
from web.demo.teller import Teller, Totals, at

DAY = date(2026, 1, 6)
PASSWORD = "tanhui-demo-2026"  # noqa: S105 -- of the demo county, printed on the screen
PARTIES = {
    "village": ("collective", "collective"),
    "farmer": ("farmer", "household"),
    "bank": ("bank", None),
}
"""Login to (role, kind of the party it acts for)."""


def tell(teller: Teller) -> Totals:
    """Let every kind of user sign in; a second telling changes nothing."""
    people_by_name = {desk: teller.who(desk) for desk in DESKS}
    for name, role, party_id in _others(teller):
        command = people.AddActor(
            at=at(DAY),
            actor_id=SYSTEM_ACTOR,
            key=f"story:actor:{name}",
            name=f"演示 {people.ROLES[role]}",
            roles=[role],
            new_actor_id=teller.who(name),
            party_id=party_id,
        )
        people_by_name[name] = teller.do(people.add_actor, command).actor_id
    with transaction(teller.engine) as session:
        known = {line.username for line in logins.logins(session)}
    for name, actor_id in people_by_name.items():
        if name not in known:
            _let_in(teller, name, actor_id)
    with transaction(teller.engine) as session:
        roles = {role for line in logins.logins(session) for role in line.roles}
    teller.check(
        "every kind of user can sign in",
        holds=roles >= set(people.ROLES) - {"system"},
        figure=len(roles),
    )
    return {"logins": len(people_by_name)}


def _let_in(teller: Teller, name: str, actor_id: UUID) -> None:
    command = logins.AddLogin(
        at=at(DAY),
        actor_id=SYSTEM_ACTOR,
        key=f"story:login:{name}",
        username=name,
        password_hash=hashed(PASSWORD),
        for_actor_id=actor_id,
    )
    teller.do(logins.add_login, command)


def _others(teller: Teller) -> Iterator[tuple[str, str, UUID | None]]:
    """Yield (login, role, party) of users who act for a party of the county's files."""
    parties = teller.found["parties"]
    by_kind = {owner["kind"]: owner["id"] for owner in reversed(teller.read("owners.json"))}
    for name, (role, kind) in PARTIES.items():
        yield name, role, parties[by_kind[kind]] if kind else None
