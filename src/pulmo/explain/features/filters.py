"""The filters of a convolution, of the trained and of the untrained network."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import nn

from pulmo.explain.features.shown import Filters
from pulmo.models.classifier import Classifier


def filters_of(
    networks: Mapping[str, Classifier], layer: str, channels: Sequence[int], count: int
) -> Filters | None:
    """Returns the filters of some channels of a layer.

    Args:
        networks: name -> network; all are alike, and the first one's weights choose the inputs.
        layer: the name of one of their layers.
        channels: numbers of its channels.
        count: filters of each channel at most.

    Returns:
        None if the layer is no convolution, or its filters have one weight each.
    """
    modules = [each.get_submodule(layer) for each in networks.values()]
    convolutions = [module for module in modules if isinstance(module, nn.Conv2d)]
    if len(convolutions) < len(modules) or convolutions[0].weight[0, 0].numel() == 1:
        return None
    chosen = np.array(channels, np.intp)
    weights = [each.weight.detach().float().cpu().numpy()[chosen] for each in convolutions]
    strength = np.square(weights[0]).sum(axis=(2, 3))
    inputs = np.argsort(-strength, axis=1, kind="stable")[:, :count]
    taken = [np.take_along_axis(each, inputs[..., None, None], 1) for each in weights]
    alone = weights[0].shape[1] == 1
    return Filters(chosen, inputs, dict(zip(networks, taken, strict=True)), alone)
