"""The tiny demo county with images of summers and the fire's loss raster, its plots assessed."""

import json
from datetime import date

from sqlalchemy import text

from registry import layers
from registry.change_series import MeasureSeries, measure
from registry.db import SYSTEM_ACTOR, perform, transaction
from registry.estimation import AssessParcels, assess
from registry.losses import DetectLosses, detect
from tests.web import record_world
from tests.web.conftest import AT

SUMMER = {"canopy_2024.tif": "canopy", "ndvi_2023.tif": "ndvi", "ndvi_2025.tif": "ndvi"}


def build(pg, clone, folder, state):
    """Tell the places, load images and losses, forecast every approved plot."""
    made = record_world.build(pg, clone, folder, state)
    images = {one["file"]: one for one in json.loads((folder / "images.json").read_text())}
    for name, kind in SUMMER.items():
        day = date.fromisoformat(images[name]["observed_on"])
        _add(made, folder, name, kind, day=day, scale=images[name]["scale"])
    made.loss = _add(made, folder, "disturbance.tif", "loss")
    with transaction(made.engine) as session:
        ids = list(session.scalars(text("SELECT id FROM parcel WHERE status = 'approved'")))
    command = AssessParcels(
        **_by("forecast"), kind="forecast", first_year=2025, last_year=2030, parcel_ids=tuple(ids)
    )
    assess(made.engine, command, layer_dir=state / "layers")
    return made


def propose(town):
    """Measure the images and let the raster propose; return the fire's id."""
    folder = town.state / "layers"
    measure(town.engine, MeasureSeries(**_by("series")), layer_dir=folder)
    look = DetectLosses(**_by("losses"), layer_id=town.loss)
    (found,) = detect(town.engine, look, layer_dir=folder).disturbance_ids
    return found


def _by(key):
    return {"at": AT, "actor_id": SYSTEM_ACTOR, "key": key}


def _add(town, folder, name, kind, *, day=None, scale=1.0):
    year = day.year if day else 2025
    file = layers.take_file(
        folder / name, kind=kind, folder=town.state / "layers", scale=scale, year=year
    )
    command = layers.RegisterLayer(
        **_by(name),
        file=file,
        kind=kind,
        year=year,
        observed_on=day,
        source="演示县合成图层",
        licence="CC0-1.0",
    )
    return perform(town.engine, layers.register_layer, command).id
