"""pulmo data sources."""

import typer

from pulmo.cli.console import print_json
from pulmo.cli.options import Json


def sources(as_json: Json = False) -> None:
    """List the data sets that pulmo reads, with licence, size and how to get them."""
    from pulmo.datasets.source import SOURCES
    from pulmo.workflows.source_text import described, ways

    if as_json:
        print_json([source.about.facts(name) for name, source in SOURCES.items()])
        return
    for name, (about, *_) in SOURCES.items():
        typer.echo("\n".join((name, *described(about), *ways(name, about))))
