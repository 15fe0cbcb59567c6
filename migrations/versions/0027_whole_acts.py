"""Write an act of the ledger as a definer that asks once who acts; policies stay for all others."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

HEAD = """
    CREATE OR REPLACE FUNCTION post(
      actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text,
      of_id text, words text, effective timestamptz, legs jsonb, takes jsonb, answer text,
      OUT replayed boolean, OUT stored_hash bytea, OUT body text)
    LANGUAGE plpgsql {rights} SET search_path = public, pg_temp AS $$
    DECLARE
      t record;
    BEGIN
      PERFORM set_config('tanhui.actor', actor::text, true);
      {asked}
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
"""
# What the policies of event and idempotency ask of a writer, in one look at the actor's row; the
# rows are the actor's own by the statements themselves.
ASKED = """
      IF NOT EXISTS (
        SELECT FROM actor a WHERE a.id = post.actor AND a.active
           AND a.roles && ARRAY['system', 'township', 'county', 'company', 'collective',
                                'farmer', 'buyer', 'verifier']) THEN
        RAISE EXCEPTION 'row-level security: who acts may not write'
          USING ERRCODE = '42501';
      END IF;
"""
REACH = """
    CREATE OR REPLACE FUNCTION check_entry_reach() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    {body} $$
"""
# The system is told apart by one look at its row: most acts of the books are its own.
ONCE = """
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
"""
EACH = """
BEGIN
  IF NOT acts_for_all() AND (NOT may_write() OR EXISTS (
    SELECT FROM added e JOIN account s ON s.id = e.source_id
     WHERE (s.party_id = (SELECT acts_for()) OR sees_account(s.party_id, s.reference))
       IS NOT TRUE)) THEN
    RAISE EXCEPTION 'row-level security: an account is not the actor''s to move from'
      USING ERRCODE = '42501';
  END IF;
  RETURN NULL;
END
"""


def upgrade() -> None:
    op.execute(HEAD.format(rights="SECURITY DEFINER", asked=ASKED.strip()))
    op.execute(REACH.format(body=ONCE))


def downgrade() -> None:
    op.execute(HEAD.format(rights="SECURITY INVOKER", asked=""))
    op.execute(REACH.format(body=EACH))
