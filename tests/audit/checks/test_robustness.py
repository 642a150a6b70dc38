"""A model that decides by what every harmless change destroys, and one that does not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.check import CHECKS
from pulmo.audit.context import AuditContext
from pulmo.radiograph.changes import DISTURBANCES

Images = NDArray[np.uint8]
Model = Callable[[Images], NDArray[np.floating]]
Show = Callable[..., AuditContext]
BOARD = np.where(np.indices((64, 64)).sum(axis=0) % 2, 1, -1)


def by_board(images: Images) -> NDArray[np.floating]:
    """Says covid where the finest pattern is in the image."""
    seen = (images * BOARD.astype(float)).mean(axis=(1, 2)) - 2
    return np.stack([-seen, seen], axis=1)


def with_board(images: Images, rows: NDArray[np.intp]) -> Images:
    made = images.astype(int)
    made[rows] += 4 * BOARD
    return made.clip(0, 255).astype(np.uint8)


def test_a_model_of_the_lungs_passes(show: Show, chests: Images, by_lungs: Model) -> None:
    result = CHECKS["robustness"](show(chests, by_lungs))
    assert result.verdict == "passes"
    assert result.kinds == ("unchanged", "no-drop")
    titles = [series.title.lower() for series in result.series]
    assert titles == [name.lower() for name in DISTURBANCES]
    assert all(len(series.x) == len(series.y) for series in result.series)
    assert {series.reference for series in result.series} == {1.0}
    assert len(result.metrics) == 1 + sum(len(kind.harmless) for kind in DISTURBANCES.values())
    assert len(result.tables[0].rows) == sum(len(kind.strengths) for kind in DISTURBANCES.values())
    # An image of the wrong polarity fools this model wholly, and that is shown but not evaluated.
    assert dict(zip(DISTURBANCES, result.series, strict=True))["inversion"].y[0].value == 0.0


def test_a_model_of_the_finest_pattern_fails(show: Show, chests: Images) -> None:
    result = CHECKS["robustness"](show(with_board(chests, np.arange(100, 200)), by_board))
    assert result.verdict == "fails"
    assert result.kinds[1] == "drop"
    for words in ("turned by 5 degrees", "cropped by 3%", "enlarged from 75%"):
        assert words in result.messages[1].text
    assert "noisy by 4" not in result.messages[1].text
    lost = result.metrics["resolution 0.75"]
    assert lost.value == 0.5


def test_what_a_few_images_owe_to_the_pattern_warns(
    show: Show, chests: Images, by_lungs: Model
) -> None:
    images = chests.copy()
    images[100:108] = with_board(chests, np.arange(8))[:8]

    def both(shown: Images) -> NDArray[np.floating]:
        covid = np.maximum(by_lungs(shown)[:, 1], by_board(shown)[:, 1])
        return np.stack([-covid, covid], axis=1)

    result = CHECKS["robustness"](show(images, both))
    assert result.verdict == "warns"
    assert result.kinds == ("unchanged", "possible-drop")
    assert "turned by 5 degrees" in result.messages[1].text


def test_it_is_unknown_of_few_images(show: Show, chests: Images, by_lungs: Model) -> None:
    result = CHECKS["robustness"](show(chests[90:110], by_lungs, ["normal"] * 10 + ["covid"] * 10))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("few-images",)


def test_it_is_unknown_of_a_model_without_skill(show: Show, chests: Images) -> None:
    for name in ("robustness", "corners"):
        result = CHECKS[name](show(chests, lambda shown: np.zeros((len(shown), 2))))
        assert result.verdict == "could_not_run"
        assert result.kinds == ("no-skill",)
