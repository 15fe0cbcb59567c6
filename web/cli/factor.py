"""``tanhui factor``: every parameter with unit, source, date and mark; any row by its key."""

from dataclasses import asdict
from typing import Annotated

import typer

from registry.errors import InvalidValueError, NotFoundError
from sinks import factors, tables
from web import messages
from web.cli.acting import Json
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="参数与方程 Factors and equations.")
MARKS = {
    "read": "已核对",
    "secondary": "二手来源",
    "recalled": "待核实",
    "computed": "推算",
    "proposed": "建议值",
}
TO_CHECK = "待核实"


def _mark(mark: str, *, provisional: bool) -> str:
    words = MARKS[mark]
    return f"{words}·{TO_CHECK}" if provisional and words != TO_CHECK else words


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List every row of the tables."""
    rows = tables.methods()
    lines = [
        f"{row['table']:<16} {row['key']:<40}"
        f" [{_mark(str(row['mark']), provisional=bool(row['provisional']))}] {row['source']}"
        for row in rows
    ]
    show(rows, as_json=json, lines=lines)


@app.command("show")
def show_(key: str, *, json: Json = False) -> None:
    """Show the rows of a key: values, unit, domain, source, date checked, mark."""
    table, _, name = key.rpartition("/")
    rows = [
        row for row in tables.methods() if row["key"] == name and table in {"", str(row["table"])}
    ]
    if not rows:
        raise NotFoundError(what="factor", id=key)
    lines = [f"{name}: {value}" for row in rows for name, value in row.items()]
    show(rows, as_json=json, lines=lines)


@app.command("eval")
def eval_(
    key: Annotated[str, typer.Argument(help="KEY, TABLE/KEY, or the name of a tree model")],
    values: Annotated[
        list[str] | None, typer.Argument(help="name=value ..., e.g. d_cm=15 h_m=12")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Evaluate any row or equation, with its unit, source and flags; a constant takes no values."""
    given = dict(_named(pair) for pair in values or [])
    if "age" in given:
        given["age_yr"] = given.pop("age")
    answer = factors.evaluate(key, given)
    main = next(iter(answer.outputs.values()))
    result = {
        "table": answer.table,
        "key": answer.key,
        "inputs": dict(answer.inputs),
        "value": main.value,
        "unit": main.unit,
        "outputs": {name: asdict(one) for name, one in answer.outputs.items()},
        "flags": list(answer.flags),
        "in_domain": answer.in_domain,
        "provisional": answer.is_provisional,
        "marks": sorted({row.mark for row in answer.rows}),
        "region": sorted({row.region for row in answer.rows}),
        "domain": sorted({row.domain for row in answer.rows if row.domain}),
        "sources": list(answer.sources),
    }
    lines = [f"{name} = {one.value:.6g} {one.unit}" for name, one in answer.outputs.items()]
    lines += [f"! {messages.say(flag, {}).zh} {messages.say(flag, {}).en}" for flag in answer.flags]
    lines += [f"[{TO_CHECK} to be checked]"] if answer.is_provisional else []
    show(result, as_json=json, lines=lines + [f"← {source}" for source in answer.sources])


def _named(pair: str) -> tuple[str, float]:
    name, _, value = pair.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise InvalidValueError(field=name, value=value, why="应为数字 a number") from None
