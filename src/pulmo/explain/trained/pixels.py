"""Gradients by the pixels of an image, which captum computes."""

from typing import NamedTuple

import numpy as np
import torch
from captum.attr import IntegratedGradients, NoiseTunnel, Saliency
from numpy.typing import NDArray
from torch import Tensor

from pulmo.explain.layers import at_rest
from pulmo.explain.trained.network import TrainedNetwork
from pulmo.models.randomness import seeded


class Noise(NamedTuple):
    """Noisy copies of an image.

    Attributes:
        share: deviation of the noise, as a share of the range of the image's grey values.
        samples: number of copies.
        seed: of the noise.
    """

    share: float
    samples: int
    seed: int


def integrated_gradients(
    model: TrainedNetwork, image: NDArray[np.uint8], label: int, baseline: float, steps: int
) -> NDArray[np.float32]:
    """Returns the integrated gradients of a logit by the pixels, [size, size].

    Args:
        model: the network.
        image: uint8 [size, size].
        label: number of the class.
        baseline: grey value in [0, 1] of the even image that the way begins at.
        steps: gradients along the way.
    """
    given = model.images(image[None]).requires_grad_()
    with at_rest(model.classifier):
        found = IntegratedGradients(model.classifier).attribute(
            given, baseline, target=label, n_steps=steps, internal_batch_size=model.batch
        )
    return _array(found)


def smooth_gradient(
    model: TrainedNetwork, image: NDArray[np.uint8], label: int, noise: Noise
) -> NDArray[np.float32]:
    """Returns the mean gradient of a logit by the pixels of noisy copies, [size, size].

    Args:
        model: the network.
        image: uint8 [size, size].
        label: number of the class.
        noise: the copies.
    """
    given = model.images(image[None]).requires_grad_()
    # captum refuses a deviation of 0, which an even image would have.
    deviation = max(noise.share * int(np.ptp(image)) / 255, 1e-6)
    with at_rest(model.classifier), seeded(noise.seed):
        found = NoiseTunnel(Saliency(model.classifier)).attribute(
            given,
            nt_type="smoothgrad",
            nt_samples=noise.samples,
            nt_samples_batch_size=model.batch,
            stdevs=deviation,
            target=label,
            abs=False,
        )
    return _array(found)


def _array(found: Tensor) -> NDArray[np.float32]:
    values: NDArray[np.float32] = found.detach().to(torch.float32).cpu().numpy()[0, 0]
    return values
