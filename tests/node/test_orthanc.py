"""Images and results between an Orthanc and a node, in both directions."""

import io
import json
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from pydicom import dcmread

from fixtures.canaries import fill, leaks, written
from fixtures.node import Node, listening, make_image, store, tiny_worker, uid_of, until
from fixtures.orthanc import Orthanc, free_port
from fixtures.refuses import refuses
from pulmo.daemon.audit_log import log_rows
from pulmo.daemon.job_pool import JobPool
from pulmo.datasets.phantom.encodings import Levels, dicom
from pulmo.datasets.phantom.image import draw
from pulmo.node.listen import listen
from pulmo.node.options import ListenOptions
from pulmo.node.peers import Credentials
from pulmo.node.store import Store
from pulmo.node.way import Way
from pulmo.node.worker import READY

MakeNode = Callable[..., Node]
Capture = pytest.CaptureFixture[str]


def is_sent(node: Node, objects: int) -> bool:
    """Tells whether a peer has so many objects, and nothing waits."""
    status = node.status
    sent = [each for each in status.peers if each.sent == objects and not each.queued]
    return len(sent) == len(node.peers) and not status.inbox["received"]


@pytest.mark.parametrize("way", ["send_to", "stow"])
def test_results_arrive_in_the_study_of_their_image(
    make_node: MakeNode, orthanc: Orthanc, way: str, capsys: Capture
) -> None:
    where = {"send_to": orthanc.node, "stow": orthanc.web}[way]
    node = make_node(allow=[orthanc.title], **{way: [where]})
    node.receives()
    node.judges()
    node.sends()
    orthanc.knows("pulmo", "PULMO", node.port)
    images = [make_image(), make_image(ViewPosition="LL"), make_image(ViewPosition="RAO")]
    sent = orthanc.sends("pulmo", orthanc.put(images))
    assert sent.json()["FailedInstancesCount"] == 0
    until(lambda: is_sent(node, 2))
    assert node.status.inbox == {"received": 0, "done": 1, "refused": 1, "failed": 1}
    found = orthanc.instances()
    made = [each for each in found if each["Modality"] == "DOC"]
    (study,) = {each["StudyInstanceUID"] for each in made}
    (image,) = [each for each in found if each["SOPInstanceUID"] == uid_of(images[0])]
    assert study == image["StudyInstanceUID"]
    assert {each["PatientID"] for each in made} == {"ZQX00002"}
    # Nothing of a patient is in the log or in the database, nor a UID that others could look up.
    err = capsys.readouterr().err
    events = [json.loads(line) for line in err.splitlines()]
    reasons = {line["code"] for line in events if line["event"] == "judged"}
    assert reasons == {None, "image-lateral", "image-damaged"}
    said = err.encode() + b"".join(path.read_bytes() for path in node.store.folder.glob("node.db*"))
    assert leaks(said) == []
    assert not any(uid_of(each).encode() in said for each in images)
    actions = [line["action"] for line in log_rows(node.store.database)]
    assert sorted(actions) == ["judge"] * 3 + ["receive"] * 3 + ["send"] * 2


def test_what_comes_twice_is_judged_once_and_results_that_come_back_are_not(
    make_node: MakeNode, orthanc: Orthanc
) -> None:
    node = make_node(send_to=[orthanc.node])
    node.receives()
    node.judges()
    node.sends()
    orthanc.knows("pulmo", "PULMO", node.port)
    names = orthanc.put([make_image()])
    for _ in range(2):
        assert orthanc.sends("pulmo", names).status_code == 200
    until(lambda: is_sent(node, 2))
    assert node.status.inbox["done"] == 1
    image = make_image(SOPInstanceUID=orthanc.instances()[-1]["SOPInstanceUID"])
    assert store(node.port, image) == 0
    until(lambda: node.status.inbox["refused"] + node.status.inbox["done"] == 2)
    assert is_sent(node, 2 if node.status.inbox["refused"] else 4)


