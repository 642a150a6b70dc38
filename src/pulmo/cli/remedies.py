"""What to type about an error: the library says what is wrong, and the command how to mend it."""

import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pulmo.core.errors import PulmoError

_NEW_SPLIT: Final = "Make a new split with: pulmo data split."
_EXPORT: Final = "Export the bundle again with: pulmo export RUN -o BUNDLE."
_EXISTS: Final = "Continue it with --resume, or choose another folder."
_RESUME: Final = "Continue with --resume."
_FOLDS: Final = "Make folds with: pulmo data split MANIFEST --folds 5 -o FOLDS.parquet."
_AGAIN: Final = "Type the same command again later. It continues where it stopped."
_MANIFEST: Final = "Name the manifest with --data MANIFEST."
_ACCEPT: Final = (
    "If that is wrong: a model that is trained with "
    """--set 'data.accepts=["{}"]' only notes it."""
)
_MERGE: Final = "Say which class a label counts as with --merge LABEL=CLASS."

REMEDIES: Final[Mapping[str, str]] = MappingProxyType({
    "address-unusable": "Choose another port with --port, or another address with --host.",
    "aim-missing": "Add --threshold-for, which --elsewhere is for.",
    "aim-without-test": "Add --split test.",
    "bundle-file-changed": _EXPORT,
    "card-differs": _EXPORT,
    "class-folders-missing": "If all images are of one class, name it with --label LABEL.",
    "class-folders-present": "Leave --label out.",
    "class-not-mergeable": "Classes of a bundle are merged by evaluating the predictions.parquet "
    "that it gave, with --merge.",
    "column-ambiguous": "The column of the true classes can be named with --truth, that of the "
    "decisions with --decision.",
    "comparison-folder-unknown": "Such folders are made by: pulmo evaluate, pulmo train, or "
    "pulmo train --folds.",
    "comparison-reference-unknown": "Name one of them with --against.",
    "curation-empty": "Name the sources whose labels are right with --trust.",
    "date-invalid": "Name the first day with --since DATE.",
    "download-gone": "The page of the data set is shown by: pulmo data sources.",
    "download-interrupted": _AGAIN,
    "download-list-unexpected": "Download the files by hand, as is described by: "
    "pulmo data sources.",
    "download-not-written": _AGAIN,
    "download-refused": _AGAIN,
    "download-without-parts": "Leave --part out.",
    "folds-invalid": _FOLDS,
    "folds-missing": _FOLDS,
    "get-not-offered": "Have it send to pulmo listen by C-MOVE with --move-to TITLE.",
    "image-changed": "Import the data set again with: pulmo data import.",
    "image-looks-cut": _ACCEPT.format("looks cut"),
    "image-looks-inverted": _ACCEPT.format("looks inverted"),
    "image-looks-lateral": _ACCEPT.format("looks lateral"),
    "image-looks-like-ct": _ACCEPT.format("looks like CT"),
    "image-looks-like-no-radiograph": _ACCEPT.format("looks like no radiograph"),
    "image-looks-like-several": _ACCEPT.format("looks like several"),
    "image-looks-turned": _ACCEPT.format("looks turned"),
    "image-labels-contradict": "Or leave out all images that contradict each other with "
    "--drop-contradictions.",
    "images-folder-not-taken": "Leave --root out.",
    "key-too-short": "Make a key with: head -c 32 /dev/urandom > FILE.",
    "label-is-column": "Leave --label out.",
    "label-map-not-taken": "Leave --map out.",
    "labels-not-of-predictions": _MERGE,
    "listen-without-allow-list": "Name each with --allow TITLE.",
    "loss-diverged": "Begin at a lower rate with --from RATE.",
    "lungs-network-missing": _EXPORT,
    "manifest-needed": _MANIFEST,
    "manifest-not-given": _MANIFEST,
    "manifest-not-of-training": "If they are not, as at another hospital, add --elsewhere.",
    "mapped-class-missing": "Correct its --map, or leave it out.",
    "matching-across-sources": "Add --match source.",
    "matching-empty": "Name the labels to match with --label.",
    "modalities-mixed": "Give the setting with --set.",
    "origin-not-taken": "Leave --source out.",
    "positive-class-unstated": "Name the class that 1 stands for with --positive CLASS.",
    "predictions-not-of-model": "Such a table is written by: pulmo evaluate.",
    "prevalence-without-positive": "Name them with --positive.",
    "probabilities-missing": "Print a table to fill in with: pulmo evaluate --template.",
    "probabilities-too-few": _MERGE,
    "ray-workers-died": _RESUME,
    "resume-without-run": "Begin without --resume.",
    "run-data-changed": _MANIFEST,
    "run-exists": _EXISTS,
    "run-unfinished": "Continue it with: pulmo train --resume -o RUN.",
    "run-not-exported": "Export it first with: pulmo export RUN -o BUNDLE.",
    "score-class-not-label": _MERGE,
    "score-class-unstated": "Name the class with --positive CLASS, or name the column p_CLASS.",
    "score-column-ambiguous": "Name the column with --score COLUMN.",
    "screening-exists": _EXISTS,
    "screening-stopped": _RESUME,
    "search-exists": _EXISTS,
    "serve-without-tls": "Name a certificate with --tls-certificate and --tls-key, or state with "
    "--behind-proxy that a proxy speaks TLS.",
    "serve-without-token": "Make one with: pulmo serve token create NAME.",
    "shipped-weights-missing": "Start from other weights with --set model.weights=FILE, or from "
    "random ones with --from-scratch.",
    "shipped-weights-of-other-network": "Name that network with --set model.backbone=NAME, or "
    "other weights with --set model.weights=FILE.",
    "source-name-blank": "Name it with --name, or leave --name out.",
    "source-name-shared": "If they are two data sets, import each with another --name. If their "
    "patients are numbered together, add --one-set NAME.",
    "split-file-invalid": "Write one with: pulmo data split --save FILE.",
    "split-images-missing": "Choose other images with --split, or make a split with: "
    "pulmo data split.",
    "split-leaks": "Make a new split with: pulmo data split. If the groups are wrong, make "
    "new ones first with: pulmo data merge.",
    "stated-class-missing": "Correct its --source, or leave it out.",
    "threshold-with-decisions": "Leave --threshold out.",
    "threshold-without-positive": "Name them with --positive.",
    "threshold-without-probabilities": "Leave --threshold out.",
    "tls-file-missing": "Name both, with --tls-certificate and --tls-key.",
    "token-not-found": "They are listed by: pulmo serve token list.",
    "trace-exists": "Name another file with --map.",
    "training-diverged": "Set a lower one with --set train.lr=RATE.",
    "training-images-missing": "Make a split with: pulmo data split. Or choose other labels with "
    "--set 'labels.order=[...]'.",
    "training-stopped": _RESUME,
    "validation-images-missing": _NEW_SPLIT,
    "validation-shares-patients": _NEW_SPLIT,
    "weights-unavailable": "Name a safetensors file of them with --set model.weights=FILE, or "
    "start from random weights with --from-scratch.",
})  # fmt: skip
"""Code of an error -> what to type."""

