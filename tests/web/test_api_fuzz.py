"""Whatever the document allows to be sent, the interface answers without breaking."""

import pytest
import schemathesis
from hypothesis import settings

from web import openapi

schema = schemathesis.openapi.from_dict(openapi.document())


@pytest.fixture(scope="module")
def token(town):
    from registry.db import transaction
    from tests.web.conftest import AT
    from web.accounts import logins

    with transaction(town.engine) as session:
        return logins.token_for(session, "county", name="fuzz", at=AT.replace(year=2100))


@schema.parametrize()
@settings(max_examples=8, deadline=None)
def test_no_request_breaks_it(case, town, token):
    answer = case.call(app=town.app, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code < 500, answer.text
