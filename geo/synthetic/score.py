"""How well an import's findings agree with the truth of the defective file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from geo.synthetic.defects import Truth

Found = tuple[int | None, str, str]
"""Row (None for the file), code and severity of a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Defects found and missed, and findings that no defect explains."""

    found: tuple[Truth, ...]
    missed: tuple[Truth, ...]
    false_alarms: tuple[Found, ...]

    @property
    def recall(self) -> float:
        """Share of the defects that were found, 0 to 1."""
        whole = len(self.found) + len(self.missed)
        return len(self.found) / whole if whole else 1.0


def score(truth: Sequence[Truth], findings: Iterable[Found]) -> Score:
    """Compare findings with the truth.

    A defect is found when its code and severity stand at its row; of identical shapes either row
    may carry it, and a defect of `scope` "file" is found by a finding about the file. Findings
    about the file are never false alarms.
    """
    every = set(findings)
    explained: set[tuple[int, str]] = set()
    found: list[Truth] = []
    missed: list[Truth] = []
    for entry in truth:
        rows: tuple[int | None, ...] = (entry.row,)
        if entry.scope == "file":
            rows = (None,)
        elif entry.kind == "rotated_duplicate":
            rows = (entry.row, *entry.partner_rows)
        hit = any((row, entry.code, entry.severity) in every for row in rows)
        (found if hit else missed).append(entry)
        explained.update((row, entry.code) for row in (entry.row, *entry.partner_rows))
        explained.update((r, code) for r in (entry.row, *entry.also_rows) for code in entry.also)
    alarms = [f for f in every if f[0] is not None and (f[0], f[1]) not in explained]
    return Score(
        found=tuple(found),
        missed=tuple(missed),
        false_alarms=tuple(sorted(alarms, key=lambda f: (f[0] or 0, f[1], f[2]))),
    )
