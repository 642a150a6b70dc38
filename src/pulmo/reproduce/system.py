"""System: a published system to reproduce: its data, its experiments, its published results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pulmo.core.registry import Registry
from pulmo.datasets.split import Plan
from pulmo.stats.estimate import Estimate
from pulmo.stats.metric import METRICS, Wilson
from pulmo.stats.proportions import wilson


class DataSet(NamedTuple):
    """A data set as it lies below the root of all data.

    Attributes:
        source: the name of its reader.
        folder: its folder below the root.
        label_map: class name -> label, for the reader `folder`.
        called: what the manifest calls it; the reader's name if None.
    """

    source: str
    folder: str
    label_map: Mapping[str, str] = {}
    called: str | None = None


@dataclass(frozen=True)
class Data:
    """The images of an experiment and how they are split.

    Attributes:
        sets: the data sets; one that is not available is left out and named.
        plan: the split.
        take: label -> images at most, drawn by group; all of a label that is not named.
        once: of several copies of an image take the largest only.
    """

    sets: tuple[DataSet, ...]
    plan: Plan
    take: Mapping[str, int] = field(default_factory=dict)
    once: bool = False


class Published(NamedTuple):
    """A value that the system's authors give.

    Attributes:
        metric: the name of pulmo's metric for it.
        label: the class that it is of; None for a value over all classes.
        value: in [0, 1].
        n: the images behind it (for a sensitivity: positives); 0 where they are not stated.
    """

    metric: str
    label: str | None
    value: float
    n: int = 0

    @property
    def estimate(self) -> Estimate:
        """The value with Wilson's interval, if it is a proportion of a known number of images."""
        if not isinstance(METRICS[self.metric].interval, Wilson):
            return Estimate(self.value, None, None, self.n, "its authors give none")
        if not self.n:
            return Estimate(self.value, None, None, 0, "the number of images is not stated")
        return Estimate(self.value, *wilson(self.value, self.n), self.n)

    @property
    def name(self) -> str:
        """What a table calls it."""
        return f"{self.metric} of {self.label}" if self.label else self.metric


@dataclass(frozen=True)
class Experiment:
    """One run of a system.

    Attributes:
        recipe: the shipped recipe.
        data: its images.
        published: the authors' values.
        variant: distinguishes two experiments of a recipe.
        folds: train each fold and pool what is held out, instead of one split.
        differs: what is not as it was, as sentences.
    """

    recipe: str
    data: Data
    published: tuple[Published, ...] = ()
    variant: str = ""
    folds: bool = False
    differs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.recipe}-{self.variant}" if self.variant else self.recipe


@dataclass(frozen=True)
class System:
    """A published system.

    Attributes:
        title: what it was.
        experiments: in the order in which they are run: the telling ones first.
        differs: what is not as it was in any of them, as sentences.
    """

    title: str
    experiments: tuple[Experiment, ...]
    differs: tuple[str, ...] = ()


SYSTEMS: Final[Registry[System]] = Registry("system", "pulmo.reproduce.systems")
