"""Options of all that trains: which recipe, on which device, how often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pulmo.core.flags import flag


@dataclass(frozen=True)
class RecipeOptions:
    """Changes to a recipe.

    Attributes:
        settings: what to change in the recipe, such as train.lr=1e-3.
        quick: take the recipe's cheaper variant.
        from_scratch: start from random weights, with the recipe's variant for that.
    """

    settings: Sequence[str] = field(default=(), metadata=flag("--set", metavar="A.B=VALUE"))
    quick: bool = False
    from_scratch: bool = False


@dataclass(frozen=True)
class DeviceOptions(RecipeOptions):
    """Changes to a recipe, and where its network runs.

    Attributes:
        device: where the network runs; auto takes a GPU if there is one.
        threads: threads of torch; 0 leaves the number to torch, which takes all cores.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = field(default=0, metadata=flag(least=0))


@dataclass(frozen=True)
class TrainOptions(DeviceOptions):
    """How a recipe is trained.

    Attributes:
        resume: continue what the folder contains, with its own recipe, settings and images.
    """

    resume: bool = False


@dataclass(frozen=True)
class ClusterOptions(TrainOptions):
    """How many runs are trained.

    Attributes:
        ray: spread the runs over the Ray cluster at this address, host:port; `auto` is that of
            $RAY_ADDRESS, `local` a new one on this machine. Default: this machine, without Ray.
    """

    ray: str | None = field(default=None, metadata=flag(metavar="ADDRESS"))


@dataclass(frozen=True)
class RepeatOptions(ClusterOptions):
    """How a recipe is trained many times.

    Attributes:
        folds: hold out each fold of the manifest once.
        seeds: how many seeds to train with, counted up from the recipe's own.
    """

    folds: bool = False
    seeds: int = field(default=1, metadata=flag(least=1))


@dataclass(frozen=True)
class SearchOptions(ClusterOptions):
    """How better values of a recipe are searched for.

    Attributes:
        space: the TOML file of what to try, with lines such as "section.key" = {low, high, log} or
            {choices}. Default: that of the search to resume.
        trials: how many trials to finish in all, with those before a resumption.
        minutes: minutes after which no trial begins. Default: no limit.
        seed: seed of the values that are tried. Default: 0, or that of the search to resume.
        pruner: what ends poor trials early. Default: median, or that of the search to resume.
    """

    space: Path | None = None
    trials: int = field(default=20, metadata=flag(least=1))
    minutes: float | None = field(default=None, metadata=flag("--timeout", metavar="MIN"))
    seed: int | None = field(default=None, metadata=flag(least=0))
    pruner: Literal["median", "hyperband", "none"] | None = None


@dataclass(frozen=True)
class LrFindOptions(DeviceOptions):
    """How the learning rate is raised.

    Attributes:
        start: the first learning rate, above 0.
        end: the last learning rate.
        steps: training steps between them.
    """

    start: float = field(default=1e-7, metadata=flag("--from"))
    end: float = field(default=1.0, metadata=flag("--to"))
    steps: int = field(default=200, metadata=flag(least=20))


@dataclass(frozen=True)
class BenchOptions(DeviceOptions):
    """What is measured.

    Attributes:
        steps: training steps of one measurement.
        rounds: repetitions of each measurement; the median counts.
        precisions: measure fp32 and bf16, and whether bf16 is faster.
        bound: measure how fast this machine multiplies matrices, which bounds the speed.
    """

    steps: int = field(default=8, metadata=flag(least=1))
    rounds: int = field(default=5, metadata=flag(least=1))
    precisions: bool = False
    bound: bool = False


@dataclass(frozen=True)
class Vgg16Options:
    """What the flags of a published script say.

    Attributes:
        plot: the PNG file of the learning curves; one that exists is replaced.
        model: the folder of the model, which must be new.
        learning: the first learning rate.
        epochs: how many epochs.
        batch: images of a step.
        weights: a safetensors file of ImageNet weights of VGG16. Default: timm's, downloaded.
        from_scratch: start from random weights; all layers learn then.
    """

    plot: Path = field(default=Path("plot.png"), metadata=flag("--plot", "-p"))
    model: Path = field(default=Path("covid19.model"), metadata=flag("--model", "-m"))
    learning: float = field(default=1e-3, metadata=flag("--learning", "-lr"))
    epochs: int = field(default=25, metadata=flag("--epoch", "-e", least=1))
    batch: int = field(default=8, metadata=flag("--batchsize", "-bs", least=2))
    weights: Path | None = None
    from_scratch: bool = False
