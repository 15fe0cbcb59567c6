"""Share what rests on ground that is split: capacity, reservations, figures of runs, lots' supply."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.access import follows, record_table, secure, unsecure

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

STATES = "'held', 'released', 'burned'"
CHANGE = """
    CREATE OR REPLACE FUNCTION check_reservation_change() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
      {shared}IF NEW.burned_kg < OLD.burned_kg OR OLD.state = 'burned'
         OR (NEW.state = 'released' AND NEW.burned_kg > 0)
         OR (NEW.state = 'burned') <> (NEW.burned_kg = NEW.kg) THEN
        RAISE EXCEPTION 'reservation % cannot change so', OLD.id
          USING ERRCODE = '23514', CONSTRAINT = 'reservation_goes_forward';
      END IF;
      RETURN NEW;
    END $$
"""
# What is handed on keeps its figures, and is never taken up again.
SHARED = """IF NEW.state = 'shared' AND OLD.state IN ('held', 'burned')
         AND (NEW.kg, NEW.burned_kg) = (OLD.kg, OLD.burned_kg) THEN
        RETURN NEW;
      END IF;
      IF OLD.state = 'shared' THEN
        RAISE EXCEPTION 'reservation % is shared', OLD.id
          USING ERRCODE = '23514', CONSTRAINT = 'reservation_goes_forward';
      END IF;
      """
SUM = """
    CREATE OR REPLACE FUNCTION check_capacity_sum() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      found_ record;
    BEGIN
      SELECT c.committed_kg, (SELECT coalesce(sum(r.kg), 0) FROM reservation r
                               WHERE r.claim_id = c.claim_id AND r.parcel_id = c.parcel_id
                                 AND r.vintage = c.vintage AND r.state {counts}) AS kg
        INTO found_ FROM capacity c
       WHERE c.claim_id = NEW.claim_id AND c.parcel_id = NEW.parcel_id
         AND c.vintage = NEW.vintage;
      IF found_.committed_kg <> found_.kg THEN
        RAISE EXCEPTION 'parcel % in %: % kg committed, reservations of % kg',
            NEW.parcel_id, NEW.vintage, found_.committed_kg, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'capacity_matches_reservations';
      END IF;
      RETURN NULL;
    END $$
"""
# A reservation that is handed on must be found again, to the kg, with the parcel's children.
CONSERVED = """
    CREATE FUNCTION check_reservation_shared() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE
      kg_ bigint;
      burned_ bigint;
    BEGIN
      SELECT coalesce(sum(r.kg), 0), coalesce(sum(r.burned_kg), 0) INTO kg_, burned_
        FROM parcel_lineage k JOIN claim c ON c.parcel_id = k.child_id
        JOIN claim o ON o.id = NEW.claim_id AND o.scheme = c.scheme AND o.years = c.years
         AND o.project_id IS NOT DISTINCT FROM c.project_id
        JOIN reservation r ON r.claim_id = c.id AND r.parcel_id = c.parcel_id
       WHERE k.parent_id = NEW.parcel_id AND r.holder_ref = NEW.holder_ref
         AND r.vintage = NEW.vintage;
      IF (kg_, burned_) IS DISTINCT FROM (NEW.kg, NEW.burned_kg) THEN
        RAISE EXCEPTION 'reservation % of % kg is shared as % kg', NEW.id, NEW.kg, kg_
          USING ERRCODE = '23514', CONSTRAINT = 'reservation_shared_whole';
      END IF;
      RETURN NULL;
    END $$
"""
FIGURES = """
    CREATE FUNCTION check_assessment_shared() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      IF EXISTS (
        WITH parts AS (
          SELECT u.i, sum(u.net) AS net, sum(u.stock) AS stock
            FROM assessment_share s, unnest(s.net_kg, s.stock_kg) WITH ORDINALITY u(net, stock, i)
           WHERE s.run_id = NEW.run_id AND s.parent_id = NEW.parent_id GROUP BY u.i),
        whole AS (
          SELECT u.i, u.net, u.stock FROM (
            SELECT net_kg, stock_kg FROM assessment_series
             WHERE run_id = NEW.run_id AND parcel_id = NEW.parent_id
            UNION ALL SELECT net_kg, stock_kg FROM assessment_share
             WHERE run_id = NEW.run_id AND parcel_id = NEW.parent_id) o,
            unnest(o.net_kg, o.stock_kg) WITH ORDINALITY u(net, stock, i))
        SELECT FROM whole FULL JOIN parts USING (i)
         WHERE (whole.net, whole.stock) IS DISTINCT FROM (parts.net, parts.stock)) THEN
        RAISE EXCEPTION 'shares of run % do not add up to parcel %', NEW.run_id, NEW.parent_id
          USING ERRCODE = '23514', CONSTRAINT = 'assessment_shared_whole';
      END IF;
      RETURN NULL;
    END $$
