"""Heat maps of films: drawn, named after their film, and never written over one."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pulmo.cli.output import claim_folder
from pulmo.core.errors import InputError

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Outcome, Predictor
    from pulmo.radiograph import Radiograph


@dataclass(frozen=True)
class MapFolder:
    """The folder for the heat maps of one call.

    A map is named after its film and the class that it shows: `film.covid.png`. Where the names of
    two films differ in folder or suffix alone, both maps get the first digits of their film's
    SHA-256 as well: `film.5e884898.covid.png`.

    Attributes:
        root: the folder.
        films: the real paths of the films.
        shared: names, in small letters, that two or more films share.
    """

    root: Path
    films: frozenset[str]
    shared: frozenset[str]

    @classmethod
    def of(cls, root: Path, films: Sequence[Path]) -> Self:
        """Makes the folder for the heat maps of these films.

        Raises:
            InputError: it cannot be written to.
        """
        claim_folder(root)
        names = Counter(film.stem.casefold() for film in {film.absolute() for film in films})
        return cls(
            root,
            frozenset(os.path.realpath(film) for film in films),
            frozenset(name for name, count in names.items() if count > 1),
        )

    def write(
        self,
        film: Path,
        predictor: "Predictor",
        radiograph: "Radiograph",
        outcome: "Outcome",
        label: str,
    ) -> Path:
        """Writes a film with the evidence for a class painted on it, and returns the file.

        Raises:
            InputError: the file cannot be written, or is one of the films.
        """
        from pulmo.core.files import write_atomically

        own = f".{radiograph.sha256[:8]}" if film.stem.casefold() in self.shared else ""
        path = self.root / f"{film.stem}{own}.{label}.png"
        if os.path.realpath(path) in self.films:
            raise InputError(
                f"The heat map of {film} would overwrite the film {path}; choose another folder."
            )
        write_atomically(path, _draw(predictor, radiograph, outcome, label))
        return path


def _draw(
    predictor: "Predictor", radiograph: "Radiograph", outcome: "Outcome", label: str
) -> bytes:
    """Returns the PNG of a film with the evidence for a class painted on it."""
    from pulmo.explain.overlay import draw_overlay

    card = predictor.card
    return draw_overlay(
        radiograph.pixels,
        outcome.activation[card.labels.order.index(label)],
        aspect=card.input.aspect,
        scale=card.activation.scale,
        label=label,
        caption=", ".join(f"{name} {p:.3f}" for name, p in outcome.probabilities.items()),
    )
