"""Deterministic demo counties: parcels, stands, layers, owners, orchards, and known defects."""

from geo.synthetic.county import DEFAULT_SEED, GENERATOR_VERSION, SIZES, County, make_county
from geo.synthetic.defects import KINDS, Truth
from geo.synthetic.score import Score, score

__all__ = [
    "DEFAULT_SEED",
    "GENERATOR_VERSION",
    "KINDS",
    "SIZES",
    "County",
    "Score",
    "Truth",
    "make_county",
    "score",
]
