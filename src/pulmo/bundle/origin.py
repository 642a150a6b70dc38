"""Origin: which run a model was exported from."""

from pulmo.bundle.card import Card, read_card
from pulmo.core.errors import UsageError
from pulmo.core.folders import RunFolder


def check_origin(card: Card, run: RunFolder, model: str = "The model") -> None:
    """Refuses a run that is not the one that a model was exported from.

    Args:
        card: the model's card.
        run: the run.
        model: what the message calls the model.

    Raises:
        InputError: the run is unfinished.
        UsageError: it is of another model.
    """
    if read_card(run.card).network.sha256 != card.network.sha256:
        raise UsageError(
            "bundle-not-of-run",
            f"{model} was not exported from {run.root}: their weights differ.",
        )
