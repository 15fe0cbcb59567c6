"""What counts against a project, as rows with evidence; a period's sums, which must add up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import follows, me, record_table, secure, unsecure

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
KINDS = "'prior_vegetation', 'baseline', 'burning', 'fertiliser', 'emission', 'leakage'"
IDENTITY = (
    "gross_kg - discount_kg - baseline_kg - emissions_kg - leakage_kg - deficit_before_kg"
    " - withheld_kg = creditable_kg - deficit_kg"
)
STAFF = (
    "EXISTS (SELECT FROM project u WHERE u.id = project_id"
    " AND (rpad(u.adcode, 12, '0') LIKE (SELECT acts_under())"
    " OR (SELECT acts_under()) LIKE u.adcode || '%' OR u.proponent_id = (SELECT acts_for())))"
)
SUMS = {
    "gross_kg": "Change of the counted pools",
    "discount_kg": "For sampling error, rounded up",
    "baseline_kg": None,
    "emissions_kg": None,
    "leakage_kg": None,
    "deficit_before_kg": None,
    "withheld_kg": "Never a unit: non-permanence, roundings",
    "creditable_kg": None,
    "deficit_kg": "What the next period repays first",
}
# Periods of before: a fraction is kept as "n/d"; the discount is rounded up, what is left is withheld.
BEFORE = """
INSERT INTO period_account
SELECT id, gross, discount, baseline, emissions, leakage, before,
       gross - discount - baseline - emissions - leakage - before - creditable_kg + after,
       creditable_kg, after
  FROM (SELECT p.id, p.creditable_kg, (p.plan -> 'steps' ->> 'project_change_kg')::int8 AS gross,
               ceil(split_part(d, '/', 1)::numeric
                 / coalesce(nullif(split_part(d, '/', 2), ''), '1')::numeric)::int8 AS discount,
               (p.inputs ->> 'baseline_kg')::int8 AS baseline,
               (p.inputs ->> 'emissions_kg')::int8 AS emissions,
               (p.inputs ->> 'leakage_kg')::int8 AS leakage,
               (p.plan ->> 'deficit_before_kg')::int8 AS before,
               (p.plan -> 'steps' ->> 'deficit_kg')::int8 AS after
          FROM period p CROSS JOIN LATERAL (SELECT p.plan -> 'steps' ->> 'discount_kg' AS d) x) q
"""


def upgrade() -> None:
    op.create_table(
        "project_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "year",
            sa.Integer(),
            nullable=False,
            comment="Of the thing; of site preparation for vegetation",
        ),
        sa.Column("details", JSONB, nullable=False, comment="By kind; numbers as text"),
        sa.Column(
            "planned",
            sa.Boolean(),
            nullable=False,
            comment="Of forecasts only: it has not happened yet",
        ),
        sa.Column(
            "source",
            sa.String(),
            nullable=False,
            comment="Who measured it, or what it is taken from",
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
        sa.CheckConstraint("NOT withdrawn OR replaces IS NOT NULL", name="withdrawn_names"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"]),
        sa.ForeignKeyConstraint(["replaces"], ["project_item.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("replaces"),
    )
    op.create_index("ix_project_item_project_id", "project_item", ["project_id"])
    record_table("project_item")
    secure(
        "project_item",
        see=follows("project", "u.id = project_id"),
        add=f"{me('actor_id')} AND {STAFF}",
    )
    op.create_table(
        "period_account",
        sa.Column("period_id", sa.Uuid(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False, comment=words)
            for name, words in SUMS.items()
        ),
        sa.CheckConstraint(IDENTITY, name="adds_up"),
        sa.CheckConstraint(
            "least(emissions_kg, leakage_kg, deficit_before_kg, withheld_kg, creditable_kg,"
            " deficit_kg) >= 0",
            name="not_negative",
        ),
        sa.ForeignKeyConstraint(["period_id"], ["period.id"]),
        sa.PrimaryKeyConstraint("period_id"),
    )
    op.execute(BEFORE)
    record_table("period_account")
    secure("period_account", see=follows("period", "u.id = period_id"))


def downgrade() -> None:
    for name in ("period_account", "project_item"):
        unsecure(name)
        op.drop_table(name)
