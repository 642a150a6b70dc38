"""Foreign decoders on damaged bytes: they raise anything, and warn and log anything."""

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from pulmo.core.errors import InputError, PulmoError

_DECODERS: Final = r"(PIL|pydicom|pulmo\.radiograph)(\.|$)"
"""Modules that warn of odd files, as Python's warning filters match them."""


_LOGGERS: Final = (
    "PIL.Image",
    "PIL.PngImagePlugin",
    "PIL.TiffImagePlugin",
    "pydicom",
    "pydicom.pixels.decoders.base",
    "pydicom.pixels.utils",
)
"""Loggers that get messages on odd files: pydicom and Pillow quote the values of tags there."""

_TAG: Final = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)")
"""A tag in what pydicom says of an error."""


class _Quiet:
    """Drops the decoders' Python warnings and log records while any thread is inside.

    Other warnings and records pass. Filters belong to the whole process. The first thread that
    enters changes them and the last that leaves changes them back, so threads decode side by side.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=_DECODERS)
                for name in _LOGGERS:
                    logger = logging.getLogger(name)
                    self._filters.callback(setattr, logger, "disabled", logger.disabled)
                    logger.disabled = True
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.close()


quiet_decoders: Final = _Quiet()
"""A context for decoding: `with quiet_decoders:`."""


@contextmanager
def damage_of(name: str, what: str) -> Iterator[None]:
    """Turns whatever the block raises into one sentence on the file.

    The decoder's own words are left out, because pydicom quotes values of tags in them.

    Args:
        name: what the message calls the file.
        what: what the block reads, such as `PNG` or `the header of the DICOM file`.

    Raises:
        InputError: the block raised anything but a PulmoError or a MemoryError.
        PulmoError: the process may not take as much memory as the block needs.
    """
    try:
        yield
    except PulmoError:
        raise
    except MemoryError:
        raise PulmoError(
            "image-memory",
            f"{name} could not be read as {what}: that needs more memory than this process may "
            "take.",
        ) from None
    except Exception as error:  # noqa: BLE001 - damaged bytes make decoders raise anything
        raise InputError(
            "image-damaged",
            f"{name} could not be read as {what} ({type(error).__name__}{_element_in(error)}): it "
            "is damaged, truncated or departs from the standard.",
        ) from None


def _element_in(error: Exception) -> str:
    """Returns where in a DICOM header an error says that it is, for a remark; "" if nowhere."""
    found = _TAG.search(str(error))
    if found is None:
        return ""
    # pydicom costs a tenth of a second that a PNG need not pay; whoever named a tag has loaded it.
    from pydicom.datadict import dictionary_description  # noqa: PLC0415 - see above

    try:
        known = dictionary_description(int(found[1] + found[2], 16))
    except KeyError:
        known = "an element"
    return f" at {known} ({found[1]},{found[2]})"
