import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.datasets.manifest import Manifest


@pytest.fixture
def predictor(bundle: Path) -> Predictor:
    return Predictor.open(bundle, threads=1)


def test_every_image_gets_a_row_in_order(predictor: Predictor, images: pd.DataFrame) -> None:
    calls: list[tuple[int, int]] = []
    predictions = predict_manifest(
        predictor, Manifest(images), on_progress=lambda *done: calls.append(done)
    )
    table = predictions.frame
    classes = [f"p_{label}" for label in predictor.card.labels.order]
    assert table["path"].tolist() == images["path"].tolist()
    assert table["label"].tolist() == images["label"].tolist()
    facts = ["source", "view", "sex", "width", "height"]
    assert table[facts].to_dict("list") == images[facts].to_dict("list")
    assert set(table["origin"]) == {"phantom"}
    seen = images["split"].isin(["train", "val"]).tolist()
    assert [cell.split(";") for cell in table["notes"]] == [
        ["drawings", "seen"] if one else ["drawings"] for one in seen
    ]
    assert np.allclose(table[classes].sum(axis=1), 1)
    best = table[classes].to_numpy().argmax(axis=1)
    assert [predictor.card.labels.order[number] for number in best] == table["decision"].tolist()
    threshold = predictor.card.decision.threshold
    assert ((table["p_covid"] >= threshold) == table["positive"]).all()
    assert not predictions.failed
    assert calls == [(32, 64), (64, 64)]


def test_images_without_a_result_are_named_and_the_rest_is_done(
    predictor: Predictor, images: pd.DataFrame, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.png"
    shutil.copy(images["path"][5], changed)
    images.loc[0, "path"] = str(tmp_path / "gone.png")
    images.loc[1, "path"] = str(changed)
    predicted = predict_manifest(predictor, Manifest(images))
    assert len(predicted) == 62
    reasons = [failure.reason for failure in predicted.failed]
    assert reasons == [
        f"{tmp_path / 'gone.png'} does not exist.",
        f"{changed} has changed since it was imported.",
    ]


def test_a_batch_of_missing_images_is_passed_over(
    predictor: Predictor, images: pd.DataFrame
) -> None:
    images.loc[:31, "path"] = [f"/gone/{number}" for number in range(32)]
    predicted = predict_manifest(predictor, Manifest(images))
    assert (len(predicted), len(predicted.failed)) == (32, 32)


def test_nothing_readable_is_an_error(predictor: Predictor, images: pd.DataFrame) -> None:
    with refuses("images-unreadable", "The first: /gone/x"):
        predict_manifest(predictor, Manifest(images.head(1).assign(path="/gone/x")))
    with refuses("images-unreadable"):
        predict_manifest(predictor, Manifest(images.head(0)))


def test_the_age_that_a_manifest_states_is_compared_with_the_training(
    predictor: Predictor, images: pd.DataFrame
) -> None:
    test = images[images["split"] == "test"]
    predicted = predict_manifest(
        predictor, Manifest(test.assign(age=[5.0] + [40.0] * (len(test) - 1)))
    )
    first, *others = predicted.frame["notes"]
    assert first.split(";") == ["scope", "drawings"]
    assert set(others) == {"drawings"}
