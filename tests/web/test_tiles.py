"""Tiles over HTTP: who may ask, what is asked again, what is kept in memory."""

import pytest
from sqlalchemy import text

from registry.db import transaction
from registry.reads.tiles import Tile
from tests.factories import mvt
from tests.web.conftest import PASSWORD, drawing
from web.tile_cache import ENTRY_BYTES, TileCache

NEAR = "/tiles/parcels/13/6799/3407.mvt"  # 118.80 E 28.95 N


@pytest.fixture
def ask(town):
    def get(path, desk=None, **headers):
        auth = (desk, PASSWORD) if desk else None
        return town.app.test_client().get(path, auth=auth, headers=headers)

    return get


@pytest.fixture(scope="module")
def drawn(town):
    """Two plots in one township."""
    from tests.web.conftest import Machine

    desk = Machine(town.app, "township")
    for west in (118.800, 118.806):
        assert desk.send("/parcels", drawing(west)).status_code == 201
    return town


def test_a_layer_answers_who_may_see_it(drawn, ask, tmp_path):
    path = {layer: NEAR.replace("parcels", layer) for layer in ("parcels", "neighbours", "public")}
    answers = {
        (layer, desk): ask(path[layer], desk).status_code
        for layer in path
        for desk in (None, "buyer", "company", "township", "county")
    }
    assert {key for key, status in answers.items() if status == 200} == {
        *(("parcels", desk) for desk in ("company", "township", "county")),
        *(("neighbours", desk) for desk in ("township", "county")),
        *(("public", desk) for desk in (None, "buyer", "company", "township", "county")),
    }
    assert answers["parcels", None] == 401
    assert answers["parcels", "buyer"] == 403
    assert ask(path["parcels"]).content_type.startswith("application/problem+json")
    for desk, count in (("township", 2), ("county", 2), ("other", 0)):
        body = ask(path["parcels"], desk).data
        assert len(mvt.layers(body, tmp_path).get("parcels", [])) == count
    assert len(mvt.layers(ask(path["neighbours"], "other").data, tmp_path)["parcels"]) == 2


def test_a_tile_is_sent_again_only_after_a_change(drawn, ask, machine):
    first = ask(NEAR, "township")
    tag = first.headers["ETag"]
    assert first.content_type == "application/vnd.mapbox-vector-tile"
    assert "private" in first.headers["Cache-Control"]
    again = ask(NEAR, "township", **{"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert ask(NEAR, "county").headers["ETag"] != tag
    drawn_again = machine("township").send("/parcels", drawing(118.803))
    assert drawn_again.status_code == 201
    changed = ask(NEAR, "township", **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert len(changed.data) > len(first.data)


def test_a_tile_goes_packed_to_who_can_unpack_it(drawn, ask):
    import gzip

    plain = ask(NEAR, "county")
    packed = ask(NEAR, "county", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)


@pytest.mark.parametrize(
    "path", ["/tiles/parcels/18/0/0.mvt", "/tiles/public/3/9/0.mvt", "/tiles/secret/3/0/0.mvt"]
)
def test_what_is_no_tile_is_not_found(ask, path):
    assert ask(path, "county").status_code == 404


def test_memory_is_bounded_by_bytes_and_the_longest_unused_goes():
    cache = TileCache(bytes_max=3 * (1000 + ENTRY_BYTES))
    tiles = [Tile(layer="public", z=3, x=x, y=0) for x in range(5)]
    for tile in tiles[:3]:
        cache.put(tile, "v", bytes(1000))
    assert cache.get(tiles[0], "v") == bytes(1000)
    cache.put(tiles[3], "v", bytes(1000))
    assert cache.get(tiles[1], "v") is None
    assert cache.get(tiles[0], "v") is not None
    assert cache.get(tiles[0], "w") is None
    cache.put(tiles[4], "v", bytes(10_000))  # larger than all: nothing is kept
    assert len(cache) == 0


def test_the_map_asks_for_one_parcel_by_id(drawn, machine):
    found = machine("county").get("/parcels.geojson").get_json()["features"]
    assert len(found) >= 2
    one = machine("county").get(f"/parcels.geojson?id={found[0]['id']}").get_json()
    assert [feature["id"] for feature in one["features"]] == [found[0]["id"]]
    hidden = machine("other").get(f"/parcels.geojson?id={found[0]['id']}").get_json()
    assert hidden["features"] == []
    assert machine("county").get("/parcels.geojson?id=x").status_code == 422


def test_a_map_of_many_plots_is_made_of_tiles(drawn, client):
    client.post("/sign-in", data={"username": "county", "password": PASSWORD})
    sign_in = client.get("/parcels", auth=("county", PASSWORD)).text
    assert "data-tiles" not in sign_in
    with transaction(drawn.engine) as session:
        session.execute(MANY, {"count": 301})
    page = client.get("/parcels", auth=("county", PASSWORD)).text
    assert 'data-tiles="/tiles/parcels/{z}/{x}/{y}.mvt"' in page
    board = client.get("/parcels/new", auth=("township", PASSWORD)).text
    assert 'data-neighbour-tiles="/tiles/neighbours/{z}/{x}/{y}.mvt"' in board


MANY = text(
    """
    INSERT INTO parcel (id, code, kind, status, version, division_code, geometry, area_m2,
                        shape_digest)
    SELECT gen_random_uuid(), '航埠-' || n, 'carbon',
           (ARRAY['draft', 'returned', 'submitted'])[1 + n % 3], 1, '330802101000', g,
           ST_Area(g::geography), decode(md5(n::text) || md5(n::text), 'hex')
      FROM generate_series(1, :count) n,
           ST_Multi(ST_MakeEnvelope(118.75 + (n % 40) * 0.0021, 28.90 - (n / 40) * 0.0021,
             118.752 + (n % 40) * 0.0021, 28.902 - (n / 40) * 0.0021, 4490)) g
    """
)
