"""Options: lots, subscriptions, money in and out; settlements that sum to the fen whoever writes."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import record_table, state_table

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RECORDS = (
    "lot_parcel",
    "lot_supply",
    "lot_step",
    "bank_line",
    "delivery",
    "refund",
    "settlement_line",
    "settlement_payment",
    "distribution",
    "distribution_payout",
)
SUMS = (
    "escrow_in_fen, refunds_fen, gross_fen, taxes_fen, insurance_fen, costs_fen,"
    " reserves_brought_fen, reserves_held_fen, advance_recouped_fen, returned_fen, remainder_fen,"
    " escrow_balance_fen, ratio, revision, inputs, input_digest, prepared_by"
)
STATES = {
    "lot": "sale_state, physical_state, noticed_on",
    "lot_offer": "pre_stored_at, delivered_at",
    "lot_objection": "state, answer",
    "subscription": "due_at, calendar_unverified, signed_at, contract_sha256, risk_accepted,"
    " paid_at",
    "subscription_line": "state, delivered, shortfall, refund_due_fen, refunded_fen",
    "tree": "status, owner_id, photo_sha256",
    "tree_pack": "line_id",
    "tree_pack_member": "delivered_to",
    "settlement": f"{SUMS}, state, checked_by, approved_by, document_sha256, returned_at,"
    " publish_by, published_at, effective_at",
}

# What holds for a settlement at every commit, whoever writes: its lines are its sums, its sums
# stand still once it is checked, and a transfer is a line's amount to a collective's own account.
RULES = (
    """
    CREATE FUNCTION check_settlement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      which uuid;
      s settlement;
      l record;
    BEGIN
      IF TG_TABLE_NAME = 'settlement' THEN which := NEW.id; ELSE which := NEW.settlement_id; END IF;
      SELECT * INTO s FROM settlement WHERE id = which;
      SELECT coalesce(sum(amount_fen) FILTER (WHERE kind = 'tax'), 0) AS taxes,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'insurance'), 0) AS insurance,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'cost'), 0) AS costs,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'reserve'), 0) AS reserves,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'advance'), 0) AS advance,
             coalesce(sum(amount_fen) FILTER (WHERE kind IN ('village', 'household')), 0)
               AS returned,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'remainder'), 0) AS remainder
        INTO l FROM settlement_line WHERE settlement_id = which AND revision = s.revision;
      IF (l.taxes, l.insurance, l.costs, l.reserves, l.advance, l.returned, l.remainder)
         IS DISTINCT FROM (s.taxes_fen, s.insurance_fen, s.costs_fen, s.reserves_held_fen,
                           s.advance_recouped_fen, s.returned_fen, s.remainder_fen) THEN
        RAISE EXCEPTION 'the lines of settlement % are not its sums', which
          USING ERRCODE = '23514', CONSTRAINT = 'settlement_lines_sum';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER settlement_is_true AFTER INSERT OR UPDATE ON settlement
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_settlement()
    """,
    """
    CREATE CONSTRAINT TRIGGER settlement_line_is_true AFTER INSERT ON settlement_line
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_settlement()
    """,
    """
    CREATE FUNCTION check_settlement_frozen() RETURNS trigger
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
      IF OLD.state <> 'DRAFT' AND
         (OLD.revision, OLD.escrow_in_fen, OLD.refunds_fen, OLD.gross_fen, OLD.taxes_fen,
          OLD.insurance_fen, OLD.costs_fen, OLD.reserves_brought_fen, OLD.reserves_held_fen,
          OLD.advance_recouped_fen, OLD.returned_fen, OLD.remainder_fen, OLD.escrow_balance_fen,
          OLD.input_digest)
         IS DISTINCT FROM
         (NEW.revision, NEW.escrow_in_fen, NEW.refunds_fen, NEW.gross_fen, NEW.taxes_fen,
          NEW.insurance_fen, NEW.costs_fen, NEW.reserves_brought_fen, NEW.reserves_held_fen,
          NEW.advance_recouped_fen, NEW.returned_fen, NEW.remainder_fen, NEW.escrow_balance_fen,
          NEW.input_digest) THEN
        RAISE EXCEPTION 'settlement % is %, its sums stand still', OLD.id, OLD.state
          USING ERRCODE = '23514', CONSTRAINT = 'settlement_frozen';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER settlement_is_frozen BEFORE UPDATE ON settlement
      FOR EACH ROW EXECUTE FUNCTION check_settlement_frozen()
    """,
    """
    CREATE FUNCTION check_settlement_payment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      l record;
    BEGIN
      SELECT amount_fen, kind INTO l FROM settlement_line
       WHERE settlement_id = NEW.settlement_id AND revision = NEW.revision AND n = NEW.n;
      IF l.amount_fen <> NEW.amount_fen
         OR (l.kind IN ('village', 'household') AND NEW.account_kind NOT IN ('basic', 'general'))
      THEN
        RAISE EXCEPTION 'line % of settlement % is not paid so', NEW.n, NEW.settlement_id
          USING ERRCODE = '23514', CONSTRAINT = 'settlement_payment_true';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER settlement_payment_is_true BEFORE INSERT ON settlement_payment
      FOR EACH ROW EXECUTE FUNCTION check_settlement_payment()
    """,
    "REVOKE ALL ON FUNCTION check_settlement, check_settlement_frozen, check_settlement_payment"
    " FROM PUBLIC",
)


def upgrade() -> None:
    op.create_table(
        "bank_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("counterparty", sa.String(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
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
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_bank_line_direction_known")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_line_amount_positive")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_bank_line_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_bank_line_event_id_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("bank_reference", name=op.f("uq_bank_line_bank_reference")),
    )
    op.create_index("ix_bank_line_subject_id", "bank_line", ["subject_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="batch:<id>, or lot:<id> for trees"),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("shortfall", sa.BigInteger(), nullable=False),
        sa.Column("unsold", sa.BigInteger(), nullable=False),
        sa.Column(
            "plan",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Every line's part",
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False),
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
            "delivered + shortfall = sold", name=op.f("ck_delivery_no_promise_lost")
        ),
        sa.CheckConstraint("delivered + unsold = available", name=op.f("ck_delivery_no_unit_lost")),
        sa.CheckConstraint(
            "delivered >= 0 AND unsold >= 0 AND shortfall >= 0",
            name=op.f("ck_delivery_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_delivery_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_delivery_event_id_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("source", "vintage", name=op.f("uq_delivery_source_vintage")),
    )
    op.create_table(
        "distribution",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("collective_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("net_income_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserve_ratio", sa.Text(), nullable=False),
        sa.Column("reserve_fen", sa.BigInteger(), nullable=False),
        sa.Column("distributed_fen", sa.BigInteger(), nullable=False),
        sa.Column("total_shares", sa.BigInteger(), nullable=False),
        sa.Column("document_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
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
            "10 * reserve_fen >= 3 * net_income_fen",
            name=op.f("ck_distribution_reserve_at_least_30"),
        ),
        sa.CheckConstraint("distributed_fen >= 0", name=op.f("ck_distribution_not_negative")),
        sa.CheckConstraint(
            "reserve_fen + distributed_fen = net_income_fen", name=op.f("ck_distribution_sums")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_distribution_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["collective_id"], ["party.id"], name=op.f("fk_distribution_collective_id_party")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_distribution_event_id_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distribution")),
        sa.UniqueConstraint(
            "collective_id", "year", name=op.f("uq_distribution_collective_id_year")
        ),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True, comment="The forecast the offer stands on"),
        sa.Column("company_id", sa.Uuid(), nullable=False, comment="Collection company"),
        sa.Column("carbon_right_holder", sa.Text(), nullable=False),
        sa.Column("return_trigger", sa.Text(), nullable=False),
        sa.Column("term_years", sa.Integer(), nullable=False),
        sa.Column("sale", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("waterfall", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "advance_fen",
            sa.BigInteger(),
            nullable=False,
            comment="Paid to the villages ahead of any sale",
        ),
        sa.Column("sale_state", sa.Text(), nullable=False),
        sa.Column("physical_state", sa.Text(), nullable=False),
        sa.Column("noticed_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True, comment="Last day of the sale"),
        sa.Column("created_by", sa.Uuid(), nullable=False),
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
            "carbon_right_holder IN ('buyer', 'seller')", name=op.f("ck_lot_right_holder_known")
        ),
        sa.CheckConstraint(
            "physical_state IN ('GROWING', 'DAMAGED', 'SHORT', 'WRITTEN_OFF')",
            name=op.f("ck_lot_physical_state_known"),
        ),
        sa.CheckConstraint(
            "sale_state IN ('DRAFT', 'REVIEW', 'ELIGIBLE', 'NOTICED', 'RESOLVED', 'PRE_STORED', 'LISTED', 'SOLD_OUT', 'CLOSED_TO_SALE', 'REJECTED', 'WITHDRAWN')",
            name=op.f("ck_lot_sale_state_known"),
        ),
        sa.CheckConstraint(
            "unit = 'tree' OR project_id IS NOT NULL", name=op.f("ck_lot_carbon_has_project")
        ),
        sa.CheckConstraint("unit IN ('kg', 'tree')", name=op.f("ck_lot_unit_known")),
        sa.CheckConstraint("advance_fen >= 0", name=op.f("ck_lot_advance_not_negative")),
        sa.ForeignKeyConstraint(["company_id"], ["party.id"], name=op.f("fk_lot_company_id_party")),
        sa.ForeignKeyConstraint(["created_by"], ["actor.id"], name=op.f("fk_lot_created_by_actor")),
        sa.ForeignKeyConstraint(
            ["programme_id", "programme_version"],
            ["programme.id", "programme.version"],
            name=op.f("fk_lot_programme_id_programme_version_programme"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_lot_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["assessment_run.id"], name=op.f("fk_lot_run_id_assessment_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("number", name=op.f("uq_lot_number")),
    )
    op.create_index("ix_lot_company_id", "lot", ["company_id"], unique=False)
    op.create_index("ix_lot_project_id", "lot", ["project_id"], unique=False)
    op.create_table(
        "tree",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("species", sa.Text(), nullable=False),
        sa.Column(
            "point", geoalchemy2.Geometry("POINT", srid=4490, spatial_index=False), nullable=False
        ),
        sa.Column("planted_year", sa.Integer(), nullable=False),
        sa.Column("photo_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
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
            "status IN ('live', 'dead', 'moved')", name=op.f("ck_tree_status_known")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_tree_number_positive")),
        sa.ForeignKeyConstraint(["owner_id"], ["party.id"], name=op.f("fk_tree_owner_id_party")),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["parcel.id"], name=op.f("fk_tree_parcel_id_parcel")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tree")),
        sa.UniqueConstraint("parcel_id", "number", name=op.f("uq_tree_parcel_id_number")),
    )
    op.create_index("ix_tree_owner_id", "tree", ["owner_id"], unique=False)
    op.create_table(
        "distribution_payout",
        sa.Column("distribution_id", sa.Uuid(), nullable=False),
        sa.Column("household_code", sa.Text(), nullable=False),
        sa.Column("holder_name", sa.String(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "shares > 0 AND amount_fen >= 0", name=op.f("ck_distribution_payout_positive")
        ),
        sa.ForeignKeyConstraint(
            ["distribution_id"],
            ["distribution.id"],
            name=op.f("fk_distribution_payout_distribution_id_distribution"),
        ),
        sa.PrimaryKeyConstraint(
            "distribution_id", "household_code", name=op.f("pk_distribution_payout")
        ),
    )
    op.create_table(
        "lot_objection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(), server_default="", nullable=False),
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
            "state = 'open' OR length(answer) > 0", name=op.f("ck_lot_objection_closed_says_why")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'upheld')", name=op.f("ck_lot_objection_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_lot_objection_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_objection_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_objection")),
    )
    op.create_index("ix_lot_objection_lot_id", "lot_objection", ["lot_id"], unique=False)
    op.create_table(
        "lot_offer",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False, comment="kg CO2e, or packs"),
        sa.Column("price_fen", sa.BigInteger(), nullable=False, comment="A tonne, or a pack"),
        sa.Column("pre_stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "delivered_at IS NULL OR pre_stored_at IS NOT NULL",
            name=op.f("ck_lot_offer_stored_before_delivered"),
        ),
        sa.CheckConstraint("quantity > 0 AND price_fen > 0", name=op.f("ck_lot_offer_positive")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_offer_lot_id_lot")),
        sa.PrimaryKeyConstraint("lot_id", "vintage", name=op.f("pk_lot_offer")),
    )
    op.create_table(
        "lot_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_lot_step_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_lot_step_event_id_event")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_step_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_step")),
    )
    op.create_index("ix_lot_step_lot_id", "lot_step", ["lot_id"], unique=False)
    op.create_table(
        "subscription",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_id", sa.Uuid(), nullable=False),
        sa.Column("buyer_kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the present step runs out",
        ),
        sa.Column("calendar_unverified", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contract_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("risk_accepted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
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
            "buyer_kind IN ('person', 'enterprise')", name=op.f("ck_subscription_buyer_kind_known")
        ),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_subscription_amount_positive")),
        sa.CheckConstraint(
            "paid_at IS NULL OR signed_at IS NOT NULL",
            name=op.f("ck_subscription_signed_before_paid"),
        ),
        sa.CheckConstraint(
            "signed_at IS NULL OR (contract_sha256 IS NOT NULL AND risk_accepted)",
            name=op.f("ck_subscription_signed_has_contract"),
        ),
        sa.ForeignKeyConstraint(
            ["buyer_id"], ["party.id"], name=op.f("fk_subscription_buyer_id_party")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["actor.id"], name=op.f("fk_subscription_created_by_actor")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_subscription_lot_id_lot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("number", name=op.f("uq_subscription_number")),
    )
    op.create_index("ix_subscription_buyer_id", "subscription", ["buyer_id"], unique=False)
    op.create_index(
        "ix_subscription_due_at",
        "subscription",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_subscription_lot_id", "subscription", ["lot_id"], unique=False)
    op.create_table(
        "settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("inputs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("input_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("escrow_in_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunds_fen", sa.BigInteger(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("taxes_fen", sa.BigInteger(), nullable=False),
        sa.Column("insurance_fen", sa.BigInteger(), nullable=False),
        sa.Column("costs_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserves_brought_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserves_held_fen", sa.BigInteger(), nullable=False),
        sa.Column("advance_recouped_fen", sa.BigInteger(), nullable=False),
        sa.Column("returned_fen", sa.BigInteger(), nullable=False),
        sa.Column("remainder_fen", sa.BigInteger(), nullable=False),
        sa.Column("escrow_balance_fen", sa.BigInteger(), nullable=False),
        sa.Column("ratio", sa.Text(), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("document_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_by", sa.Date(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
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
            "state IN ('DRAFT', 'CHECKED') OR (cardinality(approved_by) >= 2 AND approved_by[1] <> approved_by[2])",
            name=op.f("ck_settlement_approved_by_two"),
        ),
        sa.CheckConstraint(
            "state IN ('DRAFT', 'CHECKED', 'APPROVED', 'PAYING', 'RETURNED', 'PUBLISHED')",
            name=op.f("ck_settlement_state_known"),
        ),
        sa.CheckConstraint(
            "escrow_in_fen + reserves_brought_fen = refunds_fen + taxes_fen + insurance_fen + costs_fen + reserves_held_fen + advance_recouped_fen + returned_fen + remainder_fen + escrow_balance_fen",
            name=op.f("ck_settlement_sums_to_the_fen"),
        ),
        sa.CheckConstraint(
            "escrow_in_fen = refunds_fen + gross_fen + escrow_balance_fen",
            name=op.f("ck_settlement_escrow_sums"),
        ),
        sa.CheckConstraint(
            "escrow_in_fen >= 0 AND refunds_fen >= 0 AND gross_fen >= 0 AND taxes_fen >= 0 AND insurance_fen >= 0 AND costs_fen >= 0 AND reserves_brought_fen >= 0 AND reserves_held_fen >= 0 AND advance_recouped_fen >= 0 AND returned_fen >= 0 AND remainder_fen >= 0 AND escrow_balance_fen >= 0",
            name=op.f("ck_settlement_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["checked_by"], ["actor.id"], name=op.f("fk_settlement_checked_by_actor")
        ),
        sa.ForeignKeyConstraint(
            ["lot_id", "vintage"],
            ["lot_offer.lot_id", "lot_offer.vintage"],
            name=op.f("fk_settlement_lot_id_vintage_lot_offer"),
        ),
        sa.ForeignKeyConstraint(
            ["prepared_by"], ["actor.id"], name=op.f("fk_settlement_prepared_by_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint(
            "lot_id", "vintage", "run", name=op.f("uq_settlement_lot_id_vintage_run")
        ),
    )
    op.create_index(
        "uq_settlement_one_open",
        "settlement",
        ["lot_id", "vintage"],
        unique=True,
        postgresql_where=sa.text("state IN ('DRAFT', 'CHECKED', 'APPROVED')"),
    )
    op.create_table(
        "subscription_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False, comment="kg CO2e, or packs"),
        sa.Column(
            "promised",
            sa.BigInteger(),
            nullable=False,
            comment="kg CO2e, or trees the buyer may take",
        ),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("shortfall", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refund_due_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "state IN ('RESERVED', 'SIGNED', 'AWAITING_PAYMENT', 'PAID', 'COOLING_OFF', 'VESTING', 'DELIVERABLE', 'DELIVERED', 'LAPSED', 'CANCELLED', 'REFUNDED', 'SUBSTITUTED', 'SELLER_DEFAULT', 'EXPIRED')",
            name=op.f("ck_subscription_line_state_known"),
        ),
        sa.CheckConstraint(
            "delivered >= 0 AND shortfall >= 0 AND delivered + shortfall <= promised",
            name=op.f("ck_subscription_line_delivered_within"),
        ),
        sa.CheckConstraint(
            "quantity > 0 AND price_fen > 0 AND amount_fen > 0",
            name=op.f("ck_subscription_line_positive"),
        ),
        sa.CheckConstraint(
            "refunded_fen BETWEEN 0 AND amount_fen", name=op.f("ck_subscription_line_refund_within")
        ),
        sa.ForeignKeyConstraint(
            ["lot_id", "vintage"],
            ["lot_offer.lot_id", "lot_offer.vintage"],
            name=op.f("fk_subscription_line_lot_id_vintage_lot_offer"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_subscription_line_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_line")),
        sa.UniqueConstraint(
            "subscription_id", "vintage", name=op.f("uq_subscription_line_subscription_id_vintage")
        ),
    )
    op.create_index(
        "ix_subscription_line_lot_id_vintage",
        "subscription_line",
        ["lot_id", "vintage"],
        unique=False,
    )
    op.create_table(
        "lot_parcel",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column(
            "supplier_id", sa.Uuid(), nullable=False, comment="Village, cooperative or state farm"
        ),
        sa.Column(
            "household_id",
            sa.Uuid(),
            nullable=True,
            comment="Holder of household-contracted forest",
        ),
        sa.Column("tenure", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(tenure = 'household') = (household_id IS NOT NULL)",
            name=op.f("ck_lot_parcel_household_named"),
        ),
        sa.CheckConstraint(
            "tenure IN ('collective', 'household', 'cooperative', 'state')",
            name=op.f("ck_lot_parcel_tenure_known"),
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_lot_parcel_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["party.id"], name=op.f("fk_lot_parcel_household_id_party")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_parcel_lot_id_lot")),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["parcel.id"], name=op.f("fk_lot_parcel_parcel_id_parcel")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["party.id"], name=op.f("fk_lot_parcel_supplier_id_party")
        ),
        sa.PrimaryKeyConstraint("lot_id", "parcel_id", name=op.f("pk_lot_parcel")),
    )
    op.create_index("ix_lot_parcel_parcel_id", "lot_parcel", ["parcel_id"], unique=False)
    op.create_index("ix_lot_parcel_supplier_id", "lot_parcel", ["supplier_id"], unique=False)
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_fen", sa.BigInteger(), nullable=False),
        sa.Column("escrow_fen", sa.BigInteger(), nullable=False),
        sa.Column("insurance_fen", sa.BigInteger(), nullable=False),
        sa.Column("hold_back_fen", sa.BigInteger(), nullable=False),
        sa.Column("pool_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "seller_claim_fen",
            sa.BigInteger(),
            nullable=False,
            comment="Owed by the seller, recorded",
        ),
        sa.Column("event_id", sa.Uuid(), nullable=False),
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
            "escrow_fen + insurance_fen + hold_back_fen + pool_fen + seller_claim_fen = due_fen",
            name=op.f("ck_refund_parts_sum"),
        ),
        sa.CheckConstraint(
            "escrow_fen >= 0 AND insurance_fen >= 0 AND hold_back_fen >= 0 AND pool_fen >= 0 AND seller_claim_fen >= 0",
            name=op.f("ck_refund_not_negative"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_refund_actor_id_actor")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_refund_event_id_event")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["subscription_line.id"], name=op.f("fk_refund_line_id_subscription_line")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    op.create_index("ix_refund_line_id", "refund", ["line_id"], unique=False)
    op.create_table(
        "settlement_line",
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("type", sa.String(), server_default="", nullable=False),
        sa.Column("voucher", sa.String(), server_default="", nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=True),
        sa.Column("payee_name", sa.String(), nullable=False),
        sa.Column(
            "through_id",
            sa.Uuid(),
            nullable=True,
            comment="Whose account hands a household's money on",
        ),
        sa.Column("units", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('tax', 'insurance', 'cost', 'reserve', 'advance', 'village', 'household', 'remainder')",
            name=op.f("ck_settlement_line_kind_known"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('tax', 'insurance', 'cost') OR length(voucher) > 0",
            name=op.f("ck_settlement_line_voucher_named"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('village', 'household') OR payee_id IS NOT NULL",
            name=op.f("ck_settlement_line_payee_named"),
        ),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_settlement_line_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["payee_id"], ["party.id"], name=op.f("fk_settlement_line_payee_id_party")
        ),
        sa.ForeignKeyConstraint(
            ["settlement_id"],
            ["settlement.id"],
            name=op.f("fk_settlement_line_settlement_id_settlement"),
        ),
        sa.ForeignKeyConstraint(
            ["through_id"], ["party.id"], name=op.f("fk_settlement_line_through_id_party")
        ),
        sa.PrimaryKeyConstraint("settlement_id", "revision", "n", name=op.f("pk_settlement_line")),
    )
    op.create_index("ix_settlement_line_payee_id", "settlement_line", ["payee_id"], unique=False)
    op.create_table(
        "tree_pack",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), nullable=False, comment="Year of maturity"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("promised", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("promised > 0", name=op.f("ck_tree_pack_promises")),
        sa.ForeignKeyConstraint(
            ["line_id"],
            ["subscription_line.id"],
            name=op.f("fk_tree_pack_line_id_subscription_line"),
        ),
        sa.ForeignKeyConstraint(
            ["lot_id", "vintage"],
            ["lot_offer.lot_id", "lot_offer.vintage"],
            name=op.f("fk_tree_pack_lot_id_vintage_lot_offer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tree_pack")),
        sa.UniqueConstraint("lot_id", "code", name=op.f("uq_tree_pack_lot_id_code")),
    )
    op.create_index("ix_tree_pack_line_id", "tree_pack", ["line_id"], unique=False)
    op.create_table(
        "lot_supply",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("vintage", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False, comment="kg CO2e, or trees"),
        sa.CheckConstraint("units > 0", name=op.f("ck_lot_supply_positive")),
        sa.ForeignKeyConstraint(
            ["lot_id", "parcel_id"],
            ["lot_parcel.lot_id", "lot_parcel.parcel_id"],
            name=op.f("fk_lot_supply_lot_id_parcel_id_lot_parcel"),
        ),
        sa.ForeignKeyConstraint(
            ["lot_id", "vintage"],
            ["lot_offer.lot_id", "lot_offer.vintage"],
            name=op.f("fk_lot_supply_lot_id_vintage_lot_offer"),
        ),
        sa.PrimaryKeyConstraint("lot_id", "vintage", "parcel_id", name=op.f("pk_lot_supply")),
    )
    op.create_table(
        "settlement_payment",
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=False),
        sa.Column("account_kind", sa.Text(), nullable=False),
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
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_settlement_payment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["bank_reference"],
            ["bank_line.bank_reference"],
            name=op.f("fk_settlement_payment_bank_reference_bank_line"),
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_settlement_payment_event_id_event")
        ),
        sa.ForeignKeyConstraint(
            ["settlement_id", "revision", "n"],
            ["settlement_line.settlement_id", "settlement_line.revision", "settlement_line.n"],
            name=op.f("fk_settlement_payment_settlement_id_revision_n_settlement_line"),
        ),
        sa.PrimaryKeyConstraint(
            "settlement_id", "revision", "n", name=op.f("pk_settlement_payment")
        ),
    )
    op.create_table(
        "tree_pack_member",
        sa.Column("tree_id", sa.Uuid(), nullable=False),
        sa.Column("pack_id", sa.Uuid(), nullable=False),
        sa.Column("delivered_to", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivered_to"], ["party.id"], name=op.f("fk_tree_pack_member_delivered_to_party")
        ),
        sa.ForeignKeyConstraint(
            ["pack_id"], ["tree_pack.id"], name=op.f("fk_tree_pack_member_pack_id_tree_pack")
        ),
        sa.ForeignKeyConstraint(
            ["tree_id"], ["tree.id"], name=op.f("fk_tree_pack_member_tree_id_tree")
        ),
        sa.PrimaryKeyConstraint("tree_id", name=op.f("pk_tree_pack_member")),
    )
    op.create_index("ix_tree_pack_member_pack_id", "tree_pack_member", ["pack_id"], unique=False)
    for statement in RULES:
        op.execute(statement)
    for name in RECORDS:
        record_table(name)
    for name, columns in STATES.items():
        state_table(name, update=columns)
    op.execute("GRANT DELETE ON tree_pack_member TO tanhui_app")


def downgrade() -> None:
    op.drop_table("tree_pack_member")
    op.drop_table("settlement_payment")
    op.drop_table("lot_supply")
    op.drop_table("tree_pack")
    op.drop_table("settlement_line")
    op.drop_table("refund")
    op.drop_table("lot_parcel")
    op.drop_table("subscription_line")
    op.drop_table("settlement")
    op.drop_table("subscription")
    op.drop_table("lot_step")
    op.drop_table("lot_offer")
    op.drop_table("lot_objection")
    op.drop_table("distribution_payout")
    op.drop_table("tree")
    op.drop_table("lot")
    op.drop_table("distribution")
    op.drop_table("delivery")
    op.drop_table("bank_line")
    op.execute("DROP FUNCTION check_settlement, check_settlement_frozen, check_settlement_payment")
