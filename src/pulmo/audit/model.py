"""Model: what an audit asks, an opened bundle or no more than the predictions of any model."""

from typing import Final, NamedTuple, Self

from pulmo.audit.finding import Unanswered
from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.sections import ImageSection
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.terms import Terms

TOLD: Final = ImageSection(size=224, aspect="squash")
"""How pictures are drawn for the floors beside a model whose input is not known: as most published
classifiers take them."""


class Model(NamedTuple):
    """A model that is asked.

    Attributes:
        name: which it is.
        terms: its classes, the labels merged into them, and when a result is positive.
        image: how a picture becomes the input of the model, and of floors beside it.
        predictor: the opened bundle; None of a model of which only predictions are known. These are
            columns of the judged rows then: `decision`, `positive` and `p_<class>`.
    """

    name: ModelName
    terms: Terms
    image: ImageSection = TOLD
    predictor: Predictor | None = None

    @classmethod
    def of(cls, predictor: Predictor) -> Self:
        """Takes an opened bundle."""
        shape = predictor.card.input
        return cls(
            ModelName.of(predictor),
            Terms.of(predictor.card),
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
