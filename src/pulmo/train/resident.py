"""Resident pictures: on a GPU that has room for them, all pictures lie there from the start.

A step then takes its batch by an index, and neither a disk nor the bus between processor and GPU is
waited for.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from pulmo.datasets.cache import Pictures

ROOM: Final = 0.5
"""Part of the free memory that pictures may take; the rest is for the network and its gradients."""

_CHUNK: Final = 1024


def resident_pictures(pictures: Pictures, device: torch.device) -> Tensor | None:
    """Returns uint8 [n, size, size] in a GPU's memory.

    None on a processor, where the cache is mapped into memory as it is, and where there is no room.
    """
    if device.type != "cuda":
        return None
    size = pictures.shards[0].shape[1]
    free, _ = torch.cuda.mem_get_info(device)
    if len(pictures.shard) * size * size > ROOM * free:
        return None
    return load_pictures(pictures, device)


def load_pictures(pictures: Pictures, device: torch.device) -> Tensor:
    """Copies all pictures to a device, uint8 [n, size, size], a part at a time."""
    count, size = len(pictures.shard), pictures.shards[0].shape[1]
    held = torch.empty((count, size, size), dtype=torch.uint8, device=device)
    for start in range(0, count, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, count))
        held[start : start + len(rows)] = torch.from_numpy(pictures.take(rows)).to(device)
    return held
