"""Keep accounts and identities of parties in tables of their own, since policies hide rows only."""

import sqlalchemy as sa
from alembic import op

from migrations.access import follows, own, record_table, secure, state_table, under, unsecure

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# Who is paid out of a lot and who may be refunded, for its company and the county's staff; the
# company's own account for who buys from it.
PAID = """
    CREATE FUNCTION paid_parties() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH paying AS (
        SELECT l.id, l.company_id FROM lot l WHERE l.company_id = (SELECT acts_for())
           OR ((SELECT acts_with(ARRAY['county'])) AND l.id IN (SELECT reached_lots(false))))
      SELECT x.supplier_id FROM lot_parcel x WHERE x.lot_id IN (SELECT id FROM paying)
      UNION SELECT x.household_id FROM lot_parcel x WHERE x.lot_id IN (SELECT id FROM paying)
      UNION SELECT s.buyer_id FROM subscription s WHERE s.lot_id IN (SELECT id FROM paying)
      UNION SELECT l.company_id FROM subscription s JOIN lot l ON l.id = s.lot_id
       WHERE s.buyer_id = (SELECT acts_for())
    $$
"""
OLD = ("identity_hash", "identity_cipher", "identity_shown", "bank_account", "bank_account_kind")


def _recorded():
    return sa.Column(
        "recorded_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("clock_timestamp()"),
        nullable=False,
        comment="When it was written; given by the database",
    )


def upgrade() -> None:
    op.create_table(
        "party_account",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True, comment="basic, general or personal"),
        _recorded(),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"]),
        sa.PrimaryKeyConstraint("party_id"),
    )
    op.create_table(
        "party_identity",
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column(
            "number_hash", sa.LargeBinary(), nullable=False, comment="Keyed hash of the number"
        ),
        sa.Column(
            "number_cipher", sa.LargeBinary(), nullable=False, comment="The number, encrypted"
        ),
        sa.Column(
            "shown", sa.String(), nullable=False, comment="First 6 and last 4 digits at most"
        ),
        _recorded(),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"]),
        sa.PrimaryKeyConstraint("party_id"),
        sa.UniqueConstraint("number_hash"),
    )
    op.execute(
        "INSERT INTO party_account (party_id, number, kind)"
        " SELECT id, bank_account, bank_account_kind FROM party WHERE bank_account IS NOT NULL"
    )
    op.execute(
        "INSERT INTO party_identity (party_id, number_hash, number_cipher, shown)"
        " SELECT id, identity_hash, identity_cipher, coalesce(identity_shown, '') FROM party"
        " WHERE identity_hash IS NOT NULL AND identity_cipher IS NOT NULL"
    )
    for column in OLD:
        op.drop_column("party", column)
    op.execute(PAID)
    state_table("party_account", update="number, kind")
    record_table("party_identity")
    county = "(SELECT acts_with(ARRAY['county']))"
    entered = (
        f"{under('u.division_code')}"
        " OR (u.division_code IS NULL AND (SELECT acts_under()) IS NOT NULL)"
    )
    entered_by = follows("party", f"u.id = party_id AND ({entered})")
    lives = follows("party", f"u.id = party_id AND {under('u.division_code')}")
    paid = f"{own('party_id')} OR party_id IN (SELECT paid_parties())"
    kept = f"{own('party_id')} OR ({county} AND {lives})"
    secure("party_account", see=paid, add=f"{own('party_id')} OR {entered_by}", change=kept)
    secure("party_identity", see=kept, add=f"{own('party_id')} OR ({county} AND {entered_by})")
    for table, rows in (("party_account", paid), ("party_identity", kept)):
        # auditors, who see all else, see neither
        op.execute(
            f"ALTER POLICY {table}_select ON {table} USING ((SELECT acts_for_all()) OR {rows})"
        )


def downgrade() -> None:
    for name in OLD[:2]:
        op.add_column("party", sa.Column(name, sa.LargeBinary(), nullable=True))
    for name in OLD[2:]:
        op.add_column("party", sa.Column(name, sa.String(), nullable=True))
    op.create_unique_constraint("uq_party_identity_hash", "party", ["identity_hash"])
    op.execute("GRANT UPDATE (bank_account, bank_account_kind) ON party TO tanhui_app")
    op.execute(
        "UPDATE party SET bank_account = a.number, bank_account_kind = a.kind"
        " FROM party_account a WHERE a.party_id = party.id"
    )
    op.execute(
        "UPDATE party SET identity_hash = i.number_hash, identity_cipher = i.number_cipher,"
        " identity_shown = i.shown FROM party_identity i WHERE i.party_id = party.id"
    )
    for table in ("party_account", "party_identity"):
        unsecure(table)
        op.drop_table(table)
    op.execute("DROP FUNCTION paid_parties()")
