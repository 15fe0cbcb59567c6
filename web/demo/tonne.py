"""A tonne: layers by digest, exact cover, growth tables, and what every plot takes up in a year."""

from datetime import date

from sqlalchemy import text

from options.worker import run_worker
from registry import estimation, jobs, layers
from registry.estimation_inputs import AssessParcels
from web.demo.teller import Teller, Totals

LOADED = date(2026, 1, 22)
RUN = date(2026, 1, 26)
YEARS = (2025, 2064)
KINDS = ("species", "age", "site", "dem")


def tell(teller: Teller) -> Totals:
    """Load the layers and forecast forty years for every approved plot, as a job."""
    folder = teller.state / "layers"
    known = {}
    for kind in KINDS:
        taken = layers.take_file(teller.folder / f"{kind}.tif", kind=kind, folder=folder)
        view = teller.do(
            layers.register_layer,
            layers.RegisterLayer(
                **teller.by("county", f"layer:{kind}", LOADED),
                file=taken,
                kind=kind,
                year=2024,
                source="演示县合成图层 synthetic layer of the demo county",
                licence="CC0-1.0",
            ),
        )
        known[kind] = view.id
    command = AssessParcels(
        **teller.by("county", "forecast", RUN),
        kind="forecast",
        first_year=YEARS[0],
        last_year=YEARS[1],
        layer_ids=tuple(known.values()),
    )
    job_id = teller.do(estimation.request, command)
    run_worker(teller.engine, layer_dir=folder, once=True)
    with teller.reading() as session:
        job = jobs.get(session, job_id)
        rows, cover_dm2, area_m2 = session.execute(_COVER).one()
        stock_kg, net_kg = session.execute(_SUMS).one()
    assert job.result is not None  # noqa: S101 -- the worker ended it
    teller.found["layers"] = known
    teller.found["forecast_run"] = job.result["run_id"]
    again = estimation.assess(teller.engine, command, layer_dir=folder)
    teller.check("the job is done", holds=job.state == "done", figure=job.state)
    teller.check(
        "cover of every plot is its own area, to the square decimetre",
        holds=abs(cover_dm2 - area_m2 * 100) <= rows,
        figure=f"{cover_dm2} dm2 over {rows} plots",
    )
    teller.check(
        "yearly net adds up to the change of stock, to the kilogram",
        holds=net_kg == stock_kg,
        figure=f"{net_kg} kg",
    )
    teller.check("the same inputs make no second run", holds=again.reused, figure=again.run_id)
    return {
        "parcels": int(job.result["parcels"]),
        "years": YEARS[1] - YEARS[0] + 1,
        "net_kg": int(job.result["net_kg"]),
    }


_COVER = text(
    "SELECT count(*), sum(h.nodata_dm2 + h.outside_dm2"
    " + coalesce((SELECT sum(a) FROM unnest(h.area_dm2) a), 0))::bigint, sum(p.area_m2)"
    " FROM histogram h JOIN parcel p ON p.id = h.parcel_id AND p.version = h.version"
)
_SUMS = text(
    "SELECT sum(stock_kg[cardinality(stock_kg)] - stock_kg[1])::bigint,"
    " sum((SELECT sum(n) FROM unnest(net_kg[2:]) n))::bigint FROM assessment_series"
)
