from pulmo.reproduce.outcome import ComparedValue, Outcome
from pulmo.reproduce.outcome_text import outcomes_text
from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import wilson


def proportion(hits: int, n: int) -> Estimate:
    return Estimate(hits / n, *wilson(hits / n, n), n)


def test_the_table_sets_published_next_to_ours_and_says_what_differs() -> None:
    outcome = Outcome(
        experiment="minivgg-official",
        recipe="minivgg-quick",
        backbone="mini-vggnet",
        metrics=(
            ComparedValue(
                name="recall of pneumonia",
                published=proportion(9, 10),
                ours=proportion(7, 9),
                baselines={"facts": Estimate(0.6, 0.312, 0.831, 9)},
            ),
            ComparedValue(name="accuracy", published=None, ours=Estimate.undefined("nothing")),
        ),
        n=12,
        labels={"normal": 3, "pneumonia": 9},
        epochs=6,
        minutes=2.25,
        notes=("Its network starts from random weights.",),
        differs=("They published no value.",),
    )
    text = outcomes_text("MiniVGGNet", [outcome])
    assert "## MiniVGGNet" in text
    assert (
        "| `minivgg-quick` | recall of pneumonia | 0.900 (0.596-0.982) | 0.778 (0.453-0.937) "
        "| 9 | 0.600 (0.312-0.831) | - | - | 6 | 2.2 |"
    ) in text
    assert "|  | accuracy | - | undefined (nothing) | 0 | - | - | - |  |  |" in text
    assert "- They published no value." in text
    assert "tested on 12 (3 normal, 9 pneumonia). Its network starts from random" in text
