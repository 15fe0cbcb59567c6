"""``make fuzz``: 20,000 broken files through every reader, in workers with limits.

Each must end in findings or in an error of our own, within 10 s and 2 GB. Anything else, a crash
of the worker included, is a failure; its file is kept in ``var/fuzz``. Writes ``var/fuzz.json``.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tests.fuzz.run import MEMORY_BYTES, SECONDS, fuzz

VAR = Path(__file__).resolve().parents[2] / "var"


def main() -> int:
    """Run and say what was found; 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="seeds whose names hold this")
    parser.add_argument("--start", type=int, default=0, help="first variant: other breaks")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tanhui-fuzz-") as folder:
        report = fuzz(
            Path(folder),
            inputs=chosen.inputs,
            workers=chosen.workers,
            only=chosen.only,
            start=chosen.start,
            keep=VAR / "fuzz",
        )
    report |= {"limit_s": SECONDS, "limit_bytes": MEMORY_BYTES}
    VAR.mkdir(exist_ok=True)
    (VAR / "fuzz.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps({k: v for k, v in report.items() if k != "answers"}, ensure_ascii=False))
    return 1 if report["failures"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
