"""Column types and habits that all tables share."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import BigInteger, DateTime, LargeBinary, Text, func
from sqlalchemy.orm import mapped_column

CGCS2000 = 4490
"""EPSG code of CGCS2000 longitude and latitude, in which all places are kept."""

Id = Annotated[UUID, mapped_column(primary_key=True, default=uuid4)]
Code = Annotated[str, mapped_column(Text)]
Digest = Annotated[bytes, mapped_column(LargeBinary(32))]
BigInt = Annotated[int, mapped_column(BigInteger)]
EffectiveAt = Annotated[
    datetime,
    mapped_column(DateTime(timezone=True), comment="When it counts; given by the command"),
]
RecordedAt = Annotated[
    datetime,
    mapped_column(
        DateTime(timezone=True),
        server_default=func.clock_timestamp(),
        comment="When it was written; given by the database",
    ),
]
MultiPolygon = Annotated[
    WKBElement, mapped_column(Geometry("MULTIPOLYGON", srid=CGCS2000, spatial_index=False))
]
