"""Orchards: accounts, books of lines, balances, labels, and vouchers whose amounts add up."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import record_table, state_table

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "label_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False, comment="Empty, or why it was run again"),
        sa.Column("programme_id", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.Text(), nullable=False),
        sa.Column("programme_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "groups",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Benchmarks: value, basis, n",
        ),
        sa.Column("input_digest", sa.LargeBinary(length=32), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_label_run_actor_id_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_run")),
    )
    op.create_index("ix_label_run_county", "label_run", ["adcode", "year"], unique=False)
    op.create_table(
        "orchard",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("crop", sa.Text(), nullable=False),
        sa.Column("boundary_version", sa.Integer(), nullable=False, comment="The newest version"),
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
        sa.CheckConstraint("adcode ~ '^[0-9]{6}$'", name=op.f("ck_orchard_adcode_has_6_digits")),
        sa.CheckConstraint("boundary_version >= 1", name=op.f("ck_orchard_has_boundary")),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_orchard_actor_id_actor")),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["party.id"], name=op.f("fk_orchard_operator_id_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchard")),
        sa.UniqueConstraint(
            "operator_id", "adcode", "crop", name=op.f("uq_orchard_operator_id_adcode_crop")
        ),
    )
    op.create_index("ix_orchard_adcode", "orchard", ["adcode"], unique=False)
    op.create_table(
        "orchard_benchmark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("crop", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column(
            "basis",
            sa.Text(),
            nullable=False,
            comment="fruit: kg CO2e per kg; area: kg CO2e per mu",
        ),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
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
            "basis IN ('fruit', 'area')", name=op.f("ck_orchard_benchmark_basis_known")
        ),
        sa.CheckConstraint("value > 0", name=op.f("ck_orchard_benchmark_value_positive")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_orchard_benchmark_actor_id_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchard_benchmark")),
    )
    op.create_index(
        "ix_orchard_benchmark_group",
        "orchard_benchmark",
        ["adcode", "year", "crop", "stage", "basis"],
        unique=False,
    )
    op.create_table(
        "orchard_book",
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "status IN ('draft','submitted','returned','approved')",
            name=op.f("ck_orchard_book_known"),
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id"], ["orchard.id"], name=op.f("fk_orchard_book_orchard_id_orchard")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_orchard_book_submitted_by_actor")
        ),
        sa.PrimaryKeyConstraint("orchard_id", "year", name=op.f("pk_orchard_book")),
    )
    op.create_table(
        "orchard_boundary",
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column(
            "planted_area_m2", sa.Numeric(), nullable=False, comment="Sum over the plots, exact"
        ),
        sa.Column("reason", sa.String(), nullable=False),
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
        sa.CheckConstraint("planted_area_m2 > 0", name=op.f("ck_orchard_boundary_planted")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_orchard_boundary_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id"], ["orchard.id"], name=op.f("fk_orchard_boundary_orchard_id_orchard")
        ),
        sa.PrimaryKeyConstraint("orchard_id", "version", name=op.f("pk_orchard_boundary")),
    )
    op.create_table(
        "orchard_veto",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("lifts_id", sa.Uuid(), nullable=True),
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
            "kind IN ('basic_farmland_conflict', 'boundary_dispute', 'false_record')",
            name=op.f("ck_orchard_veto_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_orchard_veto_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["lifts_id"], ["orchard_veto.id"], name=op.f("fk_orchard_veto_lifts_id_orchard_veto")
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id"], ["orchard.id"], name=op.f("fk_orchard_veto_orchard_id_orchard")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchard_veto")),
        sa.UniqueConstraint("lifts_id", name=op.f("uq_orchard_veto_lifts_id")),
    )
    op.create_index("ix_orchard_veto_orchard", "orchard_veto", ["orchard_id", "year"], unique=False)
    op.create_table(
        "orchard_balance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="In the order computed"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("boundary_version", sa.Integer(), nullable=False),
        sa.Column("e_kg", sa.BigInteger(), nullable=False, comment="Emission, kg CO2e, rounded up"),
        sa.Column("s_kg", sa.BigInteger(), nullable=False, comment="Fixation that counts, kg CO2e"),
        sa.Column("s_biomass_kg", sa.BigInteger(), nullable=False),
        sa.Column("s_soil_kg", sa.BigInteger(), nullable=False),
        sa.Column(
            "soil_shown_kg",
            sa.BigInteger(),
            nullable=False,
            comment="Soil as computed, counted or not",
        ),
        sa.Column("net_kg", sa.BigInteger(), nullable=False),
        sa.Column(
            "evidence_share",
            sa.String(),
            nullable=True,
            comment="Exact fraction of E with evidence",
        ),
        sa.Column("organic_share", sa.String(), nullable=True, comment="Exact fraction of N"),
        sa.Column(
            "coverage",
            sa.String(),
            nullable=False,
            comment="Exact fraction of planted area with records",
        ),
        sa.Column("yield_kg", sa.Numeric(), nullable=False),
        sa.Column("premium_kg", sa.Numeric(), nullable=False),
        sa.Column("practices", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "terms",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Each term of each line",
        ),
        sa.Column(
            "factors",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Rows used: value, source, mark",
        ),
        sa.Column(
            "stocks",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Tree stock before and after",
        ),
        sa.Column("setting", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("input_digest", sa.LargeBinary(length=32), nullable=False),
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
            "kind IN ('draft', 'approved')", name=op.f("ck_orchard_balance_kind_known")
        ),
        sa.CheckConstraint("e_kg >= 0", name=op.f("ck_orchard_balance_emission_not_negative")),
        sa.CheckConstraint("net_kg = s_kg - e_kg", name=op.f("ck_orchard_balance_net_adds_up")),
        sa.CheckConstraint(
            "s_kg = s_biomass_kg + s_soil_kg", name=op.f("ck_orchard_balance_fixation_adds_up")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_orchard_balance_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id", "boundary_version"],
            ["orchard_boundary.orchard_id", "orchard_boundary.version"],
            name=op.f("fk_orchard_balance_orchard_id_boundary_version_orchard_boundary"),
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id", "year"],
            ["orchard_book.orchard_id", "orchard_book.year"],
            name=op.f("fk_orchard_balance_orchard_id_year_orchard_book"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchard_balance")),
        sa.UniqueConstraint(
            "orchard_id", "year", "number", name=op.f("uq_orchard_balance_orchard_id_year_number")
        ),
    )
    op.create_table(
        "orchard_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column(
            "client_id",
            sa.String(),
            nullable=False,
            comment="Given by the phone: a repeat is the same line",
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("n_kg", sa.Numeric(), nullable=False),
        sa.Column("p2o5_kg", sa.Numeric(), nullable=False),
        sa.Column("k2o_kg", sa.Numeric(), nullable=False),
        sa.Column("area_share", sa.Numeric(), nullable=True),
        sa.Column("premium_kg", sa.Numeric(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=True, comment="None: the whole orchard"),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("photo_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False, comment="Who entered it"),
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
            "area_share IS NULL OR area_share BETWEEN 0 AND 1", name=op.f("ck_orchard_line_share")
        ),
        sa.CheckConstraint(
            "extract(year FROM on_date) = year", name=op.f("ck_orchard_line_date_in_year")
        ),
        sa.CheckConstraint(
            "premium_kg IS NULL OR premium_kg BETWEEN 0 AND quantity",
            name=op.f("ck_orchard_line_premium_within"),
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_orchard_line_quantity_not_negative")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_orchard_line_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id", "year"],
            ["orchard_book.orchard_id", "orchard_book.year"],
            name=op.f("fk_orchard_line_orchard_id_year_orchard_book"),
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["parcel.id"], name=op.f("fk_orchard_line_parcel_id_parcel")
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"],
            ["orchard_line.id"],
            name=op.f("fk_orchard_line_reverses_id_orchard_line"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchard_line")),
        sa.UniqueConstraint(
            "orchard_id",
            "year",
            "client_id",
            name=op.f("uq_orchard_line_orchard_id_year_client_id"),
        ),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_orchard_line_reverses_id")),
    )
    op.create_table(
        "orchard_plot",
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("planted_area_m2", sa.Numeric(), nullable=False),
        sa.Column(
            "parcel_area_m2",
            sa.Double(),
            nullable=False,
            comment="Of the parcel when it was written",
        ),
        sa.Column("trees", sa.Integer(), nullable=True),
        sa.Column("planting_year", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "stage IN ('young', 'mature', 'old')", name=op.f("ck_orchard_plot_stage_known")
        ),
        sa.CheckConstraint("planted_area_m2 > 0", name=op.f("ck_orchard_plot_planted")),
        sa.CheckConstraint(
            "trees IS NULL OR trees >= 0", name=op.f("ck_orchard_plot_trees_counted")
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id", "version"],
            ["orchard_boundary.orchard_id", "orchard_boundary.version"],
            name=op.f("fk_orchard_plot_orchard_id_version_orchard_boundary"),
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["parcel.id"], name=op.f("fk_orchard_plot_parcel_id_parcel")
        ),
        sa.PrimaryKeyConstraint("orchard_id", "version", "parcel_id", name=op.f("pk_orchard_plot")),
    )
    op.create_index("ix_orchard_plot_parcel_id", "orchard_plot", ["parcel_id"], unique=False)
    op.create_table(
        "orchard_book_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("balance_id", sa.Uuid(), nullable=True),
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
            "(decision = 'approve') = (balance_id IS NOT NULL)",
            name=op.f("ck_orchard_book_decision_balance_kept"),
        ),
        sa.CheckConstraint(
            "decision <> 'approve' OR submitted_by <> actor_id",
            name=op.f("ck_orchard_book_decision_approved_by_another"),
        ),
        sa.CheckConstraint(
            "decision IN ('submit','approve','return','reopen')",
            name=op.f("ck_orchard_book_decision_known"),
        ),
        sa.CheckConstraint(
            "decision NOT IN ('return', 'reopen') OR length(reason) > 0",
            name=op.f("ck_orchard_book_decision_says_why"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_orchard_book_decision_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["balance_id"],
            ["orchard_balance.id"],
            name=op.f("fk_orchard_book_decision_balance_id_orchard_balance"),
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id", "year"],
            ["orchard_book.orchard_id", "orchard_book.year"],
            name=op.f("fk_orchard_book_decision_orchard_id_year_orchard_book"),
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_orchard_book_decision_submitted_by_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orchard_book_decision")),
    )
    op.create_index(
        "ix_orchard_book_decision_book",
        "orchard_book_decision",
        ["orchard_id", "year"],
        unique=False,
    )
    op.create_table(
        "orchard_label",
        sa.Column("number", sa.Text(), nullable=False, comment="LBL-adcode-year-seq"),
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "appeal_of",
            sa.Text(),
            nullable=True,
            comment="The verdict this one answers an appeal to",
        ),
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("balance_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("x", sa.String(), nullable=True, comment="The measure, exact fraction"),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "(state = 'labelled') = (grade <> '')",
            name=op.f("ck_orchard_label_only_labelled_have_grade"),
        ),
        sa.CheckConstraint(
            "state IN ('labelled', 'unlabelled', 'withheld')",
            name=op.f("ck_orchard_label_state_known"),
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_orchard_label_valid")),
        sa.ForeignKeyConstraint(
            ["appeal_of"],
            ["orchard_label.number"],
            name=op.f("fk_orchard_label_appeal_of_orchard_label"),
        ),
        sa.ForeignKeyConstraint(
            ["balance_id"],
            ["orchard_balance.id"],
            name=op.f("fk_orchard_label_balance_id_orchard_balance"),
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id"], ["orchard.id"], name=op.f("fk_orchard_label_orchard_id_orchard")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["label_run.id"], name=op.f("fk_orchard_label_run_id_label_run")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_orchard_label")),
        sa.UniqueConstraint("adcode", "year", "seq", name=op.f("uq_orchard_label_adcode_year_seq")),
        sa.UniqueConstraint(
            "run_id", "orchard_id", name=op.f("uq_orchard_label_run_id_orchard_id")
        ),
    )
    op.create_index(
        "ix_orchard_label_orchard", "orchard_label", ["orchard_id", "year"], unique=False
    )
    op.create_table(
        "reward_voucher",
        sa.Column("number", sa.Text(), nullable=False, comment="RWD-adcode-year-seq"),
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("orchard_id", sa.Uuid(), nullable=False),
        sa.Column("balance_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("net_kg", sa.BigInteger(), nullable=False),
        sa.Column("carried_in_kg", sa.BigInteger(), nullable=False),
        sa.Column(
            "basis_kg", sa.BigInteger(), nullable=False, comment="Net it was worked out on, kg CO2e"
        ),
        sa.Column(
            "carried_kg",
            sa.BigInteger(),
            nullable=False,
            comment="Correction left for the next year",
        ),
        sa.Column("issued_kg", sa.BigInteger(), nullable=False, comment="Fertiliser, whole steps"),
        sa.Column("redeemed_kg", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expired_kg", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
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
        sa.CheckConstraint("unit IN ('tCO2e', 'tC')", name=op.f("ck_reward_voucher_unit_known")),
        sa.CheckConstraint(
            "carried_in_kg <= 0 AND carried_kg <= 0",
            name=op.f("ck_reward_voucher_corrections_lower"),
        ),
        sa.CheckConstraint("issued_kg >= 0", name=op.f("ck_reward_voucher_issued_not_negative")),
        sa.CheckConstraint(
            "redeemed_kg + expired_kg <= issued_kg",
            name=op.f("ck_reward_voucher_never_more_than_issued"),
        ),
        sa.CheckConstraint(
            "redeemed_kg >= 0 AND expired_kg >= 0",
            name=op.f("ck_reward_voucher_amounts_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_reward_voucher_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["balance_id"],
            ["orchard_balance.id"],
            name=op.f("fk_reward_voucher_balance_id_orchard_balance"),
        ),
        sa.ForeignKeyConstraint(
            ["orchard_id"], ["orchard.id"], name=op.f("fk_reward_voucher_orchard_id_orchard")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reward_voucher")),
        sa.UniqueConstraint(
            "adcode", "year", "seq", name=op.f("uq_reward_voucher_adcode_year_seq")
        ),
        sa.UniqueConstraint("orchard_id", "year", name=op.f("uq_reward_voucher_orchard_id_year")),
    )
    op.create_table(
        "reward_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("voucher", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kg", sa.BigInteger(), nullable=False),
        sa.Column(
            "line_id", sa.Uuid(), nullable=True, comment="The line it became in a later book"
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
            "(kind = 'redeem') = (line_id IS NOT NULL)",
            name=op.f("ck_reward_movement_redeemed_is_an_input"),
        ),
        sa.CheckConstraint(
            "kind IN ('issue', 'redeem', 'expire')", name=op.f("ck_reward_movement_kind_known")
        ),
        sa.CheckConstraint("kg > 0", name=op.f("ck_reward_movement_kg_positive")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_reward_movement_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["line_id"], ["orchard_line.id"], name=op.f("fk_reward_movement_line_id_orchard_line")
        ),
        sa.ForeignKeyConstraint(
            ["voucher"],
            ["reward_voucher.number"],
            name=op.f("fk_reward_movement_voucher_reward_voucher"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward_movement")),
        sa.UniqueConstraint("line_id", name=op.f("uq_reward_movement_line_id")),
    )
    op.create_index("ix_reward_movement_voucher", "reward_movement", ["voucher"], unique=False)
    for statement in FUNCTIONS:
        op.execute(statement)
    for name in RECORDS:
        record_table(name)
    state_table("orchard", update="boundary_version")
    state_table("orchard_book", update="status, submitted_by")
    state_table("reward_voucher", update="redeemed_kg, expired_kg")



def downgrade() -> None:
    op.drop_table("reward_movement")
    op.drop_table("reward_voucher")
    op.drop_table("orchard_label")
    op.drop_table("orchard_book_decision")
    op.drop_table("orchard_plot")
    op.drop_table("orchard_line")
    op.drop_table("orchard_balance")
    op.drop_table("orchard_veto")
    op.drop_table("orchard_boundary")
    op.drop_table("orchard_book")
    op.drop_table("orchard_benchmark")
    op.drop_table("orchard")
    op.drop_table("label_run")
    op.execute("DROP FUNCTION check_reward_adds_up, check_book_change")


RECORDS = (
    "orchard_boundary",
    "orchard_plot",
    "orchard_line",
    "orchard_balance",
    "orchard_book_decision",
    "orchard_veto",
    "orchard_benchmark",
    "label_run",
    "orchard_label",
    "reward_movement",
)

FUNCTIONS = (
    # Issued = redeemed + expired + open, and each is the sum of its movements, at every commit.
    """
    CREATE FUNCTION check_reward_adds_up() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      which text;
      v record;
      m record;
    BEGIN
      IF TG_TABLE_NAME = 'reward_voucher' THEN which := NEW.number;
      ELSE which := NEW.voucher; END IF;
      SELECT issued_kg, redeemed_kg, expired_kg INTO v FROM reward_voucher WHERE number = which;
      SELECT coalesce(sum(kg) FILTER (WHERE kind = 'issue'), 0) AS issued,
             coalesce(sum(kg) FILTER (WHERE kind = 'redeem'), 0) AS redeemed,
             coalesce(sum(kg) FILTER (WHERE kind = 'expire'), 0) AS expired
        INTO m FROM reward_movement WHERE voucher = which;
      IF (v.issued_kg, v.redeemed_kg, v.expired_kg) <> (m.issued, m.redeemed, m.expired) THEN
        RAISE EXCEPTION 'voucher % does not match its movements', which
          USING ERRCODE = '23514', CONSTRAINT = 'reward_adds_up';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER voucher_adds_up AFTER INSERT OR UPDATE ON reward_voucher
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_reward_adds_up()
    """,
    """
    CREATE CONSTRAINT TRIGGER movements_add_up AFTER INSERT ON reward_movement
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_reward_adds_up()
    """,
    # A book goes draft -> submitted -> approved | returned; only an approved one is opened again.
    """
    CREATE FUNCTION check_book_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
      IF (OLD.status, NEW.status) NOT IN (
           ('draft', 'submitted'), ('returned', 'submitted'), ('submitted', 'approved'),
           ('submitted', 'returned'), ('approved', 'returned')) THEN
        RAISE EXCEPTION 'a % book cannot become %', OLD.status, NEW.status
          USING ERRCODE = '23514', CONSTRAINT = 'book_goes_forward';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER book_change BEFORE UPDATE ON orchard_book
      FOR EACH ROW EXECUTE FUNCTION check_book_change()
    """,
)
