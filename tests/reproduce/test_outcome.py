import pytest

from pulmo.core.estimate import Estimate, wilson
from pulmo.reproduce.outcome import Figure, Outcome, mean_of
from pulmo.reproduce.outcome_text import outcomes_text


def proportion(hits: int, n: int) -> Estimate:
    return Estimate(hits / n, *wilson(hits / n, n), n)


def test_a_mean_lies_between_and_its_interval_is_narrower_than_the_sum() -> None:
    first, second = proportion(45, 50), proportion(160, 200)
    mean = mean_of(first, second)
    assert mean.value == pytest.approx(0.85)
    assert mean.n == 250
    assert first.low is not None
    assert second.low is not None
    assert mean.low == pytest.approx(
        0.85 - ((0.9 - first.low) ** 2 + (0.8 - second.low) ** 2) ** 0.5 / 2
    )


def test_equal_parts_of_large_samples_have_the_usual_interval() -> None:
    mean = mean_of(proportion(5000, 10000), proportion(5000, 10000))
    assert mean.low == pytest.approx(0.5 - 1.96 * (0.25 / 20000) ** 0.5, abs=1e-4)


def test_what_a_part_lacks_the_mean_lacks() -> None:
    some = proportion(1, 2)
    undefined = Estimate.undefined("there is no covid")
    assert mean_of(some, undefined).reason == "there is no covid"
    bare = Estimate(0.5, None, None, 0, "not stated")
    assert mean_of(bare, some).value == 0.5
    assert mean_of(bare, some).low is None


def test_the_table_sets_published_beside_ours_and_says_what_differs() -> None:
    outcome = Outcome(
        experiment="minivgg-official",
        recipe="minivgg-quick",
        backbone="mini-vggnet",
        figures=(
            Figure(
                name="recall of pneumonia",
                published=proportion(9, 10),
                ours=proportion(7, 9),
                floors={"facts": Estimate(0.6, 0.312, 0.831, 9)},
            ),
            Figure(name="accuracy", published=None, ours=Estimate.undefined("nothing")),
        ),
        n=12,
        labels={"normal": 3, "pneumonia": 9},
        epochs=6,
        minutes=2.25,
        notes=("Its network starts from random weights.",),
        differs=("They published no figure.",),
    )
    text = outcomes_text("MiniVGGNet", [outcome])
    assert "## MiniVGGNet" in text
    assert (
        "| `minivgg-quick` | recall of pneumonia | 0.900 (0.596-0.982) | 0.778 (0.453-0.937) "
        "| 9 | 0.600 (0.312-0.831) | - | 6 | 2.2 |"
    ) in text
    assert "|  | accuracy | - | undefined (nothing) | 0 | - | - |  |  |" in text
    assert "- They published no figure." in text
    assert "tested on 12 (3 normal, 9 pneumonia). Its network starts from random" in text
