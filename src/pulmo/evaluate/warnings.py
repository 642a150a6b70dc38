"""Warnings: what the figures of an evaluation do not show, as sentences."""

from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from pathlib import PurePath

import pandas as pd

from pulmo.core.sources import HOW_TO_STATE, is_stated
from pulmo.evaluate.evaluation import EvaluatedData, PatientMetrics
from pulmo.evaluate.overlap import say_voided
from pulmo.stats.estimate import Estimate

FEW = 30
"""Below this number of images, or of groups, the figures of a class are called undecided."""

AGE_GAP = 10
"""Years between the median ages of two classes above which age could be what is seen."""

ADULT = 18
"""Age in years from which a patient counts as an adult."""

HALF = 0.5
"""Share of a class's images below which those of a source that it shares decide little."""


def list_warnings(
    data: EvaluatedData,
    rows: pd.DataFrame,
    recalls: Mapping[str, Estimate],
    patients: PatientMetrics | None = None,
) -> tuple[str, ...]:
    """Returns the warnings that these data deserve.

    Args:
        data: what the model was evaluated on.
        rows: the judged images, with `class`, `group`, `age` in years (nullable) and, where they
            are known, the `patient` and the `split` that each is in (nullable).
        recalls: class -> its recall.
        patients: the figures of one result a patient, if they are others.
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
        *say_voided(data.voided),
        *_left_out(data),
    )


def _drawings(data: EvaluatedData) -> Iterator[str]:
    """Warns of a model that never saw a radiograph in its training."""
    if data.image_notes and "drawings" in data.image_notes:
        yield (
            "The model was trained on drawings: its figures show that the program works, and "
            "nothing about patients."
        )


def _reused(data: EvaluatedData) -> Iterator[str]:
    """Warns of a test that was evaluated before."""
    if data.test_accesses is not None and data.test_accesses > 1:
        yield (
            f"This test set has been accessed {data.test_accesses} times with this model: what was "
            "chosen after the first time was chosen with the test in sight, and its figures may be "
            "too good."
        )


def _seen(rows: pd.DataFrame) -> Iterator[str]:
    """Warns of images that the model may owe its weights, its epoch or its threshold to."""
    split = rows["split"] if "split" in rows else pd.Series(dtype=str)
    for side, use in (
        ("train", "the model may have been trained on them"),
        ("val", "the model's epoch, temperature and threshold may have been chosen on them"),
    ):
        n = int((split == side).sum())
        if n:
            verb = "is" if n == 1 else "are"
            yield f"{n:,} of these images {verb} in the split {side}: {use}."


def _scarce_classes(rows: pd.DataFrame, recalls: Mapping[str, Estimate]) -> Iterator[str]:
    """Warns of each class with few images, or with images of few groups."""
    for label, recall in recalls.items():
        groups = rows.loc[rows["class"] == label, "group"]
        n, distinct = len(groups), groups.nunique()
        if n == 0:
            yield f"No image here is {label}: nothing is known of how well it is recognised."
        elif distinct < FEW:
            those = f"{_count(n, 'image')} of {label}"
            if n >= FEW:
                those += f" from {_count(distinct, 'patient or group', 'patients or groups')}"
            extent = "has no interval"
            if recall.low is not None and recall.high is not None:
                extent = f"has the interval {recall.low:.2f} to {recall.high:.2f}"
            verb = "is" if n == 1 else "are"
            yield f"{those} {verb} too few to decide anything: the recall of {label} {extent}."


def unstated_sentence(n: int) -> str:
    """Returns the warning that it is not stated of n images, at least 1, where they are from."""
    return (
        f"It is not stated which source {_count(n, 'image')} {'is' if n == 1 else 'are'} from, a "
        "hospital or a public data set: a high figure may be the source, not the disease. "
        f"{HOW_TO_STATE}"
    )


def unstated_images(data: EvaluatedData) -> int:
    """Returns of how many images it is not stated which source they are from."""
    return sum(sum(of.values()) for name, of in data.sources.items() if not is_stated(name))


def _sources(data: EvaluatedData) -> Iterator[str]:
    """Warns of classes that share no source, so that the source alone tells them apart."""
    n = unstated_images(data)
    if n:
        yield unstated_sentence(n)
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
            yield (
                f"No source here has both {first} and {second} images: a high figure between "
                "them may be the source, not the disease."
            )
    for label, others in apart.items():
        yield (
            f"Every {label} image here comes from {next(iter(places[label]))} and no "
            f"{' or '.join(others)} image does: a high figure between them may be the source, "
            "not the disease."
        )
    yield from _mostly_apart(data, places)


def _mostly_apart(data: EvaluatedData, places: Mapping[str, set[str]]) -> Iterator[str]:
    """Warns of classes that share a source, but of which one has few images there.

    Args:
        data: what the model was evaluated on.
        places: class -> the sources, or parts of them, that it is from.
    """
    counts = data.effective_sources or data.sources
    few: dict[tuple[str, int], list[str]] = {}
    for label, other in permutations(places, 2):
        shared = places[label] & places[other]
        n = sum(counts[place][label] for place in shared)
        if shared and n < HALF * data.labels[label]:
            few.setdefault((label, n), []).append(other)
    for (label, n), others in few.items():
        yield (
            f"Only {n:,} of {data.labels[label]:,} {label} images are from a source that has "
            f"{' or '.join(others)} images too: a high figure between them may be the source, "
            "not the disease."
        )


def _patients(data: EvaluatedData, rows: pd.DataFrame) -> Iterator[str]:
    """Warns of images whose patient is not known, unless a column `group` ties them."""
    known = int(rows["patient"].notna().sum()) if "patient" in rows else 0
    if known == data.n or ("patient" not in rows and data.groups < data.n):
        return
    whose = f"The patient of {data.n - known:,} of {data.n:,} images is not known"
    yield (
        f"{whose if known else 'No patients are known here'}: each of these images counts as a "
        "patient of its own, unless it is a known copy. If some patients have several images, "
        "the intervals are too narrow."
    )


def _mixed(patients: PatientMetrics | None) -> Iterator[str]:
    if patients is not None and patients.mixed:
        left = _count(patients.mixed, "patient or group", "patients or groups")
        verb = "has" if patients.mixed == 1 else "have"
        yield (
            f"{left} {verb} images of several classes and took no part in the figures by patient."
        )


def _ages(rows: pd.DataFrame) -> Iterator[str]:
    """Warns when the youngest and the oldest class differ in age, or in being children."""
    medians = rows.dropna(subset="age").groupby("class")["age"].median().sort_values()
    if len(medians) < 2:
        return
    young, old = float(medians.iloc[0]), float(medians.iloc[-1])
    if old - young > AGE_GAP or young < ADULT <= old:
        yield (
            f"Where the age is known, its median is {young:g} years for {medians.index[0]} and "
            f"{old:g} for {medians.index[-1]}: a high figure between them may be the age, not the "
            "disease."
        )


def _left_out(data: EvaluatedData) -> Iterator[str]:
    if data.skipped:
        counts = ", ".join(f"{label}: {n:,}" for label, n in data.skipped.items())
        total = _count(sum(data.skipped.values()), "image")
        yield f"{total} with a label that this model does not know took no part ({counts})."
    if data.failed:
        first = data.failed[0]
        # Folders can be named after patients, and a report is passed on.
        name = PurePath(first.path).name
        reason = first.reason.replace(first.path, name).rstrip(".")
        yield (
            f"{_count(len(data.failed), 'image')} could not be read and took no part; the first "
            f"is {name} ({reason})."
        )


def _count(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
