"""Nothing that a DICOM file says of its patient but view, age and sex reaches an output.

Each element of the data dictionary holds a canary here, and so do private elements, overlays,
curves, items of sequences, the file meta information and the preamble.
"""

import base64
import io
import logging
import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from fixtures.canaries import REAL, fill, item, leaks, written
from pulmo.cli.app import app
from pulmo.core.errors import PulmoError
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.deidentify import Pseudonyms, deidentify
from pulmo.radiograph import Radiograph, decode_radiograph

MakeDicom = Callable[..., bytes]

PSEUDONYMS = Pseudonyms(b"k" * 32)


@pytest.fixture
def plain(dicom: MakeDicom) -> FileDataset:
    """An image without canaries."""
    rows, columns = np.mgrid[:64, :64]
    stored = (rows * 31 + columns * 33).astype(np.uint16)
    tags = {
        "BitsStored": 12,
        "HighBit": 11,
        "PatientAge": "044Y",
        "PatientSex": "F",
        "ViewPosition": "PA",
        "WindowCenter": 2048,
        "WindowWidth": 4096,
    }
    return dcmread(io.BytesIO(dicom(stored, tags)))


@pytest.fixture
def image(plain: FileDataset) -> FileDataset:
    """An image whose every element holds a canary."""
    fill(plain)
    return plain


@pytest.fixture
def spoilt(plain: FileDataset) -> dict[str, bytes]:
    """An image with many canaries, damaged in each way that has a message of its own."""
    fewer = dcmread(io.BytesIO(written(plain)))
    fill(fewer, step=12)
    return damaged(fewer)


REPORT = UID("1.2.840.10008.5.1.4.1.1.88.11")
SPOILS: dict[str, dict[str, Any]] = {
    "frames": {"NumberOfFrames": 3},
    "window": {"VOILUTFunction": "ZQX00001"},
    "photometric": {"PhotometricInterpretation": "ZQX00001"},
    "short": {"PixelData": bytes(8)},
    "long": {"PixelData": bytes(8192) + b"ZQX00001"},
    "bits": {"BitsAllocated": 5},
    "even": {"PixelData": bytes(8192)},
    "small": {"Rows": 3},
    "missing": {"BitsStored": None},
    "class": {"SOPClassUID": UID("1.2.987654.1"), "PixelData": None},
    "rescale": {"RescaleSlope": "1.00", "RescaleIntercept": "1"},
    "table": {"VOILUTSequence": [Dataset()]},
    "no image": {
        "PixelData": None,
        "Rows": None,
        "SOPClassUID": UID("1.2.840.10008.5.1.4.1.1.88.11"),
    },
    "directory": {"DirectoryRecordSequence": [item(1)]},
}


