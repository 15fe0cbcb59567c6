"""Kinship of parcels: which came of which by a split or a merge."""

import sqlalchemy as sa
from alembic import op

from migrations.access import follows, record_table, secure, unsecure

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parcel_lineage",
        sa.Column("parent_id", sa.Uuid(), nullable=False),
        sa.Column("parent_version", sa.Integer(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
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
        sa.CheckConstraint(
            "operation IN ('split', 'merge')", name=op.f("ck_parcel_lineage_operation_known")
        ),
        sa.CheckConstraint("parent_id <> child_id", name=op.f("ck_parcel_lineage_two_parcels")),
        sa.ForeignKeyConstraint(
            ["child_id"], ["parcel.id"], name=op.f("fk_parcel_lineage_child_id_parcel")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id", "parent_version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_parcel_lineage_parent_id_parent_version_parcel_version"),
        ),
        sa.PrimaryKeyConstraint("parent_id", "child_id", name=op.f("pk_parcel_lineage")),
    )
    op.create_index("ix_parcel_lineage_child_id", "parcel_lineage", ["child_id"], unique=False)
    record_table("parcel_lineage")
    seen = follows("parcel", "u.id IN (parent_id, child_id)")
    secure("parcel_lineage", see=seen, add=follows("parcel", "u.id = child_id"))


def downgrade() -> None:
    unsecure("parcel_lineage")
    op.drop_table("parcel_lineage")
