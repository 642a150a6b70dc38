"""The device that a network runs on."""

import torch

from pulmo.core.errors import UsageError


def choose_device(name: str) -> torch.device:
    """Returns the device; `auto` takes a GPU if there is one.

    Raises:
        UsageError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise UsageError(
            "device-unknown", f"The device {name!r} is not available; choose auto, cpu or cuda."
        )
    return torch.device(name)
