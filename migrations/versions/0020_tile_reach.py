"""Show on tiles what row-level security shows: plots reached by a project, lot or contract too."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TILE = """
    CREATE OR REPLACE FUNCTION parcel_tile(
      at_z integer, at_x integer, at_y integer, bytes_most integer DEFAULT 450000) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH here AS (SELECT tile_box(at_z, at_x, at_y) AS box),
      seen AS MATERIALIZED (
        SELECT p.id, p.code::text AS name, p.kind,
               CASE p.status WHEN 'returned' THEN 'returned_for_change' ELSE p.status END AS status,
               p.area_m2, ST_AsMVTGeom(p.geometry, box, 4096, 64, true) AS geom
          FROM here, parcel_scope() s, parcel p
         WHERE p.geometry && ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64)
           AND p.status <> 'withdrawn'
           AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party{reached})),
      sized AS (
        SELECT *, sum(64 + coalesce(octet_length(name), 0) + 4 * ST_NPoints(geom))
                    OVER (ORDER BY area_m2 DESC, id) AS bytes
          FROM seen WHERE geom IS NOT NULL)
      SELECT coalesce((SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
               SELECT id::text AS id, name, kind, status, geom FROM sized
                WHERE bytes <= bytes_most ORDER BY area_m2 DESC, sized.id) f), '')
          || coalesce((SELECT ST_AsMVT(f, 'left_out', 4096, 'geom') FROM (
               SELECT count(*)::integer AS parcels, ST_MakePoint(2048, 2048) AS geom FROM sized
                WHERE bytes > bytes_most HAVING count(*) > 0) f), '')
    $$
"""
# Who has no ground of their own sees what they reach far off as well; staff see it near: to walk
# through every project for each far tile would cost more than the few plots over the border tell.
CELLS = """
    CREATE OR REPLACE FUNCTION cells_in_reach(
      low_x integer, low_y integer, high_x integer, high_y integer)
    RETURNS TABLE (x integer, y integer, status text, parcels bigint, area_dm2 bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      s record;
    BEGIN
      SELECT * INTO s FROM parcel_scope();
      IF s.everything OR length(s.below) <= 9 THEN
        RETURN QUERY SELECT c.x, c.y, c.status, c.parcels, c.area_dm2 FROM parcel_cell c
         WHERE c.x BETWEEN low_x AND high_x AND c.y BETWEEN low_y AND high_y
           AND c.parcels > 0 AND c.status <> 'withdrawn'
           AND (s.everything OR c.township LIKE s.below || '%');
      ELSIF s.below IS NOT NULL THEN
        RETURN QUERY SELECT cell_x(ST_X(m)), cell_y(ST_Y(m)), p.status, 1::bigint,
               round(p.area_m2 * 100)::bigint
          FROM parcel p, ST_Centroid(p.geometry) m
         WHERE p.division_code LIKE s.below || '%' AND p.status <> 'withdrawn'
           AND cell_x(ST_X(m)) BETWEEN low_x AND high_x AND cell_y(ST_Y(m)) BETWEEN low_y AND high_y;
      END IF;
      IF NOT s.everything THEN
        RETURN QUERY SELECT cell_x(ST_X(m)), cell_y(ST_Y(m)), p.status, 1::bigint,
               round(p.area_m2 * 100)::bigint
          FROM parcel p, ST_Centroid(p.geometry) m
         WHERE p.id IN (SELECT parcels_apart())
           AND p.status <> 'withdrawn' AND (p.division_code LIKE s.below || '%') IS NOT TRUE
           AND cell_x(ST_X(m)) BETWEEN low_x AND high_x AND cell_y(ST_Y(m)) BETWEEN low_y AND high_y;
      END IF;
    END $$
"""
APART = """
    CREATE OR REPLACE FUNCTION parcels_apart() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT p.id FROM parcel_scope() s JOIN parcel p ON p.owner_id = s.party
      UNION
      SELECT r FROM parcel_scope() s, LATERAL (SELECT reached_parcels() WHERE s.below IS NULL) t (r)
    $$
"""
VERSION = """
    CREATE OR REPLACE FUNCTION parcel_tile_version(at_z integer, at_x integer, at_y integer)
    RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      s record;
      box geometry := tile_box(at_z, at_x, at_y);
      found text;
    BEGIN
      SELECT * INTO s FROM parcel_scope();
      box := ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64);
      SELECT concat_ws(':', s.everything, s.below, s.party, sum(c.version)) INTO found
        FROM parcel_cell c
       WHERE c.extent && box AND (s.everything OR c.township LIKE left(s.below, 9) || '%');
      IF NOT s.everything THEN
        found := found || ':' || (
          SELECT md5(coalesce(string_agg(concat_ws(',', p.id, p.version, p.kind, p.status, p.code),
                                         ';' ORDER BY p.id), ''))
            FROM parcel p WHERE p.id IN (SELECT parcels_apart()) AND p.geometry && box);
      END IF;
      IF s.below IS NOT NULL AND NOT s.everything AND at_z >= 13 THEN
        found := found || ':' || (
          SELECT md5(coalesce(string_agg(concat_ws(',', p.id, p.version, p.kind, p.status, p.code),
                                         ';' ORDER BY p.id), ''))
            FROM parcel p
           WHERE p.geometry && box AND (p.division_code LIKE s.below || '%') IS NOT TRUE
             AND p.id IN (SELECT reached_parcels()));
      END IF;
      RETURN found;
    END $$
"""
REACHED = " OR p.id IN (SELECT reached_parcels())"


def upgrade() -> None:
    op.execute(APART)
    op.execute(TILE.format(reached=REACHED))
    op.execute(CELLS)
    op.execute(VERSION)


def downgrade() -> None:
    """Leave the wider functions: they answer what policies show; only the helper's use is new."""
    op.execute(TILE.format(reached=""))
