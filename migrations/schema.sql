CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
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
          SELECT n.id AS one, p.id AS other, p.scheme, p.years, m2 INTO clash
            FROM changed n
            JOIN claim p ON p.id <> n.id AND p.status = 'active' AND p.years && n.years
              AND p.geometry && n.geometry
            CROSS JOIN LATERAL (SELECT ST_Area(
              ST_Intersection(n.geometry, p.geometry, 1e-10)::geography) AS m2) o
           WHERE n.status = 'active'
             AND NOT EXISTS (SELECT FROM changed c WHERE c.id = p.id AND p.id < n.id)
             AND m2 > overlap_tolerance_m2(n.area_m2, p.area_m2)
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
               OR abs(c.area_m2 - ST_Area(c.geometry::geography)) > 0.01 + 1e-4 * c.area_m2
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
            SELECT n.id AS one, p.id AS other, m2 INTO clash
              FROM changed n
              JOIN parcel p ON p.kind = n.kind AND p.id <> n.id
                AND p.status IN ('submitted', 'approved') AND p.geometry && n.geometry
              CROSS JOIN LATERAL (SELECT ST_Area(
                ST_Intersection(n.geometry, p.geometry, 1e-10)::geography) AS m2) o
             WHERE n.kind = scope AND n.status IN ('submitted', 'approved')
               AND NOT EXISTS (SELECT FROM changed c WHERE c.id = p.id AND p.id < n.id)
               AND m2 > overlap_tolerance_m2(n.area_m2, p.area_m2)
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
CREATE FUNCTION public.overlap_tolerance_m2(a_m2 double precision, b_m2 double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
          SELECT least(1.0, 0.001 * least(a_m2, b_m2))
        $$;
ALTER FUNCTION public.overlap_tolerance_m2(a_m2 double precision, b_m2 double precision) OWNER TO tanhui_owner;
CREATE FUNCTION public.post_legs(event uuid, legs jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
        DECLARE
          wrong record;
        BEGIN
          PERFORM 1 FROM account WHERE id IN (
              SELECT (l ->> 'source')::uuid FROM jsonb_array_elements(legs) l
              UNION SELECT (l ->> 'target')::uuid FROM jsonb_array_elements(legs) l)
            ORDER BY id FOR UPDATE;
          SELECT l.* INTO wrong
            FROM jsonb_to_recordset(legs) AS l(source uuid, target uuid, amount bigint)
            LEFT JOIN account s ON s.id = l.source
            LEFT JOIN account t ON t.id = l.target
           WHERE s.asset IS DISTINCT FROM t.asset OR s.id IS NULL LIMIT 1;
          IF FOUND THEN
            RAISE EXCEPTION 'a leg from % to % crosses assets', wrong.source, wrong.target
              USING ERRCODE = '23514', CONSTRAINT = 'legs_of_one_asset';
          END IF;
          INSERT INTO entry (event_id, source_id, target_id, amount)
            SELECT event, l.source, l.target, l.amount
              FROM jsonb_to_recordset(legs) AS l(source uuid, target uuid, amount bigint);
          UPDATE account a SET balance = balance + d.delta
            FROM (SELECT id, sum(delta)::bigint AS delta FROM (
                    SELECT (l ->> 'source')::uuid AS id, -(l ->> 'amount')::bigint AS delta
                      FROM jsonb_array_elements(legs) l
                    UNION ALL
                    SELECT (l ->> 'target')::uuid, (l ->> 'amount')::bigint
                      FROM jsonb_array_elements(legs) l) m
                  GROUP BY id) d
           WHERE a.id = d.id;
        END $$;
ALTER FUNCTION public.post_legs(event uuid, legs jsonb) OWNER TO tanhui_owner;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
        END $$;
ALTER FUNCTION public.refuse_change() OWNER TO tanhui_owner;
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
    CONSTRAINT ck_account_only_sources_owe CHECK ((overdraft = (kind = ANY (ARRAY['issued'::text, 'grown'::text, 'planted'::text, 'world'::text]))))
);
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
CREATE TABLE public.assessment (
    run_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    year integer NOT NULL,
    version integer NOT NULL,
    stock_kg bigint NOT NULL,
    net_kg bigint NOT NULL,
    flags jsonb NOT NULL
);
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
    CONSTRAINT ck_assessment_run_kind_known CHECK ((kind = ANY (ARRAY['forecast'::text, 'monitored'::text])))
);
ALTER TABLE public.assessment_run OWNER TO tanhui_owner;
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
    CONSTRAINT ck_capacity_never_oversold CHECK ((committed_kg <= (cap_kg + short_kg))),
    CONSTRAINT ck_capacity_not_negative CHECK (((cap_kg >= 0) AND (committed_kg >= 0) AND (short_kg >= 0)))
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
CREATE TABLE public.claim (
    id uuid NOT NULL,
    scheme text NOT NULL,
    status text NOT NULL,
    project_id uuid,
    parcel_id uuid,
    version integer,
    external_reference character varying,
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
    scheme jsonb NOT NULL,
    years int4range NOT NULL,
    rows jsonb NOT NULL,
    cells bytea NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.cohort_table OWNER TO tanhui_owner;
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
    CONSTRAINT ck_exclusion_kind_known CHECK ((kind = ANY (ARRAY['basic_farmland'::text, 'red_line'::text, 'wetland'::text, 'other_programme'::text])))
);
ALTER TABLE public.exclusion OWNER TO tanhui_owner;
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
    CONSTRAINT ck_import_batch_every_row_counted CHECK ((read_rows = ((accepted + refused) + questioned)))
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
    CONSTRAINT ck_import_row_accepted_has_parcel CHECK (((status = 'accepted'::text) = (parcel_id IS NOT NULL))),
    CONSTRAINT ck_import_row_status_known CHECK ((status = ANY (ARRAY['accepted'::text, 'questioned'::text, 'refused'::text])))
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
    source character varying NOT NULL,
    licence character varying NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.layer OWNER TO tanhui_owner;
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
    uscc character varying,
    identity_hash bytea,
    identity_cipher bytea,
    identity_shown character varying,
    bank_account character varying,
    bank_account_kind character varying,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_party_kind_known CHECK ((kind = ANY (ARRAY['collective'::text, 'cooperative'::text, 'state_farm'::text, 'household'::text, 'company'::text, 'enterprise'::text, 'person'::text, 'verifier'::text, 'bank'::text, 'programme'::text])))
);
ALTER TABLE public.party OWNER TO tanhui_owner;
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
    CONSTRAINT ck_period_verified_has_kg CHECK (((status <> ALL (ARRAY['verified'::text, 'issued'::text])) OR (verified_kg IS NOT NULL)))
);
ALTER TABLE public.period OWNER TO tanhui_owner;
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
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_project_adcode_has_6_digits CHECK ((adcode ~ '^[0-9]{6}$'::text)),
    CONSTRAINT ck_project_crediting_order CHECK ((crediting_to > crediting_from)),
    CONSTRAINT ck_project_number_has_6_digits CHECK (((number >= 1) AND (number <= 999999)))
);
ALTER TABLE public.project OWNER TO tanhui_owner;
CREATE TABLE public.reservation (
    id uuid NOT NULL,
    claim_id uuid NOT NULL,
    parcel_id uuid NOT NULL,
    vintage integer NOT NULL,
    kg bigint NOT NULL,
    holder_ref text NOT NULL,
    state text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_reservation_kg_positive CHECK ((kg > 0)),
    CONSTRAINT ck_reservation_state_known CHECK ((state = ANY (ARRAY['held'::text, 'released'::text, 'burned'::text])))
);
ALTER TABLE public.reservation OWNER TO tanhui_owner;
CREATE TABLE public.retirement (
    id uuid NOT NULL,
    number text NOT NULL,
    holder_id uuid NOT NULL,
    beneficiary character varying NOT NULL,
    beneficiary_location character varying NOT NULL,
    purpose text NOT NULL,
    reporting_period character varying NOT NULL,
    note character varying NOT NULL,
    kg bigint NOT NULL,
    serials jsonb NOT NULL,
    event_id uuid NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_retirement_kg_positive CHECK ((kg > 0)),
    CONSTRAINT ck_retirement_note_short CHECK ((length((note)::text) <= 512)),
    CONSTRAINT ck_retirement_purpose_known CHECK ((purpose = ANY (ARRAY['corporate_targets'::text, 'public_environmental_claims'::text, 'insetting'::text, 'regulatory_requirement'::text, 'other'::text])))
);
ALTER TABLE public.retirement OWNER TO tanhui_owner;
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
ALTER TABLE ONLY public.assessment
    ADD CONSTRAINT pk_assessment PRIMARY KEY (run_id, parcel_id, year);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT pk_assessment_run PRIMARY KEY (id);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT pk_batch PRIMARY KEY (id);
