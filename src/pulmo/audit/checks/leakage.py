"""Leakage: test images that are also training images, or copies or patients of them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import PurePath
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.check_result import Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.parts import Part, require_fit
from pulmo.bundle.seen import SeenImages
from pulmo.core.parallel import in_threads
from pulmo.datasets.curate.candidates import candidates
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.look import look
from pulmo.datasets.curate.verify import compare
from pulmo.datasets.manifest import Manifest, patient_names

MAX_IMAGES: Final = 5000
"""Greatest number of images among which near copies are searched for, which takes 20 to 100 ms for
each. `pulmo data curate` does so in a data set of any size, and puts them into one group."""

MAX_LISTED: Final = 20
"""Greatest number of images that are listed."""

KEYS: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "same file": lambda rows: rows["sha256"],
    "same pixels": lambda rows: rows["pixels_sha256"],
    "same patient": patient_names,
    "same group": lambda rows: rows["group"],
}
"""Relation of two images -> the value that related rows of a manifest share, or null."""


class _Search(NamedTuple):
    """The result of the search for near copies.

    Attributes:
        paths: test images that are copies of a training image of their model.
        unread: number of images that could not be read and were not compared.
    """

    paths: frozenset[str]
    unread: int


@check(
    "leakage",
    question="Are training images or their patients among the test images?",
    statement="No test image is a training image, a known copy of one, or from a known training "
    "patient.",
)
def leakage(context: AuditContext) -> Outcome:
    """Fails where a test image of a part is related to an image that its model was fitted on.

    The fitted images are known by the list of hashes in the bundle and by the given rows. Warns
    where the card counts more images than the rows have.
    """
    require_fit([part for part in context.parts if not _seen(part)])
    given = _Given.from_context(context)
    rows = given.rows
    found = {name: _related(given, look_at) for name, look_at in KEYS.items()}
    found["in the bundle's list"] = _listed(given)
    further = [*_excluded(given, len(context.rows)), *_patients(rows)]
    paths = {path for part in context.parts for side in _tables(part) for path in side["path"]}
    if any(part.fit is None for part in context.parts):
        text = "Near copies were not searched for: the training images are unknown."
        further.append(Message("no-copy-search", text))
    elif len(paths) <= MAX_IMAGES:
        search = _near_copies(context)
        found["near copy"] = np.asarray(rows["path"].isin(search.paths), np.bool_)
        further.append(Message("copy-search", "Near copies were searched for."))
        if search.unread:
            text = f"{search.unread:,} images could not be read and were not compared."
            further.append(Message("unread", text))
    else:
        text = (
            f"Near copies were not searched for: {len(paths):,} images are more than "
            f"{MAX_IMAGES:,}. Search for them with: pulmo data curate."
        )
        further.append(Message("no-copy-search", text))
    unknown = list(_uncounted(context))
    leaked = np.any(list(found.values()), axis=0)
    verdict: Verdict = "fails" if leaked.any() else "warns" if unknown else "passes"
    count = f"{leaked.sum():,}" if leaked.any() else "None"
    text = f"{count} of the {len(rows):,} test images are related to a training image."
    if leaked.any():
        text += " The metrics are too good: test the model without these images."
    groups = np.asarray(pd.factorize(rows["group"])[0], np.intp)
    share = stats.proportion(leaked, groups)
    names = [PurePath(path).name for path in rows["path"][leaked].head(MAX_LISTED)]
    return Outcome(
        verdict,
        (Message("leaked", text), *further, *unknown),
        {"leaked": share},
        (
            Table(
                title="Test images that are related to a training image",
                columns=("relation", "images"),
                rows=tuple((name, int(related.sum())) for name, related in found.items()),
            ),
        ),
        images=tuple(names),
    )


class _Given(NamedTuple):
    """The images that were given for the test, with those that the models have seen.

    Attributes:
        parts: the models.
        rows: the images whose label is known, part by part, numbered from 0.
        part: the number of the part of each, [n].
    """

    parts: tuple[Part, ...]
    rows: pd.DataFrame
    part: NDArray[np.intp]

    @classmethod
    def from_context(cls, context: AuditContext) -> "_Given":
        """Takes the images of all parts of a context."""
        known = [context.known_rows(part.given) for part in context.parts]
        numbers = np.repeat(np.arange(len(known)), [len(rows) for rows in known])
        return cls(context.parts, pd.concat(known, ignore_index=True), numbers)


def _tables(part: Part) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the rows on which a part was fitted, and those given for its test."""
    return part.fitted, part.given


def _excluded(given: _Given, tested: int) -> Iterator[Message]:
    """Yields how many of the images no other check uses."""
    if n := len(given.rows) - tested:
        yield Message(
            "excluded", f"All other checks leave out {n:,} images that the model has seen."
        )


