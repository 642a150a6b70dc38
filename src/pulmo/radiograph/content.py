"""What a file is, by its first bytes and never by its name."""

from pulmo.radiograph.facts import FileFormat

_PICTURES: dict[bytes, FileFormat] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}

_VALUE_REPRESENTATIONS = frozenset({b"AE", b"CS", b"DA", b"OB", b"SH", b"TM", b"UI", b"UL"})


def format_of(data: bytes) -> FileFormat | None:
    """Returns the format of a file, or None for one that is not read."""
    # DICOM first: its preamble may hold the head of a TIFF file (PS3.10 7.1).
    if data[128:132] == b"DICM" or _starts_a_data_set(data):
        return "DICOM"
    return next((form for magic, form in _PICTURES.items() if data.startswith(magic)), None)


def _starts_a_data_set(data: bytes) -> bool:
    """Tells whether DICOM starts without the preamble of PS3.10 7.1.

    The first element is then in group 0002 or 0008, little endian, with a low element number and
    either a value representation of those groups or a length that fits (PS3.5 7.1).
    """
    group, element = data[:2], int.from_bytes(data[2:4], "little")
    if len(data) < 8 or group not in {b"\x02\0", b"\x08\0"} or element > 0x20:
        return False
    length = int.from_bytes(data[4:8], "little")
    return data[4:6] in _VALUE_REPRESENTATIONS or length <= min(64, len(data) - 8)
