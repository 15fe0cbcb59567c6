"""Science: layers by digest, what parcels hold of them, and runs that name all their inputs."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import Xid8, record_table, state_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cohort_table",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scheme", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("years", postgresql.INT4RANGE(), nullable=False),
        sa.Column(
            "rows",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Keys, marks, digests of rows used",
        ),
        sa.Column(
            "cells", sa.LargeBinary(), nullable=False, comment="int32 little-endian, deflated"
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_cohort_table")),
    )
    op.create_table(
        "layer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="species, age, site, dem, canopy, disturbance, ndvi",
        ),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "path", sa.String(), nullable=False, comment="Below the folder of layers, or an address"
        ),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("crs", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("cell_m", sa.Double(), nullable=False),
        sa.Column("nodata", sa.Double(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
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
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layer")),
        sa.UniqueConstraint("sha256", "kind", name=op.f("uq_layer_sha256_kind")),
    )
    op.create_table(
        "assessment_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("years", postgresql.INT4RANGE(), nullable=False),
        sa.Column("layer_set", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "layers",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Kind, id and SHA-256 of each layer",
        ),
        sa.Column("table_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("engine_version", sa.Integer(), nullable=False),
        sa.Column("input_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code_revision", sa.String(), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("net_kg", sa.BigInteger(), nullable=False, comment="Sum over parcels and years"),
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
        sa.CheckConstraint(
            "kind IN ('forecast', 'monitored')", name=op.f("ck_assessment_run_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_assessment_run_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_assessment_run_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["table_digest"],
            ["cohort_table.digest"],
            name=op.f("fk_assessment_run_table_digest_cohort_table"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_run")),
        sa.UniqueConstraint("input_digest", name=op.f("uq_assessment_run_input_digest")),
    )
    op.create_index("ix_assessment_run_project_id", "assessment_run", ["project_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.String(), server_default="", nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "error",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="Code and parameters",
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
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_job_state_known"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_job_actor_id_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_state", "job", ["state"], unique=False)
    op.create_table(
        "assessment",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("stock_kg", sa.BigInteger(), nullable=False),
        sa.Column("net_kg", sa.BigInteger(), nullable=False),
        sa.Column(
            "flags",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Codes of what a reader must know",
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_assessment_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["assessment_run.id"], name=op.f("fk_assessment_run_id_assessment_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", "year", name=op.f("pk_assessment")),
    )
    op.create_index(
        "ix_assessment_parcel_id_year", "assessment", ["parcel_id", "year"], unique=False
    )
    op.create_table(
        "histogram",
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "layer_set",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="Digest of layer digests, cohort scheme and engine version",
        ),
        sa.Column("cohort", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("area_dm2", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("nodata_dm2", sa.BigInteger(), nullable=False),
        sa.Column("outside_dm2", sa.BigInteger(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "cardinality(cohort) = cardinality(area_dm2)", name=op.f("ck_histogram_arrays_match")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_histogram_parcel_id_version_parcel_version"),
        ),
        sa.PrimaryKeyConstraint("parcel_id", "version", "layer_set", name=op.f("pk_histogram")),
    )

    record_table("layer")
    record_table("histogram")
    record_table("cohort_table")
    record_table("assessment_run")
    record_table("assessment")
    state_table("job", update="state, phase, done, total, cancel_requested, result, error")


def downgrade() -> None:
    op.drop_table("histogram")
    op.drop_table("assessment")
    op.drop_table("job")
    op.drop_table("assessment_run")
    op.drop_table("layer")
    op.drop_table("cohort_table")
