"""Row-level security: an actor's statements meet the rows of their ground and party, no others."""

from collections.abc import Mapping

from alembic import op

from migrations.access import KNOWN, follows, me, own, secure, under, unsecure

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PUBLIC = "00000000-0000-0000-0000-000000000002"

# Each says something of who acts, and is asked once a statement: policies put it in a subquery.
# As definers they read the tables of actors and places whole, whatever the policies hide.
WHO = {
    "acts_as() RETURNS uuid": """
      SELECT a.id FROM actor a
       WHERE a.id = nullif(current_setting('tanhui.actor', true), '')::uuid AND a.active
    """,
    "acts_with(asked text[]) RETURNS boolean": """
      SELECT coalesce((SELECT a.roles && asked FROM actor a WHERE a.id = acts_as()), false)
    """,
    "sees_all() RETURNS boolean": "SELECT acts_with(ARRAY['system', 'auditor'])",
    "acts_for_all() RETURNS boolean": "SELECT acts_with(ARRAY['system'])",
    "may_write() RETURNS boolean": """
      SELECT acts_with(ARRAY['system', 'township', 'county', 'company', 'collective', 'farmer',
                             'buyer', 'verifier'])
    """,
    "acts_for() RETURNS uuid": "SELECT a.party_id FROM actor a WHERE a.id = acts_as()",
    # The digits that the codes of the actor's division and of all below it begin with: whole
    # groups of zeros are cut, as registry.divisions.subtree_prefix does.
    "acts_under() RETURNS text": r"""
      SELECT regexp_replace(a.division_code, '((((00)?00)?000)?000)$', '') || '%'
        FROM actor a
       WHERE a.id = acts_as() AND a.roles && ARRAY['township', 'county', 'company']
    """,
}

# What lies beyond the actor's own ground and party and is still theirs to see.  Few rows each.
REACH = {
    "reached_projects() RETURNS SETOF uuid": """
      SELECT j.id FROM project j
       WHERE rpad(j.adcode, 12, '0') LIKE (SELECT acts_under()) OR j.proponent_id = (SELECT acts_for())
      UNION SELECT l.project_id FROM lot l WHERE l.company_id = (SELECT acts_for())
      UNION SELECT d.project_id FROM period d
       WHERE (SELECT acts_with(ARRAY['verifier']))
         AND (d.status = 'submitted' OR d.verifier_id = (SELECT acts_for()))
      UNION SELECT j.id FROM project j
       WHERE (SELECT acts_with(ARRAY['verifier'])) AND j.status = 'approved'
    """,
    # Seen for the sake of some of its ground; the rest of its ground stays hidden.
    "joined_projects() RETURNS SETOF uuid": """
      SELECT k.project_id FROM project_parcel k JOIN parcel p ON p.id = k.parcel_id
       WHERE p.owner_id = (SELECT acts_for())
    """,
    "reached_runs() RETURNS SETOF uuid": """
      SELECT r.id FROM assessment_run r WHERE r.project_id IN (SELECT reached_projects())
    """,
    "reached_lots(supplied boolean) RETURNS SETOF uuid": """
      SELECT l.id FROM lot l
       WHERE l.company_id = (SELECT acts_for()) OR l.project_id IN (
         SELECT j.id FROM project j WHERE rpad(j.adcode, 12, '0') LIKE (SELECT acts_under()))
      UNION SELECT x.lot_id FROM lot_parcel x JOIN parcel p ON p.id = x.parcel_id
       WHERE p.division_code LIKE (SELECT acts_under())
      UNION SELECT x.lot_id FROM lot_parcel x
       WHERE supplied AND (SELECT acts_for()) IN (x.supplier_id, x.household_id)
    """,
    "bought_lots() RETURNS SETOF uuid": """
      SELECT s.lot_id FROM subscription s WHERE s.buyer_id = (SELECT acts_for())
    """,
    "bought_trees() RETURNS SETOF uuid": """
      SELECT m.tree_id FROM subscription s JOIN subscription_line n ON n.subscription_id = s.id
        JOIN tree_pack k ON k.line_id = n.id JOIN tree_pack_member m ON m.pack_id = k.id
       WHERE s.buyer_id = (SELECT acts_for())
    """,
    "reached_parcels() RETURNS SETOF uuid": """
      SELECT k.parcel_id FROM project_parcel k WHERE k.project_id IN (SELECT reached_projects())
      UNION SELECT x.parcel_id FROM lot_parcel x WHERE x.lot_id IN (SELECT reached_lots(false))
         OR (SELECT acts_for()) IN (x.supplier_id, x.household_id)
      UNION SELECT k.parcel_id FROM orchard o JOIN orchard_plot k ON k.orchard_id = o.id
       WHERE o.operator_id = (SELECT acts_for())
      UNION SELECT t.parcel_id FROM tree t WHERE t.id IN (SELECT bought_trees())
    """,
    "reached_orchards() RETURNS SETOF uuid": """
      SELECT o.id FROM orchard o JOIN orchard_plot k
          ON k.orchard_id = o.id AND k.version = o.boundary_version
        JOIN parcel p ON p.id = k.parcel_id
       WHERE p.division_code LIKE (SELECT acts_under())
    """,
    "reached_parties() RETURNS SETOF uuid": """
      SELECT x.household_id FROM lot_parcel x WHERE x.lot_id IN (SELECT reached_lots(false))
         OR x.supplier_id = (SELECT acts_for())
      UNION SELECT s.buyer_id FROM subscription s WHERE s.lot_id IN (SELECT reached_lots(true))
      UNION SELECT j.proponent_id FROM project j WHERE j.id IN (SELECT reached_projects())
      UNION SELECT o.operator_id FROM orchard o WHERE rpad(o.adcode, 12, '0') LIKE (SELECT acts_under())
    """,
    "reached_staff() RETURNS SETOF uuid": """
      SELECT a.id FROM actor a WHERE a.division_code LIKE (SELECT acts_under())
    """,
    # An account names what it is for: a lot, a line, a refund, a settlement or a project.
    "sees_account(party uuid, reference text) RETURNS boolean": r"""
      SELECT EXISTS (SELECT FROM party y WHERE y.id = party AND y.division_code LIKE (SELECT acts_under()))
        OR (reference IS NULL AND (SELECT acts_under()) IS NOT NULL AND EXISTS (
          SELECT FROM lot l WHERE l.company_id = party AND l.id IN (SELECT reached_lots(false))))
        OR CASE split_part(reference, ':', 1)
          WHEN 'lot' THEN split_part(reference, ':', 2)::uuid IN (SELECT reached_lots(false))
          WHEN 'line' THEN EXISTS (SELECT FROM subscription_line n
            WHERE n.id = split_part(reference, ':', 2)::uuid
              AND n.lot_id IN (SELECT reached_lots(false)))
          WHEN 'refund' THEN EXISTS (SELECT FROM refund r JOIN subscription_line n ON n.id = r.line_id
            WHERE r.id = split_part(reference, ':', 2)::uuid
              AND n.lot_id IN (SELECT reached_lots(false)))
          WHEN 'settlement' THEN EXISTS (SELECT FROM settlement s
            WHERE s.id = split_part(reference, ':', 2)::uuid
              AND s.lot_id IN (SELECT reached_lots(false)))
          ELSE CASE
            WHEN reference ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
              THEN reference::uuid IN (SELECT reached_projects())
            ELSE reference IS NULL AND party IS NULL AND (SELECT acts_under()) IS NOT NULL END
        END
    """,
    "sees_bank_line(of_kind text, of_id uuid) RETURNS boolean": """
      SELECT CASE of_kind
        WHEN 'subscription' THEN EXISTS (SELECT FROM subscription s
          WHERE s.id = of_id AND s.lot_id IN (SELECT reached_lots(false)))
        WHEN 'insurance' THEN of_id IN (SELECT reached_lots(false))
        WHEN 'refund' THEN EXISTS (SELECT FROM refund r JOIN subscription_line n ON n.id = r.line_id
          WHERE r.id = of_id AND n.lot_id IN (SELECT reached_lots(false)))
        ELSE EXISTS (SELECT FROM settlement s
          WHERE s.id = of_id AND s.lot_id IN (SELECT reached_lots(false)))
      END
    """,
    "sees_delivery(source text) RETURNS boolean": """
      SELECT CASE split_part(source, ':', 1)
        WHEN 'lot' THEN split_part(source, ':', 2)::uuid IN (SELECT reached_lots(false))
        ELSE EXISTS (SELECT FROM batch b WHERE b.id = split_part(source, ':', 2)::uuid
          AND b.project_id IN (SELECT reached_projects()))
      END
    """,
}

