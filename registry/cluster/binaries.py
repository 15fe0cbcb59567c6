"""Which PostgreSQL programs to use: the newest that has PostGIS, or the one the data needs."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from registry.cluster.errors import ClusterError

_VERSION = re.compile(r"(\d+)(?:\.\d+|devel|beta\d+|rc\d+)")
_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binaries:
    """The programs of one PostgreSQL installation."""

    bindir: Path
    sharedir: Path
    libdir: Path
    major: int

    @property
    def has_postgis(self) -> bool:
        """Say whether PostGIS is here whole: its scripts and its library are two packages."""
        control = self.sharedir / "extension" / "postgis.control"
        return control.is_file() and any(self.libdir.glob("postgis-*.so"))


def _output(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - programs of the installation, no user input
            command, capture_output=True, text=True, check=True, cwd="/", timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def inspect(bindir: Path) -> Binaries | None:
    """Return the installation in a folder, or None when it holds no usable server."""
    if not all((bindir / name).is_file() for name in ("postgres", "initdb", "pg_ctl")):
        return None
    found = _VERSION.search(_output(str(bindir / "postgres"), "-V"))
    if found is None:
        return None
    major = int(found[1])
    told = _output(str(bindir / "pg_config"), "--sharedir", "--pkglibdir").splitlines()
    if len(told) != 2:  # noqa: PLR2004 - one line for each option; else Debian's places
        told = [f"/usr/share/postgresql/{major}", str(bindir.parent / "lib")]
    return Binaries(bindir=bindir, sharedir=Path(told[0]), libdir=Path(told[1]), major=major)


def candidates() -> list[Path]:
    """Return the folders to look in: the named one alone, else Debian's, then ``pg_config``'s."""
    named = os.environ.get("TANHUI_PG_BINDIR")
    if named:
        return [Path(named)]
    # The library folders come first: a ``postgres`` on the PATH may be a wrapper.
    versions = [folder for folder in _DEBIAN.glob("*/bin") if folder.parent.name.isdecimal()]
    folders = sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    config = shutil.which("pg_config")
    told = _output(config, "--bindir") if config else ""
    if told and Path(told) not in folders:
        folders.append(Path(told))
    return folders


def choose(found: Sequence[Binaries], data_major: int | None) -> Binaries:
    """Pick an installation for the data that is there, or for a new cluster.

    Raises
    ------
    ClusterError : CLUSTER_NO_POSTGRES, CLUSTER_VERSION_MISMATCH or CLUSTER_NO_POSTGIS.
    """
    if not found:
        raise ClusterError("CLUSTER_NO_POSTGRES", {"command": "sh deploy/system_packages.sh"})
    fitting = [one for one in found if data_major in (None, one.major)]
    if not fitting:
        have = ", ".join(str(one.major) for one in found)
        raise ClusterError("CLUSTER_VERSION_MISMATCH", {"data": data_major, "server": have})
    for one in fitting:
        if one.has_postgis:
            return one
    major = fitting[0].major
    command = f"apt-get install --no-install-recommends postgresql-{major}-postgis-3"
    raise ClusterError("CLUSTER_NO_POSTGIS", {"major": major, "command": command})


def find(data_major: int | None) -> Binaries:
    """Return the installation to use; see `choose`."""
    folders = candidates()
    if data_major is not None:  # look at the data's own version first: one program run, not many
        folders.sort(key=lambda folder: folder.parent.name != str(data_major))
    found: list[Binaries] = []
    for folder in folders:
        one = inspect(folder)
        if one is None:
            continue
        found.append(one)
        if one.has_postgis and data_major in (None, one.major):
            break
    return choose(found, data_major)
