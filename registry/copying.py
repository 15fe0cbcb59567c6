"""Bulk rows into a table by binary COPY inside the session's transaction."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session


def copy_rows(
    session: Session, table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Write ``rows`` to ``table``; ``columns`` maps each column to its PostgreSQL type.

    A geometry column is sent as ``bytea`` (its binary form is EWKB), a jsonb column takes Python
    values, not JSON text.  Constraints, triggers and
    row-level security apply as for INSERT.  The rows pass through a temporary table, because
    PostgreSQL refuses COPY into a table whose rows are secured.
    """
    names = ", ".join(columns)
    staged = f"staged_{table}"
    session.execute(
        text(f"CREATE TEMP TABLE {staged} ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0")
    )
    driver = session.connection().connection.driver_connection
    statement = f"COPY {staged} ({names}) FROM STDIN (FORMAT binary)"
    with driver.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[union-attr]
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
    session.execute(text(f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged}"))
    session.execute(text(f"DROP TABLE {staged}"))
