"""The input of an audit: models with their images, and the options of the checks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, Self

import pandas as pd

from pulmo.audit.check_result import CannotRun
from pulmo.audit.found_lungs import FoundLungs
from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.sections import ImageSection
from pulmo.datasets.inspect.facts import Published
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluate import REPLICATES, SEED
from pulmo.evaluate.evaluation import ModelName
from pulmo.lungs import LungFinder
from pulmo.lungs.mask_files import LungMasks
from pulmo.predictions.decision_rule import DecisionRule

UNKNOWN_INPUT: Final = ImageSection(size=224, aspect="squash")
"""Size and shape of the images for the shortcut baselines where the model's own input is unknown:
that of most published classifiers."""


class AuditedModel(NamedTuple):
    """A model that is audited.

    Attributes:
        name: which it is.
        rule: its classes, the labels merged into them, and when a result is positive.
        image: how an image becomes the input of the model, and of shortcut baselines.
        predictor: the opened bundle; None if only predictions are known. These are then columns of
            the test rows: `decision`, `positive` and `p_<class>`.
    """

    name: ModelName
    rule: DecisionRule
    image: ImageSection = UNKNOWN_INPUT
    predictor: Predictor | None = None

    @classmethod
    def from_predictor(cls, predictor: Predictor) -> Self:
        """Takes an opened bundle."""
        return cls(
            ModelName.from_predictor(predictor),
            predictor.card.decision_rule(),
            predictor.card.input.image,
            predictor,
        )

    @property
    def finder(self) -> LungFinder | None:
        """The network that finds the lungs, if the model sees those."""
        return None if self.predictor is None else self.predictor.finder

    @property
    def card(self) -> Card | None:
        """The card of the bundle."""
        return None if self.predictor is None else self.predictor.card

    @property
    def network(self) -> Predictor:
        """The opened bundle.

        Raises:
            CannotRun: only predictions are known.
        """
        if self.predictor is None:
            raise CannotRun(
                "no-network",
                "Only the predictions of this model are known. This check needs the model itself: "
                "audit a bundle.",
            )
        return self.predictor


class Part(NamedTuple):
    """A model with its images.

    Attributes:
        model: the model.
        fit: the images on which its weights and thresholds were fitted; None if they are unknown.
        test: the rows on which it is tested: those of a manifest, or of a table of predictions.
        excluded: rows that were given for the test and that the model has seen; only the check
            `leakage` uses them. None if there are none.
    """

    model: AuditedModel
    fit: Manifest | None
    test: pd.DataFrame
    excluded: pd.DataFrame | None = None

    @property
    def fitted(self) -> pd.DataFrame:
        """The rows of `fit`, none if they are unknown."""
        return (self.fit or Manifest.empty()).frame

    @property
    def given(self) -> pd.DataFrame:
        """The rows that were given for the test, with those that the model has seen."""
        return self.test if self.excluded is None else pd.concat([self.test, self.excluded])


@dataclass(frozen=True)
class AuditOptions:
    """Options of the checks.

    Attributes:
        cache: where decoded images are kept.
        lungs: lung masks of some of the images, or what finds them; None if there are none.
        finder: finds the lungs for thumbnails of them; None if none are to be found.
        facts: the facts of the published files, where the manifest's are not those.
        published: an accuracy that was published for these images; None if there is none.
        limit: greatest number of images for a check that changes images.
        replicates: bootstrap resamples of an interval.
        seed: of all that is drawn.
        on_progress: called with the images decoded and the images to decode.
    """

    cache: Path
    lungs: LungMasks | FoundLungs | None = None
    finder: FoundLungs | None = None
    facts: Published | None = None
    published: float | None = None
    limit: int = 500
    replicates: int = REPLICATES
    seed: int = SEED
    on_progress: Callable[[int, int], None] | None = field(default=None, compare=False)


def require_fit(parts: Sequence[Part]) -> None:
    """Checks that the training images of all models are known.

    Raises:
        CannotRun: those of one are unknown.
    """
    if any(part.fit is None for part in parts):
        raise CannotRun(
            "no-training-images",
            "The training images of the model are unknown. Give a manifest that has them as its "
            "splits train and val.",
        )
