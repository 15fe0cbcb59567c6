"""Units: one ledger for kilograms and fen, serial ranges, capacity that is never oversold."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import Xid8, record_table, state_table

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="issued, holding, buffer, retired, escrow, tax ...",
        ),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reference", sa.String(), nullable=True, comment="What it is for: a lot, a subscription"
        ),
        sa.Column(
            "overdraft", sa.Boolean(), nullable=False, comment="True for the outside world only"
        ),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "asset IN ('kg', 'forecast_kg', 'fen', 'tree')", name=op.f("ck_account_asset_known")
        ),
        sa.CheckConstraint(
            "overdraft = (kind IN ('issued', 'grown', 'planted', 'world'))",
            name=op.f("ck_account_only_sources_owe"),
        ),
        sa.CheckConstraint("balance >= 0 OR overdraft", name=op.f("ck_account_never_negative")),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_account_party_id_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index(
        "uq_account_place",
        "account",
        ["asset", "kind", "party_id", "reference"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column(
            "body", sa.Text(), nullable=False, comment="Canonical JSON, the bytes that are signed"
        ),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
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
            "sha256 = sha256(convert_to(body, 'UTF8'))", name=op.f("ck_certificate_digest_is_true")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_certificate_event_id_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("number", name=op.f("uq_certificate_number")),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_entry_amount_positive")),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_entry_two_accounts")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_entry_event_id_event")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["account.id"], name=op.f("fk_entry_source_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["account.id"], name=op.f("fk_entry_target_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_event_id", "entry", ["event_id"], unique=False)
    op.create_index("ix_entry_source_id", "entry", ["source_id"], unique=False)
    op.create_index("ix_entry_target_id", "entry", ["target_id"], unique=False)
    op.create_table(
        "period",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False, comment="First day after the period"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column(
            "inputs",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Baseline, emissions, leakage, U",
        ),
        sa.Column(
            "creditable_kg",
            sa.BigInteger(),
            nullable=False,
            comment="By the plan, before the verifier",
        ),
        sa.Column(
            "plan",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Every step from change to kg",
        ),
        sa.Column("verifier_id", sa.Uuid(), nullable=True),
        sa.Column("verified_kg", sa.BigInteger(), nullable=True),
        sa.Column("statement_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
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
        postgresql.ExcludeConstraint(
            (sa.column("project_id"), "="),
            (sa.text("daterange(starts_on, ends_on)"), "&&"),
            where=sa.text("status <> 'refused'"),
            using="gist",
            name="ex_period_one_at_a_time",
        ),
        sa.CheckConstraint(
            "status IN ('submitted', 'verified', 'refused', 'issued')",
            name=op.f("ck_period_status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('verified', 'issued') OR verified_kg IS NOT NULL",
            name=op.f("ck_period_verified_has_kg"),
        ),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_period_order")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_period_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["assessment_run.id"], name=op.f("fk_period_run_id_assessment_run")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_period_submitted_by_actor")
        ),
        sa.ForeignKeyConstraint(
            ["verifier_id"], ["party.id"], name=op.f("fk_period_verifier_id_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_period")),
    )
    op.create_table(
        "retirement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("beneficiary", sa.String(), nullable=False),
        sa.Column("beneficiary_location", sa.String(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reporting_period", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("kg", sa.BigInteger(), nullable=False),
        sa.Column(
            "serials",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Full serial ranges, inclusive",
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False),
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
            "purpose IN ('corporate_targets', 'public_environmental_claims', 'insetting', 'regulatory_requirement', 'other')",
            name=op.f("ck_retirement_purpose_known"),
        ),
        sa.CheckConstraint("kg > 0", name=op.f("ck_retirement_kg_positive")),
        sa.CheckConstraint("length(note) <= 512", name=op.f("ck_retirement_note_short")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_retirement_event_id_event")
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["party.id"], name=op.f("fk_retirement_holder_id_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retirement")),
        sa.UniqueConstraint("number", name=op.f("uq_retirement_number")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("period_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column(
            "prefix",
            sa.String(),
            nullable=False,
            comment="CN-<adcode6>-FCS-<project6>-<batch3>-<vintage4>",
        ),
        sa.Column("size_kg", sa.BigInteger(), nullable=False),
        sa.Column("buffer_kg", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint("buffer_kg BETWEEN 0 AND size_kg", name=op.f("ck_batch_buffer_within")),
        sa.CheckConstraint("size_kg > 0", name=op.f("ck_batch_size_positive")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_batch_event_id_event")),
        sa.ForeignKeyConstraint(
            ["period_id"], ["period.id"], name=op.f("fk_batch_period_id_period")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_batch_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("period_id", "vintage", name=op.f("uq_batch_period_id_vintage")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_batch_project_id_number")),
    )
    op.create_table(
        "unit_range",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("serials", postgresql.INT8RANGE(), nullable=False, comment="One serial per kg"),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("batch_id"), "="),
            (sa.column("serials"), "&&"),
            where=sa.text("closed_by IS NULL"),
            deferrable=True,
            initially="DEFERRED",
            using="gist",
            name="ex_unit_range_disjoint",
        ),
        sa.CheckConstraint(
            "status IN ('held', 'retired', 'cancelled', 'buffer')",
            name=op.f("ck_unit_range_status_known"),
        ),
        sa.CheckConstraint(
            "NOT isempty(serials) AND lower(serials) >= 1",
            name=op.f("ck_unit_range_serials_from_1"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_unit_range_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_unit_range_batch_id_batch")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["event.id"], name=op.f("fk_unit_range_closed_by_event")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["event.id"], name=op.f("fk_unit_range_opened_by_event")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["unit_range.id"], name=op.f("fk_unit_range_parent_id_unit_range")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_range")),
    )
    op.create_index(
        "ix_unit_range_account_id",
        "unit_range",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("closed_by IS NULL"),
    )
    op.create_table(
        "capacity",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("cap_kg", sa.BigInteger(), nullable=False),
        sa.Column("committed_kg", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("short_kg", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "cap_kg >= 0 AND committed_kg >= 0 AND short_kg >= 0",
            name=op.f("ck_capacity_not_negative"),
        ),
        sa.CheckConstraint(
            "committed_kg <= cap_kg + short_kg", name=op.f("ck_capacity_never_oversold")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_capacity_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_capacity_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["assessment_run.id"], name=op.f("fk_capacity_run_id_assessment_run")
        ),
        sa.PrimaryKeyConstraint("claim_id", "parcel_id", "vintage", name=op.f("pk_capacity")),
    )
    op.create_table(
        "reservation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("kg", sa.BigInteger(), nullable=False),
        sa.Column("holder_ref", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "state IN ('held', 'released', 'burned')", name=op.f("ck_reservation_state_known")
        ),
        sa.CheckConstraint("kg > 0", name=op.f("ck_reservation_kg_positive")),
        sa.ForeignKeyConstraint(
            ["claim_id", "parcel_id", "vintage"],
            ["capacity.claim_id", "capacity.parcel_id", "capacity.vintage"],
            name=op.f("fk_reservation_claim_id_parcel_id_vintage_capacity"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservation")),
        sa.UniqueConstraint(
            "holder_ref",
            "claim_id",
            "parcel_id",
            "vintage",
            name=op.f("uq_reservation_holder_ref_claim_id_parcel_id_vintage"),
        ),
    )

    # The only way a balance moves: one row a movement, balances in id order, all or nothing.
    op.execute(
        """
        CREATE FUNCTION post_legs(event uuid, legs jsonb) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
          wrong record;
        BEGIN
          PERFORM 1 FROM account WHERE id IN (
              SELECT (l ->> 'source')::uuid FROM jsonb_array_elements(legs) l
              UNION SELECT (l ->> 'target')::uuid FROM jsonb_array_elements(legs) l)
            ORDER BY id FOR UPDATE;
          SELECT l.* INTO wrong
            FROM jsonb_to_recordset(legs) AS l(source uuid, target uuid, amount bigint)
            LEFT JOIN account s ON s.id = l.source
            LEFT JOIN account t ON t.id = l.target
           WHERE s.asset IS DISTINCT FROM t.asset OR s.id IS NULL LIMIT 1;
          IF FOUND THEN
            RAISE EXCEPTION 'a leg from % to % crosses assets', wrong.source, wrong.target
              USING ERRCODE = '23514', CONSTRAINT = 'legs_of_one_asset';
          END IF;
          INSERT INTO entry (event_id, source_id, target_id, amount)
            SELECT event, l.source, l.target, l.amount
              FROM jsonb_to_recordset(legs) AS l(source uuid, target uuid, amount bigint);
          UPDATE account a SET balance = balance + d.delta
            FROM (SELECT id, sum(delta)::bigint AS delta FROM (
                    SELECT (l ->> 'source')::uuid AS id, -(l ->> 'amount')::bigint AS delta
                      FROM jsonb_array_elements(legs) l
                    UNION ALL
                    SELECT (l ->> 'target')::uuid, (l ->> 'amount')::bigint
                      FROM jsonb_array_elements(legs) l) m
                  GROUP BY id) d
           WHERE a.id = d.id;
        END $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION post_legs FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION post_legs TO tanhui_app")
    op.execute("GRANT SELECT ON entry TO tanhui_app")
    op.execute(
        "CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("GRANT SELECT ON account TO tanhui_app")
    op.execute(
        "GRANT INSERT (id, asset, kind, party_id, reference, overdraft) ON account TO tanhui_app"
    )
    record_table("batch")
    record_table("retirement")
    record_table("certificate")
    state_table("period", update="status, verifier_id, verified_kg, statement_sha256")
    state_table("unit_range", update="closed_by")
    state_table("capacity", update="cap_kg, committed_kg, short_kg, run_id, version")
    state_table("reservation", update="state, kg")


def downgrade() -> None:
    op.drop_table("reservation")
    op.drop_table("capacity")
    op.drop_table("unit_range")
    op.drop_table("batch")
    op.drop_table("retirement")
    op.drop_table("period")
    op.drop_table("entry")
    op.drop_table("certificate")
    op.drop_table("account")
    op.execute("DROP FUNCTION post_legs")
