"""The templates of the pages."""

import shlex

from jinja2 import Environment, PackageLoader, StrictUndefined

from pulmo.bundle.model_card import point_sentence
from pulmo.radiograph.notes import count_sentence
from pulmo.report import words


def environment() -> Environment:
    """Returns where templates are found, with the words that all of them share."""
    made = Environment(
        loader=PackageLoader("pulmo.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "title_of": words.metric_title,
        "sentence_of": point_sentence,
        "summary_of": words.metric_summary,
        "count": "{:,}".format,
        "quoted": shlex.quote,
    }
    made.globals |= {
        "count_sentence": count_sentence,
        "share": words.share,
        "smaller_is_better": words.smaller_is_better,
        "within_one": words.within_one,
    }
    return made
