"""Count parcels by wide cells too, so that a far tile and its version cost the same in any county.

Near tiles are cut by functions whose plans are kept: planning cost more than cutting a small tile.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEY = (
    "cell_x(ST_X(ST_Centroid(geometry))) AS x, cell_y(ST_Y(ST_Centroid(geometry))) AS y,"
    " coalesce(left(division_code, 9), '') AS township, kind, status"
)
EXTENT = "ST_SetSRID(ST_Extent(geometry)::geometry, 4490)"
FAR = """INSERT INTO parcel_cell_wide AS w (x, y, township, status, parcels, area_dm2)
        SELECT x / 16, y / 16, township, status, sum(parcels), sum(area_dm2) FROM counted
         GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""
# Statements lock wide cells and cells in one order, and a version only rises: as in 0013.
WRITE = (
    """near AS (
          INSERT INTO parcel_cell AS c (x, y, township, kind, status, parcels, area_dm2, extent)
          SELECT * FROM counted ORDER BY x, y, township, kind, status
          ON CONFLICT (x, y, township, kind, status) DO UPDATE SET
            parcels = c.parcels + excluded.parcels, area_dm2 = c.area_dm2 + excluded.area_dm2,
            version = c.version + 1,
            extent = CASE WHEN c.extent ~ excluded.extent THEN c.extent
                          ELSE ST_Envelope(ST_Collect(c.extent, excluded.extent)) END)
        """
    + FAR
    + """
        ON CONFLICT (x, y, township, status) DO UPDATE SET
          parcels = w.parcels + excluded.parcels, area_dm2 = w.area_dm2 + excluded.area_dm2,
          version = w.version + 1"""
)
COUNTING = f"""
    CREATE OR REPLACE FUNCTION count_parcel_cells() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        WITH counted AS MATERIALIZED (
          SELECT {KEY}, count(*) AS parcels, sum(round(area_m2 * 100)) AS area_dm2, {EXTENT}
            FROM added GROUP BY 1, 2, 3, 4, 5),
        {WRITE};
      ELSE
        WITH moved AS (
          SELECT n.id FROM added n JOIN removed o ON o.id = n.id
           WHERE (n.shape_digest, n.code, n.kind, n.status, n.division_code, n.owner_id)
             IS DISTINCT FROM
                 (o.shape_digest, o.code, o.kind, o.status, o.division_code, o.owner_id)),
        turned AS (
          SELECT geometry, division_code, kind, status, area_m2, 1 AS sign
            FROM added WHERE id IN (SELECT id FROM moved)
          UNION ALL
          SELECT geometry, division_code, kind, status, area_m2, -1
            FROM removed WHERE id IN (SELECT id FROM moved)),
        counted AS MATERIALIZED (
          SELECT {KEY}, sum(sign) AS parcels, sum(sign * round(area_m2 * 100)) AS area_dm2, {EXTENT}
            FROM turned GROUP BY 1, 2, 3, 4, 5),
        {WRITE};
      END IF;
      RETURN NULL;
    END $$
"""
# Wide cells answer with the first of the cells they hold.
CELLS = """
    CREATE FUNCTION cells_in_reach(
      low_x integer, low_y integer, high_x integer, high_y integer, wide boolean DEFAULT false)
    RETURNS TABLE (x integer, y integer, status text, parcels bigint, area_dm2 bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      s record;
    BEGIN
      SELECT * INTO s FROM parcel_scope();
      IF wide AND (s.everything OR length(s.below) <= 9) THEN
        RETURN QUERY SELECT c.x * 16, c.y * 16, c.status, c.parcels, c.area_dm2
          FROM parcel_cell_wide c
         WHERE c.x BETWEEN low_x / 16 AND high_x / 16 AND c.y BETWEEN low_y / 16 AND high_y / 16
           AND c.parcels > 0 AND c.status <> 'withdrawn'
           AND (s.everything OR c.township LIKE s.below || '%');
      ELSIF s.everything OR length(s.below) <= 9 THEN
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
# A tile has 16 x 16 cells: up to z8 each holds whole wide ones.
CELL_TILE = """
    CREATE OR REPLACE FUNCTION cell_tile(at_z integer, at_x integer, at_y integer) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH wide AS (SELECT 2 ^ (16 - at_z) AS side, 2 ^ (12 - at_z) AS cell),
      seen AS (
        SELECT floor(c.x / wide.cell)::integer - 16 * at_x AS i,
               floor(c.y / wide.cell)::integer - 16 * at_y AS j, c.status, c.parcels, c.area_dm2
          FROM wide, cells_in_reach(
            (at_x * side)::integer, (at_y * side)::integer,
            ((at_x + 1) * side)::integer - 1, ((at_y + 1) * side)::integer - 1, at_z <= 8) c),
      summed AS (
        SELECT ST_MakeEnvelope(i * 256, j * 256, (i + 1) * 256, (j + 1) * 256) AS geom,
               sum(parcels)::integer AS parcels, round(sum(area_dm2) / 100)::bigint AS area_m2,
               sum(parcels) FILTER (WHERE status = 'draft')::integer AS draft,
               sum(parcels) FILTER (WHERE status = 'submitted')::integer AS submitted,
               sum(parcels) FILTER (WHERE status = 'approved')::integer AS approved,
               sum(parcels) FILTER (WHERE status = 'returned')::integer AS returned
          FROM seen GROUP BY i, j ORDER BY i, j)
      SELECT ST_AsMVT(f, 'cells', 4096, 'geom') FROM summed f
    $$
