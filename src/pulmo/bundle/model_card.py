"""MODEL_CARD.md: the card in words (Mitchell et al. 2019)."""

from collections.abc import Iterable, Sequence

from pulmo.bundle.card import Card


def model_card(card: Card) -> str:
    """Returns the card as Markdown, for a reader who has only the bundle."""
    return "\n\n".join(
        (
            f"# {card.name}",
            f"**{card.notice}** {card.description}",
            _what(card),
            _use(card),
            _data(card),
            _validation(card),
            _limits(card),
            "",
        )
    )


def _what(card: Card) -> str:
    network = card.network
    return "## What it is\n\n" + _table(
        ("", ""),
        (
            ("Classes", ", ".join(card.labels.order)),
            *((f"Counted as {to}", label) for label, to in card.labels.merge.items()),
            ("Network", f"{network.backbone}, {network.head} head, {network.parameters:,} weights"),
            ("Training started from", network.weights),
            ("Recipe", f"{card.training.recipe} ({card.training.recipe_sha256[:16]})"),
            ("Trained by", f"pulmo {card.pulmo}, {card.created}"),
            ("Licence", card.license),
            ("Trained tensors (SHA-256)", card.network.sha256),
        ),
    )


def _use(card: Card) -> str:
    size = card.input.size
    return (
        "## How to use it\n\n"
        f"`pulmo predict FILE --model FOLDER`. Without pulmo: `model.onnx` takes `radiograph`, "
        f"unsigned bytes [n, 1, {size}, {size}], 0 black, made square by the policy "
        f"`{card.input.aspect}`, and gives `logits` and `activation`. Probabilities are "
        f"softmax(logits / {card.temperature:.4f}). A result counts as positive when the summed "
        f"probability of {', '.join(card.decision.positive)} is at least "
        f"{card.decision.threshold:.4f}. A map in `activation` has the unit of its class's logit."
    )


def _data(card: Card) -> str:
    counts = card.training.counts
    splits = list(counts)
    by_class = (
        (label, *(f"{counts[split].get(label, 0):,}" for split in splits))
        for label in card.labels.order
    )
    by_source = (
        (label, ", ".join(f"{source} ({n:,})" for source, n in sources.items()))
        for label, sources in card.training.sources.items()
    )
    return (
        "## What it was shown\n\n"
        + _table(("class", *splits), by_class)
        + "\n\n"
        + _table(("class", "sources of the training pictures"), by_source)
        + f"\n\nModality: {', '.join(card.training.modalities) or 'not stated'}"
        + f"\n\nManifest (SHA-256): {card.training.manifest_sha256}"
    )


def _validation(card: Card) -> str:
    best = card.training.history[card.training.best_epoch - 1]
    decision = card.decision
    return "## On its validation pictures, which chose it\n\n" + _table(
        ("figure", "value"),
        (
            ("accuracy", f"{best.val_accuracy:.3f}"),
            ("balanced accuracy", f"{best.val_balanced_accuracy:.3f}"),
            ("sensitivity at the threshold", f"{decision.sensitivity} (aim {decision.aim})"),
            ("specificity at the threshold", str(decision.specificity)),
        ),
    )


def _limits(card: Card) -> str:
    alone = [
        f"Every training picture of {label} came from {next(iter(sources))}."
        for label, sources in card.training.sources.items()
        if len(sources) == 1
    ]
    sentences = [
        "These figures come from the pictures that chose the model; they are not a test.",
        "Nothing here shows how it does at another hospital; evaluate it there.",
        *alone,
    ]
    if alone:
        sentences.append("What tells such classes apart may be the source and not the disease.")
    return "## What this does not show\n\n" + "\n".join(f"- {line}" for line in sentences)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
