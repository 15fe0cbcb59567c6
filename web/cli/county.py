"""``tanhui county``: begin a county without demo rows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy import Engine

from registry import counties, divisions, nation, people, programmes
from registry.canonical import digest
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.division_files import OwnDivisions, read_divisions
from registry.errors import RegistryError
from web import database
from web.accounts import logins
from web.accounts.passwords import hashed, one_time
from web.cli.acting import Json, now
from web.cli.output import show
from web.demo.county import division_rows
from web.preparing import prepare

app = typer.Typer(no_args_is_help=True, help="县 A county.")
SOURCE: Final = f"{nation.SOURCE}；衢州边界：天地图，示意"


class CompanyNamedError(RegistryError):
    """The county was begun with a company of another name."""

    code = "COUNTY_COMPANY_NAMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a county has now; the password is shown this once."""

    adcode: str
    county: str
    company: str
    divisions: int
    new_divisions: int
    has_boundary: bool
    rows_of_others: int
    programmes: int
    administrator: str
    one_time_password: str | None


@app.command()
def init(
    *,
    adcode: Annotated[str, typer.Option(help="六位区划代码 Six-digit code of any county")],
    name: Annotated[str, typer.Option(help="收储公司 Name of the collection company")],
    own: Annotated[
        list[Path] | None,
        typer.Option(
            "--divisions",
            exists=True,
            dir_okay=False,
            help="本县区划，可重复：CSV，或带边界的 GeoJSON 等 own villages, boundaries",
        ),
    ] = None,
    crs: Annotated[str | None, typer.Option(help="Reference system of those files")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of those files, e.g. GB18030")] = None,
    json: Json = False,
) -> None:
    """Make an empty county: divisions, company, programmes, an administrator; safe to repeat."""
    told = [packaged(adcode)]
    told += [read_divisions(one, adcode=adcode, crs=crs, encoding=encoding) for one in own or []]
    rows = counties.county_divisions(adcode, told)
    prepare(say=lambda line: typer.echo(line, err=True))
    engine = database.app_engine()
    check_company(engine, adcode, name)
    with transaction(engine) as session:
        new = divisions.missing(session, [row.code for row in rows])
    load(engine, adcode, rows, own or [])
    perform(engine, people.add_party, _company(adcode, name))
    adopt(engine, adcode)
    username, password = administrator(engine, adcode)
    with transaction(engine) as session:
        boundary = divisions.boundary(session, adcode)
    begun = Begun(
        adcode=adcode,
        county=next(row.name for row in rows if row.code == divisions.full_code(adcode)),
        company=name,
        divisions=len(rows),
        new_divisions=len(new),
        has_boundary=boundary is not None,
        rows_of_others=sum(one.others for one in told),
        programmes=len(programmes.packaged()),
        administrator=username,
        one_time_password=password,
    )
    show(begun, as_json=json, lines=_lines(begun))


def packaged(adcode: str) -> OwnDivisions:
    """Return what is packaged beyond the nation's table: villages and outlines of Quzhou."""
    mine = tuple(row for row in division_rows() if row.code.startswith(adcode))
    return OwnDivisions(rows=mine, others=0)


def load(
    engine: Engine, adcode: str, rows: Sequence[divisions.DivisionRow], files: Sequence[Path]
) -> divisions.Loaded:
    """Load the county's divisions; the same rows again change nothing."""
    names = "、".join(file.name for file in files)
    command = divisions.LoadDivisions(
        at=now(),
        actor_id=SYSTEM_ACTOR,
        key=f"county:{adcode}:divisions:{digest(rows).hex()[:16]}",
        valid_from_year=nation.VALID_FROM_YEAR,
        source=f"{SOURCE}；{names}" if names else SOURCE,
        rows=rows,
    )
    return perform(engine, divisions.load, command)


def check_company(engine: Engine, adcode: str, name: str) -> None:
    """Refuse a second collection company, before anything is written.

    Raises
    ------
    CompanyNamedError : the county has one of another name.
    """
    with transaction(engine) as session:
        known = people.party_name(session, _reference(adcode))
    if known not in (None, name):
        raise CompanyNamedError(adcode=adcode, known=known, given=name)


def _company(adcode: str, name: str) -> people.AddParty:
    return people.AddParty(
        at=now(),
        actor_id=SYSTEM_ACTOR,
        key=f"county:{adcode}:company",
        kind="company",
        name=name,
        division_code=adcode,
        reference=_reference(adcode),
    )


def _reference(adcode: str) -> str:
    return f"COMPANY-{adcode}"


def adopt(engine: Engine, adcode: str) -> None:
    """Adopt the packaged programmes."""
    for programme, source in programmes.packaged().items():
        command = programmes.AdoptProgramme(
            at=now(),
            actor_id=SYSTEM_ACTOR,
            key=f"county:{adcode}:programme:{programme}",
            source=source,
        )
        perform(engine, programmes.adopt, command)


def administrator(engine: Engine, adcode: str) -> tuple[str, str | None]:
    """Let a first administrator sign in; return the name and, when it is new, the password."""
    username = f"admin-{adcode}"
    with transaction(engine) as session:
        if logins.find(session, username) is not None:
            return username, None
    actor = people.AddActor(
        at=now(),
        actor_id=SYSTEM_ACTOR,
        key=f"county:{adcode}:administrator",
        name="县管理员",
        roles=["county"],
        division_code=adcode,
    )
    actor_id = perform(engine, people.add_actor, actor).actor_id
    password = one_time()
    login = logins.AddLogin(
        at=now(),
        actor_id=SYSTEM_ACTOR,
        key=f"county:{adcode}:login:{hashlib.sha256(password.encode()).hexdigest()[:16]}",
        username=username,
        password_hash=hashed(password),
        for_actor_id=actor_id,
        once=True,
    )
    perform(engine, logins.add_login, login)
    return username, password


def _lines(begun: Begun) -> list[str]:
    outline = (
        "有边界 with a boundary"
        if begun.has_boundary
        else "无边界：导入时不检查是否出界 no boundary: imports are not checked against it"
    )
    lines = [
        f"{begun.adcode} {begun.county}  {begun.company}",
        f"  区划 divisions: {begun.divisions}（新增 new {begun.new_divisions}），{outline}",
        f"  方案 programmes: {begun.programmes}",
    ]
    if begun.rows_of_others:
        lines.append(f"  文件中其他县 rows of other counties, left: {begun.rows_of_others}")
    if begun.one_time_password is None:
        lines.append(f"  管理员 administrator: {begun.administrator}（已有 known already）")
    else:
        lines += [
            f"  管理员 administrator: {begun.administrator}",
            (
                f"  一次性密码 one-time password: {begun.one_time_password}"
                "（只显示一次，首次登录须更换 shown once; the first sign-in replaces it）"
            ),
        ]
    lines += [
        "下一步 Next:",
        f"  tanhui user add NAME --role township --division {begun.adcode}",
        f"  tanhui parcel import FILE --division {begun.adcode} --dry-run",
        "  tanhui work    # 后台任务 jobs",
        "  tanhui serve",
    ]
    if not begun.has_boundary:
        lines.insert(
            -4,
            f"  tanhui county init --adcode {begun.adcode} --name {begun.company}"
            " --divisions BOUNDARY.geojson",
        )
    return lines
