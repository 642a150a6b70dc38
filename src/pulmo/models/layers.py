"""A classifier's layers from stem to head: groups with their own rates, and what is frozen."""

from collections.abc import Collection

from torch import nn

from pulmo.models.classifier import Classifier


def layer_groups(classifier: Classifier) -> tuple[tuple[str, ...], ...]:
    """Returns the names of the parameters of each layer group, stem first, head last."""
    base = [tuple(f"backbone.{name}" for name in names) for names in classifier.backbone.groups()]
    head = tuple(f"head.{name}" for name, _ in classifier.head.named_parameters())
    return (*base, head)


def last_layers(classifier: Classifier, count: int) -> frozenset[str]:
    """Returns the names of the parameters of the last `count` layers with weights.

    A layer is a convolution or a linear one; the normalisation layers after it belong to it.
    """
    modules = [
        (name, module)
        for name, module in classifier.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    weighted = [
        number
        for number, (_, module) in enumerate(modules)
        if any(weight.ndim > 1 for weight in module.parameters(recurse=False))
    ]
    first = weighted[-min(count, len(weighted))]
    return frozenset(
        f"{name}.{parameter}"
        for name, module in modules[first:]
        for parameter, _ in module.named_parameters(recurse=False)
    )


def unfreeze(classifier: Classifier, names: Collection[str]) -> None:
    """Lets just the parameters of these names learn, and sets the modes of training.

    A module all of whose parameters are frozen is put into evaluation mode: its normalisation keeps
    the statistics that its weights were trained with, and its dropout is off, so that it gives the
    same features each time.
    """
    wanted = set(names)
    for name, parameter in classifier.named_parameters():
        parameter.requires_grad_(name in wanted)
    classifier.train()
    _rest(classifier)


def _rest(module: nn.Module) -> None:
    """Puts the frozen modules below one into evaluation mode."""
    for child in module.children():
        parameters = list(child.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            child.eval()
        else:
            _rest(child)
