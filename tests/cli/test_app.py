import errno
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

import pulmo as package
from pulmo.cli import data, recipes
from pulmo.cli.app import app
from pulmo.core import recipe_file as recipe_module
from pulmo.core.recipe import load_recipe
from pulmo.workflows.heat_map_folder import HeatMapFolder

Call = Callable[..., tuple[int, str, str]]

VERBS = (
    "audit", "card",
    "recipes", "train", "search", "lr-find", "export", "predict", "screen", "evaluate", "compare",
    "explain", "features", "gallery", "reproduce", "demo", "bench", "data", "lungs",
    "serve", "listen", "pull",
    "selftest",
)  # fmt: skip
DATA_VERBS = tuple(str(command.name) for command in data.app.registered_commands)
HEAVY = ("torch", "pandas", "numpy", "onnxruntime", "pydicom", "rich.progress", "matplotlib")
COMMAND = Path(sys.executable).with_name("pulmo")


def test_help_lists_every_verb_in_one_whole_line_each(pulmo: Call) -> None:
    status, out, err = pulmo("--help")
    listed = out.split("Commands:\n")[1].splitlines()
    assert (status, err) == (0, "")
    assert sorted(line.split()[0] for line in listed) == sorted(VERBS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)
    assert len(app.registered_commands) + len(app.registered_groups) == len(VERBS)


@pytest.mark.parametrize(
    "words", [(verb,) for verb in VERBS] + [("data", verb) for verb in DATA_VERBS]
)
def test_every_verb_has_help(pulmo: Call, words: tuple[str, ...]) -> None:
    status, out, err = pulmo(*words, "--help")
    assert (status, err) == (0, "")
    assert out.startswith("Usage: pulmo ")


def test_help_of_every_verb_imports_nothing_heavy() -> None:
    """In one process of its own, because this one has imported everything."""
    words = [["--help"], *([verb, "--help"] for verb in VERBS)]
    words += [["data", verb, "--help"] for verb in DATA_VERBS]
    program = (
        "import sys\nfrom pulmo.cli.app import app\n"
        f"for words in {words}:\n    app(words, standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)  # noqa: PLW1510 - checked below
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_version(pulmo: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pulmo("--version") == (0, f"pulmo {package.__version__}\n", "")
    caught = io.StringIO()  # a stream that has no encoding
    monkeypatch.setattr(sys, "stdout", caught)
    assert pulmo("--version")[0] == 0
    assert caught.getvalue() == f"pulmo {package.__version__}\n"


@pytest.mark.parametrize("words", [("nonsense",), ("data", "nonsense"), ("predict", "--nonsense")])
def test_an_unknown_word_is_a_usage_error(pulmo: Call, words: tuple[str, ...]) -> None:
    status, out, err = pulmo(*words)
    assert (status, out) == (2, "")
    assert "nonsense" in err


def test_no_verb_shows_the_help(pulmo: Call) -> None:
    status, out, err = pulmo()
    assert status == 2
    assert "Commands:" in out + err


def test_a_recipe_is_shown_as_one_that_can_be_used(pulmo: Call, tmp_path: Path) -> None:
    words = ["demo", "--set", "train.epochs=3", "--from-scratch"]
    status, out, err = pulmo("recipes", "show", *words)
    assert (status, err) == (0, "")
    (tmp_path / "mine.toml").write_text(out)
    assert load_recipe(str(tmp_path / "mine.toml")) == load_recipe("demo", ["train.epochs=3"])
    assert "# Passes over the training images, at most.\nepochs = 3\n" in out
    status, out, err = pulmo("recipes", "show", "dmo")
    assert (status, out, "Did you mean 'demo'?" in err) == (2, "", True)


def test_recipes_are_listed(pulmo: Call) -> None:
    status, out, err = pulmo("recipes")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(recipe_module.shipped_recipes())


def _break(*_: object) -> NoReturn:
    raise ZeroDivisionError("one\ntwo")


def test_a_fault_of_ours_is_one_line(pulmo: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULMO_DEBUG", raising=False)
    monkeypatch.setattr(recipe_module, "shipped_recipes", _break)
    status, out, err = pulmo("recipes")
    assert (status, out) == (1, "")
    assert err == (
        "pulmo: An error in pulmo: ZeroDivisionError: one two. Run it again with "
        "PULMO_DEBUG=1 and report what it prints.\n"
    )


@pytest.mark.parametrize(
    ("module", "status"),
    [("torchvision.ops", 2), ("timm", 2), ("onnx", 2), ("safetensors.torch", 2), ("numbers", 1)],
)
def test_a_package_of_training_that_is_missing_is_no_fault_of_ours(
    pulmo: Call, monkeypatch: pytest.MonkeyPatch, module: str, status: int
) -> None:
    def missing() -> NoReturn:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.delenv("PULMO_DEBUG", raising=False)
    monkeypatch.setattr(recipe_module, "shipped_recipes", missing)
    found, _, err = pulmo("recipes")
    assert found == status
    assert ("pip install 'pulmo[train]'.\n" in err) == (status == 2)
    assert ("An error in pulmo" in err) == (status == 1)


def test_a_file_that_the_system_refuses_is_named(
    pulmo: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", "/images/secret")

    monkeypatch.delenv("PULMO_DEBUG", raising=False)
    monkeypatch.setattr(recipe_module, "shipped_recipes", refuse)
    status, _, err = pulmo("recipes")
    assert (status, err) == (3, "pulmo: /images/secret cannot be used: Permission denied.\n")


def test_training_in_the_base_install_says_what_to_install(
    pulmo: Call, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULMO_DEBUG", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    words = ["--data", manifest, "-o", tmp_path / "run", "--threads", "1"]
    status, out, err = pulmo("train", "demo", *words)
    assert (status, out) == (2, "")
    assert err == (
        "pulmo: torch is not installed. Training and exporting need it. Install it with: "
        "pip install 'pulmo[train]'.\n"
    )


def test_a_fault_of_ours_shows_its_traceback_on_demand(
    pulmo: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULMO_DEBUG", "1")
    monkeypatch.setattr(recipe_module, "shipped_recipes", _break)
    status, _, err = pulmo("recipes")
    assert status == 1
    assert err.startswith("Traceback")
    assert f"{Path(recipes.__file__).name}" in err
    assert err.splitlines()[-1].startswith("pulmo: An error in pulmo")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_verb_that_goes_on_after_bad_files(
    pulmo: Call,
    bundle: Path,
    image: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    drawn = []

    def interrupted(*_: object) -> None:
        drawn.append(1)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(HeatMapFolder, "write", interrupted)
    status, out, err = pulmo("explain", bundle, image, image, "-o", tmp_path)
    assert (status, out, err) == (130, "", "pulmo: Interrupted.\n")
    assert drawn == [1]


def test_a_closed_pipe_prints_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(  # noqa: PLW1510 - the status of a closed pipe is not promised
        [COMMAND, "recipes"], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert done.stderr == ""


def test_the_streams_and_the_status_end_to_end(image: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PULMO_MODEL"}
    done = subprocess.run(  # noqa: PLW1510 - checked below
        [sys.executable, "-m", "pulmo", "predict", image],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stderr.startswith("The model that comes with pulmo is used: ")
