"""Phantoms: chest X-rays drawn by a program, with masks of the lungs and of the opacities.

They look enough like images to run every stage on, and no patient is in them. The classes differ
inside the lungs and nowhere else, so a classifier that distinguishes them by anything else is
wrong.
"""

from pulmo.datasets.phantom.files import COLUMNS, TABLE, write_phantoms
from pulmo.datasets.phantom.image import PHANTOM_LABELS, Phantom, draw

__all__ = ["COLUMNS", "PHANTOM_LABELS", "TABLE", "Phantom", "draw", "write_phantoms"]
