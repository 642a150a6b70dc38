"""Warnings: why metrics of an evaluation may be wrong or may not mean what they seem to mean."""

from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from pathlib import PurePath

import pandas as pd

from pulmo.core.message import Message
from pulmo.core.sources import HOW_TO_STATE, is_stated
from pulmo.evaluate.evaluation import EvaluatedData, PatientMetrics
from pulmo.evaluate.overlap import excluded_note
from pulmo.stats.estimate import Estimate

MIN_GROUPS = 30
"""Images, and groups, of a class below which a warning says that they are too few."""

AGE_GAP = 10
"""Years between the median ages of two classes above which the model may have learnt the age."""

ADULT = 18
"""Age in years from which a patient counts as an adult."""

MIN_SHARED = 0.5
"""Share of a class's images from shared sources below which a warning is given."""


_RISK = "a high metric may come from the source, not from the disease."


def list_warnings(
    data: EvaluatedData,
    rows: pd.DataFrame,
    recalls: Mapping[str, Estimate],
    patients: PatientMetrics | None = None,
) -> tuple[Message, ...]:
    """Returns the warnings on an evaluation.

    Args:
        data: the evaluated images, counted.
        rows: the evaluated images, with `class`, `group`, `age` in years (nullable) and, where they
            are known, the `patient` and the `split` that each is in (nullable).
        recalls: class -> its recall.
        patients: the metrics by patient, if they differ from those by image.
    """
    return (
        *_reused(data),
        *_drawings(data),
        *_seen(rows),
        *_scarce_classes(rows, recalls),
        *_sources(data),
        *_patients(data, rows),
        *_mixed(patients),
        *_ages(rows),
        *(Message("excluded", text) for text in excluded_note(data.excluded)),
        *_left_out(data),
    )


def list_image_warnings(data: EvaluatedData, rows: pd.DataFrame) -> tuple[Message, ...]:
    """Returns those of the warnings that are on the images and not on metrics.

    The arguments are those of `list_warnings`.
    """
    return (
        *_reused(data),
        *_drawings(data),
        *_seen(rows),
        *(Message("excluded", text) for text in excluded_note(data.excluded)),
        *_left_out(data),
    )


def _drawings(data: EvaluatedData) -> Iterator[Message]:
    """Warns of a model that was trained on drawings instead of radiographs."""
    if data.image_notes and "drawings" in data.image_notes:
        yield Message(
            "drawings",
            "The model was trained on drawings, not on radiographs: its metrics show that the "
            "program works, and nothing about patients.",
        )


def _reused(data: EvaluatedData) -> Iterator[Message]:
    """Warns of a test that was evaluated before."""
    if data.test_accesses is not None and data.test_accesses > 1:
        yield Message(
            "test-reused",
            f"This test set has been evaluated {data.test_accesses} times with this model: if the "
            "model was changed or chosen after the first time, the metrics are too good.",
        )


def _seen(rows: pd.DataFrame) -> Iterator[Message]:
    """Warns of images of the training or the validation."""
    split = rows["split"] if "split" in rows else pd.Series(dtype=str)
    for side, use in (
        ("train", "the model may have been trained on them, and the metrics are then too good"),
        ("val", "epoch, temperature and threshold may have been chosen on them"),
    ):
        n = int((split == side).sum())
        if n:
            verb = "is" if n == 1 else "are"
            yield Message(
                f"{side}-images", f"{n:,} of these images {verb} in the split {side}: {use}."
            )


def _scarce_classes(rows: pd.DataFrame, recalls: Mapping[str, Estimate]) -> Iterator[Message]:
    """Warns of each class with few images, or with images of few groups."""
    for label, recall in recalls.items():
        groups = rows.loc[rows["class"] == label, "group"]
        n, distinct = len(groups), groups.nunique()
        if n == 0:
            yield Message("no-images", f"No image is {label}: its recall is unknown.")
        elif distinct < MIN_GROUPS:
            images = f"Only {_count(n, 'image')} of {label}"
            if n >= MIN_GROUPS:
                patients = _count(distinct, "patient or group", "patients or groups")
                images = f"The {n:,} images of {label} are from only {patients}"
            extent = "recall has no interval"
            if recall.low is not None and recall.high is not None:
                extent = f"recall: 95 % CI {recall.low:.2f} to {recall.high:.2f}"
            yield Message("few-images", f"{images}: too few for a conclusion ({extent}).")


