"""Head: feature maps become logits, and class activation maps in closed form."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, logsigmoid

from pulmo.core.errors import UsageError
from pulmo.core.sections import ModelSection
from pulmo.models.heads import HEADS

# An ONNX file holds at most 2 GiB, which are so many weights in float32.
_WEIGHT_LIMIT: Final = 2**29


class Hierarchy(nn.Module):
    """Log-probabilities of classes by two decisions: is it the last class, and which other is it.

    It reads [n, classes]: scores of all classes but the last, and the logit of the last one.
    """

    def forward(self, read: Tensor) -> Tensor:
        """Returns log-probabilities [n, classes], which are logits too."""
        kinds, last = read[:, :-1].log_softmax(dim=1), read[:, -1:]
        return torch.cat([logsigmoid(-last) + kinds, logsigmoid(last)], dim=1)

    def derivative(self, read: Tensor) -> Tensor:
        """Returns the derivative of `forward` by what it reads, [n, classes, classes]."""
        kinds, last = read[:, :-1].softmax(dim=1), read[:, -1:].sigmoid()
        among = torch.eye(kinds.shape[1], dtype=read.dtype) - kinds[:, None]
        by_last = -last[:, None].expand(-1, kinds.shape[1], -1)
        of_last = torch.cat([torch.zeros_like(kinds), 1 - last], dim=1)
        return torch.cat([torch.cat([among, by_last], dim=2), of_last[:, None]], dim=1)


class Head(nn.Module):
    """Layers in a row that read feature maps and classify them.

    It knows how each map moves each logit, for the kinds of layers that `gradient` lists.
    """

    def __init__(self, layers: Mapping[str, nn.Module], *, flat: bool) -> None:
        """Makes a head of `layers`, each under its name; linear is the last or a `Hierarchy`'s.

        Args:
            layers: name -> layer, in their order.
            flat: read every position of every map, and so take maps of one size only; else the
                mean of each map.
        """
        super().__init__()
        self.flat = flat
        for name, layer in layers.items():
            self.add_module(name, layer)

    def pool(self, maps: Tensor) -> Tensor:
        """Returns what the layers read of maps [n, channels, rows, columns]: [n, width]."""
        return maps.flatten(1) if self.flat else maps.mean(dim=(2, 3))

    def logits(self, read: Tensor) -> Tensor:
        """Returns logits [n, classes] of what `pool` gave, [n, width]."""
        for layer in self.children():
            read = layer(read)
        return read

    def forward(self, maps: Tensor) -> Tensor:
        """Returns logits [n, classes] of feature maps [n, channels, rows, columns]."""
        return self.logits(self.pool(maps))

    def explained(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what `forward` and `activation` give of maps [n, channels, rows, columns].

        A hidden layer over all positions has so many weights that reading them takes most of the
        time. Here they are read once: what each position adds to each hidden unit gives, summed
        over the positions, the hidden units, and, summed over the units by their gradients, the
        map. The sums are the same but for rounding. It is for ONNX Runtime, which orders the
        weights once, when it opens a network; torch would do so at each call.
        """
        layers = [layer for layer in self.children() if not isinstance(layer, nn.Dropout)]
        first, *others = layers
        if not (self.flat and others and isinstance(first, nn.Linear)):
            return self(maps), self.activation(maps)
        count, (rows, columns) = maps.shape[0], maps.shape[2:]
        weight = first.weight.reshape(first.out_features, -1, rows * columns).permute(2, 1, 0)
        parts = maps.flatten(2).permute(2, 0, 1) @ weight  # [positions, n, units]
        read = parts.sum(dim=0) + first.bias
        gradient, logits = _chain(others, read)
        activation = (parts.transpose(0, 1) @ gradient.transpose(1, 2)).transpose(1, 2)
        shape = (count, -1, rows, columns)
        return logits, activation.reshape(shape) * (rows * columns)

    def gradient(self, read: Tensor) -> Tensor:
        """Returns the derivative of each logit by what `pool` gave, [n, classes, width].

        It is that of evaluation mode, by the chain rule from the last layer to the first.

        Raises:
            TypeError: a layer is not linear, ReLU, batch normalisation or dropout.
        """
        return _chain(list(self.children()), read)[0].expand(read.shape[0], -1, -1)

    def activation(self, maps: Tensor) -> Tensor:
        """Returns the class activation maps [n, classes, rows, columns], in units of the logit.

        With every head these are the products of the maps and the logit's gradient by them, summed
        over the channels (HiResCAM, Draelos and Carin 2020), times the number of positions. So a
        map's mean is what the features add to the logit, to first order; for a linear layer that
        is exact but for the bias.

        Where the head pools, the gradient is the derivative by the pooled feature, spread evenly,
        and this is Grad-CAM before its ReLU (Selvaraju et al. 2017, equations 1 and 2); for a
        linear head it is CAM (Zhou et al. 2016).
        """
        if not self.flat:
            return torch.einsum("nkc,nchw->nkhw", self.gradient(self.pool(maps)), maps)
        gradient, _ = _chain(list(self.children()), self.pool(maps))
        gradient = gradient.reshape(*gradient.shape[:2], *maps.shape[1:])
        positions = maps.shape[2] * maps.shape[3]
        # ONNX Runtime makes of an einsum one matrix product a position, which takes far longer.
        return (gradient * maps[:, None]).sum(dim=2) * positions


