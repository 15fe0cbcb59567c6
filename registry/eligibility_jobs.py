"""Eligibility as a job: the rules with the newest layers at hand, done by a worker.

Slopes and class shares come from rasters, which no request reads; without them the same rules ask
for documents.  Asked for here, a programme's answers do not depend on where they were asked.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from registry import eligibility, jobs, layers, measures
from registry.db import attempt, transaction
from registry.eligibility import EligibilityRun
from registry.eligibility_inputs import RunEligibility

TASK: Final = "eligibility"
KINDS: Final = ("dem", "species")
"""Layers that rules measure on."""


def request(session: Session, command: RunEligibility) -> UUID:
    """Ask for a run as a job; return the job's id.

    Raises
    ------
    InvalidValueError : the parcels are chosen in no way or in several.
    NotFoundError : the division is not known.
    """
    eligibility.check(session, command)
    return jobs.enqueue(session, command, TASK, _COMMAND.dump_python(command, mode="json"))


def register_task(layer_dir: Path) -> None:
    """Let workers of this process ask the rules, with the layers in ``layer_dir``."""
    jobs.task(TASK)(partial(_work, layer_dir))


def _work(layer_dir: Path, running: jobs.Running) -> Mapping[str, object]:
    command = _COMMAND.validate_python(running.arguments)
    running.progress("reading")
    with transaction(running.engine, actor_id=command.actor_id) as session:
        newest: dict[str, str] = {}
        for view in layers.listing(session):
            newest.setdefault(view.kind, view.sha256)
    paths = {kind: layers.layer_path(layer_dir, newest[kind]) for kind in KINDS if kind in newest}
    found = measures.open_layers(**paths)
    running.progress("asking")
    asked = replace(command, layers=found.digests)

    def finish(session: Session) -> dict[str, object]:
        done = eligibility.run_eligibility(session, asked, found.measure)
        result: dict[str, object] = _RESULT.dump_python(done, mode="json")
        running.close(session, result)
        return result

    return attempt(running.engine, finish, actor_id=command.actor_id)


_COMMAND: TypeAdapter[RunEligibility] = TypeAdapter(RunEligibility)
_RESULT: TypeAdapter[EligibilityRun] = TypeAdapter(EligibilityRun)
