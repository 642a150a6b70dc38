"""Parts: the models of an audit with their pictures, and the means that it is made with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from pulmo.audit.finding import Unanswered
from pulmo.audit.lungs import LungMasks
from pulmo.audit.model import Model
from pulmo.core.labels import class_numbers
from pulmo.datasets.inspect.facts import Published
from pulmo.evaluate.terms import Terms


class Part(NamedTuple):
    """A model and what it is asked about.

    Attributes:
        model: what is asked.
        fit: the rows of a manifest that it may owe its weights and thresholds to.
        judged: the rows that it is asked about.
        voided: rows that it was to be asked about and has seen; leaks are looked for among them,
            and no other check judges by them. None if there are none.
    """

    model: Model
    fit: pd.DataFrame
    judged: pd.DataFrame
    voided: pd.DataFrame | None = None

    @property
    def given(self) -> pd.DataFrame:
        """The rows that were given to judge it, those that it has seen too."""
        return self.judged if self.voided is None else pd.concat([self.judged, self.voided])


@dataclass(frozen=True)
class Means:
    """What an audit may use beside the models.

    Attributes:
        cache: where decoded pictures are kept.
        lungs: lung masks of some of the pictures; None if there are none.
        facts: the facts of the published files, where the manifest's are not those.
        published: an accuracy that was published for these pictures; None if there is none.
        most: pictures that a check which changes pictures is made with at most.
        replicates: bootstrap resamples of an interval.
        seed: of all that is drawn.
        on_progress: called with the pictures decoded and the pictures to decode.
    """

    cache: Path
    lungs: LungMasks | None = None
    facts: Published | None = None
    published: float | None = None
    most: int = 500
    replicates: int = 1000
    seed: int = 0
    on_progress: Callable[[int, int], None] | None = field(default=None, compare=False)


def require_fit(parts: Sequence[Part]) -> None:
    """Checks that it is known what the models were fitted on.

    Raises:
        Unanswered: it is not known of one.
    """
    if any(part.fit.empty for part in parts):
        raise Unanswered(
            "It is not known which pictures the model was fitted on; a manifest that has them as "
            "its training and validation tells it (--data)."
        )


def known_rows(table: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Returns the rows of a manifest whose label a model knows, with one column more, `class`."""
    numbers = class_numbers(table["label"], terms)
    known = numbers >= 0
    return table[known].assign(**{"class": np.array(terms.order)[numbers[known]]})
