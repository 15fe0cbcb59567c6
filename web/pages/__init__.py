"""Pages for people: one module a noun, one template a page."""

from flask import Blueprint, render_template

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def home() -> str:
    """Show what this registry is and where to go."""
    return render_template("home.html")
