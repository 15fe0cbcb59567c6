"""Tell a tile's version without asking who reaches what, where all of it lies on the own ground."""

from importlib import import_module

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BEFORE = import_module("migrations.versions.0025_wide_cells")
# What lies on the own ground is told by its cells; only what lies outside is looked at one by one,
# and for a desk that has no party there is nothing apart.
APART = "NOT s.everything AND (s.party IS NOT NULL OR s.below IS NULL)"
CELLS = BEFORE.CELLS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(
    "IF NOT s.everything THEN", f"IF {APART} THEN"
)
VERSION = """
    CREATE OR REPLACE FUNCTION parcel_tile_version(at_z integer, at_x integer, at_y integer)
    RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      s record;
      box geometry := tile_box(at_z, at_x, at_y);
      side integer;
      found text;
    BEGIN
      SELECT * INTO s FROM parcel_scope();
      box := ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64);
      IF at_z <= 12 THEN
        side := 2 ^ (12 - at_z);
        SELECT concat_ws(':', s.everything, s.below, s.party, sum(c.version)) INTO found
          FROM parcel_cell_wide c
         WHERE c.x BETWEEN at_x * side AND (at_x + 1) * side - 1
           AND c.y BETWEEN at_y * side AND (at_y + 1) * side - 1
           AND (s.everything OR c.township LIKE left(s.below, 9) || '%');
        IF NOT s.everything AND (s.party IS NOT NULL OR s.below IS NULL) THEN
          found := found || ':' || (
            SELECT md5(coalesce(string_agg(
                     concat_ws(',', p.id, p.version, p.kind, p.status, p.code), ';' ORDER BY p.id), ''))
              FROM parcels_apart() a (id), LATERAL (
                SELECT * FROM parcel p WHERE p.id = a.id AND p.geometry && box OFFSET 0) p);
        END IF;
        RETURN found;
      END IF;
      SELECT concat_ws(':', s.everything, s.below, s.party, sum(c.version)) INTO found
        FROM parcel_cell c
       WHERE c.extent && box AND (s.everything OR c.township LIKE left(s.below, 9) || '%');
      IF NOT s.everything THEN
        found := found || ':' || (
          SELECT md5(coalesce(string_agg(
                   concat_ws(',', p.id, p.version, p.kind, p.status, p.code), ';' ORDER BY p.id), ''))
            FROM (SELECT * FROM parcel p WHERE p.geometry && box
                     AND (p.division_code LIKE s.below || '%') IS NOT TRUE OFFSET 0) p
           WHERE p.owner_id = s.party OR p.id IN (SELECT reached_parcels()));
      END IF;
      RETURN found;
    END $$
"""


def upgrade() -> None:
    op.execute(CELLS)
    op.execute(VERSION)


def downgrade() -> None:
    op.execute(BEFORE.CELLS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(BEFORE.VERSION)
