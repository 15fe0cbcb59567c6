"""Blocks: the same bits here and on a cluster, kept as they are done, whoever dies half-way."""

import os
import signal

import pytest
from sqlalchemy import create_engine, text

from registry import cluster, covering, jobs
from registry.covering import SchedulerUnreachableError
from registry.db import transaction
from registry.estimation import assess
from registry.layers import LayerChangedError
from tests.registry.makers_science import command, series

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


def kept(engine):
    with transaction(engine) as session:
        return session.execute(
            text(
                "SELECT parcel_id, version, cohort, area_dm2, nodata_dm2, outside_dm2"
                " FROM histogram ORDER BY parcel_id"
            )
        ).all()


def forget(engine):
    """Take the stored histograms and runs away, as the cluster's administrator."""
    admin = create_engine(engine.url.set(username=cluster.ADMIN))
    with admin.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for table in ("assessment_series", "assessment_run", "histogram"):
            connection.execute(text(f"DELETE FROM {table}"))
    admin.dispose()


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(covering, "BLOCK", 3)


def test_a_killed_run_begins_where_it_stopped(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"

    class Stops:
        """A job that is cancelled after its second block."""

        said = 0

        def progress(self, phase, done=0, _total=0):
            if phase == "covering" and done >= 6:
                raise jobs.JobCancelledError(id="x")

    with pytest.raises(jobs.JobCancelledError):
        assess(engine, command(at, ids), layer_dir=folder, running=Stops())
    assert len(kept(engine)) == 6
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM assessment_run")) == 0
    report = assess(engine, command(at, ids), layer_dir=folder)
    assert report.histograms_made == len(ids) - 6
    assert len(kept(engine)) == len(ids)


def test_block_size_changes_no_bit(engine, at, tmp_path, county, monkeypatch):
    ids, *_ = county
    folder = tmp_path / "layers"
    first = assess(engine, command(at, ids), layer_dir=folder)
    rows, years = kept(engine), series(engine, first.run_id)
    forget(engine)
    monkeypatch.setattr(covering, "BLOCK", 1)
    again = assess(engine, command(at, list(reversed(ids))), layer_dir=folder)
    assert kept(engine) == rows
    assert series(engine, again.run_id) == years


def test_a_cluster_gives_the_same_bits_though_a_worker_dies(
    engine,
    at,
    tmp_path,
    county,
    pg,
):
    distributed = pytest.importorskip("distributed")
    ids, *_ = county
    folder = tmp_path / "layers"
    here = assess(engine, command(at, ids), layer_dir=folder)
    rows, years = kept(engine), series(engine, here.run_id)
    forget(engine)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        killed = []

        class Kills:
            """A job that loses one of its two workers after the first block."""

            def progress(self, phase, done=0, _total=0):
                if phase == "covering" and done and not killed:
                    pid = next(iter(cluster.workers.values())).process.pid
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

            def close(self, session, result):
                pass

        there = assess(
            engine,
            command(at, ids),
            layer_dir=folder,
            running=Kills(),
            scheduler=cluster.scheduler_address,
        )
        assert killed
        assert there.histograms_made == len(ids)
    assert kept(engine) == rows
    assert series(engine, there.run_id) == years


def test_a_scheduler_that_does_not_answer_is_named(engine, at, tmp_path, county, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(covering, "ANSWER_S", 1)
    ids, *_ = county
    with pytest.raises(SchedulerUnreachableError) as caught:
        assess(
            engine,
            command(at, ids),
            layer_dir=tmp_path / "layers",
            scheduler="tcp://127.0.0.1:9",
        )
    assert caught.value.params["address"] == "tcp://127.0.0.1:9"


def test_a_changed_file_is_found_by_whoever_measures(engine, at, tmp_path, county):
    ids, *_ = county
    folder = tmp_path / "layers"
    for path in folder.iterdir():
        path.chmod(0o644)
        with path.open("ab") as stream:
            stream.write(b"x")
    with pytest.raises(LayerChangedError):
        assess(engine, command(at, ids), layer_dir=folder)
    assert kept(engine) == []