HINTS: Final[Mapping[str, str]] = MappingProxyType({
    "files-unchanged": "Read them again with --fresh.",
    "images-undecoded": "Decode them by an import without --headers-only.",
    "sources-unstated": "State it with --source NAME, with --source CLASS=NAME for each class, or "
    "in a column source of the table.",
    "split-official": "Keep it with: pulmo data split MANIFEST --keep-official.",
})  # fmt: skip
"""Kind of a message on an import -> what to type."""

COMMAND_REMEDIES: Final[Mapping[tuple[str, str], str]] = MappingProxyType({
    ("pulmo reproduce", "weights-unavailable"): "Put them as NETWORK.safetensors into a folder "
    "and name it with --weights, or start from random weights with --from-scratch.",
    ("pulmo listen", "tls-file-missing"): "Name both, with --tls-certificate and --tls-key.",
    ("pulmo pull", "tls-file-missing"): "Name both, with --tls-certificate and --tls-key.",
    ("pulmo-vgg16", "training-diverged"): "Set a lower one with -lr.",
    ("pulmo-vgg16", "weights-unavailable"): "Name a safetensors file of them with --weights, or "
    "start from random weights with --from-scratch.",
})  # fmt: skip
"""Command and code -> what to type, where the options of a command differ."""


def remedy(error: PulmoError, command: str) -> str:
    """Returns what to type about an error, as a sentence; blank if there is nothing.

    Args:
        error: the error.
        command: the command that was typed, such as `pulmo train`.
    """
    if error.code == "class-names-unknown":
        return _maps(error)
    return COMMAND_REMEDIES.get((command, error.code)) or REMEDIES.get(error.code, "")


def _maps(error: PulmoError) -> str:
    """Returns the options that say which label each class name is."""
    from pulmo.datasets.class_names import UnknownClassesError

    if not isinstance(error, UnknownClassesError):
        return ""
    pairs = (f"{name}={label or 'LABEL'}" for name, label in error.meant.items())
    return f"Say what each is: {' '.join(f'--map {shlex.quote(pair)}' for pair in pairs)}."
