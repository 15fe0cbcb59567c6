"""The application: pages and API over one engine."""

from apiflask import APIFlask
from sqlalchemy import text

from web import database, pages
from web.config import Settings, settings


def create_app(config: Settings | None = None) -> APIFlask:
    """Return the application for ``config``; the database address comes from it."""
    app = APIFlask("web", title="Tanhui 碳汇", version="1", docs_path=None, spec_path=None)
    app.config["TANHUI"] = config or settings()
    app.extensions["engine"] = database.app_engine()
    app.register_blueprint(pages.blueprint)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Answer when the process serves and the database answers."""
        with app.extensions["engine"].connect() as connection:
            postgis = connection.scalar(text("SELECT postgis_lib_version()"))
        return {"status": "ok", "postgis": str(postgis)}

    return app
