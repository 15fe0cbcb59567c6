"""Large files over HTTP: a job, its progress as a stream, preview, acceptance, taking back."""

import io
import json
import re
import threading
from uuid import UUID, uuid4

import pytest

from registry import import_jobs, jobs
from registry.db import SYSTEM_ACTOR, Command, transaction
from registry.errors import NotFoundError
from tests.geo.makers import CGCS2000
from tests.web.conftest import AT, PASSWORD, square
from tests.web.test_accounts import sign_in
from web.progress import Listener, ReadersFullError, follow


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr("web.intake.AT_ONCE_BYTES_MAX", 0)
    import_jobs.register_tasks()


def plots(south, count=3):
    shapes = [square(118.80 + n * 0.01, south) for n in range(count)] + [square(118.80, south)]
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in shapes]
    body = json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": features})
    return io.BytesIO(body.encode())


def desk(town, name):
    client = town.app.test_client()
    sign_in(client, name)
    return client


def press(client, page, action, **fields):
    """Send the form of a page that leads to ``action``; return where it leads."""
    text = client.get(page).text
    form = next(f for f in re.findall(r"<form.*?</form>", text, re.DOTALL) if action in f)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    answer = client.post(action, data=hidden | fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_large_file_goes_through_preview_and_can_be_taken_back(town):
    client = desk(town, "township")
    file = (plots(28.90), "plots.geojson")
    job = press(client, "/imports/new", "/imports/new", division_code="330802101000", file=file)
    assert "等待处理" in client.get(job).text
    jobs.work(town.engine, once=True)
    done = client.get(job).text
    batch = re.search(r'href="(/imports/[0-9a-f-]{36})"', done)[1]
    page = client.get(batch).text
    assert "还没有写入任何地块" in page
    states = [
        f["properties"]["status"] for f in client.get(f"{batch}/rows.geojson").json["features"]
    ]
    assert sorted(states) == ["accepted", "accepted", "accepted", "refused"]
    job = press(client, batch, f"{batch}/acceptance")
    jobs.work(town.engine, once=True)
    assert batch in client.get(job).text
    assert f"{batch}/acceptance" not in client.get(batch).text
    other = desk(town, "other")
    assert other.get(batch).status_code == 404
    assert press(client, batch, f"{batch}/withdrawal", reason="试导入") == batch
    assert f"{batch}/withdrawal" not in client.get(batch).text


def test_a_preview_can_be_discarded(town):
    client = desk(town, "township")
    file = (plots(28.91), "plots.geojson")
    press(client, "/imports/new", "/imports/new", division_code="330802101000", file=file)
    jobs.work(town.engine, once=True)
    with transaction(town.engine) as session:
        batch = f"/imports/{jobs.listing(session)[0].id}"
    press(client, batch, f"{batch}/discard")
    assert client.get(batch).status_code == 404


def test_the_api_answers_with_a_job_whose_rows_are_accepted(town, machine):
    data = {"file": (plots(28.92), "plots.geojson"), "division_code": "330802101000"}
    asked = machine("township").send("/imports", key="large", data=data)
    assert (asked.status_code, asked.headers["Location"]) == (
        202,
        f"/api/v1/jobs/{asked.json['job_id']}",
    )
    again = {"file": (plots(28.92), "plots.geojson"), "division_code": "330802101000"}
    # The same request finds the same job, though the file was kept anew.
    jobs.work(town.engine, once=True)
    told = machine("township").get(f"/jobs/{asked.json['job_id']}").json
    assert (told["state"], told["result"]["accepted"]) == ("done", 3)
    batch = machine("township").get(f"/imports/{asked.json['batch_id']}").json
    assert (batch["line"]["state"], batch["line"]["waiting"]) == ("accepted", 3)
    back = f"/imports/{asked.json['batch_id']}/withdrawal"
    assert machine("other").send(back, {"reason": "x"}).status_code == 404
    assert machine("county").send(back, {"reason": "重复"}).json["withdrawn"] == 3
    assert again["file"]


def test_the_stream_tells_each_change_and_ends_with_the_job(town, machine):
    data = {"file": (plots(28.93), "plots.geojson"), "division_code": "330802101000"}
    job_id = machine("township").send("/imports?", data=data | {"dry_run": ""}).json["job_id"]
    stream = machine("township").get(f"/jobs/{job_id}/events")
    assert stream.content_type.startswith("text/event-stream")
    lines = stream.iter_encoded()
    first = next(lines).decode()
    assert first.startswith("event: job\ndata: ")
    worker = threading.Thread(target=jobs.work, args=(town.engine,), kwargs={"once": True})
    worker.start()
    told = [json.loads(line.decode().split("data: ", 1)[1]) for line in lines]
    worker.join()
    assert told[-1]["state"] == "done"
    assert {one["id"] for one in told} == {job_id}


def test_jobs_are_told_to_who_asked_and_to_the_county(town, machine):
    data = {"file": (plots(28.97), "plots.geojson"), "division_code": "330802101000"}
    job_id = machine("township").send("/imports?", data=data | {"dry_run": ""}).json["job_id"]
    for who, sees in (("township", True), ("county", True), ("other", False)):
        listed = {one["id"] for one in machine(who).get("/jobs").json["items"]}
        assert (job_id in listed) is sees, who
        page = town.app.test_client().get("/jobs", auth=(who, PASSWORD)).text
        assert (job_id in page) is sees, who
    assert machine("buyer").get("/jobs").status_code == 403
    for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/events"):
        assert machine("other").get(path).status_code == 404, path
    jobs.work(town.engine, once=True)


def test_readers_are_few_and_a_place_comes_free(town, machine):
    with transaction(town.engine) as session:
        asked = jobs.enqueue(
            session,
            Command(at=AT, actor_id=SYSTEM_ACTOR, key=uuid4().hex),
            "nobody.does",
            {},
            queue="nobody",
        )
    listener = Listener(town.engine, readers_max=2)
    one, two = (follow(listener, town.engine, asked, actor_id=SYSTEM_ACTOR) for _ in range(2))
    assert next(one).state == next(two).state == "queued"
    with pytest.raises(ReadersFullError):
        next(follow(listener, town.engine, asked, actor_id=SYSTEM_ACTOR))
    one.close()
    assert next(three := follow(listener, town.engine, asked, actor_id=SYSTEM_ACTOR)).id == asked
    with transaction(town.engine) as session:
        jobs.cancel(session, asked)
    assert [job.state for job in two] == [job.state for job in three] == ["cancelled"]
    with pytest.raises(NotFoundError):
        next(follow(listener, town.engine, UUID(int=0), actor_id=SYSTEM_ACTOR))
    assert machine("township").get(f"/jobs/{UUID(int=0)}/events").status_code == 404


def test_proposed_repairs_are_shown_and_accepted_by_kind(town):
    client = desk(town, "township")
    shapes = [square(118.80, 28.94), square(118.801, 28.94)]
    features = [{"type": "Feature", "geometry": one, "properties": {}} for one in shapes]
    body = json.dumps({"type": "FeatureCollection", "crs": CGCS2000, "features": features}).encode()
    file = (io.BytesIO(body), "overlapping.geojson")
    press(client, "/imports/new", "/imports/new", division_code="330802101000", file=file)
    jobs.work(town.engine, once=True)
    with transaction(town.engine) as session:
        batch = f"/imports/{jobs.listing(session)[0].id}"
    press(client, batch, f"{batch}/discard")  # nothing can be accepted as it is
    file = (io.BytesIO(body), "overlapping.geojson")
    data = {"file": file, "division_code": "330802101000", "csrf_token": ""}
    asked = client.post(
        "/api/v1/imports",
        data=data,
        auth=("township", PASSWORD),
        headers={"Idempotency-Key": "repairs"},
    ).json
    jobs.work(town.engine, once=True)
    batch = f"/imports/{asked['batch_id']}"
    page = client.get(batch).text
    assert "修复建议" in page
    assert "裁到邻界" in page
    shown = client.get(f"{batch}/repairs.geojson").json["features"]
    assert [f["properties"]["status"] for f in shown] == [
        "refused",
        "refused",
        "accepted",
        "accepted",
    ]
    assert press(client, batch, f"{batch}/repairs", row="1", kind="") == batch
    assert press(client, batch, f"{batch}/repairs", row="2", kind="") == batch
    assert "修复建议" not in client.get(batch).text
