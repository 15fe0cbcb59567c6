CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
CREATE TYPE public.procrastinate_job_event_type AS ENUM (
    'deferred',
    'started',
    'deferred_for_retry',
    'failed',
    'succeeded',
    'cancelled',
    'abort_requested',
    'aborted',
    'scheduled',
    'retried'
);
ALTER TYPE public.procrastinate_job_event_type OWNER TO tanhui_owner;
CREATE TYPE public.procrastinate_job_status AS ENUM (
    'todo',
    'doing',
    'succeeded',
    'failed',
    'cancelled',
    'aborting',
    'aborted'
);
ALTER TYPE public.procrastinate_job_status OWNER TO tanhui_owner;
CREATE TYPE public.procrastinate_job_to_defer_v1 AS (
	queue_name character varying,
	task_name character varying,
	priority integer,
	lock text,
	queueing_lock text,
	args jsonb,
	scheduled_at timestamp with time zone
);
ALTER TYPE public.procrastinate_job_to_defer_v1 OWNER TO tanhui_owner;
CREATE FUNCTION public.account_at(of_asset text, of_kind text, party uuid, of_reference text, fresh uuid, owes boolean) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
END $$;
ALTER FUNCTION public.account_at(of_asset text, of_kind text, party uuid, of_reference text, fresh uuid, owes boolean) OWNER TO tanhui_owner;
CREATE FUNCTION public.acts_as() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT a.id FROM actor a
       WHERE a.id = nullif(current_setting('tanhui.actor', true), '')::uuid AND a.active
    $$;
ALTER FUNCTION public.acts_as() OWNER TO tanhui_owner;
CREATE FUNCTION public.acts_for() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$SELECT a.party_id FROM actor a WHERE a.id = acts_as()$$;
ALTER FUNCTION public.acts_for() OWNER TO tanhui_owner;
CREATE FUNCTION public.acts_for_all() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$SELECT acts_with(ARRAY['system'])$$;
ALTER FUNCTION public.acts_for_all() OWNER TO tanhui_owner;
CREATE FUNCTION public.acts_under() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
      SELECT regexp_replace(a.division_code, '((((00)?00)?000)?000)$', '') || '%'
        FROM actor a
       WHERE a.id = acts_as() AND a.roles && ARRAY['township', 'county', 'company']
    $_$;
ALTER FUNCTION public.acts_under() OWNER TO tanhui_owner;
CREATE FUNCTION public.acts_with(asked text[]) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT coalesce((SELECT a.roles && asked FROM actor a WHERE a.id = acts_as()), false)
    $$;
ALTER FUNCTION public.acts_with(asked text[]) OWNER TO tanhui_owner;
CREATE FUNCTION public.batch_list(of_project uuid) RETURNS TABLE(prefix text, vintage integer, project text, size_kg bigint, buffer_kg bigint, held_kg bigint, retired_kg bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    $$;
ALTER FUNCTION public.batch_list(of_project uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.batch_register(wanted text) RETURNS TABLE(prefix text, vintage integer, size_kg bigint, buffer_kg bigint, states jsonb, project text, county text, programme_id text, programme_version text, programme_zh text, programme_en text, starts_on date, ends_on date, verified_kg bigint, verifier text, statement_sha256 bytea, parcels integer, area_m2 double precision, run_id uuid, engine_version integer, code_revision text, table_digest bytea, input_digest bytea, layers jsonb, issued_at timestamp with time zone, seal_pos bigint, seal_hash bytea)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    $$;
ALTER FUNCTION public.batch_register(wanted text) OWNER TO tanhui_owner;
CREATE FUNCTION public.bought_lots() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT s.lot_id FROM subscription s WHERE s.buyer_id = (SELECT acts_for())
    $$;
ALTER FUNCTION public.bought_lots() OWNER TO tanhui_owner;
CREATE FUNCTION public.bought_trees() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT m.tree_id FROM subscription s JOIN subscription_line n ON n.subscription_id = s.id
        JOIN tree_pack k ON k.line_id = n.id JOIN tree_pack_member m ON m.pack_id = k.id
       WHERE s.buyer_id = (SELECT acts_for())
    $$;
ALTER FUNCTION public.bought_trees() OWNER TO tanhui_owner;
CREATE FUNCTION public.cell_tile(at_z integer, at_x integer, at_y integer) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    $$;
ALTER FUNCTION public.cell_tile(at_z integer, at_x integer, at_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.cell_x(lon double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT least(greatest(floor((lon + 180) / 360 * 65536), 0), 65535)::integer
    $$;
ALTER FUNCTION public.cell_x(lon double precision) OWNER TO tanhui_owner;
CREATE FUNCTION public.cell_y(lat double precision) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT least(greatest(floor((1 - asinh(tan(radians(least(greatest(lat, -85.06), 85.06))))
        / pi()) / 2 * 65536), 0), 65535)::integer
    $$;
ALTER FUNCTION public.cell_y(lat double precision) OWNER TO tanhui_owner;
CREATE FUNCTION public.cells_in_reach(low_x integer, low_y integer, high_x integer, high_y integer, wide boolean DEFAULT false) RETURNS TABLE(x integer, y integer, status text, parcels bigint, area_dm2 bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
      IF NOT s.everything AND (s.party IS NOT NULL OR s.below IS NULL) THEN
        RETURN QUERY SELECT cell_x(ST_X(m)), cell_y(ST_Y(m)), p.status, 1::bigint,
               round(p.area_m2 * 100)::bigint
          FROM parcel p, ST_Centroid(p.geometry) m
         WHERE p.id IN (SELECT parcels_apart())
           AND p.status <> 'withdrawn' AND (p.division_code LIKE s.below || '%') IS NOT TRUE
           AND cell_x(ST_X(m)) BETWEEN low_x AND high_x AND cell_y(ST_Y(m)) BETWEEN low_y AND high_y;
      END IF;
    END $$;
ALTER FUNCTION public.cells_in_reach(low_x integer, low_y integer, high_x integer, high_y integer, wide boolean) OWNER TO tanhui_owner;
CREATE FUNCTION public.check_account_ranges() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      which uuid;
      found_ record;
    BEGIN
      IF TG_TABLE_NAME = 'account' THEN which := NEW.id; ELSE which := NEW.account_id; END IF;
      SELECT a.balance, (SELECT coalesce(sum(upper(r.serials) - lower(r.serials)), 0)
                           FROM unit_range r
                          WHERE r.account_id = a.id AND r.closed_by IS NULL) AS kg
        INTO found_ FROM account a WHERE a.id = which;
      IF found_.balance <> found_.kg THEN
        RAISE EXCEPTION 'account % has a balance of % kg and ranges of % kg',
            which, found_.balance, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'account_matches_ranges';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_account_ranges() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_assessment_shared() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    END $$;
ALTER FUNCTION public.check_assessment_shared() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_batch_complete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      which uuid;
      size bigint;
      found_ record;
    BEGIN
      IF TG_TABLE_NAME = 'batch' THEN which := NEW.id; ELSE which := NEW.batch_id; END IF;
      SELECT size_kg INTO size FROM batch WHERE id = which FOR NO KEY UPDATE;
      SELECT coalesce(sum(upper(serials) - lower(serials)), 0) AS kg, max(upper(serials)) AS past
        INTO found_ FROM unit_range WHERE batch_id = which AND closed_by IS NULL;
      IF found_.kg <> size OR found_.past > size + 1 THEN
        RAISE EXCEPTION 'batch % of % kg has open ranges of % kg', which, size, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'batch_is_complete';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_batch_complete() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_book_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF (OLD.status, NEW.status) NOT IN (
           ('draft', 'submitted'), ('returned', 'submitted'), ('submitted', 'approved'),
           ('submitted', 'returned'), ('approved', 'returned')) THEN
        RAISE EXCEPTION 'a % book cannot become %', OLD.status, NEW.status
          USING ERRCODE = '23514', CONSTRAINT = 'book_goes_forward';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_book_change() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_capacity_rise() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF TG_OP = 'INSERT' AND NEW.committed_kg <> 0
         OR TG_OP = 'UPDATE' AND NEW.committed_kg > OLD.committed_kg AND NEW.short_kg > 0 THEN
        RAISE EXCEPTION 'capacity of parcel % in % is short', NEW.parcel_id, NEW.vintage
          USING ERRCODE = '23514', CONSTRAINT = 'capacity_never_oversold';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_capacity_rise() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_capacity_sum() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      found_ record;
    BEGIN
      SELECT c.committed_kg, (SELECT coalesce(sum(r.kg), 0) FROM reservation r
                               WHERE r.claim_id = c.claim_id AND r.parcel_id = c.parcel_id
                                 AND r.vintage = c.vintage AND r.state NOT IN ('released', 'shared')) AS kg
        INTO found_ FROM capacity c
       WHERE c.claim_id = NEW.claim_id AND c.parcel_id = NEW.parcel_id
         AND c.vintage = NEW.vintage;
      IF found_.committed_kg <> found_.kg THEN
        RAISE EXCEPTION 'parcel % in %: % kg committed, reservations of % kg',
            NEW.parcel_id, NEW.vintage, found_.committed_kg, found_.kg
          USING ERRCODE = '23514', CONSTRAINT = 'capacity_matches_reservations';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_capacity_sum() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_claim_ground() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
        END $$;
ALTER FUNCTION public.check_claim_ground() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_entry_reach() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    
    DECLARE
      who record;
    BEGIN
      SELECT a.roles, a.party_id INTO who FROM actor a
       WHERE a.id = nullif(current_setting('tanhui.actor', true), '')::uuid AND a.active;
      IF 'system' = ANY (who.roles) THEN
        RETURN NULL;
      END IF;
      IF NOT may_write() OR EXISTS (
        SELECT FROM added e JOIN account s ON s.id = e.source_id
         WHERE (s.party_id = who.party_id OR sees_account(s.party_id, s.reference))
           IS NOT TRUE) THEN
        RAISE EXCEPTION 'row-level security: an account is not the actor''s to move from'
          USING ERRCODE = '42501';
      END IF;
      RETURN NULL;
    END
 $$;
ALTER FUNCTION public.check_entry_reach() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_issued_within_verified() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      p record;
      issued bigint;
    BEGIN
      SELECT project_id, status, verified_kg INTO p FROM period
        WHERE id = NEW.period_id FOR NO KEY UPDATE;
      SELECT sum(size_kg) INTO issued FROM batch WHERE period_id = NEW.period_id;
      IF p.status NOT IN ('verified', 'issued') OR p.project_id <> NEW.project_id
         OR issued > p.verified_kg THEN
        RAISE EXCEPTION 'period % (%) verified % kg, issued % kg',
            NEW.period_id, p.status, p.verified_kg, issued
          USING ERRCODE = '23514', CONSTRAINT = 'issued_within_verified';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_issued_within_verified() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_parcel_approval() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
        BEGIN
          IF NEW.status = 'approved' AND NOT EXISTS (
            SELECT FROM parcel_decision d
             WHERE d.parcel_id = NEW.id AND d.version = NEW.version AND d.decision = 'approve'
               AND d.actor_id <> NEW.submitted_by) THEN
            RAISE EXCEPTION 'parcel % was not approved by another person', NEW.id
              USING ERRCODE = '23514', CONSTRAINT = 'parcel_approved_by_another';
          END IF;
          RETURN NEW;
        END $$;
ALTER FUNCTION public.check_parcel_approval() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_parcel_ground() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
        END $$;
ALTER FUNCTION public.check_parcel_ground() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_period_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF (OLD.status, NEW.status) NOT IN (('submitted', 'verified'), ('submitted', 'refused'),
                                          ('verified', 'issued'))
         OR (OLD.status = 'verified'
             AND (OLD.verified_kg, OLD.verifier_id, OLD.statement_sha256)
                 IS DISTINCT FROM (NEW.verified_kg, NEW.verifier_id, NEW.statement_sha256)) THEN
        RAISE EXCEPTION 'period % cannot go from % to %', OLD.id, OLD.status, NEW.status
          USING ERRCODE = '23514', CONSTRAINT = 'period_goes_forward';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_period_change() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_project_approval() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
        END $$;
ALTER FUNCTION public.check_project_approval() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_range_change() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      a record;
    BEGIN
      IF TG_OP = 'UPDATE' THEN
        IF OLD.closed_by IS NOT NULL OR NEW.closed_by IS NULL
           OR OLD.status IN ('retired', 'cancelled') THEN
          RAISE EXCEPTION 'range % (%) is final', OLD.id, OLD.status
            USING ERRCODE = '23514', CONSTRAINT = 'range_is_final';
        END IF;
        RETURN NEW;
      END IF;
      SELECT asset, kind INTO a FROM account WHERE id = NEW.account_id;
      IF a.asset <> 'kg' OR a.kind <> (CASE NEW.status WHEN 'held' THEN 'holding'
                                       ELSE NEW.status END) THEN
        RAISE EXCEPTION 'a % range cannot lie in an account of %, %', NEW.status, a.asset, a.kind
          USING ERRCODE = '23514', CONSTRAINT = 'range_fits_account';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_range_change() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_reservation_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF NEW.state = 'shared' AND OLD.state IN ('held', 'burned')
         AND (NEW.kg, NEW.burned_kg) = (OLD.kg, OLD.burned_kg) THEN
        RETURN NEW;
      END IF;
      IF OLD.state = 'shared' THEN
        RAISE EXCEPTION 'reservation % is shared', OLD.id
          USING ERRCODE = '23514', CONSTRAINT = 'reservation_goes_forward';
      END IF;
      IF NEW.burned_kg < OLD.burned_kg OR OLD.state = 'burned'
         OR (NEW.state = 'released' AND NEW.burned_kg > 0)
         OR (NEW.state = 'burned') <> (NEW.burned_kg = NEW.kg) THEN
        RAISE EXCEPTION 'reservation % cannot change so', OLD.id
          USING ERRCODE = '23514', CONSTRAINT = 'reservation_goes_forward';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_reservation_change() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_reservation_shared() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    END $$;
ALTER FUNCTION public.check_reservation_shared() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_reward_adds_up() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      which text;
      v record;
      m record;
    BEGIN
      IF TG_TABLE_NAME = 'reward_voucher' THEN which := NEW.number;
      ELSE which := NEW.voucher; END IF;
      SELECT issued_kg, redeemed_kg, expired_kg INTO v FROM reward_voucher WHERE number = which;
      SELECT coalesce(sum(kg) FILTER (WHERE kind = 'issue'), 0) AS issued,
             coalesce(sum(kg) FILTER (WHERE kind = 'redeem'), 0) AS redeemed,
             coalesce(sum(kg) FILTER (WHERE kind = 'expire'), 0) AS expired
        INTO m FROM reward_movement WHERE voucher = which;
      IF (v.issued_kg, v.redeemed_kg, v.expired_kg) <> (m.issued, m.redeemed, m.expired) THEN
        RAISE EXCEPTION 'voucher % does not match its movements', which
          USING ERRCODE = '23514', CONSTRAINT = 'reward_adds_up';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_reward_adds_up() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_settlement() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      which uuid;
      s settlement;
      l record;
    BEGIN
      IF TG_TABLE_NAME = 'settlement' THEN which := NEW.id; ELSE which := NEW.settlement_id; END IF;
      SELECT * INTO s FROM settlement WHERE id = which;
      SELECT coalesce(sum(amount_fen) FILTER (WHERE kind = 'tax'), 0) AS taxes,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'insurance'), 0) AS insurance,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'cost'), 0) AS costs,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'reserve'), 0) AS reserves,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'advance'), 0) AS advance,
             coalesce(sum(amount_fen) FILTER (WHERE kind IN ('village', 'household')), 0)
               AS returned,
             coalesce(sum(amount_fen) FILTER (WHERE kind = 'remainder'), 0) AS remainder
        INTO l FROM settlement_line WHERE settlement_id = which AND revision = s.revision;
      IF (l.taxes, l.insurance, l.costs, l.reserves, l.advance, l.returned, l.remainder)
         IS DISTINCT FROM (s.taxes_fen, s.insurance_fen, s.costs_fen, s.reserves_held_fen,
                           s.advance_recouped_fen, s.returned_fen, s.remainder_fen) THEN
        RAISE EXCEPTION 'the lines of settlement % are not its sums', which
          USING ERRCODE = '23514', CONSTRAINT = 'settlement_lines_sum';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_settlement() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_settlement_frozen() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF OLD.state <> 'DRAFT' AND
         (OLD.revision, OLD.escrow_in_fen, OLD.refunds_fen, OLD.gross_fen, OLD.taxes_fen,
          OLD.insurance_fen, OLD.costs_fen, OLD.reserves_brought_fen, OLD.reserves_held_fen,
          OLD.advance_recouped_fen, OLD.returned_fen, OLD.remainder_fen, OLD.escrow_balance_fen,
          OLD.input_digest)
         IS DISTINCT FROM
         (NEW.revision, NEW.escrow_in_fen, NEW.refunds_fen, NEW.gross_fen, NEW.taxes_fen,
          NEW.insurance_fen, NEW.costs_fen, NEW.reserves_brought_fen, NEW.reserves_held_fen,
          NEW.advance_recouped_fen, NEW.returned_fen, NEW.remainder_fen, NEW.escrow_balance_fen,
          NEW.input_digest) THEN
        RAISE EXCEPTION 'settlement % is %, its sums stand still', OLD.id, OLD.state
          USING ERRCODE = '23514', CONSTRAINT = 'settlement_frozen';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_settlement_frozen() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_settlement_payment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      l record;
    BEGIN
      SELECT amount_fen, kind INTO l FROM settlement_line
       WHERE settlement_id = NEW.settlement_id AND revision = NEW.revision AND n = NEW.n;
      IF l.amount_fen <> NEW.amount_fen
         OR (l.kind IN ('village', 'household') AND NEW.account_kind NOT IN ('basic', 'general'))
      THEN
        RAISE EXCEPTION 'line % of settlement % is not paid so', NEW.n, NEW.settlement_id
          USING ERRCODE = '23514', CONSTRAINT = 'settlement_payment_true';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_settlement_payment() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_tree_joins() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      PERFORM FROM tree t JOIN tree_pack p ON p.id = NEW.pack_id
        JOIN lot_parcel l ON l.lot_id = p.lot_id AND l.parcel_id = t.parcel_id
       WHERE t.id = NEW.tree_id AND t.status = 'live' FOR SHARE OF t;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'tree % is no live tree of the ground of pack %', NEW.tree_id, NEW.pack_id
          USING ERRCODE = '23514', CONSTRAINT = 'tree_pack_member_joins';
      END IF;
      RETURN NEW;
    END $$;
ALTER FUNCTION public.check_tree_joins() OWNER TO tanhui_owner;
CREATE FUNCTION public.check_tree_pack() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      which uuid;
      trees bigint;
    BEGIN
      IF TG_OP = 'DELETE' THEN
        which := OLD.pack_id;
        IF OLD.delivered_to IS NOT NULL THEN
          RAISE EXCEPTION 'tree % was delivered with pack %', OLD.tree_id, which
            USING ERRCODE = '23514', CONSTRAINT = 'tree_pack_member_delivered';
        END IF;
      ELSE
        which := NEW.pack_id;
      END IF;
      SELECT count(*) INTO trees FROM tree_pack_member WHERE pack_id = which;
      IF trees NOT IN (0, 100) THEN
        RAISE EXCEPTION 'pack % holds % trees', which, trees
          USING ERRCODE = '23514', CONSTRAINT = 'tree_pack_holds_hundred';
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.check_tree_pack() OWNER TO tanhui_owner;
CREATE FUNCTION public.claims_meeting(box public.geometry) RETURNS TABLE(id uuid, scheme text, project_id uuid, programme_id text, parcel_id uuid, external_reference text, years int4range, geometry public.geometry)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT c.id, c.scheme, c.project_id, j.programme_id, c.parcel_id, c.external_reference::text,
             c.years, c.geometry
        FROM claim c LEFT JOIN project j ON j.id = c.project_id
       WHERE c.status = 'active' AND c.geometry && box
    $$;
ALTER FUNCTION public.claims_meeting(box public.geometry) OWNER TO tanhui_owner;
CREATE FUNCTION public.count_parcel_cells() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF TG_OP = 'INSERT' THEN
        WITH counted AS MATERIALIZED (
          SELECT cell_x(ST_X(ST_Centroid(geometry))) AS x, cell_y(ST_Y(ST_Centroid(geometry))) AS y, coalesce(left(division_code, 9), '') AS township, kind, status, count(*) AS parcels, sum(round(area_m2 * 100)) AS area_dm2, ST_SetSRID(ST_Extent(geometry)::geometry, 4490)
            FROM added GROUP BY 1, 2, 3, 4, 5),
        near AS (
          INSERT INTO parcel_cell AS c (x, y, township, kind, status, parcels, area_dm2, extent)
          SELECT * FROM counted ORDER BY x, y, township, kind, status
          ON CONFLICT (x, y, township, kind, status) DO UPDATE SET
            parcels = c.parcels + excluded.parcels, area_dm2 = c.area_dm2 + excluded.area_dm2,
            version = c.version + 1,
            extent = CASE WHEN c.extent ~ excluded.extent THEN c.extent
                          ELSE ST_Envelope(ST_Collect(c.extent, excluded.extent)) END)
        INSERT INTO parcel_cell_wide AS w (x, y, township, status, parcels, area_dm2)
        SELECT x / 16, y / 16, township, status, sum(parcels), sum(area_dm2) FROM counted
         GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (x, y, township, status) DO UPDATE SET
          parcels = w.parcels + excluded.parcels, area_dm2 = w.area_dm2 + excluded.area_dm2,
          version = w.version + 1;
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
          SELECT cell_x(ST_X(ST_Centroid(geometry))) AS x, cell_y(ST_Y(ST_Centroid(geometry))) AS y, coalesce(left(division_code, 9), '') AS township, kind, status, sum(sign) AS parcels, sum(sign * round(area_m2 * 100)) AS area_dm2, ST_SetSRID(ST_Extent(geometry)::geometry, 4490)
            FROM turned GROUP BY 1, 2, 3, 4, 5),
        near AS (
          INSERT INTO parcel_cell AS c (x, y, township, kind, status, parcels, area_dm2, extent)
          SELECT * FROM counted ORDER BY x, y, township, kind, status
          ON CONFLICT (x, y, township, kind, status) DO UPDATE SET
            parcels = c.parcels + excluded.parcels, area_dm2 = c.area_dm2 + excluded.area_dm2,
            version = c.version + 1,
            extent = CASE WHEN c.extent ~ excluded.extent THEN c.extent
                          ELSE ST_Envelope(ST_Collect(c.extent, excluded.extent)) END)
        INSERT INTO parcel_cell_wide AS w (x, y, township, status, parcels, area_dm2)
        SELECT x / 16, y / 16, township, status, sum(parcels), sum(area_dm2) FROM counted
         GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (x, y, township, status) DO UPDATE SET
          parcels = w.parcels + excluded.parcels, area_dm2 = w.area_dm2 + excluded.area_dm2,
          version = w.version + 1;
      END IF;
      RETURN NULL;
    END $$;
