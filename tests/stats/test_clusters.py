import numpy as np
import pandas as pd
import pytest

import pulmo
from fixtures.refuses import refuses
from pulmo import stats
from pulmo.stats.clusters import cluster_covariance, number_groups

HITS = np.array([True, True, False, True, False, True])


@pytest.mark.parametrize(
    "groups",
    [
        ["a", "a", "b", "c", "c", "d"],
        [("x", 1), ("x", 1), ("x", 2), ("y", 1), ("y", 1), ("z",)],
        np.array(["p7", "p7", "p1", "p3", "p3", "p2"]),
        np.array([70, 70, 10, 30, 30, 20]),
        pd.Series(["u", "u", "v", "w", "w", "x"], dtype="string"),
    ],
)
def test_groups_are_any_labels(groups: object) -> None:
    expected = np.array([0, 0, 1, 2, 2, 3])
    for name in ("proportion", "mean"):
        function = getattr(stats, name)
        assert function(HITS, groups=groups) == function(HITS, groups=expected)
    scores = np.arange(6) / 6
    assert stats.auc(HITS, scores, groups=groups) == stats.auc(HITS, scores, groups=expected)  # type: ignore[arg-type]


def test_without_groups_all_are_independent() -> None:
    assert stats.proportion(HITS) == stats.proportion(HITS, groups=np.arange(6))
    assert stats.mean([1, 2, 4]) == stats.mean([1, 2, 4], groups="abc")


@pytest.mark.parametrize(
    "groups", [["a", None, "b"], [1.0, np.nan, 2.0], pd.Series(["a", None, "b"], dtype="string")]
)
def test_unknown_groups_are_no_group(groups: object) -> None:
    with refuses("group-missing"):
        number_groups(groups, 3)  # type: ignore[arg-type]


def test_each_observation_has_a_group() -> None:
    with refuses("groups-length-differs", "6", "2"):
        stats.proportion(HITS, groups=["a", "b"])


def test_the_covariance_is_that_of_the_clusters_sums(generator: np.random.Generator) -> None:
    clusters = np.unique(generator.integers(12, size=60), return_inverse=True)[1]
    parts = generator.normal(size=(60, 3))
    parts -= parts.mean(axis=0)
    sums = pd.DataFrame(parts).groupby(clusters).sum()
    expected = np.cov(sums.to_numpy().T) * len(sums)
    np.testing.assert_allclose(cluster_covariance(parts, clusters), expected)
    np.testing.assert_allclose(cluster_covariance(parts[:, 1], clusters), expected[1:2, 1:2])


def test_the_front_door_gives_all_that_it_names() -> None:
    assert pulmo.stats is stats
    assert dir(stats) == sorted(stats.__all__)
    for name in stats.__all__:
        assert getattr(stats, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'median'"):
        stats.median  # noqa: B018
