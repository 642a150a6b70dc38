"""How a published system is reproduced, and the progress of reading its data sets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pulmo.datasets.curate import CurationProgress


@dataclass(frozen=True)
class ReproduceOptions:
    """How a system is reproduced.

    Attributes:
        only: the names of the experiments to run; none stands for all.
        quick: whether to take each recipe's own cheaper variant.
        weights: a folder of ImageNet weights; None if there is none.
        settings: changes to every recipe, as `load_recipe` takes them.
        device: auto, cpu or cuda.
        from_scratch: whether a network without a file in that folder starts from random weights,
            by each recipe's own variant for that.
        threads: threads of torch; 0 leaves them as they are.
    """

    only: Sequence[str] = ()
    quick: bool = False
    weights: Path | None = None
    settings: Sequence[str] = ()
    device: str = "auto"
    from_scratch: bool = False
    threads: int = 0


@dataclass(frozen=True)
class ReadingProgress:
    """The functions that are called while data sets are read, with what is done and what is to do.

    Attributes:
        on_import: called for each image that is imported.
        curation: called for the search for copies.
    """

    on_import: Callable[[int, int], None] | None = None
    curation: CurationProgress | None = None
