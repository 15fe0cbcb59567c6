"""The ledger: acts a second, one client and eight, against pgbench on the same server."""

import multiprocessing
import random
import re
import subprocess
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from registry import ledger
from registry.db import SYSTEM_ACTOR, Command, connect, transaction
from registry.ledger import Leg
from tests.bench.store import AT, Store
from tests.bench.timing import Case, Cases, Way

PURSES = 200
_TPS = re.compile(r"tps = ([0-9.]+)")


def act(url: str, purses: list[str], seconds: float) -> int:
    """Post one leg an act, each its own commit, until the time is over; return how many."""
    engine = connect(url, pool_size=1)
    done, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        source, target = random.sample(purses, 2)
        legs = [Leg(source=UUID(source), target=UUID(target), amount=5)]
        command = Command(at=AT, actor_id=SYSTEM_ACTOR, key=uuid4().hex)
        ledger.post_once(engine, command, kind="moved", subject=("bench", "1"), body={}, legs=legs)
        done += 1
    engine.dispose()
    return done


def ledger_case(store: Store, clients: int, seconds: float, scale: int) -> Case:
    """Whole acts (key, event, entries, balances) a second against pgbench -N."""
    name = store.database(store.template)
    engine = store.app(name)
    with transaction(engine) as session:
        world = ledger.open_account(session, "fen", "world")
        purses = [
            ledger.open_account(session, "fen", "escrow", reference=f"purse {n}")
            for n in range(PURSES)
        ]
    funds = [Leg(source=world, target=purse, amount=10**9) for purse in purses]
    command = Command(at=AT, actor_id=SYSTEM_ACTOR, key="funds")
    ledger.post_once(engine, command, kind="moved", subject=("bench", "0"), body={}, legs=funds)
    store.leave()
    url = store.url(name, "tanhui_app")
    bare = store.database()
    _pgbench(store, "-i", "-q", "-s", str(scale), name=bare)

    def ours() -> float:
        given = (url, [str(purse) for purse in purses], seconds)
        if clients == 1:
            return act(*given) / seconds
        with multiprocessing.get_context("spawn").Pool(clients) as pool:
            pool.starmap(_ready, [()] * clients)
            return sum(pool.starmap(act, [given] * clients, chunksize=1)) / seconds

    def peer() -> float:
        length = str(max(1, round(seconds)))
        told = _pgbench(
            store,
            "-n",
            "-N",
            "-M",
            "prepared",
            "-c",
            str(clients),
            "-j",
            "2",
            "-T",
            length,
            name=bare,
        )
        return float(_TPS.search(told).group(1))

    return Case(
        name=f"ledger acts, {clients} client{'s' if clients > 1 else ''}",
        size=PURSES,
        ours=Way(run=ours, runs=3),
        peers={"pgbench -N, prepared": Way(run=peer, runs=3)},
        unit="acts/s",
        note=f"fsync on, {seconds:g} s a run; spread over the purses;"
        " clients are Python processes on the same two cores",
    )


def _ready() -> None:
    time.sleep(0.2)  # long enough that every process takes one and has imported


def _pgbench(store: Store, *arguments: str, name: str) -> str:
    done = subprocess.run(
        [store.pgbench, *arguments, store.conninfo(name)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def cases(opened: Callable[[], Store], seconds: float, scale: int) -> Cases:
    """Yield the cases of the ledger."""
    for clients in (1, 8):
        yield f"ledger {clients}", lambda n=clients: ledger_case(opened(), n, seconds, scale)
