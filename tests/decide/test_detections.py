import numpy as np
import pytest

from pulmo.bundle.card import DetectionRule
from pulmo.core.boxes import Box
from pulmo.decide.detections import Detection, detect, fit_detection_rule, hits


def rule(outline: float, least: float | None = None) -> DetectionRule:
    return DetectionRule(outline=outline, least=outline if least is None else least)


def blobs() -> np.ndarray:
    evidence = np.zeros((100, 200), np.float32)
    evidence[10:30, 20:60] = 1.0
    evidence[15, 30] = 3.0
    evidence[60:80, 100:120] = 2.0
    evidence[90, 190] = 9.0  # a single pixel
    return evidence


def test_detections_are_the_connected_parts_by_their_highest_evidence() -> None:
    assert detect(blobs(), rule(0.5)) == [
        Detection(0.1, 0.1, 0.2, 0.2, 3.0),
        Detection(0.5, 0.6, 0.1, 0.2, 2.0),
    ]
    assert len(detect(blobs(), rule(0.5, 2.5))) == 1


def test_detections_lie_within_the_mask_and_where_the_network_looked() -> None:
    evidence = blobs()
    lungs = np.zeros(evidence.shape, bool)
    lungs[:, 40:] = True
    evidence[70:] = np.nan
    assert detect(evidence, rule(0.5), lungs) == [
        Detection(0.5, 0.6, 0.1, 0.1, 2.0),
        Detection(0.2, 0.1, 0.1, 0.2, 1.0),
    ]


def test_a_detection_hits_by_its_centre_or_by_its_overlap() -> None:
    detection = Detection(0.4, 0.4, 0.2, 0.2, 1.0)
    assert hits(detection, Box("Pneumonia", 0.45, 0.45, 0.1, 0.1))
    assert hits(detection, Box("Pneumonia", 0.55, 0.35, 0.2, 0.3))
    assert not hits(detection, Box("Pneumonia", 0.59, 0.35, 0.2, 0.3))


def test_the_rule_keeps_the_detections_of_other_classes_at_a_rate() -> None:
    generator = np.random.default_rng(0)
    maps = []
    for _ in range(20):
        evidence = generator.normal(0, 0.1, (50, 50)).astype(np.float32)
        row, column = generator.integers(0, 40, 2)
        evidence[row : row + 6, column : column + 6] = generator.uniform(1, 2)
        maps.append(evidence)
    found = fit_detection_rule(maps, rate=0.25)
    assert sum(len(detect(each, found)) for each in maps) == 5
    loose = fit_detection_rule(maps, rate=50)
    assert loose.least == loose.outline
    assert found.outline == loose.outline == pytest.approx(np.quantile(np.stack(maps), 0.95))


def test_the_rule_looks_only_where_a_detection_may_be() -> None:
    evidence = np.zeros((50, 50), np.float32)
    evidence[:10, :10] = 5
    evidence[30:40, 30:40] = 1
    inside = np.zeros((50, 50), bool)
    inside[25:, 25:] = True
    found = fit_detection_rule([evidence], [inside], rate=1)
    assert found.outline == 1
    assert [each.score for each in detect(evidence, found, inside)] == [1]


def test_evidence_against_a_class_is_no_detection_whatever_the_rule() -> None:
    evidence = blobs() - np.float32(2.5)
    assert detect(evidence, rule(-9.0)) == detect(evidence, rule(1e-6)) == []
    evidence[12:28, 22:58] = 1.0
    (only,) = detect(evidence, rule(-9.0))
    assert (only.left, only.top, only.score) == (0.11, 0.12, 1.0)
