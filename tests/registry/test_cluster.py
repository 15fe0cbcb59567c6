"""The private cluster on real servers, in every state a machine can leave it in."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from registry.cluster import (
    ADMIN,
    APP,
    OWNER,
    Binaries,
    ClusterError,
    conninfo,
    create_database,
    database_exists,
    database_url,
    drop_database,
    ensure_running,
    prepare_database,
    status,
    stop,
)
from registry.cluster import binaries as programs

ROOT = Path(__file__).parents[2]


def quiet(line):
    """Say nothing."""


@pytest.fixture
def state_dir(tmp_path):
    # pytest's folders have mode 0700: as root this is the "parent nobody may enter" case.
    folder = tmp_path / "pg"
    yield folder
    stop(folder, say=quiet)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """One cluster for the tests that only use databases."""
    folder = tmp_path_factory.mktemp("shared") / "pg"
    yield ensure_running(folder, say=quiet)
    stop(folder, say=quiet)


def one(cluster, query, name="postgres", role=ADMIN):
    with psycopg.connect(conninfo(cluster, name, role), autocommit=True) as session:
        return session.execute(query).fetchone()[0]


def kill_hard(folder):
    pid = status(folder).pid
    os.kill(pid, signal.SIGKILL)
    return pid


def test_a_fresh_start_listens_on_the_socket_alone(cluster):
    with psycopg.connect(conninfo(cluster, "postgres", ADMIN)) as session:
        shown = {
            name: session.execute(f"show {name}").fetchone()[0]
            for name in ("listen_addresses", "jit", "fsync", "TimeZone", "max_connections")
        }
    assert shown == {
        "listen_addresses": "",
        "jit": "off",
        "fsync": "on",
        "TimeZone": "UTC",
        "max_connections": "100",
    }
    assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
    assert cluster.data_dir.stat().st_mode & 0o777 == 0o700


def test_the_three_roles_have_their_rights_and_no_more(cluster):
    with psycopg.connect(conninfo(cluster, "postgres", ADMIN)) as session:
        rows = session.execute(
            "select rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " from pg_roles where rolname like 'tanhui%' order by 1"
        ).fetchall()
    assert rows == [
        (ADMIN, True, True, True, True, True),
        (APP, True, False, False, False, False),
        (OWNER, False, False, False, False, False),
    ]


def test_a_second_start_uses_the_running_server_and_mends_the_roles(state_dir):
    first = ensure_running(state_dir, say=quiet)
    pid = status(state_dir).pid
    one_way = conninfo(first, "postgres", ADMIN)
    with psycopg.connect(one_way, autocommit=True) as session:
        session.execute("alter role tanhui_app bypassrls")
    assert ensure_running(state_dir, say=quiet) == first
    assert status(state_dir).pid == pid
    assert one(first, "select rolbypassrls from pg_roles where rolname = 'tanhui_app'") is False


def test_stop_is_safe_to_repeat_and_a_start_after_it_keeps_the_data(state_dir):
    cluster = ensure_running(state_dir, say=quiet)
    create_database(cluster, "kept")
    assert stop(state_dir, say=quiet) is True
    assert stop(state_dir, say=quiet) is False
    assert status(state_dir).state == "stopped"
    assert database_exists(ensure_running(state_dir, say=quiet), "kept")


def test_kill_9_loses_no_committed_row_and_says_recovering(state_dir):
    cluster = ensure_running(state_dir, say=quiet)
    with psycopg.connect(conninfo(cluster, "postgres", ADMIN), autocommit=True) as session:
        session.execute("create table kept as select generate_series(1, 1000) as n")
        session.execute("checkpoint")
        session.execute("insert into kept values (1001)")
        kill_hard(state_dir)  # with this session open: its backend is an orphan for a moment
        said = []
        again = ensure_running(state_dir, say=said.append)
    assert any("recovering" in line for line in said)
    assert one(again, "select count(*) from kept") == 1001


@pytest.mark.parametrize("left", ["", "999999999\n", "not a number\n", "{self}\n"])
def test_a_stale_pid_file_never_stops_a_start(state_dir, left):
    """Empty, a dead pid, nonsense, and the pid of another living process (this one)."""
    cluster = ensure_running(state_dir, say=quiet)
    stop(state_dir, say=quiet)
    pid_file = cluster.data_dir / "postmaster.pid"
    pid_file.write_text(left.replace("{self}", str(os.getpid())))
    (cluster.socket_dir / ".s.PGSQL.5432.lock").write_text(left)
    ensure_running(state_dir, say=quiet)
    assert status(state_dir).state == "running"


def test_data_of_another_version_is_refused_by_name_and_not_touched(state_dir):
    cluster = ensure_running(state_dir, say=quiet)
    stop(state_dir, say=quiet)
    version = cluster.data_dir / "PG_VERSION"
    mine = version.read_text()
    version.write_text("9\n")
    with pytest.raises(ClusterError, match="PostgreSQL 9") as refused:
        ensure_running(state_dir, say=quiet)
    assert refused.value.code == "CLUSTER_VERSION_MISMATCH"
    assert refused.value.params["data"] == 9
    version.write_text(mine)
    ensure_running(state_dir, say=quiet)


def test_a_long_path_gets_a_short_socket_folder_of_its_own(tmp_path):
    folder = tmp_path / ("long" * 25) / "pg with, comma"
    cluster = ensure_running(folder, say=quiet)
    try:
        assert len(str(cluster.socket_dir)) < 60
        assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
        assert one(cluster, "select 1") == 1
        assert ensure_running(folder, say=quiet).socket_dir == cluster.socket_dir
    finally:
        stop(folder, say=quiet)
        shutil.rmtree(cluster.socket_dir)


def test_a_folder_everybody_may_enter_runs_as_the_server_user(request):
    folder = Path(tempfile.mkdtemp(prefix="tanhui test 'q' "))
    request.addfinalizer(lambda: shutil.rmtree(folder))
    folder.chmod(0o755)
    cluster = ensure_running(folder / "pg", say=quiet)
    request.addfinalizer(lambda: stop(folder / "pg", say=quiet))
    owner = cluster.data_dir.stat().st_uid
    assert (owner != 0) if os.geteuid() == 0 else (owner == os.geteuid())
    # The folder is closed behind the server's back, then opened: each start finds its way.
    for mode in (0o700, 0o755):
        stop(folder / "pg", say=quiet)
        folder.chmod(mode)
        assert one(ensure_running(folder / "pg", say=quiet), "select 1") == 1


def test_a_server_without_postgis_is_refused_with_the_command(state_dir, tmp_path):
    found = programs.find(None)
    bare = Binaries(bindir=found.bindir, sharedir=tmp_path, libdir=found.libdir, major=found.major)
    with pytest.raises(ClusterError, match=f"postgresql-{found.major}-postgis-3") as refused:
        ensure_running(state_dir, say=quiet, binaries=bare)
    assert refused.value.code == "CLUSTER_NO_POSTGIS"
    assert status(state_dir).state == "absent"


def test_a_full_disk_is_refused_before_anything_is_written(state_dir):
    with pytest.raises(ClusterError, match="TANHUI_PG_DIR") as refused:
        ensure_running(state_dir, say=quiet, free_bytes_min=2**62)
    assert refused.value.code == "CLUSTER_NO_SPACE"
    assert status(state_dir).state == "absent"


def test_a_folder_with_something_else_in_it_is_left_alone(state_dir):
    note = state_dir / "data" / "note.txt"
    note.parent.mkdir(parents=True)
    note.write_text("mine")
    with pytest.raises(ClusterError) as refused:
        ensure_running(state_dir, say=quiet)
    assert refused.value.code == "CLUSTER_NOT_A_CLUSTER"
    assert note.read_text() == "mine"
    shutil.rmtree(note.parent)


def test_a_half_finished_init_is_cleared_away(state_dir):
    left = state_dir / "init-1" / "base"
    left.mkdir(parents=True)
    ensure_running(state_dir, say=quiet)
    assert not left.parent.exists()


def test_a_start_that_fails_shows_the_end_of_the_log(state_dir):
    cluster = ensure_running(state_dir, say=quiet)
    stop(state_dir, say=quiet)
    wrong = cluster.data_dir / "postgresql.auto.conf"
    wrong.write_text("max_connections = nonsense\n")
    with pytest.raises(ClusterError, match="nonsense") as refused:
        ensure_running(state_dir, say=quiet)
    assert refused.value.code == "CLUSTER_START_FAILED"


def test_many_starters_make_one_cluster(state_dir):
    command = [sys.executable, "-m", "registry.cluster", "url", "--state-dir", str(state_dir)]
    starters = [
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = [starter.communicate(timeout=120) for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0], told
    assert len({out for out, _ in told}) == 1
    assert sum("Making the database cluster" in err for _, err in told) == 1


def test_a_prepared_database_has_the_extensions_and_is_closed_to_the_app(cluster):
    prepare_database(cluster, "prepared")
    prepare_database(cluster, "prepared")
    assert one(cluster, "select postgis_lib_version()", "prepared", APP)
    assert one(cluster, "select current_user", "prepared", OWNER) == OWNER
    with psycopg.connect(conninfo(cluster, "prepared", OWNER)) as session:
        session.execute("create table public.mine (n int)")
        owner = "select tableowner from pg_tables where tablename = 'mine'"
        assert session.execute(owner).fetchone()[0] == OWNER
    with (
        psycopg.connect(conninfo(cluster, "prepared", APP)) as session,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        session.execute("create table public.theirs (n int)")
    create_database(cluster, "copied", template="prepared")
    assert one(cluster, "select count(*) from mine", "copied", OWNER) == 0
    assert one(
        cluster,
        "select srtext like '%China%' from spatial_ref_sys where srid = 4490",
        "copied",
        APP,
    )
    with pytest.raises(ClusterError, match="copied"):
        create_database(cluster, "copied")
    with psycopg.connect(conninfo(cluster, "copied", APP)):
        drop_database(cluster, "copied")  # although somebody is in it
    drop_database(cluster, "copied")
    assert not database_exists(cluster, "copied")


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a;drop", "x" * 64, "a b"])
def test_a_name_that_needs_quoting_is_refused(cluster, name):
    with pytest.raises(ClusterError) as refused:
        database_url(cluster, name, APP)
    assert refused.value.code == "CLUSTER_BAD_NAME"
