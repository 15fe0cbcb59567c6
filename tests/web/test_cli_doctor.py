"""The doctor finds what is wrong; a backup that was read back is a backup."""

import json
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from registry import backup, cluster, events
from registry.db import transaction
from tests.conftest import STATE
from tests.options.conftest import empty_walk, walk  # noqa: F401 -- fixtures
from web import database
from web.cli import app
from web.config import Settings


@pytest.fixture
def house(walk, pg, monkeypatch, tmp_path):  # noqa: F811
    """A database with a sale in it, its superuser, and a folder of its own."""
    name = walk.engine.url.database
    admin = cluster.database_url(pg, name, cluster.ADMIN)
    config = Settings(state_dir=tmp_path, pg_dir=STATE)
    monkeypatch.setattr(database, "app_engine", lambda: walk.engine)
    monkeypatch.setattr(database, "admin_engine", lambda: create_engine(admin))
    for noun in ("doctor", "backup"):
        monkeypatch.setattr(f"web.cli.{noun}.settings", lambda: config)
    walk.buy(walk.on_sale(), (2025, 3_000))
    walk.deliver(walk.verified({"石梁村": {2025: 10_000}}))
    with transaction(walk.engine) as session:
        events.seal(session)

    def run(*words: object, code: int = 0):
        result = CliRunner().invoke(app, [*map(str, words), "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def damage(*statements: str) -> None:
        engine = create_engine(admin)
        with engine.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    return SimpleNamespace(run=run, damage=damage, folder=tmp_path, walk=walk)


def failing(told) -> set[str]:
    return {one["name"] for one in told["checks"] if not one["holds"]}


def test_a_whole_house_holds(house):
    told = house.run("doctor")
    assert told["holds"]
    assert failing(told) == set()
    assert {"schema", "versions", "unsealed", "trial_balance", "disk"} <= {
        one["name"] for one in told["checks"]
    }
    words = CliRunner().invoke(app, ["doctor"]).stdout
    assert words.count("✓") == len(told["checks"])


DAMAGES = {
    "trial_balance ledger_drift units_match_accounts": (
        "UPDATE account SET balance = balance + 1 WHERE id = (SELECT id FROM account"
        " WHERE asset = 'kg' AND kind = 'holding' AND balance > 0 LIMIT 1)"
    ),
    "batches_complete units_match_accounts": (
        "DELETE FROM unit_range WHERE id = (SELECT id FROM unit_range WHERE closed_by IS NULL"
        " AND status = 'held' LIMIT 1)"
    ),
    "capacity_sums": "UPDATE capacity SET committed_kg = committed_kg + 1",
    "parcel_cells": "UPDATE parcel_cell SET parcels = parcels + 1 WHERE parcels > 0",
    "unsealed": (
        "INSERT INTO event (id, kind, actor_id, subject_kind, subject_id, envelope, digest,"
        " effective_at, recorded_at) SELECT gen_random_uuid(), 'x', actor_id, 'x', 'x', 'x',"
        " sha256('x'), effective_at, clock_timestamp() - interval '1 hour' FROM event LIMIT 1"
    ),
    "schema": "UPDATE alembic_version SET version_num = '0001'",
}


@pytest.mark.parametrize("names", DAMAGES)
def test_damage_is_found(house, names):
    house.damage(DAMAGES[names])
    told = house.run("doctor", code=1)
    assert failing(told) == set(names.split())


def test_keys_that_others_can_read_are_found(house):
    (house.folder / "keys").mkdir()
    key = house.folder / "keys" / "registry.pem"
    key.write_text("secret")
    key.chmod(0o644)
    assert failing(house.run("doctor", code=1)) == {"key_files"}
    key.chmod(0o600)
    assert house.run("doctor")["holds"]


def test_a_layer_whose_file_is_gone_is_found(house):
    house.damage(
        "INSERT INTO layer (id, kind, name, path, sha256, year, crs, width, height, cell_m, nodata,"
        " dtype, band, grid, source, licence, effective_at) SELECT gen_random_uuid(),"
        " 'age', 'a', 'a', sha256('a'), 2024, 'EPSG:4549', 1, 1, 20, 255, 'uint8', 1, '{}', 't',"
        " 'CC0', effective_at FROM event LIMIT 1"
    )
    assert failing(house.run("doctor", code=1)) == {"layer_files"}


def test_a_backup_is_read_back_whole(house, pg, monkeypatch):
    mark = uuid4()
    monkeypatch.setattr("web.cli.backup.uuid4", lambda: mark)
    (house.folder / "layers").mkdir()
    (house.folder / "layers" / "a.tif").write_bytes(b"raster")
    file = house.folder / "tanhui.dump"
    made = house.run("backup", "create", file)
    assert made["files"] == ["layers/a.tif"]
    told = house.run("backup", "verify", file)
    assert told["holds"]
    assert told["rows"] == made["rows"] > 100
    assert not cluster.database_exists(pg, f"tanhui_verify_{mark.hex[:12]}")
    with pytest.raises(backup.BackupExistsError):
        house.run("backup", "create", file)


def test_a_backup_of_damaged_books_does_not_pass(house):
    house.damage("UPDATE account SET balance = balance + 1 WHERE kind = 'world'")
    file = house.folder / "tanhui.dump"
    house.run("backup", "create", file)
    assert {"trial_balance", "ledger_drift"} <= failing(house.run("backup", "verify", file, code=1))


def test_a_changed_file_is_refused(house):
    file = house.folder / "tanhui.dump"
    house.run("backup", "create", file)
    with file.open("r+b") as handle:
        handle.write(b"X")
    with pytest.raises(backup.BackupUnreadableError):
        house.run("backup", "verify", file)


def test_a_machine_without_pg_dump_says_so(house, monkeypatch):
    monkeypatch.setattr("web.cli.backup.data_major", lambda _folder: None)
    monkeypatch.setattr("registry.cluster.binaries.candidates", list)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(backup.BackupToolMissingError):
        house.run("backup", "create", house.folder / "tanhui.dump")


def test_differences_name_the_table():
    assert backup.differences({"a": 1, "b": 2}, {"a": 1, "c": 3}) == {"b": (2, 0), "c": (0, 3)}


def test_a_database_without_tables_is_told(house, pg, monkeypatch):
    name = f"tanhui_empty_{uuid4().hex[:12]}"
    cluster.prepare_database(pg, name)
    empty = create_engine(cluster.database_url(pg, name))
    monkeypatch.setattr(database, "app_engine", lambda: empty)
    try:
        told = house.run("doctor", code=1)
    finally:
        empty.dispose()
        cluster.drop_database(pg, name)
    assert failing(told) == {"database"}


def test_a_server_elsewhere_is_backed_up_by_its_address(house, pg, monkeypatch):
    monkeypatch.setattr("web.cli.backup.data_major", lambda _folder: None)
    file = house.folder / "elsewhere.dump"
    house.run("backup", "create", file)
    monkeypatch.undo()
    assert backup.read_manifest(file).rows["lot"] == 1


def test_a_server_that_refuses_is_told(pg, tmp_path):
    nobody = create_engine(cluster.database_url(pg, "postgres", cluster.ADMIN))
    url = nobody.url.set(database="tanhui_is_not_here")
    nobody.dispose()
    with pytest.raises(backup.BackupFailedError) as told:
        backup.restore(tmp_path / "no.dump", create_engine(url))
    assert told.value.params["tool"] == "pg_restore"
