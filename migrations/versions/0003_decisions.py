"""Decisions: programme versions, findings with evidence, projects, and claims by ground and years."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import Xid8, record_table, state_table

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exclusion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "layer_sha256",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="Digest of the file it came in",
        ),
        sa.Column("years", postgresql.INT4RANGE(), nullable=True),
        sa.Column(
            "geometry",
            geoalchemy2.Geometry("MULTIPOLYGON", srid=4490, spatial_index=False),
            nullable=False,
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "kind IN ('basic_farmland', 'red_line', 'wetland')",
            name=op.f("ck_exclusion_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index("ix_exclusion_layer_sha256", "exclusion", ["layer_sha256"], unique=False)
    op.create_index(
        "ix_exclusion_geometry", "exclusion", ["geometry"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "programme",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "scheme", sa.String(), nullable=True, comment="Crediting scheme, none for labels"
        ),
        sa.Column("name_zh", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("issuing_authority", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="The TOML text"),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
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
            "issuing_authority IN ('local', 'external')", name=op.f("ck_programme_authority_known")
        ),
        sa.CheckConstraint(
            "sha256 = sha256(convert_to(source, 'UTF8'))", name=op.f("ck_programme_digest_is_true")
        ),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_programme")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=False, comment="County code in serials"),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("proponent_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.Text(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("crediting_from", sa.Date(), nullable=False),
        sa.Column(
            "crediting_to",
            sa.Date(),
            nullable=False,
            comment="First day after the crediting period",
        ),
        sa.Column("external_number", sa.String(), nullable=True),
        sa.Column("document_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
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
        sa.CheckConstraint("adcode ~ '^[0-9]{6}$'", name=op.f("ck_project_adcode_has_6_digits")),
        sa.CheckConstraint(
            "crediting_to > crediting_from", name=op.f("ck_project_crediting_order")
        ),
        sa.CheckConstraint(
            "number BETWEEN 1 AND 999999", name=op.f("ck_project_number_has_6_digits")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id", "programme_version"],
            ["programme.id", "programme.version"],
            name=op.f("fk_project_programme_id_programme_version_programme"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'submitted', 'approved', 'returned', 'withdrawn')",
            name=op.f("ck_project_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["proponent_id"], ["party.id"], name=op.f("fk_project_proponent_id_party")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_project_submitted_by_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("adcode", "number", name=op.f("uq_project_adcode_number")),
        sa.UniqueConstraint("external_number", name=op.f("uq_project_external_number")),
    )
    op.create_table(
        "project_parcel",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_project_parcel_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_project_parcel_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_parcel_project_id_project")
        ),
        sa.PrimaryKeyConstraint("project_id", "parcel_id", name=op.f("pk_project_parcel")),
    )
    op.create_index("ix_project_parcel_parcel_id", "project_parcel", ["parcel_id"], unique=False)
    op.create_table(
        "project_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
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
            name=op.f("ck_project_decision_approved_by_another"),
        ),
        sa.CheckConstraint(
            "decision <> 'return' OR length(reason) > 0",
            name=op.f("ck_project_decision_return_says_why"),
        ),
        sa.CheckConstraint(
            "decision IN ('submit', 'approve', 'return', 'withdraw')",
            name=op.f("ck_project_decision_known"),
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["actor.id"], name=op.f("fk_project_decision_actor_id_actor")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_decision_project_id_project")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by"], ["actor.id"], name=op.f("fk_project_decision_submitted_by_actor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_decision")),
    )
    op.create_index(
        "ix_project_decision_project_id", "project_decision", ["project_id"], unique=False
    )
    op.create_table(
        "claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("parcel_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("external_reference", sa.String(), nullable=True),
        sa.Column(
            "layer_sha256",
            sa.LargeBinary(length=32),
            nullable=True,
            comment="Digest of the file an outside claim came in",
        ),
        sa.Column("layer_row", sa.Integer(), nullable=True),
        sa.Column("years", postgresql.INT4RANGE(), nullable=False),
        sa.Column(
            "geometry",
            geoalchemy2.Geometry("MULTIPOLYGON", srid=4490, spatial_index=False),
            nullable=False,
        ),
        sa.Column("area_m2", sa.Double(), nullable=False),
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
            "scheme IN ('ccer', 'vcs', 'inclusion', 'ticket', 'single_tree', 'reward', 'other')",
            name=op.f("ck_claim_scheme_known"),
        ),
        sa.CheckConstraint("status IN ('active', 'released')", name=op.f("ck_claim_status_known")),
        sa.CheckConstraint("NOT isempty(years)", name=op.f("ck_claim_years_not_empty")),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_claim_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_claim_project_id_project")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
        sa.UniqueConstraint(
            "layer_sha256", "layer_row", name=op.f("uq_claim_layer_sha256_layer_row")
        ),
    )
    op.create_index(
        "ix_claim_geometry", "claim", ["geometry"], unique=False, postgresql_using="gist"
    )
    op.create_index("ix_claim_parcel_id", "claim", ["parcel_id"], unique=False)
    op.create_index("ix_claim_project_id", "claim", ["project_id"], unique=False)
    op.create_table(
        "finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence_area_m2", sa.Double(), nullable=True),
        sa.Column(
            "evidence",
            geoalchemy2.Geometry(
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("input_digest", sa.LargeBinary(length=32), nullable=False),
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
            "answer IN ('eligible', 'not_eligible', 'needs_documents')",
            name=op.f("ck_finding_answer_known"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"], name=op.f("fk_finding_actor_id_actor")),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_finding_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id", "programme_version"],
            ["programme.id", "programme.version"],
            name=op.f("fk_finding_programme_id_programme_version_programme"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint(
            "parcel_id",
            "version",
            "programme_id",
            "programme_version",
            "rule",
            "input_digest",
            name=op.f(
                "uq_finding_parcel_id_version_programme_id_programme_version_rule_input_digest"
            ),
        ),
    )
    op.create_table(
        "eligibility",
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Text(), nullable=False),
        sa.Column("programme_version", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column(
            "input_digest",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="Which findings it rests on",
        ),
        sa.Column(
            "effective_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it counts; given by the command",
        ),
        sa.CheckConstraint(
            "answer IN ('eligible', 'not_eligible', 'needs_documents')",
            name=op.f("ck_eligibility_answer_known"),
        ),
        sa.ForeignKeyConstraint(
            ["parcel_id", "version"],
            ["parcel_version.parcel_id", "parcel_version.version"],
            name=op.f("fk_eligibility_parcel_id_version_parcel_version"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id", "programme_version"],
            ["programme.id", "programme.version"],
            name=op.f("fk_eligibility_programme_id_programme_version_programme"),
        ),
        sa.PrimaryKeyConstraint(
            "parcel_id",
            "version",
            "programme_id",
            "programme_version",
            name=op.f("pk_eligibility"),
        ),
    )

    op.execute(
        """
        CREATE FUNCTION check_project_approval() RETURNS trigger LANGUAGE plpgsql
        SET search_path = public, pg_temp AS $$
        BEGIN
          IF NEW.status = 'approved' AND (TG_OP = 'INSERT' OR OLD.status <> 'approved')
             AND NOT EXISTS (
            SELECT FROM project_decision d
             WHERE d.project_id = NEW.id AND d.decision = 'approve'
               AND d.submitted_by = NEW.submitted_by AND d.actor_id <> NEW.submitted_by
               AND d.recorded_at > coalesce((SELECT max(s.recorded_at) FROM project_decision s
                     WHERE s.project_id = NEW.id AND s.decision = 'submit'), '-infinity')) THEN
            RAISE EXCEPTION 'project % was not approved by another person', NEW.id
              USING ERRCODE = '23514', CONSTRAINT = 'project_approved_by_another';
          END IF;
          RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER project_approval BEFORE INSERT OR UPDATE ON project"
        " FOR EACH ROW EXECUTE FUNCTION check_project_approval()"
    )
    op.execute(
        """
        CREATE FUNCTION check_claim_ground() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE
          clash record;
        BEGIN
          IF NOT EXISTS (SELECT FROM changed WHERE status = 'active') THEN
            RETURN NULL;
          END IF;
          PERFORM lock_ground('claim', (
            SELECT array_agg(geometry) FROM changed WHERE status = 'active'));
          SELECT one, other, scheme, years, m2 INTO clash
            FROM (SELECT n.id AS one, p.id AS other, p.scheme, p.years,
                         n.geometry AS a, p.geometry AS b,
                         overlap_tolerance_m2(n.area_m2, p.area_m2) AS allowed_m2
                    FROM changed n
                    JOIN claim p ON p.id <> n.id AND p.status = 'active' AND p.years && n.years
                      AND p.geometry && n.geometry
                   WHERE n.status = 'active'
                     AND NOT EXISTS (SELECT FROM changed c WHERE c.id = p.id AND p.id < n.id)
                  OFFSET 0) pair -- each pair is cut once, and only where insides meet
            CROSS JOIN LATERAL (SELECT CASE WHEN ST_Relate(a, b, 'T********') THEN
              ST_Area(ST_Intersection(a, b, 1e-10)::geography) ELSE 0 END AS m2) o
           WHERE m2 > allowed_m2
           ORDER BY m2 DESC LIMIT 1;
          IF FOUND THEN
            RAISE EXCEPTION 'claim % overlaps claim % by % m2', clash.one, clash.other, clash.m2
              USING ERRCODE = '23P01', CONSTRAINT = 'claim_overlap',
                DETAIL = json_build_object('claim', clash.one, 'other', clash.other,
                  'scheme', clash.scheme, 'years', clash.years::text, 'area_m2', clash.m2)::text;
          END IF;
          RETURN NULL;
        END $$
        """
    )
    for act in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER claim_ground_{act.lower()} AFTER {act} ON claim"
            " REFERENCING NEW TABLE AS changed"
            " FOR EACH STATEMENT EXECUTE FUNCTION check_claim_ground()"
        )
    record_table("programme")
    record_table("finding")
    state_table("exclusion", delete=True)
    record_table("project_decision")
    state_table("project_parcel", delete=True)
    state_table("eligibility", update="answer, input_digest, effective_at")
    state_table("project", update="name, external_number, document_sha256, status, submitted_by")
    state_table("claim", update="status")


def downgrade() -> None:
    op.drop_table("eligibility")
    op.drop_table("finding")
    op.drop_table("claim")
    op.drop_table("project_decision")
    op.drop_table("project_parcel")
    op.drop_table("project")
    op.drop_table("programme")
    op.drop_table("exclusion")
    op.execute("DROP FUNCTION check_project_approval")
    op.execute("DROP FUNCTION check_claim_ground")
