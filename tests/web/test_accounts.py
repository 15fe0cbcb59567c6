"""Signing in and out: lockout, sessions, tokens, cross-site requests."""

import re
import stat

import pytest
from sqlalchemy import text

from registry.db import SYSTEM_ACTOR, perform, transaction
from tests.web.conftest import AT, PASSWORD
from web.accounts import logins
from web.accounts.passwords import hashed, matches
from web.context import now
from web.keys import secret


def token_of(client, path="/sign-in"):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)[1]


def sign_in(client, name, password=PASSWORD, **more):
    form = {"username": name, "password": password, "csrf_token": token_of(client), **more}
    return client.post("/sign-in", data=form)


def test_who_signs_in_goes_on_and_out_again(client):
    asked = client.get("/parcels")
    assert asked.headers["Location"] == "/sign-in?next=/parcels"
    done = sign_in(client, " Township ", next="/parcels")
    assert (done.status_code, done.headers["Location"]) == (303, "/parcels")
    cookie = client.get_cookie("tanhui_session")
    assert cookie.http_only
    assert "township 人" in client.get("/parcels").text
    client.post("/sign-out", data={"csrf_token": token_of(client, "/")})
    assert client.get("/parcels").status_code == 303


def test_a_change_without_the_sessions_token_is_refused(client):
    sign_in(client, "township")
    answer = client.post("/parcels/new", data={"kind": "carbon"})
    assert answer.status_code == 403
    assert "页面已过期" in answer.text
    api = client.post("/api/v1/parcels", json={}, headers={"Idempotency-Key": "x"})
    assert api.json["code"] == "CSRF_FAILED"


def test_the_wrong_password_locks_the_name_after_five(town):
    wrong = [sign_in(town.app.test_client(), "other", "not this one").status_code for _ in range(5)]
    assert wrong == [401] * 5
    locked = sign_in(town.app.test_client(), "other")
    assert "锁定" in locked.text
    nobody = sign_in(town.app.test_client(), "nobody", "not this one")
    assert nobody.status_code == 401


def test_a_new_password_ends_the_sessions(town, client):
    sign_in(client, "buyer")
    assert "buyer 人" in client.get("/").text
    command = logins.SetPassword(
        at=AT,
        actor_id=SYSTEM_ACTOR,
        key="new",
        username="buyer",
        password_hash=hashed(PASSWORD),
    )
    perform(town.engine, logins.set_password, command)
    assert "buyer 人" not in client.get("/").text


def test_a_token_acts_until_it_is_revoked(town, client):
    with town.app.app_context(), transaction(town.engine) as session:
        token = logins.token_for(session, "county", name="gis", at=now())
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/me", headers=bearer).json["roles"] == ["county"]
    with transaction(town.engine) as session:
        kept = session.execute(text("SELECT sha256, name FROM api_token")).all()
        assert token.encode() not in bytes(kept[0].sha256)
        session.execute(text("UPDATE api_token SET revoked_at = now()"))
    assert client.get("/api/v1/me", headers=bearer).json["code"] == "SIGN_IN_REFUSED"


def test_attempts_are_a_record(town):
    with pytest.raises(Exception, match="permission denied"), transaction(town.engine) as session:
        session.execute(text("DELETE FROM login_attempt"))


@pytest.mark.parametrize("password", ["short", "a township's password", "x" * 300])
def test_weak_passwords_are_not_taken(password):
    with pytest.raises(logins.PasswordWeakError):
        logins.checked_hash(password, username="township")


def test_a_password_matches_its_own_hash_only():
    stored = hashed(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert matches(PASSWORD, stored)
    assert not matches(PASSWORD + ".", stored)
    assert not matches(PASSWORD, None)


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path):
    first = secret(tmp_path / "keys", "session")
    assert secret(tmp_path / "keys", "session") == first
    assert len(first) == 64
    assert stat.S_IMODE((tmp_path / "keys" / "session").stat().st_mode) == 0o600
