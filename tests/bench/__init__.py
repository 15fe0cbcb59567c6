"""Benchmarks: ours, a peer's and the machine's limit in turn, in one run (``make bench``)."""