def test_results_wait_while_the_archive_is_away_and_arrive_once(
    make_node: MakeNode, tmp_path: Path, capsys: Capture
) -> None:
    users = {"anna": "secret"}
    orthanc = Orthanc(tmp_path / "orthanc", AuthenticationEnabled=True, RegisteredUsers=users)
    node = make_node(send_to=[orthanc.node], stow=[orthanc.web])
    node.receives()
    node.judges()
    node.sends(Way("PULMO", credentials=Credentials("anna", "secret")))
    images = [make_image() for _ in range(6)]
    for image in images[:3]:
        assert store(node.port, image) == 0
    until(lambda: sum(bool(each.error) for each in node.status.peers) == 2)
    assert {each.sent for each in node.status.peers} == {0}
    orthanc.start()
    try:
        orthanc.put(images)
        until(lambda: any(each.sent for each in node.status.peers))
        orthanc.kill()
        for image in images[3:]:
            assert store(node.port, image) == 0
        until(lambda: node.status.inbox["done"] == 6)
        orthanc.start()
        until(lambda: is_sent(node, 12))
        made = [each for each in orthanc.instances() if each["Modality"] == "DOC"]
        assert len(made) == len({each["SOPInstanceUID"] for each in made}) == 12
    finally:
        orthanc.kill()
    said = capsys.readouterr().err
    assert f"{orthanc.node} cannot be reached." in said
    assert "secret" not in said


def test_a_node_that_is_killed_anywhere_loses_and_repeats_nothing(
    orthanc: Orthanc, tmp_path: Path
) -> None:
    data, port, image = tmp_path / "data", free_port(), make_image()
    again = partial(listening, data, port, send_to=[orthanc.node])
    with again(die_at="after:put") as process:
        # The sender does not hear that it was received, and will send it again.
        assert store(port, image) is None
        process.join(30)
    for place in ("before:settle", "after:settle", "before:mark_sent", "after:mark_sent"):
        with again(die_at=place) as process:
            process.join(30)
        assert process.exitcode == -signal.SIGKILL
    with again() as process:
        assert store(port, image) == 0
        with Store(data) as opened:
            waits = "SELECT 1 FROM outbox WHERE state = 'queued'"
            until(lambda: not opened.database.rows(waits))
        os.kill(process.pid or 0, signal.SIGTERM)
        process.join(30)
    assert process.exitcode == 0
    made = orthanc.instances()
    assert len(made) == len({each["SOPInstanceUID"] for each in made}) == 2
    with Store(data) as opened:
        actions = [line["action"] for line in log_rows(opened.database)]
    assert actions == ["receive", "judge", "send", "send"]
    assert json.loads((tmp_path / "log").read_text().splitlines()[-1])["event"] == "stop"


@pytest.mark.usefixtures("unmeasured_workers")
def test_an_image_that_crashes_or_hangs_its_worker_costs_that_image(make_node: MakeNode) -> None:
    pool = JobPool(tiny_worker, READY, workers=1, seconds=3)
    pool.wait()
    node = make_node(pool=pool)
    node.receives()
    node.judges()
    for view in ("LPO", "RLD", "LL", "PA"):
        assert store(node.port, make_image(ViewPosition=view)) == 0
    until(lambda: not node.status.inbox["received"])
    codes = [each.code for each in node.status.errors]
    assert codes == ["image-lateral", "image-too-slow", "image-crashes-reader"]
    assert node.status.inbox["done"] == 1
    pool.close()


@pytest.mark.usefixtures("unmeasured_workers")
def test_the_results_of_a_model_arrive(
    model: Path, orthanc: Orthanc, tmp_path: Path, capsys: Capture
) -> None:
    phantom = draw("covid", 1, np.random.default_rng(3))
    (name,) = orthanc.put([dicom(phantom, Levels("MONOCHROME2", 0, 4000), "node")])
    answers: list[int | None] = []
    canaries = dcmread(io.BytesIO(make_image()))
    fill(canaries, 3)

    def use_and_stop(address: str) -> None:
        try:
            port = int(address.rpartition(":")[2])
            orthanc.knows("pulmo", "PULMO", port)
            answers.append(store(port, written(canaries), caller=orthanc.title))
            answers.append(orthanc.sends("pulmo", [name]).status_code)
            until(lambda: len(orthanc.instances()) == 4)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    options = ListenOptions(
        data=tmp_path / "data", port=0, workers=1, allow=[orthanc.title], send_to=[orthanc.node]
    )
    with refuses("listen-interrupted"):
        listen(model, options, lambda text: Thread(target=use_and_stop, args=(text,)).start())
    assert answers == [0, 200]
    found = orthanc.instances()
    assert len({each["StudyInstanceUID"] for each in found}) == 1
    assert sorted(each["Modality"] for each in found) == ["DX", "OT", "PR", "SR"]
    said = capsys.readouterr().err.encode()
    assert b'"status": "done"' in said
    assert said.count(b'"event": "judged"') == 2
    said += b"".join(path.read_bytes() for path in (tmp_path / "data").glob("node.db*"))
    assert leaks(said) == []
