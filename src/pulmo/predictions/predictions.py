"""Predictions: what a model says of images, with what is known of them and the rule that it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.labels import class_numbers
from pulmo.core.record import Record
from pulmo.core.tables import write_parquet
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.table import checked, checked_probabilities, complete, score_columns
from pulmo.stats.classified import ClassifiedImages

_KEPT: Final = (
    "path", "sha256", "label", "patient", "group", "source", "origin", "root", "view", "age",
    "sex", "width", "height", "split", "notes",
)  # fmt: skip
"""What predictions keep of a manifest."""


class Failure(Record):
    """An image without a prediction."""

    path: str
    reason: str


# Tables have no single truth value, so predictions are compared by identity.
@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What a model says of n images; it is checked when it is made.

    Attributes:
        frame: one row an image, numbered from 0: `path`, `label` (null in all rows where no label
            is known), `group`, `source`, `age` in years (nullable), `decision` (a class),
            `positive` (bool) and, unless only decisions are known, `positive_probability` and a
            calibrated `p_<class>` for each class. All other columns are facts of the images. It is
            not changed after it was made.
        rule: how the probabilities become results.
        failed: further images that were asked for and have no result, each with the reason.

    Raises:
        InputError: a column or a value is missing or is not allowed (`table.checked`).
    """

    frame: pd.DataFrame
    rule: DecisionRule
    failed: tuple[Failure, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", checked(self.frame, self.rule))

    @classmethod
    def from_table(cls, table: pd.DataFrame, rule: DecisionRule) -> Self:
        """Takes a table of any model's predictions, what it leaves out filled in by the rule.

        Raises:
            InputError: a column or a value is missing or is not allowed.
        """
        return cls(complete(table, rule), rule)

    @classmethod
    def from_probabilities(
        cls,
        images: pd.DataFrame,
        probabilities: Sequence[Sequence[float]] | NDArray[np.float64],
        rule: DecisionRule,
        failed: Sequence[Failure] = (),
    ) -> Self:
        """Makes them of what a network gave for images of a manifest.

        Args:
            images: rows of a manifest, [n].
            probabilities: float64 [n, K], calibrated.
            rule: of the model.
            failed: the images without a result.

        Raises:
            InputError: there is no image with a result, or a probability is not a number.
        """
        if not len(images):
            first = f" The first: {failed[0].reason}" if failed else ""
            raise InputError("images-unreadable", f"None of the images can be read.{first}")
        frame = images[[name for name in _KEPT if name in images]].reset_index(drop=True)
        columns = dict(zip(score_columns(rule.classes), np.array(probabilities).T, strict=True))
        return cls(complete(frame.assign(**columns), rule), rule, tuple(failed))

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"Predictions({len(self)} images{failed}, classes {', '.join(self.rule.classes)})"

    def _repr_html_(self) -> str:
        labels = self.frame["label"].astype("string").fillna("label unknown")
        counts = pd.crosstab(labels, self.frame["decision"])
        return f"<p>{escape(repr(self))}</p>{counts.to_html()}"

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability of each class, [n, K]; where only decisions are known 1 or 0."""
        return checked_probabilities(self.frame, self.rule)

    @cached_property
    def positive_probability(self) -> NDArray[np.float64]:
        """Summed probability of the positive classes, [n]; 0 where there are none."""
        return self.rule.positive_probability(self.probabilities)

    @cached_property
    def classes(self) -> pd.Series:
        """The class that the label of each image counts as, [n]; null where it counts as none."""
        known = self.truth >= 0
        names = np.array(self.rule.classes)[self.truth]
        return pd.Series(names, dtype="string").where(known)

    @cached_property
    def truth(self) -> NDArray[np.intp]:
        """The index of that class, [n]; -1 where the label counts as none."""
        labels = self.frame["label"].astype(str)
        return class_numbers(labels, self.rule.classes, self.rule.merges)

    @cached_property
    def of_positive_class(self) -> NDArray[np.bool_]:
        """Whether that class is positive, [n]."""
        return self.rule.is_positive_class(self.truth)

    @cached_property
    def decided(self) -> NDArray[np.intp]:
        """The index of the class that the model decided on, [n]."""
        return pd.Index(self.rule.classes).get_indexer(pd.Index(self.frame["decision"]))

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Whether each result is positive, [n]."""
        return self.frame["positive"].to_numpy(np.bool_)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The number of the patient or group of copies of each image, [n], from 0 without gaps."""
        return np.asarray(pd.factorize(self.frame["group"])[0], np.intp)

    @property
    def classified(self) -> ClassifiedImages:
        """Labelled images as the arrays that metrics are computed from."""
        return ClassifiedImages(
            labels=self.rule.classes,
            truth=self.truth,
            decided=self.decided,
            probabilities=self.probabilities,
            groups=self.groups,
            scored=self.rule.scored,
        )

    @cached_property
    def independent(self) -> NDArray[np.bool_]:
        """Whether an image is the one that was drawn of its group, [n].

        It is the one with the lowest SHA-256: drawn by chance, and the same everywhere. A guarantee
        assumes independent images, and rests on these alone.
        """
        drawn = np.zeros(len(self), np.bool_)
        order = np.argsort(self.frame["sha256"].to_numpy(str), kind="stable")
        drawn[order[np.unique(self.groups[order], return_index=True)[1]]] = True
        return drawn

    def select(self, chosen: NDArray[np.bool_]) -> Self:
        """Returns the predictions of the `chosen` [n] images."""
        return type(self)(self.frame[chosen], self.rule, self.failed)

    def labelled(self) -> Self:
        """Returns those of the images whose label counts as a class.

        Raises:
            InputError: there are none.
        """
        chosen = self.truth >= 0
        if not chosen.any():
            if len(self) and self.frame["label"].isna().all():
                raise InputError(
                    "labels-missing", "The images have no labels; there is nothing to evaluate."
                )
            names = ", ".join((*self.rule.classes, *self.rule.merges))
            raise InputError(
                "labels-not-of-model",
                f"None of the {len(self)} images has a label that the model knows ({names}).",
            )
        return self if chosen.all() else self.select(chosen)

    @property
    def unknown_labels(self) -> dict[str, int]:
        """Label that counts as no class -> its images, sorted by label."""
        counts = self.frame["label"][self.truth < 0].astype(str).value_counts().sort_index()
        return {str(label): int(count) for label, count in counts.items()}

    def by_patient(self) -> "PatientPredictions | None":
        """Averages the probabilities of each group's images, and decides anew.

        A group whose images are of several classes, or of none, is left out and counted.

        Returns:
            None if each group has one image, all are of several classes, or only decisions are
            known, of which there is no mean.
        """
        sizes = np.bincount(self.groups)
        if not self.rule.scored or (sizes == 1).all():
            return None
        totals = np.stack([np.bincount(self.groups, column) for column in self.probabilities.T])
        spread = pd.Series(self.truth).groupby(self.groups).agg(["min", "max"])
        agreed = ((spread["min"] == spread["max"]) & (spread["min"] >= 0)).to_numpy()
        if not agreed.any():
            return None
        first = np.unique(self.groups, return_index=True)[1][agreed]
        means = dict(
            zip(score_columns(self.rule.classes), (totals / sizes)[:, agreed], strict=True)
        )
        rows = self.frame.iloc[first].reset_index(drop=True).assign(**means)
        rows = rows.drop(columns=["decision", "positive"])
        patients = type(self).from_table(rows, self.rule)
        return PatientPredictions(patients, int((~agreed).sum()))

    def save(self, path: Path) -> None:
        """Writes them as Parquet.

        Raises:
            InputError: the file cannot be written.
        """
        write_parquet(self.frame, path)


class PatientPredictions(NamedTuple):
    """One result a patient, or group of copies.

    Attributes:
        predictions: the results, as if each were an image.
        mixed: patients left out because their images are of several classes.
    """

    predictions: Predictions
    mixed: int
