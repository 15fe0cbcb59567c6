"""``tanhui factor``: every parameter with unit, source, date and mark; any row by its key."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from registry.errors import InvalidValueError, NotFoundError
from sinks import calibration, factors, plots, tables
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


@app.command()
def fit(
    form: Annotated[str, typer.Argument(help="chapman_richards, logistic, korf, power or linear")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="age_yr,value")],
    *,
    json: Json = False,
) -> None:
    """Fit a growth curve to local plots; what it prints is a row of growth.csv in the making."""
    rows = read_columns(file, ("age_yr", "value"))
    found = calibration.fit(form, rows["age_yr"], rows["value"])
    result = asdict(found) | {"params": found.params, "unidentified": list(found.unidentified)}
    lines = [
        f"{found.form}: {found.params}",
        f"n = {found.n}, rmse = {found.rmse:.4g}, R² = {found.r2:.4f}",
        f"适用年龄 calibrated ages {found.age_min_yr:g}-{found.age_max_yr:g}",
    ]
    lines += [f"! 样地不能确定 not fixed by the plots: {one}" for one in found.unidentified]
    show(result, as_json=json, lines=lines)


@app.command()
def plot(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="species_cn,d_cm,h_m[,crown_length_m]"),
    ],
    *,
    radius: Annotated[float | None, typer.Option(help="m, along the slope")] = None,
    side: Annotated[float | None, typer.Option(help="m, along the slope")] = None,
    slope: Annotated[float, typer.Option(help="Rise over run, 45 degrees is 1")] = 0.0,
    json: Json = False,
) -> None:
    """Carbon of a plot's tree list by every published equation that knows its species."""
    area = plots.horizontal_area_m2(radius_m=radius, side_m=side, slope=slope)
    band = plots.tree_band(_trees(file), area_m2=area)
    lines = [f"样地水平面积 map area {area:.1f} m2"]
    for one in band.estimates:
        notes = [] if one.with_roots else ["不含根 no roots"]
        notes += [f"{one.uncounted} 株未计 trees not counted"] if one.uncounted else []
        notes += [messages.say(code, {}).zh for code in factors.size_flags(one.flags)]
        lines.append(f"{one.carbon_t_ha:9.3f} t C/ha  {one.model}  {'；'.join(notes)}")
    if band.low_t_ha is not None:
        lines.append(f"含根区间 with roots {band.low_t_ha:.3f} - {band.high_t_ha:.3f} t C/ha")
    show(asdict(band) | {"area_m2": area}, as_json=json, lines=lines)


def _trees(file: Path) -> plots.TreeList:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        has_crown = "crown_length_m" in (next(csv.reader(opened), None) or ())
    numbers = ("d_cm", "h_m", *(("crown_length_m",) if has_crown else ()))
    rows = read_columns(file, numbers, words=("species_cn",))
    return plots.TreeList(
        species_cn=tuple(rows["species_cn"]),
        d_cm=tuple(rows["d_cm"]),
        h_m=tuple(rows["h_m"]),
        crown_length_m=tuple(rows["crown_length_m"]) if has_crown else None,
    )


def read_columns(
    file: Path, numbers: Sequence[str], *, words: Sequence[str] = ()
) -> dict[str, list[Any]]:
    """Columns of a CSV file by name; a cell that is no number is named by its line.

    Raises
    ------
    InvalidValueError : a column is missing or a cell is no number.
    """
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        for name in (*words, *numbers):
            if name not in (reader.fieldnames or ()):
                raise InvalidValueError(field=name, value="", why="缺少此列 no such column")
        rows = list(reader)
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in words}
    for name in numbers:
        columns[name] = [_number(name, i, row[name]) for i, row in enumerate(rows, start=2)]
    return columns


def _number(name: str, line: int, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        why = f"第 {line} 行应为数字 line {line}: a number"
        raise InvalidValueError(field=name, value=text, why=why) from None


def _named(pair: str) -> tuple[str, float]:
    name, _, value = pair.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise InvalidValueError(field=name, value=value, why="应为数字 a number") from None
