"""Sentences: the verdict of an inspection and its warnings."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Final

from pulmo.core.sources import HOW_TO_STATE
from pulmo.datasets.inspect.inspection import (
    Clue,
    Copies,
    Distribution,
    NoteCounts,
    OtherNames,
    Tally,
    Totals,
)
from pulmo.stats.estimate import Estimate

AGE_GAP: Final = 10
"""Years between the median ages of two classes above which age could be what is seen."""

ADULT: Final = 18
"""Age in years from which a patient counts as an adult."""

FEW: Final = 10
"""Images of stated age below which the median age of a class is not compared."""

_NAMES: Final[Mapping[str, str]] = {
    "aspect": "aspect ratio",
    "bits": "bits per sample",
    "bytes": "file size",
    "bytes_per_pixel": "bytes per pixel",
    "format": "file format",
    "notes": "notes of the reader",
}
_PLURAL: Final = {"bits", "bytes_per_pixel", "notes"}
_DERIVED: Final = {"aspect": {"width", "height"}, "bytes_per_pixel": {"bytes"}}
"""Facts that need not be named beside those that they follow from."""

_MORAL: Final = "a model that reaches this has not been shown to see the disease."


def name_of(fact: str) -> str:
    """Returns what a sentence calls a fact."""
    return _NAMES.get(fact, fact)


def warning_of(clue: Clue, classes: Sequence[str]) -> str | None:
    """Returns what a flagged clue means; None for another.

    Args:
        clue: the clue.
        classes: all classes of the manifest.
    """
    if not clue.tells:
        return None
    what = "the class" if tuple(classes) == clue.classes else f"{_list(clue.classes)} apart"
    told = f"{_subject(clue)} {what} with"
    accuracy, commonest = clue.accuracy, clue.commonest
    if accuracy.low is not None and commonest is not None and accuracy.low > commonest:
        against = f"against {_percent(commonest)} for the commonest class"
        return f"{told} {_figure(accuracy)} accuracy, {against}: {_MORAL}"
    figure = _figure(clue.balanced_accuracy)
    return f"{told} {figure} balanced accuracy, against {_percent(clue.chance)} by chance: {_MORAL}"


def verdict_of(clues: Mapping[str, Clue]) -> str:
    """Returns the warning of the clue that tells most, or that none is flagged."""
    flagged = _telling(clues)
    if flagged:
        return flagged[0]
    tried = [name_of(name) for name, clue in clues.items() if clue.classes and name != "file"]
    if not tried:
        reason = next(iter(clues.values())).accuracy.reason
        return f"What could tell the classes apart was not tested: {reason}."
    return (
        f"Nothing that was tried ({_list(tried)}) tells the class clearly better than chance. "
        "Something else still may."
    )


def warnings_of(
    clues: Mapping[str, Clue],
    totals: Totals,
    copies: Copies,
    ages: Distribution,
    modalities: Mapping[str, int],
) -> tuple[str, ...]:
    """Returns the warnings beside the verdict.

    Args:
        clues: all clues, of which the verdict is about the one that tells most.
        totals: how much there is.
        copies: what is in two places.
        ages: how the age is spread in each class.
        modalities: how many images are stated to be of each modality.
    """
    further = _telling(clues)[1:]
    found = (
        _modalities(modalities),
        _sources(totals),
        further,
        _ages(ages),
        _patients(totals),
        _copies(copies),
    )
    return tuple(chain.from_iterable(found))


def names_sentences(names: Mapping[str, OtherNames]) -> Iterator[str]:
    """Yields what names of files say against the classes of their images."""
    for label, found in names.items():
        told = _list([f"{name} ({n:,})" for name, n in found.classes.items()])
        verb = "has a file name that speaks" if found.images == 1 else "have file names that speak"
        example = PurePath(found.examples[0]).name
        yield (
            f"{found.images:,} of the {found.of:,} images labelled {label} {verb} of another "
            f"class: {told}, such as {example}. Look whether their label is right."
        )


def one_sided_notes(notes: Mapping[str, NoteCounts]) -> tuple[str, ...]:
    """Returns a warning of each kind of note that the images of one class alone have.

    Args:
        notes: kind -> its images. Kinds of fewer than `FEW` images are left out: chance puts
            these into one class too.
    """
    warnings = []
    for counts in notes.values():
        having = [label for label, n in counts.classes.items() if n]
        if counts.n >= FEW and len(having) == 1 < len(counts.classes):
            warnings.append(
                f"Only images of {having[0]} have this note of the reader ({counts.n:,} of "
                f"them): {counts.says}. What such images look like may tell their class."
            )
    return tuple(warnings)


def _telling(clues: Mapping[str, Clue]) -> list[str]:
    """Returns the warnings of the flagged clues, the most telling first.

    Those of single facts of the file are left out where all of them together are flagged.
    """
    flagged = [clue for clue in clues.values() if clue.warning]
    whole = {fact for clue in flagged if clue.name == "file" for fact in clue.columns}
    apart = [clue for clue in flagged if clue.name == "file" or not whole >= set(clue.columns)]
    apart.sort(key=_strength, reverse=True)
    return [clue.warning for clue in apart if clue.warning]


def _strength(clue: Clue) -> float:
    """Returns how far on the way from chance to certainty a clue's balanced accuracy surely is."""
    low, chance = clue.balanced_accuracy.low or 0, clue.chance or 0
    return (low - chance) / (1 - chance)


