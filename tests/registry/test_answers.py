"""Questions answered by a person: the rows become parcels; what is no question stays as it is."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from registry import answers
from registry.answers import AnswerQuestions
from registry.errors import InvalidValueError, NotPermittedError
from tests import factories
from tests.registry.test_division_lookup import COUNTY, feature, take, town  # noqa: F401 -- fixture
from tests.registry.test_parcel_edits import by, square


@pytest.fixture
def report(town, at):  # noqa: F811
    return take(
        town,
        at,
        [
            feature(square(1), n=1),
            feature(square(200), n=2),
            feature(square(5), n=3, 树种="外星树"),
            feature(square(5), n=4, 树种="外星树", more=1),
            feature(square(8), n=5),
            feature(square(8.5), n=6),
        ],
        COUNTY,
    )


def ask(session, at, report, *rows, reason="现场核过", **more):
    command = AnswerQuestions(**(by(at) | more), batch_id=report.batch_id, rows=rows, reason=reason)
    return answers.answer(session, command)


def statuses(session, report):
    rows = session.execute(
        text("SELECT row, status FROM import_row WHERE batch_id = :b ORDER BY row"),
        {"b": report.batch_id},
    )
    return [row.status for row in rows]


def test_answered_rows_become_parcels_and_the_others_wait(town, at, report):  # noqa: F811
    before = statuses(town, report)
    assert before.count("accepted") == 1
    asked = [n for n, status in enumerate(before, 1) if status == "questioned"]
    done = ask(town, at, report, asked[0], asked[1])
    assert (done.accepted, done.refused) == (asked[:2], [])
    after = statuses(town, report)
    assert after.count("accepted") == 3
    held = town.scalar(
        text("SELECT count(*) FROM parcel p JOIN import_row r ON r.parcel_id = p.id")
    )
    assert held == 3
    counted = town.execute(text("SELECT read_rows, accepted, questioned FROM import_batch")).one()
    assert tuple(counted) == (6, 3, after.count("questioned"))


def test_of_two_that_overlap_the_second_is_refused_after_all(town, at, report):  # noqa: F811
    assert ask(town, at, report, 5).accepted == [5]
    late = ask(town, at, report, 6)
    assert (late.accepted, late.refused) == ([], [6])
    assert statuses(town, report)[5] == "refused"


def test_no_reason_no_question_and_no_stranger(town, at, report):  # noqa: F811
    with pytest.raises(InvalidValueError):
        ask(town, at, report, 5, reason=" ")
    with pytest.raises(InvalidValueError, match="1"):
        ask(town, at, report, 1)
    with pytest.raises(InvalidValueError):
        ask(town, at, report)
    stranger = factories.actor(town, "township")
    with pytest.raises(NotPermittedError):
        ask(town, at, report, 5, actor_id=stranger, key=uuid4().hex)
    assert statuses(town, report).count("accepted") == 1
