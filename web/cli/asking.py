"""Commands that change something, asked for in one way: fields as options, or all in a JSON file.

The fields of a frozen command are its options, so a new field needs nothing here.  Common to all:
``--as`` ``--key`` ``--at`` ``--file`` ``--dry-run`` ``--json``.
"""

import hashlib
import inspect
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from registry.db import Command, CommandT, attempt, once, perform
from web import database
from web.cli.acting import acting, now
from web.cli.telling import tell
from web.parsing import GIVEN, FieldsInvalidError, field_error, parse

ResultT = TypeVar("ResultT")
BEIJING: Final = ZoneInfo("Asia/Shanghai")
Key = Annotated[str | None, typer.Option("--key", help="幂等键 a repeat with it acts once")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="试算，不写入 write nothing")]
_DIGEST: Final = "_sha256"
_TYPED: Final[Mapping[object, type]] = {int: int, UUID: UUID, float: float}
"""Types the command line itself checks; every other one is checked with the whole command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One option: where its value goes in the command, and how it is read from words."""

    path: tuple[str, ...]
    parameter: inspect.Parameter
    read: Callable[[Any], object]
    may_be_null: bool


class _RehearsedError(Exception):
    """Carries the answer of a rehearsal out of a transaction that must not be kept."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer


def ask(
    app: typer.Typer,
    name: str,
    verb: Callable[..., Any],
    kind: type[Command],
    *,
    subject: str | None = None,
    prepared: Callable[[], Callable[..., Any]] | None = None,
) -> None:
    """Add ``verb`` to a noun: one option a field of ``kind``, from its types.

    Parameters
    ----------
    app : the noun.
    name : of the verb on the command line.
    verb, kind : the function and its command, as `registry.db.perform` takes them.
    subject : the field that is named without an option, first on the line.
    prepared : gives ``verb`` with what it needs beside its command, when it is asked for.
    """
    asked = [
        one
        for field in fields(kind)
        if field.name not in GIVEN
        for one in _options(kind, field, subject=subject)
    ]

    def run(**given: Any) -> None:  # noqa: ANN401
        common = {one.name: given.pop(one.name) for one in _COMMON}
        body = _body(asked, given, common["file"])
        command = _command(kind, body, common, from_file=common["file"] is not None)
        answer = act(verb if prepared is None else prepared(), command, dry_run=common["dry_run"])
        tell(answer, as_json=common["json"], rehearsed=common["dry_run"])

    parameters = [*(one.parameter for one in asked), *_COMMON]
    run.__doc__ = (inspect.getdoc(verb) or name).partition("\n\n")[0]
    run.__dict__["__signature__"] = inspect.Signature(parameters)
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    app.command(name)(run)


def act(
    verb: Callable[[Session, CommandT], ResultT], command: CommandT, *, dry_run: bool
) -> ResultT:
    """Act once for the command's key, or rehearse it and keep nothing."""
    engine = database.app_engine()
    if not dry_run:
        return perform(engine, verb, command)
    typer.echo("试算，未写入 rehearsed: nothing is written", err=True)
    return _rehearse(engine, verb, command)


def _options(
    kind: type[Any], field: Field[Any], *, subject: str | None, path: tuple[str, ...] = ()
) -> list[Asked]:
    hints = get_type_hints(kind)[field.name]
    hint = _bare(hints)
    if is_dataclass(hint) and isinstance(hint, type):
        inner = (*path, field.name)
        return [
            one
            for part in fields(hint)
            for one in _options(hint, part, subject=subject, path=inner)
        ]
    typed, read, help_ = _reader(hint, field)
    if typed is None:
        return []
    option = field.name.removesuffix(_DIGEST).replace("_", "-")
    first = field.name == subject
    said: Any = typer.Argument(help=help_) if first else typer.Option(f"--{option}", help=help_)
    if typed is bool:
        said = typer.Option(f"--{option}/--no-{option}", help=help_)
    annotation: Any = Annotated[typed, said] if first else Annotated[typed | None, said]
    parameter = inspect.Parameter(
        field.name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=annotation,
        default=inspect.Parameter.empty if first else None,
    )
    null = _bare(hints) is not hints and not _has_default(field)
    return [Asked(path=(*path, field.name), parameter=parameter, read=read, may_be_null=null)]


def _reader(
    hint: object, field: Field[Any]
) -> tuple[type[Any] | None, Callable[[Any], object], str]:
    """Return an option's type for the command line, its reader and its help; no type: file only."""
    needed = "" if _has_default(field) else "必填 needed; "
    if (read := _file_reader(hint, field)) is not None:
        return Path, read[0], f"{needed}{read[1]}"
    if hint is bool:
        return bool, _same, needed
    if hint in _TYPED:
        return _TYPED[hint], str, needed
    if get_origin(hint) is tuple:
        member = get_args(hint)[0]
        many: Any = list[str]
        if is_dataclass(member) and isinstance(member, type):
            flat = all(_is_scalar(one) for one in get_type_hints(member).values())
            names = ",".join(f"{one.name}=…" for one in fields(member))
            return (many if flat else None), _pairs, f"{needed}可重复 may repeat: {names}"
        return (many if _is_scalar(member) else None), list, f"{needed}可重复 may repeat"
    choices = " | ".join(map(str, get_args(hint))) if get_origin(hint) else ""
    if isinstance(hint, type) and issubclass(hint, str) and hint is not str:
        choices = " | ".join(str(one) for one in hint)  # type: ignore[attr-defined]
    return str, _same, f"{needed}{choices}"


