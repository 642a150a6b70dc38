"""The size of a WebP file, of each of the three chunks that may come first."""

import io
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image

from fixtures.refuses import refuses
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.webp import webp_shape

KINDS: dict[bytes, dict[str, Any]] = {
    b"VP8 ": {"quality": 80},
    b"VP8L": {"lossless": True},
    b"VP8X": {"lossless": True, "xmp": b"<x/>"},
}


def _webp(kind: bytes, width: int = 37, height: int = 18) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(
        file, "WebP", **KINDS[kind]
    )
    data = file.getvalue()
    assert data[12:16] == kind
    return data


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_that_of_the_image(kind: bytes) -> None:
    for width, height in ((37, 18), (1000, 1), (1, 16_000)):
        assert webp_shape(_webp(kind, width, height)) == (height, width)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_states_too_much_is_not_opened(kind: bytes) -> None:
    data = bytearray(_webp(kind))
    at, most = {
        b"VP8 ": (26, b"\xff\x3f\xff\x3f"),
        b"VP8L": (21, b"\xff\xff\xff\x0f"),
        b"VP8X": (24, b"\xff\x3f\x00\xff\x3f\x00"),
    }[kind]
    data[at : at + len(most)] = most
    with patch.object(Image, "open") as opened, refuses("image-too-large"):
        decode_radiograph(bytes(data), "x")
    opened.assert_not_called()


def test_a_first_chunk_of_another_kind_states_no_size() -> None:
    for kind, data in {kind: _webp(kind) for kind in KINDS}.items():
        assert webp_shape(data[:29]) is None
        assert webp_shape(data.replace(kind, b"ICCP", 1)) is None
    lossy = bytearray(_webp(b"VP8 "))
    lossy[23] = 0
    assert webp_shape(bytes(lossy)) is None
