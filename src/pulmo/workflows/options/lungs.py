"""Options of a training of the network that finds the lungs."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulmo.core.flags import PYTHON_ONLY, flag

if TYPE_CHECKING:
    from pulmo.train.lungs.settings import LungSettings


@dataclass(frozen=True)
class LungTrainOptions:
    """How a network of the lungs is trained.

    Attributes:
        epochs: how many epochs. Default: 80, or those of the training to resume.
        seed: seed of the random draws. Default: 0, or that of the training to resume.
        threads: threads of torch; 0 leaves the number to torch, which takes all cores.
        resume: continue what the folder contains, with its own settings and images.
        settings: all other settings; None for the usual ones, or those of the folder.
    """

    epochs: int | None = field(default=None, metadata=flag(least=1))
    seed: int | None = field(default=None, metadata=flag(least=0))
    threads: int = field(default=0, metadata=flag(least=0))
    resume: bool = False
    settings: "LungSettings | None" = field(default=None, metadata=PYTHON_ONLY)
