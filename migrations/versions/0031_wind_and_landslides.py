"""Wind and landslides happen to stands too."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

KINDS = "'thinning', 'harvest', 'clearing', 'fire', 'snow', 'pest', {}'replanting'"


def _kinds(more: str) -> None:
    op.execute("ALTER TABLE stand_event DROP CONSTRAINT ck_stand_event_kind_known")
    op.execute(
        "ALTER TABLE stand_event ADD CONSTRAINT ck_stand_event_kind_known"
        f" CHECK (kind IN ({KINDS.format(more)}))"
    )


def upgrade() -> None:
    _kinds("'wind', 'landslide', ")


def downgrade() -> None:
    _kinds("")
