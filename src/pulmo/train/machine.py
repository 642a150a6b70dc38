"""What a run was computed on, for `env.json`."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from pulmo.core.files import read_bytes, write_atomically
from pulmo.train.engine import Engine

_PACKAGES = ("pulmo", "torch", "torchvision", "timm", "numpy", "pandas", "pillow", "pydicom")


def note_machine(engine: Engine, path: Path) -> None:
    """Adds versions, processor, device, threads and precision to a run's `env.json`.

    The file is a list: a run that was resumed, perhaps elsewhere, has an entry for each sitting.
    """
    device = engine.device
    sittings = json.loads(read_bytes(path)) if path.exists() else []
    sittings.append(
        {
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "packages": {name: version(name) for name in _PACKAGES},
            "system": platform.platform(),
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "threads": torch.get_num_threads(),
            "precision": "bf16" if engine.bfloat16 else "fp32",
        }
    )
    write_atomically(path, json.dumps(sittings, indent=2).encode())
