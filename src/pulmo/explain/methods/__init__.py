"""The methods that make heat maps, one registered class each; `METHODS` reads this folder.

A method asks a model about images and gives a map of each. To add one, put a file with a registered
class into this folder: its fields are its parameters, in Python and in `pulmo explain`, and the
contract tests and the audit's check `explanations` read the registry.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.choices import Choice, Choices
from pulmo.core.errors import InputError, UsageError

Pixels = NDArray[np.uint8]
"""Images as a network takes them, uint8 [n, size, size]."""

Report = Callable[[int, int], None]
"""Called with how many images the network has been given, and how many it will be given."""


def report_nothing(_done: int, _total: int) -> None:
    """Reports nothing."""


class Maps(NamedTuple):
    """The maps of some images.

    Attributes:
        values: float32 [n, rows, columns] over the input square, in the method's unit; above 0
            is evidence for the class.
        layer: the layer of the network that they are made from; None if of none in particular.
    """

    values: NDArray[np.float32]
    layer: str | None = None


class Method(Choice, ABC):
    """A way to tell where on an image a class's evidence lies."""

    title: ClassVar[str]
    """What people call it."""
    unit: ClassVar[str]
    """The unit of its values."""
    reading: ClassVar[str]
    """A sentence that says what a value is."""
    of_class: ClassVar[bool] = True
    """Whether a map belongs to one class; else all classes share it."""

    @property
    def needs_run(self) -> bool:
        """Whether it needs the network as torch has it, which a run keeps and a bundle does not."""
        return False

    @property
    def in_graph(self) -> bool:
        """Whether a bundle computes its map with every result, on the scale of the card."""
        return False

    @classmethod
    def quick(cls) -> Self:
        """Returns the method with few samples, for a check of many maps."""
        return cls()

    def grain(self, rows: int, columns: int) -> str:
        """Returns a sentence on what a map of so many rows and columns can tell apart."""
        return f"The map has {rows} x {columns} values; between them it is drawn smoothly."

    def maps(
        self,
        model: ImagePredictor,
        images: Pixels,
        classes: NDArray[np.intp],
        on_progress: Report = report_nothing,
    ) -> Maps:
        """Returns the map of each image; it does not depend on the other images.

        Args:
            model: a bundle, or for all methods a run (`pulmo.explain.trained`).
            images: uint8 [n, size, size], one or more, as `ImagePredictor.to_input` gives them.
            classes: the number of each image's class in the order of the labels, [n].
            on_progress: called while it works.

        Raises:
            UsageError: the model cannot serve the method, or has no such layer.
            InputError: the network gave a value that is not a number.
        """
        self.check(model)
        found = self.find(model, images, classes, on_progress)
        if not np.isfinite(found.values).all():
            raise InputError(
                "activation-map-not-finite",
                f"{self.title} gave values that are not finite, so the network is damaged.",
            )
        return found._replace(values=np.asarray(found.values, np.float32))

    def check(self, model: ImagePredictor) -> None:
        """Checks, before any image is read, that a model can serve the method.

        Raises:
            UsageError: it cannot; the message says which methods it serves. Or it has no such
                layer, or none that the method can read.
        """
        if not serves(model, self):
            served = [name for name, kind in METHODS.items() if not kind.quick().needs_run]
            raise UsageError(
                "method-needs-run",
                f"{self} looks inside the network, and a bundle does not let it. The run that the "
                f"bundle was exported from serves every method; a bundle serves "
                f"{', '.join(served)}, and no named layer.",
            )

    @abstractmethod
    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Does what `maps` does, without its checks."""


METHODS: Final = Choices[Method]("method", "pulmo.explain.methods")

GRAPH: Final = "hirescam"
"""The method whose map is in a bundle's graph."""


def read_method(given: object) -> Method:
    """Returns a method.

    Args:
        given: its name, a table of its name (`name`) and its parameters, or a method.

    Raises:
        UsageError: there is no such method, or a parameter is unknown or has a bad value.
    """
    try:
        return METHODS.read(given, GRAPH)
    except PydanticCustomError as error:
        raise UsageError("method-unknown", error.message()) from None
    except ValidationError as error:
        problems = "; ".join(_worded(problem) for problem in error.errors())
        raise UsageError(
            "method-parameter-invalid", f"The method cannot have these parameters: {problems}."
        ) from None


def serves(model: ImagePredictor, method: Method) -> bool:
    """Tells whether a model can serve a method."""
    return not method.needs_run or hasattr(model, "classifier")


def _worded(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    place = ".".join(str(part) for part in problem["loc"])
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason
