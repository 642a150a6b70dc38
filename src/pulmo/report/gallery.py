"""The gallery: which images a report shows, and what it says of each."""

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Final, Self

import pandas as pd
from PIL import Image, UnidentifiedImageError

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.predictions.predictions import Predictions

SURE_HIT: Final = "correct, highest confidence"
UNSURE_HIT: Final = "correct, lowest confidence"
SURE_MISS: Final = "wrong, highest confidence"


@dataclass(frozen=True)
class Shown:
    """One image of the gallery.

    Attributes:
        file: name of its file, without folders.
        kind: why it is shown: one of the three constants of this module.
        truth: its true class.
        decision: the class that the model decided on.
        positive: whether the model called it positive.
        probabilities: class -> calibrated probability.
        image: JPEG of the image and its heat map for the decided class, as
            `pulmo.explain.overlay.small_pair` draws them.
    """

    file: str
    kind: str
    truth: str
    decision: str
    positive: bool
    probabilities: Mapping[str, float]
    image: bytes

    @classmethod
    def from_row(cls, row: pd.Series, card: Card, image: bytes) -> Self:
        """Makes one from a row of `select_gallery`."""
        return cls(
            file=file_name(str(row["path"])),
            kind=str(row["kind"]),
            truth=str(row["truth"]),
            decision=str(row["decision"]),
            positive=bool(row["positive"]),
            probabilities={label: float(row[f"p_{label}"]) for label in card.labels.order},
            image=image,
        )

    def data_uri(self) -> str:
        """Returns the image in a `data:` address.

        Raises:
            InputError: it is not a JPEG.
        """
        return data_uri(self.image, self.file)


def data_uri(jpeg: bytes, name: str) -> str:
    """Returns a JPEG in a `data:` address.

    Args:
        jpeg: the image.
        name: what messages call it.

    Raises:
        InputError: it is not a JPEG.
    """
    try:
        Image.open(io.BytesIO(jpeg), formats=["JPEG"]).close()
    except (UnidentifiedImageError, OSError) as error:
        raise InputError("jpeg-invalid", f"The image of {name} is not a JPEG: {error}.") from error
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def select_gallery(predictions: Predictions, per_class: int = 2) -> pd.DataFrame:
    """Picks the images that show a reader most of how a model succeeds and fails.

    Of each class up to `per_class` that were decided rightly, half of them the most and half the
    least confident, and up to `per_class` that were decided wrongly, the most confident first. A
    group appears once, unless a class has nothing else to show; an image always once. Equal
    confidences are ordered by path, so that the choice is always the same.

    Args:
        predictions: images whose label counts as no class are left out.
        per_class: images of each class that are right, and as many that are wrong.

    Returns:
        The picked rows in the order of the classes, with two columns more: `truth` (the
        class) and `kind` (one of the three constants of this module).
    """
    rows = _with_truth(predictions)
    used: set[str] = set()
    picked: dict[int, str] = {}
    for label in predictions.rule.classes:
        own = rows[rows["truth"] == label]
        right = own["decision"] == label
        wanted = (
            (own[right], (per_class + 1) // 2, SURE_HIT),
            (own[right].iloc[::-1], per_class // 2, UNSURE_HIT),
            (own[~right], per_class, SURE_MISS),
        )
        for candidates, count, kind in wanted:
            for place in pick(candidates.drop(index=list(picked), errors="ignore"), count, used):
                picked[place] = kind
    chosen = rows.loc[list(picked)].drop(columns="confidence")
    return chosen.assign(kind=list(picked.values())).reset_index(drop=True)


def file_name(path: str) -> str:
    r"""Returns the last part of a path, whichever system wrote it: `/` and `\` both part it."""
    return PureWindowsPath(path).name


def _with_truth(predictions: Predictions) -> pd.DataFrame:
    """Returns the images of known classes with `truth` and `confidence`, most confident first."""
    confidence = predictions.probabilities.max(axis=1)
    rows = predictions.frame.assign(truth=predictions.classes, confidence=confidence)
    rows = rows[predictions.truth >= 0]
    return rows.sort_values(["confidence", "path"], ascending=[False, True], ignore_index=True)


def pick(candidates: pd.DataFrame, count: int, used: set[str]) -> Iterator[int]:
    """Yields the places of the first `count` candidates, those of unused groups before others.

    Args:
        candidates: rows with a column `group`, in the order in which they are wanted.
        count: how many are wanted.
        used: the groups that are shown already; those of the picked rows are added.
    """
    fresh = [
        place for place, group in candidates["group"].drop_duplicates().items() if group not in used
    ]
    places = [*fresh, *candidates.index.difference(fresh, sort=False)][:count]
    used.update(candidates.loc[places, "group"])
    yield from (int(place) for place in places)
