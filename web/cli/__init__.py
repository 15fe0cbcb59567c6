"""The command line: ``tanhui <noun> <verb>``; one file a noun, loaded when it is named.

Exit codes: 0 done, 1 refused (with findings), 2 usage.
"""

import ast
import sys
from importlib import import_module
from pathlib import Path

import typer
from typer._click.core import Command, Context  # typer carries its own click
from typer.core import TyperCommand, TyperGroup

VERBS = {"run": "web.cli.run", "serve": "web.cli.serve", "work": "web.cli.work"}
"""Verbs without a noun, each a function of the same name in its module."""

HELPERS = frozenset(
    {
        "__init__", "__main__", "acting", "asking", "following", "output", "period_plots",
        "project_account", "telling",
    }
)  # fmt: skip
"""Modules of this package that are no noun."""

FOLDER = Path(__file__).resolve().parent

NOUNS = frozenset(
    path.stem for path in FOLDER.glob("*.py") if path.stem not in HELPERS and path.stem not in VERBS
)
"""Nouns: every other module of this package, each with a typer ``app``."""


class Nouns(TyperGroup):
    """Commands that are imported when named: a verb does not wait for the others' libraries."""

    def list_commands(self, _context: Context) -> list[str]:
        """Return every noun and verb."""
        return sorted((*NOUNS, *VERBS))

    def get_command(self, _context: Context, name: str) -> Command | None:
        """Return what a list of commands shows of a name: its first words, nothing imported."""
        if name not in NOUNS and name not in VERBS:
            return None
        module = VERBS.get(name, f"web.cli.{name}")
        return TyperCommand(name, help=about(FOLDER / f"{module.rpartition('.')[2]}.py"))

    def resolve_command(
        self, context: Context, words: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        """Return the command itself, imported now that it is named."""
        name, known, rest = super().resolve_command(context, words)
        return name, _imported(name) if name and known else known, rest


def about(path: Path) -> str:
    """Return the first sentence of a module's docstring, after the command it names."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.partition("\n\n")[0].partition(": ")[2]


def _imported(name: str) -> Command:
    if name in VERBS:
        single = typer.Typer(pretty_exceptions_enable=False)
        single.command(name)(getattr(import_module(VERBS[name]), name))
        return typer.main.get_command(single)
    noun = typer.main.get_group(import_module(f"web.cli.{name}").app)
    noun.name = name
    return noun


app = typer.Typer(
    cls=Nouns,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="碳汇 Tanhui: a county's carbon sink registry.",
)


@app.callback()
def tanhui() -> None:
    """碳汇 Tanhui: a county's carbon sink registry."""


def main() -> None:
    """Run the command line; a refusal becomes one clear answer and exit code 1."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 -- the edge: every refusal gets words here
        from web.cli.output import refuse

        sys.exit(refuse(error))