ALTER FUNCTION public.count_parcel_cells() OWNER TO tanhui_owner;
CREATE FUNCTION public.discard_import(batch uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM FROM import_batch b WHERE b.id = batch AND b.state IN ('reading', 'previewed')
    AND b.actor_id = nullif(current_setting('tanhui.actor', true), '')::uuid FOR UPDATE;
  IF FOUND THEN
    DELETE FROM import_row r WHERE r.batch_id = batch;
    DELETE FROM import_batch b WHERE b.id = batch;
  END IF;
END $$;
ALTER FUNCTION public.discard_import(batch uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.grams(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
      SELECT coalesce(array_agg(DISTINCT substr(w, i, n)), '{}')
        FROM lower(words) w, generate_series(1, 3) n, generate_series(1, length(w) - n + 1) i
    $$;
ALTER FUNCTION public.grams(words text) OWNER TO tanhui_owner;
CREATE FUNCTION public.grams_asked(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
      SELECT coalesce(array_agg(substr(w, i, n)), '{}')
        FROM lower(words) w, least(length(w), 3) n, generate_series(1, length(w) - n + 1) i
    $$;
ALTER FUNCTION public.grams_asked(words text) OWNER TO tanhui_owner;
CREATE FUNCTION public.import_obstacles(batch uuid) RETURNS TABLE(row_number integer, parcel uuid, why text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
$$;
ALTER FUNCTION public.import_obstacles(batch uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.joined_projects() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT k.project_id FROM project_parcel k JOIN parcel p ON p.id = k.parcel_id
       WHERE p.owner_id = (SELECT acts_for())
    $$;
ALTER FUNCTION public.joined_projects() OWNER TO tanhui_owner;
CREATE FUNCTION public.last_project_number(county text) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT max(number) FROM project WHERE adcode = county
    $$;
ALTER FUNCTION public.last_project_number(county text) OWNER TO tanhui_owner;
CREATE FUNCTION public.last_retirement_number(of_year integer) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT max(split_part(number, '-', 3)::bigint) FROM retirement
       WHERE number LIKE 'RET-' || lpad(of_year::text, 4, '0') || '-%'
    $$;
ALTER FUNCTION public.last_retirement_number(of_year integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.lock_batches(ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT 1 FROM batch WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE
    $$;
ALTER FUNCTION public.lock_batches(ids uuid[]) OWNER TO tanhui_owner;
CREATE FUNCTION public.lock_ground(scope text, places public.geometry[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
        END $$;
ALTER FUNCTION public.lock_ground(scope text, places public.geometry[]) OWNER TO tanhui_owner;
CREATE FUNCTION public.lot_ground_m2(wanted uuid) RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT coalesce(sum(p.area_m2), 0) FROM lot_parcel x JOIN parcel p ON p.id = x.parcel_id
       WHERE x.lot_id = wanted
    $$;
ALTER FUNCTION public.lot_ground_m2(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.lot_sums(wanted uuid) RETURNS TABLE(vintage integer, held bigint, sold bigint, delivered bigint, shortfall bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT n.vintage,
             coalesce(sum(n.quantity) FILTER (WHERE n.state IN
               ('RESERVED', 'SIGNED', 'AWAITING_PAYMENT')), 0)::bigint,
             coalesce(sum(n.quantity) FILTER (WHERE n.state IN
               ('PAID', 'COOLING_OFF', 'VESTING', 'DELIVERABLE')), 0)::bigint,
             sum(n.delivered)::bigint, sum(n.shortfall)::bigint
        FROM subscription_line n WHERE n.lot_id = wanted GROUP BY n.vintage
    $$;
ALTER FUNCTION public.lot_sums(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.lot_villages(wanted uuid[]) RETURNS TABLE(lot_id uuid, name text, division_code text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT DISTINCT x.lot_id, y.name::text, y.division_code
        FROM lot_parcel x JOIN party y ON y.id = x.supplier_id
       WHERE x.lot_id = ANY (wanted) AND y.kind NOT IN ('person', 'household')
    $$;
ALTER FUNCTION public.lot_villages(wanted uuid[]) OWNER TO tanhui_owner;
CREATE FUNCTION public.lots_of_ground(parcels uuid[]) RETURNS TABLE(parcel uuid, lot uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT x.parcel_id, x.lot_id FROM lot_parcel x JOIN lot l ON l.id = x.lot_id
       WHERE x.parcel_id = ANY (parcels) AND l.sale_state NOT IN ('REJECTED', 'WITHDRAWN')
       ORDER BY 1, 2
    $$;
ALTER FUNCTION public.lots_of_ground(parcels uuid[]) OWNER TO tanhui_owner;
CREATE FUNCTION public.may_write() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT acts_with(ARRAY['system', 'township', 'county', 'company', 'collective', 'farmer',
                             'buyer', 'verifier'])
    $$;
ALTER FUNCTION public.may_write() OWNER TO tanhui_owner;
CREATE FUNCTION public.neighbour_tile(at_z integer, at_x integer, at_y integer, bytes_most integer DEFAULT 450000) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      box geometry := tile_box(at_z, at_x, at_y);
      near geometry := ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64);
    BEGIN
      RETURN (WITH seen AS MATERIALIZED (
        SELECT p.id, p.kind, p.status, p.area_m2,
               ST_AsMVTGeom(p.geometry, box, 4096, 64, true) AS geom
          FROM parcel p
         WHERE p.geometry && near AND p.status IN ('submitted', 'approved')),
      sized AS (
        SELECT *, sum(12 + 4 * ST_NPoints(geom)) OVER (ORDER BY area_m2 DESC, id) AS bytes
          FROM seen WHERE geom IS NOT NULL)
      SELECT coalesce((SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
        SELECT kind, status, geom FROM sized
         WHERE bytes <= bytes_most ORDER BY area_m2 DESC, id) f), ''));
    END $$;
ALTER FUNCTION public.neighbour_tile(at_z integer, at_x integer, at_y integer, bytes_most integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.neighbour_tile_version(at_z integer, at_x integer, at_y integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT sum(c.version)::text FROM tile_box(at_z, at_x, at_y) box, parcel_cell c
       WHERE c.extent && ST_Expand(box, (ST_XMax(box) - ST_XMin(box)) / 64)
    $$;
ALTER FUNCTION public.neighbour_tile_version(at_z integer, at_x integer, at_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.neighbours(box public.geometry, most integer) RETURNS TABLE(id uuid, geometry public.geometry, kind text, status text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT p.id, p.geometry, p.kind, p.status FROM parcel p
       WHERE p.geometry && box AND p.status IN ('submitted', 'approved')
       ORDER BY p.area_m2 DESC, p.id LIMIT most
    $$;
ALTER FUNCTION public.neighbours(box public.geometry, most integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.orchard_boundary_at(wanted uuid, last_day date) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT max(b.version) FROM orchard_boundary b
       WHERE b.orchard_id = wanted AND b.valid_from <= last_day
    $$;
ALTER FUNCTION public.orchard_boundary_at(wanted uuid, last_day date) OWNER TO tanhui_owner;
CREATE FUNCTION public.orchard_place(wanted uuid, drawn integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT coalesce(c.name, '') || coalesce(t.name, '')
        FROM orchard o LEFT JOIN division c ON c.code = rpad(o.adcode, 12, '0')
        LEFT JOIN division t ON t.level = 'township' AND t.code = (
          SELECT left(p.division_code, 9) || '000' FROM orchard_plot k
            JOIN parcel p ON p.id = k.parcel_id
           WHERE k.orchard_id = o.id AND k.version = drawn AND p.division_code IS NOT NULL
           GROUP BY 1 ORDER BY sum(p.area_m2) DESC, 1 LIMIT 1)
       WHERE o.id = wanted
    $$;
ALTER FUNCTION public.orchard_place(wanted uuid, drawn integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.overlap_tolerance_m2(a_m2 double precision, b_m2 double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
          SELECT least(1.0, 0.001 * least(a_m2, b_m2))
        $$;
ALTER FUNCTION public.overlap_tolerance_m2(a_m2 double precision, b_m2 double precision) OWNER TO tanhui_owner;
CREATE FUNCTION public.pack_by_code(wanted text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT k.id FROM tree_pack k WHERE k.code = wanted LIMIT 1
    $$;
ALTER FUNCTION public.pack_by_code(wanted text) OWNER TO tanhui_owner;
CREATE FUNCTION public.pack_lines(of_lot uuid, of_pack uuid) RETURNS TABLE(pack_id uuid, code text, lot_id uuid, lot_number text, vintage integer, promised integer, trees bigint, live bigint, state text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT k.id, k.code, k.lot_id, l.number, k.vintage, k.promised, count(m.tree_id),
             count(t.id) FILTER (WHERE t.status = 'live'), coalesce(n.state, 'FREE')
        FROM tree_pack k JOIN lot l ON l.id = k.lot_id
        LEFT JOIN subscription_line n ON n.id = k.line_id
        LEFT JOIN tree_pack_member m ON m.pack_id = k.id LEFT JOIN tree t ON t.id = m.tree_id
       WHERE k.lot_id = of_lot OR k.id = of_pack
       GROUP BY k.id, l.number, n.state ORDER BY k.code
    $$;
ALTER FUNCTION public.pack_lines(of_lot uuid, of_pack uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.pack_lot(wanted uuid) RETURNS TABLE(lot_title text, programme_id text, carbon_right_holder text, term_years integer, villages text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT l.title::text, l.programme_id, l.carbon_right_holder, l.term_years,
             (SELECT string_agg(DISTINCT v.name, '、') FROM lot_villages(ARRAY[l.id]) v)
        FROM tree_pack k JOIN lot l ON l.id = k.lot_id WHERE k.id = wanted
    $$;
ALTER FUNCTION public.pack_lot(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.pack_trees(wanted uuid) RETURNS TABLE(number integer, species text, planted_year integer, status text, delivered boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT t.number, t.species, t.planted_year, t.status, m.delivered_to IS NOT NULL
        FROM tree_pack_member m JOIN tree t ON t.id = m.tree_id WHERE m.pack_id = wanted
       ORDER BY t.number
    $$;
ALTER FUNCTION public.pack_trees(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.paid_parties() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      WITH paying AS (
        SELECT l.id, l.company_id FROM lot l WHERE l.company_id = (SELECT acts_for())
           OR ((SELECT acts_with(ARRAY['county'])) AND l.id IN (SELECT reached_lots(false))))
      SELECT x.supplier_id FROM lot_parcel x WHERE x.lot_id IN (SELECT id FROM paying)
      UNION SELECT x.household_id FROM lot_parcel x WHERE x.lot_id IN (SELECT id FROM paying)
      UNION SELECT s.buyer_id FROM subscription s WHERE s.lot_id IN (SELECT id FROM paying)
      UNION SELECT l.company_id FROM subscription s JOIN lot l ON l.id = s.lot_id
       WHERE s.buyer_id = (SELECT acts_for())
    $$;
ALTER FUNCTION public.paid_parties() OWNER TO tanhui_owner;
CREATE FUNCTION public.parcel_cells_astray() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      WITH counted AS MATERIALIZED (
        SELECT cell_x(ST_X(ST_Centroid(geometry))) AS x, cell_y(ST_Y(ST_Centroid(geometry))) AS y, coalesce(left(division_code, 9), '') AS township, kind, status, count(*) AS parcels, sum(round(area_m2 * 100))::bigint AS area_dm2
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
    $$;
ALTER FUNCTION public.parcel_cells_astray() OWNER TO tanhui_owner;
CREATE FUNCTION public.parcel_scope() RETURNS TABLE(everything boolean, below text, party uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
      SELECT a.roles && ARRAY['system', 'auditor'],
             CASE WHEN a.roles && ARRAY['township', 'county', 'company'] THEN
               regexp_replace(a.division_code, '((((00)?00)?000)?000)$', '') END,
             a.party_id
        FROM actor a
       WHERE a.id = nullif(current_setting('tanhui.actor', true), '')::uuid AND a.active
    $_$;
ALTER FUNCTION public.parcel_scope() OWNER TO tanhui_owner;
CREATE FUNCTION public.parcel_tile(at_z integer, at_x integer, at_y integer, bytes_most integer DEFAULT 450000) RETURNS bytea
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
      sized AS (
        SELECT *, sum(64 + coalesce(octet_length(name), 0) + 4 * ST_NPoints(geom)) OVER (ORDER BY area_m2 DESC, id) AS bytes
          FROM seen WHERE geom IS NOT NULL)
      SELECT coalesce((SELECT ST_AsMVT(f, 'parcels', 4096, 'geom') FROM (
               SELECT id::text AS id, name, kind, status, geom FROM sized
                WHERE bytes <= bytes_most ORDER BY area_m2 DESC, sized.id) f), '')
          || coalesce((SELECT ST_AsMVT(f, 'left_out', 4096, 'geom') FROM (
               SELECT count(*)::integer AS parcels, ST_MakePoint(2048, 2048) AS geom FROM sized
                WHERE bytes > bytes_most HAVING count(*) > 0) f), ''));
    END $$;
ALTER FUNCTION public.parcel_tile(at_z integer, at_x integer, at_y integer, bytes_most integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.parcel_tile_version(at_z integer, at_x integer, at_y integer) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    END $$;
ALTER FUNCTION public.parcel_tile_version(at_z integer, at_x integer, at_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.parcels_apart() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT p.id FROM parcel_scope() s JOIN parcel p ON p.owner_id = s.party
      UNION
      SELECT r FROM parcel_scope() s, LATERAL (SELECT reached_parcels() WHERE s.below IS NULL) t (r)
    $$;
ALTER FUNCTION public.parcels_apart() OWNER TO tanhui_owner;
CREATE FUNCTION public.parcels_meeting(box public.geometry) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT p.id FROM parcel p WHERE p.geometry && box
    $$;
ALTER FUNCTION public.parcels_meeting(box public.geometry) OWNER TO tanhui_owner;
CREATE FUNCTION public.party_kind(wanted uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$SELECT y.kind FROM party y WHERE y.id = wanted$$;
ALTER FUNCTION public.party_kind(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.party_named(words text) RETURNS TABLE(id uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT y.id, y.name::text FROM party y WHERE y.uscc = words OR y.name = words LIMIT 2
    $$;
ALTER FUNCTION public.party_named(words text) OWNER TO tanhui_owner;
CREATE FUNCTION public.post(actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text, of_id text, words text, effective timestamp with time zone, legs jsonb, takes jsonb, answer text, OUT replayed boolean, OUT stored_hash bytea, OUT body text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      t record;
    BEGIN
      PERFORM set_config('tanhui.actor', actor::text, true);
      IF NOT EXISTS (
        SELECT FROM actor a WHERE a.id = post.actor AND a.active
           AND a.roles && ARRAY['system', 'township', 'county', 'company', 'collective',
                                'farmer', 'buyer', 'verifier']) THEN
        RAISE EXCEPTION 'row-level security: who acts may not write'
          USING ERRCODE = '42501';
      END IF;
      INSERT INTO idempotency AS i (actor_id, key, request_hash, body)
        VALUES (actor, request_key, hash, answer)
        ON CONFLICT (actor_id, key) DO NOTHING;
      replayed := NOT FOUND;
      IF replayed THEN
        SELECT i.request_hash, i.body INTO stored_hash, body
          FROM idempotency i WHERE i.actor_id = actor AND i.key = request_key;
        RETURN;
      END IF;
      stored_hash := hash;
      body := answer;
      INSERT INTO event (id, kind, actor_id, subject_kind, subject_id, envelope, digest,
                         effective_at)
        VALUES (event, event_kind, actor, of_kind, of_id, words,
                sha256(convert_to(words, 'UTF8')), effective);
      IF jsonb_array_length(takes) > 0 THEN
        FOR t IN SELECT x.owner, x.quantity
                   FROM jsonb_to_recordset(takes) AS x(owner text, quantity bigint)
                  ORDER BY x.owner LOOP
          PERFORM slot_take(t.owner, t.quantity);
        END LOOP;
      END IF;
      PERFORM post_legs(event, legs);
    END $$;
ALTER FUNCTION public.post(actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text, of_id text, words text, effective timestamp with time zone, legs jsonb, takes jsonb, answer text, OUT replayed boolean, OUT stored_hash bytea, OUT body text) OWNER TO tanhui_owner;
CREATE FUNCTION public.post_legs(event uuid, legs jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      source uuid;
      target uuid;
      kg bigint;
      given text;
      taken text;
      sources uuid[];
      targets uuid[];
      amounts bigint[];
      ids uuid[];
      changes bigint[];
      moved bigint;
      wrong record;
    BEGIN
      IF jsonb_array_length(legs) = 1 THEN
        source := legs -> 0 ->> 'source';
        target := legs -> 0 ->> 'target';
        kg := legs -> 0 ->> 'amount';
        IF target < source THEN
          UPDATE account SET balance = balance + kg WHERE id = target RETURNING asset INTO taken;
        END IF;
        UPDATE account SET balance = balance - kg
          WHERE id = source AND (overdraft OR balance >= kg) RETURNING asset INTO given;
        IF target >= source THEN
          UPDATE account SET balance = balance + kg WHERE id = target RETURNING asset INTO taken;
        END IF;
        IF given IS NULL OR given IS DISTINCT FROM taken THEN
          PERFORM refuse_leg(source, target, kg);
        END IF;
        INSERT INTO entry (event_id, source_id, target_id, amount)
          VALUES (event, source, target, kg);
        RETURN;
      END IF;
      SELECT array_agg(l.source), array_agg(l.target), array_agg(l.amount)
        INTO sources, targets, amounts
        FROM jsonb_to_recordset(legs) AS l(source uuid, target uuid, amount bigint);
      IF sources IS NULL THEN
        RETURN;
      END IF;
      SELECT array_agg(d.id), array_agg(d.change) INTO ids, changes
        FROM (SELECT m.id, sum(m.change)::bigint AS change
                FROM (SELECT unnest(sources) AS id, -unnest(amounts) AS change
                      UNION ALL SELECT unnest(targets), unnest(amounts)) m
               GROUP BY m.id) d;
      PERFORM 1 FROM account WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
      SELECT l.source, l.target, l.amount INTO wrong
        FROM unnest(sources, targets, amounts) AS l(source, target, amount)
        LEFT JOIN account s ON s.id = l.source
        LEFT JOIN account t ON t.id = l.target
       WHERE s.asset IS DISTINCT FROM t.asset OR s.id IS NULL LIMIT 1;
      IF FOUND THEN
        PERFORM refuse_leg(wrong.source, wrong.target, wrong.amount);
      END IF;
      INSERT INTO entry (event_id, source_id, target_id, amount)
        SELECT event, l.source, l.target, l.amount
          FROM unnest(sources, targets, amounts) AS l(source, target, amount);
      UPDATE account a SET balance = a.balance + d.change
        FROM unnest(ids, changes) AS d(id, change)
       WHERE a.id = d.id AND (a.overdraft OR a.balance + d.change >= 0);
      GET DIAGNOSTICS moved = ROW_COUNT;
      IF moved < cardinality(ids) THEN
        SELECT a.id, -d.change AS asked INTO wrong
          FROM unnest(ids, changes) AS d(id, change) JOIN account a ON a.id = d.id
         WHERE NOT a.overdraft AND a.balance + d.change < 0 AND d.change < 0 ORDER BY a.id LIMIT 1;
        PERFORM refuse_leg(wrong.id, wrong.id, wrong.asked);
      END IF;
    END $$;
ALTER FUNCTION public.post_legs(event uuid, legs jsonb) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;
ALTER FUNCTION public.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_defer_jobs_v1(jobs public.procrastinate_job_to_defer_v1[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;
    RETURN job_ids;
END;
$$;
ALTER FUNCTION public.procrastinate_defer_jobs_v1(jobs public.procrastinate_job_to_defer_v1[]) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;
    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;
    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;
    RETURN _job_id;
END;
$$;
ALTER FUNCTION public.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) OWNER TO tanhui_owner;
CREATE TABLE public.procrastinate_jobs (
    id bigint NOT NULL,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    lock text,
    queueing_lock text,
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    status public.procrastinate_job_status DEFAULT 'todo'::public.procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint,
    CONSTRAINT check_not_todo_abort_requested CHECK ((NOT ((status = 'todo'::public.procrastinate_job_status) AND (abort_requested = true))))
);
ALTER TABLE public.procrastinate_jobs OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) RETURNS public.procrastinate_jobs
    LANGUAGE plpgsql
    AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;
 RETURN found_jobs;
END;
$$;
ALTER FUNCTION public.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_finish_job_v1(job_id bigint, end_status public.procrastinate_job_status, delete_job boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;
ALTER FUNCTION public.procrastinate_finish_job_v1(job_id bigint, end_status public.procrastinate_job_status, delete_job boolean) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_notify_queue_abort_job_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;
ALTER FUNCTION public.procrastinate_notify_queue_abort_job_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_notify_queue_job_inserted_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;
ALTER FUNCTION public.procrastinate_notify_queue_job_inserted_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;
ALTER FUNCTION public.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_register_worker_v1() RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;
ALTER FUNCTION public.procrastinate_register_worker_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;
ALTER FUNCTION public.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;
END;
$$;
ALTER FUNCTION public.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;
ALTER FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);
	RETURN NEW;
END;
$$;
ALTER FUNCTION public.procrastinate_trigger_function_scheduled_events_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;
ALTER FUNCTION public.procrastinate_trigger_function_status_events_insert_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_trigger_function_status_events_update_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;
ALTER FUNCTION public.procrastinate_trigger_function_status_events_update_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_unlink_periodic_defers_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;
ALTER FUNCTION public.procrastinate_unlink_periodic_defers_v1() OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;
ALTER FUNCTION public.procrastinate_unregister_worker_v1(worker_id bigint) OWNER TO tanhui_owner;
CREATE FUNCTION public.procrastinate_update_heartbeat_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;
ALTER FUNCTION public.procrastinate_update_heartbeat_v1(worker_id bigint) OWNER TO tanhui_owner;
CREATE FUNCTION public.project_answers(wanted uuid) RETURNS TABLE(answer text, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT coalesce(e.answer, 'unknown'), count(*)
        FROM project j JOIN project_parcel k ON k.project_id = j.id
        JOIN parcel p ON p.id = k.parcel_id
        LEFT JOIN eligibility e ON e.parcel_id = p.id AND e.version = p.version
         AND e.programme_id = j.programme_id AND e.programme_version = j.programme_version
       WHERE j.id = wanted GROUP BY 1
    $$;
ALTER FUNCTION public.project_answers(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.project_claims(wanted uuid) RETURNS TABLE(scheme text, status text, first_year integer, last_year integer, claims bigint, area_m2 double precision)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT c.scheme, c.status, lower(c.years), upper(c.years) - 1, count(*), sum(c.area_m2)
        FROM claim c WHERE c.project_id = wanted GROUP BY c.scheme, c.status, c.years
    $$;
ALTER FUNCTION public.project_claims(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.project_ground(wanted uuid) RETURNS TABLE(parcels bigint, area_m2 double precision)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT count(*), coalesce(sum(v.area_m2), 0) FROM project_parcel k JOIN parcel_version v
          ON v.parcel_id = k.parcel_id AND v.version = k.version
       WHERE k.project_id = wanted
    $$;
ALTER FUNCTION public.project_ground(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.public_cells(low_x integer, low_y integer, high_x integer, high_y integer) RETURNS TABLE(x integer, y integer, parcels bigint, area_dm2 bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT c.x / 2, c.y / 2, sum(c.parcels)::bigint, sum(c.area_dm2)::bigint
        FROM parcel_cell c
       WHERE c.x BETWEEN 2 * low_x AND 2 * high_x + 1 AND c.y BETWEEN 2 * low_y AND 2 * high_y + 1
         AND c.status = 'approved' AND c.parcels > 0
       GROUP BY 1, 2 HAVING sum(c.parcels) >= 3
    $$;
ALTER FUNCTION public.public_cells(low_x integer, low_y integer, high_x integer, high_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.public_figures() RETURNS TABLE(parcels bigint, area_m2 double precision, orchards bigint, villages bigint, projects bigint, issued_kg bigint, retired_kg bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT count(*) FILTER (WHERE kind = 'carbon'),
             coalesce(sum(p.area_m2) FILTER (WHERE kind = 'carbon'), 0),
             count(*) FILTER (WHERE kind = 'orchard'), count(DISTINCT division_code),
             (SELECT count(*) FROM project),
             coalesce((SELECT -sum(balance) FROM account
                        WHERE asset = 'kg' AND kind = 'issued'), 0)::bigint,
             coalesce((SELECT sum(balance) FROM account
                        WHERE asset = 'kg' AND kind = 'retired'), 0)::bigint
        FROM parcel p WHERE status = 'approved'
    $$;
ALTER FUNCTION public.public_figures() OWNER TO tanhui_owner;
CREATE FUNCTION public.public_labels(of_number text, of_orchard uuid) RETURNS TABLE(number text, orchard_id uuid, year integer, crop text, place text, operator text, state text, grade text, x text, points integer, reasons text[], rule_key text, rule_version text, digest bytea, valid_from date, valid_to date, appeal boolean, replaced_by text, rule jsonb, inputs jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    $$;
ALTER FUNCTION public.public_labels(of_number text, of_orchard uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.public_orchard(wanted uuid) RETURNS TABLE(id uuid, adcode text, crop text, place text, operator text, planted_area_m2 numeric)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT o.id, o.adcode, o.crop, orchard_place(o.id, o.boundary_version),
             CASE WHEN y.kind NOT IN ('person', 'household') THEN y.name::text END,
             b.planted_area_m2
        FROM orchard o JOIN party y ON y.id = o.operator_id
        JOIN orchard_boundary b ON b.orchard_id = o.id AND b.version = o.boundary_version
       WHERE o.id = wanted
    $$;
ALTER FUNCTION public.public_orchard(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.public_orchard_years(wanted uuid) RETURNS TABLE(year integer, e_kg bigint, s_kg bigint, net_kg bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT DISTINCT ON (a.year) a.year, a.e_kg, a.s_kg, a.net_kg FROM orchard_balance a
        JOIN orchard_book k ON k.orchard_id = a.orchard_id AND k.year = a.year
       WHERE a.orchard_id = wanted AND a.kind = 'approved' AND k.status = 'approved'
       ORDER BY a.year DESC, a.number DESC
    $$;
ALTER FUNCTION public.public_orchard_years(wanted uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.public_tile(at_z integer, at_x integer, at_y integer) RETURNS bytea
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    $$;
ALTER FUNCTION public.public_tile(at_z integer, at_x integer, at_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.public_tile_version(at_z integer, at_x integer, at_y integer) RETURNS text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    END $$;
ALTER FUNCTION public.public_tile_version(at_z integer, at_x integer, at_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_lots(supplied boolean) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT l.id FROM lot l
       WHERE l.company_id = (SELECT acts_for()) OR l.project_id IN (
         SELECT j.id FROM project j WHERE rpad(j.adcode, 12, '0') LIKE (SELECT acts_under()))
      UNION SELECT x.lot_id FROM lot_parcel x JOIN parcel p ON p.id = x.parcel_id
       WHERE p.division_code LIKE (SELECT acts_under())
      UNION SELECT x.lot_id FROM lot_parcel x
       WHERE supplied AND (SELECT acts_for()) IN (x.supplier_id, x.household_id)
    $$;
ALTER FUNCTION public.reached_lots(supplied boolean) OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_orchards() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT o.id FROM orchard o JOIN orchard_plot k
          ON k.orchard_id = o.id AND k.version = o.boundary_version
        JOIN parcel p ON p.id = k.parcel_id
       WHERE p.division_code LIKE (SELECT acts_under())
    $$;
ALTER FUNCTION public.reached_orchards() OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_parcels() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT k.parcel_id FROM project_parcel k WHERE k.project_id IN (SELECT reached_projects())
      UNION SELECT x.parcel_id FROM lot_parcel x WHERE x.lot_id IN (SELECT reached_lots(false))
         OR (SELECT acts_for()) IN (x.supplier_id, x.household_id)
      UNION SELECT k.parcel_id FROM orchard o JOIN orchard_plot k ON k.orchard_id = o.id
       WHERE o.operator_id = (SELECT acts_for())
      UNION SELECT t.parcel_id FROM tree t WHERE t.id IN (SELECT bought_trees())
    $$;
ALTER FUNCTION public.reached_parcels() OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_parties() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT x.household_id FROM lot_parcel x WHERE x.lot_id IN (SELECT reached_lots(false))
         OR x.supplier_id = (SELECT acts_for())
      UNION SELECT s.buyer_id FROM subscription s WHERE s.lot_id IN (SELECT reached_lots(true))
      UNION SELECT j.proponent_id FROM project j WHERE j.id IN (SELECT reached_projects())
      UNION SELECT o.operator_id FROM orchard o WHERE rpad(o.adcode, 12, '0') LIKE (SELECT acts_under())
    $$;
ALTER FUNCTION public.reached_parties() OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_projects() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT j.id FROM project j
       WHERE rpad(j.adcode, 12, '0') LIKE (SELECT acts_under()) OR j.proponent_id = (SELECT acts_for())
      UNION SELECT l.project_id FROM lot l WHERE l.company_id = (SELECT acts_for())
      UNION SELECT d.project_id FROM period d
       WHERE (SELECT acts_with(ARRAY['verifier']))
         AND (d.status = 'submitted' OR d.verifier_id = (SELECT acts_for()))
      UNION SELECT j.id FROM project j
       WHERE (SELECT acts_with(ARRAY['verifier'])) AND j.status = 'approved'
    $$;
ALTER FUNCTION public.reached_projects() OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_runs() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT r.id FROM assessment_run r WHERE r.project_id IN (SELECT reached_projects())
    $$;
ALTER FUNCTION public.reached_runs() OWNER TO tanhui_owner;
CREATE FUNCTION public.reached_staff() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT a.id FROM actor a WHERE a.division_code LIKE (SELECT acts_under())
    $$;
ALTER FUNCTION public.reached_staff() OWNER TO tanhui_owner;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
        END $$;
ALTER FUNCTION public.refuse_change() OWNER TO tanhui_owner;
CREATE FUNCTION public.refuse_change_but_shared() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
    BEGIN
      IF NOT EXISTS (SELECT FROM parcel_lineage k JOIN parcel p ON p.id = k.parent_id
                      WHERE k.parent_id = OLD.parcel_id AND p.status = 'withdrawn') THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
      END IF;
      RETURN OLD;
    END $$;
ALTER FUNCTION public.refuse_change_but_shared() OWNER TO tanhui_owner;
CREATE FUNCTION public.refuse_leg(from_id uuid, to_id uuid, asked bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      s record;
      t record;
    BEGIN
      SELECT asset, balance INTO s FROM account WHERE id = from_id;
      SELECT asset INTO t FROM account WHERE id = to_id;
      IF s.asset IS NULL OR s.asset IS DISTINCT FROM t.asset THEN
        RAISE EXCEPTION 'a leg from % to % crosses assets', from_id, to_id
          USING ERRCODE = '23514', CONSTRAINT = 'legs_of_one_asset',
            DETAIL = json_build_object('source', from_id, 'target', to_id)::text;
      END IF;
      RAISE EXCEPTION 'account % has %, asked %', from_id, s.balance, asked
        USING ERRCODE = '23514', CONSTRAINT = 'ck_account_never_negative',
          DETAIL = json_build_object(
            'account', from_id, 'asked', asked, 'has', s.balance)::text;
    END $$;
ALTER FUNCTION public.refuse_leg(from_id uuid, to_id uuid, asked bigint) OWNER TO tanhui_owner;
CREATE FUNCTION public.search_divisions(words text, most integer) RETURNS TABLE(code text, name text, level text, place text, nearness integer)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
      WITH found AS (
        SELECT d.*, CASE WHEN lower(d.name) = lower(words) THEN 0
                         WHEN strpos(lower(d.name), lower(words)) = 1 THEN 1 ELSE 2 END AS nearness
          FROM division d
         WHERE grams(d.name) @> grams_asked(words) AND strpos(lower(d.name), lower(words)) > 0
        UNION ALL
        SELECT d.*, 0 FROM division d
         WHERE words ~ '^[0-9]{2,12}$' AND d.code BETWEEN rpad(words, 12, '0') AND rpad(words, 12, '9'))
      SELECT f.code, f.name::text, f.level,
             concat_ws(' ', u3.name, u2.name, u1.name), f.nearness
        FROM found f LEFT JOIN division u1 ON u1.code = f.parent_code
        LEFT JOIN division u2 ON u2.code = u1.parent_code
        LEFT JOIN division u3 ON u3.code = u2.parent_code
       ORDER BY f.nearness, length(f.name), f.code LIMIT most
    $_$;
ALTER FUNCTION public.search_divisions(words text, most integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.search_parcels(words text, most integer) RETURNS TABLE(id uuid, code text, kind text, status text, division text, owner text, nearness integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
    DECLARE
      s record;
      w text := lower(words);
      -- After every text that begins with w, in the order of bytes.
      past text := lower(words) || chr(1114111);
      liat text := reverse(lower(words));
    BEGIN
      SELECT * INTO s FROM parcel_scope();
      RETURN QUERY
        WITH found AS (
          (SELECT p.id, CASE WHEN lower(p.code) = w THEN 0 ELSE 1 END AS nearness FROM parcel p
            WHERE lower(p.code) ~>=~ w AND lower(p.code) ~<~ past AND p.status <> 'withdrawn'
              AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party
                   OR p.id IN (SELECT reached_parcels()))
            ORDER BY lower(p.code) USING ~<~ LIMIT most)
          UNION ALL
          (SELECT p.id, 2 FROM parcel p
            WHERE reverse(lower(p.code)) ~>=~ liat AND p.status <> 'withdrawn'
              AND reverse(lower(p.code)) ~<~ (liat || chr(1114111))
              AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party
                   OR p.id IN (SELECT reached_parcels()))
            ORDER BY reverse(lower(p.code)) USING ~<~ LIMIT most)
          UNION ALL
          (SELECT p.id, 3 FROM parcel p
            WHERE p.owner_id IN (SELECT y.id FROM party y
                    WHERE grams(y.name) @> grams_asked(w) AND strpos(lower(y.name), w) > 0)
              AND p.status <> 'withdrawn'
              AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party
                   OR p.id IN (SELECT reached_parcels()))
            LIMIT most)
          UNION ALL
          (SELECT p.id, 0 FROM parcel p
            WHERE p.id = CASE WHEN w ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN w::uuid END
              AND (s.everything OR p.division_code LIKE s.below || '%' OR p.owner_id = s.party
                   OR p.id IN (SELECT reached_parcels())))),
        best AS (SELECT f.id, min(f.nearness) AS nearness FROM found f GROUP BY f.id)
        SELECT p.id, p.code::text, p.kind, p.status, d.name::text, y.name::text, b.nearness
          FROM best b JOIN parcel p ON p.id = b.id
          LEFT JOIN division d ON d.code = p.division_code LEFT JOIN party y ON y.id = p.owner_id
         ORDER BY b.nearness, length(p.code), p.code, p.id LIMIT most;
    END $_$;
ALTER FUNCTION public.search_parcels(words text, most integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.sees_account(party uuid, reference text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
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
    $_$;
ALTER FUNCTION public.sees_account(party uuid, reference text) OWNER TO tanhui_owner;
CREATE FUNCTION public.sees_all() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$SELECT acts_with(ARRAY['system', 'auditor'])$$;
ALTER FUNCTION public.sees_all() OWNER TO tanhui_owner;
CREATE FUNCTION public.sees_bank_line(of_kind text, of_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT CASE of_kind
        WHEN 'subscription' THEN EXISTS (SELECT FROM subscription s
          WHERE s.id = of_id AND s.lot_id IN (SELECT reached_lots(false)))
        WHEN 'insurance' THEN of_id IN (SELECT reached_lots(false))
        WHEN 'refund' THEN EXISTS (SELECT FROM refund r JOIN subscription_line n ON n.id = r.line_id
          WHERE r.id = of_id AND n.lot_id IN (SELECT reached_lots(false)))
        ELSE EXISTS (SELECT FROM settlement s
          WHERE s.id = of_id AND s.lot_id IN (SELECT reached_lots(false)))
      END
    $$;
ALTER FUNCTION public.sees_bank_line(of_kind text, of_id uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.sees_delivery(source text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT CASE split_part(source, ':', 1)
        WHEN 'lot' THEN split_part(source, ':', 2)::uuid IN (SELECT reached_lots(false))
        ELSE EXISTS (SELECT FROM batch b WHERE b.id = split_part(source, ':', 2)::uuid
          AND b.project_id IN (SELECT reached_projects()))
      END
    $$;
ALTER FUNCTION public.sees_delivery(source text) OWNER TO tanhui_owner;
CREATE FUNCTION public.serial_batch(wanted text) RETURNS TABLE(size_kg bigint, vintage integer, project text, programme_id text, programme_version text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT b.size_kg, b.vintage, j.name::text, j.programme_id, j.programme_version
        FROM batch b JOIN project j ON j.id = b.project_id WHERE b.prefix = wanted
    $$;
ALTER FUNCTION public.serial_batch(wanted text) OWNER TO tanhui_owner;
CREATE FUNCTION public.serial_history(wanted text, span int8range) RETURNS TABLE(first bigint, last bigint, kg bigint, status text, act text, at timestamp with time zone, seal_pos bigint, open boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT lower(r.serials * span), upper(r.serials * span) - 1,
             upper(r.serials * span) - lower(r.serials * span), r.status, e.kind, e.effective_at,
             s.pos, r.closed_by IS NULL
        FROM unit_range r JOIN batch b ON b.id = r.batch_id JOIN event e ON e.id = r.opened_by
        LEFT JOIN event_seal s ON s.event_id = e.id
       WHERE b.prefix = wanted AND r.serials && span
       ORDER BY e.number, lower(r.serials)
    $$;
ALTER FUNCTION public.serial_history(wanted text, span int8range) OWNER TO tanhui_owner;
CREATE FUNCTION public.serial_parts(wanted text, span int8range, account uuid) RETURNS TABLE(first bigint, last bigint, status text, here boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT lower(r.serials * span), upper(r.serials * span) - 1, r.status,
             r.account_id IS NOT DISTINCT FROM account
        FROM unit_range r JOIN batch b ON b.id = r.batch_id
       WHERE b.prefix = wanted AND r.closed_by IS NULL AND r.serials && span
    $$;
ALTER FUNCTION public.serial_parts(wanted text, span int8range, account uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.share_lot_ground(parent uuid, lot uuid, children uuid[], claims uuid[], supply jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    END $$;
ALTER FUNCTION public.share_lot_ground(parent uuid, lot uuid, children uuid[], claims uuid[], supply jsonb) OWNER TO tanhui_owner;
CREATE FUNCTION public.slot_drain(owner text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      had bigint;
    BEGIN
      PERFORM 1 FROM slot WHERE owner_ref = owner ORDER BY n FOR UPDATE;
      SELECT coalesce(sum(quantity), 0) INTO had FROM slot WHERE owner_ref = owner;
      UPDATE slot SET quantity = 0 WHERE owner_ref = owner AND quantity > 0;
      RETURN had;
    END $$;
ALTER FUNCTION public.slot_drain(owner text) OWNER TO tanhui_owner;
CREATE FUNCTION public.slot_fill(owner text, quantity bigint, parts integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    #variable_conflict use_column
    BEGIN
      IF slot_fill.quantity <= 0 OR parts < 1 THEN
        RAISE EXCEPTION 'nothing to fill' USING ERRCODE = '22023';
      END IF;
      INSERT INTO slot AS s (owner_ref, n, quantity)
        SELECT owner, n, slot_fill.quantity / parts
                         + (n <= slot_fill.quantity % parts)::int
          FROM generate_series(1, parts) n ORDER BY n
        ON CONFLICT (owner_ref, n) DO UPDATE SET quantity = s.quantity + excluded.quantity;
    END $$;
ALTER FUNCTION public.slot_fill(owner text, quantity bigint, parts integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.slot_give_back(owner text, given bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      chosen int;
    BEGIN
      IF given <= 0 THEN
        RAISE EXCEPTION 'nothing to give back' USING ERRCODE = '22023';
      END IF;
      SELECT n INTO chosen FROM slot WHERE owner_ref = owner
        ORDER BY n LIMIT 1 FOR UPDATE SKIP LOCKED;
      IF NOT FOUND THEN
        SELECT min(n) INTO chosen FROM slot WHERE owner_ref = owner;
      END IF;
      UPDATE slot SET quantity = quantity + given WHERE owner_ref = owner AND n = chosen;
      IF NOT FOUND THEN
        RAISE EXCEPTION '% was never filled', owner
          USING ERRCODE = '23503', CONSTRAINT = 'slot_unknown';
      END IF;
    END $$;
ALTER FUNCTION public.slot_give_back(owner text, given bigint) OWNER TO tanhui_owner;
CREATE FUNCTION public.slot_take(owner text, asked bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DECLARE
      chosen int;
      has bigint;
    BEGIN
      IF asked <= 0 THEN
        RAISE EXCEPTION 'nothing to take' USING ERRCODE = '22023';
      END IF;
      SELECT n INTO chosen FROM slot WHERE owner_ref = owner AND quantity >= asked
        ORDER BY n LIMIT 1 FOR UPDATE SKIP LOCKED;
      IF FOUND THEN
        UPDATE slot SET quantity = quantity - asked WHERE owner_ref = owner AND n = chosen;
        RETURN;
      END IF;
      PERFORM 1 FROM slot WHERE owner_ref = owner ORDER BY n FOR UPDATE;
      SELECT coalesce(sum(quantity), 0) INTO has FROM slot WHERE owner_ref = owner;
      IF has < asked THEN
        RAISE EXCEPTION '% has %, asked %', owner, has, asked
          USING ERRCODE = '23514', CONSTRAINT = 'slot_sold_out',
            DETAIL = json_build_object('owner', owner, 'asked', asked, 'has', has)::text;
      END IF;
      UPDATE slot s SET quantity = s.quantity - least(s.quantity, greatest(asked - b.before, 0))
        FROM (SELECT n, sum(quantity) OVER (ORDER BY n) - quantity AS before
                FROM slot WHERE owner_ref = owner) b
       WHERE s.owner_ref = owner AND s.n = b.n AND b.before < asked;
    END $$;
ALTER FUNCTION public.slot_take(owner text, asked bigint) OWNER TO tanhui_owner;
CREATE FUNCTION public.staged_overlaps(batch uuid) RETURNS TABLE(row_number integer, other uuid, other_code text, m2 double precision, same_shape boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
END $$;
ALTER FUNCTION public.staged_overlaps(batch uuid) OWNER TO tanhui_owner;
CREATE FUNCTION public.tell_job() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM pg_notify('tanhui_job', NEW.id::text);
  RETURN NULL;
END $$;
ALTER FUNCTION public.tell_job() OWNER TO tanhui_owner;
CREATE FUNCTION public.tile_box(at_z integer, at_x integer, at_y integer) RETURNS public.geometry
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
      SELECT ST_MakeEnvelope(
        at_x * 360.0 / 2 ^ at_z - 180,
        degrees(atan(sinh(pi() * (1 - 2 * (at_y + 1) / 2.0 ^ at_z)))),
        (at_x + 1) * 360.0 / 2 ^ at_z - 180,
        degrees(atan(sinh(pi() * (1 - 2 * at_y / 2.0 ^ at_z)))), 4490)
    $$;
ALTER FUNCTION public.tile_box(at_z integer, at_x integer, at_y integer) OWNER TO tanhui_owner;
CREATE FUNCTION public.verifier_relation(verifier uuid, project uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
      SELECT CASE
        WHEN NOT EXISTS (SELECT FROM party y WHERE y.id = verifier AND y.kind = 'verifier')
          THEN 'no_verifier'
        WHEN EXISTS (SELECT FROM project j WHERE j.id = project AND j.proponent_id = verifier)
          THEN 'proponent'
        WHEN EXISTS (SELECT FROM claim c JOIN parcel p ON p.id = c.parcel_id
          WHERE c.project_id = project AND p.owner_id = verifier) THEN 'owner'
        WHEN EXISTS (SELECT FROM account a WHERE a.party_id = verifier AND a.asset = 'kg')
          THEN 'holder' END
    $$;
ALTER FUNCTION public.verifier_relation(verifier uuid, project uuid) OWNER TO tanhui_owner;
CREATE TABLE public.account (
    id uuid NOT NULL,
    asset text NOT NULL,
    kind text NOT NULL,
    party_id uuid,
    reference character varying,
    overdraft boolean NOT NULL,
    balance bigint DEFAULT '0'::bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_account_asset_known CHECK ((asset = ANY (ARRAY['kg'::text, 'forecast_kg'::text, 'fen'::text, 'tree'::text]))),
    CONSTRAINT ck_account_never_negative CHECK (((balance >= 0) OR overdraft)),
    CONSTRAINT ck_account_only_sources_owe CHECK ((overdraft = (kind = ANY (ARRAY['issued'::text, 'grown'::text, 'planted'::text, 'world'::text])))),
    CONSTRAINT ck_account_only_units_retire CHECK (((kind <> ALL (ARRAY['issued'::text, 'buffer'::text, 'retired'::text, 'cancelled'::text])) OR (asset = 'kg'::text)))
)
WITH (fillfactor='70');
ALTER TABLE public.account OWNER TO tanhui_owner;
CREATE TABLE public.actor (
    id uuid NOT NULL,
    name character varying NOT NULL,
    roles text[] NOT NULL,
    division_code text,
    party_id uuid,
    active boolean DEFAULT true NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.actor OWNER TO tanhui_owner;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE public.alembic_version OWNER TO tanhui_owner;
CREATE TABLE public.api_token (
    id uuid NOT NULL,
    login_id uuid NOT NULL,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);
ALTER TABLE public.api_token OWNER TO tanhui_owner;
CREATE TABLE public.assessment_series (
    run_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    first_year integer NOT NULL,
    stock_kg bigint[] NOT NULL,
    net_kg bigint[] NOT NULL,
    flags jsonb NOT NULL,
    pool_kg bigint[],
    given jsonb,
    CONSTRAINT ck_assessment_series_arrays_match CHECK ((cardinality(stock_kg) = cardinality(net_kg))),
    CONSTRAINT ck_assessment_series_pools_match CHECK (((pool_kg IS NULL) OR (array_length(pool_kg, 2) = (cardinality(net_kg) + 1))))
);
ALTER TABLE public.assessment_series OWNER TO tanhui_owner;
CREATE VIEW public.assessment WITH (security_invoker='true') AS
 SELECT s.run_id,
    s.parcel_id,
    s.version,
    ((s.first_year + i.i) - 1) AS year,
    s.stock_kg[i.i] AS stock_kg,
    s.net_kg[i.i] AS net_kg,
    s.flags
   FROM (public.assessment_series s
     CROSS JOIN LATERAL generate_series(1, cardinality(s.net_kg)) i(i));
ALTER TABLE public.assessment OWNER TO tanhui_owner;
CREATE TABLE public.assessment_run (
    id uuid NOT NULL,
    kind text NOT NULL,
    project_id uuid,
    years int4range NOT NULL,
    layer_set bytea NOT NULL,
    layers jsonb NOT NULL,
    table_digest bytea NOT NULL,
    engine_version integer NOT NULL,
    input_digest bytea NOT NULL,
    code_revision character varying NOT NULL,
    parcels integer NOT NULL,
    net_kg bigint NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    strata_digest bytea,
    pools jsonb,
    CONSTRAINT ck_assessment_run_kind_known CHECK ((kind = ANY (ARRAY['forecast'::text, 'monitored'::text]))),
    CONSTRAINT ck_assessment_run_pools_of_strata CHECK (((pools IS NULL) = (strata_digest IS NULL)))
);
ALTER TABLE public.assessment_run OWNER TO tanhui_owner;
CREATE VIEW public.assessment_pool WITH (security_invoker='true') AS
 SELECT s.run_id,
    s.parcel_id,
    ((r.pools -> (k.k - 1)) ->> 'pool'::text) AS pool,
    ((s.first_year + i.i) - 1) AS year,
    s.pool_kg[k.k][(i.i + 1)] AS stock_kg,
    (s.pool_kg[k.k][(i.i + 1)] - s.pool_kg[k.k][i.i]) AS net_kg
   FROM (((public.assessment_series s
     JOIN public.assessment_run r ON ((r.id = s.run_id)))
     CROSS JOIN LATERAL generate_series(1, array_length(s.pool_kg, 1)) k(k))
     CROSS JOIN LATERAL generate_series(1, cardinality(s.net_kg)) i(i));
ALTER TABLE public.assessment_pool OWNER TO tanhui_owner;
CREATE TABLE public.assessment_share (
    run_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    parent_id uuid NOT NULL,
    first_year integer NOT NULL,
    stock_kg bigint[] NOT NULL,
    net_kg bigint[] NOT NULL,
    recorded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ck_assessment_share_arrays_match CHECK ((cardinality(stock_kg) = cardinality(net_kg)))
);
ALTER TABLE public.assessment_share OWNER TO tanhui_owner;
CREATE TABLE public.bank_line (
    id uuid NOT NULL,
    bank_reference text NOT NULL,
    direction text NOT NULL,
    amount_fen bigint NOT NULL,
    counterparty character varying NOT NULL,
    booked_on date NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    event_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_bank_line_amount_positive CHECK ((amount_fen > 0)),
    CONSTRAINT ck_bank_line_direction_known CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text])))
);
ALTER TABLE public.bank_line OWNER TO tanhui_owner;
CREATE TABLE public.batch (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    period_id uuid NOT NULL,
    number integer NOT NULL,
    vintage integer NOT NULL,
    prefix character varying NOT NULL,
    size_kg bigint NOT NULL,
    buffer_kg bigint NOT NULL,
    event_id uuid NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_batch_buffer_within CHECK (((buffer_kg >= 0) AND (buffer_kg <= size_kg))),
    CONSTRAINT ck_batch_size_positive CHECK ((size_kg > 0))
);
ALTER TABLE public.batch OWNER TO tanhui_owner;
CREATE TABLE public.capacity (
    claim_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    vintage integer NOT NULL,
    version integer NOT NULL,
    run_id uuid NOT NULL,
    cap_kg bigint NOT NULL,
    committed_kg bigint DEFAULT '0'::bigint NOT NULL,
    short_kg bigint DEFAULT '0'::bigint NOT NULL,
    CONSTRAINT ck_capacity_not_negative CHECK (((cap_kg >= 0) AND (committed_kg >= 0) AND (short_kg >= 0))),
    CONSTRAINT ck_capacity_short_is_true CHECK ((short_kg = GREATEST((committed_kg - cap_kg), (0)::bigint)))
);
ALTER TABLE public.capacity OWNER TO tanhui_owner;
CREATE TABLE public.certificate (
    id uuid NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    body text NOT NULL,
    sha256 bytea NOT NULL,
    signature bytea NOT NULL,
    public_key bytea NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_certificate_digest_is_true CHECK ((sha256 = sha256(convert_to(body, 'UTF8'::name))))
);
ALTER TABLE public.certificate OWNER TO tanhui_owner;
CREATE SEQUENCE public.certificate_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.certificate_number OWNER TO tanhui_owner;
CREATE TABLE public.certificate_revocation (
    certificate_id uuid NOT NULL,
    reason character varying NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.certificate_revocation OWNER TO tanhui_owner;
CREATE TABLE public.claim (
    id uuid NOT NULL,
    scheme text NOT NULL,
    status text NOT NULL,
    project_id uuid,
    parcel_id uuid,
    version integer,
    external_reference character varying,
    layer_sha256 bytea,
    layer_row integer,
    years int4range NOT NULL,
    geometry public.geometry(MultiPolygon,4490) NOT NULL,
    area_m2 double precision NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_claim_scheme_known CHECK ((scheme = ANY (ARRAY['ccer'::text, 'vcs'::text, 'inclusion'::text, 'ticket'::text, 'single_tree'::text, 'reward'::text, 'other'::text]))),
    CONSTRAINT ck_claim_status_known CHECK ((status = ANY (ARRAY['active'::text, 'released'::text]))),
    CONSTRAINT ck_claim_years_not_empty CHECK ((NOT isempty(years)))
);
ALTER TABLE public.claim OWNER TO tanhui_owner;
CREATE TABLE public.cohort_table (
    digest bytea NOT NULL,
    key bytea NOT NULL,
    scheme jsonb NOT NULL,
    years int4range NOT NULL,
    rows jsonb NOT NULL,
    cells bytea NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.cohort_table OWNER TO tanhui_owner;
CREATE TABLE public.delivery (
    id uuid NOT NULL,
    source text NOT NULL,
    vintage integer NOT NULL,
    available bigint NOT NULL,
    sold bigint NOT NULL,
    delivered bigint NOT NULL,
    shortfall bigint NOT NULL,
    unsold bigint NOT NULL,
    plan jsonb NOT NULL,
    event_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_delivery_no_promise_lost CHECK (((delivered + shortfall) = sold)),
    CONSTRAINT ck_delivery_no_unit_lost CHECK (((delivered + unsold) = available)),
    CONSTRAINT ck_delivery_not_negative CHECK (((delivered >= 0) AND (unsold >= 0) AND (shortfall >= 0)))
);
ALTER TABLE public.delivery OWNER TO tanhui_owner;
CREATE TABLE public.distribution (
    id uuid NOT NULL,
    collective_id uuid NOT NULL,
    year integer NOT NULL,
    net_income_fen bigint NOT NULL,
    reserve_ratio text NOT NULL,
    reserve_fen bigint NOT NULL,
    distributed_fen bigint NOT NULL,
    total_shares bigint NOT NULL,
    document_sha256 bytea NOT NULL,
    event_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_distribution_not_negative CHECK ((distributed_fen >= 0)),
    CONSTRAINT ck_distribution_reserve_at_least_30 CHECK (((10 * reserve_fen) >= (3 * net_income_fen))),
    CONSTRAINT ck_distribution_sums CHECK (((reserve_fen + distributed_fen) = net_income_fen))
);
ALTER TABLE public.distribution OWNER TO tanhui_owner;
CREATE TABLE public.distribution_payout (
    distribution_id uuid NOT NULL,
    household_code text NOT NULL,
    holder_name character varying NOT NULL,
    shares bigint NOT NULL,
    amount_fen bigint NOT NULL,
    CONSTRAINT ck_distribution_payout_positive CHECK (((shares > 0) AND (amount_fen >= 0)))
);
ALTER TABLE public.distribution_payout OWNER TO tanhui_owner;
CREATE TABLE public.disturbance (
    id uuid NOT NULL,
    layer_id uuid NOT NULL,
    year integer NOT NULL,
    status text DEFAULT 'candidate'::text NOT NULL,
    geometry public.geometry(MultiPolygon,4490) NOT NULL,
    area_m2 double precision NOT NULL,
    patch_m2 double precision NOT NULL,
    unit_m2 double precision NOT NULL,
    ground_digest bytea NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_disturbance_areas CHECK (((area_m2 > (0)::double precision) AND (patch_m2 >= unit_m2) AND (unit_m2 >= (0)::double precision))),
    CONSTRAINT ck_disturbance_status_known CHECK ((status = ANY (ARRAY['candidate'::text, 'confirmed'::text, 'dismissed'::text])))
);
ALTER TABLE public.disturbance OWNER TO tanhui_owner;
CREATE TABLE public.disturbance_decision (
    id uuid NOT NULL,
    disturbance_id uuid NOT NULL,
    decision text NOT NULL,
    kind character varying,
    share_ppm integer,
    year integer,
    occurred_on date,
    reason character varying NOT NULL,
    job_ids uuid[] NOT NULL,
    actor_id uuid NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_disturbance_decision_confirmed_says_what CHECK (((decision = 'confirm'::text) = ((kind IS NOT NULL) AND (share_ppm IS NOT NULL) AND (year IS NOT NULL)))),
    CONSTRAINT ck_disturbance_decision_decision_known CHECK ((decision = ANY (ARRAY['confirm'::text, 'dismiss'::text]))),
    CONSTRAINT ck_disturbance_decision_kind_known CHECK (((kind)::text = ANY ((ARRAY['harvest'::character varying, 'clearing'::character varying, 'fire'::character varying, 'snow'::character varying, 'pest'::character varying, 'wind'::character varying, 'landslide'::character varying])::text[]))),
    CONSTRAINT ck_disturbance_decision_says_why CHECK ((length((reason)::text) > 0)),
    CONSTRAINT ck_disturbance_decision_share_is_one CHECK (((share_ppm >= 1) AND (share_ppm <= 1000000)))
);
ALTER TABLE public.disturbance_decision OWNER TO tanhui_owner;
CREATE TABLE public.disturbance_parcel (
    disturbance_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    area_m2 double precision NOT NULL,
    CONSTRAINT ck_disturbance_parcel_area_positive CHECK ((area_m2 > (0)::double precision))
);
ALTER TABLE public.disturbance_parcel OWNER TO tanhui_owner;
CREATE TABLE public.division (
    code text NOT NULL,
    name character varying NOT NULL,
    parent_code text,
    level character varying NOT NULL,
    valid_from_year integer NOT NULL,
    valid_to_year integer,
    source character varying NOT NULL,
    boundary public.geometry(MultiPolygon,4490),
    CONSTRAINT ck_division_code_has_12_digits CHECK ((code ~ '^[0-9]{12}$'::text)),
    CONSTRAINT ck_division_years CHECK (((valid_to_year IS NULL) OR (valid_to_year >= valid_from_year)))
);
ALTER TABLE public.division OWNER TO tanhui_owner;
CREATE TABLE public.eligibility (
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    programme_id text NOT NULL,
    programme_version text NOT NULL,
    answer text NOT NULL,
    input_digest bytea NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    CONSTRAINT ck_eligibility_answer_known CHECK ((answer = ANY (ARRAY['eligible'::text, 'not_eligible'::text, 'needs_documents'::text])))
);
ALTER TABLE public.eligibility OWNER TO tanhui_owner;
CREATE TABLE public.entry (
    id bigint NOT NULL,
    event_id uuid NOT NULL,
    source_id uuid NOT NULL,
    target_id uuid NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT ck_entry_amount_positive CHECK ((amount > 0)),
    CONSTRAINT ck_entry_two_accounts CHECK ((source_id <> target_id))
);
ALTER TABLE public.entry OWNER TO tanhui_owner;
ALTER TABLE public.entry ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.event (
    id uuid NOT NULL,
    number bigint NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    kind text NOT NULL,
    actor_id uuid NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    envelope text NOT NULL,
    digest bytea NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_event_digest_is_true CHECK ((digest = sha256(convert_to(envelope, 'UTF8'::name))))
);
ALTER TABLE public.event OWNER TO tanhui_owner;
ALTER TABLE public.event ALTER COLUMN number ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.event_number_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.event_seal (
    pos bigint NOT NULL,
    event_id uuid NOT NULL,
    prev bytea NOT NULL,
    hash bytea NOT NULL,
    format smallint NOT NULL,
    sealed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_event_seal_pos_positive CHECK ((pos > 0))
);
ALTER TABLE public.event_seal OWNER TO tanhui_owner;
CREATE TABLE public.exclusion (
    id uuid NOT NULL,
    kind text NOT NULL,
    name character varying NOT NULL,
    layer_sha256 bytea NOT NULL,
    years int4range,
    geometry public.geometry(MultiPolygon,4490) NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_exclusion_kind_known CHECK ((kind = ANY (ARRAY['basic_farmland'::text, 'red_line'::text, 'wetland'::text])))
);
ALTER TABLE public.exclusion OWNER TO tanhui_owner;
CREATE TABLE public.field_plot (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    origin text NOT NULL,
    survey_year integer NOT NULL,
    number text NOT NULL,
    version integer NOT NULL,
    withdrawn boolean NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    shape text NOT NULL,
    size_m double precision NOT NULL,
    slope double precision NOT NULL,
    measured_on date NOT NULL,
    measured_by character varying NOT NULL,
    stratum character varying NOT NULL,
    trees jsonb NOT NULL,
    culms jsonb NOT NULL,
    reason character varying NOT NULL,
    source_sha256 bytea,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_field_plot_origin_known CHECK ((origin = ANY (ARRAY['project'::text, 'verifier'::text]))),
    CONSTRAINT ck_field_plot_shape_known CHECK ((shape = ANY (ARRAY['circle'::text, 'square'::text]))),
    CONSTRAINT ck_field_plot_size_positive CHECK (((size_m > (0)::double precision) AND (slope >= (0)::double precision))),
    CONSTRAINT ck_field_plot_version_positive CHECK ((version > 0))
);
ALTER TABLE public.field_plot OWNER TO tanhui_owner;
CREATE TABLE public.finding (
    id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    programme_id text NOT NULL,
    programme_version text NOT NULL,
    rule text NOT NULL,
    answer text NOT NULL,
    code text NOT NULL,
    params jsonb NOT NULL,
    evidence_area_m2 double precision,
    evidence public.geometry(Geometry,4490),
    input_digest bytea NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_finding_answer_known CHECK ((answer = ANY (ARRAY['eligible'::text, 'not_eligible'::text, 'needs_documents'::text])))
);
ALTER TABLE public.finding OWNER TO tanhui_owner;
CREATE TABLE public.histogram (
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    layer_set bytea NOT NULL,
    cohort integer[] NOT NULL,
    area_dm2 bigint[] NOT NULL,
    nodata_dm2 bigint NOT NULL,
    outside_dm2 bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_histogram_arrays_match CHECK ((cardinality(cohort) = cardinality(area_dm2)))
);
ALTER TABLE public.histogram OWNER TO tanhui_owner;
CREATE TABLE public.idempotency (
    actor_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    body text,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.idempotency OWNER TO tanhui_owner;
CREATE TABLE public.import_batch (
    id uuid NOT NULL,
    actor_id uuid NOT NULL,
    file_name character varying NOT NULL,
    file_sha256 bytea NOT NULL,
    file_format character varying NOT NULL,
    source_crs character varying NOT NULL,
    encoding character varying,
    division_code text,
    programme_id character varying,
    read_rows integer NOT NULL,
    accepted integer NOT NULL,
    refused integer NOT NULL,
    questioned integer NOT NULL,
    findings jsonb NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    state text DEFAULT 'accepted'::text NOT NULL,
    CONSTRAINT ck_import_batch_every_row_counted CHECK ((read_rows = ((accepted + refused) + questioned))),
    CONSTRAINT ck_import_batch_state_known CHECK ((state = ANY (ARRAY['reading'::text, 'previewed'::text, 'accepted'::text, 'taken_back'::text])))
);
ALTER TABLE public.import_batch OWNER TO tanhui_owner;
CREATE TABLE public.import_row (
    batch_id uuid NOT NULL,
    "row" integer NOT NULL,
    status text NOT NULL,
    geometry public.geometry(Geometry,4490),
    area_m2 double precision,
    shape_digest bytea,
    attributes jsonb NOT NULL,
    findings jsonb NOT NULL,
    parcel_id uuid,
    kind text,
    plot_code text,
    division_code text,
    owner_ref text,
    attribute_digest bytea,
    CONSTRAINT ck_import_row_accepted_has_parcel CHECK (((status = 'accepted'::text) = (parcel_id IS NOT NULL))),
    CONSTRAINT ck_import_row_status_known CHECK ((status = ANY (ARRAY['ready'::text, 'accepted'::text, 'questioned'::text, 'refused'::text])))
);
ALTER TABLE public.import_row OWNER TO tanhui_owner;
CREATE TABLE public.job (
    id uuid NOT NULL,
    task text NOT NULL,
    arguments jsonb NOT NULL,
    state text NOT NULL,
    phase character varying DEFAULT ''::character varying NOT NULL,
    done bigint DEFAULT '0'::bigint NOT NULL,
    total bigint DEFAULT '0'::bigint NOT NULL,
    cancel_requested boolean DEFAULT false NOT NULL,
    result jsonb,
    error jsonb,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_job_state_known CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
);
ALTER TABLE public.job OWNER TO tanhui_owner;
CREATE TABLE public.label_run (
    id uuid NOT NULL,
    adcode text NOT NULL,
    year integer NOT NULL,
    reason character varying NOT NULL,
    programme_id text NOT NULL,
    programme_version text NOT NULL,
    programme_sha256 bytea NOT NULL,
    rule jsonb NOT NULL,
    groups jsonb NOT NULL,
    input_digest bytea NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.label_run OWNER TO tanhui_owner;
CREATE TABLE public.layer (
    id uuid NOT NULL,
    kind text NOT NULL,
    name character varying NOT NULL,
    path character varying NOT NULL,
    sha256 bytea NOT NULL,
    year integer NOT NULL,
    crs character varying NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    cell_m double precision NOT NULL,
    nodata double precision NOT NULL,
    dtype character varying NOT NULL,
    band integer NOT NULL,
    grid jsonb NOT NULL,
    source character varying NOT NULL,
    licence character varying NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    observed_on date,
    scale double precision DEFAULT '1'::double precision NOT NULL
);
ALTER TABLE public.layer OWNER TO tanhui_owner;
CREATE TABLE public.login (
    id uuid NOT NULL,
    username text NOT NULL,
    password text NOT NULL,
    fs_uniquifier text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    actor_id uuid NOT NULL,
    tf_totp_secret text,
    created_at timestamp with time zone NOT NULL,
    password_once boolean DEFAULT false NOT NULL,
    totp_last bigint,
    asked_by uuid,
    confirmed_by uuid,
    CONSTRAINT ck_login_confirmed_by_another CHECK ((confirmed_by <> asked_by)),
    CONSTRAINT ck_login_lower_case CHECK (((username = lower(username)) AND (length(username) > 0)))
);
ALTER TABLE public.login OWNER TO tanhui_owner;
CREATE TABLE public.login_attempt (
    id bigint NOT NULL,
    username text NOT NULL,
    succeeded boolean NOT NULL,
    address text,
    at timestamp with time zone NOT NULL
);
ALTER TABLE public.login_attempt OWNER TO tanhui_owner;
ALTER TABLE public.login_attempt ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.login_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.login_session (
    id uuid NOT NULL,
    login_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    address text,
    agent text NOT NULL,
    second_factor boolean NOT NULL,
    ended_at timestamp with time zone
);
ALTER TABLE public.login_session OWNER TO tanhui_owner;
CREATE TABLE public.lot (
    id uuid NOT NULL,
    number text NOT NULL,
    title character varying NOT NULL,
    unit text NOT NULL,
    programme_id text NOT NULL,
    programme_version text NOT NULL,
    project_id uuid,
    run_id uuid,
    company_id uuid NOT NULL,
    carbon_right_holder text NOT NULL,
    return_trigger text NOT NULL,
    term_years integer NOT NULL,
    sale jsonb NOT NULL,
    waterfall jsonb NOT NULL,
    advance_fen bigint NOT NULL,
    sale_state text NOT NULL,
    physical_state text NOT NULL,
    noticed_on date,
    closes_on date,
    created_by uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_lot_advance_not_negative CHECK ((advance_fen >= 0)),
    CONSTRAINT ck_lot_carbon_has_project CHECK (((unit = 'tree'::text) OR (project_id IS NOT NULL))),
    CONSTRAINT ck_lot_physical_state_known CHECK ((physical_state = ANY (ARRAY['GROWING'::text, 'DAMAGED'::text, 'SHORT'::text, 'WRITTEN_OFF'::text]))),
    CONSTRAINT ck_lot_right_holder_known CHECK ((carbon_right_holder = ANY (ARRAY['buyer'::text, 'seller'::text]))),
    CONSTRAINT ck_lot_sale_state_known CHECK ((sale_state = ANY (ARRAY['DRAFT'::text, 'REVIEW'::text, 'ELIGIBLE'::text, 'NOTICED'::text, 'RESOLVED'::text, 'PRE_STORED'::text, 'LISTED'::text, 'SOLD_OUT'::text, 'CLOSED_TO_SALE'::text, 'REJECTED'::text, 'WITHDRAWN'::text]))),
    CONSTRAINT ck_lot_unit_known CHECK ((unit = ANY (ARRAY['kg'::text, 'tree'::text])))
);
ALTER TABLE public.lot OWNER TO tanhui_owner;
CREATE TABLE public.lot_objection (
    id uuid NOT NULL,
    lot_id uuid NOT NULL,
    by_name character varying NOT NULL,
    words character varying NOT NULL,
    state text NOT NULL,
    answer character varying DEFAULT ''::character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_lot_objection_closed_says_why CHECK (((state = 'open'::text) OR (length((answer)::text) > 0))),
    CONSTRAINT ck_lot_objection_state_known CHECK ((state = ANY (ARRAY['open'::text, 'answered'::text, 'upheld'::text])))
);
ALTER TABLE public.lot_objection OWNER TO tanhui_owner;
CREATE TABLE public.lot_offer (
    lot_id uuid NOT NULL,
    vintage integer NOT NULL,
    quantity bigint NOT NULL,
    price_fen bigint NOT NULL,
    pre_stored_at timestamp with time zone,
    delivered_at timestamp with time zone,
    CONSTRAINT ck_lot_offer_positive CHECK (((quantity > 0) AND (price_fen > 0))),
    CONSTRAINT ck_lot_offer_stored_before_delivered CHECK (((delivered_at IS NULL) OR (pre_stored_at IS NOT NULL)))
);
ALTER TABLE public.lot_offer OWNER TO tanhui_owner;
CREATE TABLE public.lot_parcel (
    lot_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    claim_id uuid,
    supplier_id uuid NOT NULL,
    household_id uuid,
    tenure text NOT NULL,
    CONSTRAINT ck_lot_parcel_household_named CHECK (((tenure = 'household'::text) = (household_id IS NOT NULL))),
    CONSTRAINT ck_lot_parcel_tenure_known CHECK ((tenure = ANY (ARRAY['collective'::text, 'household'::text, 'cooperative'::text, 'state'::text])))
);
ALTER TABLE public.lot_parcel OWNER TO tanhui_owner;
CREATE TABLE public.lot_step (
    id uuid NOT NULL,
    lot_id uuid NOT NULL,
    machine text NOT NULL,
    event text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    inputs jsonb NOT NULL,
    actor_id uuid NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.lot_step OWNER TO tanhui_owner;
CREATE TABLE public.lot_supply (
    lot_id uuid NOT NULL,
    vintage integer NOT NULL,
    parcel_id uuid NOT NULL,
    units bigint NOT NULL,
    CONSTRAINT ck_lot_supply_positive CHECK ((units > 0))
);
ALTER TABLE public.lot_supply OWNER TO tanhui_owner;
CREATE TABLE public.orchard (
    id uuid NOT NULL,
    adcode text NOT NULL,
    operator_id uuid NOT NULL,
    name character varying NOT NULL,
    crop text NOT NULL,
    boundary_version integer NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_adcode_has_6_digits CHECK ((adcode ~ '^[0-9]{6}$'::text)),
    CONSTRAINT ck_orchard_has_boundary CHECK ((boundary_version >= 1))
);
ALTER TABLE public.orchard OWNER TO tanhui_owner;
CREATE TABLE public.orchard_balance (
    id uuid NOT NULL,
    orchard_id uuid NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    boundary_version integer NOT NULL,
    e_kg bigint NOT NULL,
    s_kg bigint NOT NULL,
    s_biomass_kg bigint NOT NULL,
    s_soil_kg bigint NOT NULL,
    soil_shown_kg bigint NOT NULL,
    net_kg bigint NOT NULL,
    evidence_share character varying,
    organic_share character varying,
    coverage character varying NOT NULL,
    yield_kg numeric NOT NULL,
    premium_kg numeric NOT NULL,
    practices text[] NOT NULL,
    terms jsonb NOT NULL,
    factors jsonb NOT NULL,
    stocks jsonb NOT NULL,
    setting jsonb NOT NULL,
    input_digest bytea NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_balance_emission_not_negative CHECK ((e_kg >= 0)),
    CONSTRAINT ck_orchard_balance_fixation_adds_up CHECK ((s_kg = (s_biomass_kg + s_soil_kg))),
    CONSTRAINT ck_orchard_balance_kind_known CHECK ((kind = ANY (ARRAY['draft'::text, 'approved'::text]))),
    CONSTRAINT ck_orchard_balance_net_adds_up CHECK ((net_kg = (s_kg - e_kg)))
);
ALTER TABLE public.orchard_balance OWNER TO tanhui_owner;
CREATE TABLE public.orchard_benchmark (
    id uuid NOT NULL,
    adcode text NOT NULL,
    year integer NOT NULL,
    crop text NOT NULL,
    stage text NOT NULL,
    basis text NOT NULL,
    value numeric NOT NULL,
    source character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_benchmark_basis_known CHECK ((basis = ANY (ARRAY['fruit'::text, 'area'::text]))),
    CONSTRAINT ck_orchard_benchmark_value_positive CHECK ((value > (0)::numeric))
);
ALTER TABLE public.orchard_benchmark OWNER TO tanhui_owner;
CREATE TABLE public.orchard_book (
    orchard_id uuid NOT NULL,
    year integer NOT NULL,
    status text DEFAULT 'draft'::text NOT NULL,
    submitted_by uuid,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_book_known CHECK ((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'returned'::text, 'approved'::text])))
);
ALTER TABLE public.orchard_book OWNER TO tanhui_owner;
CREATE TABLE public.orchard_book_decision (
    id uuid NOT NULL,
    orchard_id uuid NOT NULL,
    year integer NOT NULL,
    decision text NOT NULL,
    reason character varying NOT NULL,
    submitted_by uuid NOT NULL,
    balance_id uuid,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_book_decision_approved_by_another CHECK (((decision <> 'approve'::text) OR (submitted_by <> actor_id))),
    CONSTRAINT ck_orchard_book_decision_balance_kept CHECK (((decision = 'approve'::text) = (balance_id IS NOT NULL))),
    CONSTRAINT ck_orchard_book_decision_known CHECK ((decision = ANY (ARRAY['submit'::text, 'approve'::text, 'return'::text, 'reopen'::text]))),
    CONSTRAINT ck_orchard_book_decision_says_why CHECK (((decision <> ALL (ARRAY['return'::text, 'reopen'::text])) OR (length((reason)::text) > 0)))
);
ALTER TABLE public.orchard_book_decision OWNER TO tanhui_owner;
CREATE TABLE public.orchard_boundary (
    orchard_id uuid NOT NULL,
    version integer NOT NULL,
    valid_from date NOT NULL,
    planted_area_m2 numeric NOT NULL,
    reason character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_boundary_planted CHECK ((planted_area_m2 > (0)::numeric))
);
ALTER TABLE public.orchard_boundary OWNER TO tanhui_owner;
CREATE TABLE public.orchard_label (
    number text NOT NULL,
    adcode text NOT NULL,
    year integer NOT NULL,
    seq integer NOT NULL,
    run_id uuid NOT NULL,
    appeal_of text,
    orchard_id uuid NOT NULL,
    balance_id uuid,
    state text NOT NULL,
    grade text NOT NULL,
    x character varying,
    points integer NOT NULL,
    reasons text[] NOT NULL,
    rule_key text NOT NULL,
    rule_version text NOT NULL,
    inputs jsonb NOT NULL,
    digest bytea NOT NULL,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_label_only_labelled_have_grade CHECK (((state = 'labelled'::text) = (grade <> ''::text))),
    CONSTRAINT ck_orchard_label_state_known CHECK ((state = ANY (ARRAY['labelled'::text, 'unlabelled'::text, 'withheld'::text]))),
    CONSTRAINT ck_orchard_label_valid CHECK ((valid_to >= valid_from))
);
ALTER TABLE public.orchard_label OWNER TO tanhui_owner;
CREATE TABLE public.orchard_line (
    id uuid NOT NULL,
    orchard_id uuid NOT NULL,
    year integer NOT NULL,
    client_id character varying NOT NULL,
    kind text NOT NULL,
    product character varying NOT NULL,
    quantity numeric NOT NULL,
    unit character varying NOT NULL,
    n_kg numeric NOT NULL,
    p2o5_kg numeric NOT NULL,
    k2o_kg numeric NOT NULL,
    area_share numeric,
    premium_kg numeric,
    on_date date NOT NULL,
    parcel_id uuid,
    evidence character varying NOT NULL,
    photo_sha256 bytea,
    reverses_id uuid,
    reason character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_line_date_in_year CHECK ((EXTRACT(year FROM on_date) = (year)::numeric)),
    CONSTRAINT ck_orchard_line_premium_within CHECK (((premium_kg IS NULL) OR ((premium_kg >= (0)::numeric) AND (premium_kg <= quantity)))),
    CONSTRAINT ck_orchard_line_quantity_not_negative CHECK ((quantity >= (0)::numeric)),
    CONSTRAINT ck_orchard_line_share CHECK (((area_share IS NULL) OR ((area_share >= (0)::numeric) AND (area_share <= (1)::numeric))))
);
ALTER TABLE public.orchard_line OWNER TO tanhui_owner;
CREATE TABLE public.orchard_plot (
    orchard_id uuid NOT NULL,
    version integer NOT NULL,
    parcel_id uuid NOT NULL,
    planted_area_m2 numeric NOT NULL,
    parcel_area_m2 double precision NOT NULL,
    trees integer,
    planting_year integer NOT NULL,
    stage text NOT NULL,
    CONSTRAINT ck_orchard_plot_planted CHECK ((planted_area_m2 > (0)::numeric)),
    CONSTRAINT ck_orchard_plot_stage_known CHECK ((stage = ANY (ARRAY['young'::text, 'mature'::text, 'old'::text]))),
    CONSTRAINT ck_orchard_plot_trees_counted CHECK (((trees IS NULL) OR (trees >= 0)))
);
ALTER TABLE public.orchard_plot OWNER TO tanhui_owner;
CREATE TABLE public.orchard_veto (
    id uuid NOT NULL,
    orchard_id uuid NOT NULL,
    year integer NOT NULL,
    kind text NOT NULL,
    reason character varying NOT NULL,
    lifts_id uuid,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_orchard_veto_kind_known CHECK ((kind = ANY (ARRAY['basic_farmland_conflict'::text, 'boundary_dispute'::text, 'false_record'::text])))
);
ALTER TABLE public.orchard_veto OWNER TO tanhui_owner;
CREATE TABLE public.parcel (
    id uuid NOT NULL,
    code character varying,
    kind text NOT NULL,
    status text NOT NULL,
    version integer NOT NULL,
    division_code text,
    owner_id uuid,
    geometry public.geometry(MultiPolygon,4490) NOT NULL,
    area_m2 double precision NOT NULL,
    shape_digest bytea NOT NULL,
    submitted_by uuid,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_parcel_area_positive CHECK ((area_m2 > (0)::double precision)),
    CONSTRAINT ck_parcel_kind_known CHECK ((kind = ANY (ARRAY['carbon'::text, 'orchard'::text, 'tree'::text]))),
    CONSTRAINT ck_parcel_status_known CHECK ((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'approved'::text, 'returned'::text, 'withdrawn'::text])))
);
ALTER TABLE public.parcel OWNER TO tanhui_owner;
CREATE TABLE public.parcel_cell (
    x integer NOT NULL,
    y integer NOT NULL,
    township text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    parcels bigint NOT NULL,
    area_dm2 bigint NOT NULL,
    version bigint DEFAULT '1'::bigint NOT NULL,
    extent public.geometry(Polygon,4490) NOT NULL
);
ALTER TABLE public.parcel_cell OWNER TO tanhui_owner;
CREATE TABLE public.parcel_cell_wide (
    x integer NOT NULL,
    y integer NOT NULL,
    township text NOT NULL,
    status text NOT NULL,
    parcels bigint NOT NULL,
    area_dm2 bigint NOT NULL,
    version bigint DEFAULT '1'::bigint NOT NULL
);
ALTER TABLE public.parcel_cell_wide OWNER TO tanhui_owner;
CREATE TABLE public.parcel_decision (
    id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    decision text NOT NULL,
    reason character varying NOT NULL,
    submitted_by uuid NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_parcel_decision_approved_by_another CHECK (((decision <> 'approve'::text) OR (submitted_by <> actor_id))),
    CONSTRAINT ck_parcel_decision_known CHECK ((decision = ANY (ARRAY['submit'::text, 'approve'::text, 'return'::text, 'withdraw'::text]))),
    CONSTRAINT ck_parcel_decision_return_says_why CHECK (((decision <> 'return'::text) OR (length((reason)::text) > 0)))
);
ALTER TABLE public.parcel_decision OWNER TO tanhui_owner;
CREATE TABLE public.parcel_lineage (
    parent_id uuid NOT NULL,
    parent_version integer NOT NULL,
    child_id uuid NOT NULL,
    operation text NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_parcel_lineage_operation_known CHECK ((operation = ANY (ARRAY['split'::text, 'merge'::text]))),
    CONSTRAINT ck_parcel_lineage_two_parcels CHECK ((parent_id <> child_id))
);
ALTER TABLE public.parcel_lineage OWNER TO tanhui_owner;
CREATE TABLE public.parcel_loss (
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    layer_id uuid NOT NULL,
    input_digest bytea NOT NULL,
    years integer[] NOT NULL,
    area_dm2 bigint[] NOT NULL,
    nodata_dm2 bigint NOT NULL,
    outside_dm2 bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_parcel_loss_arrays_match CHECK ((cardinality(years) = cardinality(area_dm2)))
);
ALTER TABLE public.parcel_loss OWNER TO tanhui_owner;
CREATE TABLE public.parcel_value (
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    layer_id uuid NOT NULL,
    input_digest bytea NOT NULL,
    mean double precision,
    minimum double precision,
    maximum double precision,
    known_share double precision NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_parcel_value_known_has_mean CHECK (((mean IS NULL) = (known_share = (0)::double precision))),
    CONSTRAINT ck_parcel_value_share_is_one CHECK (((known_share >= (0)::double precision) AND (known_share <= (1)::double precision)))
);
ALTER TABLE public.parcel_value OWNER TO tanhui_owner;
CREATE TABLE public.parcel_version (
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    geometry public.geometry(MultiPolygon,4490) NOT NULL,
    area_m2 double precision NOT NULL,
    shape_digest bytea NOT NULL,
    attributes jsonb NOT NULL,
    source_crs character varying NOT NULL,
    captured_with character varying NOT NULL,
    batch_id uuid,
    batch_row integer,
    reason character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_parcel_version_area_positive CHECK ((area_m2 > (0)::double precision))
);
ALTER TABLE public.parcel_version OWNER TO tanhui_owner;
CREATE TABLE public.party (
    id uuid NOT NULL,
    kind text NOT NULL,
    name character varying NOT NULL,
    division_code text,
    reference character varying,
    uscc character varying,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_party_kind_known CHECK ((kind = ANY (ARRAY['collective'::text, 'cooperative'::text, 'state_farm'::text, 'household'::text, 'company'::text, 'enterprise'::text, 'person'::text, 'association'::text, 'institution'::text, 'verifier'::text, 'bank'::text, 'programme'::text])))
);
ALTER TABLE public.party OWNER TO tanhui_owner;
CREATE TABLE public.party_account (
    party_id uuid NOT NULL,
    number character varying NOT NULL,
    kind character varying,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.party_account OWNER TO tanhui_owner;
CREATE TABLE public.party_identity (
    party_id uuid NOT NULL,
    number_hash bytea NOT NULL,
    number_cipher bytea NOT NULL,
    shown character varying NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.party_identity OWNER TO tanhui_owner;
CREATE TABLE public.period (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    status text NOT NULL,
    run_id uuid NOT NULL,
    inputs jsonb NOT NULL,
    creditable_kg bigint NOT NULL,
    plan jsonb NOT NULL,
    verifier_id uuid,
    verified_kg bigint,
    statement_sha256 bytea,
    submitted_by uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_period_order CHECK ((ends_on > starts_on)),
    CONSTRAINT ck_period_status_known CHECK ((status = ANY (ARRAY['submitted'::text, 'verified'::text, 'refused'::text, 'issued'::text]))),
    CONSTRAINT ck_period_verified_has_kg CHECK (((status <> ALL (ARRAY['verified'::text, 'issued'::text])) OR (verified_kg IS NOT NULL))),
    CONSTRAINT ck_period_verified_within CHECK (((verified_kg >= 0) AND (verified_kg <= creditable_kg)))
);
ALTER TABLE public.period OWNER TO tanhui_owner;
CREATE TABLE public.period_account (
    period_id uuid NOT NULL,
    gross_kg bigint NOT NULL,
    discount_kg bigint NOT NULL,
    baseline_kg bigint NOT NULL,
    emissions_kg bigint NOT NULL,
    leakage_kg bigint NOT NULL,
    deficit_before_kg bigint NOT NULL,
    withheld_kg bigint NOT NULL,
    creditable_kg bigint NOT NULL,
    deficit_kg bigint NOT NULL,
    CONSTRAINT ck_period_account_adds_up CHECK ((((((((gross_kg - discount_kg) - baseline_kg) - emissions_kg) - leakage_kg) - deficit_before_kg) - withheld_kg) = (creditable_kg - deficit_kg))),
    CONSTRAINT ck_period_account_not_negative CHECK ((LEAST(emissions_kg, leakage_kg, deficit_before_kg, withheld_kg, creditable_kg, deficit_kg) >= 0))
);
ALTER TABLE public.period_account OWNER TO tanhui_owner;
CREATE TABLE public.plot_estimate (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    origin text NOT NULL,
    survey_year integer NOT NULL,
    before_year integer,
    model text NOT NULL,
    mean_t_c_ha double precision NOT NULL,
    half_width_t_c_ha double precision NOT NULL,
    u character varying NOT NULL,
    n integer NOT NULL,
    strata jsonb NOT NULL,
    plots jsonb NOT NULL,
    models jsonb NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    estimator text DEFAULT 'expansion'::text NOT NULL,
    run_id uuid,
    assisted jsonb,
    CONSTRAINT ck_plot_estimate_estimator_known CHECK ((estimator = ANY (ARRAY['expansion'::text, 'difference'::text, 'ratio'::text, 'regression'::text]))),
    CONSTRAINT ck_plot_estimate_map_of_run CHECK (((estimator = 'expansion'::text) = (run_id IS NULL))),
    CONSTRAINT ck_plot_estimate_origin_known CHECK ((origin = ANY (ARRAY['project'::text, 'verifier'::text])))
);
ALTER TABLE public.plot_estimate OWNER TO tanhui_owner;
CREATE TABLE public.procrastinate_events (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    type public.procrastinate_job_event_type,
    at timestamp with time zone DEFAULT now()
);
ALTER TABLE public.procrastinate_events OWNER TO tanhui_owner;
CREATE SEQUENCE public.procrastinate_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.procrastinate_events_id_seq OWNER TO tanhui_owner;
ALTER SEQUENCE public.procrastinate_events_id_seq OWNED BY public.procrastinate_events.id;
CREATE SEQUENCE public.procrastinate_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.procrastinate_jobs_id_seq OWNER TO tanhui_owner;
ALTER SEQUENCE public.procrastinate_jobs_id_seq OWNED BY public.procrastinate_jobs.id;
CREATE TABLE public.procrastinate_periodic_defers (
    id bigint NOT NULL,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint,
    periodic_id character varying(128) DEFAULT ''::character varying NOT NULL
);
ALTER TABLE public.procrastinate_periodic_defers OWNER TO tanhui_owner;
CREATE SEQUENCE public.procrastinate_periodic_defers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.procrastinate_periodic_defers_id_seq OWNER TO tanhui_owner;
ALTER SEQUENCE public.procrastinate_periodic_defers_id_seq OWNED BY public.procrastinate_periodic_defers.id;
CREATE TABLE public.procrastinate_workers (
    id bigint NOT NULL,
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.procrastinate_workers OWNER TO tanhui_owner;
ALTER TABLE public.procrastinate_workers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.procrastinate_workers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.programme (
    id text NOT NULL,
    version text NOT NULL,
    scheme character varying,
    name_zh character varying NOT NULL,
    name_en character varying NOT NULL,
    issuing_authority text NOT NULL,
    source text NOT NULL,
    sha256 bytea NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_programme_authority_known CHECK ((issuing_authority = ANY (ARRAY['local'::text, 'external'::text]))),
    CONSTRAINT ck_programme_digest_is_true CHECK ((sha256 = sha256(convert_to(source, 'UTF8'::name))))
);
ALTER TABLE public.programme OWNER TO tanhui_owner;
CREATE TABLE public.project (
    id uuid NOT NULL,
    adcode text NOT NULL,
    number integer NOT NULL,
    name character varying NOT NULL,
    proponent_id uuid NOT NULL,
    programme_id text NOT NULL,
    programme_version text NOT NULL,
    started_on date NOT NULL,
    crediting_from date NOT NULL,
    crediting_to date NOT NULL,
    external_number character varying,
    document_sha256 bytea,
    status text DEFAULT 'draft'::text NOT NULL,
    submitted_by uuid,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_project_adcode_has_6_digits CHECK ((adcode ~ '^[0-9]{6}$'::text)),
    CONSTRAINT ck_project_crediting_order CHECK ((crediting_to > crediting_from)),
    CONSTRAINT ck_project_number_has_6_digits CHECK (((number >= 1) AND (number <= 999999))),
    CONSTRAINT ck_project_status_known CHECK ((status = ANY (ARRAY['draft'::text, 'submitted'::text, 'approved'::text, 'returned'::text, 'withdrawn'::text])))
);
ALTER TABLE public.project OWNER TO tanhui_owner;
CREATE TABLE public.project_decision (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    decision text NOT NULL,
    reason character varying NOT NULL,
    submitted_by uuid NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_project_decision_approved_by_another CHECK (((decision <> 'approve'::text) OR (submitted_by <> actor_id))),
    CONSTRAINT ck_project_decision_known CHECK ((decision = ANY (ARRAY['submit'::text, 'approve'::text, 'return'::text, 'withdraw'::text]))),
    CONSTRAINT ck_project_decision_return_says_why CHECK (((decision <> 'return'::text) OR (length((reason)::text) > 0)))
);
ALTER TABLE public.project_decision OWNER TO tanhui_owner;
CREATE TABLE public.project_item (
    id uuid NOT NULL,
    project_id uuid NOT NULL,
    kind text NOT NULL,
    year integer NOT NULL,
    details jsonb NOT NULL,
    planned boolean NOT NULL,
    source character varying NOT NULL,
    evidence_sha256 bytea,
    replaces uuid,
    withdrawn boolean NOT NULL,
    reason character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_project_item_kind_known CHECK ((kind = ANY (ARRAY['prior_vegetation'::text, 'baseline'::text, 'burning'::text, 'fertiliser'::text, 'emission'::text, 'leakage'::text]))),
    CONSTRAINT ck_project_item_withdrawn_names CHECK (((NOT withdrawn) OR (replaces IS NOT NULL))),
    CONSTRAINT ck_project_item_year_sensible CHECK (((year >= 1900) AND (year <= 2200)))
);
ALTER TABLE public.project_item OWNER TO tanhui_owner;
CREATE TABLE public.project_parcel (
    project_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    version integer NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.project_parcel OWNER TO tanhui_owner;
CREATE TABLE public.recovery_code (
    id uuid NOT NULL,
    login_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
ALTER TABLE public.recovery_code OWNER TO tanhui_owner;
CREATE TABLE public.refund (
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    reason text NOT NULL,
    due_fen bigint NOT NULL,
    escrow_fen bigint NOT NULL,
    insurance_fen bigint NOT NULL,
    hold_back_fen bigint NOT NULL,
    pool_fen bigint NOT NULL,
    seller_claim_fen bigint NOT NULL,
    event_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_refund_not_negative CHECK (((escrow_fen >= 0) AND (insurance_fen >= 0) AND (hold_back_fen >= 0) AND (pool_fen >= 0) AND (seller_claim_fen >= 0))),
    CONSTRAINT ck_refund_parts_sum CHECK ((((((escrow_fen + insurance_fen) + hold_back_fen) + pool_fen) + seller_claim_fen) = due_fen))
);
ALTER TABLE public.refund OWNER TO tanhui_owner;
CREATE TABLE public.reservation (
    id uuid NOT NULL,
    claim_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    vintage integer NOT NULL,
    kg bigint NOT NULL,
    burned_kg bigint DEFAULT '0'::bigint NOT NULL,
    holder_ref text NOT NULL,
    state text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_reservation_burned_within CHECK (((burned_kg >= 0) AND (burned_kg <= kg))),
    CONSTRAINT ck_reservation_kg_positive CHECK ((kg > 0)),
    CONSTRAINT ck_reservation_state_known CHECK ((state = ANY (ARRAY['held'::text, 'released'::text, 'burned'::text, 'shared'::text])))
);
ALTER TABLE public.reservation OWNER TO tanhui_owner;
CREATE TABLE public.retirement (
    id uuid NOT NULL,
    number text NOT NULL,
    holder_id uuid NOT NULL,
    beneficiary character varying NOT NULL,
    beneficiary_kind text NOT NULL,
    beneficiary_location character varying NOT NULL,
    purpose text NOT NULL,
    reporting_period character varying NOT NULL,
    note character varying NOT NULL,
    reference character varying,
    kg bigint NOT NULL,
    serials jsonb NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_retirement_beneficiary_kind_known CHECK ((beneficiary_kind = ANY (ARRAY['enterprise'::text, 'person'::text, 'government'::text, 'event'::text, 'other'::text]))),
    CONSTRAINT ck_retirement_for_someone CHECK ((length((beneficiary)::text) > 0)),
    CONSTRAINT ck_retirement_kg_positive CHECK ((kg > 0)),
    CONSTRAINT ck_retirement_note_short CHECK ((length((note)::text) <= 512)),
    CONSTRAINT ck_retirement_purpose_known CHECK ((purpose = ANY (ARRAY['corporate_targets'::text, 'public_environmental_claims'::text, 'insetting'::text, 'regulatory_requirement'::text, 'other'::text])))
);
ALTER TABLE public.retirement OWNER TO tanhui_owner;
CREATE SEQUENCE public.retirement_number
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.retirement_number OWNER TO tanhui_owner;
CREATE TABLE public.reward_movement (
    id uuid NOT NULL,
    voucher text NOT NULL,
    kind text NOT NULL,
    kg bigint NOT NULL,
    line_id uuid,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_reward_movement_kg_positive CHECK ((kg > 0)),
    CONSTRAINT ck_reward_movement_kind_known CHECK ((kind = ANY (ARRAY['issue'::text, 'redeem'::text, 'expire'::text]))),
    CONSTRAINT ck_reward_movement_redeemed_is_an_input CHECK (((kind = 'redeem'::text) = (line_id IS NOT NULL)))
);
ALTER TABLE public.reward_movement OWNER TO tanhui_owner;
CREATE TABLE public.reward_voucher (
    number text NOT NULL,
    adcode text NOT NULL,
    year integer NOT NULL,
    seq integer NOT NULL,
    orchard_id uuid NOT NULL,
    balance_id uuid NOT NULL,
    unit text NOT NULL,
    net_kg bigint NOT NULL,
    carried_in_kg bigint NOT NULL,
    basis_kg bigint NOT NULL,
    carried_kg bigint NOT NULL,
    issued_kg bigint NOT NULL,
    redeemed_kg bigint DEFAULT '0'::bigint NOT NULL,
    expired_kg bigint DEFAULT '0'::bigint NOT NULL,
    expires_on date NOT NULL,
    rule jsonb NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_reward_voucher_amounts_not_negative CHECK (((redeemed_kg >= 0) AND (expired_kg >= 0))),
    CONSTRAINT ck_reward_voucher_corrections_lower CHECK (((carried_in_kg <= 0) AND (carried_kg <= 0))),
    CONSTRAINT ck_reward_voucher_issued_not_negative CHECK ((issued_kg >= 0)),
    CONSTRAINT ck_reward_voucher_never_more_than_issued CHECK (((redeemed_kg + expired_kg) <= issued_kg)),
    CONSTRAINT ck_reward_voucher_unit_known CHECK ((unit = ANY (ARRAY['tCO2e'::text, 'tC'::text])))
);
ALTER TABLE public.reward_voucher OWNER TO tanhui_owner;
CREATE TABLE public.run_interval (
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    seed bigint NOT NULL,
    draws integer NOT NULL,
    body jsonb NOT NULL,
    actor_id uuid NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.run_interval OWNER TO tanhui_owner;
CREATE TABLE public.settlement (
    id uuid NOT NULL,
    lot_id uuid NOT NULL,
    vintage integer NOT NULL,
    run integer NOT NULL,
    revision integer NOT NULL,
    state text NOT NULL,
    inputs jsonb NOT NULL,
    input_digest bytea NOT NULL,
    escrow_in_fen bigint NOT NULL,
    refunds_fen bigint NOT NULL,
    gross_fen bigint NOT NULL,
    taxes_fen bigint NOT NULL,
    insurance_fen bigint NOT NULL,
    costs_fen bigint NOT NULL,
    reserves_brought_fen bigint NOT NULL,
    reserves_held_fen bigint NOT NULL,
    advance_recouped_fen bigint NOT NULL,
    returned_fen bigint NOT NULL,
    remainder_fen bigint NOT NULL,
    escrow_balance_fen bigint NOT NULL,
    ratio text NOT NULL,
    prepared_by uuid NOT NULL,
    checked_by uuid,
    approved_by text[] DEFAULT '{}'::text[] NOT NULL,
    document_sha256 bytea,
    returned_at timestamp with time zone,
    publish_by date,
    published_at timestamp with time zone,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_settlement_approved_by_two CHECK (((state = ANY (ARRAY['DRAFT'::text, 'CHECKED'::text])) OR ((cardinality(approved_by) >= 2) AND (approved_by[1] <> approved_by[2])))),
    CONSTRAINT ck_settlement_escrow_sums CHECK ((escrow_in_fen = ((refunds_fen + gross_fen) + escrow_balance_fen))),
    CONSTRAINT ck_settlement_not_negative CHECK (((escrow_in_fen >= 0) AND (refunds_fen >= 0) AND (gross_fen >= 0) AND (taxes_fen >= 0) AND (insurance_fen >= 0) AND (costs_fen >= 0) AND (reserves_brought_fen >= 0) AND (reserves_held_fen >= 0) AND (advance_recouped_fen >= 0) AND (returned_fen >= 0) AND (remainder_fen >= 0) AND (escrow_balance_fen >= 0))),
    CONSTRAINT ck_settlement_state_known CHECK ((state = ANY (ARRAY['DRAFT'::text, 'CHECKED'::text, 'APPROVED'::text, 'PAYING'::text, 'RETURNED'::text, 'PUBLISHED'::text]))),
    CONSTRAINT ck_settlement_sums_to_the_fen CHECK (((escrow_in_fen + reserves_brought_fen) = ((((((((refunds_fen + taxes_fen) + insurance_fen) + costs_fen) + reserves_held_fen) + advance_recouped_fen) + returned_fen) + remainder_fen) + escrow_balance_fen)))
);
ALTER TABLE public.settlement OWNER TO tanhui_owner;
CREATE TABLE public.settlement_line (
    settlement_id uuid NOT NULL,
    revision integer NOT NULL,
    n integer NOT NULL,
    kind text NOT NULL,
    type character varying DEFAULT ''::character varying NOT NULL,
    voucher character varying DEFAULT ''::character varying NOT NULL,
    payee_id uuid,
    payee_name character varying NOT NULL,
    through_id uuid,
    units bigint DEFAULT '0'::bigint NOT NULL,
    amount_fen bigint NOT NULL,
    CONSTRAINT ck_settlement_line_amount_not_negative CHECK ((amount_fen >= 0)),
    CONSTRAINT ck_settlement_line_kind_known CHECK ((kind = ANY (ARRAY['tax'::text, 'insurance'::text, 'cost'::text, 'reserve'::text, 'advance'::text, 'village'::text, 'household'::text, 'remainder'::text]))),
    CONSTRAINT ck_settlement_line_payee_named CHECK (((kind <> ALL (ARRAY['village'::text, 'household'::text])) OR (payee_id IS NOT NULL))),
    CONSTRAINT ck_settlement_line_voucher_named CHECK (((kind <> ALL (ARRAY['tax'::text, 'insurance'::text, 'cost'::text])) OR (length((voucher)::text) > 0)))
);
ALTER TABLE public.settlement_line OWNER TO tanhui_owner;
CREATE TABLE public.settlement_payment (
    settlement_id uuid NOT NULL,
    revision integer NOT NULL,
    n integer NOT NULL,
    amount_fen bigint NOT NULL,
    bank_reference text NOT NULL,
    account_kind text NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_settlement_payment_amount_positive CHECK ((amount_fen > 0))
);
ALTER TABLE public.settlement_payment OWNER TO tanhui_owner;
CREATE TABLE public.slot (
    owner_ref text NOT NULL,
    n integer NOT NULL,
    quantity bigint NOT NULL,
    CONSTRAINT ck_slot_never_negative CHECK ((quantity >= 0))
)
WITH (fillfactor='50');
ALTER TABLE public.slot OWNER TO tanhui_owner;
CREATE TABLE public.stand_event (
    id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    year integer NOT NULL,
    kind text NOT NULL,
    touched_ppm integer NOT NULL,
    intensity_ppm integer NOT NULL,
    species integer,
    planned boolean NOT NULL,
    source character varying NOT NULL,
    evidence jsonb NOT NULL,
    evidence_sha256 bytea,
    replaces uuid,
    withdrawn boolean NOT NULL,
    reason character varying NOT NULL,
    actor_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_stand_event_intensity_share CHECK (((intensity_ppm >= 1) AND (intensity_ppm <= 1000000))),
    CONSTRAINT ck_stand_event_kind_known CHECK ((kind = ANY (ARRAY['thinning'::text, 'harvest'::text, 'clearing'::text, 'fire'::text, 'snow'::text, 'pest'::text, 'wind'::text, 'landslide'::text, 'replanting'::text]))),
    CONSTRAINT ck_stand_event_species_planted CHECK (((species IS NULL) OR (kind = 'replanting'::text))),
    CONSTRAINT ck_stand_event_touched_share CHECK (((touched_ppm >= 1) AND (touched_ppm <= 1000000))),
    CONSTRAINT ck_stand_event_withdrawn_names CHECK (((NOT withdrawn) OR (replaces IS NOT NULL))),
    CONSTRAINT ck_stand_event_year_sensible CHECK (((year >= 1900) AND (year <= 2200)))
);
ALTER TABLE public.stand_event OWNER TO tanhui_owner;
CREATE TABLE public.subscription (
    id uuid NOT NULL,
    number text NOT NULL,
    lot_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    buyer_kind text NOT NULL,
    amount_fen bigint NOT NULL,
    due_at timestamp with time zone,
    calendar_unverified boolean DEFAULT false NOT NULL,
    signed_at timestamp with time zone,
    contract_sha256 bytea,
    risk_accepted boolean DEFAULT false NOT NULL,
    paid_at timestamp with time zone,
    created_by uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_subscription_amount_positive CHECK ((amount_fen > 0)),
    CONSTRAINT ck_subscription_buyer_kind_known CHECK ((buyer_kind = ANY (ARRAY['person'::text, 'enterprise'::text]))),
    CONSTRAINT ck_subscription_signed_before_paid CHECK (((paid_at IS NULL) OR (signed_at IS NOT NULL))),
    CONSTRAINT ck_subscription_signed_has_contract CHECK (((signed_at IS NULL) OR ((contract_sha256 IS NOT NULL) AND risk_accepted)))
);
ALTER TABLE public.subscription OWNER TO tanhui_owner;
CREATE TABLE public.subscription_line (
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    vintage integer NOT NULL,
    quantity bigint NOT NULL,
    promised bigint NOT NULL,
    price_fen bigint NOT NULL,
    amount_fen bigint NOT NULL,
    state text NOT NULL,
    delivered bigint DEFAULT '0'::bigint NOT NULL,
    shortfall bigint DEFAULT '0'::bigint NOT NULL,
    refund_due_fen bigint DEFAULT '0'::bigint NOT NULL,
    refunded_fen bigint DEFAULT '0'::bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_subscription_line_delivered_within CHECK (((delivered >= 0) AND (shortfall >= 0) AND ((delivered + shortfall) <= promised))),
    CONSTRAINT ck_subscription_line_positive CHECK (((quantity > 0) AND (price_fen > 0) AND (amount_fen > 0))),
    CONSTRAINT ck_subscription_line_refund_within CHECK (((refunded_fen >= 0) AND (refunded_fen <= amount_fen))),
    CONSTRAINT ck_subscription_line_state_known CHECK ((state = ANY (ARRAY['RESERVED'::text, 'SIGNED'::text, 'AWAITING_PAYMENT'::text, 'PAID'::text, 'COOLING_OFF'::text, 'VESTING'::text, 'DELIVERABLE'::text, 'DELIVERED'::text, 'LAPSED'::text, 'CANCELLED'::text, 'REFUNDED'::text, 'SUBSTITUTED'::text, 'SELLER_DEFAULT'::text, 'EXPIRED'::text])))
);
ALTER TABLE public.subscription_line OWNER TO tanhui_owner;
CREATE TABLE public.tree (
    id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    number integer NOT NULL,
    species text NOT NULL,
    point public.geometry(Point,4490) NOT NULL,
    planted_year integer NOT NULL,
    photo_sha256 bytea,
    status text NOT NULL,
    owner_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    planted_on date,
    replaces_id uuid,
    CONSTRAINT ck_tree_another_replaced CHECK ((replaces_id <> id)),
    CONSTRAINT ck_tree_number_positive CHECK ((number > 0)),
    CONSTRAINT ck_tree_planted_in_year CHECK (((planted_on IS NULL) OR (date_part('year'::text, planted_on) = (planted_year)::double precision))),
    CONSTRAINT ck_tree_status_known CHECK ((status = ANY (ARRAY['live'::text, 'dead'::text, 'moved'::text])))
);
ALTER TABLE public.tree OWNER TO tanhui_owner;
CREATE TABLE public.tree_pack (
    id uuid NOT NULL,
    lot_id uuid NOT NULL,
    vintage integer NOT NULL,
    code text NOT NULL,
    promised integer NOT NULL,
    line_id uuid,
    CONSTRAINT ck_tree_pack_promises CHECK ((promised > 0))
);
ALTER TABLE public.tree_pack OWNER TO tanhui_owner;
CREATE TABLE public.tree_pack_member (
    tree_id uuid NOT NULL,
    pack_id uuid NOT NULL,
    delivered_to uuid
);
ALTER TABLE public.tree_pack_member OWNER TO tanhui_owner;
CREATE TABLE public.unit_range (
    id uuid NOT NULL,
    batch_id uuid NOT NULL,
    serials int8range NOT NULL,
    account_id uuid NOT NULL,
    status text NOT NULL,
    parent_id uuid,
    opened_by uuid NOT NULL,
    closed_by uuid,
    CONSTRAINT ck_unit_range_serials_from_1 CHECK (((NOT isempty(serials)) AND (lower(serials) >= 1))),
    CONSTRAINT ck_unit_range_status_known CHECK ((status = ANY (ARRAY['held'::text, 'retired'::text, 'cancelled'::text, 'buffer'::text])))
);
ALTER TABLE public.unit_range OWNER TO tanhui_owner;
ALTER TABLE ONLY public.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_events_id_seq'::regclass);
ALTER TABLE ONLY public.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_jobs_id_seq'::regclass);
ALTER TABLE ONLY public.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('public.procrastinate_periodic_defers_id_seq'::regclass);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT ex_period_one_at_a_time EXCLUDE USING gist (project_id WITH =, daterange(starts_on, ends_on) WITH &&) WHERE ((status <> 'refused'::text));
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT ex_unit_range_disjoint EXCLUDE USING gist (batch_id WITH =, serials WITH &&) WHERE ((closed_by IS NULL)) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.account
    ADD CONSTRAINT pk_account PRIMARY KEY (id);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT pk_actor PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT pk_api_token PRIMARY KEY (id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT pk_assessment_run PRIMARY KEY (id);
ALTER TABLE ONLY public.assessment_series
    ADD CONSTRAINT pk_assessment_series PRIMARY KEY (run_id, parcel_id);
ALTER TABLE ONLY public.assessment_share
    ADD CONSTRAINT pk_assessment_share PRIMARY KEY (run_id, parcel_id);
ALTER TABLE ONLY public.bank_line
    ADD CONSTRAINT pk_bank_line PRIMARY KEY (id);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT pk_batch PRIMARY KEY (id);
ALTER TABLE ONLY public.capacity
    ADD CONSTRAINT pk_capacity PRIMARY KEY (claim_id, parcel_id, vintage);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT pk_certificate PRIMARY KEY (id);
ALTER TABLE ONLY public.certificate_revocation
    ADD CONSTRAINT pk_certificate_revocation PRIMARY KEY (certificate_id);
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT pk_claim PRIMARY KEY (id);
ALTER TABLE ONLY public.cohort_table
    ADD CONSTRAINT pk_cohort_table PRIMARY KEY (digest);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT pk_delivery PRIMARY KEY (id);
ALTER TABLE ONLY public.distribution
    ADD CONSTRAINT pk_distribution PRIMARY KEY (id);
ALTER TABLE ONLY public.distribution_payout
    ADD CONSTRAINT pk_distribution_payout PRIMARY KEY (distribution_id, household_code);
ALTER TABLE ONLY public.disturbance
    ADD CONSTRAINT pk_disturbance PRIMARY KEY (id);
ALTER TABLE ONLY public.disturbance_decision
    ADD CONSTRAINT pk_disturbance_decision PRIMARY KEY (id);
ALTER TABLE ONLY public.disturbance_parcel
    ADD CONSTRAINT pk_disturbance_parcel PRIMARY KEY (disturbance_id, parcel_id);
ALTER TABLE ONLY public.division
    ADD CONSTRAINT pk_division PRIMARY KEY (code);
ALTER TABLE ONLY public.eligibility
    ADD CONSTRAINT pk_eligibility PRIMARY KEY (parcel_id, version, programme_id, programme_version);
ALTER TABLE ONLY public.entry
    ADD CONSTRAINT pk_entry PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT pk_event_seal PRIMARY KEY (pos);
ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT pk_exclusion PRIMARY KEY (id);
ALTER TABLE ONLY public.field_plot
    ADD CONSTRAINT pk_field_plot PRIMARY KEY (id);
ALTER TABLE ONLY public.finding
    ADD CONSTRAINT pk_finding PRIMARY KEY (id);
ALTER TABLE ONLY public.histogram
    ADD CONSTRAINT pk_histogram PRIMARY KEY (parcel_id, version, layer_set);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT pk_idempotency PRIMARY KEY (actor_id, key);
ALTER TABLE ONLY public.import_batch
    ADD CONSTRAINT pk_import_batch PRIMARY KEY (id);
ALTER TABLE ONLY public.import_row
    ADD CONSTRAINT pk_import_row PRIMARY KEY (batch_id, "row");
ALTER TABLE ONLY public.job
    ADD CONSTRAINT pk_job PRIMARY KEY (id);
ALTER TABLE ONLY public.label_run
    ADD CONSTRAINT pk_label_run PRIMARY KEY (id);
ALTER TABLE ONLY public.layer
    ADD CONSTRAINT pk_layer PRIMARY KEY (id);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT pk_login PRIMARY KEY (id);
ALTER TABLE ONLY public.login_attempt
    ADD CONSTRAINT pk_login_attempt PRIMARY KEY (id);
ALTER TABLE ONLY public.login_session
    ADD CONSTRAINT pk_login_session PRIMARY KEY (id);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT pk_lot PRIMARY KEY (id);
ALTER TABLE ONLY public.lot_objection
    ADD CONSTRAINT pk_lot_objection PRIMARY KEY (id);
ALTER TABLE ONLY public.lot_offer
    ADD CONSTRAINT pk_lot_offer PRIMARY KEY (lot_id, vintage);
ALTER TABLE ONLY public.lot_parcel
    ADD CONSTRAINT pk_lot_parcel PRIMARY KEY (lot_id, parcel_id);
ALTER TABLE ONLY public.lot_step
    ADD CONSTRAINT pk_lot_step PRIMARY KEY (id);
ALTER TABLE ONLY public.lot_supply
    ADD CONSTRAINT pk_lot_supply PRIMARY KEY (lot_id, vintage, parcel_id);
ALTER TABLE ONLY public.orchard
    ADD CONSTRAINT pk_orchard PRIMARY KEY (id);
ALTER TABLE ONLY public.orchard_balance
    ADD CONSTRAINT pk_orchard_balance PRIMARY KEY (id);
ALTER TABLE ONLY public.orchard_benchmark
    ADD CONSTRAINT pk_orchard_benchmark PRIMARY KEY (id);
ALTER TABLE ONLY public.orchard_book
    ADD CONSTRAINT pk_orchard_book PRIMARY KEY (orchard_id, year);
ALTER TABLE ONLY public.orchard_book_decision
    ADD CONSTRAINT pk_orchard_book_decision PRIMARY KEY (id);
ALTER TABLE ONLY public.orchard_boundary
    ADD CONSTRAINT pk_orchard_boundary PRIMARY KEY (orchard_id, version);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT pk_orchard_label PRIMARY KEY (number);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT pk_orchard_line PRIMARY KEY (id);
ALTER TABLE ONLY public.orchard_plot
    ADD CONSTRAINT pk_orchard_plot PRIMARY KEY (orchard_id, version, parcel_id);
ALTER TABLE ONLY public.orchard_veto
    ADD CONSTRAINT pk_orchard_veto PRIMARY KEY (id);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT pk_parcel PRIMARY KEY (id);
ALTER TABLE ONLY public.parcel_cell
    ADD CONSTRAINT pk_parcel_cell PRIMARY KEY (x, y, township, kind, status);
ALTER TABLE ONLY public.parcel_cell_wide
    ADD CONSTRAINT pk_parcel_cell_wide PRIMARY KEY (x, y, township, status);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT pk_parcel_decision PRIMARY KEY (id);
ALTER TABLE ONLY public.parcel_lineage
    ADD CONSTRAINT pk_parcel_lineage PRIMARY KEY (parent_id, child_id);
ALTER TABLE ONLY public.parcel_loss
    ADD CONSTRAINT pk_parcel_loss PRIMARY KEY (parcel_id, version, layer_id, input_digest);
ALTER TABLE ONLY public.parcel_value
    ADD CONSTRAINT pk_parcel_value PRIMARY KEY (parcel_id, version, layer_id, input_digest);
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT pk_parcel_version PRIMARY KEY (parcel_id, version);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT pk_party PRIMARY KEY (id);
ALTER TABLE ONLY public.party_account
    ADD CONSTRAINT pk_party_account PRIMARY KEY (party_id);
ALTER TABLE ONLY public.party_identity
    ADD CONSTRAINT pk_party_identity PRIMARY KEY (party_id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT pk_period PRIMARY KEY (id);
ALTER TABLE ONLY public.period_account
    ADD CONSTRAINT pk_period_account PRIMARY KEY (period_id);
ALTER TABLE ONLY public.plot_estimate
    ADD CONSTRAINT pk_plot_estimate PRIMARY KEY (id);
ALTER TABLE ONLY public.programme
    ADD CONSTRAINT pk_programme PRIMARY KEY (id, version);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT pk_project PRIMARY KEY (id);
ALTER TABLE ONLY public.project_decision
    ADD CONSTRAINT pk_project_decision PRIMARY KEY (id);
ALTER TABLE ONLY public.project_item
    ADD CONSTRAINT pk_project_item PRIMARY KEY (id);
ALTER TABLE ONLY public.project_parcel
    ADD CONSTRAINT pk_project_parcel PRIMARY KEY (project_id, parcel_id);
ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT pk_recovery_code PRIMARY KEY (id);
ALTER TABLE ONLY public.refund
    ADD CONSTRAINT pk_refund PRIMARY KEY (id);
ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT pk_reservation PRIMARY KEY (id);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT pk_retirement PRIMARY KEY (id);
ALTER TABLE ONLY public.reward_movement
    ADD CONSTRAINT pk_reward_movement PRIMARY KEY (id);
ALTER TABLE ONLY public.reward_voucher
    ADD CONSTRAINT pk_reward_voucher PRIMARY KEY (number);
ALTER TABLE ONLY public.run_interval
    ADD CONSTRAINT pk_run_interval PRIMARY KEY (id);
ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT pk_settlement PRIMARY KEY (id);
ALTER TABLE ONLY public.settlement_line
    ADD CONSTRAINT pk_settlement_line PRIMARY KEY (settlement_id, revision, n);
ALTER TABLE ONLY public.settlement_payment
    ADD CONSTRAINT pk_settlement_payment PRIMARY KEY (settlement_id, revision, n);
ALTER TABLE ONLY public.slot
    ADD CONSTRAINT pk_slot PRIMARY KEY (owner_ref, n);
ALTER TABLE ONLY public.stand_event
    ADD CONSTRAINT pk_stand_event PRIMARY KEY (id);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT pk_subscription PRIMARY KEY (id);
ALTER TABLE ONLY public.subscription_line
    ADD CONSTRAINT pk_subscription_line PRIMARY KEY (id);
ALTER TABLE ONLY public.tree
    ADD CONSTRAINT pk_tree PRIMARY KEY (id);
ALTER TABLE ONLY public.tree_pack
    ADD CONSTRAINT pk_tree_pack PRIMARY KEY (id);
ALTER TABLE ONLY public.tree_pack_member
    ADD CONSTRAINT pk_tree_pack_member PRIMARY KEY (tree_id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT pk_unit_range PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp);
ALTER TABLE ONLY public.procrastinate_workers
    ADD CONSTRAINT procrastinate_workers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT uq_api_token_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT uq_assessment_run_input_digest UNIQUE (input_digest);
ALTER TABLE ONLY public.bank_line
    ADD CONSTRAINT uq_bank_line_bank_reference UNIQUE (bank_reference);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT uq_batch_period_id_vintage UNIQUE (period_id, vintage);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT uq_batch_project_id_number UNIQUE (project_id, number);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT uq_certificate_number UNIQUE (number);
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT uq_claim_layer_sha256_layer_row UNIQUE (layer_sha256, layer_row);
ALTER TABLE ONLY public.cohort_table
    ADD CONSTRAINT uq_cohort_table_key UNIQUE (key);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT uq_delivery_source_vintage UNIQUE (source, vintage);
ALTER TABLE ONLY public.distribution
    ADD CONSTRAINT uq_distribution_collective_id_year UNIQUE (collective_id, year);
ALTER TABLE ONLY public.disturbance_decision
    ADD CONSTRAINT uq_disturbance_decision_disturbance_id UNIQUE (disturbance_id);
ALTER TABLE ONLY public.disturbance
    ADD CONSTRAINT uq_disturbance_year_ground_digest UNIQUE (year, ground_digest);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_number UNIQUE (number);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT uq_event_seal_event_id UNIQUE (event_id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT uq_event_seal_hash UNIQUE (hash);
ALTER TABLE ONLY public.field_plot
    ADD CONSTRAINT uq_field_plot_project_id_origin_survey_year_number_version UNIQUE (project_id, origin, survey_year, number, version);
ALTER TABLE ONLY public.finding
    ADD CONSTRAINT uq_finding_parcel_id_version_programme_id_programme_ver_3f9e UNIQUE (parcel_id, version, programme_id, programme_version, rule, input_digest);
ALTER TABLE ONLY public.layer
    ADD CONSTRAINT uq_layer_sha256_kind UNIQUE (sha256, kind);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT uq_login_actor_id UNIQUE (actor_id);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT uq_login_fs_uniquifier UNIQUE (fs_uniquifier);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT uq_login_username UNIQUE (username);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT uq_lot_number UNIQUE (number);
ALTER TABLE ONLY public.orchard_balance
    ADD CONSTRAINT uq_orchard_balance_orchard_id_year_number UNIQUE (orchard_id, year, number);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT uq_orchard_label_adcode_year_seq UNIQUE (adcode, year, seq);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT uq_orchard_label_run_id_orchard_id UNIQUE (run_id, orchard_id);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT uq_orchard_line_orchard_id_year_client_id UNIQUE (orchard_id, year, client_id);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT uq_orchard_line_reverses_id UNIQUE (reverses_id);
ALTER TABLE ONLY public.orchard
    ADD CONSTRAINT uq_orchard_operator_id_adcode_crop UNIQUE (operator_id, adcode, crop);
ALTER TABLE ONLY public.orchard_veto
    ADD CONSTRAINT uq_orchard_veto_lifts_id UNIQUE (lifts_id);
ALTER TABLE ONLY public.party_identity
    ADD CONSTRAINT uq_party_identity_number_hash UNIQUE (number_hash);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT uq_party_reference UNIQUE (reference);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT uq_party_uscc UNIQUE (uscc);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT uq_project_adcode_number UNIQUE (adcode, number);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT uq_project_external_number UNIQUE (external_number);
ALTER TABLE ONLY public.project_item
    ADD CONSTRAINT uq_project_item_replaces UNIQUE (replaces);
ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT uq_recovery_code_login_id_sha256 UNIQUE (login_id, sha256);
ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT uq_reservation_holder_ref_claim_id_parcel_id_vintage UNIQUE (holder_ref, claim_id, parcel_id, vintage);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT uq_retirement_number UNIQUE (number);
ALTER TABLE ONLY public.reward_movement
    ADD CONSTRAINT uq_reward_movement_line_id UNIQUE (line_id);
ALTER TABLE ONLY public.reward_voucher
    ADD CONSTRAINT uq_reward_voucher_adcode_year_seq UNIQUE (adcode, year, seq);
ALTER TABLE ONLY public.reward_voucher
    ADD CONSTRAINT uq_reward_voucher_orchard_id_year UNIQUE (orchard_id, year);
ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT uq_settlement_lot_id_vintage_run UNIQUE (lot_id, vintage, run);
ALTER TABLE ONLY public.stand_event
    ADD CONSTRAINT uq_stand_event_replaces UNIQUE (replaces);
ALTER TABLE ONLY public.subscription_line
    ADD CONSTRAINT uq_subscription_line_subscription_id_vintage UNIQUE (subscription_id, vintage);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT uq_subscription_number UNIQUE (number);
ALTER TABLE ONLY public.tree_pack
    ADD CONSTRAINT uq_tree_pack_lot_id_code UNIQUE (lot_id, code);
ALTER TABLE ONLY public.tree
    ADD CONSTRAINT uq_tree_parcel_id_number UNIQUE (parcel_id, number);
ALTER TABLE ONLY public.tree
    ADD CONSTRAINT uq_tree_replaces_id UNIQUE (replaces_id);
CREATE INDEX idx_procrastinate_jobs_worker_not_null ON public.procrastinate_jobs USING btree (worker_id) WHERE ((worker_id IS NOT NULL) AND (status = 'doing'::public.procrastinate_job_status));
CREATE INDEX idx_procrastinate_workers_last_heartbeat ON public.procrastinate_workers USING btree (last_heartbeat);
CREATE INDEX ix_actor_party_id ON public.actor USING btree (party_id);
CREATE INDEX ix_api_token_login_id ON public.api_token USING btree (login_id);
CREATE INDEX ix_assessment_run_project_id ON public.assessment_run USING btree (project_id);
CREATE INDEX ix_assessment_series_parcel_id ON public.assessment_series USING btree (parcel_id);
CREATE INDEX ix_assessment_share_parcel_id ON public.assessment_share USING btree (parcel_id);
CREATE INDEX ix_bank_line_subject_id ON public.bank_line USING btree (subject_id);
CREATE INDEX ix_claim_geometry ON public.claim USING gist (geometry);
CREATE INDEX ix_claim_parcel_id ON public.claim USING btree (parcel_id);
CREATE INDEX ix_claim_project_id ON public.claim USING btree (project_id);
CREATE INDEX ix_disturbance_geometry ON public.disturbance USING gist (geometry);
CREATE INDEX ix_disturbance_parcel_parcel_id ON public.disturbance_parcel USING btree (parcel_id);
CREATE INDEX ix_disturbance_status ON public.disturbance USING btree (status);
CREATE INDEX ix_division_boundary ON public.division USING gist (boundary);
CREATE INDEX ix_division_name_grams ON public.division USING gin (public.grams((name)::text));
CREATE INDEX ix_division_parent_code ON public.division USING btree (parent_code);
CREATE INDEX ix_entry_event_id ON public.entry USING btree (event_id);
CREATE INDEX ix_entry_source_id ON public.entry USING btree (source_id);
CREATE INDEX ix_entry_target_id ON public.entry USING btree (target_id);
CREATE INDEX ix_event_subject ON public.event USING btree (subject_kind, subject_id);
CREATE INDEX ix_event_xid_number ON public.event USING btree (xid, number);
CREATE INDEX ix_exclusion_geometry ON public.exclusion USING gist (geometry);
CREATE INDEX ix_exclusion_layer_sha256 ON public.exclusion USING btree (layer_sha256);
CREATE INDEX ix_import_batch_actor_id ON public.import_batch USING btree (actor_id);
CREATE INDEX ix_import_batch_file_sha256 ON public.import_batch USING btree (file_sha256);
CREATE INDEX ix_import_row_parcel_id ON public.import_row USING btree (parcel_id);
CREATE INDEX ix_import_row_shape_digest ON public.import_row USING btree (shape_digest);
CREATE INDEX ix_job_state ON public.job USING btree (state);
CREATE INDEX ix_label_run_county ON public.label_run USING btree (adcode, year);
CREATE INDEX ix_login_attempt_username_at ON public.login_attempt USING btree (username, at);
CREATE INDEX ix_login_session_login_id ON public.login_session USING btree (login_id);
CREATE INDEX ix_lot_company_id ON public.lot USING btree (company_id);
CREATE INDEX ix_lot_objection_lot_id ON public.lot_objection USING btree (lot_id);
CREATE INDEX ix_lot_parcel_parcel_id ON public.lot_parcel USING btree (parcel_id);
CREATE INDEX ix_lot_parcel_supplier_id ON public.lot_parcel USING btree (supplier_id);
CREATE INDEX ix_lot_project_id ON public.lot USING btree (project_id);
CREATE INDEX ix_lot_step_lot_id ON public.lot_step USING btree (lot_id);
CREATE INDEX ix_orchard_adcode ON public.orchard USING btree (adcode);
CREATE INDEX ix_orchard_benchmark_group ON public.orchard_benchmark USING btree (adcode, year, crop, stage, basis);
CREATE INDEX ix_orchard_book_decision_book ON public.orchard_book_decision USING btree (orchard_id, year);
CREATE INDEX ix_orchard_label_orchard ON public.orchard_label USING btree (orchard_id, year);
CREATE INDEX ix_orchard_plot_parcel_id ON public.orchard_plot USING btree (parcel_id);
CREATE INDEX ix_orchard_veto_orchard ON public.orchard_veto USING btree (orchard_id, year);
CREATE INDEX ix_parcel_cell_extent ON public.parcel_cell USING gist (extent);
CREATE INDEX ix_parcel_code_head ON public.parcel USING btree (lower((code)::text) text_pattern_ops);
CREATE INDEX ix_parcel_code_tail ON public.parcel USING btree (reverse(lower((code)::text)) text_pattern_ops);
CREATE INDEX ix_parcel_decision_parcel_id ON public.parcel_decision USING btree (parcel_id);
CREATE INDEX ix_parcel_division_code ON public.parcel USING btree (division_code);
CREATE INDEX ix_parcel_geometry ON public.parcel USING gist (geometry);
CREATE INDEX ix_parcel_lineage_child_id ON public.parcel_lineage USING btree (child_id);
CREATE INDEX ix_parcel_owner_id ON public.parcel USING btree (owner_id);
CREATE INDEX ix_parcel_shape_digest ON public.parcel USING btree (shape_digest);
CREATE INDEX ix_parcel_version_batch_id ON public.parcel_version USING btree (batch_id);
CREATE INDEX ix_party_division_code ON public.party USING btree (division_code);
CREATE INDEX ix_party_name_grams ON public.party USING gin (public.grams((name)::text));
CREATE INDEX ix_plot_estimate_project_id ON public.plot_estimate USING btree (project_id);
CREATE INDEX ix_project_decision_project_id ON public.project_decision USING btree (project_id);
CREATE INDEX ix_project_item_project_id ON public.project_item USING btree (project_id);
CREATE INDEX ix_project_parcel_parcel_id ON public.project_parcel USING btree (parcel_id);
CREATE INDEX ix_refund_line_id ON public.refund USING btree (line_id);
CREATE INDEX ix_reservation_capacity ON public.reservation USING btree (claim_id, parcel_id, vintage);
CREATE INDEX ix_reward_movement_voucher ON public.reward_movement USING btree (voucher);
CREATE INDEX ix_run_interval_run_id ON public.run_interval USING btree (run_id);
CREATE INDEX ix_settlement_line_payee_id ON public.settlement_line USING btree (payee_id);
CREATE INDEX ix_stand_event_parcel_id ON public.stand_event USING btree (parcel_id);
CREATE INDEX ix_subscription_buyer_id ON public.subscription USING btree (buyer_id);
CREATE INDEX ix_subscription_due_at ON public.subscription USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX ix_subscription_line_lot_id_vintage ON public.subscription_line USING btree (lot_id, vintage);
CREATE INDEX ix_subscription_lot_id ON public.subscription USING btree (lot_id);
CREATE INDEX ix_tree_owner_id ON public.tree USING btree (owner_id);
CREATE INDEX ix_tree_pack_code ON public.tree_pack USING btree (code);
CREATE INDEX ix_tree_pack_line_id ON public.tree_pack USING btree (line_id);
CREATE INDEX ix_tree_pack_member_pack_id ON public.tree_pack_member USING btree (pack_id);
CREATE INDEX ix_unit_range_account_id ON public.unit_range USING btree (account_id) WHERE (closed_by IS NULL);
CREATE INDEX procrastinate_events_job_id_fkey_v1 ON public.procrastinate_events USING btree (job_id);
CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON public.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::public.procrastinate_job_status, 'doing'::public.procrastinate_job_status]));
CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON public.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::public.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_priority_idx_v1 ON public.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::public.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON public.procrastinate_jobs USING btree (queue_name);
CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON public.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::public.procrastinate_job_status);
CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON public.procrastinate_periodic_defers USING btree (job_id);
CREATE UNIQUE INDEX uq_account_place ON public.account USING btree (asset, kind, party_id, reference) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX uq_settlement_one_open ON public.settlement USING btree (lot_id, vintage) WHERE (state = ANY (ARRAY['DRAFT'::text, 'CHECKED'::text, 'APPROVED'::text]));
CREATE CONSTRAINT TRIGGER account_matches_ranges AFTER UPDATE OF balance ON public.account DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.asset = 'kg'::text) AND (NOT new.overdraft))) EXECUTE FUNCTION public.check_account_ranges();
CREATE TRIGGER assessment_run_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.assessment_run FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER assessment_series_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.assessment_series FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER assessment_share_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.assessment_share FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE CONSTRAINT TRIGGER assessment_shared AFTER INSERT ON public.assessment_share DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_assessment_shared();
CREATE TRIGGER bank_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.bank_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER batch_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.batch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE CONSTRAINT TRIGGER batch_is_complete AFTER INSERT ON public.batch DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_batch_complete();
CREATE CONSTRAINT TRIGGER batch_stays_complete AFTER INSERT OR UPDATE ON public.unit_range DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_batch_complete();
CREATE TRIGGER book_change BEFORE UPDATE ON public.orchard_book FOR EACH ROW EXECUTE FUNCTION public.check_book_change();
CREATE CONSTRAINT TRIGGER capacity_matches_reservations AFTER UPDATE ON public.capacity DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_capacity_sum();
CREATE TRIGGER capacity_rise BEFORE INSERT OR UPDATE ON public.capacity FOR EACH ROW EXECUTE FUNCTION public.check_capacity_rise();
CREATE TRIGGER certificate_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.certificate FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER certificate_revocation_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.certificate_revocation FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER claim_ground_insert AFTER INSERT ON public.claim REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_claim_ground();
CREATE TRIGGER claim_ground_update AFTER UPDATE ON public.claim REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_claim_ground();
CREATE TRIGGER cohort_table_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.cohort_table FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER delivery_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.delivery FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER distribution_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.distribution FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER distribution_payout_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.distribution_payout FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER disturbance_decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.disturbance_decision FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER disturbance_parcel_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.disturbance_parcel FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER entry_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER entry_reach AFTER INSERT ON public.entry REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.check_entry_reach();
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER event_seal_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_seal FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER field_plot_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.field_plot FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER finding_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.finding FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER histogram_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.histogram FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER issued_within_verified AFTER INSERT ON public.batch FOR EACH ROW EXECUTE FUNCTION public.check_issued_within_verified();
CREATE TRIGGER job_tells AFTER INSERT OR UPDATE ON public.job FOR EACH ROW EXECUTE FUNCTION public.tell_job();
CREATE TRIGGER label_run_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.label_run FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER layer_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.layer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER login_attempt_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.login_attempt FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lot_parcel_hands_on BEFORE DELETE ON public.lot_parcel FOR EACH ROW EXECUTE FUNCTION public.refuse_change_but_shared();
CREATE TRIGGER lot_parcel_is_append_only BEFORE UPDATE OR TRUNCATE ON public.lot_parcel FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lot_step_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.lot_step FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER lot_supply_hands_on BEFORE DELETE ON public.lot_supply FOR EACH ROW EXECUTE FUNCTION public.refuse_change_but_shared();
CREATE TRIGGER lot_supply_is_append_only BEFORE UPDATE OR TRUNCATE ON public.lot_supply FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE CONSTRAINT TRIGGER movements_add_up AFTER INSERT ON public.reward_movement DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_reward_adds_up();
CREATE TRIGGER orchard_balance_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_balance FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_benchmark_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_benchmark FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_book_decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_book_decision FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_boundary_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_boundary FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_label_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_label FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_plot_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_plot FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER orchard_veto_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.orchard_veto FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_approval BEFORE INSERT OR UPDATE ON public.parcel FOR EACH ROW EXECUTE FUNCTION public.check_parcel_approval();
CREATE TRIGGER parcel_cells_insert AFTER INSERT ON public.parcel REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.count_parcel_cells();
CREATE TRIGGER parcel_cells_update AFTER UPDATE ON public.parcel REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION public.count_parcel_cells();
CREATE TRIGGER parcel_decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_decision FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_ground_insert AFTER INSERT ON public.parcel REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_parcel_ground();
CREATE TRIGGER parcel_ground_update AFTER UPDATE ON public.parcel REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_parcel_ground();
CREATE TRIGGER parcel_lineage_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_lineage FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_loss_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_loss FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_value_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_value FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_version_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_version FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER party_identity_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.party_identity FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER period_account_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.period_account FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER period_change BEFORE UPDATE ON public.period FOR EACH ROW EXECUTE FUNCTION public.check_period_change();
CREATE TRIGGER plot_estimate_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.plot_estimate FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_notify_queue_abort_job_v1();
CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_notify_queue_job_inserted_v1();
CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION public.procrastinate_trigger_abort_requested_events_procedure_v1();
CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_unlink_periodic_defers_v1();
CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON public.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::public.procrastinate_job_status))) EXECUTE FUNCTION public.procrastinate_trigger_function_scheduled_events_v1();
CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON public.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::public.procrastinate_job_status)) EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_insert_v1();
CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON public.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION public.procrastinate_trigger_function_status_events_update_v1();
CREATE TRIGGER programme_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.programme FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER project_approval BEFORE INSERT OR UPDATE ON public.project FOR EACH ROW EXECUTE FUNCTION public.check_project_approval();
CREATE TRIGGER project_decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.project_decision FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER project_item_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.project_item FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER range_change BEFORE INSERT OR UPDATE ON public.unit_range FOR EACH ROW EXECUTE FUNCTION public.check_range_change();
CREATE CONSTRAINT TRIGGER ranges_match_account AFTER INSERT OR UPDATE ON public.unit_range DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_account_ranges();
CREATE TRIGGER refund_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.refund FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER reservation_change BEFORE UPDATE ON public.reservation FOR EACH ROW EXECUTE FUNCTION public.check_reservation_change();
CREATE CONSTRAINT TRIGGER reservation_shared AFTER UPDATE ON public.reservation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.state = 'shared'::text)) EXECUTE FUNCTION public.check_reservation_shared();
CREATE CONSTRAINT TRIGGER reservations_match_capacity AFTER INSERT OR UPDATE ON public.reservation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_capacity_sum();
CREATE TRIGGER retirement_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.retirement FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER reward_movement_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.reward_movement FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER run_interval_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.run_interval FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER settlement_is_frozen BEFORE UPDATE ON public.settlement FOR EACH ROW EXECUTE FUNCTION public.check_settlement_frozen();
CREATE CONSTRAINT TRIGGER settlement_is_true AFTER INSERT OR UPDATE ON public.settlement DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_settlement();
CREATE TRIGGER settlement_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.settlement_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE CONSTRAINT TRIGGER settlement_line_is_true AFTER INSERT ON public.settlement_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_settlement();
CREATE TRIGGER settlement_payment_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.settlement_payment FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER settlement_payment_is_true BEFORE INSERT ON public.settlement_payment FOR EACH ROW EXECUTE FUNCTION public.check_settlement_payment();
CREATE TRIGGER stand_event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.stand_event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER tree_joins_alive BEFORE INSERT ON public.tree_pack_member FOR EACH ROW EXECUTE FUNCTION public.check_tree_joins();
CREATE CONSTRAINT TRIGGER tree_pack_is_whole AFTER INSERT OR DELETE ON public.tree_pack_member DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_tree_pack();
CREATE CONSTRAINT TRIGGER voucher_adds_up AFTER INSERT OR UPDATE ON public.reward_voucher DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_reward_adds_up();
ALTER TABLE ONLY public.account
    ADD CONSTRAINT fk_account_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT fk_actor_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT fk_actor_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT fk_api_token_login_id_login FOREIGN KEY (login_id) REFERENCES public.login(id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_strata_digest_cohort_table FOREIGN KEY (strata_digest) REFERENCES public.cohort_table(digest);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_table_digest_cohort_table FOREIGN KEY (table_digest) REFERENCES public.cohort_table(digest);
ALTER TABLE ONLY public.assessment_series
    ADD CONSTRAINT fk_assessment_series_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.assessment_series
    ADD CONSTRAINT fk_assessment_series_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.assessment_share
    ADD CONSTRAINT fk_assessment_share_parent_id_parcel_lineage FOREIGN KEY (parent_id, parcel_id) REFERENCES public.parcel_lineage(parent_id, child_id);
ALTER TABLE ONLY public.assessment_share
    ADD CONSTRAINT fk_assessment_share_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.bank_line
    ADD CONSTRAINT fk_bank_line_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.bank_line
    ADD CONSTRAINT fk_bank_line_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT fk_batch_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT fk_batch_period_id_period FOREIGN KEY (period_id) REFERENCES public.period(id);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT fk_batch_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.capacity
    ADD CONSTRAINT fk_capacity_claim_id_claim FOREIGN KEY (claim_id) REFERENCES public.claim(id);
ALTER TABLE ONLY public.capacity
    ADD CONSTRAINT fk_capacity_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.capacity
    ADD CONSTRAINT fk_capacity_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT fk_certificate_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.certificate_revocation
    ADD CONSTRAINT fk_certificate_revocation_certificate_id_certificate FOREIGN KEY (certificate_id) REFERENCES public.certificate(id);
ALTER TABLE ONLY public.certificate_revocation
    ADD CONSTRAINT fk_certificate_revocation_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT fk_claim_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT fk_claim_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT fk_delivery_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT fk_delivery_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.distribution
    ADD CONSTRAINT fk_distribution_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.distribution
    ADD CONSTRAINT fk_distribution_collective_id_party FOREIGN KEY (collective_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.distribution
    ADD CONSTRAINT fk_distribution_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.distribution_payout
    ADD CONSTRAINT fk_distribution_payout_distribution_id_distribution FOREIGN KEY (distribution_id) REFERENCES public.distribution(id);
ALTER TABLE ONLY public.disturbance_decision
    ADD CONSTRAINT fk_disturbance_decision_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.disturbance_decision
    ADD CONSTRAINT fk_disturbance_decision_disturbance_id_disturbance FOREIGN KEY (disturbance_id) REFERENCES public.disturbance(id);
ALTER TABLE ONLY public.disturbance_decision
    ADD CONSTRAINT fk_disturbance_decision_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.disturbance
    ADD CONSTRAINT fk_disturbance_layer_id_layer FOREIGN KEY (layer_id) REFERENCES public.layer(id);
ALTER TABLE ONLY public.disturbance_parcel
    ADD CONSTRAINT fk_disturbance_parcel_disturbance_id_disturbance FOREIGN KEY (disturbance_id) REFERENCES public.disturbance(id);
ALTER TABLE ONLY public.disturbance_parcel
    ADD CONSTRAINT fk_disturbance_parcel_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.division
    ADD CONSTRAINT fk_division_parent_code_division FOREIGN KEY (parent_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.eligibility
    ADD CONSTRAINT fk_eligibility_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.eligibility
    ADD CONSTRAINT fk_eligibility_programme_id_programme_version_programme FOREIGN KEY (programme_id, programme_version) REFERENCES public.programme(id, version);
ALTER TABLE ONLY public.entry
    ADD CONSTRAINT fk_entry_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.entry
    ADD CONSTRAINT fk_entry_source_id_account FOREIGN KEY (source_id) REFERENCES public.account(id);
ALTER TABLE ONLY public.entry
    ADD CONSTRAINT fk_entry_target_id_account FOREIGN KEY (target_id) REFERENCES public.account(id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT fk_event_seal_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.field_plot
    ADD CONSTRAINT fk_field_plot_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.field_plot
    ADD CONSTRAINT fk_field_plot_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.finding
    ADD CONSTRAINT fk_finding_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.finding
    ADD CONSTRAINT fk_finding_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.finding
    ADD CONSTRAINT fk_finding_programme_id_programme_version_programme FOREIGN KEY (programme_id, programme_version) REFERENCES public.programme(id, version);
ALTER TABLE ONLY public.histogram
    ADD CONSTRAINT fk_histogram_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT fk_idempotency_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.import_batch
    ADD CONSTRAINT fk_import_batch_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.import_batch
    ADD CONSTRAINT fk_import_batch_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.import_row
    ADD CONSTRAINT fk_import_row_batch_id_import_batch FOREIGN KEY (batch_id) REFERENCES public.import_batch(id);
ALTER TABLE ONLY public.import_row
    ADD CONSTRAINT fk_import_row_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.job
    ADD CONSTRAINT fk_job_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.label_run
    ADD CONSTRAINT fk_label_run_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT fk_login_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT fk_login_asked_by_actor FOREIGN KEY (asked_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.login
    ADD CONSTRAINT fk_login_confirmed_by_actor FOREIGN KEY (confirmed_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.login_session
    ADD CONSTRAINT fk_login_session_login_id_login FOREIGN KEY (login_id) REFERENCES public.login(id);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT fk_lot_company_id_party FOREIGN KEY (company_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT fk_lot_created_by_actor FOREIGN KEY (created_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.lot_objection
    ADD CONSTRAINT fk_lot_objection_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.lot_objection
    ADD CONSTRAINT fk_lot_objection_lot_id_lot FOREIGN KEY (lot_id) REFERENCES public.lot(id);
ALTER TABLE ONLY public.lot_offer
    ADD CONSTRAINT fk_lot_offer_lot_id_lot FOREIGN KEY (lot_id) REFERENCES public.lot(id);
ALTER TABLE ONLY public.lot_parcel
    ADD CONSTRAINT fk_lot_parcel_claim_id_claim FOREIGN KEY (claim_id) REFERENCES public.claim(id);
ALTER TABLE ONLY public.lot_parcel
    ADD CONSTRAINT fk_lot_parcel_household_id_party FOREIGN KEY (household_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.lot_parcel
    ADD CONSTRAINT fk_lot_parcel_lot_id_lot FOREIGN KEY (lot_id) REFERENCES public.lot(id);
ALTER TABLE ONLY public.lot_parcel
    ADD CONSTRAINT fk_lot_parcel_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.lot_parcel
    ADD CONSTRAINT fk_lot_parcel_supplier_id_party FOREIGN KEY (supplier_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT fk_lot_programme_id_programme_version_programme FOREIGN KEY (programme_id, programme_version) REFERENCES public.programme(id, version);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT fk_lot_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.lot
    ADD CONSTRAINT fk_lot_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.lot_step
    ADD CONSTRAINT fk_lot_step_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.lot_step
    ADD CONSTRAINT fk_lot_step_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.lot_step
    ADD CONSTRAINT fk_lot_step_lot_id_lot FOREIGN KEY (lot_id) REFERENCES public.lot(id);
ALTER TABLE ONLY public.lot_supply
    ADD CONSTRAINT fk_lot_supply_lot_id_parcel_id_lot_parcel FOREIGN KEY (lot_id, parcel_id) REFERENCES public.lot_parcel(lot_id, parcel_id);
ALTER TABLE ONLY public.lot_supply
    ADD CONSTRAINT fk_lot_supply_lot_id_vintage_lot_offer FOREIGN KEY (lot_id, vintage) REFERENCES public.lot_offer(lot_id, vintage);
ALTER TABLE ONLY public.orchard
    ADD CONSTRAINT fk_orchard_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_balance
    ADD CONSTRAINT fk_orchard_balance_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_balance
    ADD CONSTRAINT fk_orchard_balance_orchard_id_boundary_version_orchard_boundary FOREIGN KEY (orchard_id, boundary_version) REFERENCES public.orchard_boundary(orchard_id, version);
ALTER TABLE ONLY public.orchard_balance
    ADD CONSTRAINT fk_orchard_balance_orchard_id_year_orchard_book FOREIGN KEY (orchard_id, year) REFERENCES public.orchard_book(orchard_id, year);
ALTER TABLE ONLY public.orchard_benchmark
    ADD CONSTRAINT fk_orchard_benchmark_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_book_decision
    ADD CONSTRAINT fk_orchard_book_decision_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_book_decision
    ADD CONSTRAINT fk_orchard_book_decision_balance_id_orchard_balance FOREIGN KEY (balance_id) REFERENCES public.orchard_balance(id);
ALTER TABLE ONLY public.orchard_book_decision
    ADD CONSTRAINT fk_orchard_book_decision_orchard_id_year_orchard_book FOREIGN KEY (orchard_id, year) REFERENCES public.orchard_book(orchard_id, year);
ALTER TABLE ONLY public.orchard_book_decision
    ADD CONSTRAINT fk_orchard_book_decision_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_book
    ADD CONSTRAINT fk_orchard_book_orchard_id_orchard FOREIGN KEY (orchard_id) REFERENCES public.orchard(id);
ALTER TABLE ONLY public.orchard_book
    ADD CONSTRAINT fk_orchard_book_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_boundary
    ADD CONSTRAINT fk_orchard_boundary_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_boundary
    ADD CONSTRAINT fk_orchard_boundary_orchard_id_orchard FOREIGN KEY (orchard_id) REFERENCES public.orchard(id);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT fk_orchard_label_appeal_of_orchard_label FOREIGN KEY (appeal_of) REFERENCES public.orchard_label(number);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT fk_orchard_label_balance_id_orchard_balance FOREIGN KEY (balance_id) REFERENCES public.orchard_balance(id);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT fk_orchard_label_orchard_id_orchard FOREIGN KEY (orchard_id) REFERENCES public.orchard(id);
ALTER TABLE ONLY public.orchard_label
    ADD CONSTRAINT fk_orchard_label_run_id_label_run FOREIGN KEY (run_id) REFERENCES public.label_run(id);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT fk_orchard_line_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT fk_orchard_line_orchard_id_year_orchard_book FOREIGN KEY (orchard_id, year) REFERENCES public.orchard_book(orchard_id, year);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT fk_orchard_line_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.orchard_line
    ADD CONSTRAINT fk_orchard_line_reverses_id_orchard_line FOREIGN KEY (reverses_id) REFERENCES public.orchard_line(id);
ALTER TABLE ONLY public.orchard
    ADD CONSTRAINT fk_orchard_operator_id_party FOREIGN KEY (operator_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.orchard_plot
    ADD CONSTRAINT fk_orchard_plot_orchard_id_version_orchard_boundary FOREIGN KEY (orchard_id, version) REFERENCES public.orchard_boundary(orchard_id, version);
ALTER TABLE ONLY public.orchard_plot
    ADD CONSTRAINT fk_orchard_plot_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.orchard_veto
    ADD CONSTRAINT fk_orchard_veto_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.orchard_veto
    ADD CONSTRAINT fk_orchard_veto_lifts_id_orchard_veto FOREIGN KEY (lifts_id) REFERENCES public.orchard_veto(id);
ALTER TABLE ONLY public.orchard_veto
    ADD CONSTRAINT fk_orchard_veto_orchard_id_orchard FOREIGN KEY (orchard_id) REFERENCES public.orchard(id);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT fk_parcel_decision_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT fk_parcel_decision_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT fk_parcel_decision_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT fk_parcel_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.parcel_lineage
    ADD CONSTRAINT fk_parcel_lineage_child_id_parcel FOREIGN KEY (child_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.parcel_lineage
    ADD CONSTRAINT fk_parcel_lineage_parent_id_parent_version_parcel_version FOREIGN KEY (parent_id, parent_version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.parcel_loss
    ADD CONSTRAINT fk_parcel_loss_layer_id_layer FOREIGN KEY (layer_id) REFERENCES public.layer(id);
ALTER TABLE ONLY public.parcel_loss
    ADD CONSTRAINT fk_parcel_loss_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT fk_parcel_owner_id_party FOREIGN KEY (owner_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT fk_parcel_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_value
    ADD CONSTRAINT fk_parcel_value_layer_id_layer FOREIGN KEY (layer_id) REFERENCES public.layer(id);
ALTER TABLE ONLY public.parcel_value
    ADD CONSTRAINT fk_parcel_value_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT fk_parcel_version_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT fk_parcel_version_batch_id_batch_row_import_row FOREIGN KEY (batch_id, batch_row) REFERENCES public.import_row(batch_id, "row") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT fk_parcel_version_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.party_account
    ADD CONSTRAINT fk_party_account_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT fk_party_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.party_identity
    ADD CONSTRAINT fk_party_identity_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.period_account
    ADD CONSTRAINT fk_period_account_period_id_period FOREIGN KEY (period_id) REFERENCES public.period(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_verifier_id_party FOREIGN KEY (verifier_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.plot_estimate
    ADD CONSTRAINT fk_plot_estimate_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.plot_estimate
    ADD CONSTRAINT fk_plot_estimate_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.plot_estimate
    ADD CONSTRAINT fk_plot_estimate_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.project_decision
    ADD CONSTRAINT fk_project_decision_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.project_decision
    ADD CONSTRAINT fk_project_decision_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.project_decision
    ADD CONSTRAINT fk_project_decision_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.project_item
    ADD CONSTRAINT fk_project_item_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.project_item
    ADD CONSTRAINT fk_project_item_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.project_item
    ADD CONSTRAINT fk_project_item_replaces_project_item FOREIGN KEY (replaces) REFERENCES public.project_item(id);
ALTER TABLE ONLY public.project_parcel
    ADD CONSTRAINT fk_project_parcel_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.project_parcel
    ADD CONSTRAINT fk_project_parcel_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.project_parcel
    ADD CONSTRAINT fk_project_parcel_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT fk_project_programme_id_programme_version_programme FOREIGN KEY (programme_id, programme_version) REFERENCES public.programme(id, version);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT fk_project_proponent_id_party FOREIGN KEY (proponent_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT fk_project_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT fk_recovery_code_login_id_login FOREIGN KEY (login_id) REFERENCES public.login(id);
ALTER TABLE ONLY public.refund
    ADD CONSTRAINT fk_refund_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.refund
    ADD CONSTRAINT fk_refund_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.refund
    ADD CONSTRAINT fk_refund_line_id_subscription_line FOREIGN KEY (line_id) REFERENCES public.subscription_line(id);
ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT fk_reservation_claim_id_parcel_id_vintage_capacity FOREIGN KEY (claim_id, parcel_id, vintage) REFERENCES public.capacity(claim_id, parcel_id, vintage);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT fk_retirement_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT fk_retirement_holder_id_party FOREIGN KEY (holder_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.reward_movement
    ADD CONSTRAINT fk_reward_movement_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.reward_movement
    ADD CONSTRAINT fk_reward_movement_line_id_orchard_line FOREIGN KEY (line_id) REFERENCES public.orchard_line(id);
ALTER TABLE ONLY public.reward_movement
    ADD CONSTRAINT fk_reward_movement_voucher_reward_voucher FOREIGN KEY (voucher) REFERENCES public.reward_voucher(number);
ALTER TABLE ONLY public.reward_voucher
    ADD CONSTRAINT fk_reward_voucher_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.reward_voucher
    ADD CONSTRAINT fk_reward_voucher_balance_id_orchard_balance FOREIGN KEY (balance_id) REFERENCES public.orchard_balance(id);
ALTER TABLE ONLY public.reward_voucher
    ADD CONSTRAINT fk_reward_voucher_orchard_id_orchard FOREIGN KEY (orchard_id) REFERENCES public.orchard(id);
ALTER TABLE ONLY public.run_interval
    ADD CONSTRAINT fk_run_interval_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.run_interval
    ADD CONSTRAINT fk_run_interval_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT fk_settlement_checked_by_actor FOREIGN KEY (checked_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.settlement_line
    ADD CONSTRAINT fk_settlement_line_payee_id_party FOREIGN KEY (payee_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.settlement_line
    ADD CONSTRAINT fk_settlement_line_settlement_id_settlement FOREIGN KEY (settlement_id) REFERENCES public.settlement(id);
ALTER TABLE ONLY public.settlement_line
    ADD CONSTRAINT fk_settlement_line_through_id_party FOREIGN KEY (through_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT fk_settlement_lot_id_vintage_lot_offer FOREIGN KEY (lot_id, vintage) REFERENCES public.lot_offer(lot_id, vintage);
ALTER TABLE ONLY public.settlement_payment
    ADD CONSTRAINT fk_settlement_payment_bank_reference_bank_line FOREIGN KEY (bank_reference) REFERENCES public.bank_line(bank_reference);
ALTER TABLE ONLY public.settlement_payment
    ADD CONSTRAINT fk_settlement_payment_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.settlement_payment
    ADD CONSTRAINT fk_settlement_payment_settlement_id_revision_n_settlement_line FOREIGN KEY (settlement_id, revision, n) REFERENCES public.settlement_line(settlement_id, revision, n);
ALTER TABLE ONLY public.settlement
    ADD CONSTRAINT fk_settlement_prepared_by_actor FOREIGN KEY (prepared_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.stand_event
    ADD CONSTRAINT fk_stand_event_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.stand_event
    ADD CONSTRAINT fk_stand_event_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.stand_event
    ADD CONSTRAINT fk_stand_event_replaces_stand_event FOREIGN KEY (replaces) REFERENCES public.stand_event(id);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT fk_subscription_buyer_id_party FOREIGN KEY (buyer_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT fk_subscription_created_by_actor FOREIGN KEY (created_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.subscription_line
    ADD CONSTRAINT fk_subscription_line_lot_id_vintage_lot_offer FOREIGN KEY (lot_id, vintage) REFERENCES public.lot_offer(lot_id, vintage);
ALTER TABLE ONLY public.subscription_line
    ADD CONSTRAINT fk_subscription_line_subscription_id_subscription FOREIGN KEY (subscription_id) REFERENCES public.subscription(id);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT fk_subscription_lot_id_lot FOREIGN KEY (lot_id) REFERENCES public.lot(id);
ALTER TABLE ONLY public.tree
    ADD CONSTRAINT fk_tree_owner_id_party FOREIGN KEY (owner_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.tree_pack
    ADD CONSTRAINT fk_tree_pack_line_id_subscription_line FOREIGN KEY (line_id) REFERENCES public.subscription_line(id);
ALTER TABLE ONLY public.tree_pack
    ADD CONSTRAINT fk_tree_pack_lot_id_vintage_lot_offer FOREIGN KEY (lot_id, vintage) REFERENCES public.lot_offer(lot_id, vintage);
ALTER TABLE ONLY public.tree_pack_member
    ADD CONSTRAINT fk_tree_pack_member_delivered_to_party FOREIGN KEY (delivered_to) REFERENCES public.party(id);
ALTER TABLE ONLY public.tree_pack_member
    ADD CONSTRAINT fk_tree_pack_member_pack_id_tree_pack FOREIGN KEY (pack_id) REFERENCES public.tree_pack(id);
ALTER TABLE ONLY public.tree_pack_member
    ADD CONSTRAINT fk_tree_pack_member_tree_id_tree FOREIGN KEY (tree_id) REFERENCES public.tree(id);
ALTER TABLE ONLY public.tree
    ADD CONSTRAINT fk_tree_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.tree
    ADD CONSTRAINT fk_tree_replaces_id_tree FOREIGN KEY (replaces_id) REFERENCES public.tree(id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT fk_unit_range_account_id_account FOREIGN KEY (account_id) REFERENCES public.account(id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT fk_unit_range_batch_id_batch FOREIGN KEY (batch_id) REFERENCES public.batch(id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT fk_unit_range_closed_by_event FOREIGN KEY (closed_by) REFERENCES public.event(id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT fk_unit_range_opened_by_event FOREIGN KEY (opened_by) REFERENCES public.event(id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT fk_unit_range_parent_id_unit_range FOREIGN KEY (parent_id) REFERENCES public.unit_range(id);
ALTER TABLE ONLY public.procrastinate_events
    ADD CONSTRAINT procrastinate_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES public.procrastinate_workers(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.procrastinate_jobs(id);
ALTER TABLE public.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY account_insert ON public.account FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND false)));
CREATE POLICY account_select ON public.account FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (party_id = ( SELECT public.acts_for() AS acts_for)) OR public.sees_account(party_id, (reference)::text)));
ALTER TABLE public.actor ENABLE ROW LEVEL SECURITY;
CREATE POLICY actor_insert ON public.actor FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((division_code ~~ ( SELECT public.acts_under() AS acts_under)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (NOT (roles && ARRAY['system'::text, 'auditor'::text]))))));
CREATE POLICY actor_select ON public.actor FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (( SELECT public.acts_as() AS acts_as) IS NOT NULL)));
CREATE POLICY actor_update ON public.actor FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((division_code ~~ ( SELECT public.acts_under() AS acts_under)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (NOT (roles && ARRAY['system'::text, 'auditor'::text])))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((division_code ~~ ( SELECT public.acts_under() AS acts_under)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (NOT (roles && ARRAY['system'::text, 'auditor'::text]))))));
ALTER TABLE public.api_token ENABLE ROW LEVEL SECURITY;
CREATE POLICY api_token_insert ON public.api_token FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = api_token.login_id))))));
CREATE POLICY api_token_select ON public.api_token FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = api_token.login_id)))));
CREATE POLICY api_token_update ON public.api_token FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = api_token.login_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = api_token.login_id))))));
ALTER TABLE public.assessment_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_run_insert ON public.assessment_run FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY assessment_run_select ON public.assessment_run FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = assessment_run.project_id))) OR ((project_id IS NULL) AND (EXISTS ( SELECT
   FROM public.assessment_series u
  WHERE (u.run_id = assessment_run.id))))));
ALTER TABLE public.assessment_series ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_series_insert ON public.assessment_series FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = assessment_series.parcel_id))) OR (run_id IN ( SELECT public.reached_runs() AS reached_runs))))));
CREATE POLICY assessment_series_select ON public.assessment_series FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = assessment_series.parcel_id))) OR (run_id IN ( SELECT public.reached_runs() AS reached_runs))));
ALTER TABLE public.assessment_share ENABLE ROW LEVEL SECURITY;
CREATE POLICY assessment_share_insert ON public.assessment_share FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = assessment_share.parcel_id))))));
CREATE POLICY assessment_share_select ON public.assessment_share FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = assessment_share.parcel_id)))));
ALTER TABLE public.bank_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY bank_line_insert ON public.bank_line FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY bank_line_select ON public.bank_line FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR public.sees_bank_line(subject_kind, subject_id)));
ALTER TABLE public.batch ENABLE ROW LEVEL SECURITY;
CREATE POLICY batch_insert ON public.batch FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = batch.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))))));
CREATE POLICY batch_select ON public.batch FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (( SELECT public.acts_as() AS acts_as) IS NOT NULL)));
ALTER TABLE public.capacity ENABLE ROW LEVEL SECURITY;
CREATE POLICY capacity_insert ON public.capacity FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = capacity.claim_id))))));
CREATE POLICY capacity_select ON public.capacity FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = capacity.claim_id)))));
CREATE POLICY capacity_update ON public.capacity FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = capacity.claim_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = capacity.claim_id))))));
ALTER TABLE public.claim ENABLE ROW LEVEL SECURITY;
CREATE POLICY claim_insert ON public.claim FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = claim.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = claim.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))) OR ((project_id IS NULL) AND (parcel_id IS NULL) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL))))));
CREATE POLICY claim_select ON public.claim FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (project_id IN ( SELECT public.reached_projects() AS reached_projects)) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = claim.parcel_id))) OR ((project_id IS NULL) AND (parcel_id IS NULL) AND (( SELECT public.acts_as() AS acts_as) IS NOT NULL))));
CREATE POLICY claim_update ON public.claim FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = claim.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = claim.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))) OR ((project_id IS NULL) AND (parcel_id IS NULL) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = claim.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = claim.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))) OR ((project_id IS NULL) AND (parcel_id IS NULL) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL))))));
ALTER TABLE public.delivery ENABLE ROW LEVEL SECURITY;
CREATE POLICY delivery_insert ON public.delivery FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY delivery_select ON public.delivery FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR public.sees_delivery(source)));
ALTER TABLE public.distribution ENABLE ROW LEVEL SECURITY;
CREATE POLICY distribution_insert ON public.distribution FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((collective_id = ( SELECT public.acts_for() AS acts_for)) OR (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = distribution.collective_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))))));
ALTER TABLE public.distribution_payout ENABLE ROW LEVEL SECURITY;
CREATE POLICY distribution_payout_insert ON public.distribution_payout FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.distribution u
  WHERE (u.id = distribution_payout.distribution_id))))));
