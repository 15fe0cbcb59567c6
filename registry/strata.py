"""Runs that keep pools apart: parcels' ground spread over strata, and the strata's stored bits.

A run's strata are rounded once, kept with their digest, and used again for the same strata; the
parcels' sums are integer products, so no order, split or number of workers changes a bit.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from geo.zonal import Histogram
from registry.canonical import digest
from registry.cohort_tables import ENGINE_VERSION, SCHEME
from registry.models import CohortTable as StoredTable
from registry.pool_inputs import Given, Pooling, flow_rows
from registry.stocks import loss_year
from sinks import tables
from sinks.cohorts import CohortTable, rows_stock_mg, stock_kg_co2
from sinks.errors import SinksError
from sinks.pools import STAND_ORDER, Pool
from sinks.strata import Ground, Happening, Note, Stratum, culms_of, spread, stratum_of
from sinks.strata_tables import POOLS, Yearly, strata_table
from sinks.tables.rows import GrowthRow

Ints = NDArray[np.int64]
FORM: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StrataTable:
    """Stock of strata, (n_strata, n_pools, n_years) mg C/m2, as it is stored.

    Attributes
    ----------
    key : digest of what was asked, before anything is rounded; empty for one read from its bytes.
    """

    key: bytes
    strata: tuple[Stratum, ...]
    years: tuple[int, ...]
    temperature_c: str
    mg_c_m2: NDArray[np.int32]

    def to_bytes(self) -> bytes:
        """Header line, then int32 little-endian by row."""
        head = {
            "form": FORM,
            "strata": [one.key for one in self.strata],
            "pools": [str(one) for one in POOLS],
            "years": self.years,
            "temperature_c": self.temperature_c,
        }
        line = json.dumps(head, sort_keys=True).encode()
        return line + b"\n" + self.mg_c_m2.astype("<i4").tobytes()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    def of(self, wanted: Sequence[Stratum]) -> "StrataTable":
        """Return the part of some strata.

        Raises
        ------
        KeyError : one is not in the table.
        """
        place = {one: i for i, one in enumerate(self.strata)}
        return StrataTable(
            key=b"",
            strata=tuple(wanted),
            years=self.years,
            temperature_c=self.temperature_c,
            mg_c_m2=self.mg_c_m2[[place[one] for one in wanted]],
        )


def from_bytes(data: bytes) -> StrataTable:
    """Return a table from its bytes."""
    line, _, body = data.partition(b"\n")
    head = json.loads(line)
    shape = (len(head["strata"]), len(head["pools"]), len(head["years"]))
    return StrataTable(
        key=b"",
        strata=tuple(stratum_of(one) for one in head["strata"]),
        years=tuple(head["years"]),
        temperature_c=head["temperature_c"],
        mg_c_m2=np.frombuffer(body, "<i4").astype(np.int32).reshape(shape),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """Parcels' ground over strata.

    Attributes
    ----------
    start : (n + 1,); rows start[p] to start[p + 1] belong to parcel p.
    row, area_dm2 : index into ``strata``, and whole dm2.
    notes : by parcel's place, what a reader must know.
    """

    strata: tuple[Stratum, ...]
    start: Ints
    row: NDArray[np.int32]
    area_dm2: Ints
    notes: Mapping[int, frozenset[Note]]


def spread_parcels(
    histogram: Histogram,
    given: Mapping[int, Given],
    *,
    layer_year: int,
    last_year: int,
) -> Spread:
    """Spread parcels over strata: those nothing is told of at once by code, the others one by one.

    Parameters
    ----------
    given : by the parcel's place in the histogram.
    """
    place: dict[Stratum, int] = {}
    code, back = np.unique(histogram.cohort, return_inverse=True)
    of_code = [
        [(place.setdefault(stratum, len(place)), 1) for stratum, _ in told.parts]
        for told in (
            spread([one], [], layer_year=layer_year, last_year=last_year)
            for one in ground_of(code.astype(np.int32), np.ones(code.size, np.int64))
        )
    ]
    parcel = np.repeat(np.arange(len(histogram.start) - 1), np.diff(histogram.start))
    calm = ~np.isin(parcel, list(given))
    most = max((len(one) for one in of_code), default=0)
    pieces: list[tuple[Ints, NDArray[np.int32], Ints]] = []
    for k in range(most):
        mine = np.array([one[k][0] if k < len(one) else -1 for one in of_code], np.int32)[back]
        take = calm & (mine >= 0)
        pieces.append((parcel[take], mine[take], histogram.area_dm2[take]))
    notes = {}
    for i, one in sorted(given.items()):
        part = slice(histogram.start[i], histogram.start[i + 1])
        told = spread(
            ground_of(histogram.cohort[part], histogram.area_dm2[part]),
            one.happenings,
            layer_year=layer_year,
            last_year=last_year,
            culms=one.culms,
        )
        notes[i] = told.notes
        rows = [place.setdefault(stratum, len(place)) for stratum, _ in told.parts]
        areas = [area for _, area in told.parts]
        pieces.append((np.full(len(rows), i), np.array(rows, np.int32), np.array(areas, np.int64)))
    return _joined(place, pieces, len(histogram.start) - 1, notes)


def _joined(
    place: Mapping[Stratum, int],
    pieces: Sequence[tuple[Ints, NDArray[np.int32], Ints]],
    parcels: int,
    notes: Mapping[int, frozenset[Note]],
) -> Spread:
    owner = np.concatenate([one[0] for one in pieces] or [np.empty(0, np.int64)])
    row = np.concatenate([one[1] for one in pieces] or [np.empty(0, np.int32)])
    area = np.concatenate([one[2] for one in pieces] or [np.empty(0, np.int64)])
    order = np.argsort(owner, kind="stable")
    start = np.zeros(parcels + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=parcels), out=start[1:])
    # Strata in the order of their keys: their table has the same bytes whoever asks first.
    strata = sorted(place, key=lambda one: repr(one.key))
    where = np.empty(len(strata), np.int32)
    for new, one in enumerate(strata):
        where[place[one]] = new
    return Spread(
        strata=tuple(strata),
        start=start,
        row=where[row[order]] if row.size else row,
        area_dm2=area[order],
        notes=notes,
    )


def ground_of(code: NDArray[np.int32], area_dm2: Ints) -> list[Ground]:
    """Return combined codes with their areas as ground."""
    lost = loss_year(code)
    species, site, age = SCHEME.decode(code % np.int32(SCHEME.size))
    return [
        Ground(species=s, site=q, age_yr=a, lost_in=y, area_dm2=area)
        for s, q, a, y, area in zip(
            species.tolist(),
            site.tolist(),
            age.tolist(),
            lost.tolist(),
            area_dm2.tolist(),
            strict=True,
        )
    ]


def pool_sums(spread_: Spread, table: StrataTable) -> Ints:
    """Sum every parcel's stock by pool and year, (n, n_pools, n_years) dm2 x mg C/m2."""
    flat = np.ascontiguousarray(table.mg_c_m2.reshape(len(table.strata), -1))
    sums = rows_stock_mg(spread_.start, spread_.row, spread_.area_dm2, flat)
    return sums.reshape(len(spread_.start) - 1, len(POOLS), len(table.years))


