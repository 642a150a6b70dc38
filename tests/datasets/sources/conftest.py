"""Drawn images in the places where a set publishes its own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

Draw = Callable[..., Path]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Returns a function that writes an image below the test's folder, each with other pixels.

    It takes the path, with the ending that tells PNG from DICOM, and for DICOM more elements.
    """
    generator = np.random.default_rng(0)

    def write(name: str, height: int = 40, width: int = 32, **elements: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shade = np.linspace(0, 50_000, height * width).reshape(height, width)
        pixels = (shade + generator.integers(0, 9999, shade.shape)).astype(np.uint16)
        if path.suffix == ".png":
            Image.fromarray(pixels).save(path)
        else:
            _dicom(pixels, elements).save_as(path, enforce_file_format=True)
        return path

    return write


def _dicom(pixels: np.ndarray, elements: dict[str, str]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(pixels.sum())])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.Modality = "CR"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    return dataset
