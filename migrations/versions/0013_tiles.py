"""Count parcels by cell of the web map's grid as they change, and cut map tiles by right."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The grid of web maps; longitude and latitude of CGCS2000 are read as they are.
GRID = (
    """
    CREATE FUNCTION cell_x(lon double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT least(greatest(floor((lon + 180) / 360 * 65536), 0), 65535)::integer
    $$
    """,
    """
    CREATE FUNCTION cell_y(lat double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT least(greatest(floor((1 - asinh(tan(radians(least(greatest(lat, -85.06), 85.06))))
        / pi()) / 2 * 65536), 0), 65535)::integer
    $$
    """,
    """
    CREATE FUNCTION tile_box(at_z integer, at_x integer, at_y integer) RETURNS geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
      SELECT ST_MakeEnvelope(
        at_x * 360.0 / 2 ^ at_z - 180,
        degrees(atan(sinh(pi() * (1 - 2 * (at_y + 1) / 2.0 ^ at_z)))),
        (at_x + 1) * 360.0 / 2 ^ at_z - 180,
        degrees(atan(sinh(pi() * (1 - 2 * at_y / 2.0 ^ at_z)))), 4490)
    $$
    """,
)

# One sorted insert a statement: writers meet the rows in one order, and a file of 100,000 parcels
# costs one aggregate.  A row is never removed and its version only rises, row locks see to that,
# so the sum over a region's rows is another after every change of the region.
COUNTING = """
    CREATE FUNCTION count_parcel_cells() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        INSERT INTO parcel_cell AS c (x, y, township, kind, status, parcels, area_dm2, extent)
        SELECT {key}, count(*), sum(round(area_m2 * 100)), {extent}
          FROM added GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        {upsert};
      ELSE
        INSERT INTO parcel_cell AS c (x, y, township, kind, status, parcels, area_dm2, extent)
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
            FROM removed WHERE id IN (SELECT id FROM moved))
        SELECT {key}, sum(sign), sum(sign * round(area_m2 * 100)), {extent}
          FROM turned GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        {upsert};
      END IF;
      RETURN NULL;
    END $$
"""
KEY = (
    "cell_x(ST_X(ST_Centroid(geometry))), cell_y(ST_Y(ST_Centroid(geometry))),"
    " coalesce(left(division_code, 9), ''), kind, status"
)
EXTENT = "ST_SetSRID(ST_Extent(geometry)::geometry, 4490)"
UPSERT = """ON CONFLICT (x, y, township, kind, status) DO UPDATE SET
          parcels = c.parcels + excluded.parcels, area_dm2 = c.area_dm2 + excluded.area_dm2,
          version = c.version + 1,
          extent = CASE WHEN c.extent ~ excluded.extent THEN c.extent
                        ELSE ST_Envelope(ST_Collect(c.extent, excluded.extent)) END"""

# `&&` is not leakproof: under a policy no spatial index is used.  So tiles are cut by definers,
# which apply the actor's reach themselves and return permitted columns only.
READING = (
    # The digits that the codes of a staff's division and of all below it begin with: whole groups
    # of zeros are cut, as registry.divisions.subtree_prefix does.
    r"""
    CREATE FUNCTION parcel_scope()
    RETURNS TABLE (everything boolean, below text, party uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT a.roles && ARRAY['system', 'auditor'],
             CASE WHEN a.roles && ARRAY['township', 'county', 'company'] THEN
               regexp_replace(a.division_code, '((((00)?00)?000)?000)$', '') END,
             a.party_id
        FROM actor a
       WHERE a.id = nullif(current_setting('tanhui.actor', true), '')::uuid AND a.active
    $$
    """,
    # Cells an actor may see within a range, at 1/65536 of the world: by township from the counts,
    # and what lies outside the own ground, or is finer than a township, from the parcels.
    """
    CREATE FUNCTION cells_in_reach(low_x integer, low_y integer, high_x integer, high_y integer)
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
      IF NOT s.everything AND s.party IS NOT NULL THEN
        RETURN QUERY SELECT cell_x(ST_X(m)), cell_y(ST_Y(m)), p.status, 1::bigint,
               round(p.area_m2 * 100)::bigint
          FROM parcel p, ST_Centroid(p.geometry) m
         WHERE p.owner_id = s.party AND p.status <> 'withdrawn'
           AND (p.division_code LIKE s.below || '%') IS NOT TRUE
           AND cell_x(ST_X(m)) BETWEEN low_x AND high_x AND cell_y(ST_Y(m)) BETWEEN low_y AND high_y;
      END IF;
    END $$
    """,
    # What everybody may know: cells of a kilometre that hold three approved parcels or more.
    # Wider cells are sums of those shown, so that no difference tells of one that is not.
    """
    CREATE FUNCTION public_cells(low_x integer, low_y integer, high_x integer, high_y integer)
    RETURNS TABLE (x integer, y integer, parcels bigint, area_dm2 bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT c.x / 2, c.y / 2, sum(c.parcels)::bigint, sum(c.area_dm2)::bigint
        FROM parcel_cell c
       WHERE c.x BETWEEN 2 * low_x AND 2 * high_x + 1 AND c.y BETWEEN 2 * low_y AND 2 * high_y + 1
         AND c.status = 'approved' AND c.parcels > 0
       GROUP BY 1, 2 HAVING sum(c.parcels) >= 3
    $$
    """,
    """
    CREATE FUNCTION cell_tile(at_z integer, at_x integer, at_y integer) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH wide AS (SELECT 2 ^ (16 - at_z) AS side, 2 ^ (12 - at_z) AS cell),
      seen AS (
        SELECT floor(c.x / wide.cell)::integer - 16 * at_x AS i,
               floor(c.y / wide.cell)::integer - 16 * at_y AS j, c.status, c.parcels, c.area_dm2
          FROM wide, cells_in_reach(
            (at_x * side)::integer, (at_y * side)::integer,
            ((at_x + 1) * side)::integer - 1, ((at_y + 1) * side)::integer - 1) c),
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
    """,
    """
    CREATE FUNCTION public_tile(at_z integer, at_x integer, at_y integer) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH wide AS (
        SELECT 2 ^ (15 - at_z) AS side, greatest(2 ^ (11 - at_z), 1) AS cell,
               (4096 / least(16, 2 ^ (15 - at_z)))::integer AS units),
      seen AS (
        SELECT (floor(c.x / wide.cell) - floor(at_x * side / wide.cell))::integer * units AS i,
               (floor(c.y / wide.cell) - floor(at_y * side / wide.cell))::integer * units AS j,
               units, c.parcels, c.area_dm2
          FROM wide, public_cells(
            (at_x * side)::integer, (at_y * side)::integer,
            ((at_x + 1) * side)::integer - 1, ((at_y + 1) * side)::integer - 1) c),
      summed AS (
        SELECT ST_MakeEnvelope(i, j, i + units, j + units) AS geom,
               sum(parcels)::integer AS parcels, round(sum(area_dm2) / 100)::bigint AS area_m2
          FROM seen GROUP BY i, j, units ORDER BY i, j)
      SELECT ST_AsMVT(f, 'cells', 4096, 'geom') FROM summed f
    $$
    """,
    # Degrees are laid on the tile as they are.  What more they bend within a tile at z >= 13 is
    # less than a third of a unit of 4096.  The largest come first; what no longer fits is counted.
    """
    CREATE FUNCTION parcel_tile(
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
           AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party)),
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
    """,
    """
    CREATE FUNCTION neighbour_tile(
      at_z integer, at_x integer, at_y integer, bytes_most integer DEFAULT 450000) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      WITH here AS (SELECT tile_box(at_z, at_x, at_y) AS box),
      seen AS MATERIALIZED (
        SELECT p.id, p.kind, p.status, p.area_m2,
               ST_AsMVTGeom(p.geometry, box, 4096, 64, true) AS geom
          FROM here, parcel p
         WHERE p.geometry && ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64)
           AND p.status IN ('submitted', 'approved')),
      sized AS (
        SELECT *, sum(12 + 4 * ST_NPoints(geom)) OVER (ORDER BY area_m2 DESC, id) AS bytes
          FROM seen WHERE geom IS NOT NULL)
      SELECT coalesce((SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
        SELECT kind, status, geom FROM sized
         WHERE bytes <= bytes_most ORDER BY area_m2 DESC, id) f), '')
    $$
    """,
    # Another text after every change of what a tile of this actor shows; a cell's extent holds
    # every parcel that ever had its middle there, so none that reaches into the tile is missed.
    """
    CREATE FUNCTION parcel_tile_version(at_z integer, at_x integer, at_y integer) RETURNS text
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
      IF NOT s.everything AND s.party IS NOT NULL THEN
        found := found || ':' || (
          SELECT md5(coalesce(string_agg(concat_ws(',', p.id, p.version, p.kind, p.status, p.code),
                                         ';' ORDER BY p.id), ''))
            FROM parcel p WHERE p.owner_id = s.party AND p.geometry && box);
      END IF;
      RETURN found;
    END $$
    """,
    """
    CREATE FUNCTION neighbour_tile_version(at_z integer, at_x integer, at_y integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT sum(c.version)::text FROM tile_box(at_z, at_x, at_y) box, parcel_cell c
       WHERE c.extent && ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64)
    $$
    """,
    """
    CREATE FUNCTION public_tile_version(at_z integer, at_x integer, at_y integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT sum(c.version)::text FROM parcel_cell c
       WHERE c.x BETWEEN at_x * 2 ^ (16 - at_z) AND (at_x + 1) * 2 ^ (16 - at_z) - 1
         AND c.y BETWEEN at_y * 2 ^ (16 - at_z) AND (at_y + 1) * 2 ^ (16 - at_z) - 1
    $$
    """,
)
MADE = (
    "public_tile_version",
    "neighbour_tile_version",
    "parcel_tile_version",
    "neighbour_tile",
    "parcel_tile",
    "public_tile",
    "cell_tile",
    "public_cells",
    "cells_in_reach",
    "parcel_scope",
)


def upgrade() -> None:
    op.create_table(
        "parcel_cell",
        sa.Column("x", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("y", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("township", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
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
        sa.Column(
            "extent",
            geoalchemy2.Geometry("POLYGON", srid=4490, spatial_index=False),
            nullable=False,
            comment="Holds every parcel that was ever counted here",
        ),
        sa.PrimaryKeyConstraint("x", "y", "township", "kind", "status", name="pk_parcel_cell"),
    )
    op.create_index("ix_parcel_cell_extent", "parcel_cell", ["extent"], postgresql_using="gist")
    for statement in GRID:
        op.execute(statement)
    op.execute(COUNTING.format(key=KEY, extent=EXTENT, upsert=UPSERT))
    op.execute(
        "INSERT INTO parcel_cell (x, y, township, kind, status, parcels, area_dm2, extent)"
        f" SELECT {KEY}, count(*), sum(round(area_m2 * 100)), {EXTENT}"
        " FROM parcel GROUP BY 1, 2, 3, 4, 5"
    )
    op.execute(
        "CREATE TRIGGER parcel_cells_insert AFTER INSERT ON parcel REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION count_parcel_cells()"
    )
    op.execute(
        "CREATE TRIGGER parcel_cells_update AFTER UPDATE ON parcel"
        " REFERENCING OLD TABLE AS removed NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION count_parcel_cells()"
    )
    for statement in READING:
        op.execute(statement)
    op.execute("REVOKE ALL ON FUNCTION count_parcel_cells FROM PUBLIC")


def downgrade() -> None:
    for name in MADE:
        op.execute(f"DROP FUNCTION {name}")
    for act in ("insert", "update"):
        op.execute(f"DROP TRIGGER parcel_cells_{act} ON parcel")
    for name in ("count_parcel_cells", "tile_box", "cell_x", "cell_y"):
        op.execute(f"DROP FUNCTION {name}")
    op.drop_table("parcel_cell")
