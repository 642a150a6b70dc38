"""Heat maps of films: drawn, named after their film, and never written over one."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pulmo.bundle.outcome import Outcome
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError, UsageError
from pulmo.core.files import write_atomically
from pulmo.radiograph import Radiograph


@dataclass(frozen=True)
class HeatMaps:
    """The folder for the heat maps of one call.

    A map is named after its film and the class that it shows: `film.covid.png`. Where the name does
    not tell the films apart, it gets the first digits of the film's SHA-256 as well,
    `film.5e884898.covid.png`: where two films differ in folder or suffix alone, and for all films
    that were not named one by one, since nobody knows yet what the others are called.

    Attributes:
        root: the folder.
        films: the real paths of the films that were named.
        plain: of these, the films whose name no other has.
        label: the class that is shown; None for the decided one.
    """

    root: Path
    films: frozenset[str]
    plain: frozenset[Path]
    label: str | None = None

    @classmethod
    def of(cls, root: Path, names: Sequence[Path], label: str | None = None) -> Self:
        """Plans the heat maps of the films and folders of films that were named.

        Raises:
            UsageError: `root` is one of these folders, whose films the maps would lie among.
        """
        folders = [name for name in names if name.is_dir()]
        for folder in folders:
            if os.path.realpath(folder) == os.path.realpath(root):
                raise UsageError(
                    f"The heat maps would lie among the images of {folder}; choose another folder."
                )
        films = [name for name in names if name not in folders]
        stems = Counter(film.stem.casefold() for film in {film.absolute() for film in films})
        return cls(
            root,
            frozenset(os.path.realpath(film) for film in films),
            frozenset(film for film in films if stems[film.stem.casefold()] == 1),
            label,
        )

    def write(
        self, film: Path, predictor: Predictor, radiograph: Radiograph, outcome: Outcome
    ) -> Path:
        """Writes a film with the evidence for a class painted on it, and returns the file.

        Raises:
            InputError: the file cannot be written, or is one of the films.
        """
        label = self.label or outcome.decision
        own = "" if film in self.plain else f".{radiograph.sha256[:8]}"
        path = self.root / f"{film.stem}{own}.{label}.png"
        if os.path.realpath(path) in self.films:
            raise InputError(
                f"The heat map of {film} would overwrite the film {path}; choose another folder."
            )
        write_atomically(path, _draw(predictor, radiograph, outcome, label))
        return path


def _draw(predictor: Predictor, radiograph: Radiograph, outcome: Outcome, label: str) -> bytes:
    """Returns the PNG of a film with the evidence for a class painted on it."""
    # matplotlib, which a prediction without a map need not wait for.
    from pulmo.explain.overlay import draw_overlay  # noqa: PLC0415 - see above

    card = predictor.card
    return draw_overlay(
        radiograph.pixels,
        outcome.activation[card.labels.order.index(label)],
        aspect=card.input.aspect,
        scale=card.activation.scale,
        label=label,
        caption=", ".join(f"{name} {p:.3f}" for name, p in outcome.probabilities.items()),
    )
