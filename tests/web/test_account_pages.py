"""One's own account and the county's users: codes used once, two administrators, value guarded."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.people import AddActor, add_actor
from tests.web.conftest import AT, HASH, PASSWORD
from web.accounts import logins
from web.app import create_app

NEW = "spruce and tea bushes"


def csrf(client, path="/sign-in"):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)[1]


@pytest.fixture
def someone(town):
    """Make a login of a role and return its name."""

    def make(role="company", division="330802000000"):
        name = f"u{uuid4().hex[:8]}"
        base = {"at": AT, "actor_id": SYSTEM_ACTOR}
        actor = AddActor(
            **base, key=f"a{name}", name=f"{name} 人", roles=[role], division_code=division
        )
        made = perform(town.engine, add_actor, actor).actor_id
        login = logins.AddLogin(
            **base, key=f"l{name}", username=name, password_hash=HASH, for_actor_id=made
        )
        perform(town.engine, logins.add_login, login)
        return name

    return make


@pytest.fixture
def browser(town):
    """Sign in on a browser of one's own; ``post`` sends a form with the page's token."""

    def open_(name, password=PASSWORD, code=None):
        client = town.app.test_client()
        form = {"username": name, "password": password, "csrf_token": csrf(client)}
        client.answer = client.post("/sign-in", data=form)
        if code is not None:
            form = {"code": code, "csrf_token": csrf(client, "/sign-in/code")}
            client.answer = client.post("/sign-in/code", data=form)
        return client

    return open_


def post(client, path, **form):
    return client.post(path, data={"csrf_token": csrf(client, "/me"), **form})


def sql(town, words, **row):
    with transaction(town.engine) as session:
        done = session.execute(text(words), row)
        return done.all() if done.returns_rows else None


def set_up(client):
    """Set the second factor up; return its secret and the recovery codes."""
    page = client.get("/me/second-factor")
    secret = re.search(r'class="mono">([A-Z2-7]{32})<', page.text)[1]
    assert "<svg" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert client.get("/me/second-factor").text.count(secret) == 1
    form = {"csrf_token": csrf(client, "/me/second-factor")}
    wrong = client.post("/me/second-factor", data=form | {"code": "000000"})
    assert wrong.status_code == 303
    form["csrf_token"] = csrf(client, "/me/second-factor")
    done = client.post("/me/second-factor", data=form | {"code": pyotp.TOTP(secret).now()})
    assert done.status_code == 200, done.headers
    codes = re.findall(r"once-word\">([a-z0-9-]+)<", done.text)
    assert len(codes) == 10
    return secret, codes


def later(secret):
    """A code of the next half minute: the one of now is used up."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30))


def test_a_code_is_asked_for_and_counts_once(town, someone, browser):
    name = someone()
    client = browser(name)
    secret, codes = set_up(client)
    asked = browser(name)
    assert asked.answer.headers["Location"].startswith("/sign-in/code")
    assert asked.get("/me").status_code == 303
    used = pyotp.TOTP(secret).now()
    assert browser(name, code=used).answer.status_code == 401
    code = later(secret)
    inside = browser(name, code=code)
    assert inside.answer.status_code == 303
    assert "登录着的浏览器" in inside.get("/me").text
    assert browser(name, code=code).answer.status_code == 401
    assert browser(name, code=codes[0].upper()).answer.status_code == 303
    assert browser(name, code=codes[0]).answer.status_code == 401
    assert "还有 9 个备用码" in inside.get("/me").text
    kept = sql(town, "SELECT sha256 FROM recovery_code c JOIN login l ON l.id = c.login_id"
                     " WHERE l.username = :n", n=name)  # fmt: skip
    assert all(codes[0].encode() not in bytes(row.sha256) for row in kept)
    (row,) = sql(town, "SELECT tf_totp_secret FROM login WHERE username = :n", n=name)
    assert secret not in row.tf_totp_secret
    basic = town.app.test_client().get("/api/v1/me", auth=(name, PASSWORD))
    assert (basic.status_code, basic.json["code"]) == (401, "SIGN_IN_CODE_NEEDED")


def test_wrong_codes_lock_like_wrong_passwords_and_say_how_many_are_left(someone, browser):
    name = someone()
    set_up(browser(name))
    told = [browser(name, code="000000").answer.text for _ in range(5)]
    assert [re.search(r"还可试 (\d) 次", text)[1] for text in told] == list("43210")
    locked = browser(name)
    assert locked.answer.status_code == 401
    assert "还有 15 分钟" in locked.answer.text


def test_switching_it_off_needs_password_and_code(someone, browser):
    name = someone()
    client = browser(name)
    secret, codes = set_up(client)
    for form in (
        {"password": "not this one", "code": later(secret)},
        {"password": PASSWORD, "code": "000000"},
    ):
        post(client, "/me/second-factor/off", **form)
        assert "已开通" in client.get("/me").text
    renewed = post(client, "/me/recovery-codes", password=PASSWORD, code=codes[1])
    fresh = re.findall(r"once-word\">([a-z0-9-]+)<", renewed.text)
    post(client, "/me/second-factor/off", password=PASSWORD, code=codes[2])
    assert "已开通" in client.get("/me").text
    post(client, "/me/second-factor/off", password=PASSWORD, code=fresh[0])
    assert "未开通" in client.get("/me").text
    assert browser(name).answer.headers["Location"] == "/"