# What everybody may know of rows they may not see: permitted columns only.
EXPOSED = {
    "public_figures() RETURNS TABLE (parcels bigint, area_m2 double precision, orchards bigint,"
    " villages bigint, projects bigint, issued_kg bigint, retired_kg bigint)": """
      SELECT count(*) FILTER (WHERE kind = 'carbon'),
             coalesce(sum(p.area_m2) FILTER (WHERE kind = 'carbon'), 0),
             count(*) FILTER (WHERE kind = 'orchard'), count(DISTINCT division_code),
             (SELECT count(*) FROM project),
             coalesce((SELECT -sum(balance) FROM account
                        WHERE asset = 'kg' AND kind = 'issued'), 0)::bigint,
             coalesce((SELECT sum(balance) FROM account
                        WHERE asset = 'kg' AND kind = 'retired'), 0)::bigint
        FROM parcel p WHERE status = 'approved'
    """,
    # `&&` is not leakproof, so under a policy no spatial index is used: these look for the rows,
    # and the policy decides which of them are shown.
    "parcels_meeting(box geometry) RETURNS SETOF uuid": """
      SELECT p.id FROM parcel p WHERE p.geometry && box
    """,
    "neighbours(box geometry, most integer) RETURNS TABLE (id uuid, geometry geometry, kind text,"
    " status text)": """
      SELECT p.id, p.geometry, p.kind, p.status FROM parcel p
       WHERE p.geometry && box AND p.status IN ('submitted', 'approved')
       ORDER BY p.area_m2 DESC, p.id LIMIT most
    """,
    "claims_meeting(box geometry) RETURNS TABLE (id uuid, scheme text, project_id uuid,"
    " programme_id text, parcel_id uuid, external_reference text, years int4range,"
    " geometry geometry)": """
      SELECT c.id, c.scheme, c.project_id, j.programme_id, c.parcel_id, c.external_reference::text,
             c.years, c.geometry
        FROM claim c LEFT JOIN project j ON j.id = c.project_id
       WHERE c.status = 'active' AND c.geometry && box
    """,
    "serial_batch(wanted text) RETURNS TABLE (size_kg bigint, vintage integer, project text,"
    " programme_id text, programme_version text)": """
      SELECT b.size_kg, b.vintage, j.name::text, j.programme_id, j.programme_version
        FROM batch b JOIN project j ON j.id = b.project_id WHERE b.prefix = wanted
    """,
    "serial_parts(wanted text, span int8range, account uuid) RETURNS TABLE (first bigint,"
    " last bigint, status text, here boolean)": """
      SELECT lower(r.serials * span), upper(r.serials * span) - 1, r.status,
             r.account_id IS NOT DISTINCT FROM account
        FROM unit_range r JOIN batch b ON b.id = r.batch_id
       WHERE b.prefix = wanted AND r.closed_by IS NULL AND r.serials && span
    """,
    "batch_register(wanted text) RETURNS TABLE (prefix text, vintage integer, size_kg bigint,"
    " buffer_kg bigint, states jsonb, project text, county text, programme_id text,"
    " programme_version text, programme_zh text, programme_en text, starts_on date, ends_on date,"
    " verified_kg bigint, verifier text, statement_sha256 bytea, parcels integer,"
    " area_m2 double precision, run_id uuid, engine_version integer, code_revision text,"
    " table_digest bytea, input_digest bytea, layers jsonb, issued_at timestamptz,"
    " seal_pos bigint, seal_hash bytea)": """
      SELECT b.prefix, b.vintage, b.size_kg, b.buffer_kg,
             (SELECT jsonb_object_agg(x.status, x.kg) FROM (
                SELECT u.status, sum(upper(u.serials) - lower(u.serials))::bigint AS kg
                  FROM unit_range u WHERE u.batch_id = b.id AND u.closed_by IS NULL
                 GROUP BY u.status) x),
             j.name, coalesce(d.name, j.adcode), j.programme_id,
             j.programme_version, g.name_zh, g.name_en,
             p.starts_on, p.ends_on, p.verified_kg, v.name, p.statement_sha256,
             r.parcels, (SELECT sum(w.area_m2) FROM assessment_series s JOIN parcel_version w
                ON w.parcel_id = s.parcel_id AND w.version = s.version
               WHERE s.run_id = r.id),
             r.id, r.engine_version, r.code_revision, r.table_digest, r.input_digest,
             (SELECT jsonb_agg(jsonb_build_object('kind', l.kind, 'name', l.name, 'year', l.year,
                       'source', l.source, 'licence', l.licence,
                       'sha256', encode(l.sha256, 'hex')) ORDER BY l.kind)
                FROM jsonb_array_elements(r.layers) x JOIN layer l
                  ON l.id = cast(x ->> 'id' AS uuid)),
             e.effective_at, s.pos, s.hash
        FROM batch b JOIN period p ON p.id = b.period_id JOIN project j ON j.id = b.project_id
        JOIN programme g ON g.id = j.programme_id AND g.version = j.programme_version
        JOIN assessment_run r ON r.id = p.run_id JOIN party v ON v.id = p.verifier_id
        JOIN event e ON e.id = b.event_id LEFT JOIN event_seal s ON s.event_id = e.id
        LEFT JOIN division d ON d.code = rpad(j.adcode, 12, '0')
       WHERE b.prefix = wanted
    """,
    "batch_list(of_project uuid) RETURNS TABLE (prefix text, vintage integer, project text,"
    " size_kg bigint, buffer_kg bigint, held_kg bigint, retired_kg bigint)": """
      SELECT b.prefix, b.vintage, j.name, b.size_kg, b.buffer_kg, x.held_kg, x.retired_kg
        FROM batch b JOIN project j ON j.id = b.project_id
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(upper(u.serials) - lower(u.serials))
                   FILTER (WHERE u.status = 'held'), 0)::bigint AS held_kg,
                 coalesce(sum(upper(u.serials) - lower(u.serials))
                   FILTER (WHERE u.status = 'retired'), 0)::bigint AS retired_kg
            FROM unit_range u WHERE u.batch_id = b.id AND u.closed_by IS NULL) x
       WHERE of_project IS NULL OR b.project_id = of_project
       ORDER BY b.recorded_at DESC, b.prefix LIMIT 200
    """,
    "serial_history(wanted text, span int8range) RETURNS TABLE (first bigint, last bigint,"
    " kg bigint, status text, act text, at timestamptz, seal_pos bigint, open boolean)": """
      SELECT lower(r.serials * span), upper(r.serials * span) - 1,
             upper(r.serials * span) - lower(r.serials * span), r.status, e.kind, e.effective_at,
             s.pos, r.closed_by IS NULL
        FROM unit_range r JOIN batch b ON b.id = r.batch_id JOIN event e ON e.id = r.opened_by
        LEFT JOIN event_seal s ON s.event_id = e.id
       WHERE b.prefix = wanted AND r.serials && span
       ORDER BY e.number, lower(r.serials)
    """,
    # Of a project in sight its sums are shown whole, its parcels only as far as they are seen.
    "project_ground(wanted uuid) RETURNS TABLE (parcels bigint, area_m2 double precision)": """
      SELECT count(*), coalesce(sum(v.area_m2), 0) FROM project_parcel k JOIN parcel_version v
          ON v.parcel_id = k.parcel_id AND v.version = k.version
       WHERE k.project_id = wanted
    """,
    "project_answers(wanted uuid) RETURNS TABLE (answer text, n bigint)": """
      SELECT coalesce(e.answer, 'unknown'), count(*)
        FROM project j JOIN project_parcel k ON k.project_id = j.id
        JOIN parcel p ON p.id = k.parcel_id
        LEFT JOIN eligibility e ON e.parcel_id = p.id AND e.version = p.version
         AND e.programme_id = j.programme_id AND e.programme_version = j.programme_version
       WHERE j.id = wanted GROUP BY 1
    """,
    "project_claims(wanted uuid) RETURNS TABLE (scheme text, status text, first_year integer,"
    " last_year integer, claims bigint, area_m2 double precision)": """
      SELECT c.scheme, c.status, lower(c.years), upper(c.years) - 1, count(*), sum(c.area_m2)
        FROM claim c WHERE c.project_id = wanted GROUP BY c.scheme, c.status, c.years
    """,
    # Who does not know the exact name or code finds nobody.
    "party_named(words text) RETURNS TABLE (id uuid, name text)": """
      SELECT y.id, y.name::text FROM party y WHERE y.uscc = words OR y.name = words LIMIT 2
    """,
    "party_kind(wanted uuid) RETURNS text": "SELECT y.kind FROM party y WHERE y.id = wanted",
    "lot_sums(wanted uuid) RETURNS TABLE (vintage integer, held bigint, sold bigint,"
    " delivered bigint, shortfall bigint)": """
      SELECT n.vintage,
             coalesce(sum(n.quantity) FILTER (WHERE n.state IN
               ('RESERVED', 'SIGNED', 'AWAITING_PAYMENT')), 0)::bigint,
             coalesce(sum(n.quantity) FILTER (WHERE n.state IN
               ('PAID', 'COOLING_OFF', 'VESTING', 'DELIVERABLE')), 0)::bigint,
             sum(n.delivered)::bigint, sum(n.shortfall)::bigint
        FROM subscription_line n WHERE n.lot_id = wanted GROUP BY n.vintage
    """,
    "lot_villages(wanted uuid[]) RETURNS TABLE (lot_id uuid, name text, division_code text)": """
      SELECT DISTINCT x.lot_id, y.name::text, y.division_code
        FROM lot_parcel x JOIN party y ON y.id = x.supplier_id
       WHERE x.lot_id = ANY (wanted) AND y.kind NOT IN ('person', 'household')
    """,
    "lot_ground_m2(wanted uuid) RETURNS double precision": """
      SELECT coalesce(sum(p.area_m2), 0) FROM lot_parcel x JOIN parcel p ON p.id = x.parcel_id
       WHERE x.lot_id = wanted
    """,
    "pack_lines(of_lot uuid, of_pack uuid) RETURNS TABLE (pack_id uuid, code text, lot_id uuid,"
    " lot_number text, vintage integer, promised integer, trees bigint, live bigint,"
    " state text)": """
      SELECT k.id, k.code, k.lot_id, l.number, k.vintage, k.promised, count(m.tree_id),
             count(t.id) FILTER (WHERE t.status = 'live'), coalesce(n.state, 'FREE')
        FROM tree_pack k JOIN lot l ON l.id = k.lot_id
        LEFT JOIN subscription_line n ON n.id = k.line_id
        LEFT JOIN tree_pack_member m ON m.pack_id = k.id LEFT JOIN tree t ON t.id = m.tree_id
       WHERE k.lot_id = of_lot OR k.id = of_pack
       GROUP BY k.id, l.number, n.state ORDER BY k.code
    """,
    "pack_trees(wanted uuid) RETURNS TABLE (number integer, species text, planted_year integer,"
    " status text, delivered boolean)": """
      SELECT t.number, t.species, t.planted_year, t.status, m.delivered_to IS NOT NULL
        FROM tree_pack_member m JOIN tree t ON t.id = m.tree_id WHERE m.pack_id = wanted
       ORDER BY t.number
    """,
    "pack_by_code(wanted text) RETURNS uuid": """
      SELECT k.id FROM tree_pack k WHERE k.code = wanted LIMIT 1
    """,
    "pack_lot(wanted uuid) RETURNS TABLE (lot_title text, programme_id text,"
    " carbon_right_holder text, term_years integer, villages text)": """
      SELECT l.title::text, l.programme_id, l.carbon_right_holder, l.term_years,
             (SELECT string_agg(DISTINCT v.name, '、') FROM lot_villages(ARRAY[l.id]) v)
        FROM tree_pack k JOIN lot l ON l.id = k.lot_id WHERE k.id = wanted
    """,
    "orchard_boundary_at(wanted uuid, last_day date) RETURNS integer": """
      SELECT max(b.version) FROM orchard_boundary b
       WHERE b.orchard_id = wanted AND b.valid_from <= last_day
    """,
    # County and township by name, nothing below.
    "orchard_place(wanted uuid, drawn integer) RETURNS text": """
      SELECT coalesce(c.name, '') || coalesce(t.name, '')
        FROM orchard o LEFT JOIN division c ON c.code = rpad(o.adcode, 12, '0')
        LEFT JOIN division t ON t.level = 'township' AND t.code = (
          SELECT left(p.division_code, 9) || '000' FROM orchard_plot k
            JOIN parcel p ON p.id = k.parcel_id
           WHERE k.orchard_id = o.id AND k.version = drawn AND p.division_code IS NOT NULL
           GROUP BY 1 ORDER BY sum(p.area_m2) DESC, 1 LIMIT 1)
       WHERE o.id = wanted
    """,
    "public_orchard(wanted uuid) RETURNS TABLE (id uuid, adcode text, crop text, place text,"
    " operator text, planted_area_m2 numeric)": """
      SELECT o.id, o.adcode, o.crop, orchard_place(o.id, o.boundary_version),
             CASE WHEN y.kind NOT IN ('person', 'household') THEN y.name::text END,
             b.planted_area_m2
        FROM orchard o JOIN party y ON y.id = o.operator_id
        JOIN orchard_boundary b ON b.orchard_id = o.id AND b.version = o.boundary_version
       WHERE o.id = wanted
    """,
    "public_orchard_years(wanted uuid) RETURNS TABLE (year integer, e_kg bigint, s_kg bigint,"
    " net_kg bigint)": """
      SELECT DISTINCT ON (a.year) a.year, a.e_kg, a.s_kg, a.net_kg FROM orchard_balance a
        JOIN orchard_book k ON k.orchard_id = a.orchard_id AND k.year = a.year
       WHERE a.orchard_id = wanted AND a.kind = 'approved' AND k.status = 'approved'
       ORDER BY a.year DESC, a.number DESC
    """,
    "public_labels(of_number text, of_orchard uuid) RETURNS TABLE (number text, orchard_id uuid,"
    " year integer, crop text, place text, operator text, state text, grade text, x text,"
    " points integer, reasons text[], rule_key text, rule_version text, digest bytea,"
    " valid_from date, valid_to date, appeal boolean, replaced_by text, rule jsonb,"
    " inputs jsonb)": """
      SELECT v.number, v.orchard_id, v.year, o.crop,
             coalesce(orchard_place(o.id, orchard_boundary_at(o.id, make_date(v.year, 12, 31))),
                      o.adcode),
             CASE WHEN y.kind NOT IN ('person', 'household') THEN y.name::text END,
             v.state, v.grade, v.x::text, v.points, v.reasons, v.rule_key, v.rule_version, v.digest,
             v.valid_from, v.valid_to, v.appeal_of IS NOT NULL,
             nullif((SELECT n.number FROM orchard_label n
                      WHERE n.orchard_id = v.orchard_id AND n.year = v.year
                      ORDER BY n.seq DESC LIMIT 1), v.number),
             r.rule,
             coalesce((SELECT jsonb_object_agg(i.key, i.value) FROM jsonb_each(v.inputs) i
                WHERE i.key IN ('crop', 'stage', 'basis', 'benchmark', 'evidence_share',
                  'net_without_soil_kg', 'coverage', 'grass', 'straw', 'organic_share', 'years')),
               '{}')
        FROM orchard_label v JOIN orchard o ON o.id = v.orchard_id
        JOIN party y ON y.id = o.operator_id JOIN label_run r ON r.id = v.run_id
       WHERE v.number = of_number OR v.orchard_id = of_orchard
       ORDER BY v.year DESC, v.seq DESC
    """,
    # What must be right over all rows, whoever asks.
    "last_project_number(county text) RETURNS integer": """
      SELECT max(number) FROM project WHERE adcode = county
    """,
    "last_retirement_number(of_year integer) RETURNS bigint": """
      SELECT max(split_part(number, '-', 3)::bigint) FROM retirement
       WHERE number LIKE 'RET-' || lpad(of_year::text, 4, '0') || '-%'
    """,
    "verifier_relation(verifier uuid, project uuid) RETURNS text": """
      SELECT CASE
        WHEN NOT EXISTS (SELECT FROM party y WHERE y.id = verifier AND y.kind = 'verifier')
          THEN 'no_verifier'
        WHEN EXISTS (SELECT FROM project j WHERE j.id = project AND j.proponent_id = verifier)
          THEN 'proponent'
        WHEN EXISTS (SELECT FROM claim c JOIN parcel p ON p.id = c.parcel_id
          WHERE c.project_id = project AND p.owner_id = verifier) THEN 'owner'
        WHEN EXISTS (SELECT FROM account a WHERE a.party_id = verifier AND a.asset = 'kg')
          THEN 'holder' END
    """,
}

