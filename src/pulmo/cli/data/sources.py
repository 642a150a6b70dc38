"""pulmo data sources."""

from textwrap import wrap
from typing import TYPE_CHECKING

import typer

from pulmo.cli.console import print_json
from pulmo.cli.options import Json

if TYPE_CHECKING:
    from pulmo.datasets.source import About


def sources(as_json: Json = False) -> None:
    """List the data sets that pulmo reads, with licence, size and how to get them."""
    from pulmo.datasets.source import SOURCES

    if as_json:
        print_json([source.about.facts(name) for name, source in SOURCES.items()])
        return
    for name, (about, *_) in SOURCES.items():
        typer.echo(name)
        for line in (*described(about), *_ways(name, about)):
            typer.echo(line)


def described(about: "About") -> list[str]:
    """Returns what is known of a source, but not how to get it, in lines."""
    terms = f"licence: {about.licence}; size: {about.size}"
    return [line for text in (about.title, terms, about.url) for line in _filled(text)]


def steps(about: "About") -> list[str]:
    """Returns the steps to get a source by hand in lines; what to type is never broken."""
    return [line for text in about.obtain.splitlines() for line in _filled(text)]


def _ways(name: str, about: "About") -> list[str]:
    if about.remote is None:
        return steps(about)
    first, *rest = steps(about._replace(obtain=f"or by hand: {about.obtain}"))
    return [f"  $ pulmo data fetch {name} -o DIR", first, *rest]


def _filled(text: str) -> list[str]:
    if not text.startswith("$ "):
        return wrap(text, 96, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [f"  {text}"]
