import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from pulmo.datasets.source import SOURCES, Published

Call = Callable[..., tuple[int, str, str]]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Says nothing on stderr."""


@pytest.fixture
def medmnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A server in the place of MedMNIST's; gives the file that it has."""
    file = tmp_path / "served" / "pneumoniamnist_64.npz"
    file.parent.mkdir()
    numbers = np.random.default_rng(0)
    arrays = {
        f"{split}_{kind}": numbers.integers(0, 2, (4, *shape), dtype=np.uint8)
        for split in ("train", "val", "test")
        for kind, shape in (("images", (64, 64)), ("labels", (1,)))
    }
    np.savez_compressed(file, allow_pickle=True, **arrays)
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    serve = partial(_Quiet, directory=file.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/{file.name}"
        source = SOURCES["medmnist"]
        about = source.about._replace(remote={"small": Published(url, f"md5:{digest}")})
        monkeypatch.setitem(SOURCES._things, "medmnist", source._replace(about=about))
        yield file
        server.shutdown()
        thread.join()


def test_what_was_downloaded_imports_with_the_command_that_is_printed(
    pulmo: Call, medmnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my images"
    status, out, err = pulmo("data", "fetch", "medmnist", "-o", folder)
    assert (status, err) == (0, "")
    root = folder / medmnist.name
    size = f"{medmnist.stat().st_size / 1e6:.1f} MB"
    assert out.splitlines() == [
        f"{root}: 1 files, {size}, each with the hash that was published",
        "licence: CC BY 4.0",
        f"next: pulmo data import medmnist '{root}' -o medmnist.parquet",
    ]
    monkeypatch.chdir(tmp_path)
    _, out, _ = pulmo("data", "fetch", "medmnist", "-o", folder, "--json")
    answer = json.loads(out)
    assert (answer["name"], answer["licence"], answer["files"]) == ("medmnist", "CC BY 4.0", 1)
    assert answer["bytes"] == medmnist.stat().st_size
    status, out, _ = pulmo(*answer["next"][1:])
    assert status == 0
    assert out.startswith("medmnist.parquet: 12 images")


def test_what_cannot_be_downloaded_is_one_line(pulmo: Call, medmnist: Path, tmp_path: Path) -> None:
    medmnist.unlink()
    status, out, err = pulmo("data", "fetch", "medmnist", "-o", tmp_path)
    assert (status, out, err.count("\n")) == (3, "", 1)
    assert "answered 404" in err
    status, _, err = pulmo("data", "fetch", "medmnist", "-o", tmp_path, "--part", "large")
    assert (status, err) == (2, "pulmo: There is no part 'large'; choose one of small.\n")


def test_a_set_that_wants_an_account_is_refused_with_its_steps(pulmo: Call, tmp_path: Path) -> None:
    status, out, err = pulmo("data", "fetch", "mimic-cxr-jpg", "-o", tmp_path / "new")
    assert status == 5
    assert err.startswith("pulmo: mimic-cxr-jpg is not downloaded: ")
    lines = out.splitlines()
    assert "  licence: PhysioNet Credentialed Health Data License 1.5.0; size: 377,110 " in out
    assert (
        "  $ wget -r -N -c -np --user ME --ask-password "
        "https://physionet.org/files/mimic-cxr-jpg/2.1.0/"
    ) in lines
    assert lines[-1] == "  ROOT is the folder physionet.org/files/mimic-cxr-jpg/2.1.0."
    status, out, _ = pulmo("data", "fetch", "mimic-cxr-jpg", "-o", tmp_path / "new", "--json")
    assert status == 5
    assert json.loads(out)["fetch"] is False
    assert not (tmp_path / "new").exists()


def test_ones_own_images_and_unknown_sets_are_usage_errors(pulmo: Call, tmp_path: Path) -> None:
    for name, reason in (("folder", "images of your own"), ("nhi", "Did you mean 'nih'")):
        status, out, err = pulmo("data", "fetch", name, "-o", tmp_path)
        assert (status, out) == (2, "")
        assert reason in err


def test_sources_tell_what_can_be_downloaded(pulmo: Call) -> None:
    _, out, _ = pulmo("data", "sources")
    assert "\n  $ pulmo data fetch cohen -o DIR\n  or by hand: " in out
    assert "pulmo data fetch nih" not in out
    status, out, _ = pulmo("data", "sources", "--json")
    assert status == 0
    known = {source["name"]: source for source in json.loads(out)}
    assert list(known) == list(SOURCES)
    assert known["medmnist"]["parts"][:2] == ["pneumoniamnist_224", "pneumoniamnist_128"]
    assert known["cohen"]["fetch"]
    assert known["cohen"]["parts"] == []
    assert known["csv"]["url"] is None
    assert not known["nih"]["fetch"]


def test_listing_the_sources_does_not_pay_for_the_web() -> None:
    program = (
        "import sys; import pulmo.cli.app; from pulmo.datasets.source import SOURCES; "
        "list(SOURCES); print(sorted({'requests', 'pooch', 'urllib3'} & set(sys.modules)))"
    )
    words = [sys.executable, "-c", program]
    answer = subprocess.run(words, check=True, capture_output=True, text=True)
    assert answer.stdout == "[]\n"