def _modalities(modalities: Mapping[str, int]) -> Iterator[str]:
    """Warns of images of several modalities."""
    if len(modalities) > 1:
        counts = _list([f"{n:,} {name}" for name, n in modalities.items()])
        yield (
            f"{counts} images are mixed: what tells these apart tells any classes that they do "
            "not share. Training refuses them together unless its recipe names each modality."
        )


def _sources(totals: Totals) -> Iterator[str]:
    """Warns of images of which it is not stated where they are from."""
    if totals.with_source is not None and totals.with_source < totals.images:
        nameless = totals.images - totals.with_source
        yield (
            f"It is not stated which source {nameless:,} of the {totals.images:,} images are "
            "from, a hospital or a public data set. Whether the source tells the class is not "
            f"known of them. {HOW_TO_STATE}"
        )


def _ages(ages: Distribution) -> Iterator[str]:
    """Warns when the youngest and the oldest class differ in age, or in being children."""
    medians = {
        label: spread.quantiles[len(spread.quantiles) // 2]
        for label, spread in ages.classes.items()
        if spread.n >= FEW
    }
    if len(medians) < 2:
        return
    young, old = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    if medians[old] - medians[young] > AGE_GAP or medians[young] < ADULT <= medians[old]:
        yield (
            f"Where the age is stated, its median is {medians[young]:g} years for {young} and "
            f"{medians[old]:g} for {old}: what tells them apart may be the age, not the disease."
        )


def _patients(totals: Totals) -> Iterator[str]:
    nameless = totals.images - totals.with_patient
    if nameless:
        share = f"{nameless:,} of the {totals.images:,} images"
        yield (
            f"The patient of {share} is not named: if some patients have several, no split can "
            "keep them on one side, and intervals are too narrow."
        )


def _copies(copies: Copies) -> Iterator[str]:
    groups = copies.groups_with_several_labels
    if groups.images <= copies.patients_with_several_labels.images:
        groups = Tally(sets=0, images=0, examples=())
    for tally, one, many, what in (
        (copies.patients_with_several_labels, "patient", "patients", "in several classes"),
        (groups, "group", "groups", "in several classes"),
        (copies.groups_across_splits, "group", "groups", "on several sides of the split"),
    ):
        if tally.sets:
            yield f"{_these(tally, one, many)} {what}."


def _these(tally: Tally, one: str, many: str) -> str:
    noun = f"{one} has" if tally.sets == 1 else f"{many} have"
    return f"{tally.sets:,} {noun} images ({tally.images:,} in all)"


def _subject(clue: Clue) -> str:
    """Returns who tells, and the verb: `The age alone tells`."""
    facts = [
        fact
        for fact in clue.columns
        if fact not in _DERIVED or not set(clue.columns) >= _DERIVED[fact]
    ]
    words = _list([name_of(fact) for fact in facts])
    if len(facts) > 1:
        return f"{words[:1].upper()}{words[1:]} alone tell"
    return f"The {words} alone {'tell' if facts[0] in _PLURAL else 'tells'}"


def _figure(estimate: Estimate) -> str:
    """Gives a share with its interval: `76 % (72-80)`."""
    low, high = estimate.low, estimate.high
    interval = (
        f" ({100 * low:.0f}-{100 * high:.0f})" if low is not None and high is not None else ""
    )
    return f"{_percent(estimate.value)}{interval}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
