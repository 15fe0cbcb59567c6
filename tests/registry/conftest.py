"""Places that several tests of the record stand on."""

import pytest

from tests.registry import makers_science as makers


@pytest.fixture
def county(engine, at, tmp_path):
    """Twenty parcels and three layers: (parcel ids, shapes, arrays, layer ids)."""
    made, shapes = makers.arrays(), makers.blocks()
    ids = makers.draw_parcels(engine, at, shapes)
    return ids, shapes, made, makers.add_layers(engine, at, tmp_path, made)
