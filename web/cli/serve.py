"""``tanhui serve``: the web server."""

from typing import Annotated

import typer

from web.config import settings


def serve(*, port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1")] = None) -> None:
    """Serve the pages on 127.0.0.1 until stopped."""
    import multiprocessing

    from granian.constants import Interfaces
    from granian.server import Server

    from registry import migrate
    from web import database

    migrate.require_current(database.app_engine())
    database.app_engine().dispose()
    # A forked worker could not run compiled kernels where its parent has: OpenMP ends them unsaid.
    multiprocessing.set_start_method("spawn", force=True)
    Server(
        "web.app:create_app",
        factory=True,
        address="127.0.0.1",
        port=port or settings().port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=64,
        log_access=False,
        websockets=False,
    ).serve()