def pool_kg(sums: Ints, pools: Sequence[Pool]) -> tuple[Ints, Ints]:
    """Whole kg CO2 of the counted pools together and of each, which add up to it exactly.

    Each pool has what the running sum, rounded down, gains by it.

    Returns
    -------
    (n, n_years) and (n, len(pools), n_years).
    """
    places = [POOLS.index(one) for one in pools]
    running = stock_kg_co2(np.cumsum(sums[:, places], axis=1))
    return running[:, -1], np.diff(running, axis=1, prepend=0)


def load(
    session: Session,
    strata: Sequence[Stratum],
    *,
    cohort: CohortTable,
    curves: Mapping[int, GrowthRow],
    pooling: Pooling,
) -> StrataTable:
    """Return the stored table of these strata, or a new one that `keep` stores."""
    key = digest(
        {
            "engine_version": ENGINE_VERSION,
            "form": FORM,
            "strata": [one.key for one in strata],
            "cohort_table": cohort.digest,
            "temperature_c": pooling.temperature_c,
            "order": list(STAND_ORDER),
            "rows": flow_rows(),
        }
    )
    cells = session.scalar(_BY_KEY, {"key": key})
    if cells is not None:
        kept = from_bytes(zlib.decompress(cells))
        return StrataTable(
            key=key,
            strata=kept.strata,
            years=kept.years,
            temperature_c=kept.temperature_c,
            mg_c_m2=kept.mg_c_m2,
        )
    return StrataTable(
        key=key,
        strata=tuple(strata),
        years=cohort.years,
        temperature_c=pooling.temperature_c,
        mg_c_m2=computed(strata, cohort, curves, pooling.temperature_c),
    )


