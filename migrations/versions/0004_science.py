"""Science: layers by digest, what parcels hold of them, and runs that name all their inputs."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import APP, record_table, state_table

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

QUEUE = Path(__file__).resolve().parent.parent / "sql" / "procrastinate_3_10.sql"
QUEUE_TABLES = (
    "procrastinate_jobs",
    "procrastinate_workers",
    "procrastinate_periodic_defers",
    "procrastinate_events",
)

ASSESSMENT = """
CREATE VIEW assessment WITH (security_invoker = true) AS
SELECT s.run_id, s.parcel_id, s.version, s.first_year + i.i::int - 1 AS year,
       s.stock_kg[i.i] AS stock_kg, s.net_kg[i.i] AS net_kg, s.flags
FROM assessment_series s CROSS JOIN LATERAL generate_series(1, cardinality(s.net_kg)) AS i(i)
"""

DROP_QUEUE = """
DO $$ DECLARE one regprocedure; BEGIN
  FOR one IN SELECT oid FROM pg_proc WHERE proname LIKE 'procrastinate\\_%'
  LOOP EXECUTE 'DROP FUNCTION ' || one || ' CASCADE'; END LOOP;
END $$;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status
"""


def upgrade() -> None:
    op.create_table(
        "cohort_table",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "key",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="Digest of what was asked of the growth tables, before anything is rounded",
        ),
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
        sa.UniqueConstraint("key", name=op.f("uq_cohort_table_key")),
    )
    op.create_table(
        "layer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="species, age, site, disturbance, dem, land_class, canopy, ndvi",
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
        sa.Column("dtype", sa.String(), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column(
            "grid",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Origin and cells; numbers as their shortest decimal text",
        ),
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
        "assessment_series",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_year", sa.Integer(), nullable=False),
        sa.Column(
            "stock_kg",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="At 31 December of each year from first_year on",
        ),
        sa.Column(
            "net_kg",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="Change of stock within each year from first_year on",
        ),
        sa.Column(
            "flags",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Codes and parameters of what a reader must know",
        ),
        sa.CheckConstraint(
            "cardinality(stock_kg) = cardinality(net_kg)",
            name=op.f("ck_assessment_series_arrays_match"),
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_assessment_series_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["assessment_run.id"],
            name=op.f("fk_assessment_series_run_id_assessment_run"),
        ),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", name=op.f("pk_assessment_series")),
    )
    op.create_index(
        "ix_assessment_series_parcel_id", "assessment_series", ["parcel_id"], unique=False
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
    record_table("assessment_series")
    op.execute(ASSESSMENT)
    op.execute(f"GRANT SELECT ON assessment TO {APP}")
    state_table("job", update="state, phase, done, total, cancel_requested, result, error")
    _make_queue()


def _make_queue() -> None:
    """Make the queue's own tables; the application works on them as its worker does."""
    # Many statements with per cent signs in them: the driver takes them as they stand.
    op.get_bind().connection.driver_connection.execute(QUEUE.read_text(encoding="utf-8"))
    tables = ", ".join(QUEUE_TABLES)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {APP}")
    for name in QUEUE_TABLES:
        op.execute(f"GRANT USAGE ON SEQUENCE {name}_id_seq TO {APP}")


def downgrade() -> None:
    for name in reversed(QUEUE_TABLES):
        op.execute(f"DROP TABLE {name} CASCADE")
    op.execute(DROP_QUEUE)
    op.drop_table("histogram")
    op.execute("DROP VIEW assessment")
    op.drop_table("assessment_series")
    op.drop_table("job")
    op.drop_table("assessment_run")
    op.drop_table("layer")
    op.drop_table("cohort_table")
