"""What the card says: the network, its input, its output and how it was chosen."""

from pulmo.checklists.artefacts import Artefacts
from pulmo.checklists.checklist import Said
from pulmo.checklists.phrases import counted, listed


def technology(artefacts: Artefacts) -> Said:
    """Says what kind of model it is."""
    network, order = artefacts.card.network, artefacts.card.labels.order
    return Said(
        f"Deep learning: a neural network that tells {listed(order)} apart, {network.backbone} (so "
        f"named by timm or pulmo) with the head {network.head} and {network.parameters:,} weights.",
        "card.json: network, labels",
    )


def purpose(artefacts: Artefacts) -> Said:
    """Says what the recipe's author wanted of it."""
    card = artefacts.card
    return Said(f"{card.name}: {card.description}", "card.json: name, description")


def notice(artefacts: Artefacts) -> Said:
    """Says what it must not be used for."""
    return Said(artefacts.card.notice, "card.json: notice")


def classes(artefacts: Artefacts) -> Said:
    """Says what is predicted."""
    labels = artefacts.card.labels
    merged = (f"{label} counts as {to}" for label, to in labels.merge.items())
    text = "; ".join([f"The outcome is one of {listed(labels.order)}", *merged])
    when = "It is of the image, at one time: nothing is forecast."
    return Said(f"{text}. {when}", "card.json: labels")


def image_alone(artefacts: Artefacts) -> Said:
    """Says what the network is given, which nothing is imputed for."""
    kinds = artefacts.card.training.modalities
    stated = f"of the modality {listed(kinds)}" if kinds else "whose modality is not stated"
    return Said(
        f"The only input is one image, {stated}; age, sex, history, laboratory values and "
        "the judgement of a reader are not used, and nothing is imputed.",
        "card.json: input, training.modalities",
    )


def preparation(artefacts: Artefacts) -> Said:
    """Says how an image becomes the network's input."""
    image = artefacts.card.input
    return Said(
        f"An image becomes {image.size} by {image.size} pixels of 8 bits, 0 black (aspect policy "
        f"{image.aspect}, grey scale {image.grey}); in the network {image.mean:g} is subtracted "
        f"from the grey value in [0, 1], and it is divided by {image.std:g}.",
        "card.json: input",
    )


def start(artefacts: Artefacts) -> Said:
    """Says where the weights started."""
    weights = artefacts.card.network.weights
    known = {"none": "random weights", "timm": "the pretrained weights of timm"}
    return Said(f"Started from {known.get(weights, weights)}.", "card.json: network.weights")


def output(artefacts: Artefacts) -> Said:
    """Says what it gives, and when a result is positive."""
    card, decision = artefacts.card, artefacts.card.decision
    return Said(
        f"A probability for each class, softmax(logits / {card.temperature:.4g}), the temperature "
        f"fitted on the validation images. A result is positive when the summed probability of "
        f"{listed(decision.positive)} is at least {decision.threshold:.4g}, which was chosen on "
        f"the validation images for a sensitivity of {decision.aim:g} (reached there: "
        f"sensitivity {decision.sensitivity}, specificity {decision.specificity}).",
        "card.json: temperature, decision",
    )


def chosen_epoch(artefacts: Artefacts) -> Said:
    """Says which weights were kept."""
    training = artefacts.card.training
    best = training.history[training.best_epoch - 1]
    least = min(epoch.val_loss for epoch in training.history)
    which = ", the lowest of the run" if best.val_loss == least else ""
    return Said(
        f"The weights of epoch {best.epoch} of {len(training.history)} were kept (validation loss "
        f"{best.val_loss:.4f}{which}).",
        "card.json: training.best_epoch, training.history",
    )


def tuning_figures(artefacts: Artefacts) -> Said:
    """Says how it did on the images that chose it."""
    training = artefacts.card.training
    best = training.history[training.best_epoch - 1]
    return Said(
        f"On the validation images, which chose it: accuracy {best.val_accuracy:.3f}, balanced "
        f"accuracy {best.val_balanced_accuracy:.3f}.",
        "card.json: training.history",
    )


def shown(artefacts: Artefacts) -> Said:
    """Says how many images of each class it was trained and chosen on."""
    counts = artefacts.card.training.counts
    parts = (f"{split}: {sum(by.values()):,} ({counted(by)})" for split, by in counts.items())
    return Said(f"Images used, {'; '.join(parts)}.", "card.json: training.counts")


def training_sources(artefacts: Artefacts) -> Said:
    """Says which sources the training images of each class came from."""
    parts = (f"{name}: {counted(by)}" for name, by in artefacts.card.training.sources.items())
    return Said(f"Training images by source, {'; '.join(parts)}.", "card.json: training.sources")


def single(artefacts: Artefacts) -> Said:
    """Says that the bundle is no ensemble."""
    return Said(
        f"No ensemble: the bundle is one network ({artefacts.card.network.backbone}).",
        "card.json: network",
    )


def maps(artefacts: Artefacts) -> Said:
    """Says how a result is explained."""
    maps = artefacts.card.activation
    return Said(
        f"Class activation maps of {maps.rows} by {maps.columns} cells come out of the network "
        f"with each result (HiResCAM, Draelos and Carin 2020), in units of the logit, drawn "
        f"against a fixed scale (0 to {maps.scale:.3g}).",
        "card.json: activation",
    )


def specification(artefacts: Artefacts) -> Said:
    """Says what the whole model is, for others to run."""
    return Said(
        "The whole model, preparation of the grey values included, is model.onnx (SHA-256 "
        f"{artefacts.model_sha256}); `pulmo predict`, or any ONNX runtime as MODEL_CARD.md says, "
        "runs it.",
        "model.onnx, MODEL_CARD.md",
    )


def licence(artefacts: Artefacts) -> Said:
    """Says under which terms the model may be used."""
    return Said(f"Licence of the model: {artefacts.card.license}.", "card.json: license")


def identity(artefacts: Artefacts) -> Said:
    """Says what decides the run, for another to repeat it."""
    card, training = artefacts.card, artefacts.card.training
    return Said(
        f"Trained by pulmo {card.pulmo} with the recipe {training.recipe} (SHA-256 "
        f"{training.recipe_sha256}), the seed {training.seed} and the manifest "
        f"{training.manifest_sha256}.",
        "card.json: pulmo, training",
    )


def code(artefacts: Artefacts) -> Said:
    """Says which program did the work."""
    return Said(
        f"The code is pulmo {artefacts.card.pulmo}, under Apache-2.0.",
        "card.json: pulmo; pulmo's LICENSE",
        "Say where this version of the code, and what was added to it, can be had.",
    )


def commonest_sources(artefacts: Artefacts) -> Said:
    """Says how much of a class came from one source, which may be what is told apart."""
    shares = []
    for label, by in artefacts.card.training.sources.items():
        if by:
            name = max(by, key=by.__getitem__)
            shares.append(f"{label} {100 * by[name] / sum(by.values()):.0f} % {name}")
    return Said(
        f"Of the training images of a class, the commonest source gave: {listed(shares)}. Where "
        "classes have different sources, what tells them apart may be the source.",
        "card.json: training.sources",
    )
