from collections.abc import Mapping, Sequence

import pandas as pd
import pytest

from pulmo.bundle.manifest_predictions import Failure
from pulmo.core.message import Message
from pulmo.evaluate import evaluation
from pulmo.evaluate.warnings import list_warnings
from pulmo.stats.estimate import Estimate

LABELS = ("covid", "viral", "normal")
RECALLS = {label: Estimate(0.75, 0.409, 0.929, 8) for label in LABELS}


def warnings_of(
    sources: Mapping[str, Mapping[str, int]],
    *,
    ages: Mapping[str, list[float | None]] | None = None,
    per_group: int = 2,
    recalls: Mapping[str, Estimate] = RECALLS,
    skipped: dict[str, int] | None = None,
    failed: tuple[Failure, ...] = (),
    sides: Sequence[str | None] | None = None,
    test_accesses: int | None = None,
    patients: int | None = None,
) -> tuple[Message, ...]:
    """The warnings of data with these images: source -> class -> number."""
    classes = [
        label for counts in sources.values() for label, n in counts.items() for _ in range(n)
    ]
    rows = pd.DataFrame({"class": classes, "age": pd.array([None] * len(classes), "Float64")})
    rows["group"] = rows.index // per_group
    for label, known in (ages or {}).items():
        rows.loc[rows.index[rows["class"] == label][: len(known)], "age"] = known
    if patients is not None:
        names = [f"p{number}" for number in range(patients)]
        rows["patient"] = pd.array([*names, *[None] * (len(rows) - patients)], "string")
    if sides is not None:
        rows["split"] = pd.array([*sides, *["test"] * (len(rows) - len(sides))], "string")
    data = evaluation.EvaluatedData(
        manifest_sha256="0" * 64,
        split="test",
        n=len(rows),
        groups=rows["group"].nunique(),
        labels={label: classes.count(label) for label in LABELS},
        sources={name: dict(counts) for name, counts in sources.items()},
        skipped=skipped or {},
        failed=failed,
        test_accesses=test_accesses,
    )
    return list_warnings(data, rows, recalls)


SOUND = {"city": {"covid": 80, "viral": 80, "normal": 80}}


def test_sound_data_give_no_warning() -> None:
    assert warnings_of(SOUND) == ()
    assert warnings_of(SOUND, ages={"covid": [50, 60], "normal": [47], "viral": [52]}) == ()


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (["test", None], []),
        (
            ["train", "val", "test", "train", None],
            [
                ("train-images", "2 of these images are"),
                ("val-images", "1 of these images is"),
            ],
        ),
    ],
)
def test_images_that_the_model_may_have_seen_are_counted(
    sides: list[str | None], expected: list[tuple[str, str]]
) -> None:
    found = warnings_of(SOUND, sides=sides)
    assert [each.kind for each in found] == [kind for kind, _ in expected]
    assert all(
        each.text.startswith(start) for each, (_, start) in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("test_accesses", [None, 1, 2])
def test_a_test_that_was_opened_before_is_said(test_accesses: int | None) -> None:
    found = warnings_of(SOUND, test_accesses=test_accesses)
    assert len(found) == (test_accesses == 2)
    assert all(each.kind == "test-reused" and " 2 times" in each.text for each in found)


def test_few_images_are_a_warning_with_the_interval() -> None:
    (warning,) = warnings_of({"city": {"covid": 8, "viral": 80, "normal": 80}})
    assert warning.kind == "few-images"
    assert warning.text.startswith("Only 8 images of covid:")
    assert "95 % CI 0.41 to 0.93" in warning.text


def test_one_image_without_an_interval() -> None:
    recalls = {**RECALLS, "covid": Estimate(1.0, None, None, 1, "one")}
    (warning,) = warnings_of({"city": {"covid": 1, "viral": 80, "normal": 80}}, recalls=recalls)
    assert warning.kind == "few-images"
    assert "Only 1 image of covid:" in warning.text
    assert "no interval" in warning.text


def test_few_groups_are_a_warning() -> None:
    found = warnings_of({"city": {"covid": 2400, "viral": 80, "normal": 2400}}, per_group=80)
    assert [each.kind for each in found] == ["few-images"]
    assert "80 images of viral are from only 1 patient or group:" in found[0].text
    found = warnings_of({"city": {"covid": 2400, "viral": 160, "normal": 2400}}, per_group=80)
    assert "160 images of viral are from only 2 patients or groups:" in found[0].text


def test_a_class_without_images_is_named() -> None:
    (warning,) = warnings_of({"city": {"covid": 80, "normal": 80}})
    assert warning.kind == "no-images"
    assert "No image is viral" in warning.text


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            {"radiography": {"covid": 80}, "city": {"viral": 80, "normal": 80}},
            ["All covid images are from radiography, which has no viral or normal images"],
        ),
        (
            {"a": {"covid": 80}, "b": {"viral": 80, "normal": 40}, "c": {"normal": 40}},
            [
                "All covid images are from a, which has no viral or normal images",
            ],
        ),
        (
            {
                "a": {"covid": 40, "viral": 80},
                "b": {"covid": 40, "viral": 80},
                "c": {"normal": 80, "viral": 80},
            },
            [
                "All normal images are from c, which has no covid images",
                "Only 80 of 240 viral images are from a source that also has normal images",
            ],
        ),
        (
            {
                "a": {"covid": 40, "viral": 40},
                "b": {"covid": 40},
                "c": {"normal": 40, "viral": 40},
                "d": {"normal": 40},
            },
            ["No source has both covid and normal images"],
        ),
        ({"a": {"covid": 80, "viral": 80, "normal": 80}, "b": {"covid": 80}}, []),
        (
            {"a": {"covid": 80, "viral": 80, "normal": 40}, "b": {"normal": 80}},
            [
                (
                    "Only 40 of 120 normal images are from a source that also has covid or viral "
                    "images"
                )
            ],
        ),
    ],
)
def test_classes_that_share_no_source_are_named(
    sources: dict[str, dict[str, int]], expected: list[str]
) -> None:
    found = warnings_of(sources)
    assert [each.text.partition(":")[0] for each in found] == expected
    assert {each.kind for each in found} <= {"no-shared-source", "few-from-shared-source"}


