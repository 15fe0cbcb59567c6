"""The components work in the real frameworks: Flask, Flask-Babel and Flask's own static files."""

import re

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel

from web import design

PAGE = """{% extends 'layout.html' %}{% import 'components/data.html' as d %}{% import 'components/status.html' as s %}
{% block main %}{{ d.money(10154938, capitals=true) }}{{ 1234567 | tonnes }}{{ s.badge('listed') }}{% endblock %}"""


@pytest.fixture
def app() -> Flask:
    app = Flask("web")
    Babel(app, locale_selector=lambda: "zh")
    design.register(app)
    app.add_url_rule(
        "/page", "page", lambda: render_template_string(PAGE, preference_url="/preferences")
    )
    return app


def test_a_page_renders_and_its_assets_are_served(app):
    client = app.test_client()
    text = client.get("/page?x=1").get_data(as_text=True)
    assert "壹拾万壹仟伍佰肆拾玖元叁角捌分" in text
    assert "1,234.567" in text
    assert 'value="/page?x=1"' in text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(addresses) == 3
    for address in addresses:
        with client.get(address) as answer:
            assert answer.status_code == 200
