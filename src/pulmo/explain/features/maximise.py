"""Activation maximisation: an input to which a channel responds as much as it can (Olah 2017)."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from pulmo.core.errors import InputError
from pulmo.explain.features.shown import Maximised
from pulmo.explain.layers import at_rest, hooked
from pulmo.models.classifier import Classifier

_RATE: Final = 0.1
_NEGATIVE: Final = 0.1
_CONTRAST: Final = 0.25
"""Largest deviation of the grey values, so that few of them are cut off at black and white."""
_JITTER: Final = 16
"""The image is moved before each step by up to a side over this, so that it fits no pixel grid."""


class Ascent(NamedTuple):
    """How inputs are fitted.

    Attributes:
        steps: steps of gradient ascent, 1 or more.
        seed: of the first images and the jitter.
    """

    steps: int = 24
    seed: int = 0


DEFAULTS: Final = Ascent()


def maximising_inputs(
    classifier: Classifier,
    layer: str,
    channels: Sequence[int],
    size: int,
    ascent: Ascent = DEFAULTS,
) -> list[Maximised]:
    """Fits an input to each of some channels of a layer, all at once, from the same first image.

    The image is the inverse Fourier transform of what is fitted, each frequency weighed by its
    inverse, so that coarse structure comes first; it is moved at random before each step; Adam
    climbs the channel's response (Olah, Mordvintsev and Schubert 2017, "Feature Visualization").
    The image's mean and deviation are those of the network's normalisation, so that a pattern is
    found and not an even black or white; grey values stay within [0, 1].

    Args:
        classifier: the network; it is left as it was.
        layer: the name of one of its layers.
        channels: numbers of channels of that layer.
        size: side of the input in pixels.
        ascent: how many steps are taken, and from where.

    Raises:
        InputError: a response is not a finite number.
    """
    device = classifier.mean.device
    generator = torch.Generator().manual_seed(ascent.seed)
    draw = torch.randn(1, size, size // 2 + 1, 2, generator=generator)
    spectrum = draw.repeat(len(channels), 1, 1, 1).to(device).requires_grad_()
    scale = _inverse_frequency(size).to(device)
    grey = float(classifier.mean), min(float(classifier.std), _CONTRAST)
    draw_image = partial(_image, spectrum, scale, grey)
    optimiser = torch.optim.Adam([spectrum], lr=_RATE)
    responses = _responses(classifier, layer, channels)
    with at_rest(classifier), torch.enable_grad():
        before = responses(draw_image()).detach()
        for _ in range(ascent.steps):
            shifts = torch.randint(
                -(size // _JITTER), size // _JITTER + 1, (2,), generator=generator
            )
            image = draw_image().roll(tuple(shifts.tolist()), dims=(2, 3))
            (spectrum.grad,) = torch.autograd.grad(-responses(image).sum(), [spectrum])
            optimiser.step()
        final = (draw_image().detach() * 255).round()
        after = responses(final / 255).detach()
    if not torch.isfinite(after).all():
        raise InputError(
            "layer-not-finite",
            f"The response of the layer {layer!r} to an input that was fitted to it is not a "
            "finite number.",
        )
    images = final[:, 0].to(torch.uint8).cpu().numpy()
    return list(map(Maximised, images, before.tolist(), after.tolist()))


def _responses(
    classifier: Classifier, layer: str, channels: Sequence[int]
) -> Callable[[Tensor], Tensor]:
    """Returns what gives the response of channel k to image k of [k, 1, size, size].

    It is the mean of the map, of whose negative values only a tenth counts: the mean of all values
    of a linear filter depends on no pattern, and without any negative value a channel that is
    silent at first would have no gradient.
    """
    places = torch.arange(len(channels)), torch.tensor(list(channels))

    def respond(images: Tensor) -> Tensor:
        maps = output_of(classifier, layer, lambda: classifier.features(images))
        return leaky_relu(maps[places], _NEGATIVE).mean(dim=(1, 2))

    return respond


def _inverse_frequency(size: int) -> Tensor:
    """Returns the weight of each frequency, [size, size // 2 + 1, 1]."""
    rows, columns = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
    frequency = torch.hypot(rows, columns).clamp(min=1 / size)
    return (1 / frequency)[..., None]


def _image(spectrum: Tensor, scale: Tensor, grey: tuple[float, float]) -> Tensor:
    """Returns images [k, 1, size, size] in [0, 1] of spectra [k, size, size // 2 + 1, 2].

    Args:
        spectrum: of each image.
        scale: the weight of each frequency.
        grey: the mean and the deviation of each image.
    """
    size = spectrum.shape[1]
    waves = torch.view_as_complex((spectrum * scale).contiguous())
    image = torch.fft.irfft2(waves, s=(size, size), norm="ortho")
    mean, deviation = image.mean(dim=(1, 2), keepdim=True), image.std(dim=(1, 2), keepdim=True)
    fitted: Tensor = grey[0] + grey[1] * (image - mean) / deviation
    return fitted.clamp(0, 1)[:, None]


class _Reached(Exception):  # noqa: N818 - no error, but the way out of a network's forward pass
    """The layer that is asked for has given its result."""


def output_of(network: nn.Module, name: str, run: Callable[[], object]) -> Tensor:
    """Returns what a named layer gives; the network runs no further than that.

    Args:
        network: names are those of its `named_modules`.
        name: a layer that the network runs; if it does so several times, the first one counts.
        run: runs the network.
    """
    found: list[Tensor] = []

    def leave(_name: str, _module: nn.Module, output: object) -> None:
        if isinstance(output, Tensor):
            found.append(output)
            raise _Reached

    with hooked(network, (name,), leave), suppress(_Reached):
        run()
    return found[0]
