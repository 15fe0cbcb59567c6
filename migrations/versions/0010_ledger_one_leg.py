"""The ledger moves one leg, which is most of its acts, without arrays; each change is summed once."""

from importlib import import_module

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(REFUSE_LEG)
    op.execute("REVOKE ALL ON FUNCTION refuse_leg FROM PUBLIC")
    op.execute(POST_LEGS)
    op.execute(POST)


def downgrade() -> None:
    for before in import_module("migrations.versions.0005_units").LEDGER:
        op.execute(before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute("DROP FUNCTION refuse_leg")


# Called when an account's update met no row: says which promise stood in the way.
REFUSE_LEG = """
    CREATE FUNCTION refuse_leg(from_id uuid, to_id uuid, asked bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    END $$
"""

# Accounts change in id order, so that two acts never wait for each other in a ring.
POST_LEGS = """
    CREATE OR REPLACE FUNCTION post_legs(event uuid, legs jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    END $$
"""

POST = """
    CREATE OR REPLACE FUNCTION post(
      actor uuid, request_key text, hash bytea, event uuid, event_kind text, of_kind text,
      of_id text, words text, effective timestamptz, legs jsonb, takes jsonb, answer text,
      OUT replayed boolean, OUT stored_hash bytea, OUT body text)
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    DECLARE
      t record;
    BEGIN
      PERFORM set_config('tanhui.actor', actor::text, true);
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
    END $$
"""
