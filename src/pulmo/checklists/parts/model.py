"""The statements of the card: network, input, output and training."""

from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import Statement
from pulmo.checklists.phrases import counted
from pulmo.core.message import listed


def technology(artefacts: Artefacts) -> Statement:
    """States what kind of model it is."""
    network, order = artefacts.card.network, artefacts.card.labels.order
    return Statement(
        f"Deep learning: a neural network with the classes {listed(order)}, {network.backbone} (so "
        f"named by timm or pulmo) with the head {network.head} and {network.parameters:,} weights.",
        "card.json: network, labels",
    )


def purpose(artefacts: Artefacts) -> Statement:
    """States the purpose, as the author of the recipe describes it."""
    card = artefacts.card
    return Statement(f"{card.name}: {card.description}", "card.json: name, description")


def notice(artefacts: Artefacts) -> Statement:
    """States what it must not be used for."""
    return Statement(artefacts.card.notice, "card.json: notice")


def classes(artefacts: Artefacts) -> Statement:
    """States what is predicted."""
    labels = artefacts.card.labels
    merged = (f"{label} counts as {to}" for label, to in labels.merge.items())
    text = "; ".join([f"The outcome is one of {listed(labels.order)}", *merged])
    when = "It is a property of the image at one time; nothing is forecast."
    return Statement(f"{text}. {when}", "card.json: labels")


def image_alone(artefacts: Artefacts) -> Statement:
    """States what the network is given, which nothing is imputed for."""
    kinds = artefacts.card.training.modalities
    stated = f"of the modality {listed(kinds)}" if kinds else "whose modality is not stated"
    return Statement(
        f"The only input is one image, {stated}; age, sex, history, laboratory values and "
        "the judgement of a reader are not used, and nothing is imputed.",
        "card.json: input, training.modalities",
    )


def preparation(artefacts: Artefacts) -> Statement:
    """States how an image becomes the network's input."""
    image = artefacts.card.input
    return Statement(
        f"{image.shown[0].upper()}{image.shown[1:]} becomes {image.size} by {image.size} pixels of "
        "8 bits, 0 black (aspect policy "
        f"{image.aspect}, grey scale {image.grey}); in the network {image.mean:g} is subtracted "
        f"from the grey value in [0, 1], and it is divided by {image.std:g}.",
        "card.json: input",
    )


def start(artefacts: Artefacts) -> Statement:
    """States where the weights started."""
    weights = artefacts.card.network.weights
    known = {"none": "random weights", "timm": "the pretrained weights of timm"}
    return Statement(f"Started from {known.get(weights, weights)}.", "card.json: network.weights")


def output(artefacts: Artefacts) -> Statement:
    """States what it gives, and when a result is positive."""
    card, decision = artefacts.card, artefacts.card.decision
    return Statement(
        f"A probability for each class, softmax(logits / {card.temperature:.4g}), the temperature "
        f"fitted on the validation images. A result is positive when the summed probability of "
        f"{listed(decision.positive)} is at least {decision.threshold:.4g}, which was chosen on "
        f"the validation images for a sensitivity of {decision.aim:g} (reached there: "
        f"sensitivity {decision.sensitivity}, specificity {decision.specificity}).",
        "card.json: temperature, decision",
    )


def chosen_epoch(artefacts: Artefacts) -> Statement:
    """States which weights were kept."""
    training = artefacts.card.training
    best = training.history[training.best_epoch - 1]
    least = min(epoch.val_loss for epoch in training.history)
    which = ", the lowest of the run" if best.val_loss == least else ""
    return Statement(
        f"The weights of epoch {best.epoch} of {len(training.history)} were kept (validation loss "
        f"{best.val_loss:.4f}{which}).",
        "card.json: training.best_epoch, training.history",
    )


def tuning_figures(artefacts: Artefacts) -> Statement:
    """States how it did on the images that chose it."""
    training = artefacts.card.training
    best = training.history[training.best_epoch - 1]
    return Statement(
        f"On the validation images, on which it was chosen: accuracy {best.val_accuracy:.3f}, "
        f"balanced accuracy {best.val_balanced_accuracy:.3f}.",
        "card.json: training.history",
    )


def counts(artefacts: Artefacts) -> Statement:
    """States how many images of each class it was trained and chosen on."""
    counts = artefacts.card.training.counts
    parts = (f"{split}: {sum(by.values()):,} ({counted(by)})" for split, by in counts.items())
    return Statement(f"Images used, {'; '.join(parts)}.", "card.json: training.counts")


def training_sources(artefacts: Artefacts) -> Statement:
    """States which sources the training images of each class came from."""
    parts = (f"{name}: {counted(by)}" for name, by in artefacts.card.training.sources.items())
    return Statement(
        f"Training images by source, {'; '.join(parts)}.", "card.json: training.sources"
    )


def single(artefacts: Artefacts) -> Statement:
    """States that the bundle is no ensemble."""
    return Statement(
        f"No ensemble: the bundle is one network ({artefacts.card.network.backbone}).",
        "card.json: network",
    )


def maps(artefacts: Artefacts) -> Statement:
    """States how a result is explained."""
    maps = artefacts.card.activation
    return Statement(
        f"Class activation maps of {maps.rows} by {maps.columns} cells come out of the network "
        f"with each result (HiResCAM, Draelos and Carin 2020), in units of the logit, drawn "
        f"against a fixed scale (0 to {maps.scale:.3g}).",
        "card.json: activation",
    )


def specification(artefacts: Artefacts) -> Statement:
    """States what the whole model is, for others to run."""
    return Statement(
        "The whole model, preparation of the grey values included, is model.onnx (SHA-256 "
        f"{artefacts.model_sha256}); `pulmo predict`, or any ONNX runtime as MODEL_CARD.md says, "
        "runs it.",
        "model.onnx, MODEL_CARD.md",
    )


def licence(artefacts: Artefacts) -> Statement:
    """States under which terms the model may be used."""
    return Statement(f"Licence of the model: {artefacts.card.license}.", "card.json: license")


def identity(artefacts: Artefacts) -> Statement:
    """States what decides the run, for another to repeat it."""
    card, training = artefacts.card, artefacts.card.training
    return Statement(
        f"Trained by pulmo {card.pulmo} with the recipe {training.recipe} (SHA-256 "
        f"{training.recipe_sha256}), the seed {training.seed} and the manifest "
        f"{training.manifest_sha256}.",
        "card.json: pulmo, training",
    )


def code(artefacts: Artefacts) -> Statement:
    """States which program did the work."""
    return Statement(
        f"The code is pulmo {artefacts.card.pulmo}, under Apache-2.0.",
        "card.json: pulmo; pulmo's LICENSE",
        "State where this version of the code, and what was added to it, are available.",
    )


def commonest_sources(artefacts: Artefacts) -> Statement:
    """States the largest source of each class, which the model may recognise."""
    shares = []
    for label, by in artefacts.card.training.sources.items():
        if by:
            name = max(by, key=by.__getitem__)
            shares.append(f"{label} {100 * by[name] / sum(by.values()):.0f} % {name}")
    return Statement(
        f"Of the training images of a class, the commonest source gave: {listed(shares)}. If "
        "classes have different sources, the model may recognise the source instead of the "
        "disease.",
        "card.json: training.sources",
    )
