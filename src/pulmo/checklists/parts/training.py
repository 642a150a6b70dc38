"""The statements of a run: its recipe, software and hardware."""

from pulmo.checklists.artefacts import Artefacts, Gap
from pulmo.checklists.checklist import Statement
from pulmo.core.message import listed
from pulmo.core.training import StageSection
from pulmo.radiograph.changes import AUGMENTATIONS


def choice(artefacts: Artefacts) -> Statement:
    """States which images of the manifest the recipe takes."""
    recipe = artefacts.run.recipe
    kinds = {
        "sources": recipe.data.sources,
        "views": recipe.data.views,
        "modalities": recipe.data.modalities,
    }
    words = [f"{name}: {listed(values) if values else 'all'}" for name, values in kinds.items()]
    labels = [*recipe.kinds, *recipe.labels.merge]
    return Statement(
        f"Of the manifest the recipe takes {'; '.join(words)}; labels: {listed(labels)}. Images "
        "with another label are left out.",
        "recipe.toml: data, labels",
    )


def augmentation(artefacts: Artefacts) -> Statement:
    """States how training images are changed at random."""
    chosen = (AUGMENTATIONS.chosen(c) for c in artefacts.run.recipe.augment.values())
    changes = [str(change) for change in chosen if change.strength]
    text = f"Random changes: {listed(changes)}." if changes else "No augmentation."
    return Statement(text, "recipe.toml: augment")


def optimisation(artefacts: Artefacts) -> Statement:
    """States how the weights are found."""
    section, model = artefacts.run.recipe.train, artefacts.run.recipe.model
    stages = (_stage(stage) for stage in section.plan)
    return Statement(
        f"Optimiser {section.optimiser}, batch {section.batch}, weight decay "
        f"{section.weight_decay:g}, loss {section.loss}, label smoothing "
        f"{section.label_smoothing:g}, mixup {section.mixup:g}, head {model.head}, average "
        f"of weights {section.average}, seed {section.seed}. Stages: {'; '.join(stages)}. "
        "The file has every setting.",
        "recipe.toml: train, model",
    )


def _stage(stage: StageSection) -> str:
    words = f"at most {stage.epochs} epochs, rate {stage.lr:g} ({stage.schedule}), trains "
    words += f"{stage.trains}"
    return words + (f", ends after {stage.patience} without gain" if stage.patience else "")


def imbalance(artefacts: Artefacts) -> Statement:
    """States what is done about classes of unequal size."""
    section = artefacts.run.recipe.train
    return Statement(
        f"Class weights {_weights(section.class_weights)}, oversampling "
        f"{_weights(section.oversample)}, loss {section.loss}.",
        "recipe.toml: train.class_weights, train.oversample, train.loss",
    )


def _weights(given: str | dict[str, float]) -> str:
    if isinstance(given, str):
        return given
    return ", ".join(f"{label} {weight:g}" for label, weight in given.items())


def software(artefacts: Artefacts) -> Statement:
    """States with which software, and on what, it was trained."""
    sessions = artefacts.run.sessions
    machines = dict.fromkeys(
        f"Python {session.python}, "
        + ", ".join(f"{name} {version}" for name, version in session.packages.items())
        + f"; {session.system}; {session.device}, {session.precision}, threads: {session.threads}"
        for session in sessions
    )
    return Statement(f"{'. Then: '.join(machines)}.", "env.json")


def used(artefacts: Artefacts) -> Statement:
    """States whether the manifest trained this model."""
    given, card = artefacts.images, artefacts.card
    if artefacts.has_other_images:
        raise Gap(
            f"{given.name} is not the training manifest of {card.name}. State what it is used for."
        )
    return Statement(
        f"The model {card.name} was trained on it: {card.description}",
        "card.json: training.manifest_sha256, description",
    )
