"""`pulmo listen` and `pulmo pull`: what is handed over, and what is printed."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pulmo.core.errors import PulmoError
from pulmo.node.inbox import MadeObject, Verdict, put, settle, waiting
from pulmo.node.options import ListenOptions, PullOptions
from pulmo.node.outbox import due, postpone
from pulmo.node.pull import Pulled
from pulmo.node.store import Store

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a node that has a result to send, and a refused image."""
    folder = tmp_path / "data"
    with Store(folder) as store:
        for uid in ("1.2", "1.3"):
            put(store, uid, uid.encode(), "MODALITY")
        first, second = waiting(store, (), 2)
        settle(store, first, Verdict("done", None, None, "0"), [MadeObject("a", b"a")], ["P@p:1"])
        reason = "The image is a lateral view."
        settle(store, second, Verdict("refused", "image-lateral", reason, "0"), [], ["P@p:1"])
        away = PulmoError("peer-unreachable", "P@p:1 cannot be reached.")
        postpone(store, due(store, "P@p:1", 0, 1), away, None)
    return folder


def test_the_status_says_what_waits_and_what_went_wrong(pulmo: Call, data: Path) -> None:
    status, out, err = pulmo("listen", "status", "--data", data)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "inbox: 0 received, 1 done, 1 refused, 0 failed"
    assert lines[1].startswith("P@p:1: 0 sent, 1 wait, the oldest since 20")
    assert lines[2].endswith("P@p:1 cannot be reached.")
    assert lines[4].endswith("refused: image-lateral: The image is a lateral view.")
    found = json.loads(pulmo("listen", "status", "--json", "--data", data)[1])
    assert found["inbox"]["refused"] == 1
    assert found["peers"][0]["queued"] == 1
    assert found["errors"][0]["code"] == "image-lateral"


def test_the_log_is_printed_or_written(pulmo: Call, data: Path, tmp_path: Path) -> None:
    _, out, _ = pulmo("listen", "log", "--data", data)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["action"] for row in rows] == ["receive", "receive", "judge", "judge"]
    file = tmp_path / "log.json"
    words = ("--export", "json", "-o", file, "--data", data)
    assert pulmo("listen", "log", *words) == (0, "", "")
    assert json.loads(file.read_text())[3]["answer"]["code"] == "image-lateral"


def test_what_is_typed_reaches_the_node(
    pulmo: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[tuple[Path, ListenOptions]] = []

    def listen(model: Path, options: ListenOptions, on_ready: Callable[[str], None]) -> None:
        got.append((model, options))
        on_ready("PULMO@127.0.0.1:1")

    monkeypatch.setattr("pulmo.node.listen.listen", listen)
    words = ("--allow", "A", "--allow", "B", "--send-to", "P@p:1", "--stow", "https://p", "--port")
    status, out, _ = pulmo("listen", "--model", tmp_path, *words, "0", "--tls-ca", "ca.pem")
    assert (status, out) == (0, "PULMO@127.0.0.1:1\n")
    ((model, options),) = got
    assert model == tmp_path
    assert (options.allow, options.send_to, options.stow) == (
        ("A", "B"),
        ("P@p:1",),
        ("https://p",),
    )
    assert (options.port, options.tls_ca) == (0, Path("ca.pem"))


def test_what_would_take_images_from_anybody_is_refused(pulmo: Call, tmp_path: Path) -> None:
    words = ("--model", tmp_path, "--host", "0.0.0.0")  # noqa: S104 - it is refused
    status, out, err = pulmo("listen", *words)
    assert (status, out) == (5, "")
    assert err.endswith("Name each with --allow TITLE.\n")
    status, _, err = pulmo("listen", "--data", tmp_path, "status")
    assert status == 2
    assert err == "pulmo: --data is for the node, not for status.\n"


def test_what_was_fetched_is_said(pulmo: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    got: list[tuple[str, PullOptions]] = []
    answers = iter([Pulled(2, 1, 1), Pulled(3, 0, 1, 2, 1, "No.")])

    def pull(source: str, options: PullOptions, on_progress: Callable[[Pulled], None]) -> Pulled:
        got.append((source, options))
        on_progress(Pulled())
        return next(answers)

    monkeypatch.setattr("pulmo.node.pull.pull", pull)
    words = ("P@p:1", "--since", "2026-01-01", "--modality", "DX")
    assert pulmo("pull", *words) == (0, "2 images: 1 fetched, 1 known before\n", "")
    status, out, err = pulmo("pull", *words)
    assert status == 4
    assert out.splitlines()[1:] == [
        "2 could not be fetched. The last reason: No.",
        "Of 1 the archive states no part of the body.",
    ]
    assert err == "pulmo: 2 images could not be fetched.\n"
    source, options = got[0]
    assert (source, options.since, options.modality) == ("P@p:1", "2026-01-01", ("DX",))


def test_a_date_is_asked_for(pulmo: Call, tmp_path: Path) -> None:
    status, _, err = pulmo("pull", "P@p:1", "--data", tmp_path)
    assert status == 2
    assert err.endswith("Name the first day with --since DATE.\n")
    status, _, err = pulmo("pull", "P@p:1", "--since", "2026-01-01", "--tls-key", "k", "--tls")
    assert (status, err.split(". ")[-1]) == (
        2,
        "Name both, with --tls-certificate and --tls-key.\n",
    )


def test_packages_that_are_missing_are_named(
    pulmo: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'pynetdicom'", name="pynetdicom")

    monkeypatch.setattr("pulmo.node.listen.listen", missing)
    status, _, err = pulmo("listen", "--model", tmp_path)
    assert status == 2
    assert err.endswith("Install it with: pip install 'pulmo[dicom]'.\n")