ACCOUNT_AT = """
CREATE FUNCTION account_at(of_asset text, of_kind text, party uuid, of_reference text, fresh uuid,
                           owes boolean) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  found_ uuid;
BEGIN
  SELECT id INTO found_ FROM account WHERE asset = of_asset AND kind = of_kind
    AND party_id IS NOT DISTINCT FROM party AND reference IS NOT DISTINCT FROM of_reference;
  IF found_ IS NULL THEN
    INSERT INTO account (id, asset, kind, party_id, reference, overdraft)
      VALUES (fresh, of_asset, of_kind, party, of_reference, owes)
      ON CONFLICT (asset, kind, party_id, reference) DO NOTHING;
    SELECT id INTO found_ FROM account WHERE asset = of_asset AND kind = of_kind
      AND party_id IS NOT DISTINCT FROM party AND reference IS NOT DISTINCT FROM of_reference;
  END IF;
  RETURN found_;
END $$
"""


# A county of six digits as its twelve; and a township may work on its county's projects.
COUNTY = "rpad({0}adcode, 12, '0') LIKE (SELECT acts_under())"
TOWN = "(SELECT acts_under()) LIKE {0}adcode || '%'"
PROJECT = f"{COUNTY} OR {TOWN} OR {own('{0}proponent_id')}"
BATCH = under("rpad(division_code, 12, '0')")
PARCEL_OWNED = follows("parcel", f"u.id = parcel_id AND {own('u.owner_id')}")
# An account's own party moves what lies in it, and who sees it as staff; nobody else may.
ENTRY_REACH = """
CREATE FUNCTION check_entry_reach() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT acts_for_all() AND (NOT may_write() OR EXISTS (
    SELECT FROM added e JOIN account s ON s.id = e.source_id
     WHERE (s.party_id = (SELECT acts_for()) OR sees_account(s.party_id, s.reference))
       IS NOT TRUE)) THEN
    RAISE EXCEPTION 'row-level security: an account is not the actor''s to move from'
      USING ERRCODE = '42501';
  END IF;
  RETURN NULL;
END $$
"""
PARCEL_KEPT = follows("parcel", f"u.id = parcel_id AND {under('u.division_code')}")
LOTS_WATCHED = "lot_id IN (SELECT reached_lots(false))"
LOTS_KNOWN = "lot_id IN (SELECT reached_lots(true))"
ON_SALE = "sale_state IN ('LISTED', 'SOLD_OUT', 'CLOSED_TO_SALE')"


