"""``tanhui run``: what ``make run`` does after set-up: database, demo county, story, server."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy import text

from registry.db import transaction
from web import database
from web.cli.demo import made
from web.cli.output import refuse
from web.cli.serve import serve
from web.config import ROOT, settings
from web.demo.county import DESKS
from web.demo.logins import PARTIES, PASSWORD
from web.demo.story import tell
from web.demo.teller import Teller, Told
from web.preparing import prepare


def run() -> None:
    """Prepare the database, tell the demo county's story, print the address, serve."""
    took: dict[str, float] = {}
    with _timed(took, "数据库 database"):
        prepare(say=typer.echo)
    with _timed(took, "演示县 demo county"):
        folder = made("small")
    with _timed(took, "故事 story"):
        told = told_or_kept(
            Teller(
                engine=database.app_engine(),
                folder=folder,
                state=settings().state_dir,
                say=typer.echo,
            )
        )
    typer.echo("")
    for name, seconds in took.items():
        typer.echo(f"  {name}: {seconds:.1f} s")
    if told is not None:
        held = sum(check.holds for check in told.checks)
        typer.echo(f"  检查 checks: {held} of {len(told.checks)} hold")
    typer.echo(f"\n  http://127.0.0.1:{settings().port}/\n")
    for name in (*DESKS, *PARTIES):
        typer.echo(f"  {name:<10} {PASSWORD}")
    with _worker():
        serve()


def told_or_kept(teller: Teller) -> Told | None:
    """Tell the story; where another version, or people's own acts, left other rows, let it be.

    Every act of the story is done once, whatever is run how often.  A county in which one of them
    can no longer be repeated is still a county to serve.
    """
    with transaction(teller.engine) as session:
        begun = session.execute(text("SELECT EXISTS (SELECT FROM event)")).scalar_one()
    try:
        return tell(teller)
    except Exception as error:
        if not begun:
            raise
        refuse(error)
    typer.echo(
        "  已有的数据保持不变，故事不再重讲；要从头演示，请停止后删除 var 文件夹"
        " / The county stays as it is; its story is not told again (to begin afresh, remove var/)"
    )
    return None


@contextmanager
def _worker() -> Iterator[None]:
    """Run the worker beside the server: jobs, seals, timers; it ends with the server."""
    work = subprocess.Popen([sys.executable, "-m", "web.cli", "work"], cwd=ROOT)
    try:
        yield
    finally:
        work.terminate()
        work.wait(timeout=30)


@contextmanager
def _timed(took: dict[str, float], name: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took[name] = time.perf_counter() - start
