"""Addresses of the built assets: a stable name plus the first digits of its content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

DIST = Path(__file__).parent / "static" / "dist"
_VERSION_DIGITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetManifest:
    """What ``web/static/dist/manifest.json`` says about the committed build.

    Parameters
    ----------
    prefix : path under which ``web/static/dist`` is served, ending in a slash.
    digests : file name to the SHA-256 of its bytes, in hexadecimal.
    """

    prefix: str
    digests: Mapping[str, str]

    @classmethod
    def load(cls, dist: Path = DIST, *, prefix: str = "/static/dist/") -> "AssetManifest":
        """Read the manifest beside the built files.

        Raises
        ------
        FileNotFoundError : the build is missing; ``make assets`` writes it.
        """
        files = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))["files"]
        digests = {name: str(entry["sha256"]) for name, entry in files.items()}
        return cls(prefix=prefix, digests=MappingProxyType(digests))

    def url(self, name: str) -> str:
        """Return the address of one built file; safe to serve as immutable.

        Raises
        ------
        KeyError : no built file has this name; a template names one that does not exist.
        """
        return f"{self.prefix}{name}?v={self.digests[name][:_VERSION_DIGITS]}"
