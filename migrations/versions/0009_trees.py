"""Trees: the day of planting, what stands in for a dead one, packs of a hundred whoever writes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# A tree joins a pack alive and on the lot's own ground; a pack holds a hundred trees or, given up,
# none; a tree that went to its holder stays in its pack.
RULES = (
    """
    CREATE FUNCTION check_tree_joins() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      PERFORM FROM tree t JOIN tree_pack p ON p.id = NEW.pack_id
        JOIN lot_parcel l ON l.lot_id = p.lot_id AND l.parcel_id = t.parcel_id
       WHERE t.id = NEW.tree_id AND t.status = 'live' FOR SHARE OF t;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'tree % is no live tree of the ground of pack %', NEW.tree_id, NEW.pack_id
          USING ERRCODE = '23514', CONSTRAINT = 'tree_pack_member_joins';
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER tree_joins_alive BEFORE INSERT ON tree_pack_member
      FOR EACH ROW EXECUTE FUNCTION check_tree_joins()
    """,
    """
    CREATE FUNCTION check_tree_pack() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      which uuid;
      trees bigint;
    BEGIN
      IF TG_OP = 'DELETE' THEN
        which := OLD.pack_id;
        IF OLD.delivered_to IS NOT NULL THEN
          RAISE EXCEPTION 'tree % was delivered with pack %', OLD.tree_id, which
            USING ERRCODE = '23514', CONSTRAINT = 'tree_pack_member_delivered';
        END IF;
      ELSE
        which := NEW.pack_id;
      END IF;
      SELECT count(*) INTO trees FROM tree_pack_member WHERE pack_id = which;
      IF trees NOT IN (0, 100) THEN
        RAISE EXCEPTION 'pack % holds % trees', which, trees
          USING ERRCODE = '23514', CONSTRAINT = 'tree_pack_holds_hundred';
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER tree_pack_is_whole AFTER INSERT OR DELETE ON tree_pack_member
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_tree_pack()
    """,
    "REVOKE ALL ON FUNCTION check_tree_joins, check_tree_pack FROM PUBLIC",
)


def upgrade() -> None:
    op.add_column(
        "tree",
        sa.Column("planted_on", sa.Date(), nullable=True, comment="The day, where it is known"),
    )
    op.add_column(
        "tree",
        sa.Column(
            "replaces_id", sa.Uuid(), nullable=True, comment="The dead tree it stands in for"
        ),
    )
    op.create_foreign_key(
        op.f("fk_tree_replaces_id_tree"), "tree", "tree", ["replaces_id"], ["id"]
    )
    op.create_unique_constraint(op.f("uq_tree_replaces_id"), "tree", ["replaces_id"])
    op.create_check_constraint(
        op.f("ck_tree_planted_in_year"),
        "tree",
        "planted_on IS NULL OR date_part('year', planted_on) = planted_year",
    )
    op.create_check_constraint(op.f("ck_tree_another_replaced"), "tree", "replaces_id <> id")
    op.create_index("ix_tree_pack_code", "tree_pack", ["code"], unique=False)
    for statement in RULES:
        op.execute(statement)
    op.execute("GRANT UPDATE (replaces_id) ON tree TO tanhui_app")


def downgrade() -> None:
    op.execute("DROP TRIGGER tree_pack_is_whole ON tree_pack_member")
    op.execute("DROP TRIGGER tree_joins_alive ON tree_pack_member")
    op.execute("DROP FUNCTION check_tree_joins, check_tree_pack")
    op.drop_index("ix_tree_pack_code", "tree_pack")
    op.drop_column("tree", "replaces_id")
    op.drop_column("tree", "planted_on")
