"""Rows that tests stand on, written through the application's own role.

Each function writes real rows and returns an id; nothing commits.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count
from types import MappingProxyType
from uuid import UUID, uuid4

from geoalchemy2 import WKTElement
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from registry.canonical import digest
from registry.db import SYSTEM_ACTOR
from registry.models import (
    Actor,
    AssessmentRun,
    AssessmentSeries,
    Claim,
    CohortTable,
    Division,
    Parcel,
    ParcelDecision,
    ParcelVersion,
    Party,
    Programme,
    Project,
)
from registry.reads.scope import STAFF

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
COUNTY = "330802000000"
VILLAGE = "330802001001"
_places = count()


def division(session: Session, code: str = COUNTY, *, name: str = "柯城区", level: str = "county"):
    """A division, once."""
    if session.get(Division, code) is None:
        session.add(
            Division(code=code, name=name, level=level, valid_from_year=2020, source="test")
        )
        session.flush()
    return code


def party(session: Session, kind: str, name: str | None = None, *, code: str | None = None):
    """A party of ``kind``; people live in the county unless told otherwise."""
    if code is None and kind in {"household", "person"}:
        code = division(session)
    made = Party(kind=kind, name=name or f"{kind}-{uuid4().hex[:6]}", division_code=code)
    session.add(made)
    session.flush()
    return made.id


def actor(
    session: Session, *roles: str, party_id: UUID | None = None, division_code: str | None = None
):
    """Someone who acts for a party if given; staff answer for the county unless told otherwise."""
    if division_code is None and STAFF.intersection(roles):
        division_code = division(session)
    made = Actor(
        name="某人",
        roles=list(roles),
        party_id=party_id,
        division_code=division_code,
        effective_at=AT,
    )
    session.add(made)
    session.flush()
    return made.id


def programme(
    session: Session, key: str = "county-inclusion", *, authority: str = "local", more: str = ""
):
    """A programme version 1, with ``more`` TOML in its text; returns its id."""
    if session.get(Programme, (key, "1")) is None:
        source = f'id = "{key}"\n{more}'
        session.add(
            Programme(
                id=key,
                version="1",
                scheme="inclusion",
                name_zh="碳普惠",
                name_en="inclusion",
                issuing_authority=authority,
                source=source,
                sha256=sha256(source.encode()).digest(),
                effective_at=AT,
            )
        )
        session.flush()
    return key


def parcel(
    session: Session,
    owner_id: UUID,
    *,
    kind: str = "carbon",
    division_code: str | None = None,
    attributes: Mapping[str, object] = MappingProxyType({}),
):
    """An approved square parcel of about 4 ha, on ground of its own, in the county if not below."""
    n = next(_places)
    x, y = 118.5 + 0.003 * (n % 100), 28.7 + 0.003 * (n // 100)
    wkt = (
        f"MULTIPOLYGON((({x} {y},{x + 0.002} {y},{x + 0.002} {y + 0.002},{x} {y + 0.002},{x} {y})))"
    )
    area = session.scalar(text("SELECT ST_Area(ST_GeomFromText(:w, 4490)::geography)"), {"w": wkt})
    parcel_id, submitter, approver = uuid4(), actor(session, "township"), actor(session, "county")
    shape = digest(wkt)
    place = {"geometry": WKTElement(wkt, srid=4490), "area_m2": area, "shape_digest": shape}
    made = Parcel(
        id=parcel_id,
        kind=kind,
        status="submitted",
        version=1,
        owner_id=owner_id,
        division_code=division_code or division(session),
        submitted_by=submitter,
        **place,
    )
    session.add(made)
    session.flush()
    session.add(
        ParcelVersion(
            parcel_id=parcel_id,
            version=1,
            attributes=dict(attributes),
            source_crs="EPSG:4490",
            captured_with="drawing",
            reason="test",
            actor_id=submitter,
            effective_at=AT,
            **place,
        )
    )
    session.flush()
    session.add(
        ParcelDecision(
            parcel_id=parcel_id,
            version=1,
            decision="approve",
            reason="",
            submitted_by=submitter,
            actor_id=approver,
            effective_at=AT,
        )
    )
    session.flush()
    made.status = "approved"
    session.flush()
    return parcel_id


def project(
    session: Session,
    proponent_id: UUID,
    *,
    programme_id: str | None = None,
    number: int = 1,
    adcode: str = "330802",
    crediting: tuple[date, date] = (date(2020, 1, 1), date(2040, 1, 1)),
):
    """A project of ``proponent_id``."""
    made = Project(
        adcode=adcode,
        number=number,
        name="柯城竹林",
        proponent_id=proponent_id,
        programme_id=programme_id or programme(session),
        programme_version="1",
        started_on=crediting[0],
        crediting_from=crediting[0],
        crediting_to=crediting[1],
        effective_at=AT,
    )
    session.add(made)
    session.flush()
    return made.id


def claim(session: Session, project_id: UUID, parcel_id: UUID, years: tuple[int, int]):
    """The hold of a project on a parcel and years [from, to)."""
    row = session.get(Parcel, parcel_id)
    session.refresh(row)
    made = Claim(
        scheme="inclusion",
        status="active",
        project_id=project_id,
        parcel_id=parcel_id,
        version=1,
        years=Range(*years),
        geometry=row.geometry,
        area_m2=row.area_m2,
        effective_at=AT,
    )
    session.add(made)
    session.flush()
    return made.id


def run(
    session: Session,
    project_id: UUID,
    net_kg: Mapping[UUID, Mapping[int, int]],
    *,
    kind: str = "monitored",
    rows: Sequence[Mapping[str, object]] = (),
    stock_kg: Mapping[UUID, Sequence[int]] = MappingProxyType({}),
    flags: Sequence[Mapping[str, object]] = (),
):
    """An assessment run with the yearly net of each parcel, kg, by a table made of ``rows``."""
    table = digest({"table": 1})
    if session.get(CohortTable, table) is None:
        session.add(
            CohortTable(
                digest=table,
                key=table,
                scheme={},
                years=Range(2000, 2060),
                rows=list(rows),
                cells=b"",
            )
        )
        session.flush()
    years = sorted({year for by_year in net_kg.values() for year in by_year})
    made = AssessmentRun(
        kind=kind,
        project_id=project_id,
        years=Range(years[0], years[-1] + 1),
        layer_set=digest({"layers": 1}),
        layers=[{"kind": "age", "sha256": "00" * 32}],
        table_digest=table,
        engine_version=1,
        input_digest=digest(uuid4()),
        code_revision="test",
        parcels=len(net_kg),
        net_kg=sum(sum(by_year.values()) for by_year in net_kg.values()),
        actor_id=SYSTEM_ACTOR,
        effective_at=AT,
    )
    session.add(made)
    session.flush()
    for parcel_id, by_year in net_kg.items():
        session.add(
            AssessmentSeries(
                run_id=made.id,
                parcel_id=parcel_id,
                version=1,
                first_year=years[0],
                stock_kg=list(stock_kg.get(parcel_id, [0] * len(years))),
                net_kg=[by_year.get(year, 0) for year in years],
                flags=[dict(one) for one in flags],
            )
        )
    session.flush()
    return made.id


def ids(session: Session, kinds: Sequence[str]) -> list[UUID]:
    """One party of each kind."""
    return [party(session, kind) for kind in kinds]
