"""``tanhui user``: who may sign in."""

import sys
from dataclasses import asdict
from typing import Annotated
from uuid import UUID, uuid4

import typer

from registry.db import perform, transaction
from registry.people import AddActor, add_actor
from web import database
from web.accounts import logins, managing
from web.cli.acting import As, Json, acting, now
from web.cli.asking import ask
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="账号 People who may sign in.")


def _password(username: str, *, from_stdin: bool) -> str:
    """Return a password's hash: read from standard input, or asked for without showing it."""
    plain = (
        sys.stdin.readline().rstrip("\n")
        if from_stdin
        else typer.prompt("密码 password", hide_input=True, confirmation_prompt=True)
    )
    return logins.checked_hash(plain, username=username)


@app.command()
def add(
    username: str,
    *,
    name: Annotated[str, typer.Option(help="The person's name, as records show it")] = "",
    role: Annotated[list[str] | None, typer.Option(help="Role; may be given twice")] = None,
    division: Annotated[str | None, typer.Option(help="Division code, 6 to 12 digits")] = None,
    party: Annotated[UUID | None, typer.Option(help="Party the person acts for")] = None,
    actor: Annotated[UUID | None, typer.Option(help="An actor who has no login yet")] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from stdin")] = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Let a person sign in: as an actor there is, or as a new one with roles."""
    password_hash = _password(username, from_stdin=password_stdin)
    who = acting(as_)
    engine = database.app_engine()
    if actor is None:
        command = AddActor(
            at=now(),
            actor_id=who,
            key=uuid4().hex,
            name=name or username,
            roles=role or [],
            division_code=division,
            party_id=party,
        )
        actor = perform(engine, add_actor, command).actor_id
    made = perform(
        engine,
        logins.add_login,
        logins.AddLogin(
            at=now(),
            actor_id=who,
            key=uuid4().hex,
            username=username,
            password_hash=password_hash,
            for_actor_id=actor,
        ),
    )
    show(made, as_json=json, lines=[f"{made.username} → {actor}"])


@app.command("list")
def list_(*, json: Json = False) -> None:
    """Show every login with its roles."""
    with transaction(database.app_engine()) as session:
        found = logins.logins(session)
    lines = [f"{one.username}\t{one.name}\t{','.join(one.roles)}\t{_state(one)}" for one in found]
    show([asdict(one) for one in found], as_json=json, lines=lines)


@app.command()
def password(
    username: str,
    *,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from stdin")] = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Replace a password; every session of the login ends."""
    command = logins.SetPassword(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        username=username,
        password_hash=_password(username, from_stdin=password_stdin),
    )
    done = perform(database.app_engine(), logins.set_password, command)
    show(done, as_json=json, lines=[f"{done.username}: 密码已更换 password replaced"])


@app.command()
def token(
    username: str,
    *,
    name: Annotated[str, typer.Option(help="What the token is for")] = "api",
    json: Json = False,
) -> None:
    """Make a machine's token for the API; it is shown once."""
    with transaction(database.app_engine()) as session:
        made = logins.token_for(session, username, name=name, at=now())
    show({"token": made}, as_json=json, lines=[made])


for _name, _verb, _kind in (
    ("confirm", managing.confirm_login, managing.LoginCommand),
    ("switch", managing.switch_login, managing.SwitchLogin),
    ("forget-factor", managing.forget_factor, managing.LoginCommand),
):
    ask(app, _name, _verb, _kind, subject="username")


def _state(line: logins.LoginLine) -> str:
    if not line.active:
        return "停用 inactive"
    return "待另一管理员确认 waits for another administrator" if line.waits else ""