CREATE POLICY distribution_payout_select ON public.distribution_payout FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.distribution u
  WHERE (u.id = distribution_payout.distribution_id)))));
CREATE POLICY distribution_select ON public.distribution FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (collective_id = ( SELECT public.acts_for() AS acts_for)) OR (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = distribution.collective_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))));
ALTER TABLE public.disturbance ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.disturbance_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY disturbance_decision_insert ON public.disturbance_decision FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (EXISTS ( SELECT
   FROM (public.disturbance_parcel x
     JOIN public.parcel u ON ((u.id = x.parcel_id)))
  WHERE ((x.disturbance_id = disturbance_decision.disturbance_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))))));
CREATE POLICY disturbance_decision_select ON public.disturbance_decision FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.disturbance u
  WHERE (u.id = disturbance_decision.disturbance_id)))));
CREATE POLICY disturbance_insert ON public.disturbance FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL))));
ALTER TABLE public.disturbance_parcel ENABLE ROW LEVEL SECURITY;
CREATE POLICY disturbance_parcel_insert ON public.disturbance_parcel FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = disturbance_parcel.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY disturbance_parcel_select ON public.disturbance_parcel FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = disturbance_parcel.parcel_id)))));
CREATE POLICY disturbance_select ON public.disturbance FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.disturbance_parcel u
  WHERE (u.disturbance_id = disturbance.id)))));
