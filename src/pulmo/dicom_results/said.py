"""What a model says of an image, as far as DICOM objects repeat it."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.bundle.outcome import Outcome
from pulmo.decide.detections import Detection
from pulmo.lungs import LungMask
from pulmo.lungs.opacity import Opacity

RESEARCH_USE: Final = "For research use only, not for diagnosis."
"""What every object says."""

_ASCII: Final = {
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{MULTIPLICATION SIGN}": "x",
}


@dataclass(frozen=True, eq=False)
class Said:
    """What a model says of an image.

    Attributes:
        card: what the model is.
        model_sha256: the SHA-256 of its file.
        outcome: the result.
        lungs: the lungs, or why none were found.
        opacity: how light they are; None where the image does not show it.
        detections: boxes about evidence for the decided class.
        draw: draws the image with its heat map as `pulmo.explain` does, RGB, uint8 [height,
            width, 3].
        shape: height and width of the image as it was read, over which the lungs lie.
    """

    card: Card
    model_sha256: str
    outcome: Outcome = field(repr=False)
    lungs: LungMask = field(repr=False)
    opacity: Opacity | None = field(repr=False)
    detections: tuple[Detection, ...] = field(repr=False)
    draw: Callable[[], NDArray[np.uint8]] = field(repr=False)
    shape: tuple[int, int]

    @property
    def positive_classes(self) -> str:
        """The classes whose probability is compared with the threshold."""
        return " or ".join(self.card.decision.positive)

    @property
    def sentences(self) -> list[str]:
        """The result in words, then what must be known to read it."""
        outcome, card = self.outcome, self.card
        sign = "positive" if outcome.positive else "negative"
        number = (
            f"Probability of {self.positive_classes}: {outcome.positive_probability:.3f}, {sign} "
            f"at the threshold {card.decision.threshold:.3f}."
        )
        found = [RESEARCH_USE, card.notice, number]
        if outcome.band is not None:
            found.append(f"Triage band: {outcome.band}.")
        if outcome.prediction_set is not None:
            listed = ", ".join(outcome.prediction_set) or "no class"
            found.append(f"Prediction set: {listed}.")
        if self.lungs.reason is not None:
            found.append(self.lungs.reason)
        notes = (*outcome.notes, *self.lungs.notes)
        found += [note.text for note in notes]
        return list(dict.fromkeys(map(plain, found)))

    @property
    def lines(self) -> list[str]:
        """The result in a few short lines, to be drawn on an image."""
        shares = [f"{label} {share:.3f}" for label, share in self.outcome.probabilities.items()]
        return [plain(line) for line in (f"pulmo: {', '.join(shares)}", RESEARCH_USE)]


def plain(text: str) -> str:
    """Returns text in ASCII, which every Specific Character Set of DICOM has.

    The objects keep the character set of their source, so that names keep their bytes.
    """
    replaced = "".join(_ASCII.get(letter, letter) for letter in text)
    parted = unicodedata.normalize("NFKD", replaced)
    kept = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return kept.encode("ascii", "replace").decode()
