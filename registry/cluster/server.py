"""Start, find and stop the server; every state a machine can leave behind has its branch."""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from registry.cluster import binaries as programs
from registry.cluster import layout as places
from registry.cluster import processes, text
from registry.cluster.errors import ClusterError
from registry.cluster.names import ADMIN, MAINTENANCE_DATABASE, Cluster, conninfo
from registry.cluster.roles import ensure_roles

FREE_BYTES_MIN = 512 * 2**20
_LOG_BYTES_MAX = 16 * 2**20
_WAIT_S = 120.0
_PAUSE_S = 0.05
_CONF = "tanhui.conf"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    "logging_collector": "off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is there: ``state`` is absent, stopped, starting or running."""

    state: str
    state_dir: Path
    socket_dir: Path
    pid: int | None
    data_major: int | None


def _cluster(layout: places.Layout) -> Cluster:
    return Cluster(
        state_dir=layout.state_dir,
        data_dir=layout.data_dir,
        socket_dir=layout.socket_dir,
        log_path=layout.log_path,
    )


@contextlib.contextmanager
def _locked(layout: places.Layout, say: text.Say) -> Iterator[None]:
    """Let one starter in at a time; the kernel frees the lock when its holder dies."""
    try:
        handle = (layout.state_dir / "lock").open("a")
    except PermissionError as error:
        params = {"path": layout.state_dir, "uid": os.geteuid()}
        raise ClusterError("CLUSTER_FOREIGN_OWNER", params) from error
    with handle:
        deadline = time.monotonic() + _WAIT_S + 60
        said = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ClusterError("CLUSTER_BUSY", {"path": layout.state_dir}) from None
            if not said:
                say(text.line("CLUSTER_WAITING"))
                said = True
            time.sleep(_PAUSE_S)
        yield


