"""What an audit is made of: models with their images, and the options of its checks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self

import pandas as pd

from pulmo.audit.finding import Unanswered
from pulmo.audit.lungs import LungMasks
from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.sections import ImageSection
from pulmo.datasets.inspect.facts import Published
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.decision_rule import DecisionRule

UNKNOWN_INPUT: Final = ImageSection(size=224, aspect="squash")
"""How images are drawn for the floors that a model is compared with whose input is not known: as
most published classifiers take them."""


class AuditedModel(NamedTuple):
    """A model that is audited.

    Attributes:
        name: which it is.
        rule: its classes, the labels merged into them, and when a result is positive.
        image: how an image becomes the input of the model, and of floors.
        predictor: the opened bundle; None of a model of which only predictions are known. These are
            columns of the judged rows then: `decision`, `positive` and `p_<class>`.
    """

    name: ModelName
    rule: DecisionRule
    image: ImageSection = UNKNOWN_INPUT
    predictor: Predictor | None = None

    @classmethod
    def from_predictor(cls, predictor: Predictor) -> Self:
        """Takes an opened bundle."""
        shape = predictor.card.input
        return cls(
            ModelName.from_predictor(predictor),
            predictor.card.decision_rule(),
            ImageSection(size=shape.size, aspect=shape.aspect, grey=shape.grey),
            predictor,
        )

    @property
    def card(self) -> Card | None:
        """The card of the bundle."""
        return None if self.predictor is None else self.predictor.card

    @property
    def network(self) -> Predictor:
        """The opened bundle.

        Raises:
            Unanswered: only predictions are known.
        """
        if self.predictor is None:
            raise Unanswered(
                "Only predictions are known of this model, so that its network cannot be asked."
            )
        return self.predictor


class Part(NamedTuple):
    """A model and what it is asked about.

    Attributes:
        model: what is asked.
        fit: the rows of a manifest that it may owe its weights and thresholds to.
        judged: the rows that it is asked about.
        voided: rows that it was to be asked about and has seen; leaks are looked for among them,
            and no other check judges by them. None if there are none.
    """

    model: AuditedModel
    fit: pd.DataFrame
    judged: pd.DataFrame
    voided: pd.DataFrame | None = None

    @property
    def given(self) -> pd.DataFrame:
        """The rows that were given to judge it, those that it has seen too."""
        return self.judged if self.voided is None else pd.concat([self.judged, self.voided])


@dataclass(frozen=True)
class AuditOptions:
    """What an audit may use besides the models.

    Attributes:
        cache: where decoded images are kept.
        lungs: lung masks of some of the images; None if there are none.
        facts: the facts of the published files, where the manifest's are not those.
        published: an accuracy that was published for these images; None if there is none.
        limit: images that a check which changes images is made with at most.
        replicates: bootstrap resamples of an interval.
        seed: of all that is drawn.
        on_progress: called with the images decoded and the images to decode.
    """

    cache: Path
    lungs: LungMasks | None = None
    facts: Published | None = None
    published: float | None = None
    limit: int = 500
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
            "It is not known which images the model was fitted on; a manifest that has them as "
            "its training and validation tells it (--data)."
        )