CREATE POLICY disturbance_update ON public.disturbance FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM (public.disturbance_parcel x
     JOIN public.parcel u ON ((u.id = x.parcel_id)))
  WHERE ((x.disturbance_id = disturbance.id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM (public.disturbance_parcel x
     JOIN public.parcel u ON ((u.id = x.parcel_id)))
  WHERE ((x.disturbance_id = disturbance.id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
ALTER TABLE public.eligibility ENABLE ROW LEVEL SECURITY;
CREATE POLICY eligibility_insert ON public.eligibility FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = eligibility.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY eligibility_select ON public.eligibility FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = eligibility.parcel_id)))));
CREATE POLICY eligibility_update ON public.eligibility FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = eligibility.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = eligibility.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
ALTER TABLE public.entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY entry_insert ON public.entry FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND false)));
CREATE POLICY entry_select ON public.entry FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.account u
  WHERE (u.id = ANY (ARRAY[entry.source_id, entry.target_id]))))));
ALTER TABLE public.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY event_insert ON public.event FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY event_select ON public.event FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR ((subject_kind = 'project'::text) AND (subject_id IN ( SELECT (u.id)::text AS id
   FROM public.project u))) OR ((subject_kind = 'period'::text) AND (subject_id IN ( SELECT (u.id)::text AS id
   FROM public.period u)))));
