"""MODEL_CARD.md: the card in words (Mitchell et al. 2019)."""

from collections.abc import Iterable, Iterator, Sequence

from pulmo.bundle.card import FINDER_KEY, Card, Epoch, Input, Network
from pulmo.bundle.gate import unasked
from pulmo.core.sources import is_stated
from pulmo.predictions.operating_point import Bands, OperatingPoint, PredictionSets


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
    return "## The model\n\n" + _table(
        ("", ""),
        (
            ("Classes", ", ".join(card.labels.order)),
            *((f"Counted as {to}", label) for label, to in card.labels.merge.items()),
            *(
                (f"Trained on images of {label}, class not stated", f"{images:,}")
                for label, images in card.training.coarse.items()
            ),
            ("Network", f"{network.backbone}, {network.head} head, {network.parameters:,} weights"),
            ("Training started from", network.weights),
            *_stored(network),
            *(
                ("Plugin, code that is not pulmo's", f"{name} (SHA-256 {digest})")
                for name, digest in card.training.plugins.items()
            ),
            ("Recipe", f"{card.training.recipe} ({card.training.recipe_sha256[:16]})"),
            ("Trained by", f"pulmo {card.pulmo}, {card.created}"),
            ("Licence", card.license),
            ("Trained tensors (SHA-256)", card.network.sha256),
        ),
    )


def _stored(network: Network) -> Iterator[tuple[str, str]]:
    """Yields how the weights are stored, if not as they were trained."""
    if network.weight_format != "fp32":
        yield (
            "Weights are stored as",
            f"{network.weight_format}; the temperature and the thresholds were fitted with float32",
        )


def _use(card: Card) -> str:
    size = card.input.size
    return (
        "## How to use it\n\n"
        f"`pulmo predict FILE --model FOLDER`. Without pulmo: `model.onnx` takes `radiograph`, "
        f"unsigned bytes [n, 1, {size}, {size}], 0 black, {_part(card.input)}made square by the "
        f"policy `{card.input.aspect}`, and gives `logits` and `activation`. Probabilities are "
        f"softmax(logits / {card.temperature:.4f}). A result counts as positive when the summed "
        f"probability of {', '.join(card.decision.positive)} is at least "
        f"{card.decision.threshold:.4f}. A map in `activation` has the unit of its class's logit."
    )


def _part(shown: Input) -> str:
    """Returns what is to be cut out of an image, if anything."""
    if shown.region == "all":
        return ""
    return (
        f"{shown.shown}, as the ONNX network finds them that `model.onnx` has in its metadata, "
        f"`{FINDER_KEY}`, in Base64, or else the one of pulmo, `pulmo/lungs/lungs.onnx` (SHA-256 "
        f"{shown.lungs}), "
    )


def _without_lungs(card: Card) -> str:
    """Returns how many images were shown whole, where the model sees the lungs."""
    if card.input.region == "all":
        return ""
    found = "; ".join(
        f"{split}: {', '.join(f'{label} {n:,}' for label, n in counts.items())}"
        for split, counts in card.training.without_lungs.items()
    )
    return f"\n\nImages in which no lungs were found, shown whole: {found}"


def _weighed(card: Card) -> str:
    """Returns the cells of source and class, where training images count by them."""
    if not card.training.weighed:
        return ""
    found = "; ".join(
        f"{source}: {', '.join(f'{label} {n:,}' for label, n in counts.items())}"
        for source, counts in card.training.weighed.items()
    )
    return f"\n\nSources by which the training weighed its images: {found}"


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
        "## Training data\n\n"
        + _table(("class", *splits), by_class)
        + "\n\n"
        + _table(("class", "sources of the training images"), by_source)
        + f"\n\nModality: {', '.join(card.training.modalities) or 'not stated'}"
        + f"\n\nViews: {', '.join(card.training.views) or 'not stated'}"
        + f"\n\nAges: {_ages(card)}"
        + _weighed(card)
        + _without_lungs(card)
        + f"\n\nManifest (SHA-256): {card.training.manifest_sha256}"
    )


def _ages(card: Card) -> str:
    """Returns of how many training images the patients are children and adults."""
    known = card.training.ages
    counted = [f"{group}: {n:,} images" for group, n in known.items()]
    unknown = sum(card.training.counts.get("train", {}).values()) - sum(known.values())
    return ", ".join([*counted, f"not stated: {unknown:,} images"])


def _chosen_by(card: Card, best: Epoch) -> Iterator[tuple[str, str]]:
    """Yields the row of what the epoch was chosen by, if that was not the loss on all images."""
    if best.val_score is not None:
        yield f"{card.training.chosen_by}, by which the epoch was chosen", f"{best.val_score:.3f}"


