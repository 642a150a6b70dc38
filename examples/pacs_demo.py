"""Shows `pulmo listen` next to a PACS: Orthanc sends drawn radiographs, and gets the results.

Both run on this machine alone, on free ports, in a folder that is removed at the end. It needs
Orthanc and its DICOMweb plugin: apt-get install orthanc orthanc-dicomweb.
"""

import argparse
import io
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import requests
from pydicom import dcmread

from pulmo.datasets.phantom.encodings import Levels, dicom
from pulmo.datasets.phantom.image import PHANTOM_LABELS, draw
from pulmo.node.status import status_of
from pulmo.node.store import Store

TITLE: Final = "ORTHANC"
IMAGES: Final = 4


def main(words: Sequence[str] | None = None) -> None:
    """Runs the demonstration until Ctrl-C, or once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when the results are there")
    once = parser.parse_args(words).once
    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if program is None:
        sys.exit("Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        http, archive, node = free_port(), free_port(), free_port()
        url = f"http://127.0.0.1:{http}"
        stack.enter_context(running([program, str(orthanc_settings(folder, http, archive, node))]))
        wait_until(lambda: requests.get(f"{url}/system", timeout=5).ok)
        listen = pulmo(
            "listen", "--workers", "1", "--data", str(folder / "node"), "--port", str(node),
            "--allow", TITLE, "--send-to", f"{TITLE}@127.0.0.1:{archive}",
        )  # fmt: skip
        stack.enter_context(running(listen))
        wait_until(lambda: requests.post(f"{url}/modalities/pulmo/echo", "{}", timeout=5).ok)
        names = [
            requests.post(f"{url}/instances", data, timeout=60).json()["ID"] for data in drawn()
        ]
        requests.post(f"{url}/modalities/pulmo/store", json.dumps(names), timeout=60)
        wait_until(lambda: is_done(folder / "node"))
        show(url)
        while not once:
            time.sleep(1)


def orthanc_settings(folder: Path, http: int, archive: int, node: int) -> Path:
    """Writes the settings of an Orthanc that knows the node; returns their file."""
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": http,
        "DicomPort": archive,
        "DicomAet": TITLE,
        "RemoteAccessAllowed": False,
        "DicomModalities": {"pulmo": ["PULMO", "127.0.0.1", node]},
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    return file


def drawn() -> Iterator[bytes]:
    """Yields drawn radiographs of patients that do not exist."""
    for number in range(IMAGES):
        label = PHANTOM_LABELS[number % len(PHANTOM_LABELS)]
        phantom = draw(label, number, np.random.default_rng(number), 512)
        image = dcmread(
            io.BytesIO(dicom(phantom, Levels("MONOCHROME2", 0, 4095), f"demo {number}"))
        )
        image.PatientName, image.PatientID = f"Drawn^{label}", f"demo-{number}"
        image.StudyDate, image.StudyTime = "20260101", f"12{number:02d}00"
        file = io.BytesIO()
        image.save_as(file, enforce_file_format=True)
        yield file.getvalue()


def show(url: str) -> None:
    """Prints what the archive has of each study."""
    print(f"{'patient':<20}{'in the archive':<24}")
    for study in requests.get(f"{url}/studies?expand", timeout=30).json():
        patient = study["PatientMainDicomTags"]["PatientName"]
        series = [requests.get(f"{url}/series/{key}", timeout=30).json() for key in study["Series"]]
        kinds = sorted(each["MainDicomTags"]["Modality"] for each in series)
        print(f"{patient:<20}{', '.join(kinds):<24}")
    print("DX is the image; SR the report, OT the heat map, PR the outlines over the image.")
    print(f"Open {url}/app/explorer.html, and end this with Ctrl-C.")


def is_done(data: Path) -> bool:
    """Tells whether all images have an answer that the archive has."""
    with Store(data) as store:
        found = status_of(store)
    return not found.inbox["received"] and not any(peer.queued for peer in found.peers)


def pulmo(*words: str) -> list[str]:
    """Returns a command of pulmo."""
    return [sys.executable, "-m", "pulmo", *words]


def free_port() -> int:
    """Returns a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str]) -> Iterator[None]:
    """Runs a program until the end of the block."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def wait_until(true: Any, seconds: float = 120) -> None:  # noqa: ANN401 - what is called
    """Waits until something is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(requests.RequestException):
            if true():
                return
        time.sleep(0.2)
    sys.exit("It took too long.")


if __name__ == "__main__":
    main()
