"""Sentences: the verdict of an inspection, and its warnings."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import PurePath
from typing import Final

from pulmo.core.message import Message, listed
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
"""Years between the median ages of two classes above which a model may learn the age."""

ADULT: Final = 18
"""Age in years from which a patient counts as an adult."""

MIN_IMAGES: Final = 10
"""Images of a class that a comparison of ages or of notes needs."""

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
"""Fact -> facts from which it follows; it is not named together with these."""

_MEANING: Final = "A model with this accuracy is not shown to recognise the disease."


def name_of(fact: str) -> str:
    """Returns what a sentence calls a fact."""
    return _NAMES.get(fact, fact)


def warning_of(clue: Clue, classes: Sequence[str]) -> str | None:
    """Returns what a flagged clue means; None for another.

    Args:
        clue: the clue.
        classes: all classes of the manifest.
    """
    if not clue.flagged:
        return None
    among = "" if tuple(classes) == clue.classes else f" among {listed(clue.classes)}"
    start = f"{_subject(clue)} the class{among} with"
    accuracy, commonest = clue.accuracy, clue.commonest
    if accuracy.low is not None and commonest is not None and accuracy.low > commonest:
        without = f"the most frequent class alone gives {_percent(commonest)}"
        return f"{start} an accuracy of {_share(accuracy)}; {without}. {_MEANING}"
    balanced = _share(clue.balanced_accuracy)
    chance = _percent(clue.chance)
    return f"{start} a balanced accuracy of {balanced}; chance is {chance}. {_MEANING}"


def verdict_of(clues: Mapping[str, Clue]) -> str:
    """Returns the warning of the strongest clue, or that no clue is flagged."""
    flagged = _flagged(clues)
    if flagged:
        return flagged[0]
    tried = [name_of(name) for name, clue in clues.items() if clue.classes and name != "file"]
    if not tried:
        reason = next(iter(clues.values())).accuracy.reason
        return f"It was not tested whether anything but the image predicts the class: {reason}."
    return (
        f"None of the tested facts ({listed(tried)}) predicts the class clearly better than "
        "chance. Others may."
    )


def warnings_of(
    clues: Mapping[str, Clue],
    totals: Totals,
    copies: Copies,
    ages: Distribution,
    modalities: Mapping[str, int],
) -> tuple[Message, ...]:
    """Returns the warnings in addition to the verdict.

    Args:
        clues: all clues; the verdict is about the strongest.
        totals: counts of images, groups and patients.
        copies: images, groups and patients in two places.
        ages: how the age is spread in each class.
        modalities: how many images are stated to be of each modality.
    """
    further = [Message("clue", text) for text in _flagged(clues)[1:]]
    found = (
        _modalities(modalities),
        _sources(totals),
        further,
        _ages(ages),
        _patients(totals),
        _copies(copies),
    )
    return tuple(chain.from_iterable(found))


def names_sentences(names: Mapping[str, OtherNames]) -> Iterator[Message]:
    """Yields a warning for each class whose files have names of another class."""
    for label, found in names.items():
        others = listed([f"{name} ({n:,})" for name, n in found.classes.items()])
        verb = "has a file name" if found.images == 1 else "have file names"
        example = PurePath(found.examples[0]).name
        yield Message(
            "file-names",
            f"{found.images:,} of the {found.of:,} images labelled {label} {verb} with the word of "
            f"another class: {others}, such as {example}. Check their labels.",
        )


def one_sided_notes(notes: Mapping[str, NoteCounts]) -> tuple[Message, ...]:
    """Returns a warning for each kind of note that only images of one class have.

    Args:
        notes: kind -> its images. Kinds of fewer than `MIN_IMAGES` images are left out: chance puts
            these into one class too.
    """
    warnings = []
    for counts in notes.values():
        having = [label for label, n in counts.classes.items() if n]
        if counts.n >= MIN_IMAGES and len(having) == 1 < len(counts.classes):
            warnings.append(
                Message(
                    "note-of-one-class",
                    f"Only images of {having[0]} ({counts.n:,} of them) have this note of the "
                    f"reader: {counts.says}. The look of such images may give their class away.",
                )
            )
    return tuple(warnings)


def _flagged(clues: Mapping[str, Clue]) -> list[str]:
    """Returns the warnings of the flagged clues, the strongest first.

    Those of single facts of the file are left out where all of them together are flagged.
    """
    flagged = [clue for clue in clues.values() if clue.warning]
    whole = {fact for clue in flagged if clue.name == "file" for fact in clue.columns}
    apart = [clue for clue in flagged if clue.name == "file" or not whole >= set(clue.columns)]
    apart.sort(key=_strength, reverse=True)
    return [clue.warning for clue in apart if clue.warning]


def _strength(clue: Clue) -> float:
    """Returns the lower end of a clue's balanced accuracy, rescaled to 0 for chance and 1."""
    low, chance = clue.balanced_accuracy.low or 0, clue.chance or 0
    return (low - chance) / (1 - chance)


