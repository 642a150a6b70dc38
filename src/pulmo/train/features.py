"""What a frozen base gives for each image, computed once for all epochs of a stage."""

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.core.errors import InputError, InterruptedRunError
from pulmo.train.callbacks import Callbacks
from pulmo.train.engine import Engine, Features, images_of
from pulmo.train.loop import augmented


def base_features(engine: Engine, path: Path, callbacks: Callbacks) -> Features:
    """Runs the frozen base over a stage's images, or maps what it gave before.

    Each training image is seen in `stage.views` views, each augmented by its own draws; the
    validation images as they are.

    Args:
        engine: the stage's engine.
        path: the file of the features; it is of this very stage of this very run if it exists.
        callbacks: hear of the progress and may stop the run.

    Raises:
        InputError: the file cannot be written.
        InterruptedRunError: the caller asked to stop.
    """
    views, train, val = engine.stage.views, len(engine.data.train), len(engine.data.val)
    if not path.exists():
        _write(path, _parts(engine), views * train + val, callbacks)
    memory = np.lib.format.open_memmap(path, mode="r")
    return Features(
        memory[: views * train].reshape(views, train, *memory.shape[1:]), memory[views * train :]
    )


def _parts(engine: Engine) -> Iterator[NDArray[np.float32]]:
    """Yields the features of the views of the training images, then of the validation ones."""
    section, material = engine.recipe.train, engine.data
    engine.classifier.eval()
    for view in range(engine.stage.views):
        for number, positions in enumerate(_batches(len(material.train), section.batch)):
            # A third number keeps these draws apart from those of the steps.
            sequence = np.random.SeedSequence([section.seed, view, number, 1])
            seed = int(sequence.generate_state(1, np.uint64)[0]) >> 1
            images = augmented(engine, positions, np.arange(len(positions)), seed)
            yield _pooled(engine, images, bfloat16=engine.bfloat16)
    for positions in _batches(len(material.val), section.batch):
        images = images_of(engine, material.val[positions])
        yield _pooled(engine, images, bfloat16=False)


def _batches(count: int, size: int) -> list[NDArray[np.intp]]:
    return np.array_split(np.arange(count), -(-count // size))


def _pooled(engine: Engine, images: Tensor, *, bfloat16: bool) -> NDArray[np.float32]:
    """Returns what the head reads of a batch of images, float32 [n, ...]."""
    classifier = engine.classifier
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), torch.autocast(engine.device.type, torch.bfloat16, enabled=bfloat16):
        pooled = classifier.head.pool(classifier.features(images))
    return pooled.float().cpu().numpy()


def _write(
    path: Path, parts: Iterator[NDArray[np.float32]], count: int, callbacks: Callbacks
) -> None:
    """Writes a NumPy file of `count` rows. A stream: a map over a full disk would kill it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    done = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            for part in parts:
                if not done:
                    shape = (count, *part.shape[1:])
                    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(file, header)
                file.write(np.ascontiguousarray(part).tobytes())
                done += len(part)
                callbacks.on_features(done, count)
                if callbacks.should_stop():
                    raise InterruptedRunError(
                        "training-stopped",
                        "Stopped while the features of the frozen base were computed.",
                    )
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            "file-not-written", f"{path} could not be written: {error.strerror or error}."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
