"""``python -m web.cli``: the same as ``tanhui``."""

from web.cli import main

main()
