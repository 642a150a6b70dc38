import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.train.bench import Amount, Bound, Speed, SpeedReport
from pulmo.workflows.bench import speed_text

Call = Callable[..., tuple[int, str, str]]

FEW = ("--set", "image.size=32", "--set", "train.batch=4", "--steps", "2", "--rounds", "1")
REPORT = SpeedReport(
    recipe="mine",
    backbone="net",
    size=224,
    batch=8,
    trains="all",
    device="cpu",
    threads=1,
    amount=Amount(2, 5, both_precisions=True, bound=True),
    bound=Bound(flops=1.85e9, matrix_rate=98.4e9, speed=53.2),
    speeds={"fp32": Speed(30.12, 31.0, 0.97, 0.57), "bf16": Speed(1045.3, 44.0, 1.02, 1.2)},
    gain=1.5,
    auto="bf16",
)


def test_drawn_images_are_measured_and_reported(pulmo: Call) -> None:
    status, out, err = pulmo("bench", "train", "demo", *FEW, "--threads", 1)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("demo: compact, 32 px, batch 4, all layers learn, cpu, 1 thread")
    assert lines[2].split()[0] in ("fp32", "bf16")
    assert len(lines) == 4


def test_a_manifest_s_images_are_measured_as_json(pulmo: Call, manifest: Path) -> None:
    status, out, err = pulmo("bench", "train", "demo", "--data", manifest, *FEW, "--json",
                             "--precisions", "--bound")  # fmt: skip
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["amount"] == {"steps": 2, "rounds": 1, "both_precisions": True, "bound": True}
    for name in ("fp32", "bf16"):
        speed = found["speeds"][name]
        assert speed["of_bare"] == pytest.approx(speed["pulmo"] / speed["bare"])
        assert speed["of_bound"] == pytest.approx(speed["pulmo"] / found["bound"]["speed"])
    assert found["gain"] == pytest.approx(
        found["speeds"]["bf16"]["pulmo"] / found["speeds"]["fp32"]["pulmo"]
    )


def test_the_table_says_whether_bf16_pays() -> None:
    assert speed_text(REPORT) == (
        "mine: net, 224 px, batch 8, all layers learn, cpu, 1 thread\n"
        "1.85 GFLOP an image, forward and backward; float32 matrices 98 GFLOP/s: at most about "
        "53.2 images/s\n"
        "               pulmo     bare loop  pulmo / bare pulmo / bound\n"
        "fp32          30.1/s        31.0/s          0.97          0.57\n"
        "bf16       1,045.3/s        44.0/s          1.02          1.20\n"
        'bf16 is 1.50 times as fast as fp32: it pays; train.precision = "auto" takes bf16 here.\n'
        "Medians of 5 rounds of 2 steps."
    )
    other = speed_text(REPORT._replace(gain=0.9, threads=2, trains=3, auto="fp32"))
    assert "3 layers learn, cpu, 2 threads" in other
    assert "it does not pay; " in other


def test_what_was_not_measured_is_not_in_the_table() -> None:
    report = REPORT._replace(speeds={"fp32": Speed(30.12, 31.0, 0.97)}, gain=None, bound=None)
    assert speed_text(report) == (
        "mine: net, 224 px, batch 8, all layers learn, cpu, 1 thread\n"
        "               pulmo     bare loop  pulmo / bare\n"
        "fp32          30.1/s        31.0/s          0.97\n"
        "Medians of 5 rounds of 2 steps."
    )


def test_what_cannot_be_measured_is_a_sentence(pulmo: Call, tmp_path: Path) -> None:
    assert pulmo("bench", "train", "nonsense")[0] == 2
    assert pulmo("bench", "train", "demo", "--data", tmp_path / "none")[0] == 3
    status, out, err = pulmo("bench", "train", "demo", "--device", "abacus")
    assert (status, out) == (2, "")
    assert "'abacus' is not one of 'auto', 'cpu', 'cuda'" in err
    assert pulmo("bench", "train", "demo", "--rounds", "0")[0] == 2
