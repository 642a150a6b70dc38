"""What classifiers that see no structure make of the images that the trials hold out."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.baselines import shrunk
from pulmo.audit.found_lungs import FoundLungs
from pulmo.audit.learners import Learnt, learn_facts, learn_thumbnails
from pulmo.core.sections import ImageSection
from pulmo.datasets.cache import cache_folder, cached_images
from pulmo.datasets.inspect.facts import file_facts
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.lungs import shipped_finder

THREE: Final = ("covid", "pneumonia", "normal")
"""The classes of Ozturk et al. 2020; bacterial and viral pneumonia are one."""

_SEED: Final = 1


class Question(NamedTuple):
    """What is asked of some images that a trial holds out.

    Attributes:
        words: what it is.
        names: returns the name of the class of each row, NA where a row takes no part.
        positive: the class whose AUC is asked for; None asks for the balanced accuracy.
    """

    words: str
    names: Callable[[pd.DataFrame], "pd.Series[str]"]
    positive: str | None


def _cohen(rows: pd.DataFrame) -> "pd.Series[str]":
    known = rows["source"].eq("cohen") & rows["label"].isin([*THREE, "bacterial", "viral"])
    return rows["label"].where(rows["label"].eq("covid"), "other").where(known)


def _nih(rows: pd.DataFrame) -> "pd.Series[str]":
    known = rows["source"].eq("darkcovidnet") & rows["label"].isin(["pneumonia", "normal"])
    return rows["label"].where(known)


def _ozturk(rows: pd.DataFrame) -> "pd.Series[str]":
    covid = rows["source"].eq("cohen") & rows["label"].eq("covid")
    return rows["label"].where(covid | _nih(rows).notna())


QUESTIONS: Final = (
    Question("Cohen: covid against all others, AUC", _cohen, "covid"),
    Question("NIH: pneumonia against no finding, AUC", _nih, "pneumonia"),
    Question(
        "the classes of DarkCovidNet: covid (Cohen), pneumonia and no finding (NIH), balanced "
        "accuracy",
        _ozturk,
        None,
    ),
)


def baselines_report(trial: Path) -> Iterator[str]:
    """Yields how a trial compares with baselines on what its folds hold out.

    Args:
        trial: the folder of a trial, with a folder for each fold.
    """
    yield "## Classifiers that see no structure, on the same images\n"
    yield (
        "Each baseline is fitted, fold by fold, on the training images of only those classes and "
        "sources on which it is then tested, so it need not distinguish sources if the question is "
        "within one source. *File facts* is a tree of depth 3 on width, height, bytes, bits and "
        "format. The thumbnails have 16 x 16 pixels, of the image or of the lungs, and a small "
        "network learns them with small changes. Differences are the model minus the baseline. The "
        "classes of DarkCovidNet are from different sources: a baseline can recognise the sources, "
        "and the model was trained not to.\n"
    )
    yield "| question | n | model | baseline | its value | difference |\n|---|---|---|---|---|---|"
    folds = [_Fold.read(place) for place in sorted(trial.glob("fold-*-seed-0"))]
    baselines = _Baselines()
    for question in QUESTIONS:
        asked = [_Asked.of_fold(question, fold, baselines) for fold in folds]
        yield from _rows(question, _Asked.concat(asked))
    yield ""


class _Fold(NamedTuple):
    """The images of a fold: what was trained on, and what was held out with what was predicted."""

    train: pd.DataFrame
    held: pd.DataFrame

    @classmethod
    def read(cls, place: Path) -> Self:
        manifest = read_manifest(place / "manifest.parquet")
        predicted = pd.read_parquet(place / "predictions.parquet").set_index("path")
        said = predicted.filter(regex="^p_")
        held = manifest.split("val")
        rows = held.frame.assign(group=held.groups).join(said, on="path", how="inner")
        # The validation images of the sources without folds are the same in each.
        return cls(
            manifest.split("train").frame, rows[rows["source"].isin(["cohen", "darkcovidnet"])]
        )


class _Baselines:
    """Fits what each baseline sees of training images, and asks it about others."""

    def __init__(self) -> None:
        self._found = FoundLungs(shipped_finder(), cache_folder())

    def facts(self, train: pd.DataFrame, truth: NDArray[np.intp], held: pd.DataFrame) -> Learnt:
        return learn_facts(file_facts(train), truth, file_facts(held))

    def thumbnail(self, train: pd.DataFrame, truth: NDArray[np.intp], held: pd.DataFrame) -> Learnt:
        seen, asked = _thumbnails(train), _thumbnails(held)
        return learn_thumbnails(seen, truth, asked, np.random.default_rng(_SEED))

    def lungs(self, train: pd.DataFrame, truth: NDArray[np.intp], held: pd.DataFrame) -> Learnt:
        seen, asked = (
            np.asarray(self._found.thumbnails(rows) / np.float32(255), np.float32)
            for rows in (train, held)
        )
        return learn_thumbnails(seen, truth, asked, np.random.default_rng(_SEED))


BASELINES: Final = {
    "file facts": _Baselines.facts,
    "thumbnail": _Baselines.thumbnail,
    "thumbnail of the lungs": _Baselines.lungs,
}


def _thumbnails(rows: pd.DataFrame) -> NDArray[np.float32]:
    shape = ImageSection(size=96, aspect="squash")
    images = cached_images(Manifest.from_rows(rows), shape, cache_folder())
    return shrunk(images.take(np.arange(len(rows))))


class _Asked(NamedTuple):
    """What is said of the images of a question that folds hold out.

    Attributes:
        classes: their names, sorted.
        group: of each image, [n].
        truth: the name of its class, [n].
        said: the probabilities of the classes, [n, classes], of the model and of each baseline.
    """

    classes: list[str]
    group: NDArray[np.str_]
    truth: NDArray[np.str_]
    said: dict[str, NDArray[np.float64]]

    @classmethod
    def of_fold(cls, question: Question, fold: _Fold, baselines: _Baselines) -> Self:
        train_names, held_names = question.names(fold.train), question.names(fold.held)
        train, held = fold.train[train_names.notna()], fold.held[held_names.notna()]
        names = train_names.dropna().to_numpy(str)
        classes, truth = np.unique(names, return_inverse=True)
        said = {"model": _of_model(held, classes, question)}
        for name, fit in BASELINES.items():
            said[name] = fit(baselines, train, truth, held).balanced
        group = held["group"].to_numpy(str)
        return cls(list(classes), group, held_names.dropna().to_numpy(str), said)

    @classmethod
    def concat(cls, folds: Sequence["_Asked"]) -> Self:
        return cls(
            folds[0].classes,
            np.concatenate([fold.group for fold in folds]),
            np.concatenate([fold.truth for fold in folds]),
            {name: np.concatenate([fold.said[name] for fold in folds]) for name in folds[0].said},
        )


def _of_model(
    rows: pd.DataFrame, classes: NDArray[np.str_], question: Question
) -> NDArray[np.float64]:
    """Returns the model's probabilities of the classes of a question, [n, classes]."""
    pneumonia = rows["p_bacterial"] + rows["p_viral"]
    known = {"covid": rows["p_covid"], "normal": rows["p_normal"], "pneumonia": pneumonia}
    if question.positive == "pneumonia":
        known["pneumonia"] = 1 - rows["p_normal"]
    known["other"] = 1 - rows["p_covid"]
    return np.stack([known[name] for name in classes], axis=1)


def _rows(question: Question, asked: _Asked) -> Iterator[str]:
    """Yields a line for each baseline."""
    group, truth = asked.group, asked.truth
    for name in BASELINES:
        pair = np.stack([asked.said["model"], asked.said[name]])
        if question.positive is not None:
            positive = truth == question.positive
            scores = pair[:, :, asked.classes.index(question.positive)]
            own, value = (stats.auc(positive, each, group) for each in scores)
            gain = stats.auc_difference(positive, scores, group).estimate
        else:
            right = np.array(asked.classes)[pair.argmax(axis=2)] == truth
            own, value = (stats.balanced_accuracy(each, truth, group) for each in right)
            gain = stats.balanced_accuracy_difference(right, truth, group).estimate
        yield f"| {question.words} | {len(truth)} | {own} | {name} | {value} | {gain} |"
