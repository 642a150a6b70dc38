"""The context of an audit: the models and the test images that the checks use."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.check_result import CannotRun
from pulmo.audit.found_lungs import FoundLungs
from pulmo.audit.networks import Networks
from pulmo.audit.parts import AuditedModel, AuditOptions, Part
from pulmo.bundle.outcome import Outputs
from pulmo.core.errors import InputError
from pulmo.core.labels import class_numbers
from pulmo.core.message import Message
from pulmo.core.sources import are_stated, source_names
from pulmo.datasets.cache import Images, cached_images
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.mask_files import LungMasks, MaskPart, read_mask
from pulmo.predictions.decision_rule import DecisionRule, Decisions
from pulmo.predictions.table import checked_probabilities, image_notes
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import estimate_metrics

Pixels = NDArray[np.uint8]

Change = Callable[[Pixels], Pixels]
"""Changes images uint8 [n, size, size]; gives as many of the same size."""


class AuditContext:
    """The models of an audit with their test images: one model, or one for each fold.

    Attributes:
        parts: the models, all with the same classes and input.
        options: of the checks.
        rows: the test images whose label the model knows, part by part, numbered from 0: the
            columns of a manifest and `class`, the class that the label counts as.
        part: the number of the part of each row, [n].
        skipped: images whose label the model does not know.
    """

    def __init__(self, parts: Sequence[Part], options: AuditOptions) -> None:
        """Takes the parts.

        Raises:
            InputError: no image has a label that the model knows, or the parts differ in their
                classes or their input.
        """
        self.parts = tuple(parts)
        self.options = options
        if any(_shape(part.model) != _shape(self.model) for part in self.parts):
            raise InputError(
                "models-differ", "The models of the parts differ in their classes or their input."
            )
        known = [self.known_rows(part.test) for part in self.parts]
        self.rows = pd.concat(known, ignore_index=True)
        self.part = np.repeat(np.arange(len(known)), [len(rows) for rows in known])
        self.skipped = sum(len(part.test) for part in self.parts) - len(self.rows)
        self._without_lungs: set[str] = set()
        if self.rows.empty:
            raise InputError(
                "labels-not-of-model",
                "None of the images has a label that the model knows "
                f"({', '.join((*self.rule.classes, *self.rule.merges))}).",
            )

    @property
    def model(self) -> AuditedModel:
        """The first part's model."""
        return self.parts[0].model

    @property
    def rule(self) -> DecisionRule:
        """The classes, and those that are positive; a part may have a threshold of its own."""
        return self.model.rule

    def known_rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Returns the rows of a manifest whose label counts as a class, and that as `class`."""
        numbers = class_numbers(rows["label"], self.rule.classes, self.rule.merges)
        known = numbers >= 0
        return rows[known].assign(**{"class": np.array(self.rule.classes)[numbers[known]]})

    @property
    def is_external(self) -> bool:
        """Whether only predictions are known, and not the network."""
        return self.model.predictor is None

    @property
    def has_manifest(self) -> bool:
        """Whether the test images are in a manifest, so that their files can be read."""
        return bool(self.rows["sha256"].notna().all())

    @property
    def networks(self) -> Networks:
        """The networks of the parts.

        Raises:
            CannotRun: only predictions are known.
        """
        return Networks([part.model.network for part in self.parts], self.part)

    def require_network(self) -> None:
        """Checks that the networks are known.

        Raises:
            CannotRun: only predictions are known.
        """
        _ = self.networks

    def require_scores(self) -> None:
        """Checks that probabilities are known.

        Raises:
            CannotRun: only decisions are known.
        """
        if not self.rule.scored:
            raise CannotRun(
                "no-probabilities", "Only decisions are known, and this check needs probabilities."
            )

    def generator(self, name: str) -> np.random.Generator:
        """Returns the randomness of the check `name`, whatever other checks run."""
        return np.random.default_rng([self.options.seed, zlib.crc32(name.encode())])

    def metric(self, sample: ClassifiedImages, name: str) -> Estimate:
        """Returns a metric over all classes, as an evaluation of the same images gives it."""
        generator = np.random.default_rng(self.options.seed)
        return estimate_metrics(sample, self.options.replicates, generator, [name]).overall[name]

    @cached_property
    def truth(self) -> NDArray[np.intp]:
        """The index of the true class of each image, [n]."""
        return self.places(self.rows["class"])

    def places(self, classes: pd.Series) -> NDArray[np.intp]:
        """Returns the index of each class in the order of the labels."""
        return pd.Index(self.rule.classes).get_indexer(pd.Index(classes))

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The number of the group of each image, [n], from 0 without gaps."""
        return np.asarray(pd.factorize(self.rows["group"])[0], np.intp)

    def groups_of(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns the number of the group of each of some rows, [m], from 0 without gaps."""
        return np.unique(self.groups[numbers], return_inverse=True)[1]

    @cached_property
    def called(self) -> pd.Series:
        """What the source of each image is called, `pulmo.core.sources.source_names`."""
        return source_names(self.rows)

    @property
    def sources(self) -> pd.Series:
        """The source of each image, null where it is not stated."""
        return self.called.where(are_stated(self.called))

    @cached_property
    def images(self) -> Pixels:
        """The network inputs of the test images, uint8 [n, size, size]."""
        return self.images_of(self.rows)

    def images_of(self, rows: pd.DataFrame) -> Pixels:
        """Returns the inputs of rows of a manifest, uint8 [rows, size, size].

        Raises:
            InputError: an image is missing, unreadable or not the one that was imported.
            CannotRun: the rows are those of no manifest.
        """
        if not self.has_manifest:
            raise CannotRun(
                "no-images", "The image files are unknown. Give the manifest of the images."
            )
        return self._cached(rows).take(np.arange(len(rows)))

    def _cached(self, rows: pd.DataFrame) -> Images:
        """Returns where the inputs of rows of a manifest lie."""
        options, model = self.options, self.model
        found = cached_images(
            Manifest.from_rows(rows), model.image, options.cache, options.on_progress, model.finder
        )
        self._without_lungs.update(rows["sha256"].to_numpy()[found.without_lungs])
        return found

    @property
    def image_notes(self) -> dict[str, int] | None:
        """Kind of note -> test images, of the reader and of what checks have read; None if unknown.

        Where the model sees the lungs, an image without lungs is one that it was shown whole.
        """
        whole = int(self.rows["sha256"].isin(self._without_lungs).sum())
        noted = image_notes(self.rows)
        return (noted or {}) | {"no-lungs": whole} if whole else noted

    def has_mask(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Tells which rows of a manifest have a lung mask.

        Raises:
            InputError: the lungs are to be found, and an image cannot be read.
        """
        lungs = self.options.lungs
        if isinstance(lungs, FoundLungs) and self.has_manifest:
            return lungs.has(rows)
        if isinstance(lungs, LungMasks):
            return np.array([lungs.of(path) is not None for path in rows["path"]], np.bool_)
        return np.zeros(len(rows), np.bool_)

    def masks_of(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Returns where the lungs are in the inputs of rows that have a mask, [rows, size, size].

        Raises:
            InputError: a mask cannot be read.
        """
        shape, lungs, parts = self.model.image, self.options.lungs, self._shown(rows)
        if isinstance(lungs, FoundLungs):
            return lungs.of(rows, shape, parts)
        files = [lungs.of(path) if lungs else None for path in rows["path"]]
        masks = [
            read_mask(file, shape.size, shape.aspect, part)
            for file, part in zip(files, parts, strict=True)
            if file
        ]
        return np.array(masks, np.bool_).reshape(-1, shape.size, shape.size)

    def _shown(self, rows: pd.DataFrame) -> list[MaskPart | None]:
        """Returns the part of each image that the model sees; None for the whole."""
        if self.model.image.region == "all":
            return [None] * len(rows)
        cached, sides = self._cached(rows), rows[["height", "width"]].astype(int)
        return [
            None if (box := cached.box(row)) is None else MaskPart(box, (height, width))
            for row, (height, width) in enumerate(sides.itertuples(index=False))
        ]

    @property
    def mask_messages(self) -> tuple[Message, ...]:
        """What a reader must know of the lung masks: that no person drew them, if so."""
        if not isinstance(self.options.lungs, FoundLungs) or not self.has_manifest:
            return ()
        found = int(self.has_mask(self.rows).sum())
        text = (
            "No folder of lung masks was given, so the network of pulmo found the lungs: in "
            f"{found} of {len(self.rows)} test images. The others take no part where lungs are "
            "blackened."
        )
        return (Message("masks-of-network", text),)

    @cached_property
    def outputs(self) -> Outputs:
        """The outputs of the models for the unchanged test images.

        Raises:
            CannotRun: only predictions are known.
        """
        networks = self.networks  # before images are decoded in vain
        return networks.run(self.images, np.arange(len(self.rows)))

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """The calibrated probabilities of the unchanged test images, [n, classes].

        Raises:
            CannotRun: only decisions are known.
        """
        self.require_scores()
        if self.is_external:
            return checked_probabilities(self.rows, self.rule)
        return self.networks.calibrated(self.outputs.logits, np.arange(len(self.rows)))

    @cached_property
    def decisions(self) -> Decisions:
        """The decisions on the unchanged test images, each by the rule of its part's model.

        External predictions keep what their table says was decided and is positive.
        """
        if self.is_external:
            found = self.rule.decide(checked_probabilities(self.rows, self.rule))
            positive = self.rows["positive"].to_numpy(np.bool_)
            return found._replace(decided=self.places(self.rows["decision"]), positive=positive)
        rules = [part.model.rule for part in self.parts]
        each = [rule.decide(self.probabilities) for rule in rules]
        return Decisions(
            decided=each[0].decided,
            positive_probability=each[0].positive_probability,
            positive=np.stack([one.positive for one in each])[self.part, np.arange(len(self.part))],
            bands=None,
            sets=None,
        )

    @cached_property
    def sample(self) -> ClassifiedImages:
        """The unchanged test images with their classes and predictions."""
        known = (
            checked_probabilities(self.rows, self.rule) if self.is_external else self.probabilities
        )
        return replace(self.sample_of(known), decided=self.decisions.decided)

    def predict(self, change: Change, numbers: NDArray[np.intp]) -> NDArray[np.float64]:
        """Returns the probabilities [m, classes] of images after a change.

        Args:
            change: what is done to them.
            numbers: the rows of the images, [m].

        Raises:
            InputError: a model gave a value that is not a number.
            CannotRun: only predictions are known.
        """
        networks = self.networks
        outputs = networks.run(change(self.images[numbers]), numbers)
        return networks.calibrated(outputs.logits, numbers)

    def sample_of(
        self, table: NDArray[np.float64], numbers: NDArray[np.intp] | None = None
    ) -> ClassifiedImages:
        """Returns probabilities as a sample that metrics take; the decision is the likeliest class.

        Args:
            table: probabilities, [m, classes].
            numbers: the rows that they are of, [m]; all if None.
        """
        numbers = np.arange(len(self.rows)) if numbers is None else numbers
        return ClassifiedImages(
            labels=self.rule.classes,
            truth=self.truth[numbers],
            decided=table.argmax(axis=1),
            probabilities=table,
            groups=self.groups_of(numbers),
            scored=self.rule.scored,
        )

    @cached_property
    def some(self) -> NDArray[np.intp]:
        """The rows of at most `options.limit` images, of each class in proportion, in order."""
        return self.few(np.arange(len(self.rows)))

    def few(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns at most `options.limit` of some rows, of each class in proportion, in order."""
        if len(numbers) <= self.options.limit:
            return numbers
        shuffled = self.generator("some").permutation(numbers)
        truth = self.truth[shuffled]
        ranked = pd.Series(truth).groupby(truth).rank(method="first")
        shares = ranked.to_numpy() / np.bincount(truth)[truth]
        chosen = shuffled[np.argsort(shares, kind="stable")[: self.options.limit]]
        return np.asarray(np.sort(chosen), np.intp)


def _shape(model: AuditedModel) -> tuple[object, ...]:
    """Returns what the models of all parts must have in common."""
    rule, lungs = model.rule, model.finder.sha256 if model.finder else None
    return (rule.classes, rule.merges, rule.positive, model.image, lungs, model.predictor is None)
