CREATE SCHEMA public;
ALTER SCHEMA public OWNER TO pg_database_owner;
CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
        BEGIN
          RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '55000';
        END $$;
ALTER FUNCTION public.refuse_change() OWNER TO tanhui_owner;
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
CREATE TABLE public.idempotency (
    actor_id uuid NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    body text,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE public.idempotency OWNER TO tanhui_owner;
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
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT pk_actor PRIMARY KEY (id);
ALTER TABLE ONLY public.division
    ADD CONSTRAINT pk_division PRIMARY KEY (code);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT pk_event PRIMARY KEY (id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT pk_event_seal PRIMARY KEY (pos);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT pk_idempotency PRIMARY KEY (actor_id, key);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT pk_party PRIMARY KEY (id);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT uq_event_number UNIQUE (number);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT uq_event_seal_event_id UNIQUE (event_id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT uq_event_seal_hash UNIQUE (hash);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT uq_party_identity_hash UNIQUE (identity_hash);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT uq_party_uscc UNIQUE (uscc);
CREATE INDEX ix_actor_party_id ON public.actor USING btree (party_id);
CREATE INDEX ix_division_boundary ON public.division USING gist (boundary);
CREATE INDEX ix_division_parent_code ON public.division USING btree (parent_code);
CREATE INDEX ix_event_subject ON public.event USING btree (subject_kind, subject_id);
CREATE INDEX ix_event_xid_number ON public.event USING btree (xid, number);
CREATE INDEX ix_party_division_code ON public.party USING btree (division_code);
CREATE TRIGGER event_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER event_seal_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.event_seal FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT fk_actor_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.actor
    ADD CONSTRAINT fk_actor_party_id_party FOREIGN KEY (party_id) REFERENCES public.party(id);
ALTER TABLE ONLY public.division
    ADD CONSTRAINT fk_division_parent_code_division FOREIGN KEY (parent_code) REFERENCES public.division(code);
ALTER TABLE ONLY public.event
    ADD CONSTRAINT fk_event_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.event_seal
    ADD CONSTRAINT fk_event_seal_event_id_event FOREIGN KEY (event_id) REFERENCES public.event(id);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT fk_idempotency_actor_id_actor FOREIGN KEY (actor_id) REFERENCES public.actor(id);
ALTER TABLE ONLY public.party
    ADD CONSTRAINT fk_party_division_code_division FOREIGN KEY (division_code) REFERENCES public.division(code);
GRANT USAGE ON SCHEMA public TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(roles) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(division_code) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(party_id) ON TABLE public.actor TO tanhui_app;
GRANT UPDATE(active) ON TABLE public.actor TO tanhui_app;
GRANT SELECT ON TABLE public.alembic_version TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.division TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.division TO tanhui_app;
GRANT UPDATE(valid_to_year) ON TABLE public.division TO tanhui_app;
GRANT UPDATE(boundary) ON TABLE public.division TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.event TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.event_seal TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.idempotency TO tanhui_app;
GRANT UPDATE(body) ON TABLE public.idempotency TO tanhui_app;
GRANT SELECT,INSERT ON TABLE public.party TO tanhui_app;
GRANT UPDATE(name) ON TABLE public.party TO tanhui_app;
GRANT UPDATE(bank_account) ON TABLE public.party TO tanhui_app;
GRANT UPDATE(bank_account_kind) ON TABLE public.party TO tanhui_app;
