"""``tanhui division``: in which divisions a place lies, which codes there are, own files."""

from pathlib import Path
from typing import Annotated, Final

import typer

from registry import counties, division_lookup, divisions
from registry.canonical import digest
from registry.db import perform, transaction
from registry.division_files import read_divisions
from registry.reads import places
from web import database
from web.cli.acting import As, Json, acting, now
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="行政区划 Administrative divisions.")

LEVELS: Final = {
    "province": "省",
    "city": "市",
    "county": "县",
    "township": "乡镇",
    "village": "村",
}
_UNKNOWN: Final = {
    "outside": "不在已知边界内 outside every boundary known at this level",
    "no_boundary": "没有边界，未知 no boundary is loaded at this level: not known",
}


@app.command(context_settings={"ignore_unknown_options": True})
def at(
    lon: Annotated[float, typer.Argument(help="经度 Longitude, CGCS2000 degrees")],
    lat: Annotated[float, typer.Argument(help="纬度 Latitude")],
    *,
    year: Annotated[int | None, typer.Option(help="年份 As of; this year if none")] = None,
    json: Json = False,
) -> None:
    """Say in which divisions a point lies, from the province down to the village."""
    with transaction(database.app_engine()) as session:
        found = division_lookup.at_point(session, lon=lon, lat=lat, year=year or now().year)
    show(found, as_json=json, lines=[_line(one) for one in found.levels])


@app.command("list")
def list_(
    parent: Annotated[
        str | None, typer.Argument(help="上级代码 Below this; else provinces")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """List the divisions directly below one, with the years of their codes."""
    with transaction(database.app_engine()) as session:
        found = places.divisions(session, None, places.DivisionQuery(parent=parent))
    lines = [
        f"{one.code}  {LEVELS[one.level]}  {_years(one.valid_from_year, one.valid_to_year)}"
        f"  {'有边界' if one.has_boundary else '—'}  {one.name}"
        for one in found.items
    ]
    show(found, as_json=json, lines=lines or ["没有 none"])


@app.command("show")
def show_(
    code: Annotated[str, typer.Argument(help="二到十二位代码 Two to twelve digits")],
    *,
    json: Json = False,
) -> None:
    """Show a division: name, years, source, what lies above it."""
    with transaction(database.app_engine()) as session:
        found = division_lookup.view(session, code)
    outline = "有边界 with a boundary" if found.has_boundary else "没有边界 no boundary"
    years = _years(found.valid_from_year, found.valid_to_year)
    lines = [
        f"{found.code}  {found.name}  {LEVELS[found.level]}  {years}  {outline}",
        f"  来源 source: {found.source}",
        *(f"  上级 above: {one}" for one in found.above),
    ]
    show(found, as_json=json, lines=lines)


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV，或带边界的 GeoJSON 等")
    ],
    *,
    county: Annotated[str, typer.Option(help="六位区划代码 Only this county's rows")],
    source: Annotated[str, typer.Option(help="来源 Where the boundaries come from")],
    year: Annotated[int | None, typer.Option(help="启用年 From, where rows say none")] = None,
    crs: Annotated[str | None, typer.Option(help="Reference system of the file")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file, e.g. GB18030")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Load codes and boundaries with the years they count; the same file again changes nothing.

    A row with a last year (valid_to_year, 撤销年) ends its code and keeps it for the records of
    its time.
    """
    own = read_divisions(file, adcode=county, crs=crs, encoding=encoding)
    rows = counties.county_divisions(county, [own])
    command = divisions.LoadDivisions(
        at=now(),
        actor_id=acting(as_),
        key=f"division:{county}:{digest(rows).hex()[:32]}",
        valid_from_year=year or now().year,
        source=source,
        rows=rows,
    )
    done = perform(database.app_engine(), divisions.load, command)
    said = f"新增 new {done.new}  边界 boundaries {done.outlined}  撤销 ended {done.ended}"
    show(done, as_json=json, lines=[f"{said}  其他县 rows of others, left: {own.others}"])


def _line(one: division_lookup.LevelAt) -> str:
    head = LEVELS[one.level].ljust(2, "　")
    if one.code is None:
        return f"{head}  {_UNKNOWN[one.known]}"
    how = "" if one.known == "boundary" else "（由下级得知 by the one below）"
    return f"{head}  {one.code}  {one.name}  {_years(one.valid_from_year, one.valid_to_year)}{how}"


def _years(first: int | None, last: int | None) -> str:
    return f"{first}–{last or ''}"