def test_unknown_patients_are_said() -> None:
    (warning,) = warnings_of(SOUND, per_group=1)
    assert warning.kind == "unknown-patients"


@pytest.mark.parametrize(
    ("patients", "per_group", "expected"),
    [
        (0, 1, "No patient is known"),
        # Copies make groups, and tell no patient.
        (0, 2, "No patient is known"),
        (60, 1, "The patient of 180 of 240 images is unknown"),
        (60, 2, "The patient of 180 of 240 images is unknown"),
        # Each may have one image: that they are known counts.
        (240, 1, None),
        (240, 2, None),
    ],
)
def test_patients_are_unknown_where_no_row_states_one(
    patients: int, per_group: int, expected: str | None
) -> None:
    found = warnings_of(SOUND, per_group=per_group, patients=patients)
    assert [each.text.partition(":")[0] for each in found] == ([expected] if expected else [])


@pytest.mark.parametrize("name", ["unstated", "mine (hospital not stated)", "folder"])
def test_a_source_that_is_not_stated_is_said_with_what_to_do(name: str) -> None:
    (warning,) = warnings_of({name: SOUND["city"]})
    assert warning.kind == "unstated-source"
    assert "240 images" in warning.text
    assert "when the images are imported" in warning.text
    (partly,) = warnings_of(SOUND | {name: {"covid": 1}})
    assert partly.kind == "unstated-source"
    assert "1 image is" in partly.text


@pytest.mark.parametrize(
    ("covid", "normal", "expected"),
    [
        ([60, 70, 80], [30, None, 40], "35 years for normal and 70 for covid"),
        ([4, 4.5], [15], "4.25 years for covid and 15 for normal"),
        ([16], [20], "16 years for covid and 20 for normal"),
        ([30], [40], None),
        ([10], [12], None),
        ([10, 80], [], None),
    ],
)
def test_ages_that_tell_classes_apart_are_named(
    covid: list[float | None], normal: list[float | None], expected: str | None
) -> None:
    found = warnings_of(SOUND, ages={"covid": covid, "normal": normal})
    assert len(found) == bool(expected)
    assert all(each.kind == "age-gap" for each in found)
    assert all(f"is {expected}:" in each.text for each in found)


def test_images_left_out_are_counted() -> None:
    path = "/data/Jane Doe/a.png"
    failures = (Failure(path=path, reason=f"{path} is empty."), Failure(path="/b", reason="x"))
    skipped, failed = warnings_of(SOUND, skipped={"other": 1200, "viral": 1}, failed=failures)
    assert (skipped.kind, failed.kind) == ("unknown-labels", "unreadable")
    assert "1,201 images" in skipped.text
    assert "(other: 1,200, viral: 1)" in skipped.text
    assert "2 images" in failed.text
    assert "a.png (a.png is empty)" in failed.text
    assert "Jane" not in failed.text
