"""What the cluster decides on values alone."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from registry.cluster import Binaries, Cluster, ClusterError, conninfo, database_url
from registry.cluster.binaries import choose
from registry.cluster.layout import Route, default_state_dir, plan_route, plan_socket_dir
from registry.cluster.text import MESSAGES, line

ROOT = Path(__file__).parents[2]


def installation(folder, major, *, postgis):
    share = folder / str(major)
    (share / "extension").mkdir(parents=True)
    if postgis:
        (share / "extension" / "postgis.control").touch()
        (share / "postgis-3.so").touch()
    return Binaries(bindir=folder / "bin", sharedir=share, libdir=share, major=major)


def test_postgis_is_both_its_scripts_and_its_library(tmp_path):
    whole = installation(tmp_path, 15, postgis=True)
    assert whole.has_postgis
    (whole.libdir / "postgis-3.so").unlink()
    assert not whole.has_postgis


def test_the_newest_installation_with_postgis_serves_a_new_cluster(tmp_path):
    bare = installation(tmp_path, 17, postgis=False)
    good = installation(tmp_path, 16, postgis=True)
    old = installation(tmp_path, 15, postgis=True)
    assert choose([bare, good, old], None) is good
    assert choose([bare, good, old], 15) is old


@pytest.mark.parametrize(
    ("data_major", "code"), [(14, "CLUSTER_VERSION_MISMATCH"), (17, "CLUSTER_NO_POSTGIS")]
)
def test_data_that_no_installation_fits_is_refused(tmp_path, data_major, code):
    bare = installation(tmp_path, 17, postgis=False)
    good = installation(tmp_path, 16, postgis=True)
    with pytest.raises(ClusterError) as refused:
        choose([bare, good], data_major)
    assert refused.value.code == code


def test_no_server_at_all_names_the_script():
    with pytest.raises(ClusterError, match=r"deploy/system_packages\.sh"):
        choose([], None)


@pytest.mark.parametrize(
    ("is_reachable", "has_namespace", "may_move", "has_moved", "route"),
    [
        (True, True, True, False, Route.SETPRIV),
        (False, True, True, False, Route.USER_NAMESPACE),
        (False, False, True, False, Route.ELSEWHERE),
        (True, True, True, True, Route.ELSEWHERE),  # data that was put there stays in use
    ],
)
def test_roots_server_runs_unprivileged_by_the_first_way_open(
    is_reachable, has_namespace, may_move, has_moved, route
):
    chosen = plan_route(
        is_reachable=is_reachable,
        has_namespace=has_namespace,
        may_move=may_move,
        has_moved=has_moved,
    )
    assert chosen is route


def test_with_no_way_open_the_setting_is_named():
    with pytest.raises(ClusterError, match="TANHUI_PG_DIR") as refused:
        plan_route(is_reachable=False, has_namespace=False, may_move=False, has_moved=False)
    assert refused.value.code == "CLUSTER_UNREACHABLE"


@pytest.mark.parametrize(
    ("pg_dir", "state_dir", "chosen"),
    [
        ("/a", "/b", Path("/a")),
        (None, "/b", Path("/b/pg")),
        (None, None, ROOT / "var" / "pg"),
    ],
)
def test_the_state_folder_is_the_one_the_settings_name(monkeypatch, pg_dir, state_dir, chosen):
    for name, value in (("TANHUI_PG_DIR", pg_dir), ("TANHUI_STATE_DIR", state_dir)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert default_state_dir() == chosen


folders = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1
)


@given(st.lists(folders, min_size=1, max_size=12).map(lambda parts: Path("/", *parts)))
def test_a_socket_path_always_fits_and_is_always_the_same(state_dir):
    socket_dir = plan_socket_dir(state_dir)
    assert len(bytes(socket_dir / ".s.PGSQL.5432.lock")) <= 107
    assert "," not in str(socket_dir)
    assert socket_dir == plan_socket_dir(state_dir)


@given(folders.filter(lambda name: "," not in name and name not in (".", "..")))
def test_addresses_carry_any_socket_folder(name):
    folder = Path("/run") / name
    cluster = Cluster(state_dir=folder, data_dir=folder, socket_dir=folder, log_path=folder)
    url = make_url(database_url(cluster, "tanhui"))
    assert (url.username, url.database, url.query["host"]) == ("tanhui_app", "tanhui", str(folder))
    assert make_url(cluster.owner_url).query["options"] == "-c role=tanhui_owner"
    assert "dbname=tanhui" in conninfo(cluster, "tanhui")


def test_every_code_has_its_lines_and_every_line_its_code():
    source = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "registry" / "cluster").glob("*.py")
    )
    entries = tomllib.loads(MESSAGES.read_text(encoding="utf-8"))
    assert set(re.findall(r'"(CLUSTER_[A-Z_]+)"', source)) == set(entries)
    for entry in entries.values():
        assert set(entry) == {"zh", "en", "remedy_zh", "remedy_en"}
        assert all(entry.values())


def test_an_error_is_one_line_in_both_languages():
    error = ClusterError("CLUSTER_NO_SPACE", {"path": "/x", "free_mb": 1, "need_mb": 512})
    assert "\n" not in str(error)
    assert "磁盘空间不足" in str(error)
    assert "TANHUI_PG_DIR" in str(error)
    assert line("CLUSTER_UNKNOWN", {"a": 1}) == "CLUSTER_UNKNOWN a=1"
