"""Change: images over every plot, a loss raster's candidates, one confirmed by the county."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from options import touched
from registry import change_series, disturbances, jobs, layers, losses, people
from registry.change_series import MeasureSeries
from registry.errors import WrongStateError
from registry.losses import DetectLosses
from registry.reads import change as reads
from registry.worker import run_worker
from web.demo.county import ADCODE
from web.demo.teller import Teller, Totals

LOADED = date(2026, 7, 6)
CONFIRMED = date(2026, 7, 9)
BURNT = date(2025, 3, 18)
BURNT_PPM = 800_000
SOURCE = "演示县合成图层 synthetic layer of the demo county"


def tell(teller: Teller) -> Totals:
    """Load images and losses, measure, propose, confirm the fire, assess its plots again."""
    folder = teller.state / "layers"
    images = teller.read("images.json")
    for one in images:
        _layer(teller, one["file"], one["kind"], day=date.fromisoformat(one["observed_on"]),
               scale=one["scale"])  # fmt: skip
    lost = _layer(teller, "disturbance.tif", "loss", year=BURNT.year)
    measure = MeasureSeries(**teller.by("county", "series", LOADED), division_code=ADCODE)
    look = DetectLosses(
        **teller.by("county", "losses", LOADED), layer_id=lost, division_code=ADCODE
    )
    asked = (
        teller.do(change_series.request, measure),
        teller.do(losses.request, look),
    )
    run_worker(teller.engine, layer_dir=folder, once=True)
    measured, proposed = (_done(teller, job_id) for job_id in asked)
    again = change_series.measure(teller.engine, measure, layer_dir=folder)
    teller.check(
        "unchanged images are not measured again",
        holds=again.measured == 0 and again.known == int(measured["measured"]),
        figure=f"{again.known} known",
    )
    found = losses.detect(teller.engine, look, layer_dir=folder)
    teller.check("the same loss raster proposes nothing twice", holds=found.new == 0,
                 figure=f"{proposed['new']} + {found.new}")  # fmt: skip
    decided = _confirm(teller, UUID(str(proposed["disturbance_ids"][0])))
    run_worker(teller.engine, layer_dir=folder, once=True)
    told = _told(teller, decided.disturbance_id)
    _check(teller, told, decided)
    return {
        "images": len(images),
        "measured": int(measured["measured"]),
        "candidates": int(proposed["new"]),
        "lost_m2": float(proposed["new_m2"]),
        "assessed_again": len(decided.parcel_ids),
        "periods": len(told.periods),
        "lots": len(told.lots),
        "contracts": len(told.contracts),
    }


def _layer(
    teller: Teller,
    name: str,
    kind: str,
    *,
    day: date | None = None,
    year: int | None = None,
    scale: float = 1.0,
) -> UUID:
    shows = year or (day.year if day else 0)
    folder = teller.state / "layers"
    taken = layers.take_file(
        teller.folder / name, kind=kind, folder=folder, scale=scale, year=shows
    )
    command = layers.RegisterLayer(
        **teller.by("county", f"layer:{name}:{kind}", LOADED),
        file=taken,
        kind=kind,
        year=shows,
        observed_on=day,
        source=SOURCE,
        licence="CC0-1.0",
    )
    return teller.do(layers.register_layer, command).id


def _done(teller: Teller, job_id: UUID) -> dict[str, Any]:
    with teller.reading() as session:
        job = jobs.get(session, job_id)
    teller.check(f"the job {job.task} is done", holds=job.state == "done", figure=job.state)
    return dict(job.result or {})


def _confirm(teller: Teller, disturbance_id: UUID) -> disturbances.Decided:
    command = disturbances.ConfirmDisturbance(
        **teller.by("county", "confirm", CONFIRMED),
        disturbance_id=disturbance_id,
        kind="fire",
        share_ppm=BURNT_PPM,
        occurred_on=BURNT,
        reason="森林火灾调查表（演示）",
    )
    decided = teller.do(disturbances.confirm, command)
    state = "confirmed twice"
    try:
        teller.do(
            disturbances.dismiss,
            disturbances.DismissDisturbance(
                **teller.by("county2", "dismiss", CONFIRMED),
                disturbance_id=disturbance_id,
                reason="复核",
            ),
        )
    except WrongStateError as refused:
        state = str(refused.params["state"])
    teller.check("what is decided is not decided again", holds=state == "confirmed", figure=state)
    return decided


def _told(teller: Teller, disturbance_id: UUID) -> touched.Touched:
    with teller.reading() as session:
        who = people.actor(session, teller.who("auditor"))
        query = reads.DisturbanceById(disturbance_id=disturbance_id)
        return touched.touched(session, who, query)


def _check(teller: Teller, told: touched.Touched, decided: disturbances.Decided) -> None:
    with teller.reading() as session:
        rerun = set(session.scalars(_RERUN, {"jobs": list(decided.job_ids)}))
    parcels = told.page.parcels
    teller.check(
        "exactly the plots touched are assessed again",
        holds=rerun == set(decided.parcel_ids) == {one.id for one in parcels},
        figure=f"{len(rerun)} plots",
    )
    before = sum(one.before_stock_kg or 0 for one in parcels)
    after = sum(one.after_stock_kg or 0 for one in parcels)
    teller.check("the stock of the fire's year falls", holds=after < before,
                 figure=f"{before} -> {after} kg")  # fmt: skip
    net = min((one.after_net_kg or 0 for one in parcels), default=0)
    teller.check("a plot's net of that year is below zero", holds=net < 0, figure=f"{net} kg")
    teller.check(
        "a confirmed disturbance says what must follow",
        holds=bool(told.next_steps) and told.next_steps[0].done,
        figure=" ".join(one.code for one in told.next_steps),
    )


_RERUN = text(
    "SELECT DISTINCT s.parcel_id FROM job j JOIN assessment_series s"
    " ON s.run_id = CAST(j.result ->> 'run_id' AS uuid) WHERE j.id = ANY(:jobs)"
)