def _chain(layers: Sequence[nn.Module], read: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the derivative of what layers give by what they read, and what they give.

    The derivative is [1, classes, width] where it is the same whatever they read, else [n, ...].
    """
    *hidden, last = layers
    inputs = []
    for layer in hidden:
        inputs.append(read)
        read = _evaluated(layer, read)
    if isinstance(last, Hierarchy):
        gradient = last.derivative(read)
    else:
        # The last layer is linear, so its weights are the derivative by what it reads.
        gradient = last.get_parameter("weight")[None]
    for layer, given in zip(reversed(hidden), reversed(inputs), strict=True):
        gradient = _through(layer, given, gradient)
    return gradient, _evaluated(last, read)


def _evaluated(layer: nn.Module, read: Tensor) -> Tensor:
    """Returns what a layer gives in evaluation mode, whatever its mode is."""
    if isinstance(layer, nn.Dropout):
        return read
    if isinstance(layer, nn.BatchNorm1d):
        return batch_norm(
            read, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps
        )
    result: Tensor = layer(read)
    return result


def _through(layer: nn.Module, read: Tensor, gradient: Tensor) -> Tensor:
    """Returns the derivative by what a layer reads, of that by what it gives [n, classes, ...]."""
    if isinstance(layer, nn.Linear):
        return gradient @ layer.weight
    if isinstance(layer, nn.ReLU):
        return gradient * (read > 0).to(read.dtype)[:, None]
    if isinstance(layer, nn.BatchNorm1d):
        deviation = layer.get_buffer("running_var").add(layer.eps).sqrt()
        return gradient * (layer.weight / deviation)
    if isinstance(layer, nn.Dropout):
        return gradient
    raise TypeError(f"The derivative of a {type(layer).__name__} is not known to Head.")


def make_head(section: ModelSection, maps: tuple[int, int, int], classes: int) -> Head:
    """Makes the head of a recipe.

    Args:
        section: the recipe's model.
        maps: channels, rows and columns of the feature maps.
        classes: number of classes.

    Raises:
        UsageError: the head would have more weights than a bundle can hold.
    """
    kind = HEADS.chosen(section.head)
    with torch.device("meta"):
        weights = sum(weight.numel() for weight in kind.make(maps, classes).parameters())
    if weights > _WEIGHT_LIMIT:
        raise UsageError(
            "head-too-large",
            f"The head {kind.name!r} over feature maps {list(maps)} would have {weights:,} "
            f"weights, but a bundle holds at most {_WEIGHT_LIMIT:,}. Choose smaller images "
            '(image.size), fewer hidden units, or a head that pools, such as "linear".',
        )
    return kind.make(maps, classes)
