"""``python -m registry.cluster start|stop|status|url``: for the Makefile and the curious."""

import argparse
import sys
from pathlib import Path

from registry.cluster import (
    APP,
    DATABASE,
    ClusterError,
    database_url,
    ensure_running,
    prepare_database,
    status,
    stop,
)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _start(state_dir: Path | None, _database: str, _role: str) -> int:
    ensure_running(state_dir, say=_say)
    return 0


def _stop(state_dir: Path | None, _database: str, _role: str) -> int:
    stop(state_dir, say=_say)
    return 0


def _status(state_dir: Path | None, _database: str, _role: str) -> int:
    found = status(state_dir)
    sys.stdout.write(f"{found.state} pid={found.pid or '-'} socket={found.socket_dir}\n")
    return 0 if found.state == "running" else 3


def _url(state_dir: Path | None, database: str, role: str) -> int:
    cluster = ensure_running(state_dir, say=_say)
    prepare_database(cluster, database)
    sys.stdout.write(database_url(cluster, database, role) + "\n")
    return 0


_ACTIONS = {"start": _start, "stop": _stop, "status": _status, "url": _url}


def main(arguments: list[str] | None = None) -> int:
    """Run one action; 0 done, 1 refused with one line, 3 not running (status)."""
    parser = argparse.ArgumentParser(prog="python -m registry.cluster", description=__doc__)
    parser.add_argument("action", choices=_ACTIONS)
    parser.add_argument("--state-dir", type=Path, help="the one the settings name, when not given")
    parser.add_argument("--database", default=DATABASE)
    parser.add_argument("--role", default=APP)
    chosen = parser.parse_args(arguments)
    try:
        return _ACTIONS[chosen.action](chosen.state_dir, chosen.database, chosen.role)
    except ClusterError as error:
        _say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
