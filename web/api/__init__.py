"""The JSON API under ``/api/v1``: one module a noun, each a :class:`web.api.endpoints.Noun`."""

from flask import Blueprint

from web.api import (
    account,
    assessments,
    change,
    factors,
    jobs,
    labels,
    lots,
    orchards,
    parcel_edits,
    parcels,
    periods,
    places,
    plots,
    programmes,
    project_accounts,
    projects,
    search,
    settlements,
    stands,
    subscriptions,
    trees,
    units,
)
from web.api.endpoints import Noun, add

NOUNS: tuple[Noun, ...] = (
    account.NOUN,
    parcels.NOUN,
    parcel_edits.NOUN,
    places.NOUN,
    projects.NOUN,
    search.NOUN,
    assessments.NOUN,
    stands.NOUN,
    change.NOUN,
    periods.NOUN,
    project_accounts.NOUN,
    plots.NOUN,
    units.NOUN,
    jobs.NOUN,
    programmes.NOUN,
    orchards.NOUN,
    labels.NOUN,
    factors.NOUN,
    lots.NOUN,
    trees.NOUN,
    subscriptions.NOUN,
    settlements.NOUN,
)
"""Every noun of the interface; the OpenAPI document is made from this list."""


def blueprint() -> Blueprint:
    """Return the interface with all its endpoints."""
    made = Blueprint("api", __name__, url_prefix="/api/v1")
    for noun in NOUNS:
        for endpoint in noun.endpoints:
            add(made, endpoint)
    return made
