"""Pages for people: one module a noun, one template a page, one frozen context a page."""

from flask import Flask

from web.pages import (
    account,
    assessments,
    certificates,
    county,
    disturbances,
    findings,
    frame,
    home,
    imports,
    jobs,
    labels,
    lookups,
    lots,
    methods,
    orchards,
    packs,
    parcels,
    periods,
    plots,
    project_accounts,
    projects,
    public,
    search,
    signin,
    statements,
    subscriptions,
    trees,
    units,
    users,
)

MODULES = (
    home,
    signin,
    account,
    users,
    parcels,
    imports,
    disturbances,
    projects,
    assessments,
    project_accounts,
    periods,
    plots,
    jobs,
    units,
    lots,
    subscriptions,
    statements,
    trees,
    packs,
    findings,
    orchards,
    labels,
    certificates,
    county,
    methods,
    public,
    search,
)
KNOWN = (lookups,)
"""Every module of pages; each has a ``blueprint``.  ``KNOWN`` only adds to what others show."""


def register(app: Flask) -> None:
    """Open all pages."""
    frame.register(app)
    for module in MODULES:
        app.register_blueprint(module.blueprint)
