import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, roc_auc_score

from fixtures.refuses import refuses
from pulmo.bundle.card import read_card
from pulmo.core.tables import read_parquet
from pulmo.evaluate.evaluation import read_evaluation
from pulmo.experiments.summary import (
    RunMetrics,
    Summary,
    metric_heading,
    read_summary,
    summary_text,
)
from pulmo.stats.estimate import Estimate
from pulmo.workflows import summarise as summarise_module
from pulmo.workflows.repeated_runs import Repeat
from pulmo.workflows.summarise import summarise

# One worker trains the folds for all of them.
pytestmark = pytest.mark.xdist_group("folds")


@pytest.fixture(scope="module")
def summary(cross_validation: list[Repeat]) -> Summary:
    return summarise(cross_validation)


def test_the_mean_and_its_interval_come_from_the_runs(
    summary: Summary, cross_validation: list[Repeat]
) -> None:
    accuracies, ratios = [], []
    for run in cross_validation:
        table = read_parquet(run.evaluation.predictions)
        truth = table["label"].where(table["label"] == "covid", "normal")
        accuracies.append(accuracy_score(truth, table["decision"]))
        trained = read_card(run.run.card).training.counts["train"]
        ratios.append(len(table) / sum(trained.values()))
    spread = np.std(accuracies, ddof=1) * np.sqrt(1 / 3 + np.mean(ratios))
    reach = stats.t.ppf(0.975, 2) * spread
    mean = summary.mean["accuracy"]
    assert [run.metrics["accuracy"].value for run in summary.runs] == pytest.approx(accuracies)
    assert mean.value == pytest.approx(np.mean(accuracies))
    assert mean.high == pytest.approx(min(np.mean(accuracies) + reach, 1))
    assert mean.n == 3


def test_pooled_every_image_counts_once(
    summary: Summary, cross_validation: list[Repeat], folded: pd.DataFrame
) -> None:
    tables = [read_parquet(run.evaluation.predictions) for run in cross_validation]
    table = pd.concat(tables)
    (pooled,) = summary.pooled
    auc = pooled.metrics["covid.auc"]
    assert pooled.n == len(table) == (folded["split"] != "test").sum()
    assert pooled.groups == table["group"].nunique() < pooled.n
    assert auc.value == pytest.approx(roc_auc_score(table["label"] == "covid", table["p_covid"]))
    assert auc.low is not None
    folder = cross_validation[0].study.pooled(0)
    evaluation = read_evaluation(folder.index)
    assert evaluation.overall["accuracy"] == pooled.metrics["accuracy"]
    thresholds = [read_card(run.run.card).decision.threshold for run in cross_validation]
    assert evaluation.decision.threshold == pytest.approx(np.mean(thresholds))
    assert evaluation.decision.sensitivity == pooled.metrics["sensitivity"]


def test_it_is_the_same_as_json_and_as_text(summary: Summary, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(summary.model_dump_json())
    assert read_summary(path) == summary
    assert json.loads(path.read_text())["folds"] == 3
    path.write_text("{}")
    with refuses("record-invalid", "a summary", "recipe", "Field required"):
        read_summary(path)
    text = summary_text(summary)
    accuracy = next(line for line in text.splitlines() if line.startswith("| Accuracy "))
    cells = [cell.strip() for cell in accuracy.strip("|").split("|")]
    values = [run.metrics["accuracy"].value or 0 for run in summary.runs]
    assert cells[1:3] == [f"{min(values):.3f}", f"{max(values):.3f}"]
    assert cells[4] == str(summary.pooled[0].metrics["accuracy"])
    assert text.startswith("# demo: 3 folds, 1 seed\n\nEach run, evaluated on its held-out fold:\n")
    assert "Nadeau and Bengio 2003" in text


def _run(fold: int | None, seed: int, value: float | None) -> RunMetrics:
    estimate = Estimate(value, None, None, 9, None if value is not None else "none")
    return RunMetrics(
        name=f"fold-{fold}-seed-{seed}",
        fold=fold,
        seed=seed,
        epochs=2,
        best_epoch=1,
        minutes=1.0,
        n=9,
        weights_sha256="0" * 64,
        metrics={"accuracy": estimate, "covid.recall": estimate},
    )


def test_seeds_of_one_fold_count_as_one() -> None:
    """Two seeds of a fold share all images, so they are no two observations."""
    rows = [_run(f, s, 0.5 + 0.1 * f + 0.01 * s) for f in range(3) for s in range(2)]
    once = [_run(f, 0, 0.505 + 0.1 * f) for f in range(3)]
    mean = summarise_module._means(rows, 0.3)["accuracy"]
    assert mean.n == 3
    assert mean[:3] == pytest.approx(summarise_module._means(once, 0.3)["accuracy"][:3])


def test_a_figure_that_one_run_lacks_has_no_mean() -> None:
    rows = [_run(0, 0, 0.5), _run(1, 0, None), _run(2, 0, 0.7)]
    mean = summarise_module._means(rows, 0.3)["covid.recall"]
    assert mean == Estimate.undefined("it is undefined in 1 of 3 runs, first in fold-1-seed-0", 3)


def test_seeds_alone_and_several_seeds_of_folds_as_text(summary: Summary) -> None:
    seeds = summary.model_copy(
        update={
            "folds": 0,
            "seeds": (0, 1),
            "evaluated_on": "validation",
            "runs": (_run(None, 0, 0.5), _run(None, 1, None)),
            "mean": summarise_module._means([_run(None, 0, None)], 0.0),
            "pooled": (),
        }
    )
    text = summary_text(seeds)
    assert text.startswith("# demo: 2 seeds\n\nEach run, evaluated on its validation:\n")
    assert "| Recall of covid |      0.500 |       0.500 |    - |" in text
    both = summary.model_copy(update={"pooled": summary.pooled * 2, "seeds": (0, 1)})
    assert " Pooled, seed 0 | Pooled, seed 0 |" in " ".join(summary_text(both).split())
    none = seeds.model_copy(update={"runs": (_run(None, 0, None),)})
    assert "| Recall of covid |          - |           - |    - |" in summary_text(none)


def test_titles() -> None:
    assert metric_heading("balanced_accuracy") == "Balanced accuracy"
    assert metric_heading("covid.auc") == "AUC of covid"