def _functions(made: Mapping[str, str]) -> None:
    for head, body in made.items():
        op.execute(
            f"CREATE FUNCTION {head} LANGUAGE sql STABLE SECURITY DEFINER"
            f" SET search_path = public, pg_temp AS $${body}$$"
        )


def _places() -> None:
    """Plots with all that is about one, files on their way in, claims on their ground."""
    seen = follows("parcel", "u.id = parcel_id")
    kept = PARCEL_KEPT
    secure(
        "parcel",
        see=f"{under('division_code')} OR {own('owner_id')} OR id IN (SELECT reached_parcels())",
        add=under("division_code"),
        change=under("division_code"),
    )
    for name in ("parcel_version", "parcel_decision", "finding"):
        secure(name, see=seen, add=kept)
    secure("eligibility", see=seen, add=kept, change=kept)
    secure("histogram", see=seen, add=kept)
    secure(
        "import_batch",
        see=f"{me('actor_id')} OR {BATCH}",
        add=f"{me('actor_id')} AND {BATCH}",
        change=BATCH,
    )
    rows = follows("import_batch", "u.id = batch_id")
    kept_rows = follows(
        "import_batch", f"u.id = batch_id AND {BATCH.replace('division', 'u.division')}"
    )
    secure("import_row", see=rows, add=kept_rows, change=kept_rows)
    # A village reports its own trees, and a company hands over those of its lots.
    grove = (
        f"{PARCEL_KEPT} OR {PARCEL_OWNED}"
        " OR parcel_id IN (SELECT x.parcel_id FROM lot_parcel x WHERE"
        " x.lot_id IN (SELECT reached_lots(true)))"
    )
    secure(
        "tree",
        see=f"{own('owner_id')} OR {seen} OR id IN (SELECT bought_trees())",
        add=grove,
        change=grove,
    )


