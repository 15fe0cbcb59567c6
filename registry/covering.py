"""Parcels against layers, block by block: in this process, or on the cluster a scheduler names.

A block is a pure function of files named by their digests; its sums are integers, so neither the
number of workers nor the order of blocks changes a bit.  Each block is kept when it is done: a run
that was killed begins where it stopped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from geo.raster import Layer
from geo.zonal import Histogram, cohort_histogram
from registry import layers, stocks
from registry.binary_arrays import int4_arrays, int8_arrays
from registry.copying import copy_rows
from registry.db import attempt
from registry.errors import RegistryError
from registry.estimation_inputs import Inputs, known_histograms

Key = tuple[UUID, int]
Say = Callable[..., None]

BLOCK: Final = 5_000
"""Parcels of one block: about a second's work, and what a killed run loses at most a worker."""

RETRIES: Final = 3
"""Times a block is given to another worker when the one that had it is gone."""

ANSWER_S: Final = 10
"""Seconds within which a scheduler must answer."""


class SchedulerUnreachableError(RegistryError):
    """``TANHUI_SCHEDULER`` names no scheduler that answers, or its library is not installed."""

    code = "SCHEDULER_UNREACHABLE"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """What a worker is sent: never pixels, only where they lie and what they must be."""

    keys: Sequence[Key]
    wkb: Sequence[bytes]
    area_m2: NDArray[np.float64]
    rasters: Mapping[str, Layer]


def cover_block(block: Block) -> Histogram:
    """Measure one block's parcels against its layers; runs on a worker.

    Raises
    ------
    LayerChangedError : a layer's file there is not the one that was registered.
    """
    for raster in block.rasters.values():
        layers.require_unchanged(raster)
    return cohort_histogram(
        shapely.from_wkb(list(block.wkb)),
        stocks.class_layers(block.rasters),
        parcel_area_m2=block.area_m2,
    )


def cover(
    engine: Engine, inputs: Inputs, *, actor_id: UUID, scheduler: str | None, say: Say
) -> dict[Key, Histogram]:
    """Measure the parcels that have no stored histogram, and keep each block's answer.

    Parameters
    ----------
    scheduler : address of a ``dask.distributed`` scheduler; None to work in this process.
    say : told the phase, how many parcels are done, and of how many.

    Raises
    ------
    LayerChangedError, SchedulerUnreachableError : nothing of the block in hand is kept.
    """
    blocks = list(_blocks(inputs))
    total = sum(len(block.keys) for block in blocks)
    made: dict[Key, Histogram] = {}
    with _covered(blocks, scheduler) as answers:
        say("covering", 0, total)
        for block, counted in answers:
            mine = dict(zip(block.keys, stocks.each_parcel(counted), strict=True))
            attempt(engine, lambda session, m=mine: _keep(session, inputs, m), actor_id=actor_id)  # type: ignore[misc]
            made |= mine
            say("covering", len(made), total)
    return made


def _blocks(inputs: Inputs) -> Iterator[Block]:
    parcels = inputs.parcels
    keys = list(zip(parcels.ids, parcels.versions, strict=True))
    missing = [i for i, key in enumerate(keys) if key not in inputs.known]
    for first in range(0, len(missing), BLOCK):
        part = missing[first : first + BLOCK]
        yield Block(
            keys=[keys[i] for i in part],
            wkb=[parcels.wkb[i] for i in part],
            area_m2=parcels.area_m2[part],
            rasters=inputs.rasters,
        )


@contextmanager
def _covered(
    blocks: Sequence[Block], scheduler: str | None
) -> Iterator[Iterator[tuple[Block, Histogram]]]:
    """Give each block with its answer, in the order in which they are ready."""
    if scheduler is None or not blocks:
        yield ((block, cover_block(block)) for block in blocks)
        return
    with _client(scheduler) as client:
        executor = client.get_executor(pure=False, retries=RETRIES)
        futures = {executor.submit(cover_block, block): block for block in blocks}
        try:
            yield ((futures[done], done.result()) for done in as_completed(futures))
        finally:
            for future in futures:
                future.cancel()


def _client(address: str) -> Any:  # noqa: ANN401 -- distributed is untyped here
    try:
        from distributed import Client  # noqa: PLC0415 -- only where a scheduler is named

        client: Any = Client
        return client(address, timeout=ANSWER_S, set_as_default=False)
    except (ImportError, OSError, ValueError) as error:
        raise SchedulerUnreachableError(address=address, why=str(error)) from error


def _keep(session: Session, inputs: Inputs, made: Mapping[Key, Histogram]) -> None:
    """Write one block's histograms; those that another run kept meanwhile stay as they are."""
    session.execute(_LOCK, {"set": inputs.layer_set.hex()})
    known = known_histograms(session, inputs.parcels, inputs.layer_set)
    new = [key for key in made if key not in known]
    if not new:
        return
    whole = stocks.joined([made[key] for key in new])
    arrays = zip(
        int4_arrays(whole.start, whole.cohort),
        int8_arrays(whole.start, whole.area_dm2),
        strict=True,
    )
    rows = (
        (
            parcel_id,
            version,
            inputs.layer_set,
            *pair,
            int(whole.nodata_dm2[i]),
            int(whole.outside_dm2[i]),
        )
        for i, ((parcel_id, version), pair) in enumerate(zip(new, arrays, strict=True))
    )
    copy_rows(session, "histogram", _HISTOGRAM, rows)


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('histogram ' || :set, 0))")
_HISTOGRAM = {
    "parcel_id": "uuid",
    "version": "int4",
    "layer_set": "bytea",
    "cohort": "bytea",
    "area_dm2": "bytea",
    "nodata_dm2": "int8",
    "outside_dm2": "int8",
}