ALTER TABLE public.field_plot ENABLE ROW LEVEL SECURITY;
CREATE POLICY field_plot_insert ON public.field_plot FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (((origin = 'project'::text) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = field_plot.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for))))))) OR ((origin = 'verifier'::text) AND ( SELECT public.acts_with(ARRAY['verifier'::text]) AS acts_with) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = field_plot.project_id)))))))));
CREATE POLICY field_plot_select ON public.field_plot FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = field_plot.project_id)))));
ALTER TABLE public.finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY finding_insert ON public.finding FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = finding.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY finding_select ON public.finding FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = finding.parcel_id)))));
ALTER TABLE public.histogram ENABLE ROW LEVEL SECURITY;
CREATE POLICY histogram_insert ON public.histogram FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = histogram.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY histogram_select ON public.histogram FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = histogram.parcel_id)))));
ALTER TABLE public.idempotency ENABLE ROW LEVEL SECURITY;
CREATE POLICY idempotency_insert ON public.idempotency FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY idempotency_select ON public.idempotency FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as))));
CREATE POLICY idempotency_update ON public.idempotency FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
ALTER TABLE public.import_batch ENABLE ROW LEVEL SECURITY;
CREATE POLICY import_batch_insert ON public.import_batch FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (rpad(division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under))))));
CREATE POLICY import_batch_select ON public.import_batch FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR (rpad(division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under))));
CREATE POLICY import_batch_update ON public.import_batch FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (rpad(division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (rpad(division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)))));
ALTER TABLE public.import_row ENABLE ROW LEVEL SECURITY;
CREATE POLICY import_row_insert ON public.import_row FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.import_batch u
  WHERE ((u.id = import_row.batch_id) AND (rpad(u.division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY import_row_select ON public.import_row FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.import_batch u
  WHERE (u.id = import_row.batch_id)))));
