"""Rasters fetched from an address: only named places, whole files, credentials as S3 wants them."""

import http.server
import json
import threading

import numpy as np
import pytest
from sqlalchemy import text

from geo.aligning import Alignment
from geo.raster import Grid, RasterError, file_sha256, write_cog
from registry import layers
from registry.db import transaction
from registry.errors import RegistryError
from registry.raster_intake import Wanted, gather
from registry.raster_sources import fetch
from tests.registry import makers_science as makers


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder; those under /vault/ only to requests signed as S3 signs them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        signed = self.headers.get("authorization", "")
        if self.path.startswith("/vault/") and "Credential=county-key/" not in signed:
            self.send_error(403)
        elif self.path.endswith("cut.tif"):
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.send_header("Last-Modified", "Sat, 01 Nov 2025 00:00:00 GMT")
            self.end_headers()
            self.wfile.write(b"II*\0")
            self.close_connection = True
        else:
            super().do_GET()

    def end_headers(self):
        self.send_header("ETag", '"1"')
        super().end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def shelf(tmp_path):
    folder = tmp_path / "shelf"
    (folder / "vault" / "2024").mkdir(parents=True)
    (folder / "open").mkdir()
    cells = makers.arrays()["species"]
    for path in (folder / "vault" / "2024" / "species.tif", folder / "open" / "species.tif"):
        write_cog(path, cells, grid=makers.GRID, nodata=255)
    return folder


@pytest.fixture
def host(shelf, monkeypatch):
    def handle(*args):
        return Handler(*args, directory=str(shelf))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handle) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "county-key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_REGION", "cn-east-1")
        yield address
        server.shutdown()
        running.join()


def test_http_and_s3_give_the_same_bytes(host, shelf, tmp_path):
    told = []
    room = tmp_path / "room"
    room.mkdir()
    plain = fetch(
        f"{host}/open/species.tif", room, allowed=[f"{host}/open"],
        progress=lambda done, whole: told.append((done, whole)),
    )  # fmt: skip
    digest = file_sha256(shelf / "open" / "species.tif")
    size = plain.stat().st_size
    assert (plain.name, file_sha256(plain), told[-1]) == ("species.tif", digest, (size, size))
    plain.unlink()
    signed = fetch("s3://vault/2024/species.tif", room, allowed=["s3://vault/"])
    assert file_sha256(signed) == digest


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("{host}/vault/2024/species.tif", "RASTER_SOURCE_DENIED"),
        ("{host}/open/none.tif", "RASTER_SOURCE_MISSING"),
        ("{host}/open/cut.tif", "RASTER_SOURCE_UNREACHABLE"),
        ("http://127.0.0.1:9/open/species.tif", "RASTER_SOURCE_UNREACHABLE"),
        ("{host}/closed/species.tif", "RASTER_SOURCE_NOT_ALLOWED"),
        ("{host}/open/../closed/species.tif", "RASTER_SOURCE_NOT_ALLOWED"),
        ("{host}/open/%2e%2e/closed/species.tif", "RASTER_SOURCE_NOT_ALLOWED"),
        ("{host}.example.org/open/species.tif", "RASTER_SOURCE_NOT_ALLOWED"),
        ("http://county:word@127.0.0.1/open/species.tif", "RASTER_SOURCE_NOT_ALLOWED"),
        ("s3://other/species.tif", "RASTER_SOURCE_NOT_ALLOWED"),
        ("s3://vault/", "RASTER_SOURCE_NOT_ALLOWED"),
    ],
)
def test_what_cannot_be_fetched_says_why(host, tmp_path, address, code):
    allowed = [f"{host}/open/", f"{host}/vault/", "http://127.0.0.1:9/", "s3://vault"]
    with pytest.raises(RegistryError) as refused:
        fetch(address.format(host=host), tmp_path, allowed=allowed)
    assert refused.value.code == code


def test_a_layer_of_parts_from_two_places_tells_what_it_is_made_of(engine, at, host, tmp_path):
    room, folder = tmp_path / "room", tmp_path / "kept"
    room.mkdir()
    coarse = Grid(
        crs="EPSG:4549", origin_x=makers.GRID.origin_x, origin_y=makers.GRID.origin_y,
        cell_x=60.0, cell_y=60.0, width=30, height=25,
    )  # fmt: skip
    wanted = Wanted(
        names=["s3://vault/2024/species.tif", str(tmp_path / "shelf" / "open")],
        kind="species", grid=coarse,
    )  # fmt: skip
    found = gather(wanted, room, allowed=["s3://vault/"])
    assert found.made_from["alignment"] == Alignment.NEAREST == "nearest"
    made = makers.add_layer(
        engine, at, found.path, "species", folder=folder, made_from=found.made_from
    )
    assert (made.cell_m, made.width, made.height) == (60.0, 30, 25)
    with transaction(engine) as session:
        told = session.execute(text("SELECT envelope FROM event WHERE kind = 'layer.registered'"))
        assert json.loads(told.scalar_one())["body"]["made_from"] == dict(found.made_from)


def test_a_layer_that_lies_there_already_stays_as_it_is(host, shelf, tmp_path):
    path = shelf / "open" / "species.tif"
    found = gather(
        Wanted(names=[str(path)], kind="species", grid=makers.GRID), tmp_path, allowed=[]
    )
    assert (found.path, found.made_from) == (path, {})


@pytest.mark.parametrize("name", ["none.tif", "."])
def test_a_name_of_nothing_is_refused(tmp_path, name):
    room = tmp_path / "empty"
    room.mkdir()
    with pytest.raises(RasterError) as refused:
        gather(Wanted(names=[str(room / name)], kind="species"), room, allowed=[])
    assert refused.value.code == "RASTER_UNREADABLE"


def test_cells_stay_what_they_were(host, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    got = fetch("s3://vault/2024/species.tif", room, allowed=["s3://vault/"])
    read = layers.take_file(got, kind="species", folder=tmp_path / "kept")
    assert read.grid == layers.grid_text(makers.GRID)
    assert np.dtype(read.dtype) == np.uint8
