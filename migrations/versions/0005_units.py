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
        sa.CheckConstraint(
            "kind NOT IN ('issued', 'buffer', 'retired', 'cancelled') OR asset = 'kg'",
            name=op.f("ck_account_only_units_retire"),
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
        sa.CheckConstraint(
            "verified_kg BETWEEN 0 AND creditable_kg", name=op.f("ck_period_verified_within")
        ),
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
        sa.Column("beneficiary_kind", sa.Text(), nullable=False),
        sa.Column("beneficiary_location", sa.String(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reporting_period", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column(
            "reference", sa.String(), nullable=True, comment="The contract it came from, if any"
        ),
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
        sa.CheckConstraint(
            "beneficiary_kind IN ('enterprise', 'person', 'government', 'event', 'other')",
            name=op.f("ck_retirement_beneficiary_kind_known"),
        ),
        sa.CheckConstraint("length(beneficiary) > 0", name=op.f("ck_retirement_for_someone")),
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
            "short_kg = greatest(committed_kg - cap_kg, 0)",
            name=op.f("ck_capacity_short_is_true"),
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
        sa.Column(
            "burned_kg",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Delivered as units; never free again",
        ),
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
        sa.CheckConstraint(
            "burned_kg BETWEEN 0 AND kg", name=op.f("ck_reservation_burned_within")
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

    op.create_index(
        "ix_reservation_capacity",
        "reservation",
        ["claim_id", "parcel_id", "vintage"],
        unique=False,
    )
    op.create_table(
        "certificate_revocation",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
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
            ["certificate_id"],
            ["certificate.id"],
            name=op.f("fk_certificate_revocation_certificate_id_certificate"),
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_certificate_revocation_event_id_event")
        ),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificate_revocation")),
    )
    op.create_table(
        "slot",
        sa.Column("owner_ref", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_slot_never_negative")),
        sa.PrimaryKeyConstraint("owner_ref", "n", name=op.f("pk_slot")),
    )
    # Room on the page for the next version of a row that changes often.
    op.execute("ALTER TABLE slot SET (fillfactor = 50)")
    op.execute("ALTER TABLE account SET (fillfactor = 70)")
    op.execute("CREATE SEQUENCE retirement_number")
    op.execute("CREATE SEQUENCE certificate_number")
    op.execute("GRANT USAGE ON SEQUENCE retirement_number, certificate_number TO tanhui_app")
    for words in (*LEDGER, *SLOTS, *UNITS, *CAPACITY):
        op.execute(words)
    for name in OPEN_TO_THE_APP:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO tanhui_app")
    op.execute("GRANT SELECT ON entry, slot TO tanhui_app")
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
    record_table("certificate_revocation")
    state_table("period", update="status, verifier_id, verified_kg, statement_sha256")
    state_table("unit_range", update="closed_by")
    state_table("capacity", update="cap_kg, committed_kg, short_kg, run_id, version")
    state_table("reservation", update="state, kg, burned_kg")


def downgrade() -> None:
    for table in (
        "slot",
        "reservation",
        "capacity",
        "unit_range",
        "batch",
        "retirement",
        "period",
        "entry",
        "certificate_revocation",
        "certificate",
        "account",
    ):
        op.drop_table(table)
    op.execute("DROP SEQUENCE retirement_number, certificate_number")
    op.execute(f"DROP FUNCTION {', '.join(FUNCTIONS)}")


# The only way a balance moves: one row a movement, balances in id order, all or nothing.
LEDGER = (
    """
    CREATE FUNCTION post_legs(event uuid, legs jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      sources uuid[];
      targets uuid[];
      amounts bigint[];
      wrong record;
    BEGIN
      SELECT array_agg(l.source), array_agg(l.target), array_agg(l.amount)
        INTO sources, targets, amounts
        FROM jsonb_to_recordset(legs) AS l(source uuid, target uuid, amount bigint);
      IF sources IS NULL THEN
        RETURN;
      END IF;
      PERFORM 1 FROM account WHERE id = ANY (sources || targets) ORDER BY id FOR NO KEY UPDATE;
      SELECT l.source, l.target INTO wrong
        FROM unnest(sources, targets) AS l(source, target)
        LEFT JOIN account s ON s.id = l.source
        LEFT JOIN account t ON t.id = l.target
       WHERE s.asset IS DISTINCT FROM t.asset OR s.id IS NULL LIMIT 1;
      IF FOUND THEN
        RAISE EXCEPTION 'a leg from % to % crosses assets', wrong.source, wrong.target
          USING ERRCODE = '23514', CONSTRAINT = 'legs_of_one_asset',
            DETAIL = json_build_object('source', wrong.source, 'target', wrong.target)::text;
      END IF;
      INSERT INTO entry (event_id, source_id, target_id, amount)
        SELECT event, l.source, l.target, l.amount
          FROM unnest(sources, targets, amounts) AS l(source, target, amount);
      WITH delta AS (
        SELECT m.id, sum(m.kg)::bigint AS kg FROM (
          SELECT unnest(sources) AS id, -unnest(amounts) AS kg
          UNION ALL SELECT unnest(targets), unnest(amounts)) m GROUP BY m.id)
      SELECT a.id, -d.kg AS asked, a.balance AS has INTO wrong
        FROM delta d JOIN account a ON a.id = d.id
       WHERE NOT a.overdraft AND a.balance + d.kg < 0 ORDER BY a.id LIMIT 1;
      IF FOUND THEN
        RAISE EXCEPTION 'account % has %, asked %', wrong.id, wrong.has, wrong.asked
          USING ERRCODE = '23514', CONSTRAINT = 'ck_account_never_negative',
            DETAIL = json_build_object(
              'account', wrong.id, 'asked', wrong.asked, 'has', wrong.has)::text;
      END IF;
      UPDATE account a SET balance = balance + d.kg
        FROM (SELECT m.id, sum(m.kg)::bigint AS kg FROM (
                SELECT unnest(sources) AS id, -unnest(amounts) AS kg
                UNION ALL SELECT unnest(targets), unnest(amounts)) m GROUP BY m.id) d
       WHERE a.id = d.id;
    END $$
    """,
    # A whole act in one round trip: its key, its event, what it takes, what it moves.
    """
    CREATE FUNCTION post(
      actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text,
      of_id text, words text, effective timestamptz, legs jsonb, takes jsonb, answer text,
      OUT replayed boolean, OUT stored_hash bytea, OUT body text)
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    DECLARE
      t record;
    BEGIN
      INSERT INTO idempotency AS i (actor_id, key, request_hash, body)
        VALUES (actor, request_key, hash, answer)
        ON CONFLICT (actor_id, key) DO NOTHING;
      replayed := NOT FOUND;
      IF replayed THEN
        SELECT i.request_hash, i.body INTO stored_hash, body
          FROM idempotency i WHERE i.actor_id = actor AND i.key = request_key;
        RETURN;
      END IF;
      stored_hash := hash;
      body := answer;
      PERFORM set_config('tanhui.actor', actor::text, true);
      INSERT INTO event (id, kind, actor_id, subject_kind, subject_id, envelope, digest,
                         effective_at)
        VALUES (event, event_kind, actor, of_kind, of_id, words,
                sha256(convert_to(words, 'UTF8')), effective);
      FOR t IN SELECT x.owner, x.quantity
                 FROM jsonb_to_recordset(takes) AS x(owner text, quantity bigint)
                ORDER BY x.owner LOOP
        PERFORM slot_take(t.owner, t.quantity);
      END LOOP;
      PERFORM post_legs(event, legs);
    END $$
    """,
)

# A contended quantity in parts.  "Sold out" is said only with every part locked and counted.
SLOTS = (
    """
    CREATE FUNCTION slot_fill(owner text, quantity bigint, parts int) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    #variable_conflict use_column
    BEGIN
      IF slot_fill.quantity <= 0 OR parts < 1 THEN
        RAISE EXCEPTION 'nothing to fill' USING ERRCODE = '22023';
      END IF;
      INSERT INTO slot AS s (owner_ref, n, quantity)
        SELECT owner, n, slot_fill.quantity / parts
                         + (n <= slot_fill.quantity % parts)::int
          FROM generate_series(1, parts) n ORDER BY n
        ON CONFLICT (owner_ref, n) DO UPDATE SET quantity = s.quantity + excluded.quantity;
    END $$
    """,
    """
    CREATE FUNCTION slot_take(owner text, asked bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      chosen int;
      has bigint;
    BEGIN
      IF asked <= 0 THEN
        RAISE EXCEPTION 'nothing to take' USING ERRCODE = '22023';
      END IF;
      SELECT n INTO chosen FROM slot WHERE owner_ref = owner AND quantity >= asked
        ORDER BY n LIMIT 1 FOR UPDATE SKIP LOCKED;
      IF FOUND THEN
        UPDATE slot SET quantity = quantity - asked WHERE owner_ref = owner AND n = chosen;
        RETURN;
      END IF;
      PERFORM 1 FROM slot WHERE owner_ref = owner ORDER BY n FOR UPDATE;
      SELECT coalesce(sum(quantity), 0) INTO has FROM slot WHERE owner_ref = owner;
      IF has < asked THEN
        RAISE EXCEPTION '% has %, asked %', owner, has, asked
          USING ERRCODE = '23514', CONSTRAINT = 'slot_sold_out',
            DETAIL = json_build_object('owner', owner, 'asked', asked, 'has', has)::text;
      END IF;
      UPDATE slot s SET quantity = s.quantity - least(s.quantity, greatest(asked - b.before, 0))
        FROM (SELECT n, sum(quantity) OVER (ORDER BY n) - quantity AS before
                FROM slot WHERE owner_ref = owner) b
       WHERE s.owner_ref = owner AND s.n = b.n AND b.before < asked;
    END $$
    """,
    """
    CREATE FUNCTION slot_give_back(owner text, given bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      chosen int;
    BEGIN
      IF given <= 0 THEN
        RAISE EXCEPTION 'nothing to give back' USING ERRCODE = '22023';
      END IF;
      SELECT n INTO chosen FROM slot WHERE owner_ref = owner
        ORDER BY n LIMIT 1 FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        SELECT min(n) INTO chosen FROM slot WHERE owner_ref = owner;
      END IF;
      UPDATE slot SET quantity = quantity + given WHERE owner_ref = owner AND n = chosen;
      IF NOT FOUND THEN
        RAISE EXCEPTION '% was never filled', owner
          USING ERRCODE = '23503', CONSTRAINT = 'slot_unknown';
      END IF;
    END $$
    """,
    """
    CREATE FUNCTION slot_drain(owner text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      had bigint;
    BEGIN
      PERFORM 1 FROM slot WHERE owner_ref = owner ORDER BY n FOR UPDATE;
      SELECT coalesce(sum(quantity), 0) INTO had FROM slot WHERE owner_ref = owner;
      UPDATE slot SET quantity = 0 WHERE owner_ref = owner AND quantity > 0;
      RETURN had;
    END $$
    """,
)

# What holds for units at every commit, whoever writes.
UNITS = (
    """
    CREATE FUNCTION lock_batches(ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT 1 FROM batch WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE
    $$
    """,
    """
    CREATE FUNCTION check_batch_complete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      which uuid;
      size bigint;
      found_ record;
    BEGIN
      IF TG_TABLE_NAME = 'batch' THEN which := NEW.id; ELSE which := NEW.batch_id; END IF;
      SELECT size_kg INTO size FROM batch WHERE id = which FOR NO KEY UPDATE;
      SELECT coalesce(sum(upper(serials) - lower(serials)), 0) AS kg, max(upper(serials)) AS past
        INTO found_ FROM unit_range WHERE batch_id = which AND closed_by IS NULL;
      IF found_.kg <> size OR found_.past > size + 1 THEN
        RAISE EXCEPTION 'batch % of % kg has open ranges of % kg', which, size, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'batch_is_complete';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER batch_is_complete AFTER INSERT ON batch
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_batch_complete()
    """,
    """
    CREATE CONSTRAINT TRIGGER batch_stays_complete AFTER INSERT OR UPDATE ON unit_range
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_batch_complete()
    """,
    """
    CREATE FUNCTION check_account_ranges() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      which uuid;
      found_ record;
    BEGIN
      IF TG_TABLE_NAME = 'account' THEN which := NEW.id; ELSE which := NEW.account_id; END IF;
      SELECT a.balance, (SELECT coalesce(sum(upper(r.serials) - lower(r.serials)), 0)
                           FROM unit_range r
                          WHERE r.account_id = a.id AND r.closed_by IS NULL) AS kg
        INTO found_ FROM account a WHERE a.id = which;
      IF found_.balance <> found_.kg THEN
        RAISE EXCEPTION 'account % has a balance of % kg and ranges of % kg',
            which, found_.balance, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'account_matches_ranges';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER account_matches_ranges AFTER UPDATE OF balance ON account
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN (NEW.asset = 'kg' AND NOT NEW.overdraft) EXECUTE FUNCTION check_account_ranges()
    """,
    """
    CREATE CONSTRAINT TRIGGER ranges_match_account AFTER INSERT OR UPDATE ON unit_range
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_account_ranges()
    """,
    # A range is closed once; retired and cancelled serials stay so for ever.
    """
    CREATE FUNCTION check_range_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      a record;
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        IF OLD.closed_by IS NOT NULL OR NEW.closed_by IS NULL
           OR OLD.status IN ('retired', 'cancelled') THEN
          RAISE EXCEPTION 'range % (%) is final', OLD.id, OLD.status
            USING ERRCODE = '23514', CONSTRAINT = 'range_is_final';
        END IF;
        RETURN NEW;
      END IF;
      SELECT asset, kind INTO a FROM account WHERE id = NEW.account_id;
      IF a.asset <> 'kg' OR a.kind <> (CASE NEW.status WHEN 'held' THEN 'holding'
                                       ELSE NEW.status END) THEN
        RAISE EXCEPTION 'a % range cannot lie in an account of %, %', NEW.status, a.asset, a.kind
          USING ERRCODE = '23514', CONSTRAINT = 'range_fits_account';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER range_change BEFORE INSERT OR UPDATE ON unit_range
      FOR EACH ROW EXECUTE FUNCTION check_range_change()
    """,
    # Issued, buffer included, is never more than verified.
    """
    CREATE FUNCTION check_issued_within_verified() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      p record;
      issued bigint;
    BEGIN
      SELECT project_id, status, verified_kg INTO p FROM period
        WHERE id = NEW.period_id FOR NO KEY UPDATE;
      SELECT sum(size_kg) INTO issued FROM batch WHERE period_id = NEW.period_id;
      IF p.status NOT IN ('verified', 'issued') OR p.project_id <> NEW.project_id
         OR issued > p.verified_kg THEN
        RAISE EXCEPTION 'period % (%) verified % kg, issued % kg',
            NEW.period_id, p.status, p.verified_kg, issued
          USING ERRCODE = '23514', CONSTRAINT = 'issued_within_verified';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER issued_within_verified AFTER INSERT ON batch
      FOR EACH ROW EXECUTE FUNCTION check_issued_within_verified()
    """,
    """
    CREATE FUNCTION check_period_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
      IF (OLD.status, NEW.status) NOT IN (('submitted', 'verified'), ('submitted', 'refused'),
                                          ('verified', 'issued'))
         OR (OLD.status = 'verified'
             AND (OLD.verified_kg, OLD.verifier_id, OLD.statement_sha256)
                 IS DISTINCT FROM (NEW.verified_kg, NEW.verifier_id, NEW.statement_sha256)) THEN
        RAISE EXCEPTION 'period % cannot go from % to %', OLD.id, OLD.status, NEW.status
          USING ERRCODE = '23514', CONSTRAINT = 'period_goes_forward';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER period_change BEFORE UPDATE ON period
      FOR EACH ROW EXECUTE FUNCTION check_period_change()
    """,
)

CAPACITY = (
    """
    CREATE FUNCTION check_capacity_rise() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
      IF TG_OP = 'INSERT' AND NEW.committed_kg <> 0
         OR TG_OP = 'UPDATE' AND NEW.committed_kg > OLD.committed_kg AND NEW.short_kg > 0 THEN
        RAISE EXCEPTION 'capacity of parcel % in % is short', NEW.parcel_id, NEW.vintage
          USING ERRCODE = '23514', CONSTRAINT = 'capacity_never_oversold';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER capacity_rise BEFORE INSERT OR UPDATE ON capacity
      FOR EACH ROW EXECUTE FUNCTION check_capacity_rise()
    """,
    """
    CREATE FUNCTION check_capacity_sum() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      found_ record;
    BEGIN
      SELECT c.committed_kg, (SELECT coalesce(sum(r.kg), 0) FROM reservation r
                               WHERE r.claim_id = c.claim_id AND r.parcel_id = c.parcel_id
                                 AND r.vintage = c.vintage AND r.state <> 'released') AS kg
        INTO found_ FROM capacity c
       WHERE c.claim_id = NEW.claim_id AND c.parcel_id = NEW.parcel_id
         AND c.vintage = NEW.vintage;
      IF found_.committed_kg <> found_.kg THEN
        RAISE EXCEPTION 'parcel % in %: % kg committed, reservations of % kg',
            NEW.parcel_id, NEW.vintage, found_.committed_kg, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'capacity_matches_reservations';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER capacity_matches_reservations AFTER UPDATE ON capacity
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_capacity_sum()
    """,
    """
    CREATE CONSTRAINT TRIGGER reservations_match_capacity AFTER INSERT OR UPDATE ON reservation
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_capacity_sum()
    """,
    # What was delivered cannot come back, and what was given up is not taken up again by itself.
    """
    CREATE FUNCTION check_reservation_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
      IF NEW.burned_kg < OLD.burned_kg OR OLD.state = 'burned'
         OR (NEW.state = 'released' AND NEW.burned_kg > 0)
         OR (NEW.state = 'burned') <> (NEW.burned_kg = NEW.kg) THEN
        RAISE EXCEPTION 'reservation % cannot change so', OLD.id
          USING ERRCODE = '23514', CONSTRAINT = 'reservation_goes_forward';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER reservation_change BEFORE UPDATE ON reservation
      FOR EACH ROW EXECUTE FUNCTION check_reservation_change()
    """,
)

OPEN_TO_THE_APP = (
    "post_legs",
    "post",
    "slot_fill",
    "slot_take",
    "slot_give_back",
    "slot_drain",
    "lock_batches",
)
FUNCTIONS = (
    *OPEN_TO_THE_APP,
    "check_batch_complete",
    "check_account_ranges",
    "check_range_change",
    "check_issued_within_verified",
    "check_period_change",
    "check_capacity_rise",
    "check_capacity_sum",
    "check_reservation_change",
)
