"""A verifier's sample: parcels nobody can choose, and anybody can draw again.

Parcels stand in the order of ``sha256(seed ":" parcel)``; the first ones are the sample.  The seed
is the period's id, which the registry draws when the period is submitted: who submits cannot know
it before.  A larger sample holds every smaller one.  The default size, the square root of the
number of parcels, is proposed; a programme or a verifier's plan may ask for more.
"""

import math
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID


def sample_size(parcels: int) -> int:
    """Return the proposed number of parcels to look at: the square root, rounded up."""
    return math.isqrt(parcels - 1) + 1 if parcels > 0 else 0


def plan_sample(seed: str, parcels: Iterable[UUID], *, size: int) -> list[UUID]:
    """Return ``size`` parcels in the order they are drawn, or all of them if there are fewer."""
    drawn = sorted(set(parcels), key=lambda one: sha256(f"{seed}:{one}".encode()).digest())
    return drawn[: max(size, 0)]
