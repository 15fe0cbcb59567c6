"""``tanhui label``: label a county's orchards, look a label up."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any
from uuid import uuid4

import typer

from registry.db import perform, transaction
from registry.orchards import labels
from web import database, messages
from web.cli.acting import As, Json, acting, now
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="四色标签 Orchard labels.")


@app.command()
def run(
    *,
    year: Annotated[int, typer.Option(help="Account year")],
    adcode: Annotated[str, typer.Option(help="County, 6 digits")],
    label_set: Annotated[
        str | None, typer.Option("--set", help="Label set; the programme's if not given")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is run again")] = "",
    key: Annotated[str | None, typer.Option(help="Idempotency key of this request")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Decide the label of every account for a year; earlier runs stay as they are."""
    command = labels.RunLabels(
        at=now(),
        actor_id=acting(as_),
        key=key or uuid4().hex,
        adcode=adcode,
        year=year,
        label_set=label_set,
        reason=reason,
    )
    made = perform(database.app_engine(), labels.run_labels, command)
    lines = [f"{made.rule_key} {made.rule_version}: {_counts(made.counts)}"]
    lines += [
        f"  {label.number}  {label.grade or label.state:<11}  {label.orchard_name}"
        f"  {', '.join(label.reasons)}"
        for label in made.labels
    ]
    show(made, as_json=json, lines=lines)


@app.command("show")
def show_(number: str, *, as_: As = None, json: Json = False) -> None:
    """Show what anyone may see of a label."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = labels.public_label(session, number)
    reasons = [{"code": code} | asdict(messages.say(code, _facts(found))) for code in found.reasons]
    lines = [
        f"{found.number}  {found.grade or found.state}  {found.year}",
        f"  {found.crop}  {found.place}  {found.operator or ''}",
        f"  {found.valid_from} – {found.valid_to}  {found.rule_key} {found.rule_version}",
        *(f"  {said['zh']} / {said['en']}" for said in reasons),
    ]
    if found.replaced_by:
        lines.append(f"  已由 {found.replaced_by} 取代 replaced")
    show(asdict(found) | {"reasons": reasons}, as_json=json, lines=lines)


def _facts(found: labels.PublicLabel) -> Mapping[str, Any]:
    return {"number": found.number, "year": found.year}


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items())
