"""Accounts: opened sessions, recovery codes, a code used once, another administrator's consent."""

import sqlalchemy as sa
from alembic import op

from migrations.access import ACTS_ALL, follows, secure, state_table

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "login",
        sa.Column(
            "totp_last",
            sa.BigInteger(),
            nullable=True,
            comment="Time step of the last code; it and those before it are used up",
        ),
    )
    op.add_column(
        "login",
        sa.Column(
            "asked_by",
            sa.Uuid(),
            nullable=True,
            comment="Administrator who asked for the login or its one-time password",
        ),
    )
    op.add_column(
        "login",
        sa.Column(
            "confirmed_by", sa.Uuid(), nullable=True, comment="Another one, who let it in"
        ),
    )
    for column in ("asked_by", "confirmed_by"):
        op.create_foreign_key(
            op.f(f"fk_login_{column}_actor"), "login", "actor", [column], ["id"]
        )
    op.create_check_constraint(
        op.f("ck_login_confirmed_by_another"), "login", "confirmed_by <> asked_by"
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["login_id"], ["login.id"], name=op.f("fk_recovery_code_login_id_login")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint(
            "login_id", "sha256", name=op.f("uq_recovery_code_login_id_sha256")
        ),
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("second_factor", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["login_id"], ["login.id"], name=op.f("fk_login_session_login_id_login")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
    )
    op.create_index("ix_login_session_login_id", "login_session", ["login_id"])
    op.execute("GRANT UPDATE (totp_last, asked_by, confirmed_by) ON login TO tanhui_app")
    state_table("recovery_code", update="used_at")
    state_table("login_session", update="seen_at, ended_at")
    # secrets of one person: auditors do not see them either
    rows = follows("login", "u.id = login_id")
    for name in ("recovery_code", "login_session"):
        secure(name, see=rows, change=rows)
        op.execute(f"ALTER POLICY {name}_select ON {name} USING ({ACTS_ALL} OR {rows})")


def downgrade() -> None:
    op.drop_table("login_session")
    op.drop_table("recovery_code")
    op.drop_column("login", "confirmed_by")
    op.drop_column("login", "asked_by")
    op.drop_column("login", "totp_last")
