"""Logins: credentials apart from the register's actors, attempts to sign in, tokens of machines."""

import sqlalchemy as sa
from alembic import op

from migrations.access import record_table, state_table

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False, comment="argon2id"),
        sa.Column("fs_uniquifier", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("tf_totp_secret", sa.Text(), nullable=True, comment="Second factor, if set up"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "username = lower(username) AND length(username) > 0",
            name=op.f("ck_login_lower_case"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_login_actor_id_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("actor_id", name=op.f("uq_login_actor_id")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_login_fs_uniquifier")),
        sa.UniqueConstraint("username", name=op.f("uq_login_username")),
    )
    op.create_table(
        "login_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
    )
    op.create_index("ix_login_attempt_username_at", "login_attempt", ["username", "at"])
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["login_id"], ["login.id"], name=op.f("fk_api_token_login_id_login")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_token_sha256")),
    )
    op.create_index("ix_api_token_login_id", "api_token", ["login_id"])
    state_table("login", update="password, fs_uniquifier, active, tf_totp_secret")
    state_table("api_token", update="revoked_at")
    record_table("login_attempt")


def downgrade() -> None:
    op.drop_table("api_token")
    op.drop_table("login_attempt")
    op.drop_table("login")