def _projects() -> None:
    """Projects with their parcels, claims, runs of the model, periods and units issued."""
    seen, kept = (
        follows("project", "u.id = project_id"),
        follows("project", f"u.id = project_id AND ({PROJECT.format('u.')})"),
    )
    project = PROJECT.format("")
    secure(
        "project",
        see=f"{project} OR id IN (SELECT reached_projects()) OR id IN (SELECT joined_projects())",
        add=project,
        change=project,
    )
    secure(
        "project_parcel",
        see=f"{seen} OR {follows('parcel', 'u.id = parcel_id')}",
        add=kept,
        remove=kept,
    )
    secure("project_decision", see=seen, add=kept)
    reached = "project_id IN (SELECT reached_projects())"
    claim = f"{reached} OR {follows('parcel', 'u.id = parcel_id')}"
    outside = f"project_id IS NULL AND parcel_id IS NULL AND {KNOWN}"
    keeper = (
        f"{kept} OR {PARCEL_KEPT}"
        " OR (project_id IS NULL AND parcel_id IS NULL AND (SELECT acts_under()) IS NOT NULL)"
    )
    secure("claim", see=f"{claim} OR ({outside})", add=keeper, change=keeper)
    of_claim = follows("claim", "u.id = claim_id")
    for name in ("capacity", "reservation"):
        secure(name, see=of_claim, change=of_claim)
    series = follows("parcel", "u.id = parcel_id")
    secure("assessment_series", see=f"{series} OR run_id IN (SELECT reached_runs())")
    secure(
        "assessment_run",
        see=f"{me('actor_id')} OR {seen}"
        f" OR (project_id IS NULL AND {follows('assessment_series', 'u.run_id = assessment_run.id')})",
        add=me("actor_id"),
    )
    verifies = "(SELECT acts_with(ARRAY['verifier']))"
    secure(
        "period",
        see=seen,
        add=kept,
        change=f"{kept} OR {verifies} AND (status = 'submitted' OR {own('verifier_id')})",
        keep=f"{kept} OR {verifies} AND {own('verifier_id')}",
    )
    secure("batch", see=KNOWN, add=kept)


