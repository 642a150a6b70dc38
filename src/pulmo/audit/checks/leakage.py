"""Judged pictures that the model was fitted on, or near enough to."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import PurePath
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.audit.check import Answer, check
from pulmo.audit.finding import Table, Verdict
from pulmo.audit.parts import Part, known_rows, require_fit
from pulmo.audit.subject import Subject
from pulmo.core.tables import patient_names
from pulmo.datasets.curate.candidates import candidates
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.look import look
from pulmo.datasets.curate.verify import compare
from pulmo.datasets.parallel import in_threads
from pulmo.evaluate.intervals import proportion_estimate

MOST: Final = 5000
"""Pictures up to which near copies are looked for, which takes 20 to 100 ms for each.
`pulmo data curate` looks for them in a data set of any size, and puts them into one group."""

NAMED: Final = 20
"""Pictures that are named at most."""

KEYS: Final[dict[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "same file": lambda rows: rows["sha256"],
    "same pixels": lambda rows: rows["pixels_sha256"],
    "same patient": patient_names,
    "same group": lambda rows: rows["group"],
}
"""How pictures are tied -> what rows of a manifest that are tied so have in common, or null."""


class _Search(NamedTuple):
    """What came of the search for near copies.

    Attributes:
        paths: judged pictures that are copies of one that their model was fitted on.
        unread: how many pictures could not be read, and were compared with none.
    """

    paths: frozenset[str]
    unread: int


@check(
    "leakage",
    question="Was the model fitted on any of what it is judged on?",
    claim=("was fitted on no picture, no known patient and no group of those that it is judged on"),
)
def leakage(subject: Subject) -> Answer:
    """Fails where a part's judged pictures have anything in common with those it was fitted on.

    What a bundle was fitted on is known by the list that it carries and by the rows at hand. Warns
    where the card counts more pictures than there are rows of.
    """
    require_fit([part for part in subject.parts if not _digests(part)])
    rows = subject.rows
    found = {name: _tied(subject, look_at) for name, look_at in KEYS.items()}
    found["on the bundle's list"] = _listed(subject)
    said = []
    if rows["patient"].isna().all():
        said.append("No patient is known.")
    paths = {path for part in subject.parts for side in part[1:] for path in side["path"]}
    if any(part.fit.empty for part in subject.parts):
        said.append("Near copies were not looked for: the pictures fitted on are not at hand.")
    elif len(paths) <= MOST:
        search = _near_copies(subject)
        found["near copy"] = np.asarray(rows["path"].isin(search.paths), np.bool_)
        said.append("Near copies were looked for.")
        if search.unread:
            said.append(f"{search.unread:,} pictures could not be read to be compared.")
    else:
        said.append(
            f"Near copies were not looked for among {len(paths):,} pictures; `pulmo data curate` "
            "finds them."
        )
    unknown = list(_unknown(subject))
    leaked = np.any(list(found.values()), axis=0)
    verdict: Verdict = "fails" if leaked.any() else "warns" if unknown else "passes"
    count = f"{leaked.sum():,}" if leaked.any() else "None"
    sentence = f"{count} of {len(rows):,} judged pictures are tied to one that was fitted on."
    share = proportion_estimate(leaked, subject.groups, "there are no pictures")
    names = [PurePath(path).name for path in rows["path"][leaked].head(NAMED)]
    return Answer(
        verdict,
        " ".join([sentence, *said, *unknown]),
        {"leaked": share},
        (
            Table(
                title="Judged pictures that are tied to one that was fitted on",
                columns=("how", "pictures"),
                rows=tuple((name, int(tied.sum())) for name, tied in found.items()),
            ),
        ),
        pictures=tuple(names),
    )


def _tied(subject: Subject, look_at: Callable[[pd.DataFrame], pd.Series]) -> NDArray[np.bool_]:
    """Tells which judged pictures have something in common with their model's, [n]."""
    tied = np.zeros(len(subject.rows), np.bool_)
    for place, part in enumerate(subject.parts):
        mine = np.flatnonzero(subject.part == place)
        both = pd.concat([part.fit, subject.rows.iloc[mine]], ignore_index=True)
        values = look_at(both)
        fitted, judged = values.iloc[: len(part.fit)], values.iloc[len(part.fit) :]
        tied[mine] = judged.isin(fitted.dropna()).to_numpy()
    return tied


def _digests(part: Part) -> frozenset[str]:
    """Returns the SHA-256 of what a part's model has seen; none if it carries no list."""
    return frozenset() if part.model.predictor is None else part.model.predictor.seen


def _listed(subject: Subject) -> NDArray[np.bool_]:
    """Tells which judged pictures are on the list that their bundle carries, [n]."""
    listed = np.zeros(len(subject.rows), np.bool_)
    for place, part in enumerate(subject.parts):
        if seen := _digests(part):
            mine = subject.rows[subject.part == place]
            known = mine["sha256"].isin(seen) | mine["pixels_sha256"].isin(seen)
            listed[subject.part == place] = known.to_numpy(np.bool_)
    return listed


def _near_copies(subject: Subject) -> _Search:
    """Looks for copies, whatever was cut off, scaled, turned or mirrored.

    Each picture is read once, however many parts it is in.
    """
    tables = [table for part in subject.parts for table in (part.fit, part.judged)]
    every = pd.concat(tables).drop_duplicates("path", ignore_index=True)
    with Gallery() as gallery:
        looks = look(every, gallery)
        digests = dict(zip(every["path"], looks.digests, strict=True))
        sides = [_Sides.of(part, digests) for part in subject.parts]
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
        fitted: of the pictures that it was fitted on.
        judged: of those that it is judged on.
        paths: of the latter.
    """

    fitted: set[str | None]
    judged: set[str | None]
    paths: list[str]

    @classmethod
    def of(cls, part: Part, digests: dict[str, str | None]) -> "_Sides":
        """Takes the pictures that could be read."""
        fitted, judged = ({digests[path] for path in side["path"]} - {None} for side in part[1:])
        return cls(fitted, judged, part.judged["path"].to_list())

    def leaks(self, first: str | None, second: str | None) -> set[str | None]:
        """Returns which of two is judged, if they are copies, while the other was fitted on."""
        ends = ((first, second), (second, first))
        return {mine for mine, other in ends if mine in self.judged and other in self.fitted}


def _unknown(subject: Subject) -> Iterator[str]:
    """Says where a card counts more pictures than are known."""
    for part in subject.parts:
        if part.model.card is None:
            continue
        counts = part.model.card.training.counts
        fitted = sum(sum(counts.get(split, {}).values()) for split in ("train", "val"))
        known = len(known_rows(part.fit, subject.terms))
        if fitted > known:
            yield (
                f"The card counts {fitted:,} pictures of the training and the validation; the "
                f"patients and groups of {known:,} of them are known here."
            )
