import numpy as np
import pytest

from pulmo.core.training import TrainSection
from pulmo.train.training_data import Sampling, epoch_length, epoch_rows, repeats

LABELS = ("covid", "viral", "normal")
TRUTH = np.repeat([0, 1, 2], [4, 10, 25])


def shown(section: TrainSection, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """How often each image is shown in an epoch, and the rows in order."""
    sampling = Sampling(TRUTH, repeats(TRUTH, LABELS, section))
    rows = epoch_rows(sampling, np.random.default_rng(seed))
    assert len(rows) == epoch_length(sampling)
    return np.bincount(rows, minlength=len(TRUTH)), rows


def test_without_oversampling_each_image_is_shown_once() -> None:
    counts, rows = shown(TrainSection())
    assert set(counts) == {1}
    assert not np.array_equal(rows, np.sort(rows))


def test_a_class_is_shown_as_often_as_asked() -> None:
    counts, _ = shown(TrainSection(oversample={"covid": 5}))
    assert set(counts[TRUTH == 0]) == {5}
    assert set(counts[TRUTH != 0]) == {1}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_fraction_is_made_up_by_a_draw(seed: int) -> None:
    counts, _ = shown(TrainSection(oversample={"viral": 2.3}), seed)
    assert counts[TRUTH == 1].sum() == 23
    assert set(counts[TRUTH == 1]) == {2, 3}
    assert set(counts[TRUTH != 1]) == {1}


def test_balanced_shows_every_class_as_often_as_the_commonest() -> None:
    counts, _ = shown(TrainSection(oversample="balanced"))
    assert [int(counts[n == TRUTH].sum()) for n in range(3)] == [25, 25, 25]
