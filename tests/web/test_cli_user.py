"""Logins from the command line, on a real database."""

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from registry.db import transaction
from registry.unit_errors import SamePersonError
from tests import factories
from web import database
from web.accounts.logins import PasswordWeakError, UsernameTakenError
from web.cli import app


@pytest.fixture
def tanhui(engine, monkeypatch):
    monkeypatch.setattr(database, "app_engine", lambda: engine)

    def run(*words, password=None):
        result = CliRunner().invoke(app, ["user", *words, "--json"], input=password)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0
        return json.loads(result.stdout)

    return run


def test_a_login_is_made_listed_renewed_and_given_a_token(tanhui):
    words = ("add", "Zhang", "--name", "张伟", "--role", "auditor", "--password-stdin")
    assert tanhui(*words, password="three plain words\n")["username"] == "zhang"
    assert tanhui("list") == [
        {
            "username": "zhang",
            "name": "张伟",
            "roles": ["auditor"],
            "active": True,
            "second_factor": False,
            "waits": False,
        }
    ]
    tanhui("password", "zhang", "--password-stdin", password="four other plain words\n")
    assert tanhui("token", "zhang")["token"].startswith("tanhui_")
    with pytest.raises(UsernameTakenError):
        tanhui(*words, password="three plain words\n")
    with pytest.raises(PasswordWeakError):
        tanhui("add", "li", "--role", "auditor", "--password-stdin", password="short\n")


def test_a_login_is_disabled_switched_on_confirmed_and_freed_of_a_lost_phone(tanhui, engine):
    with transaction(engine) as session:
        place = factories.division(session)
    words = ("--role", "county", "--division", place, "--password-stdin")
    for name in ("wu", "li"):
        tanhui("add", name, *words, password="three plain words\n")
    with transaction(engine) as session:
        session.execute(text("UPDATE login SET tf_totp_secret = 'A' WHERE username = 'wu'"))
        other = str(session.scalar(text("SELECT actor_id FROM login WHERE username = 'li'")))
    assert tanhui("switch", "wu", "--no-active", "--reason", "离职")["active"] is False
    asked = tanhui("switch", "wu", "--active", "--reason", "复职", "--as", other)
    assert asked == {"username": "wu", "active": True, "waits": True}
    with pytest.raises(SamePersonError):
        tanhui("confirm", "wu", "--as", other)
    assert tanhui("confirm", "wu")["waits"] is False
    tanhui("forget-factor", "wu")
    assert [one["second_factor"] for one in tanhui("list") if one["username"] == "wu"] == [False]
