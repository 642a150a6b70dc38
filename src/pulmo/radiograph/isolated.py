"""GDCM in a process of its own: on some damaged files it ends the process that it runs in."""

import subprocess
import sys
from io import BytesIO
from typing import Any, Final

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

_SECONDS: Final = 120


def isolated_pixels(data: bytes) -> NDArray[Any]:
    """Returns the stored values of a DICOM file of one frame, decoded by GDCM.

    Args:
        data: the file's bytes, with file meta information that names the transfer syntax.

    Raises:
        Exception: the process failed or crashed, or took more than two minutes.
    """
    child = subprocess.run(  # noqa: S603 - this Python, this module, no shell
        [sys.executable, "-m", __name__],
        input=data,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=_SECONDS,
    )
    stored: NDArray[Any] = np.load(BytesIO(child.stdout), allow_pickle=False)
    return stored


def stored_values(data: bytes) -> NDArray[Any]:
    """Does in this process what `isolated_pixels` does in another."""
    dataset = dcmread(BytesIO(data), force=True)
    syntax, bits = dataset.file_meta.TransferSyntaxUID, dataset["BitsStored"].value
    if syntax == JPEGExtended12Bit and bits > 8:
        return _jpeg_of_12_bits(dataset)
    return pixel_array(dataset, index=0, allow_excess_frames=False, decoding_plugin="gdcm")


def main() -> None:
    """Reads a DICOM file from standard input, and writes its stored values as NumPy's .npy."""
    file = BytesIO()
    np.save(file, stored_values(sys.stdin.buffer.read()), allow_pickle=False)
    sys.stdout.buffer.write(file.getvalue())


def _jpeg_of_12_bits(dataset: FileDataset) -> NDArray[Any]:
    """Decodes JPEG Extended of 12 bits, from which pydicom keeps GDCM away.

    Raises:
        Exception: it has several channels, or is damaged.
    """
    frame = gdcm.Fragment()
    frame.SetByteStringValue(get_frame(dataset.PixelData, 0, number_of_frames=1))
    frames = gdcm.SequenceOfFragments.New()
    frames.AddFragment(frame)
    pixel_data = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixel_data.SetValue(frames.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((dataset.Columns, dataset.Rows, 1))
    image.SetDataElement(pixel_data)
    kind = gdcm.PhotometricInterpretation.GetPIType(dataset.PhotometricInterpretation)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    syntax = gdcm.TransferSyntax.GetTSType(str(dataset.file_meta.TransferSyntaxUID))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, 12, 11, 0))
    # GDCM's binding gives bytes as text.
    values = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), np.uint16)
    values = values.reshape(dataset.Rows, dataset.Columns)
    # The upper bits of a negative number are not in the codestream.
    return values if dataset.PixelRepresentation == 0 else (values << 4).view(np.int16) >> 4


if __name__ == "__main__":
    main()
