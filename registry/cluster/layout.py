"""Where the cluster lies and as whom it runs: decided on values, then made."""

import contextlib
import functools
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from registry.cluster.errors import ClusterError

SERVER_USER = "postgres"
ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = Path("/var/lib/tanhui")
_SOCKET_BYTES_MAX = 107  # sun_path holds 108 with its end mark
_SOCKET_NAME = ".s.PGSQL.5432.lock"  # the longer of the two files made there


class Route(StrEnum):
    """As whom the server runs; PostgreSQL refuses root."""

    SELF = "self"
    SETPRIV = "setpriv"
    USER_NAMESPACE = "user_namespace"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The folders of one cluster and the way its server is run."""

    state_dir: Path
    socket_dir: Path
    route: Route
    uid: int  # owner of the server's files as seen from here
    gid: int

    @property
    def data_dir(self) -> Path:
        """Return the data folder."""
        return self.state_dir / "data"

    @property
    def log_path(self) -> Path:
        """Return the server's log."""
        return self.state_dir / "server.log"

    @property
    def prefix(self) -> tuple[str, ...]:
        """Return the words before a server program that make it run unprivileged."""
        if self.route in (Route.SETPRIV, Route.ELSEWHERE):
            return _setpriv(self.uid, self.gid)
        if self.route is Route.USER_NAMESPACE:
            return _USER_NAMESPACE
        return ()


_USER_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def _setpriv(uid: int, gid: int) -> tuple[str, ...]:
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")


def default_state_dir() -> Path:
    """Return ``TANHUI_PG_DIR``, else ``pg`` in ``TANHUI_STATE_DIR``, else ``var/pg`` here."""
    named = os.environ.get("TANHUI_PG_DIR")
    return Path(named or Path(os.environ.get("TANHUI_STATE_DIR") or ROOT / "var") / "pg")


def _succeeds(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    done = subprocess.run(  # noqa: S603 - fixed words and our own folder
        command, capture_output=True, check=False, cwd="/", stdin=subprocess.DEVNULL
    )
    return done.returncode == 0


def _postgres() -> tuple[int, int] | None:
    with contextlib.suppress(KeyError):
        user = pwd.getpwnam(SERVER_USER)
        return user.pw_uid, user.pw_gid
    return None


def server_user(data_dir: Path) -> tuple[int, int] | None:
    """Return uid and gid that root's server runs as: who owns the data already, else postgres."""
    with contextlib.suppress(FileNotFoundError):
        found = data_dir.stat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    return _postgres()


def reachable(folder: Path, user: tuple[int, int] | None) -> bool:
    """Say whether a user may pass through a folder and all its parents."""
    return user is not None and _succeeds(*_setpriv(*user), "test", "-x", str(folder))


@functools.cache
def user_namespace_works() -> bool:
    """Say whether this machine lets us make a user namespace."""
    return _succeeds(*_USER_NAMESPACE, "true")


def plan_route(
    *, is_reachable: bool, has_namespace: bool, may_move: bool, has_moved: bool
) -> Route:
    """Choose as whom root's server runs.

    Parameters
    ----------
    is_reachable : the server's user may enter the state folder.
    has_namespace : this machine lets us make a user namespace.
    may_move : there is no data yet, and another place that the server's user may enter.
    has_moved : the data lies in that other place already; it stays there.

    Raises
    ------
    ClusterError : CLUSTER_UNREACHABLE, no way is open; the text names ``TANHUI_PG_DIR``.
    """
    if has_moved:
        return Route.ELSEWHERE
    if is_reachable:
        return Route.SETPRIV
    if has_namespace:
        return Route.USER_NAMESPACE
    if may_move:
        return Route.ELSEWHERE
    raise ClusterError("CLUSTER_UNREACHABLE", {"user": SERVER_USER})


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def plan_socket_dir(state_dir: Path) -> Path:
    """Return the socket folder: beside the data, or a short one where that path cannot be used.

    A path is too long past the 107 bytes of a socket address; libpq splits a host at commas. The
    short name depends on the data folder alone: every client finds the same one.
    """
    beside = state_dir / "s"
    if len(os.fsencode(beside / _SOCKET_NAME)) <= _SOCKET_BYTES_MAX and "," not in str(beside):
        return beside
    return Path("/tmp") / f"tanhui-{_digest(state_dir)}"  # noqa: S108 - owner and mode are checked


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder and its missing parents with a mode that the umask does not narrow."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another starter was faster
            one.mkdir()
            one.chmod(mode)


def lay_out(state_dir: Path) -> Layout:
    """Make the state folder and decide route, owner and socket folder.

    Raises
    ------
    ClusterError : CLUSTER_UNREACHABLE, CLUSTER_FOREIGN_OWNER.
    """
    folder = Path(os.path.realpath(state_dir))
    me = os.geteuid()
    try:
        make_folder(folder, 0o755 if me == 0 else 0o700)
        data_uid = (folder / "data").stat().st_uid
    except FileNotFoundError:
        data_uid = me
    except PermissionError as error:
        raise ClusterError("CLUSTER_FOREIGN_OWNER", {"path": folder, "uid": me}) from error
    if me == 0:
        return _lay_out_as_root(folder)
    if data_uid != me:
        raise ClusterError("CLUSTER_FOREIGN_OWNER", {"path": folder / "data", "uid": me})
    return Layout(
        state_dir=folder,
        socket_dir=plan_socket_dir(folder),
        route=Route.SELF,
        uid=me,
        gid=os.getegid(),
    )


def _lay_out_as_root(folder: Path) -> Layout:
    user = server_user(folder / "data")
    elsewhere = ELSEWHERE / f"pg-{_digest(folder)}"
    has_data = (folder / "data").exists()
    is_reachable = reachable(folder, user)
    route = plan_route(
        is_reachable=is_reachable,
        has_namespace=not is_reachable and user_namespace_works(),
        may_move=not has_data and reachable(ELSEWHERE.parent, user),
        has_moved=not has_data and (elsewhere / "data").exists(),
    )
    if route is Route.ELSEWHERE:
        folder = elsewhere
        make_folder(folder, 0o755)
        user = server_user(folder / "data")
    if route is Route.USER_NAMESPACE or user is None:
        user = (0, 0)
    return Layout(
        state_dir=folder,
        socket_dir=plan_socket_dir(folder),
        route=route,
        uid=user[0],
        gid=user[1],
    )


def make_socket_dir(layout: Layout) -> None:
    """Make the socket folder for the server alone: access is by trust, so its mode is the lock.

    Raises
    ------
    ClusterError : CLUSTER_SOCKET_FOLDER_TAKEN, somebody else made it first.
    """
    folder = layout.socket_dir
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, layout.uid, layout.gid)
    except FileExistsError:
        found = folder.lstat()
        known = {layout.uid, os.geteuid()}
        user = _postgres()
        if os.geteuid() == 0 and user is not None:  # root's server ran as postgres before
            known.add(user[0])
        if folder.is_symlink() or found.st_uid not in known:
            raise ClusterError("CLUSTER_SOCKET_FOLDER_TAKEN", {"path": folder}) from None
        if found.st_uid != layout.uid:
            os.chown(folder, layout.uid, layout.gid)
    folder.chmod(0o700)


def own(path: Path, layout: Layout) -> None:
    """Give a folder that we made, and all in it, to the server's user."""
    if path.stat().st_uid == layout.uid:
        return
    for parent, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(os.path.join(parent, name), layout.uid, layout.gid, follow_symlinks=False)  # noqa: PTH118
    os.chown(path, layout.uid, layout.gid)