def _patients(rows: pd.DataFrame) -> Iterator[Message]:
    """Yields how many images have a known patient, if not all have."""
    known = int(rows["patient"].notna().sum())
    if known < len(rows):
        who = f"The patient is known for {known:,} of {len(rows):,} images" if known else ""
        text = f"{who or 'No patient is known'}: leaks by patient may be missed."
        yield Message("unknown-patients", text)


def _related(given: _Given, look_at: Callable[[pd.DataFrame], pd.Series]) -> NDArray[np.bool_]:
    """Returns which images share a value with an image that their model was fitted on, [n]."""
    related = np.zeros(len(given.rows), np.bool_)
    for place, part in enumerate(given.parts):
        mine = np.flatnonzero(given.part == place)
        both = pd.concat([part.fitted, given.rows.iloc[mine]], ignore_index=True)
        values = look_at(both)
        fitted, test = values.iloc[: len(part.fitted)], values.iloc[len(part.fitted) :]
        related[mine] = test.isin(fitted.dropna()).to_numpy()
    return related


def _seen(part: Part) -> SeenImages:
    """Returns the images that a part's model has seen; none without a list."""
    return SeenImages() if part.model.predictor is None else part.model.predictor.seen


def _listed(given: _Given) -> NDArray[np.bool_]:
    """Returns which images are in the list of their bundle, [n]."""
    listed = np.zeros(len(given.rows), np.bool_)
    for place, part in enumerate(given.parts):
        if seen := _seen(part):
            mine = given.rows[given.part == place]
            known = seen.among(mine["sha256"]) | seen.among(mine["pixels_sha256"])
            listed[given.part == place] = known.to_numpy(np.bool_)
    return listed


def _near_copies(context: AuditContext) -> _Search:
    """Searches for copies, also if cropped, scaled, turned or mirrored.

    Each image is read once, however many parts it is in.
    """
    tables = [table for part in context.parts for table in _tables(part)]
    every = pd.concat(tables).drop_duplicates("path", ignore_index=True)
    with Gallery() as gallery:
        looks = look(Manifest.from_rows(every), gallery)
        digests = dict(zip(every["path"], looks.digests, strict=True))
        sides = [_Sides.from_part(part, digests) for part in context.parts]
        names = [looks.digests[row] for row in looks.rows]

        def is_copy(pair: NDArray[np.int64]) -> bool:
            first, second, mirrored = pair.tolist()
            found = compare(gallery[first], gallery[second], mirrored=bool(mirrored))
            return found is not None and found.copies

        pairs = [
            pair
            for pair in candidates(gallery)
            if any(side.leaks(names[pair[0]], names[pair[1]]) for side in sides)
        ]
        with closing(in_threads(is_copy, pairs)) as results:
            copies = [pair for pair, same in zip(pairs, results, strict=True) if same]
    paths: set[str] = set()
    for side in sides:
        leaked = side.test & side.fitted
        leaked |= {end for pair in copies for end in side.leaks(names[pair[0]], names[pair[1]])}
        paths |= {path for path in side.paths if digests[path] in leaked}
    return _Search(frozenset(paths), len(looks.problems))


class _Sides(NamedTuple):
    """The hashes of a part's pixels.

    Attributes:
        fitted: of the images on which it was fitted.
        test: of the images given for its test.
        paths: of the latter.
    """

    fitted: set[str | None]
    test: set[str | None]
    paths: list[str]

    @classmethod
    def from_part(cls, part: Part, digests: dict[str, str | None]) -> "_Sides":
        """Takes the images that could be read."""
        fitted, test = ({digests[path] for path in side["path"]} - {None} for side in _tables(part))
        return cls(fitted, test, part.given["path"].to_list())

    def leaks(self, first: str | None, second: str | None) -> set[str | None]:
        """Returns which of two copies is a test image while the other was fitted on."""
        ends = ((first, second), (second, first))
        return {mine for mine, other in ends if mine in self.test and other in self.fitted}


def _uncounted(context: AuditContext) -> Iterator[Message]:
    """Yields a message for each card that counts more fitted images than are known."""
    for part in context.parts:
        if part.model.card is None:
            continue
        counts = part.model.card.training.counts
        fitted = sum(sum(counts.get(split, {}).values()) for split in ("train", "val"))
        known = len(context.known_rows(part.fitted))
        if fitted > known:
            text = (
                f"The card counts {fitted:,} training and validation images, but patients and "
                f"groups are known for only {known:,} of them: leaks may be missed."
            )
            yield Message("unknown-training-images", text)