def unstated_source(n: int) -> Message:
    """Returns the warning that the source of n images, at least 1, is not stated."""
    return Message(
        "unstated-source",
        f"The source (hospital or public data set) of {_count(n, 'image')} is not stated: {_RISK} "
        f"{HOW_TO_STATE}",
    )


def unstated_images(data: EvaluatedData) -> int:
    """Returns the number of images whose source is not stated."""
    return sum(sum(of.values()) for name, of in data.sources.items() if not is_stated(name))


def _sources(data: EvaluatedData) -> Iterator[Message]:
    """Warns of classes that share no source, so that the source alone separates them."""
    n = unstated_images(data)
    if n:
        yield unstated_source(n)
        return
    by_source = data.effective_sources or data.sources
    places = {
        label: {name for name, counts in by_source.items() if counts.get(label)}
        for label, n in data.labels.items()
        if n
    }
    apart: dict[str, list[str]] = {}
    for first, second in combinations(places, 2):
        if places[first] & places[second]:
            continue
        if len(places[first]) == 1:
            apart.setdefault(first, []).append(second)
        elif len(places[second]) == 1:
            apart.setdefault(second, []).append(first)
        else:
            yield Message(
                "no-shared-source", f"No source has both {first} and {second} images: {_RISK}"
            )
    for label, others in apart.items():
        yield Message(
            "no-shared-source",
            f"All {label} images are from {next(iter(places[label]))}, which has no "
            f"{' or '.join(others)} images: {_RISK}",
        )
    yield from _mostly_apart(data, places)


def _mostly_apart(data: EvaluatedData, places: Mapping[str, set[str]]) -> Iterator[Message]:
    """Warns of a class that has only few images in the sources that it shares with another.

    Args:
        data: the evaluated images, counted.
        places: class -> its effective sources.
    """
    counts = data.effective_sources or data.sources
    few: dict[tuple[str, int], list[str]] = {}
    for label, other in permutations(places, 2):
        shared = places[label] & places[other]
        n = sum(counts[place][label] for place in shared)
        if shared and n < MIN_SHARED * data.labels[label]:
            few.setdefault((label, n), []).append(other)
    for (label, n), others in few.items():
        yield Message(
            "few-from-shared-source",
            f"Only {n:,} of {data.labels[label]:,} {label} images are from a source that also has "
            f"{' or '.join(others)} images: {_RISK}",
        )


def _patients(data: EvaluatedData, rows: pd.DataFrame) -> Iterator[Message]:
    """Warns of images whose patient is not known, unless a column `group` ties them."""
    known = int(rows["patient"].notna().sum()) if "patient" in rows else 0
    if known == data.n or ("patient" not in rows and data.groups < data.n):
        return
    which = f"The patient of {data.n - known:,} of {data.n:,} images is unknown"
    yield Message(
        "unknown-patients",
        f"{which if known else 'No patient is known'}: each of these images counts as a patient of "
        "its own, unless it is a known copy. If patients have several images, the intervals are "
        "too narrow.",
    )


def _mixed(patients: PatientMetrics | None) -> Iterator[Message]:
    if patients is not None and patients.mixed:
        who = _count(patients.mixed, "patient or group", "patients or groups")
        verb = "has" if patients.mixed == 1 else "have"
        yield Message(
            "mixed-patients",
            f"{who} {verb} images of several classes: left out of the metrics by patient.",
        )


def _ages(rows: pd.DataFrame) -> Iterator[Message]:
    """Warns when the youngest and the oldest class differ in age, or in being children."""
    medians = rows.dropna(subset="age").groupby("class")["age"].median().sort_values()
    if len(medians) < 2:
        return
    young, old = float(medians.iloc[0]), float(medians.iloc[-1])
    if old - young > AGE_GAP or young < ADULT <= old:
        yield Message(
            "age-gap",
            f"The median age, where known, is {young:g} years for {medians.index[0]} and {old:g} "
            f"for {medians.index[-1]}: a high metric may come from the age, not from the disease.",
        )


def _left_out(data: EvaluatedData) -> Iterator[Message]:
    if data.skipped:
        counts = ", ".join(f"{label}: {n:,}" for label, n in data.skipped.items())
        total = _count(sum(data.skipped.values()), "image")
        yield Message("unknown-labels", f"Left out: {total} with an unknown label ({counts}).")
    if data.failed:
        first = data.failed[0]
        # Folders can be named after patients, and a report is passed on.
        name = PurePath(first.path).name
        reason = first.reason.replace(first.path, name).rstrip(".")
        yield Message(
            "unreadable",
            f"Left out: {_count(len(data.failed), 'image')} that could not be read, the first "
            f"{name} ({reason}).",
        )


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