def damaged(image: FileDataset) -> dict[str, bytes]:
    """The image, spoilt in each way that has a message of its own."""
    whole = written(image)
    files = {
        "cut early": whole[: len(whole) // 3],
        "cut late": whole[:-4000],
        "number": whole.replace(b"2048", b"ZQX0"),
        "bytes": whole.replace(b"ZQX0", b"ZQ\xff\xfe"),
        "no preamble": whole[132:],
        "syntax": whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.987654.ZQX00001\0"),
    }
    for name, tags in SPOILS.items():
        changed = dcmread(io.BytesIO(whole))
        for keyword, value in tags.items():
            if value is None:
                delattr(changed, keyword)
            else:
                setattr(changed, keyword, value)
        files[name] = written(changed).replace(b"1.00", b"nan ")
    return files


def texts(path: Path) -> Iterator[bytes]:
    """What a file holds, also where it is packed."""
    data = path.read_bytes()
    yield data
    if path.suffix == ".parquet":
        yield pd.read_parquet(path).to_csv().encode()
    if path.suffix == ".png":
        with Image.open(path) as image:
            yield repr(image.info).encode()
    for packed in re.findall(rb"base64,([A-Za-z0-9+/=]+)", data):
        yield base64.b64decode(packed)


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the command; gives all that it said, and its error."""

    def run(*words: str | Path) -> str:
        error = ""
        try:
            app([str(word) for word in words], standalone_mode=False)
        except PulmoError as raised:
            error = str(raised)
        return "\n".join([*capfd.readouterr(), error])

    return run


def test_the_canaries_are_there(image: FileDataset) -> None:
    found = leaks(written(image))
    assert len(found) > 4000
    whole = b"\n".join(found)
    for sample in (b"ZQX", b"1.2.987654.", b"18730412", b"061937", b"19873"):
        assert sample in whole


def test_none_leaves_the_reader(
    spoilt: dict[str, bytes], image: FileDataset, caplog: pytest.LogCaptureFixture
) -> None:
    whole = written(image)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    facts = decode_radiograph(whole, "image").facts
    assert facts[2:7] == ("PA", "X-ray", 44, "F", None)
    said = {repr(facts)}
    for name, data in spoilt.items():
        for work in (decode_radiograph, partial(deidentify, pseudonyms=PSEUDONYMS)):
            try:
                result = work(data, name)
            except PulmoError as error:
                said.add(str(error).removeprefix(name))
            else:
                said.add(repr(result.facts if isinstance(result, Radiograph) else result.reasons))
    assert len(said) > 20
    assert not leaks("\n".join([*said, caplog.text]).encode())


def test_none_reaches_what_the_command_writes(
    spoilt: dict[str, bytes],
    image: FileDataset,
    bundle: Path,
    call: Callable[..., str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    root, out = tmp_path / "set", tmp_path / "out"
    (root / "normal").mkdir(parents=True)
    (root / "covid").mkdir()
    (root / "normal" / "whole.dcm").write_bytes(written(image))
    image.PixelData = image.PixelData[2:] + image.PixelData[:2]
    (root / "covid" / "whole.dcm").write_bytes(written(image))
    for name, data in spoilt.items():
        (root / "normal" / f"{name}.dcm").write_bytes(data)
    table = out / "images.parquet"
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    said = [call("data", "import", "folder", root, "-o", table)]
    Manifest(read_manifest(table).frame.assign(split="test")).save(table)
    assert set(read_manifest(table).frame["sex"]) == {"F"}
    files = sorted(root.rglob("*.dcm"))
    said += [
        call("predict", *files, "--model", bundle, "--json", "--heatmap", out / "maps"),
        call("explain", bundle, *files, "-o", out / "explained"),
        call("evaluate", bundle, "--data", table, "--split", "test", "-o", out / "evaluation"),
        call("data", "deidentify", root, "-o", tmp_path / "away", "--withhold-flagged", "--json"),
    ]
    assert all(said)
    assert not leaks("\n".join([*said, caplog.text]).encode())
    results = [path for path in out.rglob("*") if path.is_file()]
    assert {path.suffix for path in results} >= {".parquet", ".png", ".json", ".html"}
    for path in results:
        for text in texts(path):
            assert not leaks(text), path


NUMBERS = {"AT", "DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"}
# Lookup tables are numbers too.
TABLES = {"LUTData", *(f"{tone}PaletteColorLookupTableData" for tone in ("Red", "Green", "Blue"))}


def kept_words() -> set[str]:
    """The attributes of text that de-identification keeps."""
    table = resources.files("pulmo.deidentify").joinpath("kept.tsv").read_text()
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return {keyword for keyword, values in rows if values in {"code", "words"}}


def test_none_is_left_after_de_identification_but_codes_and_numbers(image: FileDataset) -> None:
    cleaned = dcmread(io.BytesIO(deidentify(written(image), "image", PSEUDONYMS).data))
    left = [element for element in cleaned.iterall() if leaks(str(element.value).encode())]
    words = {element.keyword for element in left if element.VR not in NUMBERS}
    assert {"Manufacturer", "BodyPartExamined"} <= words <= kept_words() | TABLES
    # Without these, nothing is left anywhere in the bytes.
    beyond = (kept_words() | TABLES) - REAL
    for element in list(image):
        if element.keyword in beyond or (element.VR in NUMBERS and element.keyword not in REAL):
            del image[element.tag]
    data = deidentify(written(image), "image", PSEUDONYMS).data
    assert not leaks(data)
    assert image.PixelData in data
