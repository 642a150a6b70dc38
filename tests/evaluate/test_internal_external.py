"""Internal and external."""

import pytest

from fixtures.refuses import refuses
from pulmo.evaluate.decision_results import DecisionMetrics
from pulmo.evaluate.evaluation import EvaluatedData, Evaluation, ModelName, Subgroup
from pulmo.evaluate.internal_external import compare_internal
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimate import difference as gap

NOTHING = Estimate.undefined("it was not asked")


def evaluated(name: str, accuracy: Estimate, sources: dict[str, Estimate]) -> Evaluation:
    """An evaluation with little in it."""
    return Evaluation(
        model=ModelName(name="mine", version="1", sha256="ab" * 32),
        data=EvaluatedData(
            manifest_sha256=name,
            split=None,
            n=accuracy.n,
            groups=accuracy.n,
            labels={},
            sources={},
            skipped={},
            failed=(),
        ),
        overall={"accuracy": accuracy},
        classes={},
        confusion=(),
        decision=DecisionMetrics(
            positive=("covid",), threshold=0.5, sensitivity=accuracy, specificity=NOTHING
        ),
        reliability=(),
        roc={},
        contrasts=(),
        subgroups=tuple(
            Subgroup(
                fact="source",
                name=source,
                n=10,
                groups=10,
                accuracy=NOTHING,
                auc=auc,
                sensitivity=NOTHING,
                specificity=NOTHING,
            )
            for source, auc in sources.items()
        ),
        warnings=(),
    )


INTERNAL = evaluated("inside", Estimate(0.9, 0.85, 0.94, 200), {})
EXTERNAL = evaluated(
    "here",
    Estimate(0.6, 0.5, 0.7, 80),
    {"near": Estimate(0.8, 0.7, 0.9, 10), "far": Estimate(0.55, 0.4, 0.7, 10), "odd": NOTHING},
)


def test_a_gap_for_each_figure_that_both_have_and_the_worst_source() -> None:
    found = compare_internal(EXTERNAL, INTERNAL)
    assert list(found.gaps) == ["accuracy", "sensitivity", "specificity"]
    accuracy = found.gaps["accuracy"]
    assert accuracy.gap == gap(EXTERNAL.overall["accuracy"], INTERNAL.overall["accuracy"])
    assert accuracy.gap.value == pytest.approx(-0.3)
    assert found.gaps["specificity"].gap.reason == "it was not asked"
    assert (found.n, found.worst) == (200, "far")
    assert (
        compare_internal(evaluated("x", INTERNAL.overall["accuracy"], {}), INTERNAL).worst is None
    )


def test_a_gap_is_one_models_on_other_images() -> None:
    with refuses("evaluations-of-same-images"):
        compare_internal(INTERNAL, INTERNAL)
    other = INTERNAL.model_copy(
        update={"model": ModelName(name="theirs", version="2", sha256="cd" * 32)}
    )
    with refuses("result-of-other-model", "theirs", "2", "mine", "1"):
        compare_internal(EXTERNAL, other)
