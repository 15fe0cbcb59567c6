"""``tanhui factor``: every parameter with unit, source, date and mark; any equation by its key."""

from typing import Annotated, Any

import typer

from registry.errors import InvalidValueError, NotFoundError
from sinks import biomass, growth, tables
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


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List every row of the tables."""
    rows = tables.methods()
    lines = [
        f"{row['table']:<16} {row['key']:<40} [{MARKS[str(row['mark'])]}] {row['source']}"
        for row in rows
    ]
    show(rows, as_json=json, lines=lines)


@app.command("show")
def show_(key: str, *, json: Json = False) -> None:
    """Show the rows of a key: values, unit, domain, source, date checked, mark."""
    rows = [row for row in tables.methods() if row["key"] == key]
    if not rows:
        raise NotFoundError(what="factor", id=key)
    lines = [f"{name}: {value}" for row in rows for name, value in row.items()]
    show(rows, as_json=json, lines=lines)


@app.command("eval")
def eval_(
    key: str,
    values: Annotated[list[str], typer.Argument(help="name=value ..., e.g. d_cm=15 h_m=12")],
    *,
    json: Json = False,
) -> None:
    """Evaluate a tree equation, or a growth curve at ``age=``, with its flags."""
    named = dict(_named(pair) for pair in values)
    if key in tables.growth():
        row = tables.growth()[key]
        answer, flags = growth.evaluate(row, [named.pop("age", named.pop("age_yr", float("nan")))])
        unit = row.unit
    else:
        answer, unit, flags = biomass.evaluate(key, **{k: [v] for k, v in named.items()})
    flag = int(flags[0])
    result: dict[str, Any] = {
        "key": key,
        "value": float(answer[0]),
        "unit": unit,
        "flags": flag,
        "in_domain": flag == 0,
    }
    note = "" if flag == 0 else "（超出适用范围，已截断 outside its domain, clipped）"
    show(result, as_json=json, lines=[f"{key} = {result['value']:.6g} {unit}{note}"])


def _named(pair: str) -> tuple[str, float]:
    name, _, value = pair.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise InvalidValueError(field=name, value=value, why="应为数字 a number") from None
