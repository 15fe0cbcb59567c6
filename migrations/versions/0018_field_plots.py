"""Field plots and what was estimated from them; the record of both only grows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import follows, me, record_table, secure, unsecure

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STAFF = (
    "EXISTS (SELECT FROM project u WHERE u.id = project_id"
    " AND (rpad(u.adcode, 12, '0') LIKE (SELECT acts_under())"
    " OR (SELECT acts_under()) LIKE u.adcode || '%' OR u.proponent_id = (SELECT acts_for())))"
)
ORIGIN = "Whose plot: the project's, or a verifier's own"
YEAR = "Its stock counts for 31 December of it"
VERIFIER = "(SELECT acts_with(ARRAY['verifier']))"
JSONB = postgresql.JSONB(astext_type=sa.Text())


def _common():
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False, comment=ORIGIN),
        sa.Column("survey_year", sa.Integer(), nullable=False, comment=YEAR),
    )


def _kept():
    return (
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False, comment="When it counts; given by the command"),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
    )


def upgrade() -> None:
    op.create_table(
        "field_plot",
        *_common(),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False, comment="Of the middle, CGCS2000 degrees"),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("size_m", sa.Float(), nullable=False, comment="Radius or side as laid out on the ground"),
        sa.Column("slope", sa.Float(), nullable=False, comment="Rise over run"),
        sa.Column("measured_on", sa.Date(), nullable=False),
        sa.Column("measured_by", sa.String(), nullable=False),
        sa.Column("stratum", sa.String(), nullable=False),
        sa.Column("trees", JSONB, nullable=False, comment="Species, d cm, h m, crown length m"),
        sa.Column("culms", JSONB, nullable=False, comment="Age class, count, mean d cm"),
        sa.Column("reason", sa.String(), nullable=False, comment="Why it was entered again; empty at first"),
        sa.Column("source_sha256", sa.LargeBinary(length=32), nullable=True),
        *_kept(),
        sa.CheckConstraint("origin IN ('project', 'verifier')", name="origin_known"),
        sa.CheckConstraint("shape IN ('circle', 'square')", name="shape_known"),
        sa.CheckConstraint("size_m > 0 AND slope >= 0", name="size_positive"),
        sa.CheckConstraint("version > 0", name="version_positive"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project_id", "origin", "survey_year", "number", "version"),
    )
    op.create_table(
        "plot_estimate",
        *_common(),
        sa.Column("before_year", sa.Integer(), nullable=True, comment="The estimate is the change since"),
        sa.Column("model", sa.Text(), nullable=False, comment="Source of the equations"),
        sa.Column("mean_t_c_ha", sa.Float(), nullable=False),
        sa.Column("half_width_t_c_ha", sa.Float(), nullable=False),
        sa.Column("u", sa.String(), nullable=False, comment="Relative half-width, an exact fraction"),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("strata", JSONB, nullable=False, comment="Name, share of the area, plots"),
        sa.Column("plots", JSONB, nullable=False, comment="Number, id of each version used"),
        sa.Column("models", JSONB, nullable=False, comment="The same by every other model"),
        *_kept(),
        sa.CheckConstraint("origin IN ('project', 'verifier')", name="origin_known"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_plot_estimate_project_id", "plot_estimate", ["project_id"])
    mine = (
        f"{me('actor_id')} AND ((origin = 'project' AND {STAFF})"
        f" OR (origin = 'verifier' AND {VERIFIER} AND {follows('project', 'u.id = project_id')}))"
    )
    for name in ("field_plot", "plot_estimate"):
        record_table(name)
        secure(name, see=follows("project", "u.id = project_id"), add=mine)


def downgrade() -> None:
    for name in ("plot_estimate", "field_plot"):
        unsecure(name)
        op.drop_table(name)