ALTER TABLE ONLY public.capacity
    ADD CONSTRAINT pk_capacity PRIMARY KEY (claim_id, parcel_id, vintage);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT pk_certificate PRIMARY KEY (id);
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT pk_claim PRIMARY KEY (id);
ALTER TABLE ONLY public.cohort_table
    ADD CONSTRAINT pk_cohort_table PRIMARY KEY (digest);
ALTER TABLE ONLY public.division
    ADD CONSTRAINT pk_division PRIMARY KEY (code);
ALTER TABLE ONLY public.entry
    ADD CONSTRAINT pk_entry PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT pk_event_seal PRIMARY KEY (pos);
ALTER TABLE ONLY public.exclusion
    ADD CONSTRAINT pk_exclusion PRIMARY KEY (id);
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
ALTER TABLE ONLY public.layer
    ADD CONSTRAINT pk_layer PRIMARY KEY (id);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT pk_parcel PRIMARY KEY (id);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT pk_parcel_decision PRIMARY KEY (id);
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT pk_parcel_version PRIMARY KEY (parcel_id, version);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT pk_party PRIMARY KEY (id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT pk_period PRIMARY KEY (id);
ALTER TABLE ONLY public.programme
    ADD CONSTRAINT pk_programme PRIMARY KEY (id, version);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT pk_project PRIMARY KEY (id);
ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT pk_reservation PRIMARY KEY (id);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT pk_retirement PRIMARY KEY (id);
ALTER TABLE ONLY public.unit_range
    ADD CONSTRAINT pk_unit_range PRIMARY KEY (id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT uq_assessment_run_input_digest UNIQUE (input_digest);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT uq_batch_period_id_vintage UNIQUE (period_id, vintage);
ALTER TABLE ONLY public.batch
    ADD CONSTRAINT uq_batch_project_id_number UNIQUE (project_id, number);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT uq_certificate_number UNIQUE (number);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_number UNIQUE (number);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT uq_event_seal_event_id UNIQUE (event_id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT uq_event_seal_hash UNIQUE (hash);
ALTER TABLE ONLY public.finding
    ADD CONSTRAINT uq_finding_parcel_id_version_programme_id_programme_ver_3f9e UNIQUE (parcel_id, version, programme_id, programme_version, rule, input_digest);
ALTER TABLE ONLY public.layer
    ADD CONSTRAINT uq_layer_sha256_kind UNIQUE (sha256, kind);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT uq_party_identity_hash UNIQUE (identity_hash);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT uq_party_uscc UNIQUE (uscc);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT uq_project_adcode_number UNIQUE (adcode, number);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT uq_project_external_number UNIQUE (external_number);
ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT uq_reservation_holder_ref_claim_id_parcel_id_vintage UNIQUE (holder_ref, claim_id, parcel_id, vintage);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT uq_retirement_number UNIQUE (number);
CREATE INDEX ix_actor_party_id ON public.actor USING btree (party_id);
CREATE INDEX ix_assessment_parcel_id_year ON public.assessment USING btree (parcel_id, year);
CREATE INDEX ix_assessment_run_project_id ON public.assessment_run USING btree (project_id);
CREATE INDEX ix_claim_geometry ON public.claim USING gist (geometry);
CREATE INDEX ix_claim_parcel_id ON public.claim USING btree (parcel_id);
CREATE INDEX ix_claim_project_id ON public.claim USING btree (project_id);
CREATE INDEX ix_division_boundary ON public.division USING gist (boundary);
CREATE INDEX ix_division_parent_code ON public.division USING btree (parent_code);
CREATE INDEX ix_entry_event_id ON public.entry USING btree (event_id);
CREATE INDEX ix_entry_source_id ON public.entry USING btree (source_id);
CREATE INDEX ix_entry_target_id ON public.entry USING btree (target_id);
CREATE INDEX ix_event_subject ON public.event USING btree (subject_kind, subject_id);
CREATE INDEX ix_event_xid_number ON public.event USING btree (xid, number);
CREATE INDEX ix_exclusion_geometry ON public.exclusion USING gist (geometry);
CREATE INDEX ix_import_batch_actor_id ON public.import_batch USING btree (actor_id);
CREATE INDEX ix_import_row_parcel_id ON public.import_row USING btree (parcel_id);
CREATE INDEX ix_import_row_shape_digest ON public.import_row USING btree (shape_digest);
CREATE INDEX ix_job_state ON public.job USING btree (state);
CREATE INDEX ix_parcel_decision_parcel_id ON public.parcel_decision USING btree (parcel_id);
CREATE INDEX ix_parcel_division_code ON public.parcel USING btree (division_code);
CREATE INDEX ix_parcel_geometry ON public.parcel USING gist (geometry);
CREATE INDEX ix_parcel_owner_id ON public.parcel USING btree (owner_id);
CREATE INDEX ix_parcel_shape_digest ON public.parcel USING btree (shape_digest);
CREATE INDEX ix_parcel_version_batch_id ON public.parcel_version USING btree (batch_id);
CREATE INDEX ix_party_division_code ON public.party USING btree (division_code);
CREATE INDEX ix_unit_range_account_id ON public.unit_range USING btree (account_id) WHERE (closed_by IS NULL);
CREATE UNIQUE INDEX uq_account_place ON public.account USING btree (asset, kind, party_id, reference) NULLS NOT DISTINCT;
CREATE TRIGGER assessment_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.assessment FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER assessment_run_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.assessment_run FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER batch_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.batch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER certificate_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.certificate FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER claim_ground_insert AFTER INSERT ON public.claim REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_claim_ground();
CREATE TRIGGER claim_ground_update AFTER UPDATE ON public.claim REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_claim_ground();
CREATE TRIGGER cohort_table_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.cohort_table FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER entry_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER event_seal_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_seal FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER finding_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.finding FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER histogram_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.histogram FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER layer_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.layer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_approval BEFORE INSERT OR UPDATE ON public.parcel FOR EACH ROW EXECUTE FUNCTION public.check_parcel_approval();
CREATE TRIGGER parcel_decision_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_decision FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER parcel_ground_insert AFTER INSERT ON public.parcel REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_parcel_ground();
CREATE TRIGGER parcel_ground_update AFTER UPDATE ON public.parcel REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.check_parcel_ground();
CREATE TRIGGER parcel_version_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.parcel_version FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER programme_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.programme FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER retirement_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.retirement FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.account
    ADD CONSTRAINT fk_account_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT fk_actor_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT fk_actor_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.assessment
    ADD CONSTRAINT fk_assessment_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.assessment
    ADD CONSTRAINT fk_assessment_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.assessment_run
    ADD CONSTRAINT fk_assessment_run_table_digest_cohort_table FOREIGN KEY (table_digest) REFERENCES public.cohort_table(digest);
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
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT fk_claim_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.claim
    ADD CONSTRAINT fk_claim_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.division
    ADD CONSTRAINT fk_division_parent_code_division FOREIGN KEY (parent_code) REFERENCES public.division(code);
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
    ADD CONSTRAINT fk_import_row_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.job
    ADD CONSTRAINT fk_job_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT fk_parcel_decision_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT fk_parcel_decision_parcel_id_version_parcel_version FOREIGN KEY (parcel_id, version) REFERENCES public.parcel_version(parcel_id, version);
ALTER TABLE ONLY public.parcel_decision
    ADD CONSTRAINT fk_parcel_decision_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT fk_parcel_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT fk_parcel_owner_id_party FOREIGN KEY (owner_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.parcel
    ADD CONSTRAINT fk_parcel_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT fk_parcel_version_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT fk_parcel_version_batch_id_batch_row_import_row FOREIGN KEY (batch_id, batch_row) REFERENCES public.import_row(batch_id, "row") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.parcel_version
    ADD CONSTRAINT fk_parcel_version_parcel_id_parcel FOREIGN KEY (parcel_id) REFERENCES public.parcel(id);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT fk_party_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_project_id_project FOREIGN KEY (project_id) REFERENCES public.project(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_run_id_assessment_run FOREIGN KEY (run_id) REFERENCES public.assessment_run(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_submitted_by_actor FOREIGN KEY (submitted_by) REFERENCES public.actor(id);
ALTER TABLE ONLY public.period
    ADD CONSTRAINT fk_period_verifier_id_party FOREIGN KEY (verifier_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT fk_project_programme_id_programme_version_programme FOREIGN KEY (programme_id, programme_version) REFERENCES public.programme(id, version);
ALTER TABLE ONLY public.project
    ADD CONSTRAINT fk_project_proponent_id_party FOREIGN KEY (proponent_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.reservation
    ADD CONSTRAINT fk_reservation_claim_id_parcel_id_vintage_capacity FOREIGN KEY (claim_id, parcel_id, vintage) REFERENCES public.capacity(claim_id, parcel_id, vintage);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT fk_retirement_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.retirement
    ADD CONSTRAINT fk_retirement_holder_id_party FOREIGN KEY (holder_id) REFERENCES public.party(id);
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
GRANT USAGE ON SCHEMA public TO tanhui_app;
REVOKE ALL ON FUNCTION public.post_legs(event uuid, legs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.post_legs(event uuid, legs jsonb) TO tanhui_app;
GRANT SELECT ON TABLE public.account TO tanhui_app;
GRANT INSERT(id) ON TABLE public.account TO tanhui_app;
GRANT INSERT(asset) ON TABLE public.account TO tanhui_app;
GRANT INSERT(kind) ON TABLE public.account TO tanhui_app;
GRANT INSERT(party_id) ON TABLE public.account TO tanhui_app;
GRANT INSERT(reference) ON TABLE public.account TO tanhui_app;
GRANT INSERT(overdraft) ON TABLE public.account TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(roles) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(division_code) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(party_id) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(active) ON TABLE public.actor TO tanhui_app;
GRANT SELECT ON TABLE public.alembic_version TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.assessment TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.assessment_run TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.batch TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(version) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(run_id) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(cap_kg) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(committed_kg) ON TABLE public.capacity TO tanhui_app;
GRANT UPDATE(short_kg) ON TABLE public.capacity TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.certificate TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.claim TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.claim TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.cohort_table TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.division TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.division TO tanhui_app;
GRANT UPDATE(valid_to_year) ON TABLE public.division TO tanhui_app;
GRANT UPDATE(boundary) ON TABLE public.division TO tanhui_app;
GRANT SELECT ON TABLE public.entry TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.event TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.event_seal TO tanhui_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.exclusion TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.finding TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.histogram TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.idempotency TO tanhui_app;
GRANT UPDATE(body) ON TABLE public.idempotency TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(accepted) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(refused) ON TABLE public.import_batch TO tanhui_app;
GRANT UPDATE(questioned) ON TABLE public.import_batch TO tanhui_app;
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
GRANT SELECT,INSERT ON TABLE public.layer TO tanhui_app;
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
GRANT SELECT,INSERT ON TABLE public.parcel_version TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.party TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.party TO tanhui_app;
GRANT UPDATE(bank_account) ON TABLE public.party TO tanhui_app;
GRANT UPDATE(bank_account_kind) ON TABLE public.party TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.period TO tanhui_app;
GRANT UPDATE(status) ON TABLE public.period TO tanhui_app;
GRANT UPDATE(verifier_id) ON TABLE public.period TO tanhui_app;
GRANT UPDATE(verified_kg) ON TABLE public.period TO tanhui_app;
GRANT UPDATE(statement_sha256) ON TABLE public.period TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.programme TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.project TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.project TO tanhui_app;
GRANT UPDATE(external_number) ON TABLE public.project TO tanhui_app;
GRANT UPDATE(document_sha256) ON TABLE public.project TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.reservation TO tanhui_app;
GRANT UPDATE(kg) ON TABLE public.reservation TO tanhui_app;
GRANT UPDATE(state) ON TABLE public.reservation TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.retirement TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.unit_range TO tanhui_app;
GRANT UPDATE(closed_by) ON TABLE public.unit_range TO tanhui_app;
