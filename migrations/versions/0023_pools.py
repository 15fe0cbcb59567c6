"""Runs may keep carbon pools apart, with the strata they stand on and what the record told them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import APP

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())
VIEW = """
CREATE VIEW assessment_pool WITH (security_invoker = true) AS
SELECT s.run_id, s.parcel_id, r.pools -> (k.k - 1) ->> 'pool' AS pool,
       s.first_year + i.i::int - 1 AS year,
       s.pool_kg[k.k][i.i + 1] AS stock_kg,
       s.pool_kg[k.k][i.i + 1] - s.pool_kg[k.k][i.i] AS net_kg
  FROM assessment_series s JOIN assessment_run r ON r.id = s.run_id
 CROSS JOIN LATERAL generate_series(1, array_length(s.pool_kg, 1)) AS k(k)
 CROSS JOIN LATERAL generate_series(1, cardinality(s.net_kg)) AS i(i)
"""


def upgrade() -> None:
    op.add_column(
        "assessment_run",
        sa.Column(
            "strata_digest",
            sa.LargeBinary(length=32),
            nullable=True,
            comment="Of a run that keeps pools apart",
        ),
    )
    op.add_column(
        "assessment_run",
        sa.Column(
            "pools",
            JSONB,
            nullable=True,
            comment="Pools that add up to its figures, with source and mark of that choice",
        ),
    )
    op.create_foreign_key(
        op.f("fk_assessment_run_strata_digest_cohort_table"),
        "assessment_run",
        "cohort_table",
        ["strata_digest"],
        ["digest"],
    )
    op.create_check_constraint(
        op.f("ck_assessment_run_pools_of_strata"),
        "assessment_run",
        "(pools IS NULL) = (strata_digest IS NULL)",
    )
    op.add_column(
        "assessment_series",
        sa.Column(
            "pool_kg",
            postgresql.ARRAY(sa.BigInteger(), dimensions=2),
            nullable=True,
            comment="Of each of the run's pools, at 31 December from the year before first_year on",
        ),
    )
    op.add_column(
        "assessment_series",
        sa.Column(
            "given",
            JSONB,
            nullable=True,
            comment="Events and counted bamboo that the run read of the record",
        ),
    )
    op.create_check_constraint(
        op.f("ck_assessment_series_pools_match"),
        "assessment_series",
        "pool_kg IS NULL OR array_length(pool_kg, 2) = cardinality(net_kg) + 1",
    )
    op.execute(VIEW)
    op.execute(f"GRANT SELECT ON assessment_pool TO {APP}")


def downgrade() -> None:
    op.execute("DROP VIEW assessment_pool")
    op.drop_column("assessment_series", "given")
    op.drop_column("assessment_series", "pool_kg")
    op.drop_column("assessment_run", "pools")
    op.drop_column("assessment_run", "strata_digest")
