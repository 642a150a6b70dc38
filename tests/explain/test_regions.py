import numpy as np
import pytest

from pulmo.core.boxes import Box
from pulmo.explain.regions import Region, RegionRule, find_regions, fit_rule, hits


def blobs() -> np.ndarray:
    evidence = np.zeros((100, 200), np.float32)
    evidence[10:30, 20:60] = 1.0
    evidence[15, 30] = 3.0
    evidence[60:80, 100:120] = 2.0
    evidence[90, 190] = 9.0  # a single pixel
    return evidence


def test_regions_are_the_connected_parts_by_their_highest_evidence() -> None:
    assert find_regions(blobs(), RegionRule(0.5)) == [
        Region(0.1, 0.1, 0.2, 0.2, 3.0),
        Region(0.5, 0.6, 0.1, 0.2, 2.0),
    ]
    assert len(find_regions(blobs(), RegionRule(0.5, 2.5))) == 1


def test_regions_lie_within_the_mask_and_where_the_network_looked() -> None:
    evidence = blobs()
    lungs = np.zeros(evidence.shape, bool)
    lungs[:, 40:] = True
    evidence[70:] = np.nan
    assert find_regions(evidence, RegionRule(0.5), lungs) == [
        Region(0.5, 0.6, 0.1, 0.1, 2.0),
        Region(0.2, 0.1, 0.1, 0.2, 1.0),
    ]


def test_a_region_hits_by_its_centre_or_by_its_overlap() -> None:
    region = Region(0.4, 0.4, 0.2, 0.2, 1.0)
    assert hits(region, Box("Pneumonia", 0.45, 0.45, 0.1, 0.1))
    assert hits(region, Box("Pneumonia", 0.55, 0.35, 0.2, 0.3))
    assert not hits(region, Box("Pneumonia", 0.59, 0.35, 0.2, 0.3))


def test_the_rule_keeps_the_regions_of_images_without_findings_at_a_rate() -> None:
    generator = np.random.default_rng(0)
    maps = []
    for _ in range(20):
        evidence = generator.normal(0, 0.1, (50, 50)).astype(np.float32)
        row, column = generator.integers(0, 40, 2)
        evidence[row : row + 6, column : column + 6] = generator.uniform(1, 2)
        maps.append(evidence)
    rule = fit_rule(maps, [None] * 20, rate=0.25)
    assert sum(len(find_regions(each, rule)) for each in maps) == 5
    loose = fit_rule(maps, [None] * 20, rate=50)
    assert loose.least == -np.inf
    assert rule.outline == loose.outline == pytest.approx(np.quantile(np.stack(maps), 0.95))
