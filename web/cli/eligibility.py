"""``tanhui eligibility``: ask a programme's rules about parcels, and see what they answered."""

from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from registry import eligibility, measures
from registry.db import perform, transaction
from registry.eligibility_inputs import RunEligibility
from web import database, messages
from web.cli.acting import As, Json, acting, now
from web.cli.output import show

app = typer.Typer(no_args_is_help=True, help="规则核查 Eligibility.")
ANSWERS = {"eligible": "符合", "not_eligible": "不符合", "needs_documents": "需补充资料"}


@app.command()
def run(
    programme: Annotated[str, typer.Argument(help="Programme id")],
    *,
    parcel: Annotated[list[UUID] | None, typer.Option(help="Parcel; may be repeated")] = None,
    division: Annotated[str | None, typer.Option(help="Every parcel below a division")] = None,
    project: Annotated[UUID | None, typer.Option(help="Every parcel of a project")] = None,
    batch: Annotated[UUID | None, typer.Option(help="Every parcel of an import")] = None,
    version: Annotated[str | None, typer.Option(help="Programme version")] = None,
    dem: Annotated[Path | None, typer.Option(help="Elevation layer", exists=True)] = None,
    species: Annotated[Path | None, typer.Option(help="Species layer", exists=True)] = None,
    canopy: Annotated[Path | None, typer.Option(help="Canopy layer, percent", exists=True)] = None,
    first: Annotated[int | None, typer.Option(help="First crediting year")] = None,
    last: Annotated[int | None, typer.Option(help="Last crediting year")] = None,
    start: Annotated[int | None, typer.Option(help="Start year of the project")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Run the rules; the answers are kept with their evidence."""
    if (first is None) != (last is None):
        raise typer.BadParameter("--first 与 --last 须同时给出 give both or neither")
    layers = measures.open_layers(dem=dem, species=species, canopy=canopy)
    command = RunEligibility(
        at=now(),
        actor_id=acting(as_),
        key=uuid4().hex,
        programme_id=programme,
        programme_version=version,
        parcel_ids=parcel,
        division_code=division,
        project_id=project,
        batch_id=batch,
        crediting=None if first is None or last is None else (first, last),
        start_year=start,
        layers=layers.digests,
    )
    done = perform(
        database.app_engine(),
        partial(eligibility.run_eligibility, measure=layers.measure),
        command,
    )
    lines = [
        f"{done.programme_id}@{done.programme_version}  {done.parcels} 块 parcels",
        *(f"  {word} {name}: {getattr(done, name)}" for name, word in ANSWERS.items()),
        *(f"  {count:>6}  {code}  {_words(code)}" for code, count in done.reasons.items()),
    ]
    show(done, as_json=json, lines=lines)


@app.command("show")
def show_(
    parcel: UUID,
    *,
    programme: Annotated[str | None, typer.Option(help="Only this programme")] = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show what the rules found on a parcel's present version."""
    with transaction(database.app_engine(), actor_id=acting(as_)) as session:
        found = eligibility.findings(session, parcel, programme_id=programme)
    rows = []
    lines = []
    for one in found:
        said = messages.say(one.code, {"row": 1, **one.params})
        area = "" if one.evidence_area_m2 is None else f"  {one.evidence_area_m2:,.2f} m2"
        lines.append(f"{one.programme_id}  {ANSWERS[one.answer]}  {one.code}  {said.zh}{area}")
        if one.answer != "eligible" and said.remedy_zh:
            lines.append(f"  → {said.remedy_zh}")
        rows.append(
            {
                "programme": f"{one.programme_id}@{one.programme_version}",
                "rule": one.rule,
                "answer": one.answer,
                "code": one.code,
                "params": dict(one.params),
                "evidence_area_m2": one.evidence_area_m2,
                "zh": said.zh,
                "en": said.en,
                "remedy_zh": said.remedy_zh,
                "remedy_en": said.remedy_en,
            }
        )
    show(rows, as_json=json, lines=lines or ["还没有核查 Not checked yet"])


def _words(code: str) -> str:
    return messages.entries()[code]["zh"].split("{", 1)[0]
