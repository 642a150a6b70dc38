"""Phrases of the answers: counts and values in words."""

from collections.abc import Mapping

from pulmo.report.words import metric_title
from pulmo.stats.estimate import Estimate


def counted(counts: Mapping[str, int]) -> str:
    """Gives counts as words, without those of nothing: `covid 1,990, normal 2,863`."""
    return ", ".join(f"{_name(name)} {n:,}" for name, n in counts.items() if n) or "none"


def _name(name: str) -> str:
    """Puts a name into quotation marks if it has a comma, which parts names."""
    return f'"{name}"' if "," in name else name


def values(estimates: Mapping[str, Estimate]) -> str:
    """Gives values by name: `AUC 0.973 (0.964-0.980), Recall 0.941 (0.915-0.960)`."""
    return ", ".join(f"{metric_title(name)} {value}" for name, value in estimates.items())


def images(n: int) -> str:
    """Gives a number of images: `1 image`, `1,200 images`."""
    return "1 image" if n == 1 else f"{n:,} images"
