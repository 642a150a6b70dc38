import pytest

from pulmo.datasets.inspect.inspection import (
    Clue,
    Copies,
    Distribution,
    NoteCounts,
    Spread,
    Tally,
    Totals,
)
from pulmo.datasets.inspect.sentences import (
    name_of,
    one_sided_notes,
    verdict_of,
    warning_of,
    warnings_of,
)
from pulmo.stats.estimate import Estimate

CLASSES = ("covid", "viral", "normal")


def clue(name: str, *columns: str, balanced: float = 0.7, accuracy: float = 0.76) -> Clue:
    one = Clue(
        name=name,
        columns=columns or (name,),
        classes=CLASSES,
        commonest=0.444,
        chance=1 / 3,
        v=Estimate(0.5, 0.4, 0.6, 100),
        accuracy=Estimate(accuracy, accuracy - 0.04, accuracy + 0.03, 100),
        balanced_accuracy=Estimate(balanced, balanced - 0.1, balanced + 0.1, 100),
        flagged=True,
        warning=None,
    )
    return one.model_copy(update={"warning": warning_of(one, CLASSES)})


def unpredicted(name: str, **changes: object) -> Clue:
    return clue(name).model_copy(update={"flagged": False, "warning": None, **changes})


def tally(sets: int = 0, images: int = 0) -> Tally:
    return Tally(sets=sets, images=images, examples=())


def copies(**changes: Tally) -> Copies:
    none = dict.fromkeys(Copies.model_fields, tally())
    return Copies.model_validate(none | changes)


def ages(**medians: tuple[int, float]) -> Distribution:
    spreads = {
        label: Spread(n=n, quantiles=(0, 0, 0, median, 99, 99, 99) if n else (), counts=())
        for label, (n, median) in medians.items()
    }
    return Distribution(edges=(), logarithmic=False, classes=spreads)


def totals(with_patient: int = 100) -> Totals:
    return Totals(
        images=100, groups=90, largest_group=3, patients=80, with_patient=with_patient,
        most_of_a_patient=3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "subject"),
    [
        (("age",), "The age alone predicts"),
        (("bits",), "The bits per sample alone predict"),
        (("bytes", "bytes_per_pixel"), "The file size alone predicts"),
        (("bytes_per_pixel",), "The bytes per pixel alone predict"),
        (("width", "height", "aspect"), "Width and height alone predict"),
        (("width", "aspect", "format"), "Width, aspect ratio and file format alone predict"),
    ],
)
def test_a_flagged_clue_says_what_it_reaches(columns: tuple[str, ...], subject: str) -> None:
    warning = clue("x", *columns).warning
    assert warning
    assert warning.startswith(f"{subject} the class with an accuracy of 76 % (95 % CI 72 to 79 %)")
    assert "44 %" in warning


def test_where_the_commonest_class_is_as_good_the_classes_weigh_alike() -> None:
    warning = clue("view", accuracy=0.48).warning
    assert warning
    assert "a balanced accuracy of 70 % (95 % CI 60 to 80 %); chance is 33 %." in warning


def test_a_clue_of_some_classes_names_them() -> None:
    warning = warning_of(clue("view"), ("covid", "viral", "normal", "other"))
    assert warning
    assert "among covid, viral and normal" in warning
    assert warning_of(unpredicted("view"), CLASSES) is None


def test_a_figure_without_interval_has_none() -> None:
    bare = Estimate(0.7, None, None, 10, "one group")
    changed = clue("view").model_copy(update={"accuracy": bare, "balanced_accuracy": bare})
    warning = warning_of(changed, CLASSES)
    assert warning
    assert "a balanced accuracy of 70 %;" in warning


def test_the_verdict_is_of_the_most_telling_clue_and_the_warnings_of_the_rest() -> None:
    clues = {
        "file": clue("file", "width", "bytes", balanced=0.8),
        "width": clue("width", balanced=0.95),
        "source": clue("source", balanced=0.7),
        "view": clue("view", balanced=0.9),
        "sex": unpredicted("sex"),
    }
    assert verdict_of(clues).startswith("The view alone")
    starts = [
        each.text.split(" alone")[0] for each in warnings_of(clues, totals(), copies(), ages(), {})
    ]
    assert starts == ["Width and file size", "The source"]
    del clues["file"]
    assert verdict_of(clues).startswith("The width alone")


def test_a_verdict_without_a_flag() -> None:
    clues = {name: unpredicted(name) for name in ("file", "bytes", "sex")}
    assert "(file size and sex)" in verdict_of(clues)
    nothing = Estimate.undefined("only covid has 10 images")
    untried = {"file": unpredicted("file", classes=(), accuracy=nothing)}
    assert verdict_of(untried).endswith("only covid has 10 images.")


@pytest.mark.parametrize(
    ("spreads", "warned"),
    [
        ({"covid": (20, 60), "viral": (20, 45), "normal": (9, 3)}, "45 years for viral and 60 for"),
        ({"covid": (20, 20), "normal": (20, 16)}, "16 years for normal and 20 for covid"),
        ({"covid": (20, 60), "normal": (20, 50)}, None),
        ({"covid": (20, 60), "normal": (0, 0)}, None),
    ],
)
def test_ages_that_differ(spreads: dict[str, tuple[int, float]], warned: str | None) -> None:
    warnings = warnings_of({}, totals(), copies(), ages(**spreads), {})
    assert len(warnings) == (warned is not None)
    assert all(warning.kind == "age-gap" for warning in warnings)
    assert all(str(warned) in warning.text for warning in warnings)


def test_patients_and_copies_in_the_wrong_place() -> None:
    found = copies(
        groups_with_several_labels=tally(4, 10),
        patients_with_several_labels=tally(1, 2),
        groups_across_splits=tally(1, 3),
    )
    nameless, *others = warnings_of({}, totals(60), found, ages(), {})
    assert nameless.kind == "unknown-patients"
    assert "40 of the 100 images" in nameless.text
    assert [each.kind for each in others] == ["patients-apart", "groups-apart", "groups-apart"]
    assert [each.text for each in others] == [
        "1 patient has images (2 in all) in several classes.",
        "4 groups have images (10 in all) in several classes.",
        "1 group has images (3 in all) in several splits.",
    ]
    same = copies(groups_with_several_labels=tally(1, 2), patients_with_several_labels=tally(1, 2))
    assert len(warnings_of({}, totals(), same, ages(), {})) == 1


def test_facts_have_names() -> None:
    assert (name_of("bytes"), name_of("age")) == ("file size", "age")


def test_several_modalities_are_a_warning() -> None:
    (warning,) = warnings_of({}, totals(), copies(), ages(), {"CT": 21, "X-ray": 4500})
    assert warning.kind == "mixed-modalities"
    assert "21 CT and 4,500 X-ray images" in warning.text
    assert warnings_of({}, totals(), copies(), ages(), {"X-ray": 4500}) == ()


@pytest.mark.parametrize(
    ("classes", "warned"),
    [
        ({"covid": 12, "normal": 0}, True),
        ({"covid": 12, "normal": 1}, False),
        ({"covid": 9, "normal": 0}, False),  # chance does that too
        ({"covid": 12}, False),  # there is no other class
    ],
)
def test_a_note_of_one_class_alone_is_warned_of(classes: dict[str, int], *, warned: bool) -> None:
    counts = NoteCounts(
        says="colour was removed", n=sum(classes.values()), classes=classes, sources={}
    )
    found = one_sided_notes({"colour": counts})
    assert bool(found) == warned
    if warned:
        assert "covid" in found[0].text
        assert "colour was removed" in found[0].text
