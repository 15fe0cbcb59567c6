"""Who is alive in a data folder, read from procfs.

A pid alone proves nothing: it may be a zombie that nobody reaps, or belong to another program
by now. A server process of ours is one whose working folder is the data folder.
"""

import os
from pathlib import Path

_PROC = Path("/proc")
_DEAD = frozenset("ZXx")


def _state_and_parent(pid: int) -> tuple[str, int]:
    """Return the state letter and the parent of a process; ``X`` when it is gone."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "X", 0
    fields = stat.rpartition(")")[2].split()  # the name in brackets may hold anything
    return fields[0], int(fields[1])


def in_folder(data_dir: Path) -> dict[int, int]:
    """Return pid -> parent pid of the living processes whose working folder is ``data_dir``."""
    wanted = os.path.realpath(data_dir)
    found: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            cwd = str((entry / "cwd").readlink())
        except OSError:  # gone, a zombie, or another user's
            continue
        if cwd != wanted:
            continue
        pid = int(entry.name)
        state, parent = _state_and_parent(pid)
        if state not in _DEAD:
            found[pid] = parent
    return found


def postmaster(data_dir: Path) -> int | None:
    """Return the pid of the living postmaster of a data folder.

    Orphans of a killed postmaster are not it: their parent is outside the folder too, so the pid
    file decides among several, and a lone process counts when its children are here.
    """
    alive = in_folder(data_dir)
    named = pid_in_file(data_dir)
    if named in alive:
        return named
    parents = set(alive.values()) & set(alive)
    return min(parents) if parents else None


def pid_in_file(data_dir: Path) -> int | None:
    """Return the pid in ``postmaster.pid``; None when the file is missing or empty."""
    try:
        first = (data_dir / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    word = first.partition("\n")[0].strip()
    return int(word) if word.isdecimal() else None