CREATE POLICY import_row_update ON public.import_row FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.import_batch u
  WHERE ((u.id = import_row.batch_id) AND (rpad(u.division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.import_batch u
  WHERE ((u.id = import_row.batch_id) AND (rpad(u.division_code, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under))))))));
ALTER TABLE public.job ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_insert ON public.job FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY job_select ON public.job FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR (actor_id IN ( SELECT public.reached_staff() AS reached_staff))));
CREATE POLICY job_update ON public.job FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) OR (actor_id IN ( SELECT public.reached_staff() AS reached_staff)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) OR (actor_id IN ( SELECT public.reached_staff() AS reached_staff))))));
ALTER TABLE public.login ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.login_attempt ENABLE ROW LEVEL SECURITY;
CREATE POLICY login_attempt_insert ON public.login_attempt FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND false)));
CREATE POLICY login_attempt_select ON public.login_attempt FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR false));
CREATE POLICY login_insert ON public.login FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) OR ((actor_id IN ( SELECT public.reached_staff() AS reached_staff)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with))))));
CREATE POLICY login_select ON public.login FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR ((actor_id IN ( SELECT public.reached_staff() AS reached_staff)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with))));
ALTER TABLE public.login_session ENABLE ROW LEVEL SECURITY;
CREATE POLICY login_session_insert ON public.login_session FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = login_session.login_id))))));
CREATE POLICY login_session_select ON public.login_session FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = login_session.login_id)))));
CREATE POLICY login_session_update ON public.login_session FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = login_session.login_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = login_session.login_id))))));
CREATE POLICY login_update ON public.login FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) OR ((actor_id IN ( SELECT public.reached_staff() AS reached_staff)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) OR ((actor_id IN ( SELECT public.reached_staff() AS reached_staff)) AND ( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with))))));
ALTER TABLE public.lot ENABLE ROW LEVEL SECURITY;
CREATE POLICY lot_insert ON public.lot FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((company_id = ( SELECT public.acts_for() AS acts_for)) OR ((created_by = ( SELECT public.acts_as() AS acts_as)) AND (created_by = ( SELECT public.acts_as() AS acts_as)))))));
ALTER TABLE public.lot_objection ENABLE ROW LEVEL SECURITY;
CREATE POLICY lot_objection_insert ON public.lot_objection FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (actor_id = ( SELECT public.acts_as() AS acts_as)))));
CREATE POLICY lot_objection_select ON public.lot_objection FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots))));
CREATE POLICY lot_objection_update ON public.lot_objection FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)))));
ALTER TABLE public.lot_offer ENABLE ROW LEVEL SECURITY;
CREATE POLICY lot_offer_insert ON public.lot_offer FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_offer.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))));
CREATE POLICY lot_offer_select ON public.lot_offer FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE (u.id = lot_offer.lot_id)))));
CREATE POLICY lot_offer_update ON public.lot_offer FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_offer.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as)))))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_offer.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))));
ALTER TABLE public.lot_parcel ENABLE ROW LEVEL SECURITY;
CREATE POLICY lot_parcel_insert ON public.lot_parcel FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_parcel.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))));
CREATE POLICY lot_parcel_select ON public.lot_parcel FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_parcel.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))));
CREATE POLICY lot_select ON public.lot FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (company_id = ( SELECT public.acts_for() AS acts_for)) OR (created_by = ( SELECT public.acts_as() AS acts_as)) OR (id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR ((( SELECT public.acts_as() AS acts_as) IS NOT NULL) AND (sale_state = ANY (ARRAY['LISTED'::text, 'SOLD_OUT'::text, 'CLOSED_TO_SALE'::text]))) OR (id IN ( SELECT public.bought_lots() AS bought_lots))));
ALTER TABLE public.lot_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY lot_step_insert ON public.lot_step FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (EXISTS ( SELECT
   FROM public.lot u
  WHERE (u.id = lot_step.lot_id)))))));
