"""The network in evaluation mode over some pictures."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.core.errors import DivergedError
from pulmo.train.engine import Engine


def films_of(engine: Engine, rows: NDArray[np.intp]) -> Tensor:
    """Returns float [n, 1, size, size] in [0, 1], the films of rows of the material."""
    if engine.resident is not None:
        return engine.resident[torch.from_numpy(rows).to(engine.device), None].float() / 255
    pictures = torch.from_numpy(engine.material.pictures.take(rows)[:, None])
    return pictures.to(engine.device).float() / 255


def infer(
    engine: Engine, rows: NDArray[np.intp]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Runs the network in evaluation mode, in float32, on some rows, a batch at a time.

    Yields:
        Logits float32 [n, classes] and class activation maps float32 [n, classes, rows, columns].

    Raises:
        DivergedError: a logit is not a finite number.
    """
    network = engine.judged.eval()
    parts = -(-len(rows) // engine.recipe.train.batch)
    # TensorFloat-32 would differ from the bundle in the third digit.
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for batch in np.array_split(rows, parts):
            films = films_of(engine, batch)
            logits, maps = (part.cpu().numpy() for part in network.explain(films))
            check_finite(logits, "network's result on a validation picture")
            yield logits, maps


def check_finite(values: NDArray[np.floating], what: str) -> None:
    """Checks that all values are numbers; `what` is what the message calls them.

    Raises:
        DivergedError: one is not.
    """
    if not np.isfinite(values).all():
        raise DivergedError(
            f"The {what} is not a finite number; the learning rate may be too high: try "
            "--set train.lr=..."
        )