"""
SIZED = """
      sized AS (
        SELECT *, sum({bytes} + 4 * ST_NPoints(geom)) OVER (ORDER BY area_m2 DESC, id) AS bytes
          FROM seen WHERE geom IS NOT NULL)"""
PARCEL_TILE = f"""
    CREATE OR REPLACE FUNCTION parcel_tile(
      at_z integer, at_x integer, at_y integer, bytes_most integer DEFAULT 450000) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      s record;
      box geometry := tile_box(at_z, at_x, at_y);
      near geometry := ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64);
    BEGIN
      SELECT * INTO s FROM parcel_scope();
      RETURN (WITH seen AS MATERIALIZED (
        SELECT p.id, p.code::text AS name, p.kind,
               CASE p.status WHEN 'returned' THEN 'returned_for_change' ELSE p.status END AS status,
               p.area_m2, ST_AsMVTGeom(p.geometry, box, 4096, 64, true) AS geom
          FROM parcel p
         WHERE p.geometry && near AND p.status <> 'withdrawn'
           AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party
                OR p.id IN (SELECT reached_parcels()))),
      {SIZED.format(bytes="64 + coalesce(octet_length(name), 0)").strip()}
      SELECT coalesce((SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
               SELECT id::text AS id, name, kind, status, geom FROM sized
                WHERE bytes <= bytes_most ORDER BY area_m2 DESC, sized.id) f), '')
          || coalesce((SELECT ST_AsMVT(f, 'left_out', 4096, 'geom') FROM (
               SELECT count(*)::integer AS parcels, ST_MakePoint(2048, 2048) AS geom FROM sized
                WHERE bytes > bytes_most HAVING count(*) > 0) f), ''));
    END $$
"""
NEIGHBOUR_TILE = f"""
    CREATE OR REPLACE FUNCTION neighbour_tile(
      at_z integer, at_x integer, at_y integer, bytes_most integer DEFAULT 450000) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      box geometry := tile_box(at_z, at_x, at_y);
      near geometry := ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64);
    BEGIN
      RETURN (WITH seen AS MATERIALIZED (
        SELECT p.id, p.kind, p.status, p.area_m2,
               ST_AsMVTGeom(p.geometry, box, 4096, 64, true) AS geom
          FROM parcel p
         WHERE p.geometry && near AND p.status IN ('submitted', 'approved')),
      {SIZED.format(bytes="12").strip()}
      SELECT coalesce((SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
        SELECT kind, status, geom FROM sized
         WHERE bytes <= bytes_most ORDER BY area_m2 DESC, id) f), ''));
    END $$
