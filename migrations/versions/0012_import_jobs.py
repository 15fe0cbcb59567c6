"""Files are read in runs that are kept, previewed and accepted at once; jobs tell their progress."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATES = "'reading', 'previewed', 'accepted', 'taken_back'"

OVERLAPS = """
CREATE FUNCTION staged_overlaps(batch uuid)
RETURNS TABLE (row_number integer, other uuid, other_code text, m2 double precision,
               same_shape boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  scope text;
BEGIN
  FOR scope IN SELECT DISTINCT r.kind FROM import_row r
                WHERE r.batch_id = batch AND r.status = 'ready' ORDER BY 1 LOOP
    PERFORM lock_ground('parcel:' || scope, (
      SELECT array_agg(r.geometry) FROM import_row r
       WHERE r.batch_id = batch AND r.status = 'ready' AND r.kind = scope));
  END LOOP;
  RETURN QUERY
    SELECT r.row, p.id, p.code::text, o.m2, p.shape_digest = r.shape_digest
      FROM import_row r
      JOIN parcel p ON p.kind = r.kind
        AND p.status IN ('submitted', 'approved') AND p.geometry && r.geometry
      CROSS JOIN LATERAL (SELECT CASE
        WHEN p.shape_digest = r.shape_digest THEN p.area_m2
        WHEN ST_Relate(r.geometry, p.geometry, 'T********')
        THEN ST_Area(ST_Intersection(r.geometry, p.geometry, 1e-10)::geography)
        ELSE 0 END AS m2) o
     WHERE r.batch_id = batch AND r.status = 'ready'
       AND o.m2 > overlap_tolerance_m2(r.area_m2, p.area_m2)
     ORDER BY r.row, o.m2 DESC;
END $$
"""

OVERLAPS_BEFORE = """
CREATE FUNCTION staged_overlaps(batch uuid, kind_by_row jsonb)
RETURNS TABLE (row_number integer, other uuid, other_code text, m2 double precision,
               same_shape boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  scope text;
BEGIN
  FOR scope IN SELECT DISTINCT value FROM jsonb_each_text(kind_by_row) ORDER BY 1 LOOP
    PERFORM lock_ground('parcel:' || scope, (
      SELECT array_agg(r.geometry) FROM import_row r
       WHERE r.batch_id = batch AND r.status = 'accepted'
         AND kind_by_row ->> r.row::text = scope));
  END LOOP;
  RETURN QUERY
    SELECT r.row, p.id, p.code::text, o.m2, p.shape_digest = r.shape_digest
      FROM import_row r
      JOIN parcel p ON p.kind = kind_by_row ->> r.row::text
        AND p.status IN ('submitted', 'approved') AND p.geometry && r.geometry
      CROSS JOIN LATERAL (SELECT CASE
        WHEN p.shape_digest = r.shape_digest THEN p.area_m2
        WHEN ST_Relate(r.geometry, p.geometry, 'T********')
        THEN ST_Area(ST_Intersection(r.geometry, p.geometry, 1e-10)::geography)
        ELSE 0 END AS m2) o
     WHERE r.batch_id = batch AND r.status = 'accepted'
       AND o.m2 > overlap_tolerance_m2(r.area_m2, p.area_m2)
     ORDER BY r.row, o.m2 DESC;
END $$
"""

# Only who began a batch may drop it, and only while nothing came of it.
DISCARD = """
CREATE FUNCTION discard_import(batch uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM import_batch b WHERE b.id = batch AND b.state IN ('reading', 'previewed')
    AND b.actor_id = nullif(current_setting('tanhui.actor', true), '')::uuid FOR UPDATE;
  IF FOUND THEN
    DELETE FROM import_row r WHERE r.batch_id = batch;
    DELETE FROM import_batch b WHERE b.id = batch;
  END IF;
END $$
"""

# What stands in the way of taking a batch back, whoever it belongs to: no row of it is shown.
OBSTACLES = """
CREATE FUNCTION import_obstacles(batch uuid)
RETURNS TABLE (row_number integer, parcel uuid, why text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT r.row, r.parcel_id, x.why FROM import_row r
    JOIN parcel p ON p.id = r.parcel_id AND p.status <> 'withdrawn'
   CROSS JOIN LATERAL (
     SELECT 'claim' AS why WHERE EXISTS (
       SELECT FROM claim c WHERE c.parcel_id = p.id AND c.status = 'active')
     UNION ALL SELECT 'lot' WHERE EXISTS (
       SELECT FROM lot_parcel l JOIN lot ON lot.id = l.lot_id
        WHERE l.parcel_id = p.id AND lot.sale_state NOT IN ('REJECTED', 'WITHDRAWN'))
     UNION ALL SELECT 'project' WHERE EXISTS (
       SELECT FROM project_parcel j JOIN project ON project.id = j.project_id
        WHERE j.parcel_id = p.id AND project.status <> 'withdrawn')
     UNION ALL SELECT 'orchard' WHERE EXISTS (
       SELECT FROM orchard_plot o JOIN orchard ON orchard.id = o.orchard_id
          AND orchard.boundary_version = o.version WHERE o.parcel_id = p.id)
     UNION ALL SELECT 'tree' WHERE EXISTS (
       SELECT FROM tree t WHERE t.parcel_id = p.id AND t.status = 'live')
     UNION ALL SELECT 'revised' WHERE p.version > 1) x
   WHERE r.batch_id = batch ORDER BY r.row, x.why
$$
"""

TELL = """
CREATE FUNCTION tell_job() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_notify('tanhui_job', NEW.id::text);
  RETURN NULL;
END $$
"""


def _checks(states: str) -> None:
    op.execute(
        "ALTER TABLE import_row DROP CONSTRAINT ck_import_row_status_known,"
        f" ADD CONSTRAINT ck_import_row_status_known CHECK (status IN ({states}))"
    )


def upgrade() -> None:
    op.add_column(
        "import_batch",
        sa.Column("state", sa.Text(), server_default="accepted", nullable=False),
    )
    op.create_check_constraint("state_known", "import_batch", f"state IN ({STATES})")
    op.create_index("ix_import_batch_file_sha256", "import_batch", ["file_sha256"])
    for name, said in (
        ("kind", "Of the parcel it would become"),
        ("plot_code", "The plot number it names"),
        ("division_code", "Its village, if it names one"),
        ("owner_ref", "The owner's code it names"),
    ):
        op.add_column("import_row", sa.Column(name, sa.Text(), nullable=True, comment=said))
    op.add_column("import_row", sa.Column("attribute_digest", sa.LargeBinary(32), nullable=True))
    _checks("'ready', 'accepted', 'questioned', 'refused'")
    op.execute("GRANT UPDATE (state, read_rows, findings) ON import_batch TO tanhui_app")
    op.execute("DROP FUNCTION staged_overlaps(uuid, jsonb)")
    op.execute(OVERLAPS)
    op.execute(DISCARD)
    op.execute(OBSTACLES)
    op.execute(TELL)
    op.execute(
        "CREATE TRIGGER job_tells AFTER INSERT OR UPDATE ON job"
        " FOR EACH ROW EXECUTE FUNCTION tell_job()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER job_tells ON job")
    op.execute("DROP FUNCTION tell_job")
    op.execute("DROP FUNCTION import_obstacles")
    op.execute("DROP FUNCTION discard_import")
    op.execute("DROP FUNCTION staged_overlaps(uuid)")
    op.execute(OVERLAPS_BEFORE)
    _checks("'accepted', 'questioned', 'refused'")
    for name in ("attribute_digest", "owner_ref", "division_code", "plot_code", "kind"):
        op.drop_column("import_row", name)
    op.drop_index("ix_import_batch_file_sha256", "import_batch")
    op.drop_constraint("ck_import_batch_state_known", "import_batch")
    op.drop_column("import_batch", "state")
