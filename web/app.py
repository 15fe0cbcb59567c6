"""The application: pages and API over one engine, closed unless a view says otherwise."""

from apiflask import APIFlask
from flask import Response
from flask_babel import gettext
from sqlalchemy import Engine, text

from web import api, auth, database, design, errors, i18n, pages, security, stac, tiles
from web.accounts import sessions
from web.auth import public
from web.config import Settings, settings
from web.context import engine as engine_at_hand
from web.ogc.views import blueprint as ogc
from web.openapi import text as openapi_text
from web.progress import Listener
from web.tile_cache import TileCache


def create_app(config: Settings | None = None, engine: Engine | None = None) -> APIFlask:
    """Return the application for ``config``.

    Parameters
    ----------
    config : settings; of this process if not given.
    engine : database as the application's role; from the settings if not given.
    """
    app = APIFlask("web", docs_path=None, spec_path=None, json_errors=False)
    app.config["TANHUI"] = config or settings()
    app.extensions["engine"] = made = engine or database.app_engine()
    app.extensions["listener"] = Listener(made)
    security.register(app)
    sessions.register(app, made)
    app.before_request(sessions.identify)
    app.before_request(auth.guard)
    app.before_request(sessions.check_csrf)
    i18n.register(app)
    design.register(app)
    errors.register(app)
    pages.register(app)
    app.register_blueprint(api.blueprint())
    app.extensions["tile_cache"] = TileCache()
    app.register_blueprint(tiles.blueprint())
    app.register_blueprint(ogc)
    app.register_blueprint(stac.blueprint)
    app.add_url_rule("/healthz", view_func=healthz)
    app.add_url_rule("/api/v1/openapi.json", view_func=openapi_document)
    public(app.view_functions["static"])
    app.jinja_env.globals["_"] = gettext
    return app


@public
def healthz() -> dict[str, str]:
    """Answer when the process serves and the database answers."""
    with engine_at_hand().connect() as connection:
        postgis = connection.scalar(text("SELECT postgis_lib_version()"))
    return {"status": "ok", "postgis": str(postgis)}


@public
def openapi_document() -> Response:
    """Answer with the interface's own document."""
    return Response(openapi_text(), content_type="application/json; charset=utf-8")
