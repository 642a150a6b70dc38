"""Images that are fetched from an Orthanc, and what is not fetched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.node import Node, TakingPeer, make_image, uid_of
from fixtures.orthanc import Orthanc
from fixtures.refuses import refuses
from pulmo.core.errors import PulmoError
from pulmo.node import inbox
from pulmo.node.options import PullOptions
from pulmo.node.pull import Pulled, pull
from pulmo.node.store import Store

MakeNode = Callable[..., Node]
JANUARY = {"since": "2026-01-01", "until": "2026-01-31", "body_part": ("chest",)}


@pytest.fixture
def wanted(orthanc: Orthanc) -> list[bytes]:
    """Images that are looked for, in an archive that has others too."""
    found = [make_image(), make_image(BodyPartExamined=""), make_image(Modality="CR")]
    others = [
        make_image(BodyPartExamined="FOOT"),
        make_image(Modality="CT"),
        make_image(StudyDate="20251231"),
    ]
    orthanc.put([*found, *others])
    orthanc.knows("pulmo", "PULMO", 104)
    return found


@pytest.mark.parametrize("way", ["node", "web"])
def test_images_are_fetched_once(
    orthanc: Orthanc, wanted: list[bytes], tmp_path: Path, way: str
) -> None:
    source, options = getattr(orthanc, way), PullOptions(data=tmp_path / "data", **JANUARY)  # type: ignore[arg-type] # of its fields
    seen: list[Pulled] = []
    assert pull(source, options, seen.append) == Pulled(3, 0, 3, 0, 1)
    assert [each.fetched for each in seen] == [1, 2, 3]
    assert pull(source, options) == Pulled(3, 3, 0, 0, 1)
    folder = tmp_path / "folder"
    into = PullOptions(to=folder, **JANUARY)  # type: ignore[arg-type] # likewise
    assert pull(source, into).fetched == 3
    assert pull(source, into).known == 3
    assert {path.stem for path in folder.iterdir()} == set(map(uid_of, wanted))
    # However an image comes, it has the same bytes, and so is judged once.
    with Store(tmp_path / "data") as store:
        for path in folder.iterdir():
            assert inbox.put(store, path.stem, path.read_bytes(), "MODALITY") == "known"
        callers = store.database.rows("SELECT DISTINCT caller FROM inbox")
    assert callers == [(source,)]


def test_an_archive_sends_to_the_node_by_c_move(
    orthanc: Orthanc, wanted: list[bytes], make_node: MakeNode, tmp_path: Path
) -> None:
    node = make_node(allow=[orthanc.title])
    node.receives()
    orthanc.knows("pulmo", "PULMO", node.port)
    options = PullOptions(data=node.store.folder, move_to="PULMO", **JANUARY)  # type: ignore[arg-type] # of its fields
    assert pull(orthanc.node, options).fetched == len(wanted)
    assert pull(orthanc.node, options) == Pulled(3, 3, 0, 0, 1)
    assert node.status.inbox["received"] == 3
    unknown = PullOptions(data=tmp_path / "other", move_to="NOBODY", **JANUARY)  # type: ignore[arg-type] # likewise
    done = pull(orthanc.node, unknown)
    assert (done.fetched, done.failed) == (0, 3)
    assert str(done.reason).startswith(f"{orthanc.node} did not send an image")
    assert done.lines()[1].startswith("3 could not be fetched. The last reason: ")


def test_one_image_that_fails_does_not_keep_the_others(
    orthanc: Orthanc,
    wanted: list[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = PullOptions(data=tmp_path, **JANUARY)  # type: ignore[arg-type] # of its fields
    real, failing = inbox.put, uid_of(wanted[0])

    def put(store: Store, uid: str, data: bytes, caller: str) -> inbox.Arrival:
        if uid == failing:
            raise PulmoError(code, "No.")
        return real(store, uid, data, caller)

    monkeypatch.setattr(inbox, "put", put)
    code = "any"
    assert pull(orthanc.node, options)[1:4] == (0, 2, 1)
    code = "disk-full"
    with refuses("disk-full"):
        pull(orthanc.node, options)
    monkeypatch.setattr(inbox, "put", real)
    assert pull(orthanc.node, options)[1:4] == (2, 1, 0)


@pytest.mark.parametrize(
    ("source", "options", "code"),
    [
        ("PACS@pacs:104", {"since": "yesterday"}, "date-invalid"),
        ("PACS@pacs:104", {}, "date-invalid"),
        ("PACS@pacs:104", {"since": "2026-01-02", "until": "2026-01-01"}, "dates-reversed"),
        ("PACS", {"since": "2026-01-02"}, "peer-invalid"),
        ("ftp://pacs", {"since": "2026-01-02"}, "dicomweb-address-invalid"),
        ("http://pacs", {"since": "2026-01-02", "move_to": "PULMO"}, "move-by-web"),
        ("P@p:1", {"since": "2026-01-02", "move_to": "A", "to": Path()}, "move-to-folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    source: str, options: dict[str, object], code: str
) -> None:
    with refuses(code):
        pull(source, PullOptions(**options))  # type: ignore[arg-type] # of its fields


def test_an_archive_that_cannot_be_asked_is_named(
    peer: TakingPeer, orthanc: Orthanc, tmp_path: Path
) -> None:
    options = PullOptions(data=tmp_path, since="2026-01-02")
    with refuses("query-not-offered", peer.node):
        pull(peer.node, options)
    with refuses("peer-unreachable", "NOBODY@127.0.0.1:9"):
        pull("NOBODY@127.0.0.1:9", options)
    with refuses("peer-unreachable"):
        pull("http://127.0.0.1:9/dicom-web", options)
    with refuses("archive-gone", "AE title"):
        pull(orthanc.node, PullOptions(data=tmp_path, since="2026-01-02", aet="STRANGER"))
    with refuses("peer-http-status", "404"):
        pull(f"{orthanc.web}/nowhere", options)
    wrong = orthanc.node.replace(orthanc.title, "OTHER")
    with refuses(("peer-rejects", "peer-gone"), "OTHER"):
        pull(wrong, options)
