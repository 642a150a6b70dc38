import pytest

from pulmo.core.labels import LABELS
from pulmo.datasets.curate.labels import COMPATIBLE, contradicted


def test_the_table_knows_every_label_and_is_fair() -> None:
    assert tuple(COMPATIBLE) == LABELS
    for label, fitting in COMPATIBLE.items():
        assert label in fitting
        for other in fitting:
            assert label in COMPATIBLE[other]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("covid covid", {}),
        ("covid pneumonia", {}),
        ("pneumonia bacterial pneumonia", {}),
        ("covid bacterial", {0: 1, 1: 0}),
        ("covid viral", {0: 1, 1: 0}),
        ("normal pneumonia", {0: 1, 1: 0}),
        ("other normal", {0: 1, 1: 0}),
        # Pneumonia is right whichever of the two causes is.
        ("covid pneumonia bacterial covid", {0: 2, 2: 0, 3: 2}),
    ],
)
def test_contradictions_without_trust(labels: str, expected: dict[int, int]) -> None:
    words = labels.split()
    assert contradicted(words, [False] * len(words)) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("covid! bacterial", {1: 0}),
        ("covid! bacterial covid", {1: 0}),
        ("bacterial covid! viral", {0: 1, 2: 1}),
        ("covid! bacterial!", {0: 1, 1: 0}),
        ("pneumonia! covid bacterial", {1: 2, 2: 1}),
        ("covid! covid!", {}),
    ],
)
def test_the_labels_of_trusted_sources_win(labels: str, expected: dict[int, int]) -> None:
    words = labels.split()
    trusted = [word.endswith("!") for word in words]
    assert contradicted([word.rstrip("!") for word in words], trusted) == expected
