"""What a run was computed on, for `env.json`."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version

import torch

from pulmo.train.loop import Engine

_PACKAGES = ("pulmo", "torch", "torchvision", "timm", "numpy", "pandas", "pillow", "pydicom")


def describe_machine(engine: Engine) -> str:
    """Returns JSON: versions, processor, device, threads and precision of a run."""
    device = engine.device
    return json.dumps(
        {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in _PACKAGES},
            "system": platform.platform(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "threads": torch.get_num_threads(),
            "precision": "bf16" if engine.bfloat16 else "fp32",
        },
        indent=2,
    )