def test_value_moves_only_with_a_code_where_the_role_asks_for_it(town, someone, browser):
    config = town.app.config["TANHUI"].model_copy(update={"second_factor_roles": "company"})
    strict = create_app(config=config, engine=town.engine)
    name = someone()
    client = browser(name)
    secret, _ = set_up(client)
    move = f"/settlements/{uuid4()}/approve"
    assert post(client, move).status_code == 303  # these settings ask nobody
    plain = someone()

    def signed(who, code=None):
        made = strict.test_client()
        form = {"username": who, "password": PASSWORD, "csrf_token": csrf(made)}
        made.post("/sign-in", data=form)
        if code:
            form = {"code": code, "csrf_token": csrf(made, "/sign-in/code")}
            assert made.post("/sign-in/code", data=form).status_code == 303
        return made

    without = signed(plain)
    assert "须开通两步验证" in without.get("/me").text
    refused = post(without, move)
    assert refused.status_code == 403
    assert "两步验证" in refused.text
    assert without.get("/settlements").status_code == 200
    api = strict.test_client().post(
        "/api/v1/units/retirements",
        json={},
        auth=(plain, PASSWORD),
        headers={"Idempotency-Key": "k"},
    )
    assert api.json["code"] == "SECOND_FACTOR_NEEDED"
    assert post(signed(name, later(secret)), move).status_code == 303


def test_a_password_is_changed_by_its_owner_and_ends_the_other_browsers(someone, browser):
    name = someone()
    here, there = browser(name), browser(name)
    form = {"password": PASSWORD, "new_password": NEW}
    post(here, "/me/password", **form, again="another one")
    post(here, "/me/password", **form | {"password": "not this one"}, again=NEW)
    assert there.get("/me").status_code == 200
    post(here, "/me/password", **form, again=NEW)
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 303
    assert browser(name).answer.status_code == 401
    assert browser(name, NEW).answer.status_code == 303


def test_one_ends_ones_own_sessions_and_tokens_and_nobody_elses(town, someone, browser):
    name, other = someone(), someone()
    here, there, stranger = browser(name), browser(name), browser(other)
    ends = re.findall(r"/me/sessions/[0-9a-f-]+/end", here.get("/me").text)
    assert len(ends) == 1
    assert post(stranger, ends[0]).status_code == 404
    assert post(here, ends[0]).status_code == 303
    assert there.get("/me").status_code == 303
    made = post(here, "/me/tokens", name="GIS")
    token = re.search(r"tanhui_[\w-]+", made.text)[0]
    bearer = {"Authorization": f"Bearer {token}"}
    assert town.app.test_client().get("/api/v1/me", headers=bearer).status_code == 200
    revoke = re.search(r"/me/tokens/[0-9a-f-]+/revoke", here.get("/me").text)[0]
    assert post(stranger, revoke).status_code == 404
    assert post(here, revoke).status_code == 303
    assert town.app.test_client().get("/api/v1/me", headers=bearer).status_code == 401
    assert town.app.test_client().get("/me", headers=bearer).status_code == 401


def test_an_administrator_asks_and_another_lets_in(town, someone, browser):
    first, second = browser(someone("county")), browser(someone("county"))
    name = f"n{uuid4().hex[:8]}"
    form = {"username": name, "name": "新人", "role": "township", "division_code": "330802101000"}
    made = post(first, "/users", **form)
    once = re.search(r"once-word\">([a-z0-9-]+)<", made.text)[1]
    assert browser(name, once).answer.status_code == 401
    post(first, f"/users/{name}/confirm")
    assert "请由另一人办理" in first.get("/users").text
    assert browser(name, once).answer.status_code == 401
    post(second, f"/users/{name}/confirm")
    client = town.app.test_client()
    signed = {"username": name, "password": once, "csrf_token": csrf(client)}
    assert "新密码" in client.post("/sign-in", data=signed).text
    signed |= {"new_password": NEW, "csrf_token": csrf(client)}
    assert client.post("/sign-in", data=signed).status_code == 303
    assert browser(name, NEW).answer.status_code == 303
    with pytest.raises(IntegrityError, match="confirmed_by_another"):
        sql(town, "UPDATE login SET confirmed_by = asked_by WHERE username = :n", n=name)
    inside = browser(name, NEW)
    post(second, f"/users/{name}/reset")
    assert inside.get("/me").status_code == 303
    assert browser(name, NEW).answer.status_code == 401
    post(first, f"/users/{name}/switch", active="false", reason="离职")
    assert "停用" in first.get("/users").text
    kinds = sql(town, "SELECT e.kind FROM event e JOIN login l ON e.subject_id = l.id::text"
                      " WHERE l.username = :n ORDER BY e.recorded_at", n=name)  # fmt: skip
    assert [row.kind for row in kinds][-3:] == [
        "login.password_set",
        "login.reset",
        "login.disabled",
    ]


def test_users_of_other_ground_and_ones_own_are_out_of_reach(someone, browser):
    admin_name = someone("county")
    admin = browser(admin_name)
    auditor = someone("auditor")
    for path in (f"/users/{auditor}/reset", f"/users/{auditor}/confirm"):
        assert post(admin, path).status_code in {303, 404}
    assert browser(auditor).answer.headers["Location"] == "/"
    post(admin, f"/users/{admin_name}/switch", active="false", reason="x")
    assert admin.get("/users").status_code == 200
    for role, more in (
        ("auditor", {}),
        ("township", {"division_code": "330803101000"}),
        ("company", {}),
    ):
        name = f"x{uuid4().hex[:8]}"
        post(admin, "/users", username=name, name="x", role=role, **more)
        assert name not in admin.get("/users").text
    assert browser(someone("company")).get("/users").status_code == 403
