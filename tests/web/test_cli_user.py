"""Logins from the command line, on a real database."""

import json

import pytest
from typer.testing import CliRunner

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
        }
    ]
    tanhui("password", "zhang", "--password-stdin", password="four other plain words\n")
    assert tanhui("token", "zhang")["token"].startswith("tanhui_")
    with pytest.raises(UsernameTakenError):
        tanhui(*words, password="three plain words\n")
    with pytest.raises(PasswordWeakError):
        tanhui("add", "li", "--role", "auditor", "--password-stdin", password="short\n")