CREATE POLICY lot_step_select ON public.lot_step FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_step.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))));
ALTER TABLE public.lot_supply ENABLE ROW LEVEL SECURITY;
CREATE POLICY lot_supply_insert ON public.lot_supply FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_supply.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))));
CREATE POLICY lot_supply_select ON public.lot_supply FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = lot_supply.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))));
CREATE POLICY lot_update ON public.lot FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((company_id = ( SELECT public.acts_for() AS acts_for)) OR (created_by = ( SELECT public.acts_as() AS acts_as)) OR (id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR (id IN ( SELECT public.bought_lots() AS bought_lots)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((company_id = ( SELECT public.acts_for() AS acts_for)) OR (created_by = ( SELECT public.acts_as() AS acts_as)) OR (id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR ((id IN ( SELECT public.bought_lots() AS bought_lots)) AND (sale_state = ANY (ARRAY['LISTED'::text, 'SOLD_OUT'::text])))))));
ALTER TABLE public.orchard ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orchard_balance ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_balance_insert ON public.orchard_balance FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_balance.orchard_id))))));
CREATE POLICY orchard_balance_select ON public.orchard_balance FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_balance.orchard_id)))));
ALTER TABLE public.orchard_book ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orchard_book_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_book_decision_insert ON public.orchard_book_decision FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_book_decision.orchard_id))))));
CREATE POLICY orchard_book_decision_select ON public.orchard_book_decision FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_book_decision.orchard_id)))));
CREATE POLICY orchard_book_insert ON public.orchard_book FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_book.orchard_id))))));
CREATE POLICY orchard_book_select ON public.orchard_book FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_book.orchard_id)))));
CREATE POLICY orchard_book_update ON public.orchard_book FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_book.orchard_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_book.orchard_id))))));
ALTER TABLE public.orchard_boundary ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_boundary_insert ON public.orchard_boundary FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_boundary.orchard_id))))));
CREATE POLICY orchard_boundary_select ON public.orchard_boundary FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_boundary.orchard_id)))));
CREATE POLICY orchard_insert ON public.orchard FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND ((rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (adcode || '%'::text)))))));
ALTER TABLE public.orchard_label ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_label_insert ON public.orchard_label FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_label.orchard_id))))));
CREATE POLICY orchard_label_select ON public.orchard_label FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_label.orchard_id)))));
ALTER TABLE public.orchard_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_line_insert ON public.orchard_line FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_line.orchard_id))))));
CREATE POLICY orchard_line_select ON public.orchard_line FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_line.orchard_id)))));
ALTER TABLE public.orchard_plot ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_plot_insert ON public.orchard_plot FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_plot.orchard_id))))));
CREATE POLICY orchard_plot_select ON public.orchard_plot FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_plot.orchard_id)))));
CREATE POLICY orchard_select ON public.orchard FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (operator_id = ( SELECT public.acts_for() AS acts_for)) OR (rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (actor_id = ( SELECT public.acts_as() AS acts_as)) OR (id IN ( SELECT public.reached_orchards() AS reached_orchards))));
CREATE POLICY orchard_update ON public.orchard FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((operator_id = ( SELECT public.acts_for() AS acts_for)) OR (rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (id IN ( SELECT public.reached_orchards() AS reached_orchards)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((operator_id = ( SELECT public.acts_for() AS acts_for)) OR (rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (id IN ( SELECT public.reached_orchards() AS reached_orchards))))));
ALTER TABLE public.orchard_veto ENABLE ROW LEVEL SECURITY;
CREATE POLICY orchard_veto_insert ON public.orchard_veto FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_veto.orchard_id))))));
CREATE POLICY orchard_veto_select ON public.orchard_veto FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = orchard_veto.orchard_id)))));
ALTER TABLE public.parcel ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.parcel_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY parcel_decision_insert ON public.parcel_decision FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = parcel_decision.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY parcel_decision_select ON public.parcel_decision FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = parcel_decision.parcel_id)))));
CREATE POLICY parcel_insert ON public.parcel FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (division_code ~~ ( SELECT public.acts_under() AS acts_under)))));
ALTER TABLE public.parcel_lineage ENABLE ROW LEVEL SECURITY;
CREATE POLICY parcel_lineage_insert ON public.parcel_lineage FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = parcel_lineage.child_id))))));
CREATE POLICY parcel_lineage_select ON public.parcel_lineage FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = ANY (ARRAY[parcel_lineage.parent_id, parcel_lineage.child_id]))))));
ALTER TABLE public.parcel_loss ENABLE ROW LEVEL SECURITY;
CREATE POLICY parcel_loss_insert ON public.parcel_loss FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = parcel_loss.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY parcel_loss_select ON public.parcel_loss FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = parcel_loss.parcel_id)))));
CREATE POLICY parcel_select ON public.parcel FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR (owner_id = ( SELECT public.acts_for() AS acts_for)) OR (id IN ( SELECT public.reached_parcels() AS reached_parcels))));
CREATE POLICY parcel_update ON public.parcel FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (division_code ~~ ( SELECT public.acts_under() AS acts_under))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (division_code ~~ ( SELECT public.acts_under() AS acts_under)))));
ALTER TABLE public.parcel_value ENABLE ROW LEVEL SECURITY;
CREATE POLICY parcel_value_insert ON public.parcel_value FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = parcel_value.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY parcel_value_select ON public.parcel_value FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = parcel_value.parcel_id)))));
ALTER TABLE public.parcel_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY parcel_version_insert ON public.parcel_version FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = parcel_version.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY parcel_version_select ON public.parcel_version FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = parcel_version.parcel_id)))));
ALTER TABLE public.party ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.party_account ENABLE ROW LEVEL SECURITY;
CREATE POLICY party_account_insert ON public.party_account FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((party_id = ( SELECT public.acts_for() AS acts_for)) OR (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = party_account.party_id) AND ((u.division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR ((u.division_code IS NULL) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL))))))))));
CREATE POLICY party_account_select ON public.party_account FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (party_id = ( SELECT public.acts_for() AS acts_for)) OR (party_id IN ( SELECT public.paid_parties() AS paid_parties))));
CREATE POLICY party_account_update ON public.party_account FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((party_id = ( SELECT public.acts_for() AS acts_for)) OR (( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = party_account.party_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((party_id = ( SELECT public.acts_for() AS acts_for)) OR (( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = party_account.party_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))))));
ALTER TABLE public.party_identity ENABLE ROW LEVEL SECURITY;
CREATE POLICY party_identity_insert ON public.party_identity FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((party_id = ( SELECT public.acts_for() AS acts_for)) OR (( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = party_identity.party_id) AND ((u.division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR ((u.division_code IS NULL) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL)))))))))));
CREATE POLICY party_identity_select ON public.party_identity FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (party_id = ( SELECT public.acts_for() AS acts_for)) OR (( SELECT public.acts_with(ARRAY['county'::text]) AS acts_with) AND (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = party_identity.party_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))))));
CREATE POLICY party_insert ON public.party FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR ((division_code IS NULL) AND (( SELECT public.acts_under() AS acts_under) IS NOT NULL))))));
CREATE POLICY party_select ON public.party FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR (id = ( SELECT public.acts_for() AS acts_for)) OR ((( SELECT public.acts_as() AS acts_as) IS NOT NULL) AND (NOT (kind = ANY (ARRAY['person'::text, 'household'::text])))) OR (id IN ( SELECT public.reached_parties() AS reached_parties)) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.owner_id = party.id)))));
CREATE POLICY party_update ON public.party FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR (id = ( SELECT public.acts_for() AS acts_for)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR (id = ( SELECT public.acts_for() AS acts_for))))));
ALTER TABLE public.period ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.period_account ENABLE ROW LEVEL SECURITY;
CREATE POLICY period_account_insert ON public.period_account FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.period u
  WHERE (u.id = period_account.period_id))))));
