"""Groups and contradictions against a slow implementation that walks from image to image."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.grouping import contradictions, group
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.source import Problem


def rows(images: pd.DataFrame, **columns: Sequence[str | None]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    series = {name: pd.Series(np.array(values, object)) for name, values in columns.items()}
    return images.head(count).assign(**series)


def test_groups_follow_chains_of_patients_and_copies(images: pd.DataFrame) -> None:
    digests = [letter * 64 for letter in "abbcde"]
    table = rows(
        images,
        sha256=digests,
        patient=["1", "1", "2", "2", None, "1"],
        source=["x", "x", "x", "x", "x", "y"],
    )
    groups = group(Manifest(table)).frame["group"].tolist()
    assert groups == ["x:1"] * 4 + ["d" * 16, "y:1"]


def test_a_patient_of_an_image_is_that_of_the_source_it_is_from(images: pd.DataFrame) -> None:
    """As the images of RSNA, which are NIH's; a hospital's name is no source."""
    table = rows(
        images,
        sha256=[letter * 64 for letter in "abcdef"],
        pixels_sha256=[None] * 6,
        patient=["61", "61", "61", "7", "7", None],
        source=["nih", "rsna", "cohen", "cohen", "rsna", "rsna"],
        origin=["Bethesda", "nih", None, "Rome", "Rome", "nih"],
    )
    groups = group(Manifest(table)).frame["group"].tolist()
    assert groups == ["nih:61", "nih:61", "cohen:61", "cohen:7", "rsna:7", "f" * 16]


def test_images_without_patients_are_grouped_by_content(images: pd.DataFrame) -> None:
    digests = ["a" * 64, "a" * 64, "b" * 64]
    table = rows(images, sha256=digests, pixels_sha256=[None] * 3, patient=[None] * 3)
    assert group(Manifest(table)).frame["group"].tolist() == ["a" * 16, "a" * 16, "b" * 16]


def random_table(images: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    hexadecimal = list("0123456789abcdef")

    def drawn(kinds: int) -> list[str]:
        return ["".join(rng.choice(hexadecimal, 64)) for _ in range(kinds)]

    count = len(images)
    content, pixels = drawn(40), drawn(60)
    return Manifest(
        images.assign(
            sha256=rng.choice(content, count),
            pixels_sha256=rng.choice(np.array([*pixels, None], object), count),
            patient=rng.choice(np.array(["a", "b", None, *"cdefghijkl"], object), count),
            source=rng.choice(["x", "y"], count),
            label=rng.choice(["covid", "normal"], count, p=[0.1, 0.9]),
        )
    ).frame


def linked(table: pd.DataFrame, columns: Sequence[Sequence[str]]) -> list[set[int]]:
    """The rows that chains of equal values tie to each row, found by walking."""
    records = table.to_dict("records")

    def tied(a: int, b: int) -> bool:
        return any(
            all(not pd.isna(records[a][n]) and records[a][n] == records[b][n] for n in names)
            for names in columns
        )

    reached = []
    for start in range(len(records)):
        seen, new = {start}, [start]
        while new:
            here = new.pop()
            more = {n for n in range(len(records)) if n not in seen and tied(here, n)}
            seen |= more
            new += more
        reached.append(seen)
    return reached


@pytest.mark.parametrize("seed", range(3))
def test_random_tables_are_grouped_as_by_walking(images: pd.DataFrame, seed: int) -> None:
    table = random_table(images, seed)
    expected = linked(table, [("source", "patient"), ("sha256",), ("pixels_sha256",)])
    grouped = group(Manifest(table))
    for number, name in enumerate(grouped.frame["group"]):
        members = table.iloc[sorted(expected[number])]
        assert set(np.flatnonzero(grouped.frame["group"] == name)) == expected[number]
        patients = members["source"] + ":" + members["patient"]
        assert name == (patients.min() if patients.notna().any() else members["sha256"].min()[:16])


@pytest.mark.parametrize("seed", range(3))
def test_random_contradictions_are_those_found_by_walking(images: pd.DataFrame, seed: int) -> None:
    table = random_table(images, seed)
    found = {problem.path: problem.reason for problem in contradictions(Manifest(table))}
    for number, copies in enumerate(linked(table, [("sha256",), ("pixels_sha256",)])):
        path, label = table["path"][number], table["label"][number]
        others = table.loc[sorted(copies)]
        others = others[others["label"] != label]
        if others.empty:
            assert path not in found
        else:
            other = others.iloc[0]
            assert found[path] == (
                f"it is labelled {label}, and its copy {other['label']}: {other['path']}"
            )


def test_a_copy_that_was_not_decoded_contradicts_too(images: pd.DataFrame) -> None:
    """The second is the first's bytes, the third the first's pixels with another label."""
    table = rows(
        images,
        sha256=["a" * 64, "a" * 64, "b" * 64, "c" * 64],
        pixels_sha256=["e" * 64, None, "e" * 64, None],
        label=["covid", "covid", "normal", "normal"],
    )
    first, second, third = table["path"][:3]
    assert list(contradictions(Manifest(table))) == [
        Problem(first, f"it is labelled covid, and its copy normal: {third}"),
        Problem(second, f"it is labelled covid, and its copy normal: {third}"),
        Problem(third, f"it is labelled normal, and its copy covid: {first}"),
    ]


def test_no_copies_and_no_rows_contradict_nothing(images: pd.DataFrame) -> None:
    assert list(contradictions(Manifest(images))) == []
    assert list(contradictions(Manifest(images[:0]))) == []


def test_what_is_no_manifest_is_refused(images: pd.DataFrame) -> None:
    with refuses("manifest-invalid", "sha256"):
        group(Manifest(images.drop(columns="sha256")))