"""
# Far tiles are of middles, so their own wide cells tell; what stands apart is few and found by its
# key.  Near ones are of shapes that reach in, found by the box; OFFSET 0 keeps it so.
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
      ELSE
        SELECT concat_ws(':', s.everything, s.below, s.party, sum(c.version)) INTO found
          FROM parcel_cell c
         WHERE c.extent && box AND (s.everything OR c.township LIKE left(s.below, 9) || '%');
      END IF;
      IF s.everything THEN
        RETURN found;
      END IF;
      IF at_z <= 12 THEN
        RETURN found || ':' || (
          SELECT md5(coalesce(string_agg(concat_ws(',', p.id, p.version, p.kind, p.status, p.code),
                                         ';' ORDER BY p.id), ''))
            FROM parcels_apart() a (id), LATERAL (
              SELECT * FROM parcel p WHERE p.id = a.id AND p.geometry && box OFFSET 0) p);
      END IF;
      found := found || ':' || (
        SELECT md5(coalesce(string_agg(concat_ws(',', p.id, p.version, p.kind, p.status, p.code),
                                       ';' ORDER BY p.id), ''))
          FROM (SELECT * FROM parcel p WHERE p.geometry && box OFFSET 0) p
         WHERE p.id IN (SELECT parcels_apart()));
      IF s.below IS NOT NULL THEN
        found := found || ':' || (
          SELECT md5(coalesce(string_agg(concat_ws(',', p.id, p.version, p.kind, p.status, p.code),
                                         ';' ORDER BY p.id), ''))
            FROM (SELECT * FROM parcel p WHERE p.geometry && box
                     AND (p.division_code LIKE s.below || '%') IS NOT TRUE OFFSET 0) p
           WHERE p.id IN (SELECT reached_parcels()));
      END IF;
      RETURN found;
    END $$
"""
PUBLIC_VERSION = """
    CREATE OR REPLACE FUNCTION public_tile_version(at_z integer, at_x integer, at_y integer)
    RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      side integer := 2 ^ ((CASE WHEN at_z <= 12 THEN 12 ELSE 16 END) - at_z);
    BEGIN
      IF at_z <= 12 THEN
        RETURN (SELECT sum(c.version)::text FROM parcel_cell_wide c
                 WHERE c.x BETWEEN at_x * side AND (at_x + 1) * side - 1
                   AND c.y BETWEEN at_y * side AND (at_y + 1) * side - 1);
      END IF;
      RETURN (SELECT sum(c.version)::text FROM parcel_cell c
               WHERE c.x BETWEEN at_x * side AND (at_x + 1) * side - 1
                 AND c.y BETWEEN at_y * side AND (at_y + 1) * side - 1);
    END $$
"""
DRIFT = f"""
    CREATE FUNCTION parcel_cells_astray() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH counted AS MATERIALIZED (
        SELECT {KEY}, count(*) AS parcels, sum(round(area_m2 * 100))::bigint AS area_dm2
          FROM parcel GROUP BY 1, 2, 3, 4, 5),
      near AS (
        SELECT FROM counted n FULL JOIN parcel_cell c USING (x, y, township, kind, status)
         WHERE (coalesce(n.parcels, 0), coalesce(n.area_dm2, 0))
            <> (coalesce(c.parcels, 0), coalesce(c.area_dm2, 0))),
      far AS (
        SELECT FROM (
          SELECT x / 16 AS x, y / 16 AS y, township, status, sum(parcels) AS parcels,
                 sum(area_dm2) AS area_dm2 FROM counted GROUP BY 1, 2, 3, 4) n
          FULL JOIN parcel_cell_wide w USING (x, y, township, status)
         WHERE (coalesce(n.parcels, 0), coalesce(n.area_dm2, 0))
            <> (coalesce(w.parcels, 0), coalesce(w.area_dm2, 0)))
      SELECT (SELECT count(*) FROM near) + (SELECT count(*) FROM far)
    $$
"""


def upgrade() -> None:
    op.create_table(
        "parcel_cell_wide",
        sa.Column("x", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("y", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("township", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("parcels", sa.BigInteger(), nullable=False),
        sa.Column("area_dm2", sa.BigInteger(), nullable=False),
        sa.Column(
            "version",
            sa.BigInteger(),
            server_default="1",
            nullable=False,
            comment="One more with every change",
        ),
        sa.PrimaryKeyConstraint("x", "y", "township", "status", name="pk_parcel_cell_wide"),
    )
    op.execute(FAR.replace("counted", "parcel_cell"))
    op.execute(COUNTING)
    op.execute("DROP FUNCTION cells_in_reach(integer, integer, integer, integer)")
    made = (CELLS, CELL_TILE, PARCEL_TILE, NEIGHBOUR_TILE, VERSION, PUBLIC_VERSION, DRIFT)
    for statement in made:
        op.execute(statement)


def downgrade() -> None:
    before, reach = (
        import_module(f"migrations.versions.{name}") for name in ("0013_tiles", "0020_tile_reach")
    )
    for name in ("parcel_cells_astray", "cells_in_reach"):
        op.execute(f"DROP FUNCTION {name}")
    counting = before.COUNTING.format(key=before.KEY, extent=before.EXTENT, upsert=before.UPSERT)
    op.execute(counting.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    made = ("neighbour_tile(", "cell_tile(", "public_tile_version(")
    for statement in before.READING:
        if any(f"CREATE FUNCTION {name}" in statement for name in made):
            op.execute(statement.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(reach.TILE.format(reached=reach.REACHED))
    op.execute(reach.CELLS)
    op.execute(reach.VERSION)
    op.drop_table("parcel_cell_wide")
