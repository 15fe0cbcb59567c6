"""How sure a run is: what its draws gave, with the seed that gives it again."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from registry.db import Base
from registry.models.columns import Id, RecordedAt


class RunInterval(Base):
    """The interval that the error of a run's curves gives, kept as it was drawn."""

    __tablename__ = "run_interval"

    id: Mapped[Id]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("assessment_run.id"), index=True)
    seed: Mapped[int] = mapped_column(BigInteger, comment="The same one gives the same interval")
    draws: Mapped[int]
    body: Mapped[dict[str, Any]] = mapped_column(
        JSONB, comment="Stock and net of each year with low and high, kg CO2e; errors; unknown"
    )
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("actor.id"))
    recorded_at: Mapped[RecordedAt]
