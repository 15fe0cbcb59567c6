"""A login's first password is printed once, and the first sign-in must replace it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "login",
        sa.Column(
            "password_once",
            sa.Boolean(),
            server_default="false",
            nullable=False,
            comment="The first sign-in must replace it",
        ),
    )
    op.execute("GRANT UPDATE (password_once) ON login TO tanhui_app")


def downgrade() -> None:
    op.drop_column("login", "password_once")
