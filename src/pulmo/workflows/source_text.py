"""What is known of a public data set, and how to get it, as lines for people."""

from collections.abc import Iterator
from textwrap import wrap

from pulmo.datasets.source import About


def described(about: About) -> Iterator[str]:
    """Yields what is known of a source, but not how to get it."""
    for text in (about.title, f"licence: {about.licence}; size: {about.size}", about.url):
        yield from _filled(text)


def steps(about: About) -> Iterator[str]:
    """Yields the steps to get a source by hand; what to type is never broken."""
    for text in about.obtain.splitlines():
        yield from _filled(text)


def ways(name: str, about: About) -> Iterator[str]:
    """Yields how to get a source: by a download, where there is one, or by hand."""
    if about.remote is None:
        yield from steps(about)
    else:
        yield f"  $ pulmo data fetch {name} -o DIR"
        yield from steps(about._replace(obtain=f"or by hand: {about.obtain}"))


def _filled(text: str) -> list[str]:
    if not text.startswith("$ "):
        return wrap(text, 96, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [f"  {text}"]
