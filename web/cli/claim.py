"""``tanhui claim``: a crediting scheme's hold on ground and years."""

import hashlib
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from geo.intake import IntakeOptions, examine
from registry import capacity, claims
from registry.db import perform, transaction
from web import database, messages
from web.cli.acting import As, Json, acting, key_of, now
from web.cli.asking import DryRun, Key, act, ask
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="占用 Claims on ground and years.")
ask(app, "capacity", capacity.set_caps, capacity.SetCaps, subject="run_id")


@app.command()
def place(
    project: UUID,
    *,
    first: Annotated[int | None, typer.Option(help="First year")] = None,
    last: Annotated[int | None, typer.Option(help="Last year, inclusive")] = None,
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Hold the ground of an approved project."""
    command = claims.PlaceClaims(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        project_id=project,
        first_year=first,
        last_year=last,
    )
    done = act(claims.place, command, dry_run=dry_run)
    words = f"{len(done.claim_ids)} × {done.first_year}-{done.last_year}, {done.area_m2:.0f} m2"
    show(done, as_json=json, lines=[words])


@app.command()
def release(
    claim_ids: list[UUID],
    *,
    reason: Annotated[str, typer.Option(help="Why")],
    key: Key = None,
    dry_run: DryRun = False,
    as_: As = None,
    json: Json = False,
) -> None:
    """Let go of claims that carry no sale and no unit."""
    command = claims.ReleaseClaims(
        at=now(), actor_id=acting(as_), key=key or uuid4().hex, claim_ids=claim_ids, reason=reason
    )
    done = act(claims.release, command, dry_run=dry_run)
    show(done, as_json=json, lines=[f"released {done.released}"])


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Polygons of outside projects", exists=True)],
    *,
    scheme: Annotated[str, typer.Option(help="Scheme of rows that name none")] = "other",
    years: Annotated[tuple[int, int] | None, typer.Option(help="First and last year")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Register outside projects' claims; a row that clashes is refused with the overlap."""
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    command = claims.ImportOutsideClaims(
        at=now(),
        actor_id=acting(as_),
        key=key_of("claim.import", sha256, scheme, years),
        file_name=file.name,
        file_sha256=sha256,
        scheme=scheme,
        years=years,
    )
    intake = examine(file, options=IntakeOptions(check_overlap=False))
    verb = partial(claims.import_outside, intake=intake)
    done = perform(database.app_engine(), verb, command)
    head = f"read {done.read} = placed {done.placed} + known {done.known}"
    lines = [f"{head} + refused {done.refused}"]
    said = [
        {"row": f.row, "code": f.code, **asdict(messages.say(f.code, {"row": f.row, **f.params}))}
        for f in done.findings
    ]
    lines += [f"[{one['code']}] {one['zh']}" for one in said]
    show(asdict(done) | {"findings": said}, as_json=json, lines=lines)
    if done.read and done.placed + done.known == 0:
        raise typer.Exit(1)


@app.command("list")
def list_(project: UUID, *, json: Json = False) -> None:
    """List the claims of a project."""
    with transaction(database.app_engine()) as session:
        held = claims.claims_of_project(session, project)
    lines = [f"{c.id}  {c.scheme}  {c.first_year}-{c.last_year}  {c.status}" for c in held]
    show([asdict(c) for c in held], as_json=json, lines=lines or ["没有占用 No claim"])
