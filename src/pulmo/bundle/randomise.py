"""Randomise: a bundle's network with the same numbers in its weights, in another order.

It needs the package onnx, which comes with `pulmo[train]`; a prediction does without.
"""

import numpy as np

from pulmo.bundle.predictor import Predictor


def randomised(predictor: Predictor, generator: np.random.Generator) -> Predictor:
    """Returns a bundle whose network has forgotten everything.

    The numbers of each tensor of weights are shuffled, so that its mean and its deviation, and the
    sign of a variance, are what they were (the model parameter randomisation test of Adebayo et
    al. 2018, for all layers at once).

    Args:
        predictor: the bundle, which stays as it is.
        generator: source of randomness.

    Raises:
        ModuleNotFoundError: the package onnx is not installed.
    """
    # The base install has no onnx, and all else of the audit does without.
    import onnx  # noqa: PLC0415 - see above

    from pulmo.models.stored_weights import widen  # noqa: PLC0415 - see above

    network = onnx.load_model_from_string(predictor.model)
    widen(network)
    for weights in network.graph.initializer:
        values = onnx.numpy_helper.to_array(weights)
        if np.issubdtype(values.dtype, np.floating):
            shuffled = generator.permutation(values.ravel()).reshape(values.shape)
            weights.CopyFrom(onnx.numpy_helper.from_array(shuffled, weights.name))
    return Predictor(network.SerializeToString(), "The randomised network", predictor.threads)
