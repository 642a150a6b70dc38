"""A screening on Ray Data: parts of the list are spread over the machines of a cluster.

Only the numbers of the parts are sent. The list, the images, the model and the results are files
that every machine must see under the same path. A part whose machine dies is done by another.
"""

import logging
from collections.abc import Generator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from pulmo.core.errors import PulmoError
from pulmo.core.folders import ScreeningFolder
from pulmo.core.ray_session import ray_session
from pulmo.workflows.model import Model
from pulmo.workflows.options.screening import ScreenOptions
from pulmo.workflows.screen_file import open_bundle, screeners
from pulmo.workflows.screen_list import Part

_BLOCKS: Final = 10_000
"""Most blocks of parts; Ray keeps track of each."""


class PartScreener:
    """What works on parts, one after the other, in a worker of Ray.

    Args:
        bundle: the model's folder or file.
        sha256: of its `model.onnx`.
        root: the folder of the screening.
        seconds: that a file may take.
    """

    def __init__(self, bundle: str, sha256: str, root: str, seconds: float) -> None:
        self._model = open_bundle(Path(bundle), sha256)
        self._folder = ScreeningFolder(Path(root))
        # A file that crashes a decoder must not take the worker of Ray with it.
        self._pool = screeners(self._model, 1, seconds)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Writes the results of a part, unless they are there; returns how many files it has."""
        from pulmo.workflows.screen import screen_parts

        part = Part(row["number"], row["offset"], row["rows"])
        if not self._folder.part(part.number).exists():
            for _ in screen_parts(self._model, self._folder, [part], self._pool):
                pass
        return {"rows": part.rows}


def screen_on_ray(
    model: Model, folder: ScreeningFolder, parts: Sequence[Part], options: ScreenOptions
) -> Generator[int, None, None]:
    """Writes the results of parts of a list on a cluster; yields how many more files are done.

    Args:
        model: the bundle.
        folder: of the screening.
        parts: what is to be done.
        options: the address, and the seconds that a file may take.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be joined.
        PulmoError: its workers died.
    """
    if not parts:
        return
    with ray_session(options.ray or "") as ray:
        data = import_module("ray.data")
        # What Ray Data reports of its plans is no result of a screening.
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        context = data.DataContext.get_current()
        context.enable_progress_bars = False
        cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
        given = {
            "bundle": str(model.path.absolute()),
            "sha256": model.predictor.sha256,
            "root": str(folder.root.absolute()),
            "seconds": options.timeout,
        }
        rows = data.from_items(
            [part._asdict() for part in parts], override_num_blocks=min(len(parts), _BLOCKS)
        ).map(
            PartScreener,
            fn_constructor_kwargs=given,
            concurrency=(1, min(options.workers or cpus, cpus, len(parts))),
            num_cpus=1,
        )
        try:
            for row in rows.iter_rows():
                yield int(row["rows"])
        except ray.exceptions.RayTaskError as error:
            raise (error.cause if isinstance(error.cause, PulmoError) else error) from None
        except ray.exceptions.RayError as error:
            raise PulmoError(
                "ray-workers-died",
                f"The workers that did the screening in {folder.root} died, the last with: "
                f"{error}. Perhaps the memory is too small. The parts that are done are kept.",
            ) from error
