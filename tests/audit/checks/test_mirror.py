"""A model that decides by one side only, and one that sees both."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.check import CHECKS
from pulmo.audit.context import AuditContext

Images = NDArray[np.uint8]
Model = Callable[[Images], NDArray[np.floating]]
Show = Callable[..., AuditContext]


def test_a_model_of_both_sides_passes(show: Show, chests: Images, by_lungs: Model) -> None:
    result = CHECKS["mirror"](show(chests, by_lungs))
    assert result.verdict == "passes"
    assert result.metrics["changed decisions"].value == 0.0


def test_a_model_of_one_corner_warns(show: Show, chests: Images, by_marker: Model) -> None:
    result = CHECKS["mirror"](show(chests, by_marker))
    assert result.verdict == "warns"
    # The other corner is of the same grey in all images, about 110, and that is above 100.
    assert result.metrics["changed decisions"].value == 0.5
    assert result.metrics["drop"].value == 0.5
    assert "100 of 200 decisions" in result.conclusion


def test_it_is_unknown_of_few_images(show: Show, chests: Images, by_lungs: Model) -> None:
    result = CHECKS["mirror"](show(chests[95:105], by_lungs, ["normal"] * 5 + ["covid"] * 5))
    assert result.verdict == "could_not_run"
    assert result.kinds == ("few-images",)
