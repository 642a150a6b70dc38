"""Judged images that the model was fitted on, or near enough to."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import PurePath
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check import Answer, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Table, Verdict
from pulmo.audit.parts import Part, require_fit
from pulmo.core.parallel import in_threads
from pulmo.datasets.curate.candidates import candidates
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.look import look
from pulmo.datasets.curate.verify import compare
from pulmo.datasets.manifest import Manifest, patient_names

MOST: Final = 5000
"""Images up to which near copies are looked for, which takes 20 to 100 ms for each.
`pulmo data curate` looks for them in a data set of any size, and puts them into one group."""

NAMED: Final = 20
"""Images that are named at most."""

KEYS: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "same file": lambda rows: rows["sha256"],
    "same pixels": lambda rows: rows["pixels_sha256"],
    "same patient": patient_names,
    "same group": lambda rows: rows["group"],
}
"""How images are tied -> what rows of a manifest that are tied so have in common, or null."""


class _Search(NamedTuple):
    """What came of the search for near copies.

    Attributes:
        paths: judged images that are copies of one that their model was fitted on.
        unread: how many images could not be read, and were compared with none.
    """

    paths: frozenset[str]
    unread: int


@check(
    "leakage",
    question="Was the model fitted on any of the images that are given to judge it?",
    claim="was fitted on no image, no known patient and no group of those given to judge it",
)
def leakage(context: AuditContext) -> Answer:
    """Fails where a part's judged images have anything in common with those it was fitted on.

    What a bundle was fitted on is known by the list that it carries and by the rows at hand. Warns
    where the card counts more images than there are rows of.
    """
    require_fit([part for part in context.parts if not _digests(part)])
    given = _Given.of(context)
    rows = given.rows
    found = {name: _tied(given, look_at) for name, look_at in KEYS.items()}
    found["on the bundle's list"] = _listed(given)
    said = [*_voided(given, len(context.rows)), *_patients(rows)]
    paths = {path for part in context.parts for side in _tables(part) for path in side["path"]}
    if any(part.fit.empty for part in context.parts):
        said.append("Near copies were not looked for: the images fitted on are not at hand.")
    elif len(paths) <= MOST:
        search = _near_copies(context)
        found["near copy"] = np.asarray(rows["path"].isin(search.paths), np.bool_)
        said.append("Near copies were looked for.")
        if search.unread:
            said.append(f"{search.unread:,} images could not be read to be compared.")
    else:
        said.append(
            f"Near copies were not looked for among {len(paths):,} images; `pulmo data curate` "
            "finds them."
        )
    unknown = list(_unknown(context))
    leaked = np.any(list(found.values()), axis=0)
    verdict: Verdict = "fails" if leaked.any() else "warns" if unknown else "passes"
    count = f"{leaked.sum():,}" if leaked.any() else "None"
    sentence = f"{count} of {len(rows):,} images are tied to one that was fitted on."
    groups = np.asarray(pd.factorize(rows["group"])[0], np.intp)
    share = stats.proportion(leaked, groups)
    names = [PurePath(path).name for path in rows["path"][leaked].head(NAMED)]
    return Answer(
        verdict,
        " ".join([sentence, *said, *unknown]),
        {"leaked": share},
        (
            Table(
                title="Images given to judge it that are tied to one that was fitted on",
                columns=("how", "images"),
                rows=tuple((name, int(tied.sum())) for name, tied in found.items()),
            ),
        ),
        images=tuple(names),
    )


class _Given(NamedTuple):
    """The images that were given to judge the models, those that they have seen too.

    Attributes:
        parts: the models.
        rows: the images whose label is known, part by part, numbered from 0.
        part: the number of the part of each, [n].
    """

    parts: tuple[Part, ...]
    rows: pd.DataFrame
    part: NDArray[np.intp]

    @classmethod
    def of(cls, context: AuditContext) -> "_Given":
        """Takes them of a context."""
        known = [context.known_rows(part.given) for part in context.parts]
        numbers = np.repeat(np.arange(len(known)), [len(rows) for rows in known])
        return cls(context.parts, pd.concat(known, ignore_index=True), numbers)


def _tables(part: Part) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns what a part was fitted on, and what was given to judge it."""
    return part.fit, part.given


def _voided(given: _Given, judged: int) -> Iterator[str]:
    """Says how many of the images are judged in no other check."""
    if n := len(given.rows) - judged:
        yield f"{n:,} of them were left out of all other checks, for the model has seen them."


