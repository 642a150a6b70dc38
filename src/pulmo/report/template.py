"""The templates of the pages, with the words that all of them share."""

import shlex
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from pulmo.bundle.card import RESEARCH_ONLY
from pulmo.bundle.model_card import point_sentence
from pulmo.core.message import listed
from pulmo.radiograph.notes import count_sentence
from pulmo.report import words
from pulmo.report.gallery import file_name
from pulmo.report.lines import Groups, Line
from pulmo.stats.estimate import Estimate


def render(template: str, content: Mapping[str, object], notice: str = RESEARCH_ONLY) -> str:
    """Returns a page as HTML.

    It holds everything it shows: it needs no network, no script and no fonts, and forbids them by
    its content security policy. The same content gives the same bytes.

    Args:
        template: name of the page's template, without its ending.
        content: the template's variables.
        notice: what the page says first and last.
    """
    page = _environment().get_template(f"{template}.html.j2")
    return page.render(content, notice=notice, notes=words.Footnotes())


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("pulmo.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": "{:,}".format,
        "file_name": file_name,
        "lead": words.lead,
        "listed": listed,
        "quoted": shlex.quote,
        "said": words.said,
        "sentence_of": point_sentence,
        "title_of": words.metric_title,
        "without": _without,
    }
    made.tests["estimate"] = lambda cell: isinstance(cell, Estimate)
    made.globals |= {
        "count_sentence": count_sentence,
        "line": Line,
        "share": words.share,
        "classes_text": words.classes_text,
    }
    return made


def _without(groups: Groups, *headings: str) -> Groups:
    """Returns the groups of lines with other headings."""
    return {heading: rows for heading, rows in groups.items() if heading not in headings}
