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
