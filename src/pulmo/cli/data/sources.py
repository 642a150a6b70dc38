"""pulmo data sources."""

from textwrap import fill

import typer


def sources() -> None:
    """List the data sets that pulmo reads, with licence, size and how to get them."""
    from pulmo.datasets.source import SOURCES

    for name, source in SOURCES.items():
        about = source.about
        terms = f"licence: {about.licence}; size: {about.size}"
        typer.echo(name)
        for text in filter(None, (about.title, terms, about.url, about.obtain)):
            typer.echo(fill(text, 96, initial_indent="  ", subsequent_indent="    "))
