"""Ways of doing one thing, timed in turn: A B C A B C, so that a drift of the machine meets all."""

import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of doing the case's work.

    Attributes
    ----------
    run : does it once; a number it returns is a rate (per second) and is kept instead of seconds.
    before : what must stand before each run; not timed.
    runs : times it is run at most; slow peers have fewer, and the table says how many.
    """

    run: Callable[[], object]
    before: Callable[[], object] = lambda: None
    runs: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One comparison: ``ours`` against peers, and against the limit that nothing can pass."""

    name: str
    size: int
    ours: Way
    peers: dict[str, Way] = field(default_factory=dict)
    limit: tuple[str, Way] | None = None
    unit: str = "s"
    work: float = 0.0
    work_unit: str = ""
    note: str = ""

    @property
    def ways(self) -> dict[str, Way]:
        """All ways by name, ours first."""
        limit = {self.limit[0]: self.limit[1]} if self.limit else {}
        return {"ours": self.ours, **self.peers, **limit}


Cases = Iterator[tuple[str, Callable[[], Case]]]
"""Words to choose a case by, and what makes it ready to run."""


@dataclass(slots=True)
class Took:
    """What the runs of one way took."""

    values: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Median of the runs."""
        return statistics.median(self.values)


def _cpu_s() -> float:
    """Processor seconds of this process and of the children it has waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def interleaved(case: Case, *, runs: int | None = None, warm: bool = True) -> dict[str, Took]:
    """Run every way of a case in turn; the first round is not counted (compilers, caches)."""
    ways = case.ways
    took = {name: Took() for name in ways}
    most = runs or max(way.runs for way in ways.values())
    for turn in range(-1 if warm else 0, most):
        for name, way in ways.items():
            if turn >= min(way.runs, most) or (turn < 0 and way.runs == 1):
                continue
            way.before()
            cpu, start = _cpu_s(), time.perf_counter()
            answer = way.run()
            wall = time.perf_counter() - start
            if turn >= 0:
                took[name].values.append(answer if isinstance(answer, float) else wall)
                took[name].cpu_s.append(_cpu_s() - cpu)
    return took


def rows(case: Case, took: dict[str, Took]) -> list[dict[str, object]]:
    """Return one row a peer (one without peers gives one row): what ``var/bench.json`` holds."""
    rate = case.unit.endswith("/s")
    ours = took["ours"]
    limit = took[case.limit[0]].median if case.limit else None
    head: dict[str, object] = {
        "name": case.name,
        "size": case.size,
        "median": ours.median,
        "best": (max if rate else min)(ours.values),
        "cpu_s": statistics.median(ours.cpu_s),
        "unit": case.unit,
        "runs": len(ours.values),
        "values": ours.values,
        "work_per_s": case.work / ours.median if case.work else None,
        "work_unit": case.work_unit or None,
        "limit": case.limit[0] if case.limit else None,
        "limit_median": limit,
        "share_of_limit": limit and (ours.median / limit if rate else limit / ours.median),
        "note": case.note or None,
    }
    none = {"peer": None, "peer_median": None, "peer_cpu_s": None, "peer_runs": 0, "ratio": None}
    if not case.peers:
        return [head | none]
    made = []
    for name in case.peers:
        peer = took[name]
        ratio = ours.median / peer.median if rate else peer.median / ours.median
        made.append(
            head
            | {
                "peer": name,
                "peer_median": peer.median,
                "peer_cpu_s": statistics.median(peer.cpu_s),
                "peer_runs": len(peer.values),
                "ratio": ratio,
            }
        )
    return made


def slopes(made: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return by case the power of its size that its time grows with, and the 95 % interval.

    A straight line through the logarithms of all runs: 1 is linear, 0 is flat.
    """
    taken: dict[str, dict[int, list[float]]] = defaultdict(dict)
    for row in made:
        if not str(row["unit"]).endswith("/s"):
            taken[str(row["name"])][int(str(row["size"]))] = list(row["values"])  # type: ignore[call-overload]
    found = []
    for name, by_size in taken.items():
        points = [(size, value) for size, values in by_size.items() for value in values]
        if len(by_size) < 2 or len(points) < 3:
            continue
        x, y = np.log(np.array(points)).T
        line = stats.linregress(x, y)
        half = float(stats.t.ppf(0.975, len(points) - 2) * line.stderr)
        found.append({"name": name, "sizes": sorted(by_size), "slope": line.slope, "half": half})
    return found
