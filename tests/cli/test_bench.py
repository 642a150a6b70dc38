import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.train.bench import Amount, Bound, Speed, SpeedReport
from pulmo.workflows.bench import speed_text
from pulmo.workflows.bench_predict_result import Line, PredictSpeed, Ratio
from pulmo.workflows.bench_predict_result import speed_text as predict_text

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


def test_files_are_predicted_in_turns(pulmo: Call, bundle: Path) -> None:
    words = ("bench", "predict", "--model", bundle, "--seconds", 0, "--json")
    status, out, err = pulmo(*words)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["files"], found["threads"], found["rounds"]) == (16, 1, 6)
    ours, with_maps, *others = found["ways"]
    assert ours["name"] == "pulmo, probabilities"
    assert ours["milliseconds"] > 0
    assert ours["ratio"] is with_maps["ratio"] is None
    assert {bool(each["absent"]) == (each["milliseconds"] is None) for each in others} == {True}
    assert found["matrix_rate"] > 0
    engine = found["engines"][0]
    assert engine["name"] == "classifier, ONNX Runtime fp32, batch 1"
    assert 0 < engine["ratio"]["low"] <= engine["ratio"]["value"] <= engine["ratio"]["high"]


def test_what_cannot_be_measured_is_refused(pulmo: Call, bundle: Path, tmp_path: Path) -> None:
    words = ("bench", "predict", "--model", bundle)
    assert "were asked for" in pulmo(*words, "--threads", 10_000)[2]
    (tmp_path / "empty").mkdir()
    status, _, err = pulmo(*words[:2], tmp_path / "empty", *words[2:])
    assert (status != 0, "no image was found" in err) == (True, True)


def test_the_table_of_predictions_has_intervals_and_reasons() -> None:
    report = PredictSpeed(
        model="mine",
        network="net",
        size=96,
        threads=2,
        files=8,
        rounds=7,
        matrix_rate=243e9,
        ways=[
            Line("pulmo, probabilities", 25.0, 40.0),
            Line("timm script, our network", 50.0, 44.5, Ratio(2.0, 1.8, 2.25)),
            Line("torchxrayvision, DenseNet121", absent="not installed"),
        ],
        engines=[Line("classifier, ONNX Runtime fp32, batch 1", 4.0, 5.0, Ratio(0.8, 0.75, 0.9))],
    )
    assert predict_text(report).splitlines() == [
        "mine: net, 96 px; 8 files, 2 cores, 7 rounds in which all take turns",
        f"{'':42}  images/s   ms CPU  pulmo is so many times as fast [95 %]",
        f"{'pulmo, probabilities':42}      40.0     40.0",
        f"{'timm script, our network':42}      20.0     44.5  2.00x [1.80, 2.25]",
        f"{'torchxrayvision, DenseNet121':42}not installed",
        "",
        f"{'the network alone':42}  images/s   ms CPU  share of the bound [95 %]",
        f"{'classifier, ONNX Runtime fp32, batch 1':42}     250.0      5.0  0.80 [0.75, 0.90]",
        (
            "The bound is the rate of products of float32 matrices, 243 GFLOP in a second of a "
            "core; bf16 can exceed it."
        ),
        "The networks of the other ways start at random: no speed depends on the weights.",
    ]
