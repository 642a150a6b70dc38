"""Blur, JPEG artefacts and hidden rectangles, each film of a batch with its own strength."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


def blurred(films: Tensor, sigma: Tensor) -> Tensor:
    """Returns films blurred by a Gaussian; the edges are mirrored.

    Args:
        films: float [n, 1, h, w].
        sigma: float [n], the standard deviation in pixels; 0 leaves a film as it is.
    """
    count = films.shape[0]
    reach = min(int(torch.ceil(3 * sigma.max())), min(films.shape[2:]) - 1)
    offsets = torch.arange(-reach, reach + 1, device=films.device, dtype=films.dtype)
    # A deviation of nearly nothing gives all weight to the pixel itself.
    width = sigma.to(films.device).clamp(min=1e-3)[:, None]
    kernel = torch.softmax(-0.5 * (offsets / width) ** 2, dim=1)
    rows = functional.pad(films.transpose(0, 1), (reach, reach, reach, reach), mode="reflect")
    rows = functional.conv2d(rows, kernel.view(count, 1, 1, -1), groups=count)
    rows = functional.conv2d(rows, kernel.view(count, 1, -1, 1), groups=count)
    return rows.transpose(0, 1)


def compressed(films: Tensor, quality: Tensor) -> Tensor:
    """Returns films as JPEG gives them back.

    Args:
        films: float [n, 1, h, w] in [0, 1].
        quality: int [n], 1 to 100; 100 leaves a film as it is.
    """
    stored = (films[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
    back = np.stack([_jpeg(film, int(level)) for film, level in zip(stored, quality, strict=True)])
    lossy = torch.from_numpy(back)[:, None].to(films) / 255
    return torch.where(quality.eq(100).to(films.device).view(-1, 1, 1, 1), films, lossy)


def _jpeg(film: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Returns a film uint8 [h, w] as JPEG of a quality gives it back."""
    _, file = cv2.imencode(".jpg", film, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)


def erased(films: Tensor, boxes: Tensor) -> Tensor:
    """Returns films with a rectangle of each hidden by the film's mean grey.

    Args:
        films: float [n, 1, h, w].
        boxes: float [n, 4], the left, upper, right and lower edge, in fractions of the side.
    """
    left, top, right, bottom = boxes.to(films.device).T[..., None, None]
    rows = (torch.arange(films.shape[2], device=films.device) + 0.5)[:, None] / films.shape[2]
    columns = (torch.arange(films.shape[3], device=films.device) + 0.5)[None] / films.shape[3]
    hidden = (rows > top) & (rows < bottom) & (columns > left) & (columns < right)
    return torch.where(hidden[:, None], films.mean(dim=(1, 2, 3), keepdim=True), films)
