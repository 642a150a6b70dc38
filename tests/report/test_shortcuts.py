"""What can be said of shortcuts within one source."""

import pytest

from pulmo.evaluate.evaluation import Contrast, Evaluation
from pulmo.report.shortcuts import within_source
from pulmo.stats.estimate import Estimate

ABOVE = Estimate(0.9, 0.8, 0.95, 90)
CHANCE = Estimate(0.6, 0.45, 0.7, 90)
PERFECT = Estimate(1.0, None, None, 90, "the scores separate the two sides completely")


def contrast(first: str, second: str, auc: Estimate, source: str = "east") -> Contrast:
    return Contrast(
        source=source,
        positive=(first,),
        negative=(second,),
        n_positive=45,
        n_negative=45,
        auc=auc,
        accuracy=auc,
        sensitivity=auc,
        specificity=auc,
    )


def with_contrasts(evaluation: Evaluation, *found: Contrast) -> Evaluation:
    """An evaluation whose positive class is covid, with these contrasts."""
    decision = evaluation.decision.model_copy(update={"positive": ("covid",)})
    return evaluation.model_copy(update={"decision": decision, "contrasts": found})


VIRAL, NORMAL = ("covid", "viral"), ("covid", "normal")


@pytest.mark.parametrize(
    ("aucs", "verdict"),
    [
        ({VIRAL: ABOVE, NORMAL: ABOVE}, "shown"),
        ({VIRAL: ABOVE}, "partly"),
        ({VIRAL: ABOVE, NORMAL: PERFECT}, "partly"),
        ({VIRAL: ABOVE, NORMAL: CHANCE}, "refuted"),
        ({VIRAL: CHANCE}, "refuted"),
        ({VIRAL: PERFECT}, "unknown"),
        ({}, "unknown"),
        ({("viral", "normal"): ABOVE}, "unknown"),  # both are negative: it is not the question
    ],
)
def test_the_verdict_follows_from_the_pairs_that_matter(
    evaluation: Evaluation, aucs: dict[tuple[str, str], Estimate], verdict: str
) -> None:
    found = with_contrasts(evaluation, *(contrast(*pair, auc) for pair, auc in aucs.items()))
    assert within_source(found).verdict == verdict


def test_one_source_at_chance_is_not_hidden_by_another(evaluation: Evaluation) -> None:
    pairs = [contrast(*VIRAL, ABOVE), contrast(*NORMAL, ABOVE)]
    found = within_source(with_contrasts(evaluation, *pairs, contrast(*NORMAL, CHANCE, "west")))
    assert found.verdict == "refuted"
    assert any("normal in west, AUC 0.600 (0.450\u20130.700)" in text for text in found.sentences)


def test_the_lowest_is_shown_and_the_order_of_the_sides_does_not_matter(
    evaluation: Evaluation,
) -> None:
    lower = Estimate(0.8, 0.7, 0.9, 90)
    found = with_contrasts(evaluation, contrast("viral", "covid", ABOVE), contrast(*NORMAL, lower))
    (sentence,) = within_source(found).sentences
    assert "covid against normal in east, AUC 0.800" in sentence


def test_what_is_unknown_is_named_with_its_reason(evaluation: Evaluation) -> None:
    apart = within_source(with_contrasts(evaluation, contrast(*VIRAL, ABOVE)))
    assert any("Unknown for covid against normal: no stated" in text for text in apart.sentences)
    decided = with_contrasts(evaluation).model_copy(update={"scored": False})
    assert any("only decisions are known" in text for text in within_source(decided).sentences)
    unstated = evaluation.data.model_copy(update={"sources": {"unstated": {"covid": 7}}})
    nowhere = with_contrasts(evaluation).model_copy(update={"data": unstated})
    said = within_source(nowhere).sentences
    assert any(text == "The source of 7 of 9,001 images is not stated." for text in said)


def test_without_a_positive_class_every_two_classes_matter(evaluation: Evaluation) -> None:
    pairs = (VIRAL, NORMAL, ("viral", "normal"))
    decision = evaluation.decision.model_copy(update={"positive": ()})
    for count, verdict in ((3, "shown"), (2, "partly")):
        found = tuple(contrast(*pair, ABOVE) for pair in pairs[:count])
        evaluated = evaluation.model_copy(update={"decision": decision, "contrasts": found})
        assert within_source(evaluated).verdict == verdict