def _orchards() -> None:
    """Orchards with their books, balances, labels and vouchers."""
    at = f"{own('operator_id')} OR {COUNTY.format('')}"
    secure(
        "orchard",
        see=f"{at} OR {me('actor_id')} OR id IN (SELECT reached_orchards())",
        add=f"{me('actor_id')} AND ({COUNTY.format('')} OR {TOWN.format('')})",
        change=f"{at} OR id IN (SELECT reached_orchards())",
    )
    seen = follows("orchard", "u.id = orchard_id")
    for name in (
        "orchard_boundary",
        "orchard_plot",
        "orchard_line",
        "orchard_balance",
        "orchard_book_decision",
        "orchard_veto",
        "orchard_label",
    ):
        secure(name, see=seen)
    for name in ("orchard_book", "reward_voucher"):
        secure(name, see=seen, change=seen)
    secure("reward_movement", see=follows("reward_voucher", "u.number = voucher"))


def _sales() -> None:
    """Lots, contracts, and the money that goes through the supervised account."""
    lot = "id IN (SELECT reached_lots(true))"
    bought = "id IN (SELECT bought_lots())"
    mine = f"{own('company_id')} OR {me('created_by')}"
    # A buyer who lets go puts the quantity back on sale, and nothing else of the lot.
    secure(
        "lot",
        see=f"{mine} OR {lot} OR ({KNOWN} AND {ON_SALE}) OR {bought}",
        add=f"{mine} AND {me('created_by')}",
        change=f"{mine} OR {lot} OR {bought}",
        keep=f"{mine} OR {lot} OR ({bought} AND sale_state IN ('LISTED', 'SOLD_OUT'))",
    )
    drafted = follows("lot", f"u.id = lot_id AND ({own('u.company_id')} OR {me('u.created_by')})")
    kept = f"{LOTS_WATCHED} OR {drafted}"
    secure("lot_offer", see=follows("lot", "u.id = lot_id"), add=kept, change=kept)
    for name in ("lot_parcel", "lot_supply"):
        secure(name, see=f"{LOTS_KNOWN} OR {drafted}", add=kept)
    secure(
        "lot_step",
        see=f"{me('actor_id')} OR {LOTS_KNOWN} OR {drafted}",
        add=f"{me('actor_id')} AND {follows('lot', 'u.id = lot_id')}",
    )
    secure(
        "lot_objection",
        see=f"{me('actor_id')} OR {LOTS_KNOWN}",
        add=me("actor_id"),
        change=LOTS_KNOWN,
    )
    contract = f"{own('buyer_id')} OR {LOTS_WATCHED}"
    secure(
        "subscription",
        see=f"{contract} OR {LOTS_KNOWN} OR {me('created_by')}",
        add=f"{contract} OR {me('created_by')}",
        change=contract,
    )
    contract_of = f"{own('u.buyer_id')} OR u.{LOTS_WATCHED} OR {me('u.created_by')}"
    line = follows("subscription", "u.id = subscription_id")
    kept_line = follows("subscription", f"u.id = subscription_id AND ({contract_of})")
    secure("subscription_line", see=line, add=kept_line, change=kept_line)
    of_line = follows("subscription_line", "u.id = line_id")
    secure("refund", see=of_line)
    free = "(line_id IS NULL AND lot_id IN (SELECT l.id FROM lot l WHERE l.sale_state = 'LISTED'))"
    secure(
        "tree_pack",
        see=follows("lot", "u.id = lot_id"),
        add=kept,
        change=f"{free} OR {of_line} OR {kept}",
    )
    secure(
        "tree_pack_member",
        see=follows("tree", "u.id = tree_id"),
        change=follows("tree_pack", f"u.id = pack_id AND (u.{LOTS_WATCHED})"),
        remove=follows("tree_pack", f"u.id = pack_id AND (u.{LOTS_WATCHED})"),
    )


