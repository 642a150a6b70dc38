"""Which parameters learn in which epoch of a stage, and at what share of the rate."""

from pulmo.core.errors import UsageError
from pulmo.core.training import StageSection
from pulmo.models.classifier import Classifier
from pulmo.models.layers import last_layers, layer_groups


def learning(classifier: Classifier, stage: StageSection, epoch: int) -> frozenset[str]:
    """Returns the names of the parameters that learn in an epoch of a stage, from 0."""
    groups = layer_groups(classifier)
    if isinstance(stage.trains, int):
        return last_layers(classifier, stage.trains)
    counts = {"head": 1, "gradual": epoch + 1, "all": len(groups)}
    # More epochs than groups train all of them.
    return frozenset(name for group in groups[-counts[stage.trains] :] for name in group)


def rate_shares(classifier: Classifier, stage: StageSection) -> dict[str, float]:
    """Returns the share of the head's learning rate that each parameter learns with.

    Raises:
        UsageError: the stage's divisors are not as many as the network's layer groups.
    """
    groups = layer_groups(classifier)
    last = len(groups) - 1
    if stage.lr_first is not None:
        shares = [(stage.lr_first / stage.lr) ** (1 - n / last) for n in range(last + 1)]
    elif stage.lr_divisors:
        if len(stage.lr_divisors) != len(groups):
            raise UsageError(
                f"lr_divisors has {len(stage.lr_divisors)} numbers, but the network has "
                f"{len(groups)} layer groups, its head the last."
            )
        shares = [1 / divisor for divisor in stage.lr_divisors]
    else:
        shares = [1.0] * len(groups)
    return {name: share for group, share in zip(groups, shares, strict=True) for name in group}