def _validation(card: Card) -> str:
    best = card.training.history[card.training.best_epoch - 1]
    decision = card.decision
    return (
        "## Metrics on the validation images, by which it was chosen\n\n"
        + _table(
            ("metric", "value"),
            (
                *_chosen_by(card, best),
                ("accuracy", f"{best.val_accuracy:.3f}"),
                ("balanced accuracy", f"{best.val_balanced_accuracy:.3f}"),
                ("sensitivity at the threshold", str(decision.sensitivity)),
                ("specificity at the threshold", str(decision.specificity)),
            ),
        )
        + "".join(
            f"\n\n{text}"
            for text in (
                point_sentence(decision),
                "" if card.bands is None else _bands(card.bands),
                "" if card.sets is None else _sets(card.sets),
                ASSUMPTION,
            )
            if text
        )
    )


DRAWINGS = (
    "The model was trained on drawings that `pulmo data phantom` made: its results say nothing "
    "about a patient."
)

ASSUMPTION = (
    "These guarantees and thresholds hold for images like the validation images, and not for "
    "another hospital, prevalence or patient mix. They are somewhat too good, because the epoch "
    "and the temperature were chosen on the same images."
)


def point_sentence(point: OperatingPoint) -> str:
    """Returns how a threshold was chosen, and whether what it was chosen for is guaranteed."""
    chosen = (
        f"The threshold {point.threshold:.4f} was fitted on validation images for a "
        f"{point.metric} of {point.aim:g}"
    )
    if point.confidence is not None:
        return (
            f"{chosen} or more, which is guaranteed with {point.confidence:.0%} confidence by "
            f"{point.independent} independent images."
        )
    why = "" if point.reason is None else f": {point.reason}"
    return f"{chosen}, which is not guaranteed{why}."


def _bands(bands: Bands) -> str:
    """Returns the triage bands in sentences."""
    out, into = bands.rule_out, bands.rule_in
    lines = [
        f"- {band}: {shares.images} of the images, {shares.positives} of the positive and "
        f"{shares.negatives} of the others"
        for band, shares in bands.shares.items()
    ]
    return (
        f"Triage: a result below {out.threshold:.4f} is negative, one of {into.threshold:.4f} or "
        "more is positive; one between is uncertain, so a reader must decide. "
        f"{point_sentence(out)} {point_sentence(into)} Validation images in each band:\n\n"
        + "\n".join(lines)
    )


def _sets(sets: PredictionSets) -> str:
    """Returns the conformal sets in sentences."""
    return (
        f"Conformal sets: the set of an image has the classes with a probability of "
        f"{sets.least:.4f} or more. At least {sets.coverage:.0%} of new images, over all classes "
        f"together, are expected to have their true class in the set (from {sets.independent} "
        f"independent images). Of the validation images {sets.covered} have, and a set has "
        f"{sets.size} classes on average."
    )


def _limits(card: Card) -> str:
    alone = [
        f"Every training image of {label} came from {next(iter(sources))}."
        for label, sources in card.training.sources.items()
        if len(sources) == 1 and all(map(is_stated, sources))
    ]
    unknown = sum(
        n
        for sources in card.training.sources.values()
        for name, n in sources.items()
        if not is_stated(name)
    )
    sentences = [
        *([DRAWINGS] if card.has_drawings else []),
        "These values are of the images that the model was chosen by; they are not a test.",
        *_seen_before(card),
        "They do not show how the model performs at another hospital: evaluate it there.",
        "An image of another disease gets one of these classes, and nothing marks it.",
        *_looks(card),
        *alone,
    ]
    if alone:
        sentences.append(
            "The model may recognise such a class by its source and not by the disease."
        )
    if unknown:
        sentences.append(
            f"The hospital of {unknown:,} of the training images is not stated: the model may "
            "recognise a class by the hospital and not by the disease."
        )
    return "## What this does not show\n\n" + "\n".join(f"- {line}" for line in sentences)


def _looks(card: Card) -> list[str]:
    """Returns what is less for this model than for others in refusing an image by its looks."""
    reason = unasked(card)
    if reason:
        return [reason]
    if card.training.modalities:
        return []
    noted = "an image that looks like no frontal chest X-ray is noted and not refused."
    return [f"The modality of the training images is not stated: {noted}"]


def _seen_before(card: Card) -> Iterator[str]:
    """Yields what follows from a start that has seen images of the training."""
    before = card.training.seen_before
    if before:
        yield (
            f"The training started from {card.network.weights}. That model was trained or chosen "
            f"on {before['train']:,} of the training images and on {before['val']:,} of the "
            "validation images. An evaluation leaves out all images that it was trained or chosen "
            "on, but it does not know other images of the same patients."
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
