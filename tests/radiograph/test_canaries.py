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
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread, dcmwrite
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import Tag
from pydicom.uid import UID

from pulmo.cli.app import app
from pulmo.core.errors import PulmoError
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.deidentify import Pseudonyms, deidentify
from pulmo.radiograph import Radiograph, decode_radiograph

MakeDicom = Callable[..., bytes]

PSEUDONYMS = Pseudonyms(b"k" * 32)

# What the image is made of, and what may be reported of it.
REAL = {
    "SpecificCharacterSet", "Modality", "SOPClassUID", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PixelData",
    "PhotometricInterpretation", "NumberOfFrames", "PatientAge", "PatientSex", "ViewPosition",
    "WindowCenter", "WindowWidth",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence", "VOILUTFunction",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "PresentationLUTShape", "ImagerPixelSpacing",
    "PixelSpacing", "NominalScannedPixelSpacing", "EstimatedRadiographicMagnificationFactor",
    "DirectoryRecordSequence", "FloatPixelData", "DoubleFloatPixelData",
}  # fmt: skip
CANARY = re.compile(
    rb"zqx\d{5}|1\.2\.987654\.|(?<![\d.])19873\d{5}"
    rb"|(?<!\d)1873[-./]?\d\d[-./]?\d\d(?!\d)|(?<!\d)06:?19:?37|(?<!\d)(?:48121|28121)(?!\d)",
    re.IGNORECASE,
)


def canary(kind: str, number: int) -> Any:  # noqa: ANN401 - whatever the kind holds
    """A value of a kind of element that occurs nowhere else."""
    word = f"ZQX{number:05d}"
    numbers = {
        "US": 48121,
        "SS": -28121,
        "FL": 48121.0,
        "FD": 1987300000.0 + number,
        "AT": Tag(0x00100010),
        "IS": str(1987300000 + number),
        "DS": str(1987300000 + number),
        "DA": "18730412",
        "TM": "061937",
        "DT": "18730412061937",
        "AS": "087Y",
        "UI": UID(f"1.2.987654.{number}"),
        "UR": f"http://{word}.example",
        "PN": f"{word}^JANE",
    }
    if kind in numbers:
        return numbers[kind]
    if kind in {"UL", "SL", "UV", "SV"}:
        return 1987300000 + number
    return word.encode() if kind.startswith("O") or kind == "UN" else word


def item(number: int) -> Dataset:
    """An item with canaries; in every fourth they are deeper and of more kinds."""
    found = Dataset()
    found.PatientName = canary("PN", number)
    if number % 4 == 0:
        code = Dataset()
        code.CodeValue, code.CodeMeaning = canary("SH", number), canary("LO", number)
        code.CodingSchemeDesignator = canary("SH", number)
        found.ConceptCodeSequence = [code]
        found.ReferencedSOPInstanceUID = canary("UI", number)
        found.TextValue = canary("UT", number)
        block = found.private_block(0x0009, canary("LO", number), create=True)
        block.add_new(1, "LO", canary("LO", number))
    return found


def elements() -> Iterator[DataElement]:
    """An element with a canary for each attribute of the dictionary, retired ones too."""
    repeaters = {
        int(mask.replace("x", "0"), 16): entry for mask, entry in RepeatersDictionary.items()
    }
    for number, (tag, entry) in enumerate(sorted({**DicomDictionary, **repeaters}.items())):
        kind, keyword = entry[0].split(" or ")[0], entry[4]
        group = tag >> 16
        if keyword in REAL or group in {0, 2, 4, 0xFFFE} or kind in {"NONE", ""}:
            continue
        value = [item(number)] if kind == "SQ" else canary(kind, number)
        yield DataElement(tag, kind, value)


def fill(dataset: FileDataset, step: int = 1) -> None:
    """Puts a canary wherever one fits, or at every `step`-th attribute only."""
    for element in islice(elements(), 0, None, step):
        dataset.add(element)
    for group in (0x0009, 0x0011, 0x0029):
        block = dataset.private_block(group, canary("LO", group), create=True)
        for place, kind in enumerate(("LO", "PN", "DA", "UN", "UT", "UI", "IS")):
            block.add_new(place, kind, canary(kind, group + place))
        block.add_new(0x20, "SQ", [item(group)])
    dataset.file_meta.SourceApplicationEntityTitle = canary("AE", 1)
    dataset.file_meta.ImplementationVersionName = canary("SH", 2)
    dataset.file_meta.PrivateInformationCreatorUID = canary("UI", 3)
    dataset.file_meta.PrivateInformation = canary("OB", 4)
    dataset.file_meta.MediaStorageSOPInstanceUID = canary("UI", 5)
    dataset.preamble = (canary("LO", 6) * 16).encode()


def written(dataset: FileDataset) -> bytes:
    file = io.BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


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


def leaks(data: bytes) -> list[bytes]:
    return CANARY.findall(data)


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
