"""Every table is secured row by row, or stands here with the reason why it is not."""

from sqlalchemy import text

OPEN = {
    "alembic_version": "the schema's revision",
    "division": "the state's own table of places",
    "programme": "rules and parameters are published with their sources",
    "layer": "what rasters the model read: file, date and licence; no plot",
    "exclusion": "red lines and farmland as published",
    "cohort_table": "curves by species and age; no plot",
    "event_seal": "hashes only; anybody recomputes the chain",
    "certificate": "made to be shown; names a person only as a person",
    "certificate_revocation": "whoever holds a certificate must learn of it",
    "parcel_cell_wide": "not granted: sums of parcel_cell, read in the same way",
    "parcel_cell": "not granted: counts that definers read, by reach or three at least",
    "slot": "how much of a lot is free, asked by every buyer",
    "label_run": "the rule and the groups' benchmarks, printed on each label",
    "orchard_benchmark": "the county's published values",
    "procrastinate_jobs": "a job's id; what was asked stands in job",
    "procrastinate_events": "when a job's id changed its state",
    "procrastinate_periodic_defers": "the queue's own clock",
    "procrastinate_workers": "the workers' heartbeats",
    "spatial_ref_sys": "PostGIS's table of reference systems",
}


def test_every_table_is_secured_or_open_for_a_reason(session):
    rows = session.execute(
        text(
            "SELECT relname, relrowsecurity FROM pg_class JOIN pg_namespace n ON n.oid ="
            " relnamespace WHERE n.nspname = 'public' AND relkind IN ('r', 'p')"
        )
    ).all()
    unsecured = {row.relname for row in rows if not row.relrowsecurity}
    assert unsecured == set(OPEN)


def test_every_granted_act_has_a_policy(session):
    """A grant without a policy is a door that opens on nothing: name the act in the migration."""
    missing = session.execute(
        text(
            "SELECT g.table_name, g.privilege_type FROM (SELECT DISTINCT table_name,"
            "   privilege_type FROM information_schema.column_privileges"
            "   WHERE grantee = 'tanhui_app' AND table_schema = 'public'"
            "   UNION SELECT table_name, privilege_type FROM information_schema.table_privileges"
            "   WHERE grantee = 'tanhui_app' AND table_schema = 'public') g"
            " JOIN pg_class c ON c.relname = g.table_name AND c.relrowsecurity"
            " WHERE g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')"
            " AND NOT EXISTS (SELECT FROM pg_policies p WHERE p.tablename = g.table_name"
            "   AND p.cmd = g.privilege_type)"
        )
    ).all()
    assert missing == []


def test_definers_have_a_search_path_of_their_own(session):
    loose = session.scalars(
        text(
            "SELECT proname FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace"
            " WHERE n.nspname = 'public' AND prosecdef AND NOT EXISTS ("
            "   SELECT FROM unnest(coalesce(proconfig, '{}')) o WHERE o LIKE 'search_path=%')"
        )
    ).all()
    assert [name for name in loose if not name.startswith(("st_", "_st_", "postgis"))] == []
