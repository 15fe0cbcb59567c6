"""What happened to stands, as rows that an assessment reads."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import follows, me, own, record_table, secure, under, unsecure

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KINDS = "'thinning', 'harvest', 'clearing', 'fire', 'snow', 'pest', 'replanting'"


def upgrade() -> None:
    op.create_table(
        "stand_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column(
            "year",
            sa.Integer(),
            nullable=False,
            comment="It counts in the stock of 31 December of it",
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "touched_ppm",
            sa.Integer(),
            nullable=False,
            comment="Millionths of the parcel's area it touched",
        ),
        sa.Column(
            "intensity_ppm",
            sa.Integer(),
            nullable=False,
            comment="Millionths of the stand that went where it touched",
        ),
        sa.Column(
            "species",
            sa.Integer(),
            nullable=True,
            comment="Code that was planted; as before if null",
        ),
        sa.Column(
            "planned",
            sa.Boolean(),
            nullable=False,
            comment="Of forecasts only: it has not happened yet",
        ),
        sa.Column(
            "source", sa.String(), nullable=False, comment="Who saw it, or what it was found in"
        ),
        sa.Column(
            "evidence",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="What it was found by",
        ),
        sa.Column("evidence_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("replaces", sa.Uuid(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column(
            "reason", sa.String(), nullable=False, comment="Why it was entered again; empty at first"
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "effective_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it counts; given by the command",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="kind_known"),
        sa.CheckConstraint("year BETWEEN 1900 AND 2200", name="year_sensible"),
        sa.CheckConstraint("touched_ppm BETWEEN 1 AND 1000000", name="touched_share"),
        sa.CheckConstraint("intensity_ppm BETWEEN 1 AND 1000000", name="intensity_share"),
        sa.CheckConstraint("species IS NULL OR kind = 'replanting'", name="species_planted"),
        sa.CheckConstraint("NOT withdrawn OR replaces IS NOT NULL", name="withdrawn_names"),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"]),
        sa.ForeignKeyConstraint(["replaces"], ["stand_event.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("replaces"),
    )
    op.create_index("ix_stand_event_parcel_id", "stand_event", ["parcel_id"])
    record_table("stand_event")
    kept = follows(
        "parcel", f"u.id = parcel_id AND ({under('u.division_code')} OR {own('u.owner_id')})"
    )
    secure(
        "stand_event",
        see=follows("parcel", "u.id = parcel_id"),
        add=f"{me('actor_id')} AND {kept}",
    )


def downgrade() -> None:
    unsecure("stand_event")
    op.drop_table("stand_event")
