"""Broken files given to workers: each answer is kept, each silence is a failure."""

import multiprocessing
import queue
import resource
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo.errors import GeoError
from geo.intake import IntakeOptions, examine
from geo.vector import Limits
from tests.fuzz.mutations import mutate, seed_of
from tests.fuzz.seeds import write_seeds

SECONDS = 10.0
MEMORY_BYTES = 2_000_000_000
CRS = "EPSG:4549"
NEEDS_CRS = (".dxf", ".csv", ".xls", ".xlsx", ".shp", ".dbf", ".shx", ".cpg", ".prj")
PARTS = ("plots.dbf", "plots.shx", "plots.prj", "plots.cpg")
"""Parts of a shapefile: broken beside sound others."""

_CONTEXT = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Task:
    """One broken file: which seed, broken how."""

    number: int
    seed: str
    variant: int


def answer(path: Path, folder: Path, variant: int, crs: str | None) -> str:
    """Break a file, examine it and say how it ended.

    Raises
    ------
    Exception
        Whatever is not an error of our own.
    """
    data = mutate(path.read_bytes(), seed_of(path.name, variant))
    target = folder / path.name
    target.write_bytes(data)
    main = folder / "plots.shp" if path.name in PARTS else target
    limits = Limits(held_bytes=0) if variant % 2 else Limits()  # long texts are read otherwise
    try:
        intake = examine(main, crs=crs, options=IntakeOptions(limits=limits))
    except GeoError as error:
        return error.code
    if not intake.read == intake.accepted + intake.questioned + intake.refused:
        raise AssertionError("rows are lost")
    return "read"


def _work(tasks: Any, answers: Any, seeds: str, folder: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for part in Path(seeds).glob("plots.*"):
        (Path(folder) / part.name).write_bytes(part.read_bytes())
    while (task := tasks.get()) is not None:
        path = Path(seeds) / task.seed
        answers.put((task, "start", time.monotonic()))
        crs = CRS if task.seed.endswith(NEEDS_CRS) and task.variant % 3 else None
        try:
            said = answer(path, Path(folder), task.variant, crs)
        except MemoryError:
            said = "failed: MemoryError"
        except BaseException:  # noqa: BLE001 -- what it is, is what we want to know
            said = "failed: " + traceback.format_exc(limit=-4)
        if task.seed in PARTS:
            (Path(folder) / task.seed).write_bytes(path.read_bytes())
        answers.put((task, said, time.monotonic()))


class _Worker:
    """A process with one task at a time."""

    def __init__(self, seeds: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.tasks = _CONTEXT.Queue()
        self.answers = _CONTEXT.Queue()
        self.process = _CONTEXT.Process(
            target=_work, args=(self.tasks, self.answers, str(seeds), str(folder)), daemon=True
        )
        self.process.start()
        self.task: Task | None = None
        self.since = time.monotonic()
        self.started = False

    def give(self, task: Task) -> None:
        self.task, self.since, self.started = task, time.monotonic(), False
        self.tasks.put(task)

    def poll(self) -> str | None:
        """The answer to the task, or None while it runs."""
        try:
            _, said, at = self.answers.get(timeout=0.02)
        except queue.Empty:
            waited = time.monotonic() - self.since
            if not self.process.is_alive():
                return f"failed: the worker died ({self.process.exitcode})"
            return f"failed: over {SECONDS} s" if self.started and waited > SECONDS else None
        if said == "start":
            self.started, self.since = True, at
            return None
        return str(said)

    def ended(self) -> tuple[Task, str] | None:
        """The task that ended and how; the worker is free again."""
        task = self.task
        said = self.poll() if task is not None else None
        if task is None or said is None:
            return None
        self.task = None
        return task, said

    def stop(self) -> None:
        self.process.kill()
        self.process.join()


def fuzz(
    folder: Path,
    *,
    inputs: int,
    workers: int,
    only: str = "",
    start: int = 0,
    keep: Path | None = None,
) -> dict[str, Any]:
    """Run a number of broken files through every reader; return counts and failures."""
    seeds = [path for path in write_seeds(folder / "seeds") if only in path.name]
    waiting = [
        Task(n, seeds[n % len(seeds)].name, start + n // len(seeds))
        for n in reversed(range(inputs))
    ]
    answers: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    begun, made = time.monotonic(), 0
    crew: list[_Worker] = []
    while waiting or any(worker.task for worker in crew):
        while len(crew) < workers:
            made += 1
            crew.append(_Worker(folder / "seeds", folder / f"worker{made}"))
        for worker in list(crew):
            if worker.task is None and waiting:
                worker.give(waiting.pop())
            ended = worker.ended()
            if ended is None:
                continue
            task, said = ended
            if said.startswith("failed"):
                failures.append({"seed": task.seed, "variant": task.variant, "said": said})
                _keep(folder / "seeds" / task.seed, task, keep)
                worker.stop()
                crew.remove(worker)
            else:
                answers[f"{Path(task.seed).suffix} {said}"] += 1
    for worker in crew:
        worker.stop()
    return {
        "inputs": inputs,
        "seeds": len(seeds),
        "seconds": round(time.monotonic() - begun, 1),
        "failures": failures,
        "answers": dict(sorted(answers.items())),
    }


def _keep(seed: Path, task: Task, keep: Path | None) -> None:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        data = mutate(seed.read_bytes(), seed_of(seed.name, task.variant))
        (keep / f"{task.variant}-{seed.name}").write_bytes(data)
