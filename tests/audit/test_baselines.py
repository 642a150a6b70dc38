from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.audit.baselines import BASELINES, Baseline, fit_baseline
from pulmo.audit.context import AuditContext
from pulmo.audit.learners import NoBaseline
from pulmo.audit.parts import AuditOptions
from pulmo.datasets.manifest import Manifest
from pulmo.lungs.mask_files import find_masks

Rows = Callable[..., pd.DataFrame]
MakeContext = Callable[..., AuditContext]

LABELS = ["normal", "covid"] * 20


def level(images: NDArray[np.uint8]) -> NDArray[np.floating]:
    return np.zeros((len(images), 2))


def share(context: AuditContext, baseline: Baseline) -> float:
    return float((baseline.balanced == context.truth[baseline.numbers]).mean())


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("facts", "bytes", ["1000", "2000"]),
        ("aspect", "width", ["64", "128"]),
        ("view", "view", ["PA", "AP"]),
        ("age", "age", ["5", "60"]),
    ],
)
def test_a_planted_fact_is_found(
    make_rows: Rows, tell: MakeContext, name: str, column: str, values: list[str]
) -> None:
    def planted(first: int) -> pd.DataFrame:
        rows = make_rows(LABELS, first)
        rows[column] = values * 20
        return Manifest(rows).frame

    context = tell(planted(0), np.full((40, 2), 0.5), fit=planted(100))
    baseline = fit_baseline(context, BASELINES[name])
    assert share(context, baseline) == 1.0
    assert (baseline.decided == baseline.balanced).all()
    np.testing.assert_allclose(baseline.probabilities.sum(axis=1), 1)
    assert baseline.probabilities.argmax(axis=1).tolist() == baseline.balanced.tolist()


def test_what_is_not_known_or_the_same_fits_no_baseline(make_rows: Rows, tell: MakeContext) -> None:
    context = tell(make_rows(LABELS), np.full((40, 2), 0.5), fit=make_rows(LABELS, 100))
    with pytest.raises(NoBaseline, match="too few images state it"):
        fit_baseline(context, BASELINES["age"])
    with pytest.raises(NoBaseline, match="it is the same for all training images"):
        fit_baseline(context, BASELINES["aspect"])
    with pytest.raises(NoBaseline, match="fewer than two classes have 10 usable test images"):
        fit_baseline(context, BASELINES["lungless"])
    unfit = tell(make_rows(LABELS), np.full((40, 2), 0.5), fit=make_rows(LABELS[:6], 100))
    with pytest.raises(NoBaseline, match="fewer than two classes have 10 usable training images"):
        fit_baseline(unfit, BASELINES["thumbnail"])
    few = tell(make_rows(LABELS[:6]), np.full((6, 2), 0.5), fit=make_rows(LABELS, 100))
    with pytest.raises(NoBaseline, match="fewer than two classes have 10 usable test images"):
        fit_baseline(few, BASELINES["facts"])


@pytest.mark.parametrize("edge", [True, False])
def test_the_border_baseline_sees_the_border_alone(
    write_images: Rows, make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, *, edge: bool
) -> None:
    look = AuditContext.images_of

    def planted(self: AuditContext, rows: pd.DataFrame) -> NDArray[np.uint8]:
        images = look(self, rows)
        covid = (rows["label"] == "covid").to_numpy()[:, None, None]
        place = np.zeros(images.shape[1:], np.bool_)
        place[slice(4) if edge else (slice(24, 40), slice(24, 40))] = True
        images[covid & place] = 255
        return images

    monkeypatch.setattr(AuditContext, "images_of", planted)
    rows_of_images = write_images(LABELS * 2)
    context = make_context(rows_of_images.iloc[:40], level, fit=rows_of_images.iloc[40:])
    assert share(context, fit_baseline(context, BASELINES["thumbnail"])) > 0.9
    assert (share(context, fit_baseline(context, BASELINES["border"])) > 0.9) == edge


def test_baselines_need_three_classes_no_less(
    make_rows: Rows, tell: MakeContext, make_card: Callable[..., object]
) -> None:
    def planted(first: int) -> pd.DataFrame:
        rows = make_rows(["normal", "viral", "covid"] * 15, first)
        return rows.assign(age=[5.0, 30.0, 60.0] * 15)

    card = make_card(("normal", "viral", "covid"))
    context = tell(planted(0), np.full((45, 3), 1 / 3), fit=planted(100), card=card)
    assert share(context, fit_baseline(context, BASELINES["age"])) == 1.0
    thumbnail = fit_baseline(context, BASELINES["thumbnail"])
    np.testing.assert_allclose(thumbnail.probabilities.sum(axis=1), 1)


def test_the_lungless_baseline_looks_at_images_with_a_mask(
    write_images: Rows, make_context: MakeContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    images = write_images(LABELS * 2)
    bare = make_context(images.iloc[:40], level, fit=images.iloc[40:])
    root = bare.options.cache.parent / "masks"
    for number in range(4):
        (root / "images" / f"{number:06}.png").unlink()
    context = AuditContext(
        bare.parts, AuditOptions(tmp_path_factory.mktemp("cache"), find_masks(root))
    )
    baseline = fit_baseline(context, BASELINES["lungless"])
    assert baseline.numbers.tolist() == list(range(4, 40))
