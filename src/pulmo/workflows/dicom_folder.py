"""A folder of DICOM results: the objects of each image, named after its file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from pulmo.core.errors import InputError, UsageError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.dicom_results import KINDS, make_objects, read_source, require_highdicom
from pulmo.radiograph.image_source import ImageSource
from pulmo.workflows.dicom_results import file_of, kind_of, said_by
from pulmo.workflows.image_result import ImageResult


@dataclass(frozen=True)
class DicomFolder:
    """The folder for the DICOM results of one call.

    An object is named after its image, the first digits of the image's SHA-256, and its kind:
    `image.5e884898.sr.dcm`. A second call writes the same names.

    Attributes:
        root: the folder.
    """

    root: Path

    @classmethod
    def from_names(cls, root: Path, names: Sequence[Path]) -> Self:
        """Plans the objects of the images and folders of images that are named.

        Raises:
            UsageError: highdicom is not installed, or `root` is one of these folders, whose images
                the objects would lie among.
        """
        require_highdicom()
        for folder in names:
            if folder.is_dir() and os.path.realpath(folder) == os.path.realpath(root):
                raise UsageError(
                    "output-among-images",
                    f"The DICOM results would lie among the images of {folder}; choose another "
                    "folder.",
                )
        return cls(root)

    def write(self, result: ImageResult, given: ImageSource) -> tuple[Path, ...]:
        """Writes the objects of a result, and returns their files.

        Args:
            result: what a model says of the image.
            given: the image, as a file or its bytes.

        Raises:
            InputError: the image is not DICOM, or a file cannot be written.
            RefusedError: the image lacks an identifier that objects need.
        """
        source = read_source(_bytes_of(result.name, given), result.name)
        objects = make_objects(source, said_by(result), KINDS, datetime.now().astimezone())
        stem = f"{Path(result.name).stem}.{result.radiograph.sha256[:8]}"
        written = []
        for made in objects:
            written.append(self.root / f"{stem}.{kind_of(made)}.dcm")
            write_atomically(written[-1], file_of(made))
        return tuple(written)


def _bytes_of(name: str, given: ImageSource) -> bytes:
    match given:
        case bytes():
            return given
        case str() | os.PathLike():
            return read_bytes(Path(given))
        case _:
            raise InputError(
                "dicom-expected", f"{name} is not a DICOM file: its content is of another kind."
            )
