"""pulmo selftest: a sound copy passes, and each planted fault is found."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pulmo.core.folders import ShippedFolder
from pulmo.radiograph import decoders
from pulmo.radiograph.dicom_syntax import COMPRESSIONS

Call = Callable[..., tuple[int, str, str]]


def statuses(pulmo: Call) -> tuple[int, dict[str, str]]:
    status, out, _ = pulmo("selftest", "--json")
    found = json.loads(out)
    assert found["passed"] == (status == 0)
    return status, {check["name"]: check["status"] for check in found["checks"]}


@pytest.mark.usefixtures("shipped")
def test_a_sound_copy_passes(pulmo: Call) -> None:
    status, out, err = pulmo("selftest")
    assert status == 0
    assert err.startswith("The model that comes with pulmo is used: demo of ")
    lines = out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert sum("decoder: DICOM, " in line for line in lines) == len(COMPRESSIONS)
    for name in ("PNG", "JPEG", "TIFF", "BMP", "WebP", "JPEG 2000"):
        assert sum(f"decoder: {name}: " in line for line in lines) == 1
    assert "golden outputs: 3 drawings" in lines[-1]


def test_another_probability_is_found(pulmo: Call, shipped: ShippedFolder) -> None:
    golden = json.loads(shipped.golden.read_text())
    first = next(iter(golden["images"].values()))["probabilities"]
    first["covid"] += 0.02 if first["covid"] < 0.5 else -0.02
    shipped.golden.write_text(json.dumps(golden))
    status, found = statuses(pulmo)
    assert status == 1
    assert [name for name, each in found.items() if each != "ok"] == ["golden outputs"]


@pytest.mark.parametrize("fault", ["image", "model", "golden"])
def test_a_damaged_file_is_found(pulmo: Call, shipped: ShippedFolder, fault: str) -> None:
    if fault == "image":
        first, second, *_ = sorted(shipped.images.iterdir())
        first.write_bytes(second.read_bytes())
    elif fault == "model":
        with shipped.model.open("ab") as file:
            file.write(b"x")
    else:
        shipped.golden.write_text("{}")
    status, found = statuses(pulmo)
    assert status == 1
    wrong = "model" if fault == "model" else "golden outputs"
    assert [name for name, each in found.items() if each != "ok"] == [wrong]


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("fault", ["other values", "error"])
def test_a_broken_decoder_is_found(
    pulmo: Call, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    own = decoders.DECODERS["RLE"]

    def broken(frame: bytes, head: Any) -> Any:  # noqa: ANN401 - as a decoder
        if fault == "error":
            raise OSError("no library")
        return own.decode(frame, head) + np.uint8(1)

    changed = {**decoders.DECODERS, "RLE": own._replace(decode=broken)}
    monkeypatch.setattr(decoders, "DECODERS", changed)
    status, found = statuses(pulmo)
    assert status == 1
    wrong = [name for name, each in found.items() if each != "ok"]
    assert wrong == ["decoder: DICOM, RLE Lossless"]


@pytest.mark.usefixtures("unshipped")
def test_what_cannot_be_compared_is_no_pass(pulmo: Call, bundle: ShippedFolder) -> None:
    status, out, _ = pulmo("selftest")
    assert (status, out.splitlines()[-1].split()[:3]) == (0, ["not", "made", "model:"])
    status, out, _ = pulmo("selftest", "--model", bundle)
    assert status == 0
    assert out.splitlines()[-1] == "not made  golden outputs: the bundle has none"
