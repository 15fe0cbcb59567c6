"""Who may do what to a table, in the words the migrations use."""

import sqlalchemy as sa
from alembic import op

APP = "tanhui_app"


def record_table(name: str) -> None:
    """Make ``name`` a record: the application may add and read rows, nobody may change them."""
    op.execute(f"GRANT SELECT, INSERT ON {name} TO {APP}")
    op.execute(
        f"CREATE TRIGGER {name}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def state_table(name: str, *, update: str = "", delete: bool = False) -> None:
    """Make ``name`` a state table: the application may change the columns in ``update`` only."""
    op.execute(f"GRANT SELECT, INSERT ON {name} TO {APP}")
    if update:
        op.execute(f"GRANT UPDATE ({update}) ON {name} TO {APP}")
    if delete:
        op.execute(f"GRANT DELETE ON {name} TO {APP}")


class Xid8(sa.types.UserDefinedType):
    """PostgreSQL's 64-bit transaction number, as the migrations name it."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return the type's name in DDL."""
        return "xid8"


SEES_ALL = "(SELECT sees_all())"
ACTS_ALL = "(SELECT acts_for_all())"
MAY_WRITE = "(SELECT may_write())"
KNOWN = "(SELECT acts_as()) IS NOT NULL"


def under(column: str) -> str:
    """Return the condition that a division lies below the one whose staff acts."""
    return f"{column} LIKE (SELECT acts_under())"


def own(column: str) -> str:
    """Return the condition that a party is the actor's own."""
    return f"{column} = (SELECT acts_for())"


def me(column: str) -> str:
    """Return the condition that an actor is the one who acts."""
    return f"{column} = (SELECT acts_as())"


def follows(parent: str, link: str) -> str:
    """Return the condition that the row this one belongs to is one the actor sees."""
    return f"EXISTS (SELECT FROM {parent} u WHERE {link})"


def secure(
    table: str, *, see: str, add: str = "", change: str = "", keep: str = "", remove: str = ""
) -> None:
    """Let each actor meet only their rows of ``table``; what no policy allows is denied.

    Parameters
    ----------
    see : which rows are shown, beside all of them to auditors and the system.
    add : which rows may be written, beside any by the system; ``see`` if not given.
    change, keep : which rows may be changed or locked, and what they may become (``change``).
    remove : which rows may be deleted.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    written = {
        "INSERT": ("", add or see),
        "UPDATE": (change, keep or change),
        "DELETE": (remove, ""),
    }
    op.execute(f"CREATE POLICY {table}_select ON {table} FOR SELECT USING ({SEES_ALL} OR {see})")
    for act, (using, check) in written.items():
        parts = [
            f"{word} ({ACTS_ALL} OR ({MAY_WRITE} AND ({condition})))"
            for word, condition in (("USING", using), ("WITH CHECK", check))
            if condition
        ]
        if parts:
            name = f"{table}_{act.lower()}"
            op.execute(f"CREATE POLICY {name} ON {table} FOR {act} {' '.join(parts)}")


def unsecure(table: str) -> None:
    """Undo :func:`secure`."""
    for act in ("select", "insert", "update", "delete"):
        op.execute(f"DROP POLICY IF EXISTS {table}_{act} ON {table}")
    op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