def _patients(rows: pd.DataFrame) -> Iterator[str]:
    """Says of how many images the patient is known, if it is not known of all."""
    known = int(rows["patient"].notna().sum())
    if not known:
        yield "No patient is known."
    elif known < len(rows):
        yield f"The patient of {known:,} of {len(rows):,} images is known."


def _tied(given: _Given, look_at: Callable[[pd.DataFrame], pd.Series]) -> NDArray[np.bool_]:
    """Tells which images have something in common with their model's, [n]."""
    tied = np.zeros(len(given.rows), np.bool_)
    for place, part in enumerate(given.parts):
        mine = np.flatnonzero(given.part == place)
        both = pd.concat([part.fit, given.rows.iloc[mine]], ignore_index=True)
        values = look_at(both)
        fitted, judged = values.iloc[: len(part.fit)], values.iloc[len(part.fit) :]
        tied[mine] = judged.isin(fitted.dropna()).to_numpy()
    return tied


def _digests(part: Part) -> frozenset[str]:
    """Returns the SHA-256 of what a part's model has seen; none if it carries no list."""
    return frozenset() if part.model.predictor is None else part.model.predictor.seen


def _listed(given: _Given) -> NDArray[np.bool_]:
    """Tells which images are on the list that their bundle carries, [n]."""
    listed = np.zeros(len(given.rows), np.bool_)
    for place, part in enumerate(given.parts):
        if seen := _digests(part):
            mine = given.rows[given.part == place]
            known = mine["sha256"].isin(seen) | mine["pixels_sha256"].isin(seen)
            listed[given.part == place] = known.to_numpy(np.bool_)
    return listed


def _near_copies(context: AuditContext) -> _Search:
    """Looks for copies, whatever was cut off, scaled, turned or mirrored.

    Each image is read once, however many parts it is in.
    """
    tables = [table for part in context.parts for table in _tables(part)]
    every = pd.concat(tables).drop_duplicates("path", ignore_index=True)
    with Gallery() as gallery:
        looks = look(Manifest.from_rows(every), gallery)
        digests = dict(zip(every["path"], looks.digests, strict=True))
        sides = [_Sides.of(part, digests) for part in context.parts]
        names = [looks.digests[row] for row in looks.rows]

        def judge(pair: NDArray[np.int64]) -> bool:
            first, second, mirrored = pair.tolist()
            found = compare(gallery[first], gallery[second], mirrored=bool(mirrored))
            return found is not None and found.copies

        pairs = [
            pair
            for pair in candidates(gallery)
            if any(side.leaks(names[pair[0]], names[pair[1]]) for side in sides)
        ]
        with closing(in_threads(judge, pairs)) as results:
            copies = [pair for pair, same in zip(pairs, results, strict=True) if same]
    paths: set[str] = set()
    for side in sides:
        tied = side.judged & side.fitted
        tied |= {end for pair in copies for end in side.leaks(names[pair[0]], names[pair[1]])}
        paths |= {path for path in side.paths if digests[path] in tied}
    return _Search(frozenset(paths), len(looks.problems))


class _Sides(NamedTuple):
    """The hashes of a part's pixels.

    Attributes:
        fitted: of the images that it was fitted on.
        judged: of those that it is judged on.
        paths: of the latter.
    """

    fitted: set[str | None]
    judged: set[str | None]
    paths: list[str]

    @classmethod
    def of(cls, part: Part, digests: dict[str, str | None]) -> "_Sides":
        """Takes the images that could be read."""
        fitted, judged = (
            {digests[path] for path in side["path"]} - {None} for side in _tables(part)
        )
        return cls(fitted, judged, part.given["path"].to_list())

    def leaks(self, first: str | None, second: str | None) -> set[str | None]:
        """Returns which of two is judged, if they are copies, while the other was fitted on."""
        ends = ((first, second), (second, first))
        return {mine for mine, other in ends if mine in self.judged and other in self.fitted}


def _unknown(context: AuditContext) -> Iterator[str]:
    """Says where a card counts more images than are known."""
    for part in context.parts:
        if part.model.card is None:
            continue
        counts = part.model.card.training.counts
        fitted = sum(sum(counts.get(split, {}).values()) for split in ("train", "val"))
        known = len(context.known_rows(part.fit))
        if fitted > known:
            yield (
                f"The card counts {fitted:,} images of the training and the validation; the "
                f"patients and groups of {known:,} of them are known here."
            )