CREATE POLICY period_account_select ON public.period_account FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.period u
  WHERE (u.id = period_account.period_id)))));
CREATE POLICY period_insert ON public.period FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = period.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))))));
CREATE POLICY period_select ON public.period FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = period.project_id)))));
CREATE POLICY period_update ON public.period FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = period.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))) OR (( SELECT public.acts_with(ARRAY['verifier'::text]) AS acts_with) AND ((status = 'submitted'::text) OR (verifier_id = ( SELECT public.acts_for() AS acts_for)))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = period.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))) OR (( SELECT public.acts_with(ARRAY['verifier'::text]) AS acts_with) AND (verifier_id = ( SELECT public.acts_for() AS acts_for)))))));
ALTER TABLE public.plot_estimate ENABLE ROW LEVEL SECURITY;
CREATE POLICY plot_estimate_insert ON public.plot_estimate FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (((origin = 'project'::text) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = plot_estimate.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for))))))) OR ((origin = 'verifier'::text) AND ( SELECT public.acts_with(ARRAY['verifier'::text]) AS acts_with) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = plot_estimate.project_id)))))))));
CREATE POLICY plot_estimate_select ON public.plot_estimate FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = plot_estimate.project_id)))));
ALTER TABLE public.project ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.project_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY project_decision_insert ON public.project_decision FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = project_decision.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))))));
CREATE POLICY project_decision_select ON public.project_decision FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = project_decision.project_id)))));
CREATE POLICY project_insert ON public.project FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (adcode || '%'::text)) OR (proponent_id = ( SELECT public.acts_for() AS acts_for))))));
ALTER TABLE public.project_item ENABLE ROW LEVEL SECURITY;
CREATE POLICY project_item_insert ON public.project_item FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = project_item.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for))))))))));
CREATE POLICY project_item_select ON public.project_item FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = project_item.project_id)))));
ALTER TABLE public.project_parcel ENABLE ROW LEVEL SECURITY;
CREATE POLICY project_parcel_delete ON public.project_parcel FOR DELETE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = project_parcel.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))))));
CREATE POLICY project_parcel_insert ON public.project_parcel FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.project u
  WHERE ((u.id = project_parcel.project_id) AND ((rpad(u.adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (u.adcode || '%'::text)) OR (u.proponent_id = ( SELECT public.acts_for() AS acts_for)))))))));
CREATE POLICY project_parcel_select ON public.project_parcel FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.project u
  WHERE (u.id = project_parcel.project_id))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = project_parcel.parcel_id)))));
CREATE POLICY project_select ON public.project FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (adcode || '%'::text)) OR (proponent_id = ( SELECT public.acts_for() AS acts_for)) OR (id IN ( SELECT public.reached_projects() AS reached_projects)) OR (id IN ( SELECT public.joined_projects() AS joined_projects))));
CREATE POLICY project_update ON public.project FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (adcode || '%'::text)) OR (proponent_id = ( SELECT public.acts_for() AS acts_for)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((rpad(adcode, 12, '0'::text) ~~ ( SELECT public.acts_under() AS acts_under)) OR (( SELECT public.acts_under() AS acts_under) ~~ (adcode || '%'::text)) OR (proponent_id = ( SELECT public.acts_for() AS acts_for))))));
ALTER TABLE public.recovery_code ENABLE ROW LEVEL SECURITY;
CREATE POLICY recovery_code_insert ON public.recovery_code FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = recovery_code.login_id))))));
CREATE POLICY recovery_code_select ON public.recovery_code FOR SELECT USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = recovery_code.login_id)))));
CREATE POLICY recovery_code_update ON public.recovery_code FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = recovery_code.login_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.login u
  WHERE (u.id = recovery_code.login_id))))));
ALTER TABLE public.refund ENABLE ROW LEVEL SECURITY;
CREATE POLICY refund_insert ON public.refund FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.subscription_line u
  WHERE (u.id = refund.line_id))))));
CREATE POLICY refund_select ON public.refund FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.subscription_line u
  WHERE (u.id = refund.line_id)))));
ALTER TABLE public.reservation ENABLE ROW LEVEL SECURITY;
CREATE POLICY reservation_insert ON public.reservation FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = reservation.claim_id))))));
CREATE POLICY reservation_select ON public.reservation FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = reservation.claim_id)))));
CREATE POLICY reservation_update ON public.reservation FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = reservation.claim_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.claim u
  WHERE (u.id = reservation.claim_id))))));
ALTER TABLE public.retirement ENABLE ROW LEVEL SECURITY;
CREATE POLICY retirement_insert ON public.retirement FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (holder_id = ( SELECT public.acts_for() AS acts_for)))));
CREATE POLICY retirement_select ON public.retirement FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (holder_id = ( SELECT public.acts_for() AS acts_for)) OR (EXISTS ( SELECT
   FROM public.party u
  WHERE ((u.id = retirement.holder_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under)))))));
ALTER TABLE public.reward_movement ENABLE ROW LEVEL SECURITY;
CREATE POLICY reward_movement_insert ON public.reward_movement FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.reward_voucher u
  WHERE (u.number = reward_movement.voucher))))));
CREATE POLICY reward_movement_select ON public.reward_movement FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.reward_voucher u
  WHERE (u.number = reward_movement.voucher)))));
ALTER TABLE public.reward_voucher ENABLE ROW LEVEL SECURITY;
CREATE POLICY reward_voucher_insert ON public.reward_voucher FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = reward_voucher.orchard_id))))));
CREATE POLICY reward_voucher_select ON public.reward_voucher FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = reward_voucher.orchard_id)))));
CREATE POLICY reward_voucher_update ON public.reward_voucher FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = reward_voucher.orchard_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.orchard u
  WHERE (u.id = reward_voucher.orchard_id))))));
ALTER TABLE public.run_interval ENABLE ROW LEVEL SECURITY;
CREATE POLICY run_interval_insert ON public.run_interval FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (EXISTS ( SELECT
   FROM public.assessment_run u
  WHERE (u.id = run_interval.run_id)))))));
CREATE POLICY run_interval_select ON public.run_interval FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.assessment_run u
  WHERE (u.id = run_interval.run_id)))));
ALTER TABLE public.settlement ENABLE ROW LEVEL SECURITY;
CREATE POLICY settlement_insert ON public.settlement FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)))));
ALTER TABLE public.settlement_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY settlement_line_insert ON public.settlement_line FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.settlement u
  WHERE ((u.id = settlement_line.settlement_id) AND (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots))))))));
CREATE POLICY settlement_line_select ON public.settlement_line FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.settlement u
  WHERE (u.id = settlement_line.settlement_id)))));
ALTER TABLE public.settlement_payment ENABLE ROW LEVEL SECURITY;
CREATE POLICY settlement_payment_insert ON public.settlement_payment FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.settlement u
  WHERE ((u.id = settlement_payment.settlement_id) AND (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots))))))));
CREATE POLICY settlement_payment_select ON public.settlement_payment FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.settlement u
  WHERE (u.id = settlement_payment.settlement_id)))));
CREATE POLICY settlement_select ON public.settlement FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR ((state <> ALL (ARRAY['DRAFT'::text, 'CHECKED'::text])) AND (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)))));
CREATE POLICY settlement_update ON public.settlement FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)))));
ALTER TABLE public.stand_event ENABLE ROW LEVEL SECURITY;
CREATE POLICY stand_event_insert ON public.stand_event FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((actor_id = ( SELECT public.acts_as() AS acts_as)) AND (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = stand_event.parcel_id) AND ((u.division_code ~~ ( SELECT public.acts_under() AS acts_under)) OR (u.owner_id = ( SELECT public.acts_for() AS acts_for))))))))));
CREATE POLICY stand_event_select ON public.stand_event FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = stand_event.parcel_id)))));
ALTER TABLE public.subscription ENABLE ROW LEVEL SECURITY;
CREATE POLICY subscription_insert ON public.subscription FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (created_by = ( SELECT public.acts_as() AS acts_as))))));
ALTER TABLE public.subscription_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY subscription_line_insert ON public.subscription_line FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.subscription u
  WHERE ((u.id = subscription_line.subscription_id) AND ((u.buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as)))))))));
CREATE POLICY subscription_line_select ON public.subscription_line FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.subscription u
  WHERE (u.id = subscription_line.subscription_id)))));
CREATE POLICY subscription_line_update ON public.subscription_line FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.subscription u
  WHERE ((u.id = subscription_line.subscription_id) AND ((u.buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.subscription u
  WHERE ((u.id = subscription_line.subscription_id) AND ((u.buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as)))))))));
CREATE POLICY subscription_select ON public.subscription FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)) OR (created_by = ( SELECT public.acts_as() AS acts_as))));
CREATE POLICY subscription_update ON public.subscription FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((buyer_id = ( SELECT public.acts_for() AS acts_for)) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots))))));
ALTER TABLE public.tree ENABLE ROW LEVEL SECURITY;
CREATE POLICY tree_insert ON public.tree FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = tree.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = tree.parcel_id) AND (u.owner_id = ( SELECT public.acts_for() AS acts_for))))) OR (parcel_id IN ( SELECT x.parcel_id
   FROM public.lot_parcel x
  WHERE (x.lot_id IN ( SELECT public.reached_lots(true) AS reached_lots))))))));
ALTER TABLE public.tree_pack ENABLE ROW LEVEL SECURITY;
CREATE POLICY tree_pack_insert ON public.tree_pack FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = tree_pack.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))));
ALTER TABLE public.tree_pack_member ENABLE ROW LEVEL SECURITY;
CREATE POLICY tree_pack_member_delete ON public.tree_pack_member FOR DELETE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.tree_pack u
  WHERE ((u.id = tree_pack_member.pack_id) AND (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots))))))));
CREATE POLICY tree_pack_member_insert ON public.tree_pack_member FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.tree u
  WHERE (u.id = tree_pack_member.tree_id))))));
CREATE POLICY tree_pack_member_select ON public.tree_pack_member FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.tree u
  WHERE (u.id = tree_pack_member.tree_id)))));
CREATE POLICY tree_pack_member_update ON public.tree_pack_member FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.tree_pack u
  WHERE ((u.id = tree_pack_member.pack_id) AND (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.tree_pack u
  WHERE ((u.id = tree_pack_member.pack_id) AND (u.lot_id IN ( SELECT public.reached_lots(false) AS reached_lots))))))));
CREATE POLICY tree_pack_select ON public.tree_pack FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE (u.id = tree_pack.lot_id)))));
CREATE POLICY tree_pack_update ON public.tree_pack FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (((line_id IS NULL) AND (lot_id IN ( SELECT l.id
   FROM public.lot l
  WHERE (l.sale_state = 'LISTED'::text)))) OR (EXISTS ( SELECT
   FROM public.subscription_line u
  WHERE (u.id = tree_pack.line_id))) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = tree_pack.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as)))))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (((line_id IS NULL) AND (lot_id IN ( SELECT l.id
   FROM public.lot l
  WHERE (l.sale_state = 'LISTED'::text)))) OR (EXISTS ( SELECT
   FROM public.subscription_line u
  WHERE (u.id = tree_pack.line_id))) OR (lot_id IN ( SELECT public.reached_lots(false) AS reached_lots)) OR (EXISTS ( SELECT
   FROM public.lot u
  WHERE ((u.id = tree_pack.lot_id) AND ((u.company_id = ( SELECT public.acts_for() AS acts_for)) OR (u.created_by = ( SELECT public.acts_as() AS acts_as))))))))));
CREATE POLICY tree_select ON public.tree FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (owner_id = ( SELECT public.acts_for() AS acts_for)) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE (u.id = tree.parcel_id))) OR (id IN ( SELECT public.bought_trees() AS bought_trees))));
CREATE POLICY tree_update ON public.tree FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = tree.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = tree.parcel_id) AND (u.owner_id = ( SELECT public.acts_for() AS acts_for))))) OR (parcel_id IN ( SELECT x.parcel_id
   FROM public.lot_parcel x
  WHERE (x.lot_id IN ( SELECT public.reached_lots(true) AS reached_lots)))))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND ((EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = tree.parcel_id) AND (u.division_code ~~ ( SELECT public.acts_under() AS acts_under))))) OR (EXISTS ( SELECT
   FROM public.parcel u
  WHERE ((u.id = tree.parcel_id) AND (u.owner_id = ( SELECT public.acts_for() AS acts_for))))) OR (parcel_id IN ( SELECT x.parcel_id
   FROM public.lot_parcel x
  WHERE (x.lot_id IN ( SELECT public.reached_lots(true) AS reached_lots))))))));
ALTER TABLE public.unit_range ENABLE ROW LEVEL SECURITY;
CREATE POLICY unit_range_insert ON public.unit_range FOR INSERT WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.event u
  WHERE ((u.id = unit_range.opened_by) AND (u.actor_id = ( SELECT public.acts_as() AS acts_as))))))));
CREATE POLICY unit_range_select ON public.unit_range FOR SELECT USING ((( SELECT public.sees_all() AS sees_all) OR (EXISTS ( SELECT
   FROM public.account u
  WHERE (u.id = unit_range.account_id)))));
CREATE POLICY unit_range_update ON public.unit_range FOR UPDATE USING ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.account u
  WHERE (u.id = unit_range.account_id)))))) WITH CHECK ((( SELECT public.acts_for_all() AS acts_for_all) OR (( SELECT public.may_write() AS may_write) AND (EXISTS ( SELECT
   FROM public.account u
  WHERE (u.id = unit_range.account_id))))));
GRANT USAGE ON SCHEMA public TO tanhui_app;
REVOKE ALL ON FUNCTION public.check_settlement() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.check_settlement_frozen() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.check_settlement_payment() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.check_tree_joins() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.check_tree_pack() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.count_parcel_cells() FROM PUBLIC;
REVOKE ALL ON FUNCTION public.lock_batches(ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.lock_batches(ids uuid[]) TO tanhui_app;
REVOKE ALL ON FUNCTION public.lots_of_ground(parcels uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.lots_of_ground(parcels uuid[]) TO tanhui_app;
REVOKE ALL ON FUNCTION public.post(actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text, of_id text, words text, effective timestamp with time zone, legs jsonb, takes jsonb, answer text, OUT replayed boolean, OUT stored_hash bytea, OUT body text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.post(actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text, of_id text, words text, effective timestamp with time zone, legs jsonb, takes jsonb, answer text, OUT replayed boolean, OUT stored_hash bytea, OUT body text) TO tanhui_app;
REVOKE ALL ON FUNCTION public.post_legs(event uuid, legs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.post_legs(event uuid, legs jsonb) TO tanhui_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_jobs TO tanhui_app;
REVOKE ALL ON FUNCTION public.refuse_leg(from_id uuid, to_id uuid, asked bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION public.share_lot_ground(parent uuid, lot uuid, children uuid[], claims uuid[], supply jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.share_lot_ground(parent uuid, lot uuid, children uuid[], claims uuid[], supply jsonb) TO tanhui_app;
REVOKE ALL ON FUNCTION public.slot_drain(owner text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.slot_drain(owner text) TO tanhui_app;
REVOKE ALL ON FUNCTION public.slot_fill(owner text, quantity bigint, parts integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.slot_fill(owner text, quantity bigint, parts integer) TO tanhui_app;
REVOKE ALL ON FUNCTION public.slot_give_back(owner text, given bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.slot_give_back(owner text, given bigint) TO tanhui_app;
REVOKE ALL ON FUNCTION public.slot_take(owner text, asked bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.slot_take(owner text, asked bigint) TO tanhui_app;
GRANT SELECT ON TABLE public.account TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(roles) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(division_code) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(party_id) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(active) ON TABLE public.actor TO tanhui_app;
GRANT SELECT ON TABLE public.alembic_version TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.api_token TO tanhui_app;
GRANT UPDATE(revoked_at) ON TABLE public.api_token TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.assessment_series TO tanhui_app;
GRANT SELECT ON TABLE public.assessment TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.assessment_run TO tanhui_app;
GRANT SELECT ON TABLE public.assessment_pool TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.assessment_share TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.bank_line TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.batch TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(version) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(run_id) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(cap_kg) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(committed_kg) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(short_kg) ON TABLE public.capacity TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.certificate TO tanhui_app;
GRANT USAGE ON SEQUENCE public.certificate_number TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.certificate_revocation TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.claim TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.claim TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.cohort_table TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.delivery TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.distribution TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.distribution_payout TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.disturbance TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.disturbance TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.disturbance_decision TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.disturbance_parcel TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.division TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.division TO tanhui_app;
GRANT UPDATE(valid_to_year) ON TABLE public.division TO tanhui_app;
GRANT UPDATE(boundary) ON TABLE public.division TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.eligibility TO tanhui_app;
GRANT UPDATE(answer) ON TABLE public.eligibility TO tanhui_app;
GRANT UPDATE(input_digest) ON TABLE public.eligibility TO tanhui_app;
GRANT UPDATE(effective_at) ON TABLE public.eligibility TO tanhui_app;
GRANT SELECT ON TABLE public.entry TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.event TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.event_seal TO tanhui_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.exclusion TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.field_plot TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.finding TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.histogram TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.idempotency TO tanhui_app;
GRANT UPDATE(body) ON TABLE public.idempotency TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(read_rows) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(accepted) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(refused) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(questioned) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(findings) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.import_batch TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.import_row TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.import_row TO tanhui_app;
GRANT UPDATE(findings) ON TABLE public.import_row TO tanhui_app;
GRANT UPDATE(parcel_id) ON TABLE public.import_row TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.job TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.job TO tanhui_app;
GRANT UPDATE(phase) ON TABLE public.job TO tanhui_app;
GRANT UPDATE(done) ON TABLE public.job TO tanhui_app;
GRANT UPDATE(total) ON TABLE public.job TO tanhui_app;
GRANT UPDATE(cancel_requested) ON TABLE public.job TO tanhui_app;
GRANT UPDATE(result) ON TABLE public.job TO tanhui_app;
GRANT UPDATE(error) ON TABLE public.job TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.label_run TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.layer TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.login TO tanhui_app;
GRANT UPDATE(password) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(fs_uniquifier) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(active) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(tf_totp_secret) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(password_once) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(totp_last) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(asked_by) ON TABLE public.login TO tanhui_app;
GRANT UPDATE(confirmed_by) ON TABLE public.login TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.login_attempt TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.login_session TO tanhui_app;
GRANT UPDATE(seen_at) ON TABLE public.login_session TO tanhui_app;
GRANT UPDATE(ended_at) ON TABLE public.login_session TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.lot TO tanhui_app;
GRANT UPDATE(sale_state) ON TABLE public.lot TO tanhui_app;
GRANT UPDATE(physical_state) ON TABLE public.lot TO tanhui_app;
GRANT UPDATE(noticed_on) ON TABLE public.lot TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.lot_objection TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.lot_objection TO tanhui_app;
GRANT UPDATE(answer) ON TABLE public.lot_objection TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.lot_offer TO tanhui_app;
GRANT UPDATE(pre_stored_at) ON TABLE public.lot_offer TO tanhui_app;
GRANT UPDATE(delivered_at) ON TABLE public.lot_offer TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.lot_parcel TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.lot_step TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.lot_supply TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard TO tanhui_app;
GRANT UPDATE(boundary_version) ON TABLE public.orchard TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_balance TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_benchmark TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_book TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.orchard_book TO tanhui_app;
GRANT UPDATE(submitted_by) ON TABLE public.orchard_book TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_book_decision TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_boundary TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_label TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_line TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_plot TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.orchard_veto TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(code) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(kind) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(version) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(division_code) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(owner_id) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(geometry) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(area_m2) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(shape_digest) ON TABLE public.parcel TO tanhui_app;
GRANT UPDATE(submitted_by) ON TABLE public.parcel TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.parcel_decision TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.parcel_lineage TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.parcel_loss TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.parcel_value TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.parcel_version TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.party TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.party TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.party_account TO tanhui_app;
GRANT UPDATE(number) ON TABLE public.party_account TO tanhui_app;
GRANT UPDATE(kind) ON TABLE public.party_account TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.party_identity TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.period TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.period TO tanhui_app;
GRANT UPDATE(verifier_id) ON TABLE public.period TO tanhui_app;
GRANT UPDATE(verified_kg) ON TABLE public.period TO tanhui_app;
GRANT UPDATE(statement_sha256) ON TABLE public.period TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.period_account TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.plot_estimate TO tanhui_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_events TO tanhui_app;
GRANT USAGE ON SEQUENCE public.procrastinate_events_id_seq TO tanhui_app;
GRANT USAGE ON SEQUENCE public.procrastinate_jobs_id_seq TO tanhui_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_periodic_defers TO tanhui_app;
GRANT USAGE ON SEQUENCE public.procrastinate_periodic_defers_id_seq TO tanhui_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.procrastinate_workers TO tanhui_app;
GRANT USAGE ON SEQUENCE public.procrastinate_workers_id_seq TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.programme TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.project TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.project TO tanhui_app;
GRANT UPDATE(external_number) ON TABLE public.project TO tanhui_app;
GRANT UPDATE(document_sha256) ON TABLE public.project TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.project TO tanhui_app;
GRANT UPDATE(submitted_by) ON TABLE public.project TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.project_decision TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.project_item TO tanhui_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.project_parcel TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.recovery_code TO tanhui_app;
GRANT UPDATE(used_at) ON TABLE public.recovery_code TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.refund TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.reservation TO tanhui_app;
GRANT UPDATE(kg) ON TABLE public.reservation TO tanhui_app;
GRANT UPDATE(burned_kg) ON TABLE public.reservation TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.reservation TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.retirement TO tanhui_app;
GRANT USAGE ON SEQUENCE public.retirement_number TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.reward_movement TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.reward_voucher TO tanhui_app;
GRANT UPDATE(redeemed_kg) ON TABLE public.reward_voucher TO tanhui_app;
GRANT UPDATE(expired_kg) ON TABLE public.reward_voucher TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.run_interval TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(revision) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(inputs) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(input_digest) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(escrow_in_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(refunds_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(gross_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(taxes_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(insurance_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(costs_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(reserves_brought_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(reserves_held_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(advance_recouped_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(returned_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(remainder_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(escrow_balance_fen) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(ratio) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(prepared_by) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(checked_by) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(approved_by) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(document_sha256) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(returned_at) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(publish_by) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(published_at) ON TABLE public.settlement TO tanhui_app;
GRANT UPDATE(effective_at) ON TABLE public.settlement TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.settlement_line TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.settlement_payment TO tanhui_app;
GRANT SELECT ON TABLE public.slot TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.stand_event TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.subscription TO tanhui_app;
GRANT UPDATE(due_at) ON TABLE public.subscription TO tanhui_app;
GRANT UPDATE(calendar_unverified) ON TABLE public.subscription TO tanhui_app;
GRANT UPDATE(signed_at) ON TABLE public.subscription TO tanhui_app;
GRANT UPDATE(contract_sha256) ON TABLE public.subscription TO tanhui_app;
GRANT UPDATE(risk_accepted) ON TABLE public.subscription TO tanhui_app;
GRANT UPDATE(paid_at) ON TABLE public.subscription TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.subscription_line TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.subscription_line TO tanhui_app;
GRANT UPDATE(delivered) ON TABLE public.subscription_line TO tanhui_app;
GRANT UPDATE(shortfall) ON TABLE public.subscription_line TO tanhui_app;
GRANT UPDATE(refund_due_fen) ON TABLE public.subscription_line TO tanhui_app;
GRANT UPDATE(refunded_fen) ON TABLE public.subscription_line TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.tree TO tanhui_app;
GRANT UPDATE(photo_sha256) ON TABLE public.tree TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.tree TO tanhui_app;
GRANT UPDATE(owner_id) ON TABLE public.tree TO tanhui_app;
GRANT UPDATE(replaces_id) ON TABLE public.tree TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.tree_pack TO tanhui_app;
GRANT UPDATE(line_id) ON TABLE public.tree_pack TO tanhui_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.tree_pack_member TO tanhui_app;
GRANT UPDATE(delivered_to) ON TABLE public.tree_pack_member TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.unit_range TO tanhui_app;
GRANT UPDATE(closed_by) ON TABLE public.unit_range TO tanhui_app;
