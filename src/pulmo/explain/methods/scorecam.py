"""Score-CAM."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.explain.asking import Counter, batches, hide
from pulmo.explain.cam import LayerMethod, trained_network
from pulmo.explain.methods import METHODS, Maps, Pixels, Report


@METHODS.register("scorecam")
class ScoreCam(LayerMethod):
    """Feature maps weighted by the logit of the image seen through each (Wang et al. 2020).

    Each map of a layer is enlarged to the image and brought to [0, 1]; the image is multiplied by
    it, and f, the logit of the class, is its score (algorithm 1). The map is
    ReLU(sum_k a_k A_k), where a is the softmax of the scores over the maps. The score of a black
    image, which the paper subtracts from each, changes no softmax. A feature map that is even masks
    nothing and has no weight. The network is asked once a channel.
    """

    title = "Score-CAM"
    unit = "arbitrary unit"
    reading = "A value compares places of one image and has no unit."

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps, one image after the other."""
        from pulmo.explain.layers import activations

        trained = trained_network(model)
        layer = trained.layer(self.layer)
        found, counter = [], None
        for image, label in zip(images, classes, strict=True):
            maps = activations(trained, layer, image[None], np.array([label])).maps[0]
            counter = counter or Counter(len(images) * len(maps), on_progress)
            scores = _scores(model, image, maps, int(label), counter)
            weights = softmax(scores) if np.isfinite(scores).any() else np.zeros_like(scores)
            found.append(np.maximum(np.einsum("k,kij->ij", weights, maps), 0))
        return Maps(np.stack(found).astype(np.float32), layer)


def _scores(
    model: ImagePredictor, image: Pixels, maps: NDArray[np.float32], label: int, counter: Counter
) -> NDArray[np.float64]:
    """Returns the logit of the image seen through each map; -inf for a map that is even."""
    low, high = maps.min(axis=(1, 2)), maps.max(axis=(1, 2))
    scores = np.full(len(maps), -np.inf)
    for numbers in batches(len(maps)):
        uneven = numbers[high[numbers] > low[numbers]]
        if len(uneven):
            masks = np.stack([_enlarged(maps[number], len(image)) for number in uneven])
            scores[uneven] = model.run(hide(image, masks, 0.0)).logits[:, label]
        counter.add(len(numbers))
    return scores


def _enlarged(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Returns a map enlarged to the image's side and brought to [0, 1]."""
    large = cv2.resize(values, (size, size), interpolation=cv2.INTER_LINEAR)
    low, high = float(large.min()), float(large.max())
    shown: NDArray[np.float32] = (large - low) / max(high - low, 1e-12)
    return shown
