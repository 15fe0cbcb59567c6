"""The names that the page components need in Jinja, given to an application in one call."""

from flask import Flask

from web.asset_manifest import AssetManifest
from web.formats import FILTERS


def register(app: Flask) -> None:
    """Give ``app`` the global ``asset_url`` and the filters of ``web.formats``.

    The components also call ``_``: Flask-Babel, set up by the application, brings it.

    Raises
    ------
    FileNotFoundError : the built assets are missing; ``make assets`` writes them.
    """
    prefix = f"{app.static_url_path}/dist/"
    app.jinja_env.globals["asset_url"] = AssetManifest.load(prefix=prefix).url
    app.jinja_env.filters.update(FILTERS)
