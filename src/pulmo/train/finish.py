"""The end of a run: calibration on the validation images, the weights, the card."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save

import pulmo
from pulmo.bundle.card import Activation, Card, Input, Network, Training
from pulmo.bundle.outcome import probabilities
from pulmo.core.files import sha256, write_atomically
from pulmo.core.folders import RunFolder
from pulmo.core.labels import DRAWN
from pulmo.core.plugins import loaded_plugins
from pulmo.core.sources import source_names
from pulmo.datasets.modality import stated_kinds
from pulmo.decide.detections import fit_detection_rule
from pulmo.decide.prediction_sets import fit_sets
from pulmo.decide.temperature import fit_temperature
from pulmo.decide.thresholds import fit_decision
from pulmo.decide.triage import fit_bands
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions
from pulmo.radiograph.facts import AgeGroup, age_group
from pulmo.radiograph.geometry import to_image
from pulmo.train.checkpoint import Progress, load_weights_of, state
from pulmo.train.engine import Engine, infer
from pulmo.train.start import seen_before, start_seen
from pulmo.train.team import ALONE
from pulmo.train.training_data import TrainingData, class_counts

_MOST_MAPS: Final = 400
"""Maps of a class to which its detections are fitted at most."""
_ENLARGED: Final = 128
"""Side of an enlarged map."""

LICENSE = "not stated; a model inherits the terms of the images that it was trained on"


def write_history(progress: Progress, folder: RunFolder) -> None:
    """Writes `history.jsonl`: the finished epochs, one a line."""
    lines = "".join(f"{epoch.model_dump_json()}\n" for epoch in progress.history)
    write_atomically(folder.history, lines.encode())


def finish_run(engine: Engine, progress: Progress, folder: RunFolder) -> Card:
    """Takes the best weights, calibrates them, and writes `model.safetensors` and the card."""
    load_weights_of(folder.best_checkpoint, engine.classifier)
    engine = engine._replace(average=None, team=ALONE)
    data, recipe = engine.data, engine.recipe
    parts = list(infer(engine, data.val))
    logits, maps = (np.concatenate(column) for column in zip(*parts, strict=True))
    truth = data.truth[data.val]
    temperature = fit_temperature(logits, truth)
    seen = Predictions.from_probabilities(
        data.manifest.frame.iloc[data.val],
        probabilities(logits, temperature),
        DecisionRule(recipe.labels.order, recipe.labels.merge, recipe.decision.positive),
    )
    decision = fit_decision(seen, recipe.decision)
    weights = save(state(engine.classifier))
    parameters = sum(p.numel() for p in engine.classifier.parameters())
    card = Card(
        name=recipe.name,
        description=recipe.description,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        pulmo=pulmo.__version__,
        license=LICENSE,
        labels=recipe.labels,
        input=Input(
            **dict(recipe.image),
            mean=recipe.model.mean,
            std=recipe.model.std,
            lungs=data.finder.sha256 if data.finder else None,
        ),
        temperature=temperature,
        decision=decision,
        bands=fit_bands(
            seen, recipe.decision.sensitivity, recipe.decision.specificity, decision.threshold
        ),
        sets=fit_sets(seen, recipe.decision.coverage),
        activation=_activation(maps, logits, truth, recipe.labels.order),
        network=Network(
            backbone=recipe.model.backbone,
            head=recipe.model.head.name,
            parameters=parameters,
            weights=progress.weights,
            sha256=sha256(weights),
        ),
        training=_training(engine, progress, seen_before(start_seen(recipe, folder), data)),
        files={folder.model.name: sha256(weights)},
    )
    write_history(progress, folder)
    write_atomically(folder.model, weights)
    write_atomically(folder.card, card.to_json().encode())
    return card


def _activation(
    maps: NDArray[np.float32],
    logits: NDArray[np.float32],
    truth: NDArray[np.intp],
    labels: Sequence[str],
) -> Activation:
    """Returns the maps' size, the scale of the decided class's evidence, and the detections."""
    decided = maps[np.arange(len(logits)), logits.argmax(1)]
    evidence = decided[decided > 0]
    return Activation(
        rows=maps.shape[2],
        columns=maps.shape[3],
        scale=float(np.percentile(evidence, 99)) if len(evidence) else 1.0,
        detections={
            label: fit_detection_rule(_spread(maps[truth != number, number]))
            for number, label in enumerate(labels)
            if (truth != number).any()
        },
    )


def _spread(maps: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Returns some maps [n, rows, columns], smoothly enlarged as on an image."""
    few = maps[:: -(-len(maps) // _MOST_MAPS)]
    return [to_image(each, (_ENLARGED, _ENLARGED), "squash") for each in few]


def _training(engine: Engine, progress: Progress, before: Mapping[str, int]) -> Training:
    recipe, data = engine.recipe, engine.data
    names = np.array(recipe.kinds)[data.truth]
    labels = recipe.labels.order
    return Training(
        recipe=recipe.name,
        recipe_sha256=progress.recipe_sha256,
        manifest_sha256=progress.manifest_sha256,
        seed=recipe.train.seed,
        best_epoch=progress.best_epoch,
        chosen_by=engine.criterion.said if engine.criterion else "",
        history=tuple(progress.history),
        counts=_counts(data, labels, np.ones(len(names), np.bool_)),
        sources={label: _sources(data, names, label) for label in recipe.kinds},
        coarse={
            label: int((names[data.train] == label).sum()) for label in recipe.train.coarse_labels
        },
        modalities=stated_kinds(data.manifest),
        views=tuple(sorted(data.manifest.frame["view"].dropna().unique())),
        ages=_ages(data),
        accepts=recipe.data.accepts,
        without_lungs=_counts(data, labels, data.images.without_lungs) if data.finder else {},
        weighed=engine.cells.table if engine.cells else {},
        plugins=loaded_plugins(),
        seen_before=before,
        drawings=int((data.manifest.frame["origin"].iloc[data.train] == DRAWN).sum()),
        recipe_toml=recipe.without_folders().to_toml(),
    )


def _ages(data: TrainingData) -> dict[AgeGroup, int]:
    """Returns age group -> training images of it; those that state no age are in none."""
    ages = data.manifest.frame["age"].iloc[data.train].dropna()
    groups = [age_group(float(age)) for age in ages]
    return {group: groups.count(group) for group in sorted(set(groups))}


def _counts(
    data: TrainingData, labels: tuple[str, ...], chosen: NDArray[np.bool_]
) -> dict[str, dict[str, int]]:
    """Returns split -> class -> images, of those that are chosen, bool [n]."""
    found = {}
    for split, rows in (("train", data.train), ("val", data.val)):
        counts = class_counts(data.truth[rows[chosen[rows]]], len(labels))
        found[split] = dict(zip(labels, counts.tolist(), strict=True))
    return found


def _sources(data: TrainingData, names: NDArray[np.str_], label: str) -> dict[str, int]:
    """Returns source -> training images of a class."""
    rows = data.train[names[data.train] == label]
    counts = source_names(data.manifest.frame.iloc[rows]).value_counts()
    return {str(source): int(n) for source, n in counts.items()}
