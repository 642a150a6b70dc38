"""Subject: the model that an audit asks, with the pictures that it is asked about."""

import zlib
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.batches import in_batches
from pulmo.audit.lungs import read_mask
from pulmo.audit.parts import Means, Part, known_rows
from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Outputs, positive_probability, probabilities
from pulmo.core.errors import InputError
from pulmo.core.labels import LabelScheme
from pulmo.core.sections import ImageSection
from pulmo.datasets.cache import cached_pictures
from pulmo.evaluate.sample import Sample

Pixels = NDArray[np.uint8]

Change = Callable[[Pixels], Pixels]
"""Changes pictures uint8 [n, size, size]; gives as many of the same size."""


class Subject:
    """What an audit asks: one model and its test, or a model a fold and what each held out.

    Attributes:
        parts: the models, all with the same classes and input.
        means: what may be used.
        rows: the judged pictures whose label the model knows, part by part, numbered from 0: the
            columns of a manifest and `class`, the class that the label counts as.
        part: the number of the part of each row, [n].
        skipped: pictures whose label the model does not know.
    """

    def __init__(self, parts: Sequence[Part], means: Means) -> None:
        """Takes the parts.

        Raises:
            InputError: no picture has a label that the model knows, or the parts differ in their
                classes or their input.
        """
        self.parts = tuple(parts)
        self.means = means
        first = self.card
        for part in self.parts:
            card = part.predictor.card
            if (card.labels, card.input, card.decision.positive) != (
                first.labels,
                first.input,
                first.decision.positive,
            ):
                raise InputError("The models of the parts differ in their classes or their input.")
        known = [known_rows(part.judged, self.labels) for part in self.parts]
        self.rows = pd.concat(known, ignore_index=True)
        self.part = np.repeat(np.arange(len(known)), [len(rows) for rows in known])
        self.skipped = sum(len(part.judged) for part in self.parts) - len(self.rows)
        if self.rows.empty:
            raise InputError(
                "None of the pictures has a label that the model knows "
                f"({', '.join((*self.labels.order, *self.labels.merge))}); there is nothing to "
                "audit."
            )

    @property
    def card(self) -> Card:
        """The card of the first part's model."""
        return self.parts[0].predictor.card

    @property
    def labels(self) -> LabelScheme:
        """The classes."""
        return self.card.labels

    def generator(self, name: str) -> np.random.Generator:
        """Returns the randomness of the check `name`, whatever other checks are made."""
        return np.random.default_rng([self.means.seed, zlib.crc32(name.encode())])

    @cached_property
    def truth(self) -> NDArray[np.intp]:
        """The index of the true class of each picture, [n]."""
        return self.places(self.rows["class"])

    def places(self, classes: pd.Series) -> NDArray[np.intp]:
        """Returns the index of each class in the order of the labels."""
        order = {label: place for place, label in enumerate(self.labels.order)}
        return np.asarray(classes.map(order), np.intp)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The number of the group of each picture, [n], from 0 without gaps."""
        return np.asarray(pd.factorize(self.rows["group"])[0], np.intp)

    def groups_of(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns the number of the group of each of some rows, [m], from 0 without gaps."""
        return np.unique(self.groups[numbers], return_inverse=True)[1]

    @cached_property
    def pictures(self) -> Pixels:
        """The inputs of the judged pictures, uint8 [n, size, size]."""
        return self.pictures_of(self.rows)

    def pictures_of(self, rows: pd.DataFrame) -> Pixels:
        """Returns the inputs of rows of a manifest, uint8 [rows, size, size].

        Raises:
            InputError: a picture is missing, unreadable or not the one that was imported.
        """
        shape = self.card.input
        image = ImageSection(size=shape.size, aspect=shape.aspect, grey=shape.grey)
        found = cached_pictures(rows, image, self.means.cache, self.means.on_progress)
        return found.take(np.arange(len(rows)))

    def has_mask(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Tells which rows of a manifest have a lung mask."""
        lungs = self.means.lungs
        if lungs is None:
            return np.zeros(len(rows), np.bool_)
        return np.array([lungs.of(path) is not None for path in rows["path"]], np.bool_)

    def masks_of(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Returns where the lungs are in the inputs of rows that have a mask, [rows, size, size].

        Raises:
            InputError: a mask cannot be read.
        """
        shape, lungs = self.card.input, self.means.lungs
        files = [lungs.of(path) if lungs else None for path in rows["path"]]
        masks = [read_mask(file, shape.size, shape.aspect) for file in files if file]
        return np.array(masks, np.bool_).reshape(-1, shape.size, shape.size)

    @cached_property
    def outputs(self) -> Outputs:
        """What the models give for the judged pictures as they are."""
        return self.run(self.pictures, np.arange(len(self.rows)))

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The calibrated probabilities of the judged pictures as they are, [n, classes]."""
        return self.calibrated(self.outputs.logits, np.arange(len(self.rows)))

    @cached_property
    def sample(self) -> Sample:
        """The judged pictures and what the models say of them as they are."""
        return self.sample_of(self.probabilities)

    def run(self, pictures: Pixels, numbers: NDArray[np.intp]) -> Outputs:
        """Returns what the models give for pictures, each by the model of its part.

        Args:
            pictures: uint8 [m, size, size].
            numbers: the row that each is made of, [m].

        Raises:
            InputError: a model gave a value that is not a number.
        """
        outputs = Outputs(
            *in_batches(
                self.part[numbers],
                lambda part, places: self.parts[part].predictor.run(pictures[places]),
            )
        )
        if not np.isfinite(outputs.logits).all():
            raise InputError(f"The model {self.card.name} gave a result that is not a number.")
        return outputs

    def calibrated(
        self, logits: NDArray[np.float32], numbers: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Returns probabilities [m, classes] of logits, by the temperature of each row's model."""
        heat = np.array([part.predictor.card.temperature for part in self.parts])
        return probabilities(logits / heat[self.part[numbers], np.newaxis], 1.0)

    def predict(self, change: Change, numbers: NDArray[np.intp]) -> NDArray[np.float64]:
        """Returns the probabilities [m, classes] of pictures after a change.

        Args:
            change: what is done to them.
            numbers: the rows of the pictures, [m].
        """
        return self.calibrated(self.run(change(self.pictures[numbers]), numbers).logits, numbers)

    def sample_of(
        self, table: NDArray[np.float64], numbers: NDArray[np.intp] | None = None
    ) -> Sample:
        """Returns probabilities as a sample that metrics take; the decision is the likeliest class.

        Args:
            table: probabilities, [m, classes].
            numbers: the rows that they are of, [m]; all if None.
        """
        numbers = np.arange(len(self.rows)) if numbers is None else numbers
        return Sample(
            labels=self.labels.order,
            truth=self.truth[numbers],
            decided=table.argmax(axis=1),
            probabilities=table,
            groups=self.groups_of(numbers),
        )

    def positive_score(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns [m], the summed probability of the card's positive classes."""
        return positive_probability(table, self.labels.order, self.card.decision.positive)

    def features(self, numbers: NDArray[np.intp]) -> NDArray[np.float32] | None:
        """Returns what the models make of rows before their heads decide.

        Args:
            numbers: the rows, [m], one or more.

        Returns:
            float32 [m, channels], each by the model of its part, and so of no meaning beside those
            of another part; None if a bundle does not give them.
        """

        def ask(part: int, places: NDArray[np.intp]) -> list[NDArray[np.float32]]:
            found = self.parts[part].predictor.features(self.pictures[numbers[places]])
            return [] if found is None else [found]

        found = in_batches(self.part[numbers], ask)
        return found[0] if found else None

    @cached_property
    def some(self) -> NDArray[np.intp]:
        """The rows of at most `means.most` pictures, of each class in proportion, in order."""
        return self.few(np.arange(len(self.rows)))

    def few(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns at most `means.most` of some rows, of each class in proportion, in order."""
        if len(numbers) <= self.means.most:
            return numbers
        shuffled = self.generator("some").permutation(numbers)
        truth = self.truth[shuffled]
        ranked = pd.Series(truth).groupby(truth).rank(method="first")
        shares = ranked.to_numpy() / np.bincount(truth)[truth]
        chosen = shuffled[np.argsort(shares, kind="stable")[: self.means.most]]
        return np.asarray(np.sort(chosen), np.intp)
