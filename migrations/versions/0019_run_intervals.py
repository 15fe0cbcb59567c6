"""The interval of a run, kept with its seed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import follows, me, record_table, secure, unsecure

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run_interval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "seed", sa.BigInteger(), nullable=False, comment="The same one gives the same interval"
        ),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column(
            "body",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Stock and net of each year with low and high, kg CO2e; errors; unknown",
        ),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["assessment_run.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_run_interval_run_id", "run_interval", ["run_id"])
    record_table("run_interval")
    run = follows("assessment_run", "u.id = run_id")
    secure("run_interval", see=run, add=f"{me('actor_id')} AND {run}")


def downgrade() -> None:
    unsecure("run_interval")
    op.drop_table("run_interval")