"""
LOTS_OF = """
    CREATE FUNCTION lots_of_ground(parcels uuid[]) RETURNS TABLE (parcel uuid, lot uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT x.parcel_id, x.lot_id FROM lot_parcel x JOIN lot l ON l.id = x.lot_id
       WHERE x.parcel_id = ANY (parcels) AND l.sale_state NOT IN ('REJECTED', 'WITHDRAWN')
       ORDER BY 1, 2
    $$
"""
# The parcels of lots stay a record; what is split or joined hands its place on, to the kg.
HAND_ON = """
    CREATE FUNCTION share_lot_ground(parent uuid, lot uuid, children uuid[], claims uuid[],
                                     supply jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    BEGIN
      IF NOT may_write() OR EXISTS (
           SELECT FROM unnest(children) AS one(id) WHERE NOT EXISTS (
             SELECT FROM parcel_lineage k WHERE k.parent_id = parent AND k.child_id = one.id))
         OR EXISTS (
           SELECT FROM lot_supply s
             LEFT JOIN (SELECT (x ->> 'vintage')::integer AS vintage,
                               sum((x ->> 'units')::bigint) AS units
                          FROM jsonb_array_elements(supply) x GROUP BY 1) n USING (vintage)
            WHERE s.lot_id = share_lot_ground.lot AND s.parcel_id = parent
              AND s.units IS DISTINCT FROM n.units) THEN
        RAISE EXCEPTION 'supply of parcel % is not shared whole', parent
          USING ERRCODE = '23514', CONSTRAINT = 'lot_supply_shared_whole';
      END IF;
      INSERT INTO lot_parcel (lot_id, parcel_id, claim_id, supplier_id, household_id, tenure)
      SELECT x.lot_id, c.id, c.claim, x.supplier_id, x.household_id, x.tenure
        FROM lot_parcel x, unnest(children, claims) AS c(id, claim)
       WHERE x.lot_id = share_lot_ground.lot AND x.parcel_id = parent
      ON CONFLICT DO NOTHING;
      INSERT INTO lot_supply (lot_id, vintage, parcel_id, units)
      SELECT share_lot_ground.lot, (x ->> 'vintage')::integer, (x ->> 'parcel')::uuid,
             (x ->> 'units')::bigint
        FROM jsonb_array_elements(supply) x WHERE (x ->> 'units')::bigint > 0;
      DELETE FROM lot_supply s WHERE s.lot_id = share_lot_ground.lot AND s.parcel_id = parent;
      DELETE FROM lot_parcel x WHERE x.lot_id = share_lot_ground.lot AND x.parcel_id = parent;
    END $$
"""
KEPT = """
    CREATE FUNCTION refuse_change_but_shared() RETURNS trigger LANGUAGE plpgsql
    SET search_path = public, pg_temp AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM parcel_lineage k JOIN parcel p ON p.id = k.parent_id
                      WHERE k.parent_id = OLD.parcel_id AND p.status = 'withdrawn') THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
      END IF;
      RETURN OLD;
    END $$
"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE reservation DROP CONSTRAINT ck_reservation_state_known,"
        " ADD CONSTRAINT ck_reservation_state_known"
        f" CHECK (state IN ({STATES}, 'shared'))"
    )
    op.execute(CHANGE.format(shared=SHARED))
    op.execute(SUM.format(counts="NOT IN ('released', 'shared')"))
    op.execute(CONSERVED)
    op.execute(
        "CREATE CONSTRAINT TRIGGER reservation_shared AFTER UPDATE ON reservation"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'shared')"
        " EXECUTE FUNCTION check_reservation_shared()"
    )
    op.create_table(
        "assessment_share",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("parcel_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=False),
        sa.Column("first_year", sa.Integer(), nullable=False),
        sa.Column(
            "stock_kg",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="Its part of the parent's, by the parts' own assessment",
        ),
        sa.Column("net_kg", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was written; given by the database",
        ),
        sa.CheckConstraint(
            "cardinality(stock_kg) = cardinality(net_kg)",
            name=op.f("ck_assessment_share_arrays_match"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_id", "parcel_id"],
            ["parcel_lineage.parent_id", "parcel_lineage.child_id"],
            name=op.f("fk_assessment_share_parent_id_parcel_lineage"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["assessment_run.id"], name=op.f("fk_assessment_share_run_id_assessment_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "parcel_id", name=op.f("pk_assessment_share")),
    )
    op.create_index("ix_assessment_share_parcel_id", "assessment_share", ["parcel_id"])
    record_table("assessment_share")
    secure("assessment_share", see=follows("parcel", "u.id = parcel_id"))
    op.execute(FIGURES)
    op.execute(
        "CREATE CONSTRAINT TRIGGER assessment_shared AFTER INSERT ON assessment_share"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_assessment_shared()"
    )
    op.execute(LOTS_OF)
    op.execute(HAND_ON)
    op.execute(KEPT)
    for name in ("lot_parcel", "lot_supply"):
        op.execute(f"DROP TRIGGER {name}_is_append_only ON {name}")
        op.execute(
            f"CREATE TRIGGER {name}_is_append_only BEFORE UPDATE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {name}_hands_on BEFORE DELETE ON {name}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change_but_shared()"
        )
    for name in (
        "lots_of_ground(uuid[])",
        "share_lot_ground(uuid, uuid, uuid[], uuid[], jsonb)",
    ):
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO tanhui_app")


def downgrade() -> None:
    for name in ("lot_parcel", "lot_supply"):
        op.execute(f"DROP TRIGGER {name}_hands_on ON {name}")
        op.execute(f"DROP TRIGGER {name}_is_append_only ON {name}")
        op.execute(
            f"CREATE TRIGGER {name}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute("DROP FUNCTION refuse_change_but_shared()")
    op.execute("DROP FUNCTION share_lot_ground(uuid, uuid, uuid[], uuid[], jsonb)")
    op.execute("DROP FUNCTION lots_of_ground(uuid[])")
    unsecure("assessment_share")
    op.drop_table("assessment_share")
    op.execute("DROP FUNCTION check_assessment_shared()")
    op.execute("DROP TRIGGER reservation_shared ON reservation")
    op.execute("DROP FUNCTION check_reservation_shared()")
    op.execute(SUM.format(counts="<> 'released'"))
    op.execute(CHANGE.format(shared=""))
    op.execute(
        "ALTER TABLE reservation DROP CONSTRAINT ck_reservation_state_known,"
        f" ADD CONSTRAINT ck_reservation_state_known CHECK (state IN ({STATES}))"
    )
