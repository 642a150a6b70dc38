"""What the libraries of DICOM say, which may quote a file, stays out of the log."""

import logging
import warnings


def silence_libraries() -> None:
    """Has the libraries of DICOM neither log nor warn in this process."""
    for name in ("pynetdicom", "pydicom", "dicomweb_client", "highdicom"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], False
    warnings.simplefilter("ignore")
