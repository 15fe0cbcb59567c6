"""Find divisions, parties and plots by a part of their name or number, by right."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Trigrams of pg_trgm know no Chinese word of two characters, and in some locales no Chinese at all.
MADE = (
    """
    CREATE FUNCTION grams(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT coalesce(array_agg(DISTINCT substr(w, i, n)), '{}')
        FROM lower(words) w, generate_series(1, 3) n, generate_series(1, length(w) - n + 1) i
    $$
    """,
    """
    CREATE FUNCTION grams_asked(words text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
      SELECT coalesce(array_agg(substr(w, i, n)), '{}')
        FROM lower(words) w, least(length(w), 3) n, generate_series(1, length(w) - n + 1) i
    $$
    """,
    "CREATE INDEX ix_division_name_grams ON division USING gin (grams(name))",
    "CREATE INDEX ix_party_name_grams ON party USING gin (grams(name))",
    "CREATE INDEX ix_parcel_code_head ON parcel (lower(code) text_pattern_ops)",
    "CREATE INDEX ix_parcel_code_tail ON parcel (reverse(lower(code)) text_pattern_ops)",
    # A plot is known by its number's head or tail, by its owner, or by its own id.  A neighbour of
    # another township is not found: the actor's reach stands in every arm, as in the parcels' policy.
    """
    CREATE FUNCTION search_parcels(words text, most integer)
    RETURNS TABLE (id uuid, code text, kind text, status text, division text, owner text,
                   nearness integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    END $$
    """,
    # Names of divisions are open to everybody; those with a name that begins so come first.
    """
    CREATE FUNCTION search_divisions(words text, most integer)
    RETURNS TABLE (code text, name text, level text, place text, nearness integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    $$
    """,
)


def upgrade() -> None:
    for statement in MADE:
        op.execute(statement)


def downgrade() -> None:
    for name in ("search_divisions", "search_parcels"):
        op.execute(f"DROP FUNCTION {name}")
    for name in (
        "parcel_code_tail",
        "parcel_code_head",
        "party_name_grams",
        "division_name_grams",
    ):
        op.execute(f"DROP INDEX ix_{name}")
    for name in ("grams_asked", "grams"):
        op.execute(f"DROP FUNCTION {name}")
