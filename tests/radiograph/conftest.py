"""Small pictures of known numbers, and DICOM files made of them."""

import io
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    RLELossless,
)

MakeDicom = Callable[..., bytes]
Dcmtk = Callable[..., Path]


@pytest.fixture
def ramp() -> NDArray[np.uint16]:
    """Every 16-bit value once: [256, 256]."""
    return np.arange(65536, dtype=np.uint16).reshape(256, 256)


@pytest.fixture
def grey() -> NDArray[np.uint8]:
    """A picture that looks different from all sides: [24, 32]."""
    rows, columns = np.mgrid[:24, :32]
    picture: NDArray[np.uint8] = (rows * 3 + columns * 5).astype(np.uint8)
    return picture


HTJ2K = bytes.fromhex(
    "ff4fff5100294000000000100000001000000000000000000000001000000010000000000000000000010701"
    "01ff500008000200000002ff52000c00020001000504044001ff5c0013204850505050505050505050505048"
    "4848ff64001700014f70656e4a50482056657220302e32362e332eff90000a0000000000610001ff93c025b5"
    "0107740000c012c01280da00877400f600077400c0134012008cfd000274005a335300c013c013804444a0a7"
    "c275004cf2c049ecb500c02ae01540000000e7c0a7a7a74278000400fefdd7bf75ecb700ffd9"
)
"""`rows * 3 + columns * 5` of 16 x 16 pixels by OpenJPH 0.26: no encoder is installed."""


@pytest.fixture
def htj2k() -> bytes:
    """A DICOM file with high-throughput JPEG 2000."""
    dataset = make_dataset(np.zeros((16, 16), np.uint8), {})
    dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    dataset.PixelData = encapsulate([HTJ2K])
    file = io.BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture
def dicom() -> MakeDicom:
    """Makes the bytes of a DICOM file of stored values [rows, columns] or [rows, columns, 3]."""

    def make(
        stored: NDArray[Any],
        tags: Mapping[str, object] | None = None,
        syntax: UID = ExplicitVRLittleEndian,
    ) -> bytes:
        file = io.BytesIO()
        dcmwrite(file, make_dataset(stored, tags or {}, syntax), enforce_file_format=True)
        return file.getvalue()

    return make


def make_dataset(
    stored: NDArray[Any], tags: Mapping[str, object], syntax: UID = ExplicitVRLittleEndian
) -> FileDataset:
    colour = stored.ndim == 3
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = UID("1.2.3")
    dataset.Modality = "DX"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = stored.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    for keyword, value in tags.items():
        if isinstance(value, DataElement):
            # With a value representation that the dictionary leaves open.
            dataset.add(value)
        else:
            setattr(dataset, keyword, value)
    if syntax == JPEG2000Lossless:
        frame = io.BytesIO()
        Image.fromarray(stored).save(frame, "JPEG2000", no_jp2=True)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = encapsulate([frame.getvalue()])
    elif syntax == RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    return dataset


@pytest.fixture
def twelve() -> NDArray[np.uint16]:
    """Every 12-bit value once: [64, 64]."""
    return np.arange(4096, dtype=np.uint16).reshape(64, 64)


@pytest.fixture
def dcmtk(tmp_path: Path) -> Dcmtk:
    """Runs a tool of DCMTK, an independent implementation, on a file; gives its output file."""

    def run(tool: str, *options: str, source: Path | bytes) -> Path:
        program = shutil.which(tool)
        if program is None:
            pytest.skip(f"{tool} of DCMTK is not installed")
        if isinstance(source, bytes):
            given, source = source, tmp_path / "source.dcm"
            source.write_bytes(given)
        output = tmp_path / f"by-{tool}"
        output.unlink(missing_ok=True)
        subprocess.run([program, *options, source, output], check=True, capture_output=True)
        return output

    return run
