"""The real server: it answers, and its worker is a process of its own."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from web.config import ROOT

AFTER_KERNELS = """
import sys
from geo.zonal import warm_up
from web.cli.serve import serve
warm_up()
serve(port=int(sys.argv[1]))
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(server, address, *, within_s=60.0):
    """Wait until the address answers; give up when the server ends or takes too long."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        try:
            with urlopen(address) as answer:
                return answer.status
        except URLError:
            try:
                server.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            break
    raise AssertionError(server.stderr.read())


def test_a_worker_is_no_fork_of_a_process_that_ran_kernels(engine, tmp_path):
    port = free_port()
    url = engine.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", AFTER_KERNELS, str(port)],
        cwd=ROOT,
        env={**os.environ, "TANHUI_DATABASE_URL": url, "TANHUI_STATE_DIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert answers(server, f"http://127.0.0.1:{port}/healthz") == 200
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            words = [Path(f"/proc/{one}/cmdline").read_text() for one in children]
            # A forked child would bear its parent's own words, and its OpenMP would end it.
            assert any("spawn_main" in one for one in words)
            assert not any(AFTER_KERNELS in one for one in words)
        finally:
            server.terminate()
