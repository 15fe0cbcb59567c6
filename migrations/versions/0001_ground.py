"""Ground: people, divisions, requests that act once, and the audit chain everything is written to."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import Xid8, record_table, state_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


SYSTEM = "00000000-0000-0000-0000-000000000001"


def upgrade() -> None:
    op.execute("GRANT USAGE ON SCHEMA public TO tanhui_app")
    op.execute("GRANT SELECT ON alembic_version TO tanhui_app")
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
        END $$
        """
    )
    op.create_table(
        "division",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column(
            "level",
            sa.String(),
            nullable=False,
            comment="province, city, county, township or village",
        ),
        sa.Column("valid_from_year", sa.Integer(), nullable=False),
        sa.Column("valid_to_year", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column(
            "boundary",
            geoalchemy2.Geometry("MULTIPOLYGON", srid=4490, spatial_index=False),
            nullable=True,
        ),
        sa.CheckConstraint("code ~ '^[0-9]{12}$'", name=op.f("ck_division_code_has_12_digits")),
        sa.CheckConstraint(
            "valid_to_year IS NULL OR valid_to_year >= valid_from_year",
            name=op.f("ck_division_years"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_code"], ["division.code"], name=op.f("fk_division_parent_code_division")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_division")),
    )
    op.create_index(
        "ix_division_boundary", "division", ["boundary"], unique=False, postgresql_using="gist"
    )
    op.create_index("ix_division_parent_code", "division", ["parent_code"], unique=False)
    op.create_table(
        "party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column(
            "reference",
            sa.String(),
            nullable=True,
            comment="The code other systems know it by",
        ),
        sa.Column(
            "uscc", sa.String(), nullable=True, comment="Unified social credit code, GB 32100-2015"
        ),
        sa.Column(
            "identity_hash", sa.LargeBinary(), nullable=True, comment="Keyed hash of a person's ID"
        ),
        sa.Column("identity_cipher", sa.LargeBinary(), nullable=True, comment="The ID, encrypted"),
        sa.Column(
            "identity_shown",
            sa.String(),
            nullable=True,
            comment="First 6 and last 4 digits at most",
        ),
        sa.Column(
            "bank_account", sa.String(), nullable=True, comment="Where money for this party goes"
        ),
        sa.Column(
            "bank_account_kind", sa.String(), nullable=True, comment="basic, general or personal"
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "kind IN ('collective','cooperative','state_farm','household','company','enterprise','person','association','institution','verifier','bank','programme')",
            name=op.f("ck_party_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["division_code"], ["division.code"], name=op.f("fk_party_division_code_division")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("identity_hash", name=op.f("uq_party_identity_hash")),
        sa.UniqueConstraint("reference", name=op.f("uq_party_reference")),
        sa.UniqueConstraint("uscc", name=op.f("uq_party_uscc")),
    )
    op.create_index("ix_party_division_code", "party", ["division_code"], unique=False)
    op.create_table(
        "actor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column("party_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
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
            ["division_code"], ["division.code"], name=op.f("fk_actor_division_code_division")
        ),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_actor_party_id_party")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actor")),
    )
    op.create_index("ix_actor_party_id", "actor", ["party_id"], unique=False)
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
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
            "digest = sha256(convert_to(envelope, 'UTF8'))", name=op.f("ck_event_digest_is_true")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_event_actor_id_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("number", name=op.f("uq_event_number")),
    )
    op.create_index("ix_event_subject", "event", ["subject_kind", "subject_id"], unique=False)
    op.create_index("ix_event_xid_number", "event", ["xid", "number"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=True, comment="The verb's answer as JSON"),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_idempotency_actor_id_actor")
        ),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "event_seal",
        sa.Column("pos", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("prev", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "format", sa.SmallInteger(), nullable=False, comment="Version of the hashing rule"
        ),
        sa.Column(
            "sealed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("pos > 0", name=op.f("ck_event_seal_pos_positive")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_event_seal_event_id_event")
        ),
        sa.PrimaryKeyConstraint("pos", name=op.f("pk_event_seal")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_seal_event_id")),
        sa.UniqueConstraint("hash", name=op.f("uq_event_seal_hash")),
    )
    record_table("event")
    record_table("event_seal")
    state_table("division", update="name, valid_to_year, boundary")
    state_table("party", update="name, bank_account, bank_account_kind")
    state_table("actor", update="name, roles, division_code, party_id, active")
    state_table("idempotency", update="body")
    op.execute(
        "INSERT INTO actor (id, name, roles, effective_at)"
        f" VALUES ('{SYSTEM}', '系统', ARRAY['system'], '2026-01-01T00:00:00Z')"
    )


def downgrade() -> None:
    op.drop_table("event_seal")
    op.drop_table("idempotency")
    op.drop_table("event")
    op.drop_table("actor")
    op.drop_table("party")
    op.drop_table("division")
    op.execute("DROP FUNCTION refuse_change")