def _file_reader(hint: object, field: Field[Any]) -> tuple[Callable[[Path], object], str] | None:
    """Return how a file given for a field is read, and its help; None for what is no file."""
    if field.name.endswith(_DIGEST):
        return _sha256, "文件（取其 SHA-256） a file, kept as its SHA-256"
    if get_origin(hint) is Mapping:
        return _json_of, "JSON 文件，如 GeoJSON 几何 a file of JSON, e.g. a GeoJSON geometry"
    return None


def _body(asked: list[Asked], given: Mapping[str, Any], file: Path | None) -> dict[str, Any]:
    body: dict[str, Any] = _from_file(file) if file else {}
    for one in asked:
        value = given[one.parameter.name]
        if value is None or value == []:
            continue
        place = body
        for step in one.path[:-1]:
            held = place.get(step)
            place[step] = dict(held) if isinstance(held, dict) else {}
            place = place[step]
        place[one.path[-1]] = one.read(value)
    for one in asked:  # what may be null and has no default is null where it is not said
        inner: Any = body
        for step in one.path[:-1]:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if one.may_be_null and isinstance(inner, dict):
            inner.setdefault(one.path[-1], None)
    return body


def _from_file(file: Path) -> dict[str, Any]:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FieldsInvalidError((field_error("", "BODY_NOT_JSON", why=str(error)),)) from error
    if not isinstance(body, dict):
        raise FieldsInvalidError((field_error("", "BODY_NOT_JSON", why="{ … }"),))
    return body


def _command(
    kind: type[Command], body: Mapping[str, Any], common: Mapping[str, Any], *, from_file: bool
) -> Command:
    filled = {
        "at": _moment(common["at"]),
        "actor_id": acting(common["as_"]),
        "key": common["key"] or uuid4().hex,
    }
    try:
        return parse(kind, json.dumps(body, default=str), filled)
    except FieldsInvalidError as error:
        if from_file:
            raise
        words = "; ".join(f"{one.pointer} {one.zh} ({one.en})" for one in error.errors)
        raise typer.BadParameter(words) from error


def _rehearse(
    engine: Engine, verb: Callable[[Session, CommandT], ResultT], command: CommandT
) -> ResultT:
    """Act in a transaction that is rolled back, with every constraint checked first."""

    def work(session: Session) -> ResultT:
        answer = once(session, verb, command)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        raise _RehearsedError(answer)

    try:
        return attempt(engine, work, actor_id=command.actor_id)
    except _RehearsedError as done:
        answer: ResultT = done.answer  # type: ignore[assignment]
        return answer


def _moment(words: str | None) -> datetime:
    """Return ``--at``; without a zone it is Beijing's clock."""
    if words is None:
        return now()
    try:
        moment = datetime.fromisoformat(words)
    except ValueError as error:
        raise typer.BadParameter(f"--at {words}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _pairs(words: list[str]) -> list[dict[str, str]]:
    """Read ``vintage=2025,quantity=3000``, one a line."""
    rows: list[dict[str, str]] = []
    for line in words:
        parts = [part.partition("=") for part in line.split(",")]
        if not all(between for _, between, _ in parts):
            raise typer.BadParameter(f"{line}: name=value,name=value")
        rows.append({name.strip(): value.strip() for name, _, value in parts})
    return rows


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error


def _json_of(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise typer.BadParameter(f"{path}: {error}") from error


def _same(value: object) -> object:
    return value


def _bare(hint: Any) -> Any:  # noqa: ANN401
    """Return a type without ``| None`` and without notes to it."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        kept = [one for one in get_args(hint) if one is not type(None)]
        return _bare(kept[0]) if len(kept) == 1 else hint
    return hint


def _is_scalar(hint: object) -> bool:
    bare = _bare(hint)
    return get_origin(bare) is None and not is_dataclass(bare) and bare is not Fraction


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _common(name: str, typed: Any, said: Any, default: object = None) -> inspect.Parameter:  # noqa: ANN401
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        annotation=Annotated[typed, said],
        default=default,
    )


_COMMON: Final = (
    _common(
        "file",
        Path | None,
        typer.Option(
            "--file",
            exists=True,
            dir_okay=False,
            help="全部字段的 JSON；选项优先 all fields as JSON; options go before",
        ),
    ),
    _common("as_", UUID | None, typer.Option("--as", help="办理人 who acts; else the system")),
    _common("key", str | None, typer.Option("--key", help="幂等键 a repeat with it acts once")),
    _common("at", str | None, typer.Option("--at", help="何时生效 when it counts (ISO 8601); now")),
    _common("dry_run", bool, typer.Option("--dry-run", help="试算，不写入 write nothing"), False),
    _common("json", bool, typer.Option("--json", help="Machine-readable output"), False),
)
