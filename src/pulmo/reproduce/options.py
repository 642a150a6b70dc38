"""How a published system is reproduced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pulmo.core.flags import flag


@dataclass(frozen=True)
class ReproduceOptions:
    """How a system is reproduced.

    Attributes:
        only: a run of the system. Default: all runs.
        quick: take each recipe's cheaper variant.
        weights: a folder of ImageNet weights, NETWORK.safetensors. Default: timm's, downloaded.
        from_scratch: start a network without a file in that folder from random weights.
        settings: what to change in every recipe, such as train.lr=1e-3.
        device: where the networks run; auto takes a GPU if there is one.
        threads: threads of torch; 0 leaves the number to torch, which takes all cores.
    """

    only: Sequence[str] = field(default=(), metadata=flag(metavar="RUN"))
    quick: bool = False
    weights: Path | None = None
    from_scratch: bool = False
    settings: Sequence[str] = field(default=(), metadata=flag("--set", metavar="A.B=VALUE"))
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = field(default=0, metadata=flag(least=0))