def _money() -> None:
    """Settlements, distributions, accounts and what moved between them."""
    secure(
        "settlement",
        see=f"{LOTS_WATCHED} OR (state NOT IN ('DRAFT', 'CHECKED') AND {LOTS_KNOWN})",
        add=LOTS_WATCHED,
        change=LOTS_WATCHED,
    )
    kept = follows("settlement", f"u.id = settlement_id AND u.{LOTS_WATCHED}")
    for name in ("settlement_line", "settlement_payment"):
        secure(name, see=follows("settlement", "u.id = settlement_id"), add=kept)
    secure(
        "bank_line",
        see=f"{me('actor_id')} OR sees_bank_line(subject_kind, subject_id)",
        add=me("actor_id"),
    )
    secure("delivery", see=f"{me('actor_id')} OR sees_delivery(source)", add=me("actor_id"))
    ground = follows("party", f"u.id = collective_id AND {under('u.division_code')}")
    secure("distribution", see=f"{own('collective_id')} OR {ground}")
    secure("distribution_payout", see=follows("distribution", "u.id = distribution_id"))
    secure(
        "account",
        see=f"{own('party_id')} OR sees_account(party_id, reference)",
        add="false",
    )
    secure("entry", see=follows("account", "u.id IN (source_id, target_id)"), add="false")
    # What is opened must be closed elsewhere: the batch stays complete and its ranges disjoint.
    secure(
        "unit_range",
        see=follows("account", "u.id = account_id"),
        add=follows("event", f"u.id = opened_by AND {me('u.actor_id')}"),
        change=follows("account", "u.id = account_id"),
    )
    holder = follows("party", f"u.id = holder_id AND {under('u.division_code')}")
    secure(
        "retirement",
        see=f"{own('holder_id')} OR {holder}",
        add=own("holder_id"),
    )


