"""GDCM in a process of its own: on some damaged files it ends the process that it runs in."""

import subprocess
import sys
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.utils import pixel_array

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


def main() -> None:
    """Reads a DICOM file from standard input, and writes its stored values as NumPy's .npy."""
    dataset = dcmread(BytesIO(sys.stdin.buffer.read()), force=True)
    stored = pixel_array(dataset, index=0, allow_excess_frames=False, decoding_plugin="gdcm")
    file = BytesIO()
    np.save(file, stored, allow_pickle=False)
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main()
