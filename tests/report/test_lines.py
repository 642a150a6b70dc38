"""The lines of metrics: names, scales and bars."""

import pytest

from pulmo.evaluate.decision_results import Gap, InternalExternal
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.lines import Line, class_groups, internal_groups, key_lines, metric_line
from pulmo.stats.estimate import Estimate


@pytest.mark.parametrize(
    ("metric", "estimate", "drawn"),
    [
        ("accuracy", Estimate(0.5, 0.25, 0.75, 9), True),
        ("mcc", Estimate(-0.5, -0.75, -0.25, 9), True),
        ("accuracy", Estimate(0.5, None, None, 9, "few"), False),
        ("accuracy", Estimate.undefined("few"), False),
        ("accuracy", Estimate(0.5, -0.25, 0.75, 9), False),
        ("log_loss", Estimate(0.5, 0.25, 0.75, 9), False),  # it has no upper end
    ],
)
def test_a_bar_is_drawn_on_a_scale_with_two_ends(
    metric: str, estimate: Estimate, *, drawn: bool
) -> None:
    assert metric_line(metric, estimate).drawn is drawn


def test_a_bar_lies_where_the_interval_is_on_the_metric_s_own_scale() -> None:
    line = metric_line("mcc", Estimate(0.0, -0.5, 0.5, 9))
    assert (line.place(-0.5), line.width, line.place(0.0)) == ("25.00", "50.00", "50.00")
    assert line.alt == "-0.500 to 0.500 on a scale from -1 to 1"
    marked = Line("x", Estimate(0.5, 0.4, 0.6, 9), baseline=0.25)
    assert marked.alt == "0.400 to 0.600 on a scale from 0 to 1; 0.250 is marked"


def test_a_metric_is_named_and_said_to_be_better_when_smaller() -> None:
    smaller = metric_line("log_loss", Estimate(0.5, 0.4, 0.6, 9))
    assert (smaller.name, smaller.note) == ("Log loss", "smaller is better")
    assert metric_line("accuracy", Estimate(0.5, 0.4, 0.6, 9), "by image")[::3] == ("by image", "")
    assert metric_line("new_score", Estimate(0.5, 0.4, 0.6, 9)).name == "New score"


def test_the_main_metrics_fit_the_question(evaluation: Evaluation) -> None:
    names = ["Sensitivity", "Specificity", "AUC", "Balanced accuracy"]
    assert [line.name for line in key_lines(evaluation)] == names
    two = {label: evaluation.classes[label] for label in ("covid", "normal")}
    binary = evaluation.model_copy(update={"classes": two})
    assert [line.name for line in key_lines(binary)] == names[:3]
    none = evaluation.decision.model_copy(update={"positive": ()})
    undecided = binary.model_copy(update={"decision": none})
    assert [line.name for line in key_lines(undecided)] == names[3:]


def test_classes_are_grouped_by_metric_in_their_order(evaluation: Evaluation) -> None:
    classes = {label: {"f1": Estimate(0, 0, 0, 1)} | evaluation.classes[label]
               for label in evaluation.classes}  # fmt: skip
    groups = class_groups(classes, ("normal", "covid", "viral"))
    assert list(groups) == ["recall", "specificity", "auc", "f1"]
    assert [line.name for line in groups["auc"]] == ["normal", "covid", "viral"]
    assert groups["auc"][1].estimate == evaluation.classes["covid"]["auc"]


def test_a_gap_is_drawn_on_a_scale_of_both_signs(evaluation: Evaluation) -> None:
    inside, here = Estimate(0.9, 0.8, 0.95, 99), Estimate(0.7, 0.6, 0.8, 50)
    gap = Estimate(-0.2, -0.3, -0.05, 149)
    internal = InternalExternal(
        manifest_sha256="f" * 64,
        n=99,
        gaps={"sensitivity": Gap(internal=inside, external=here, gap=gap)},
        worst=None,
    )
    groups = internal_groups(evaluation.model_copy(update={"internal": internal}))
    assert [(line.name, line.estimate) for line in groups["Sensitivity"]] == [
        ("internal", inside),
        ("external", here),
        ("gap", gap),
    ]
    assert groups["Sensitivity"][2].place(0.0) == "50.00"
    assert internal_groups(evaluation) == {}
