"""``python -m tests.bench [NAME ...]``: run the cases, print a table, write ``var/bench.json``."""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

os.environ.setdefault("NUMBA_THREADING_LAYER", "omp")

from registry import cluster
from tests.bench import answer_cases, books, places, raster_cases, served_cases, sink_cases, vector
from tests.bench.store import Store, open_store
from tests.bench.timing import Cases, interleaved, rows, slopes
from web.config import settings

ROOT = Path(__file__).resolve().parent.parent.parent


SIZES = (10_000, 100_000)
HUGE = 1_000_000
RASTER_SIZES = (10_000, 31_623, 100_000, 316_228, 1_000_000)
"""Half decades: enough points for the power by which the raster stages grow."""


class Opened:
    """The databases, opened by the first case that needs them."""

    def __init__(self) -> None:
        self.store: Store | None = None

    def __call__(self) -> Store:
        """Return the store."""
        if self.store is None:
            running = cluster.ensure_running(settings().cluster_dir, say=lambda _line: None)
            self.store = open_store(running)
        return self.store

    def close(self) -> None:
        """Drop what was made."""
        if self.store is not None:
            self.store.close()


def cases(opened: Opened, folder: Path, *, full: bool) -> Cases:
    """Yield every case of ``make bench``; ``full`` adds those of a million parcels."""
    sizes = (*SIZES, HUGE) if full else SIZES
    yield from answer_cases.cases(opened, folder, sizes)
    yield from served_cases.cases(opened, folder, sizes)
    rasters = RASTER_SIZES if full else SIZES
    yield from raster_cases.cases(folder, rasters)
    yield from sink_cases.cases(folder, rasters)
    yield from vector.cases(folder, sizes)
    yield from places.cases(opened, folder, SIZES, full=full)
    yield from books.cases(opened, seconds=4.0, scale=20)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="zonal, growth, area, read, import ...; or all")
    parser.add_argument("--size", choices=("usual", "full"), default="usual", help="full: 1 M too")
    parser.add_argument("--runs", type=int, help="at most so many runs of each way")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench.json")
    given = parser.parse_args()
    made: list[dict[str, object]] = []
    began, opened = time.perf_counter(), Opened()
    try:
        for name, make in cases(opened, ROOT / "var" / "bench", full=given.size == "full"):
            if given.names and not any(word in name for word in given.names):
                continue
            print(f"# {name}", file=sys.stderr, flush=True)
            case = make()
            made += rows(case, interleaved(case, runs=given.runs))
            for row in made[-max(1, len(case.peers)) :]:
                print(line(row), flush=True)
    finally:
        opened.close()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    grown = slopes(made)
    for one in grown:
        print(f"{one['name']}: size ** ({one['slope']:.2f} +- {one['half']:.2f}), {one['sizes']}")
    told = {
        "machine": {"cores": os.cpu_count(), "platform": platform.platform()},
        "seconds": round(time.perf_counter() - began, 1),
        "results": made,
        "slopes": grown,
    }
    given.out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{given.out}: {len(made)} rows in {told['seconds']} s")


def line(row: dict[str, object]) -> str:
    """Return one row as a person reads it."""
    parts = [
        f"{row['name']} [{row['size']:,}]",
        f"{row['median']:.4g} {row['unit']} (best {row['best']:.4g}, cpu {row['cpu_s']:.3g} s, n={row['runs']})",
    ]
    if row["work_per_s"]:
        parts.append(f"{row['work_per_s']:.3g} {row['work_unit']}")
    if row["peer"]:
        parts.append(
            f"{row['peer']}: {row['peer_median']:.4g} (cpu {row['peer_cpu_s']:.3g} s,"
            f" n={row['peer_runs']}) = {row['ratio']:.2f}x"
        )
    if row["limit"]:
        parts.append(
            f"{row['limit']}: {row['limit_median']:.4g}, share {row['share_of_limit']:.0%}"
        )
    return " | ".join(parts)


if __name__ == "__main__":
    main()
