"""Measures whether a bundle's own outputs mark a disease that is none of its classes: tuberculosis.

An image that is far from those of the training could be noted. For four scores of such a distance,
this tells how many images of tuberculosis would be noted, and how many of other hospitals whose
class the model knows.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from gate_images import FRONTAL, read
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from pulmo import stats
from pulmo.bundle.predictor import Predictor
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.radiograph import radiograph_from_array, read_radiograph

MOST: Final = {"train": 1200, "other": 150}
"""Images of the training, and of each other set, at most."""

FALSE: Final = (0.01, 0.05)
"""Shares of the images of a known class that are noted."""

Values = NDArray[np.float64]


class Seen(NamedTuple):
    """What a model gives for n images.

    Attributes:
        logits: [n, classes].
        features: [n, channels].
    """

    logits: Values
    features: Values


HEAD: Final = """
## A disease that is none of the classes

pulmo does not notice it. Four scores of how far an image is from those of the training were tried
on `starter`, which has the classes COVID-19, bacterial and viral pneumonia and normal, and on
images of tuberculosis. The limit of a score is the value that a share of the images of two other
hospitals exceeds: `adult-normals`, which are normal, and `nih`, normal and pneumonia. A useful
score would find far more images of tuberculosis than of these. None does, so pulmo has no such
note, and the model card says so."""


def section(model: Path, run: Path, data: Path) -> list[str]:
    """Returns the section of the report.

    Args:
        model: a bundle.
        run: the run that it is of.
        data: the folder of the public sets.
    """
    predictor = Predictor.open(model)
    manifest = read_manifest(run / "manifest.parquet")
    train, labels = of_manifest(predictor, manifest.filter(split="train"), MOST["train"])
    held_out, _ = of_manifest(predictor, manifest.filter(split="test"), MOST["train"])
    known = {"its own sources": held_out}
    known |= {name: of_source(predictor, name, data) for name in ("adult-normals", "nih")}
    other = of_source(predictor, "tuberculosis", data)
    return [HEAD, "", *lines(scores_of(train, labels), known, other)]


def of_manifest(
    predictor: Predictor, manifest: Manifest, most: int
) -> tuple[Seen, NDArray[np.str_]]:
    """Returns what a model gives for images of a manifest, drawn at random, and their labels."""
    chosen = np.random.default_rng(0).permutation(len(manifest))[:most]
    frame = manifest.frame.iloc[np.sort(chosen)]
    inputs = [predictor.to_input(read_radiograph(Path(path))) for path in frame["path"]]
    return _seen(predictor, inputs), frame["label"].to_numpy(np.str_)


def of_source(predictor: Predictor, name: str, data: Path) -> Seen:
    """Returns what a model gives for images of a source of `FRONTAL`."""
    images = read(FRONTAL[name], data, "test", MOST["other"])
    inputs = [predictor.to_input(radiograph_from_array(pixels, (0, 1))) for _, pixels in images]
    return _seen(predictor, inputs)


def _seen(predictor: Predictor, inputs: list[NDArray[np.uint8]]) -> Seen:
    logits, features = [], []
    for one in inputs:
        given = predictor.features(one[None])
        if given is None:
            raise SystemExit("The bundle gives no features.")
        logits.append(predictor.run(one[None]).logits[0])
        features.append(given[0])
    return Seen(np.array(logits, np.float64), np.array(features, np.float64))


def scores_of(train: Seen, labels: NDArray[np.str_]) -> Mapping[str, Callable[[Seen], Values]]:
    """Returns name -> score, which is higher the less an image is like those of the training."""
    classes = np.unique(labels)
    means = np.array([train.features[labels == label].mean(axis=0) for label in classes])
    within = train.features - means[np.searchsorted(classes, labels)]
    precision = LedoitWolf(assume_centered=True).fit(within).get_precision()

    def mahalanobis(seen: Seen) -> Values:
        apart = seen.features[:, None] - means
        found: Values = np.einsum("ncf,fg,ncg->nc", apart, precision, apart).min(axis=1)
        return found

    unit = _unit(train.features)

    def neighbour(seen: Seen) -> Values:
        near: Values = np.sort(_unit(seen.features) @ unit.T, axis=1)[:, -10]
        return -near

    return {
        "1 - largest probability": lambda seen: (
            -np.exp(seen.logits.max(axis=1) - logsumexp(seen.logits, axis=1))
        ),
        "energy (Liu et al. 2020)": lambda seen: -logsumexp(seen.logits, axis=1),
        "Mahalanobis distance of the features (Lee et al. 2018)": mahalanobis,
        "distance to the tenth neighbour (Sun et al. 2022)": neighbour,
    }


def _unit(features: Values) -> Values:
    unit: Values = features / np.linalg.norm(features, axis=1, keepdims=True)
    return unit


def lines(
    scores: Mapping[str, Callable[[Seen], Values]], known: Mapping[str, Seen], other: Seen
) -> list[str]:
    """Returns a table, a row a score and a share of false notes."""
    noted, areas_of = ", of ".join(known), ", ".join(known)
    rows = [
        f"| score | limit | noted of {noted} | noted of tuberculosis | AUC against {areas_of} |",
        "|---|---|---|---|---|",
    ]
    for name, score in scores.items():
        of_known, of_other = [score(seen) for seen in known.values()], score(other)
        areas = [
            roc_auc_score(np.repeat([0, 1], [len(each), len(of_other)]), [*each, *of_other])
            for each in of_known
        ]
        for share in FALSE:
            limit = np.quantile(np.concatenate(of_known[1:]), 1 - share)
            false = ", ".join(f"{(each > limit).mean():.2f}" for each in of_known)
            found = stats.proportion(of_other > limit)
            auc = ", ".join(f"{area:.2f}" for area in areas)
            rows.append(f"| {name} | {share:.0%} | {false} | {found} | {auc} |")
    return rows