def computed(
    strata: Sequence[Stratum],
    cohort: CohortTable,
    curves: Mapping[int, GrowthRow],
    temperature_c: str,
) -> NDArray[np.int32]:
    """Return strata's stock by this program's rows."""
    return strata_table(
        strata,
        Yearly(
            curves=curves,
            table=cohort,
            multiplier={row.site: row.multiplier for row in tables.site_classes().values()},
            temperature_c=float(temperature_c) if temperature_c else None,
        ),
    )


def keep(session: Session, table: StrataTable) -> None:
    """Store a table that is not stored yet."""
    if session.scalar(_KNOWN, {"key": table.key, "digest": table.digest}) is not None:
        return
    session.add(
        StoredTable(
            digest=table.digest,
            key=table.key,
            scheme={
                "strata": len(table.strata),
                "pools": [str(one) for one in POOLS],
                "order": list(STAND_ORDER),
                "temperature_c": table.temperature_c,
                "engine_version": ENGINE_VERSION,
            },
            years=Range(table.years[0], table.years[-1] + 1),
            rows=flow_rows(),
            cells=zlib.compress(table.to_bytes(), 3),
        )
    )
    session.flush()


def stored(session: Session, table_digest: bytes) -> StrataTable:
    """Return a stored table by its digest.

    Raises
    ------
    SinksError : COHORT_TABLE_DIGEST.
    """
    cells = session.execute(_BY_DIGEST, {"digest": table_digest}).scalar_one()
    table = from_bytes(zlib.decompress(cells))
    if table.digest != table_digest:
        raise SinksError(
            "COHORT_TABLE_DIGEST", expected=table_digest.hex(), found=table.digest.hex()
        )
    return table


def given_of(told: Mapping[str, Any] | None) -> Given | None:
    """Return what a run kept of a parcel's record."""
    if not told:
        return None
    return Given(
        happenings=tuple(
            Happening(
                year=year,
                kind=kind,
                touched_ppm=touched,
                intensity_ppm=intensity,
                species=species,
            )
            for year, kind, touched, intensity, species in told["events"]
        ),
        culms=None if told["culms"] is None else culms_of(told["culms"]),
    )


def histogram_of(held: Any) -> Histogram:  # noqa: ANN401 -- a result row
    """Return a stored histogram of one parcel."""
    return Histogram(
        start=np.array([0, len(held.cohort)], np.int64),
        cohort=np.array(held.cohort, np.int32),
        area_dm2=np.array(held.area_dm2, np.int64),
        nodata_dm2=np.array([held.nodata_dm2], np.int64),
        outside_dm2=np.array([held.outside_dm2], np.int64),
    )


def places(ids: Sequence[UUID], given: Mapping[UUID, Given]) -> dict[int, Given]:
    """Return what is told of parcels by their place in a run."""
    return {i: given[one] for i, one in enumerate(ids) if one in given}


_BY_KEY = text("SELECT cells FROM cohort_table WHERE key = :key")
_KNOWN = text("SELECT digest FROM cohort_table WHERE key = :key OR digest = :digest LIMIT 1")
_BY_DIGEST = text("SELECT cells FROM cohort_table WHERE digest = :digest")