def data_major(data_dir: Path) -> int | None:
    """Return the PostgreSQL version that made a data folder, None where there is none.

    Raises
    ------
    ClusterError : CLUSTER_NOT_A_CLUSTER, the folder holds something else.
    """
    try:
        word = (data_dir / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        if data_dir.is_dir() and any(data_dir.iterdir()):
            raise ClusterError("CLUSTER_NOT_A_CLUSTER", {"path": data_dir}) from None
        return None
    if not word.isdecimal() or not (data_dir / "global" / "pg_control").is_file():
        raise ClusterError("CLUSTER_NOT_A_CLUSTER", {"path": data_dir})
    return int(word)


def _connect(layout: places.Layout) -> psycopg.Connection | None:
    """Return a session of the superuser in this very data folder, None while nobody answers."""
    wanted = conninfo(_cluster(layout), MAINTENANCE_DATABASE, ADMIN)
    try:
        session = psycopg.connect(wanted, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError:
        return None
    row = session.execute("show data_directory").fetchone()
    if row is not None and os.path.realpath(row[0]) == str(layout.data_dir):
        return session
    session.close()
    raise ClusterError("CLUSTER_SOCKET_FOLDER_TAKEN", {"path": layout.socket_dir})


def _await_answer_or_death(layout: places.Layout, say: text.Say) -> psycopg.Connection | None:
    """Wait until the server answers or nobody lives in the data folder any more.

    Covers a server that still starts or recovers, one that is just dying, and the orphans that a
    killed postmaster leaves for some moments.
    """
    deadline = time.monotonic() + _WAIT_S
    said = False
    while True:
        session = _connect(layout)
        if session is not None:
            return session
        alive = processes.in_folder(layout.data_dir)
        if not alive:
            return None
        if time.monotonic() > deadline:
            pids = ", ".join(map(str, sorted(alive)))
            raise ClusterError("CLUSTER_NOT_ANSWERING", {"pids": pids, "log": layout.log_path})
        if not said:
            say(text.line("CLUSTER_WAITING_SERVER"))
            said = True
        time.sleep(_PAUSE_S)


def _run(layout: places.Layout, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PG")},
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    return subprocess.run(  # noqa: S603 - programs of the installation, our own folders
        (*layout.prefix, *command),
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        start_new_session=True,  # Ctrl-C in the terminal stops the web server, not the database
    )


def _init(layout: places.Layout, found: programs.Binaries) -> None:
    """Make the data folder under another name and rename it: it is whole or not there."""
    for left_over in layout.state_dir.glob("init-*"):
        shutil.rmtree(left_over)
    fresh = layout.state_dir / f"init-{os.getpid()}"
    fresh.mkdir(mode=0o700)
    os.chown(fresh, layout.uid, layout.gid)
    done = _run(
        layout,
        *(str(found.bindir / "initdb"), "-D", str(fresh), "-U", ADMIN, "-A", "trust", "-k"),
        *("-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"),
    )
    if done.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ClusterError("CLUSTER_INIT_FAILED", {"detail": _tail(done.stdout)})
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(f"\ninclude_if_exists '{_CONF}'\n")
    if layout.data_dir.is_dir():
        layout.data_dir.rmdir()  # empty, as `data_major` made sure
    fresh.rename(layout.data_dir)


def _tail(log: str, lines: int = 6) -> str:
    return " | ".join(line.strip() for line in log.splitlines()[-lines:] if line.strip())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _write_settings(layout: places.Layout) -> None:
    socket_dirs = '"' + str(layout.socket_dir).replace('"', '""') + '"'
    values = {**SETTINGS, "unix_socket_directories": socket_dirs}
    target = layout.data_dir / _CONF
    fresh = layout.data_dir / f"{_CONF}.new"
    body = "".join(f"{key} = {_quoted(value)}\n" for key, value in values.items())
    fresh.write_text("# Written at every start.\n" + body, encoding="utf-8")
    os.chown(fresh, layout.uid, layout.gid)
    fresh.chmod(0o600)
    fresh.replace(target)


def _prepare_log(layout: places.Layout) -> None:
    log = layout.log_path
    if log.exists() and log.stat().st_size > _LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
    log.touch(mode=0o600)
    os.chown(log, layout.uid, layout.gid)


def _clear_stale(layout: places.Layout, say: text.Say) -> None:
    """Remove what a dead server left; only called when nobody lives in the data folder."""
    pid_file = layout.data_dir / "postmaster.pid"
    if pid_file.exists():
        say(text.line("CLUSTER_RECOVERING"))
        pid_file.unlink()
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (layout.socket_dir / name).unlink(missing_ok=True)


def _start(layout: places.Layout, found: programs.Binaries, say: text.Say) -> psycopg.Connection:
    places.own(layout.data_dir, layout)
    layout.data_dir.chmod(0o700)
    places.make_socket_dir(layout)
    _clear_stale(layout, say)
    _write_settings(layout)
    _prepare_log(layout)
    offset = layout.log_path.stat().st_size
    done = _run(
        layout,
        *(str(found.bindir / "pg_ctl"), "-D", str(layout.data_dir), "-l", str(layout.log_path)),
        *("-w", "-t", str(int(_WAIT_S)), "-s", "start"),
    )
    session = _await_answer_or_death(layout, say)
    if session is None:
        with layout.log_path.open("rb") as log:
            log.seek(offset)
            told = log.read().decode("utf-8", errors="replace")
        detail = _tail(told) or _tail(done.stdout)
        raise ClusterError("CLUSTER_START_FAILED", {"detail": detail, "log": layout.log_path})
    return session


def _check_space(folder: Path, free_bytes_min: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < free_bytes_min:
        params = {"path": folder, "free_mb": free // 2**20, "need_mb": free_bytes_min // 2**20}
        raise ClusterError("CLUSTER_NO_SPACE", params)


def _open(
    layout: places.Layout, say: text.Say, found: programs.Binaries | None, free_bytes_min: int
) -> psycopg.Connection:
    """Return a session of the superuser, from whatever state the folder is in."""
    major = data_major(layout.data_dir)
    if major is not None:
        session = _await_answer_or_death(layout, say)
        if session is not None:
            say(text.line("CLUSTER_REUSED"))
            return session
    _check_space(layout.state_dir, free_bytes_min)
    chosen = programs.find(major) if found is None else programs.choose([found], major)
    if major is None:
        say(text.line("CLUSTER_INITIALISING", {"path": layout.data_dir}))
        _init(layout, chosen)
    say(text.line("CLUSTER_STARTING", {"major": chosen.major}))
    return _start(layout, chosen, say)


def ensure_running(
    state_dir: Path | None = None,
    *,
    say: text.Say = print,
    binaries: programs.Binaries | None = None,
    free_bytes_min: int = FREE_BYTES_MIN,
) -> Cluster:
    """Return the running private cluster, made and started as needed; calling twice equals once.

    Parameters
    ----------
    state_dir : folder of data, socket and log; the one the settings name when None.
    say : takes one line of Chinese and English for each thing done.
    binaries : the PostgreSQL installation; the newest with PostGIS when None.
    free_bytes_min : refuse to start with less room than this.

    Raises
    ------
    ClusterError : code and parameters; its text is one line with the remedy.
    """
    layout = places.lay_out(state_dir or places.default_state_dir())
    if layout.route is places.Route.ELSEWHERE:
        say(text.line("CLUSTER_ELSEWHERE", {"path": layout.state_dir}))
    with _locked(layout, say), _open(layout, say, binaries, free_bytes_min) as session:
        ensure_roles(session)
    return _cluster(layout)


def status(state_dir: Path | None = None) -> Status:
    """Return what is there without changing it."""
    layout = places.lay_out(state_dir or places.default_state_dir())
    major = data_major(layout.data_dir)
    session = _connect(layout) if major is not None else None
    pid = processes.postmaster(layout.data_dir) if major is not None else None
    if session is not None:
        session.close()
        state = "running"
    elif major is None:
        state = "absent"
    else:
        state = "starting" if pid is not None else "stopped"
    return Status(
        state=state,
        state_dir=layout.state_dir,
        socket_dir=layout.socket_dir,
        pid=pid,
        data_major=major,
    )


def stop(state_dir: Path | None = None, *, say: text.Say = print) -> bool:
    """Stop the server, rolling open transactions back; return whether there was one."""
    layout = places.lay_out(state_dir or places.default_state_dir())
    with _locked(layout, say):
        pid = processes.postmaster(layout.data_dir)
        if pid is None:
            say(text.line("CLUSTER_NOT_RUNNING"))
            return False
        os.kill(pid, signal.SIGINT)  # what ``pg_ctl stop -m fast`` sends
        deadline = time.monotonic() + _WAIT_S
        while alive := processes.in_folder(layout.data_dir):
            if time.monotonic() > deadline:
                pids = ", ".join(map(str, sorted(alive)))
                raise ClusterError("CLUSTER_NOT_ANSWERING", {"pids": pids, "log": layout.log_path})
            time.sleep(_PAUSE_S)
        say(text.line("CLUSTER_STOPPED"))
        return True
