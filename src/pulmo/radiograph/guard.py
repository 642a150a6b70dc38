"""Foreign decoders on damaged bytes: they raise anything and warn of anything."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pulmo.core.errors import InputError, PulmoError

_FILTERS = threading.Lock()


@contextmanager
def held_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Holds back the Python warnings of the block and gives them as a list.

    One thread at a time, because Python's warning filters belong to the whole process.
    """
    with _FILTERS, warnings.catch_warnings(record=True, action="always") as held:
        yield held


@contextmanager
def damage_of(name: str, what: str) -> Iterator[None]:
    """Turns whatever the block raises into one sentence on the file.

    The decoder's own words are left out, because pydicom quotes values of tags in them.

    Args:
        name: what the message calls the file.
        what: what the block reads, such as `PNG` or `the header of the DICOM file`.

    Raises:
        InputError: the block raised anything but a PulmoError.
    """
    try:
        yield
    except PulmoError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged bytes make decoders raise anything
        raise InputError(
            f"{name} could not be read as {what} ({type(error).__name__}): it is damaged, "
            "truncated or departs from the standard."
        ) from None
