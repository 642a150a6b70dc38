"""Published weights, from a hub of our own on this machine."""

import hashlib
import logging
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import NamedTuple

import huggingface_hub
import pytest
import timm
import torch
from huggingface_hub import close_session, constants
from safetensors.torch import save

from fixtures.refuses import refuses
from pulmo.core.sections import ModelSection
from pulmo.models import published
from pulmo.models.backbone import check_pretrained, make_backbone
from pulmo.models.classifier import check_weights

NAME = "test_resnet"
COMMIT = "0" * 40


class Hub(NamedTuple):
    """What a hub of our own serves, and what it was asked for."""

    address: str
    tensors: dict[str, torch.Tensor]
    asked: list[tuple[str, str]]


def _handler(data: bytes, asked: list[tuple[str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            if self._answer():
                self.wfile.write(data)

        def _answer(self) -> bool:
            asked.append((self.command, self.path))
            found = self.path.endswith("/resolve/main/model.safetensors")
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(data) if found else 0))
            self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            return found

        def log_message(self, format: str, *words: object) -> None:  # noqa: A002 - its name there
            pass

    return Handler


@pytest.fixture
def _away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keeps the hub's client out of the user's cache and away from the user's settings."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    close_session()
    yield
    close_session()


def _point(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Makes the hub's client ask this address."""
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(_away: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the weights of one small network."""
    torch.manual_seed(3)
    tensors = timm.create_model(NAME).state_dict()
    asked: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(save(tensors), asked))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    _point(monkeypatch, address)
    yield Hub(address, tensors, asked)
    server.shutdown()
    server.server_close()


def test_weights_are_downloaded_and_kept(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    check_pretrained(NAME)
    assert [method for method, _ in hub.asked] == ["HEAD"]
    state = make_backbone(NAME, pretrained=True).layers.state_dict()
    assert ("GET", f"/timm/{NAME}.r160_in1k/resolve/main/model.safetensors") in hub.asked
    deep = [name for name, tensor in state.items() if tensor.ndim == 4 and tensor.shape[1] > 1]
    assert len(deep) > 3
    assert all(torch.equal(state[name], hub.tensors[name]) for name in deep)
    # What was once downloaded needs no network.
    hub.asked.clear()
    _point(monkeypatch, "http://127.0.0.1:9")
    check_pretrained(NAME)
    again = make_backbone(NAME, pretrained=True).layers.state_dict()
    assert torch.equal(again[deep[0]], hub.tensors[deep[0]])
    assert hub.asked == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("_away")
class TestUnreachable:
    """A hub that cannot be reached costs no time and no words of the hub's client."""

    @pytest.fixture(autouse=True)
    def _no_retries(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def ask(*_: object, **__: object) -> None:
            pytest.fail("timm was asked")

        monkeypatch.setattr("timm.create_model", ask)

    def test_a_closed_port(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        _point(monkeypatch, f"http://{address}")
        with refuses("weights-unavailable", NAME, address):
            make_backbone(NAME, pretrained=True)
        with refuses("weights-unavailable"):
            check_weights(ModelSection(backbone=NAME, weights="timm"))
        assert capfd.readouterr() == ("", "")

    def test_a_host_that_never_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(published, "SECONDS", 0.2)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            _point(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
            begun = monotonic()
            with refuses("weights-unavailable"):
                check_pretrained(NAME)
        assert monotonic() - begun < 5

    def test_a_name_whose_look_up_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        freed = Event()
        monkeypatch.setattr(published, "SECONDS", 0.1)
        monkeypatch.setattr(published, "get_session", freed.wait)
        with refuses("weights-unavailable", "no answer within 0.1 s"):
            check_pretrained(NAME)
        freed.set()

    def test_offline_is_offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        monkeypatch.setattr(published, "get_session", lambda: pytest.fail("it was asked"))
        with refuses("weights-unavailable", "HF_HUB_OFFLINE is set"):
            check_pretrained(NAME)

    def test_weights_outside_the_hub(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(published, "_unreachable", lambda address: address)
        with refuses("weights-unavailable", "github.com"):
            check_pretrained("legacy_xception")
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        (tmp_path / "checkpoints").mkdir()
        (tmp_path / "checkpoints" / "xception-43020ad28.pth").touch()
        check_pretrained("legacy_xception")


def test_a_network_without_published_weights_is_named() -> None:
    with refuses("published-weights-unknown", "'compact'"):
        check_pretrained("compact")
    with refuses("published-weights-unknown", "'botnet50ts_256'"):
        check_pretrained("botnet50ts_256")


def test_weights_in_a_file_must_be_there(tmp_path: Path) -> None:
    section = ModelSection(backbone="compact", weights=str(tmp_path / "w.safetensors"))
    with refuses("file-missing", "w.safetensors"):
        check_weights(section)
    (tmp_path / "w.safetensors").touch()
    check_weights(section)
    check_weights(ModelSection(backbone="compact"))


def test_the_clients_words_are_heard_again_afterwards() -> None:
    logger = logging.getLogger(huggingface_hub.__name__)
    before = logger.level
    with published.quiet_hub():
        assert not logger.isEnabledFor(logging.ERROR)
    assert logger.level == before
