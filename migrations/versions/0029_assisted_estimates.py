"""An estimate of plots may be assisted by a run's map: by which way, run and values."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "plot_estimate",
        sa.Column(
            "estimator",
            sa.Text(),
            nullable=False,
            server_default="expansion",
            comment="expansion: plots alone; difference, ratio, regression: with a map",
        ),
    )
    op.add_column("plot_estimate", sa.Column("run_id", sa.Uuid(), nullable=True))
    op.add_column(
        "plot_estimate",
        sa.Column(
            "assisted",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="The map at the plots and its means, correction, how much it helped",
        ),
    )
    op.create_foreign_key(
        op.f("fk_plot_estimate_run_id_assessment_run"),
        "plot_estimate",
        "assessment_run",
        ["run_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_plot_estimate_estimator_known"),
        "plot_estimate",
        "estimator IN ('expansion', 'difference', 'ratio', 'regression')",
    )
    op.create_check_constraint(
        op.f("ck_plot_estimate_map_of_run"),
        "plot_estimate",
        "(estimator = 'expansion') = (run_id IS NULL)",
    )


def downgrade() -> None:
    for name in ("assisted", "run_id", "estimator"):
        op.drop_column("plot_estimate", name)
