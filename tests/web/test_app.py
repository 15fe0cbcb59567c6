"""The application as a whole: every route guarded, every answer carries its headers."""

import re
from html.parser import HTMLParser

import pytest
from flask import url_for

from tests.web.conftest import PASSWORD
from web import auth
from web.errors import STATUS, status_of


def test_every_route_says_who_may_call_it(town):
    bare = [
        rule.rule
        for rule in town.app.url_map.iter_rules()
        if not hasattr(town.app.view_functions[rule.endpoint], "permission")
    ]
    assert bare == []


def test_a_view_without_a_mark_answers_nobody(town, client):
    town.app.view_functions["unmarked"] = lambda: "open"
    town.app.url_map.add(town.app.url_rule_class("/unmarked", endpoint="unmarked", methods=["GET"]))
    assert client.get("/unmarked").status_code == 403
    assert client.get("/unmarked", auth=("county", PASSWORD)).status_code == 403


def test_a_permission_nobody_holds_is_a_slip():
    with pytest.raises(ValueError, match="no role"):
        auth.requires("parcel:drwa")


@pytest.mark.parametrize("path", ["/", "/healthz", "/lookup?q=CN-1", "/nowhere", "/api/v1/nowhere"])
def test_every_answer_carries_the_headers(client, path):
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_errors_have_one_shape_by_path(client):
    page = client.get("/nowhere")
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "没有这个页面" in page.get_data(as_text=True)
    problem = client.get("/api/v1/nowhere")
    assert problem.content_type.startswith("application/problem+json")
    assert problem.json["code"] == "PAGE_NOT_FOUND"
    assert problem.json["type"] == "/problems/PAGE_NOT_FOUND"
    assert client.get(problem.json["type"]).status_code == 200
    wrong = client.open("/api/v1/me", method="PUT", auth=("county", PASSWORD))
    assert (wrong.status_code, wrong.json["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in wrong.headers["Allow"]


def test_a_broken_invariant_is_a_page_with_a_number_and_no_traceback(town, client):
    def broken():
        raise RuntimeError("secret inside")

    town.app.view_functions["unmarked"] = auth.public(broken)
    town.app.url_map.add(town.app.url_rule_class("/broken", endpoint="unmarked", methods=["GET"]))
    answer = client.get("/broken", headers={"X-Request-ID": "abc-12345"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "secret" not in text
    assert "Traceback" not in text
    assert "abc-12345" in text


def test_every_reason_of_ours_has_a_status():
    def below(kind):
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    roots = [kind for kind in STATUS if kind.__bases__ == (Exception,)]
    for kind in set().union(*(below(root) for root in roots)):
        assert 400 <= status_of(kind.__new__(kind)) < 600


def test_a_large_body_is_refused_before_it_is_read(client):
    answer = client.post(
        "/api/v1/parcels",
        data=b"x" * (3 * 1024 * 1024),
        auth=("township", PASSWORD),
        headers={"Idempotency-Key": "big"},
    )
    assert (answer.status_code, answer.json["code"]) == (413, "BODY_TOO_LARGE")


class _Inline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if "style" in names or any(name.startswith("on") for name in names):
            self.found.append((tag, attrs))
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append((tag, attrs))
        for name in ("src", "href", "action"):
            if str(names.get(name, "")).startswith(("http:", "https:", "//")):
                self.found.append((tag, attrs))


def pages_of(app):
    with app.test_request_context():
        return [
            url_for(rule.endpoint)
            for rule in app.url_map.iter_rules()
            if "GET" in rule.methods
            and not rule.arguments
            and not rule.rule.startswith("/api")
            and rule.endpoint != "unmarked"
        ]


def test_pages_need_nothing_inline_and_nothing_from_elsewhere(town, client):
    for path in set(pages_of(town.app)) - {"/sign-in"}:
        opened = set()
        for desk in (None, "county", "company"):
            auth_ = (desk, PASSWORD) if desk else None
            answer = client.get(path, auth=auth_, follow_redirects=desk is not None)
            closed = desk is not None and not _opens(town.app, path, desk)
            assert answer.status_code in (({403} if closed else {200}) if desk else {200, 303}), (
                path
            )
            opened |= {desk} if answer.status_code == 200 else set()
            if answer.mimetype != "text/html":
                continue
            parser = _Inline()
            parser.feed(answer.get_data(as_text=True))
            assert parser.found == [], path
        assert opened - {None} or _wants_browser(town.app, path), path


def _wants_browser(app, path):
    """One's own account opens to a session only, not to a name and password in a header."""
    endpoint, _ = app.url_map.bind("localhost").match(path)
    return endpoint.startswith("account.")


def _opens(app, path, desk):
    if _wants_browser(app, path):
        return False
    endpoint, _ = app.url_map.bind("localhost").match(path)
    needed = app.view_functions[endpoint].permission
    return needed in {auth.PUBLIC, auth.SIGNED_IN} or desk in auth.roles_with(needed)


def test_language_and_large_text_are_remembered(client):
    client.get("/")
    assert 'lang="zh-CN" data-size="normal"' in client.get("/").get_data(as_text=True)
    token = _token(client.get("/").get_data(as_text=True))
    back = client.post(
        "/preferences",
        data={
            "language": "en",
            "text_size": "large",
            "next": "//evil.example",
            "csrf_token": token,
        },
    )
    assert back.headers["Location"] == "/"
    text = client.get("/").get_data(as_text=True)
    assert 'lang="en" data-size="large"' in text
    assert "Sign in" in text


def _token(text):
    return re.search(r'name="csrf_token" value="([^"]+)"', text)[1]