def _modalities(modalities: Mapping[str, int]) -> Iterator[Message]:
    """Warns of images of several modalities."""
    if len(modalities) > 1:
        counts = listed([f"{n:,} {name}" for name, n in modalities.items()])
        yield Message(
            "mixed-modalities",
            f"There are {counts} images: if classes differ in their modality, a model may learn "
            "the modality. Training refuses a mixture unless the recipe names each modality.",
        )


def _sources(totals: Totals) -> Iterator[Message]:
    """Warns of images whose source is not stated."""
    if totals.with_source is not None and totals.with_source < totals.images:
        nameless = totals.images - totals.with_source
        yield Message(
            "unstated-source",
            f"The source (hospital or public data set) of {nameless:,} of the {totals.images:,} "
            f"images is not stated: it may give the class away. {HOW_TO_STATE}",
        )


def _ages(ages: Distribution) -> Iterator[Message]:
    """Warns when the youngest and the oldest class differ in age, or in being children."""
    medians = {
        label: spread.quantiles[len(spread.quantiles) // 2]
        for label, spread in ages.classes.items()
        if spread.n >= MIN_IMAGES
    }
    if len(medians) < 2:
        return
    young, old = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    if medians[old] - medians[young] > AGE_GAP or medians[young] < ADULT <= medians[old]:
        yield Message(
            "age-gap",
            f"The median age, where stated, is {medians[young]:g} years for {young} and "
            f"{medians[old]:g} for {old}: a model may learn the age instead of the disease.",
        )


def _patients(totals: Totals) -> Iterator[Message]:
    nameless = totals.images - totals.with_patient
    if nameless:
        share = f"{nameless:,} of the {totals.images:,} images"
        yield Message(
            "unknown-patients",
            f"The patient of {share} is unknown: if patients have several images, a split cannot "
            "keep them together, and intervals are too narrow.",
        )


def _copies(copies: Copies) -> Iterator[Message]:
    groups = copies.groups_with_several_labels
    if groups.images <= copies.patients_with_several_labels.images:
        groups = Tally(sets=0, images=0, examples=())
    for tally, one, many, what in (
        (copies.patients_with_several_labels, "patient", "patients", "in several classes"),
        (groups, "group", "groups", "in several classes"),
        (copies.groups_across_splits, "group", "groups", "in several splits"),
    ):
        if tally.sets:
            yield Message(f"{many}-apart", f"{_these(tally, one, many)} {what}.")


def _these(tally: Tally, one: str, many: str) -> str:
    noun = f"{one} has" if tally.sets == 1 else f"{many} have"
    return f"{tally.sets:,} {noun} images ({tally.images:,} in all)"


def _subject(clue: Clue) -> str:
    """Returns the subject and the verb: `The age alone predicts`."""
    facts = [
        fact
        for fact in clue.columns
        if fact not in _DERIVED or not set(clue.columns) >= _DERIVED[fact]
    ]
    words = listed([name_of(fact) for fact in facts])
    if len(facts) > 1:
        return f"{words[:1].upper()}{words[1:]} alone predict"
    return f"The {words} alone {'predict' if facts[0] in _PLURAL else 'predicts'}"


def _share(estimate: Estimate) -> str:
    """Returns a share with its interval: `76 % (95 % CI 72 to 80 %)`."""
    low, high = estimate.low, estimate.high
    interval = ""
    if low is not None and high is not None:
        interval = f" (95 % CI {100 * low:.0f} to {100 * high:.0f} %)"
    return f"{_percent(estimate.value)}{interval}"


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"