def _people() -> None:
    """Who people are, what they asked for, what they did, and how they sign in."""
    private = "kind IN ('person', 'household')"
    secure(
        "party",
        see=f"{under('division_code')} OR {own('id')} OR ({KNOWN} AND NOT {private})"
        f" OR id IN (SELECT reached_parties()) OR {follows('parcel', 'u.owner_id = party.id')}",
        add=f"{under('division_code')}"
        " OR (division_code IS NULL AND (SELECT acts_under()) IS NOT NULL)",
        change=f"{under('division_code')} OR {own('id')}",
    )
    # Names of who acted stand beside what they did; roles are given by who manages users.
    manages = (
        f"{under('division_code')} AND (SELECT acts_with(ARRAY['county']))"
        " AND NOT roles && ARRAY['system', 'auditor']"
    )
    secure("actor", see=KNOWN, add=manages, change=manages)
    own_login = (
        f"{me('actor_id')} OR (actor_id IN (SELECT reached_staff())"
        " AND (SELECT acts_with(ARRAY['county'])))"
    )
    _private("login", own_login, change=True)
    _private("api_token", follows("login", "u.id = login_id"), change=True)
    _private("login_attempt", "false")
    story = " OR ".join(
        f"(subject_kind = '{kind}' AND subject_id IN (SELECT u.id::text FROM {kind} u))"
        for kind in ("project", "period")
    )
    secure("event", see=f"{me('actor_id')} OR {story}", add=me("actor_id"))
    _private("idempotency", me("actor_id"), change=True)
    secure(
        "job",
        see=f"{me('actor_id')} OR actor_id IN (SELECT reached_staff())",
        add=me("actor_id"),
        change=f"{me('actor_id')} OR actor_id IN (SELECT reached_staff())",
    )


def _private(table: str, rows: str, *, change: bool = False) -> None:
    """Secure a table that auditors do not see either: secrets, and answers given to one person."""
    secure(table, see=rows, change=rows if change else "")
    op.execute(f"ALTER POLICY {table}_select ON {table} USING ((SELECT acts_for_all()) OR {rows})")


SECURED = (
    *("parcel", "parcel_version", "parcel_decision", "finding", "eligibility", "histogram"),
    *("import_batch", "import_row", "tree", "project", "project_parcel", "project_decision"),
    *("claim", "capacity", "reservation", "assessment_series", "assessment_run", "period", "batch"),
    *("orchard", "orchard_boundary", "orchard_plot", "orchard_line", "orchard_balance"),
    *("orchard_book_decision", "orchard_veto", "orchard_label", "orchard_book", "reward_voucher"),
    *("reward_movement", "lot", "lot_offer", "lot_parcel", "lot_supply", "lot_step"),
    *("lot_objection", "subscription", "subscription_line", "refund", "tree_pack"),
    *("tree_pack_member", "settlement", "settlement_line", "settlement_payment", "bank_line"),
    *("delivery", "distribution", "distribution_payout", "account", "entry", "unit_range"),
    *("retirement", "party", "actor", "login", "api_token", "login_attempt", "event"),
    *("idempotency", "job"),
)


def upgrade() -> None:
    op.execute(
        "INSERT INTO actor (id, name, roles, effective_at)"
        f" VALUES ('{PUBLIC}', '公众', ARRAY[]::text[], '2026-01-01T00:00:00Z')"
    )
    for made in (WHO, REACH, EXPOSED):
        _functions(made)
    for statement in (ACCOUNT_AT, ENTRY_REACH):
        op.execute(statement)
    op.execute(
        "CREATE TRIGGER entry_reach AFTER INSERT ON entry REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION check_entry_reach()"
    )
    op.execute(
        "REVOKE INSERT (id, asset, kind, party_id, reference, overdraft) ON account FROM tanhui_app"
    )
    for act in (_places, _projects, _orchards, _sales, _money, _people):
        act()


def downgrade() -> None:
    for table in SECURED:
        unsecure(table)
    op.execute(
        "GRANT INSERT (id, asset, kind, party_id, reference, overdraft) ON account TO tanhui_app"
    )
    op.execute("DROP TRIGGER entry_reach ON entry")
    op.execute("DROP FUNCTION check_entry_reach")
    op.execute("DROP FUNCTION account_at")
    for made in (EXPOSED, REACH, WHO):
        for head in reversed(made):
            op.execute(f"DROP FUNCTION {head.partition('(')[0]}")
    op.execute(f"DELETE FROM actor WHERE id = '{PUBLIC}'")
