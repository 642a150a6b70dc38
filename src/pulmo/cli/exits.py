"""How a command ends: an error becomes one line and an exit status."""

import io
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Final, NoReturn

import typer

from pulmo.cli.no_manifest import lines_to_type
from pulmo.cli.remedies import remedy
from pulmo.core.errors import (
    InputError,
    InterruptedRunError,
    NoManifestError,
    PulmoError,
    UsageError,
)

# What `pip install pulmo` leaves out.
_TRAINING_PACKAGES: Final = {
    "torch", "torchvision", "timm", "huggingface_hub", "onnx", "onnxscript", "safetensors",
    "optuna", "captum",
}  # fmt: skip


_DICOM_PACKAGES: Final = {"dicomweb_client", "highdicom", "pynetdicom"}
_SERVER_PACKAGES: Final = {
    "fastapi", "markdown_it", "platformdirs", "prometheus_client", "python_multipart",
    "starlette", "uvicorn",
}  # fmt: skip


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception: the verbs catch those of a file and continue."""


def run_command(command: typer.Typer, name: str) -> None:
    """Runs a command and exits with its status; `name` is what its help and its errors call it."""
    for stream in (sys.stdout, sys.stderr):
        # The name of a file may hold bytes that are no characters, or none that can be shown.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        command(prog_name=name)
    except NoManifestError as error:
        typer.echo(f"{name}: {error} Type:", err=True)
        for line in lines_to_type(error.path, sys.argv[1:]):
            typer.echo(f"  {line}", err=True)
        sys.exit(error.exit_status)
    except PulmoError as error:
        typed = " ".join([name, *sys.argv[1:2]]) if name == "pulmo" else name
        _fail(name, f"{error} {remedy(error, typed)}".rstrip(), error.exit_status)
    except _Stopped:
        _fail(name, "Interrupted.", InterruptedRunError.exit_status)
    except Exception as error:  # noqa: BLE001 - the last resort says so in one line
        if os.environ.get("PULMO_DEBUG"):
            traceback.print_exc()
        explained = _explained(error)
        _fail(name, str(explained), explained.exit_status)


def _explained(error: Exception) -> PulmoError:
    """Returns what to say of an error that pulmo did not raise on purpose."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package in _TRAINING_PACKAGES:
            return UsageError(
                "package-missing",
                f"{package} is not installed. Training and exporting need it. Install it with: "
                "pip install 'pulmo[train]'.",
            )
        if package in _SERVER_PACKAGES:
            return UsageError(
                "server-package-missing",
                f"{package} is not installed. `pulmo serve` needs it. Install it with: "
                "pip install 'pulmo[serve]'.",
            )
        if package in _DICOM_PACKAGES:
            return UsageError(
                "dicom-package-missing",
                f"{package} is not installed. The network of a hospital needs it. Install it "
                "with: pip install 'pulmo[dicom]'.",
            )
    if isinstance(error, OSError) and error.filename:
        return InputError("file-unreadable", f"{error.filename} cannot be used: {error.strerror}.")
    return PulmoError(
        "internal-error",
        f"An error in pulmo: {type(error).__name__}: {error}. "
        "Run it again with PULMO_DEBUG=1 and report what it prints.",
    )


def _fail(name: str, sentence: str, status: int) -> NoReturn:
    """Says what went wrong in one line and exits."""
    typer.echo(f"{name}: {' '.join(sentence.splitlines())}", err=True)
    sys.exit(status)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped
