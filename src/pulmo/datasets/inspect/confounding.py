"""Confounding: how well the class is predicted without the pixels."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.core.noted import UNKNOWN, kinds_of
from pulmo.core.sources import are_stated, source_names
from pulmo.datasets.inspect import sentences
from pulmo.datasets.inspect.counts import classes_of
from pulmo.datasets.inspect.facts import FACTS
from pulmo.datasets.inspect.inspection import Clue, Confounding
from pulmo.datasets.inspect.levels import levels_of
from pulmo.datasets.inspect.tree import FOLDS, draw_folds, guess
from pulmo.stats.estimate import Estimate

CLUES: Final[dict[str, tuple[str, ...]]] = {
    "file": FACTS,
    "size": ("width", "height"),
    **{
        name: (name,)
        for name in (*FACTS, "source", "origin", "view", "modality", "age", "sex", "notes")
    },
}
"""What may predict the class: name -> its facts."""

MARGIN: Final = 0.1
"""Lower limit of the balanced accuracy, rescaled to 0 for chance and 1 for no error."""

MIN_ASSOCIATION: Final = 0.1
"""Cramer's V from which Cohen 1988 calls an association small."""

MIN_IMAGES: Final = 10
"""Images of a class that a clue needs, from `FOLDS` groups."""

MAX_IMAGES: Final = 10_000
"""Greatest number of images for the metrics: the standard error of a share of so many is
at most half a hundredth, and no smaller one would change a verdict."""

RULE: Final = (
    "A clue is flagged if the lower limit of its balanced accuracy is at least a tenth of the way "
    "from chance to 1, and the lower limit of Cramer's V, where V is given, is at least 0.1."
)

_KNOWN: Final = 0.9
"""Share of the images of the best known fact of which the others of a clue must be known too."""


class _Draw(NamedTuple):
    """The randomness of all clues: a seed, and the folds drawn so far by the images' numbers."""

    seed: int
    folds: dict[bytes, NDArray[np.intp]]


class _Known(NamedTuple):
    """The images of which a clue is known, and its facts that vary among them."""

    facts: pd.DataFrame
    labels: NDArray[np.str_]
    groups: NDArray[np.intp]


def confounding_of(
    table: pd.DataFrame, facts: pd.DataFrame, generator: np.random.Generator
) -> Confounding:
    """Tests every clue of `CLUES`.

    Args:
        table: a manifest, its rows numbered from 0.
        facts: the facts of its files, as `file_facts` gives them.
        generator: draws groups out of more than `MAX_IMAGES` images, folds, trees and resamples.
    """
    described = [name for name in CLUES if name in table and name not in facts]
    frame = table[described].join(facts)
    frame["notes"] = _stated_notes(table["notes"])
    called = source_names(table)
    frame["source"] = called.where(are_stated(called))
    chosen = _chosen(table["group"], generator)
    draw = _Draw(int(generator.integers(2**31)), {})
    rows, classes = table[chosen], classes_of(table)
    clues = {}
    for name, columns in CLUES.items():
        known = _known(frame.loc[chosen, list(columns)], rows)
        if isinstance(known, str):
            clues[name] = _undefined(name, columns, known)
        else:
            clue = _try(name, known, draw)
            clues[name] = clue.model_copy(update={"warning": sentences.warning_of(clue, classes)})
    return Confounding(n=len(rows), rule=RULE, clues=clues)


def _stated_notes(notes: pd.Series) -> pd.Series:
    """Returns the kinds of notes of each image, `none` where there are none; null if unknown."""
    stated = notes.fillna("none").astype("string")
    return stated.mask(notes.map(lambda cell: UNKNOWN in kinds_of(cell)).astype(bool))


def _chosen(groups: pd.Series, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Chooses whole groups at random, of up to `MAX_IMAGES` images; all if there are fewer."""
    if len(groups) <= MAX_IMAGES:
        return np.ones(len(groups), np.bool_)
    codes, names = pd.factorize(groups)
    order = generator.permutation(len(names))
    images = np.cumsum(np.bincount(codes)[order])
    # At least one, though it be larger than that.
    kept = order[: max(1, int(np.searchsorted(images, MAX_IMAGES, side="right")))]
    return np.isin(codes, kept)


def _known(facts: pd.DataFrame, rows: pd.DataFrame) -> _Known | str:
    """Returns what is known of a clue, or why that is too little."""
    shares = facts.notna().mean()
    if not shares.any():
        return "no image states it"
    facts = facts.loc[:, shares >= _KNOWN * shares.max()].dropna()
    rows = rows.loc[facts.index]
    sizes = rows.groupby("label")["group"].agg(["size", "nunique"])
    enough = sizes.index[(sizes["size"] >= MIN_IMAGES) & (sizes["nunique"] >= FOLDS)]
    if len(enough) < 2:
        few = f"only {enough[0]} has" if len(enough) else "no class has"
        return f"{few} {MIN_IMAGES} images of {FOLDS} groups that state it"
    rows = rows[rows["label"].isin(enough)]
    facts = facts.loc[rows.index]
    facts = facts.loc[:, [(values != values.iloc[0]).any() for _, values in facts.items()]]
    if facts.empty:
        return "it is the same for all images that state it"
    return _Known(facts, rows["label"].to_numpy(str), pd.factorize(rows["group"])[0])


def _try(name: str, known: _Known, draw: _Draw) -> Clue:
    """Measures one clue; its warning is still to be given."""
    facts, labels, groups = known
    words, classes = np.unique(labels, return_inverse=True)
    key = facts.index.to_numpy(np.int64).tobytes()
    if key not in draw.folds:
        draw.folds[key] = draw_folds(labels, groups, draw.seed)
    guesses = guess(facts, labels, draw.folds[key], draw.seed)
    chance = 1 / len(words)
    v = _association(known, classes, draw.seed)
    balanced_accuracy = stats.balanced_accuracy(labels == guesses.balanced, classes, groups)
    return Clue(
        name=name,
        columns=tuple(map(str, facts)),
        classes=tuple(classes_of(pd.DataFrame({"label": words}))),
        commonest=float(np.bincount(classes).max() / len(classes)),
        chance=chance,
        v=v,
        accuracy=stats.proportion(labels == guesses.plain, groups),
        balanced_accuracy=balanced_accuracy,
        flagged=_is_flagged(balanced_accuracy, v, chance),
        warning=None,
    )


def _association(known: _Known, classes: NDArray[np.intp], seed: int) -> Estimate:
    """Returns V of one fact, or of two taken together."""
    levels = [levels_of(values) for _, values in known.facts.items()]
    if len(levels) > 2:
        return Estimate.undefined("V is of one fact, or of two together", len(classes))
    pairs = levels[0] if len(levels) == 1 else levels[0] * (levels[1].max() + 1) + levels[1]
    joint = levels_of(pd.Series(pairs).astype("string"))
    return stats.cramers_v(joint, classes, known.groups, np.random.default_rng(seed))


def _is_flagged(balanced_accuracy: Estimate, v: Estimate, chance: float) -> bool:
    """Applies `RULE`."""
    low = balanced_accuracy.low
    if low is None or low < chance + MARGIN * (1 - chance):
        return False
    return v.low is None or v.low >= MIN_ASSOCIATION


def _undefined(name: str, columns: tuple[str, ...], reason: str) -> Clue:
    nothing = Estimate.undefined(reason)
    return Clue(
        name=name,
        columns=columns,
        classes=(),
        commonest=None,
        chance=None,
        v=nothing,
        accuracy=nothing,
        balanced_accuracy=nothing,
        flagged=False,
        warning=None,
    )
