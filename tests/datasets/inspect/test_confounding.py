from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.datasets.inspect import confounding as module
from pulmo.datasets.inspect.confounding import CLUES, confounding_of
from pulmo.datasets.inspect.facts import file_facts
from pulmo.datasets.inspect.inspection import Confounding

Make = Callable[..., pd.DataFrame]
Only = Callable[..., None]


def confounding(table: pd.DataFrame, seed: int = 0) -> Confounding:
    return confounding_of(table, file_facts(table), np.random.default_rng(seed))


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets only these clues be tried, which is faster."""

    def chosen(*names: str) -> None:
        monkeypatch.setattr(module, "CLUES", {name: CLUES[name] for name in names})

    return chosen


def flagged(found: Confounding) -> set[str]:
    return {name for name, clue in found.clues.items() if clue.flagged}


@pytest.mark.parametrize("seed", range(2))
def test_facts_that_have_nothing_to_do_with_the_class_are_not_flagged(
    make: Make, seed: int
) -> None:
    found = confounding(make(seed=seed), seed)
    assert list(found.clues) == list(CLUES)
    assert flagged(found) == set()
    assert found.n == 400
    for clue in found.clues.values():
        assert clue.classes == ("covid", "viral", "normal")
        assert clue.chance == pytest.approx(1 / 3)
        assert clue.warning is None
        assert clue.accuracy.value is not None


@pytest.mark.parametrize("name", ["source", "origin", "format", "view", "modality", "sex", "notes"])
def test_a_word_that_goes_with_a_class_is_flagged(
    table: pd.DataFrame, only: Only, name: str
) -> None:
    only("file", "age", "bits", name)
    other = {"sex": "O", "format": "TIFF", "notes": "own-range"}.get(name, "elsewhere")
    table.loc[(table["label"] == "covid") & (table.index % 5 > 0), name] = other
    found = confounding(table)
    assert flagged(found) == ({name, "file"} if name == "format" else {name})
    assert found.clues[name].warning is not None


@pytest.mark.parametrize("name", ["width", "bytes", "age", "bits"])
def test_a_number_that_goes_with_a_class_is_flagged(
    table: pd.DataFrame, only: Only, name: str
) -> None:
    only("file", "source", "sex", name)
    covid = table["label"] == "covid"
    table.loc[covid, name] = table.loc[covid, name] // 16 + 1
    found = confounding(table)
    assert name in flagged(found)
    assert ("file" in flagged(found)) == (name != "age")
    assert not flagged(found) & {"source", "sex"}
    value = found.clues[name].v.value
    assert value is not None
    assert value > 0.3


def test_facts_that_tell_only_together_are_flagged_together(
    table: pd.DataFrame, only: Only
) -> None:
    only("file", "size", "aspect", "width", "height")
    generator = np.random.default_rng(0)
    wide, tall = generator.random(400) < 0.5, generator.random(400) < 0.5
    table["width"] = np.where(wide, 900, 300)
    table["height"] = np.where(tall, 900, 300)
    table["label"] = pd.Series(np.where(wide == tall, "covid", "normal"), dtype="string")
    table["group"] = table.index.astype(str)
    found = confounding(table)
    assert flagged(found) == {"size", "file", "aspect"}
    assert found.clues["size"].v.value == pytest.approx(1, abs=0.01)
    assert found.clues["file"].v.reason == "V is of one fact, or of two together"


def test_a_weak_but_sure_association_is_not_flagged(make: Make, only: Only) -> None:
    only("view")
    table = make(4000, labels=("covid", "normal"))
    table.loc[(table["label"] == "covid") & (table.index % 7 == 0), "view"] = "PA"
    clue = confounding(table).clues["view"]
    assert clue.balanced_accuracy.low is not None
    assert clue.balanced_accuracy.low > 0.5
    assert not clue.flagged


def test_the_rule_asks_for_both_figures(
    table: pd.DataFrame, only: Only, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("view")
    table.loc[table["label"] == "covid", "view"] = "lateral"
    assert flagged(confounding(table)) == {"view"}
    monkeypatch.setattr(module, "MIN_ASSOCIATION", 0.99)
    assert flagged(confounding(table)) == set()


def test_a_clue_that_only_some_classes_state_is_of_those(table: pd.DataFrame, only: Only) -> None:
    only("view")
    table.loc[table["label"] == "covid", "view"] = pd.NA
    table.loc[table["label"] == "viral", "view"] = "lateral"
    clue = confounding(table).clues["view"]
    assert clue.classes == ("viral", "normal")
    assert clue.accuracy.n == int((table["label"] != "covid").sum())
    shares = table["label"][table["label"] != "covid"].value_counts(normalize=True)
    assert clue.commonest == pytest.approx(shares.max())
    assert clue.warning
    assert clue.warning.startswith(
        "The view alone predicts the class among viral and normal with an accuracy of 100 % ("
    )


def test_a_fact_of_the_file_that_few_state_does_not_cost_the_others(
    table: pd.DataFrame, only: Only
) -> None:
    only("file")
    table.loc[50:, "bits"] = pd.NA
    table.loc[:9, "bytes"] = pd.NA
    clue = confounding(table).clues["file"]
    assert clue.columns == ("width", "height", "aspect", "bytes", "bytes_per_pixel", "format")
    assert clue.accuracy.n == 390


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"age": pd.NA}, "age", "no image states it"),
        ({"source": "one"}, "source", "it is the same for all images that state it"),
        ({"label": "covid"}, "file", "only covid has 10 images of 5 groups that state it"),
        ({"group": "one"}, "sex", "no class has 10 images of 5 groups that state it"),
    ],
)
def test_what_cannot_be_tried_says_why(
    table: pd.DataFrame, only: Only, fill: Make, change: dict[str, object], name: str, reason: str
) -> None:
    only(name)
    clue = confounding(fill(table, **change)).clues[name]
    for value in (clue.v, clue.accuracy, clue.balanced_accuracy):
        assert value == (None, None, None, 0, reason)
    assert (clue.classes, clue.commonest, clue.chance, clue.flagged) == ((), None, None, False)


def test_a_tiny_manifest_is_no_crash(table: pd.DataFrame) -> None:
    for n in (1, 2, 9):
        assert flagged(confounding(table[:n])) == set()


def test_of_very_many_images_whole_groups_are_drawn(
    table: pd.DataFrame, only: Only, monkeypatch: pytest.MonkeyPatch
) -> None:
    only("view")
    monkeypatch.setattr(module, "MAX_IMAGES", 200)
    drawn = module._chosen(table["group"], np.random.default_rng(0))
    assert 195 <= drawn.sum() <= 200
    assert not set(table["group"][drawn]) & set(table["group"][~drawn])
    found = confounding(table)
    assert 195 <= found.n <= 200
    assert found.clues["view"].accuracy.n == found.n
    alone = module._chosen(pd.Series(["g"] * 300), np.random.default_rng(0))
    assert alone.all()


def test_the_same_draw_gives_the_same_figures(table: pd.DataFrame, only: Only) -> None:
    only("file", "source")
    assert confounding(table, 5) == confounding(table, 5)
    assert confounding(table, 5) != confounding(table, 6)
