"""Places: every row of every file, parcels with versions, and no two of a kind on one ground."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import Xid8, record_table, state_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "import_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("file_format", sa.String(), nullable=False),
        sa.Column("source_crs", sa.String(), nullable=False),
        sa.Column("encoding", sa.String(), nullable=True),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column("programme_id", sa.String(), nullable=True),
        sa.Column("read_rows", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("questioned", sa.Integer(), nullable=False),
        sa.Column(
            "findings",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="Findings about the whole file",
        ),
        sa.Column(
            "effective_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it counts; given by the command",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "read_rows = accepted + refused + questioned",
            name=op.f("ck_import_batch_every_row_counted"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_import_batch_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["division_code"],
            ["division.code"],
            name=op.f("fk_import_batch_division_code_division"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    op.create_index("ix_import_batch_actor_id", "import_batch", ["actor_id"], unique=False)
    op.create_table(
        "parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "code", sa.String(), nullable=True, comment="The plot number its village knows it by"
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("division_code", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "geometry",
            geoalchemy2.Geometry("MULTIPOLYGON", srid=4490, spatial_index=False),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False, comment="On the CGCS2000 ellipsoid"),
        sa.Column("shape_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "kind IN ('carbon', 'orchard', 'tree')", name=op.f("ck_parcel_kind_known")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'returned', 'withdrawn')",
            name=op.f("ck_parcel_status_known"),
        ),
        sa.CheckConstraint("area_m2 > 0", name=op.f("ck_parcel_area_positive")),
        sa.ForeignKeyConstraint(
            ["division_code"], ["division.code"], name=op.f("fk_parcel_division_code_division")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["party.id"], name=op.f("fk_parcel_owner_id_party")),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_parcel_submitted_by_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel")),
    )
    op.create_index("ix_parcel_division_code", "parcel", ["division_code"], unique=False)
    op.create_index(
        "ix_parcel_geometry", "parcel", ["geometry"], unique=False, postgresql_using="gist"
    )
    op.create_index("ix_parcel_owner_id", "parcel", ["owner_id"], unique=False)
    op.create_index("ix_parcel_shape_digest", "parcel", ["shape_digest"], unique=False)
    op.create_table(
        "import_row",
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "geometry",
            geoalchemy2.Geometry(
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("area_m2", sa.Double(), nullable=True),
        sa.Column("shape_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(status = 'accepted') = (parcel_id IS NOT NULL)",
            name=op.f("ck_import_row_accepted_has_parcel"),
        ),
        sa.CheckConstraint(
            "status IN ('accepted', 'questioned', 'refused')",
            name=op.f("ck_import_row_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_row_batch_id_import_batch")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id"],
            ["parcel.id"],
            name=op.f("fk_import_row_parcel_id_parcel"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("batch_id", "row", name=op.f("pk_import_row")),
    )
    op.create_index("ix_import_row_parcel_id", "import_row", ["parcel_id"], unique=False)
    op.create_index("ix_import_row_shape_digest", "import_row", ["shape_digest"], unique=False)
    op.create_table(
        "parcel_version",
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "geometry",
            geoalchemy2.Geometry("MULTIPOLYGON", srid=4490, spatial_index=False),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("shape_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source_crs", sa.String(), nullable=False),
        sa.Column(
            "captured_with",
            sa.String(),
            nullable=False,
            comment="import, drawing, or a device's name",
        ),
        sa.Column("batch_id", sa.Uuid(), nullable=True),
        sa.Column("batch_row", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "effective_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it counts; given by the command",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint("area_m2 > 0", name=op.f("ck_parcel_version_area_positive")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_parcel_version_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id", "batch_row"],
            ["import_row.batch_id", "import_row.row"],
            name=op.f("fk_parcel_version_batch_id_batch_row_import_row"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_version_parcel_id_parcel")
        ),
        sa.PrimaryKeyConstraint("parcel_id", "version", name=op.f("pk_parcel_version")),
    )
    op.create_index("ix_parcel_version_batch_id", "parcel_version", ["batch_id"], unique=False)
    op.create_table(
        "parcel_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "effective_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it counts; given by the command",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "decision <> 'approve' OR submitted_by <> actor_id",
            name=op.f("ck_parcel_decision_approved_by_another"),
        ),
        sa.CheckConstraint(
            "decision <> 'return' OR length(reason) > 0",
            name=op.f("ck_parcel_decision_return_says_why"),
        ),
        sa.CheckConstraint(
            "decision IN ('submit', 'approve', 'return', 'withdraw')",
            name=op.f("ck_parcel_decision_known"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_parcel_decision_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_parcel_decision_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_parcel_decision_submitted_by_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_decision")),
    )
    op.create_index("ix_parcel_decision_parcel_id", "parcel_decision", ["parcel_id"], unique=False)

    # Two writers cannot see each other's uncommitted rows: they meet at the lock of a cell of
    # ground (0.02 degrees), then look.  Over 512 cells the whole scope is locked instead.
    op.execute(
        """
        CREATE FUNCTION lock_ground(scope text, places geometry[]) RETURNS void
        LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
        DECLARE
          boxes bigint;
          cells bigint[];
          cell bigint;
        BEGIN
          IF current_setting('transaction_isolation') <> 'read committed' THEN
            RAISE EXCEPTION 'places are written under READ COMMITTED only'
              USING ERRCODE = '25001';
          END IF;
          SELECT sum((floor(ST_XMax(p) / 0.02) - floor(ST_XMin(p) / 0.02) + 1)
                   * (floor(ST_YMax(p) / 0.02) - floor(ST_YMin(p) / 0.02) + 1))
            INTO boxes FROM unnest(places) p;
          IF boxes <= 100000 THEN
            SELECT array_agg(DISTINCT x * 100000 + y) INTO cells
              FROM unnest(places) p,
                generate_series(floor(ST_XMin(p) / 0.02)::int, floor(ST_XMax(p) / 0.02)::int) x,
                generate_series(floor(ST_YMin(p) / 0.02)::int, floor(ST_YMax(p) / 0.02)::int) y;
          END IF;
          IF cells IS NULL OR cardinality(cells) > 512 THEN
            PERFORM pg_advisory_xact_lock(hashtextextended(scope, 0));
            RETURN;
          END IF;
          PERFORM pg_advisory_xact_lock_shared(hashtextextended(scope, 0));
          FOREACH cell IN ARRAY (SELECT array_agg(c ORDER BY c) FROM unnest(cells) c) LOOP
            PERFORM pg_advisory_xact_lock(hashtextextended(scope || ':' || cell, 0));
          END LOOP;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION overlap_tolerance_m2(a_m2 double precision, b_m2 double precision)
        RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
          SELECT least(1.0, 0.001 * least(a_m2, b_m2))
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION check_parcel_ground() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
          scope text;
          clash record;
        BEGIN
          SELECT c.id INTO clash FROM changed c
            WHERE NOT ST_IsValid(c.geometry) OR ST_IsEmpty(c.geometry)
               -- Geography bends long edges; ours are straight in degrees: more points tell.
               OR (abs(c.area_m2 - ST_Area(c.geometry::geography)) > 0.01 + 1e-4 * c.area_m2
                 AND abs(c.area_m2 - ST_Area(ST_Segmentize(c.geometry, 0.002)::geography))
                   > 0.01 + 1e-4 * c.area_m2)
            LIMIT 1;
          IF FOUND THEN
            RAISE EXCEPTION 'parcel % is not a valid place, or its area is not its own', clash.id
              USING ERRCODE = '23514', CONSTRAINT = 'parcel_place_is_true';
          END IF;
          FOR scope IN SELECT DISTINCT kind FROM changed
                       WHERE status IN ('submitted', 'approved') ORDER BY 1 LOOP
            PERFORM lock_ground('parcel:' || scope, (
              SELECT array_agg(geometry) FROM changed
               WHERE kind = scope AND status IN ('submitted', 'approved')));
            SELECT one, other, m2 INTO clash
              FROM (SELECT n.id AS one, p.id AS other, n.geometry AS a, p.geometry AS b,
                           overlap_tolerance_m2(n.area_m2, p.area_m2) AS allowed_m2
                      FROM changed n
                      JOIN parcel p ON p.kind = n.kind AND p.id <> n.id
                        AND p.status IN ('submitted', 'approved') AND p.geometry && n.geometry
                     WHERE n.kind = scope AND n.status IN ('submitted', 'approved')
                       AND NOT EXISTS (SELECT FROM changed c WHERE c.id = p.id AND p.id < n.id)
                    OFFSET 0) pair -- each pair is cut once, and only where insides meet
              CROSS JOIN LATERAL (SELECT CASE WHEN ST_Relate(a, b, 'T********') THEN
                ST_Area(ST_Intersection(a, b, 1e-10)::geography) ELSE 0 END AS m2) o
             WHERE m2 > allowed_m2
             ORDER BY m2 DESC LIMIT 1;
            IF FOUND THEN
              RAISE EXCEPTION 'parcel % overlaps parcel % by % m2', clash.one, clash.other, clash.m2
                USING ERRCODE = '23P01', CONSTRAINT = 'parcel_overlap',
                  DETAIL = json_build_object('parcel', clash.one, 'other', clash.other,
                                             'area_m2', clash.m2)::text;
            END IF;
          END LOOP;
          RETURN NULL;
        END $$
        """
    )
    # Row-level security hides neighbours of other townships; this tells only that and how much.
    op.execute(
        """
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
    )
    for act in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER parcel_ground_{act.lower()} AFTER {act} ON parcel"
            " REFERENCING NEW TABLE AS changed"
            " FOR EACH STATEMENT EXECUTE FUNCTION check_parcel_ground()"
        )
    op.execute(
        """
        CREATE FUNCTION check_parcel_approval() RETURNS trigger LANGUAGE plpgsql
        SET search_path = public, pg_temp AS $$
        BEGIN
          IF NEW.status = 'approved' AND NOT EXISTS (
            SELECT FROM parcel_decision d
             WHERE d.parcel_id = NEW.id AND d.version = NEW.version AND d.decision = 'approve'
               AND d.actor_id <> NEW.submitted_by) THEN
            RAISE EXCEPTION 'parcel % was not approved by another person', NEW.id
              USING ERRCODE = '23514', CONSTRAINT = 'parcel_approved_by_another';
          END IF;
          RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER parcel_approval BEFORE INSERT OR UPDATE ON parcel"
        " FOR EACH ROW EXECUTE FUNCTION check_parcel_approval()"
    )
    record_table("parcel_version")
    record_table("parcel_decision")
    state_table("import_batch", update="accepted, refused, questioned")
    state_table("import_row", update="status, findings, parcel_id")
    state_table(
        "parcel",
        update="code, kind, status, version, division_code, owner_id, geometry, area_m2,"
        " shape_digest, submitted_by",
    )


def downgrade() -> None:
    op.drop_table("parcel_decision")
    op.drop_table("parcel_version")
    op.drop_table("import_row")
    op.drop_table("parcel")
    op.drop_table("import_batch")
    op.execute("DROP FUNCTION staged_overlaps")
    op.execute("DROP FUNCTION check_parcel_approval")
    op.execute("DROP FUNCTION check_parcel_ground")
    op.execute("DROP FUNCTION overlap_tolerance_m2")
    op.execute("DROP FUNCTION lock_ground")
