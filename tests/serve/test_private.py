"""Nothing that a DICOM file says of its patient leaves the server, or is written by it."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from fixtures.canaries import fill, leaks, written
from fixtures.served import client_of
from pulmo.daemon.audit_log import export_log
from pulmo.serve.service import Service

MakeDicom = Callable[..., bytes]
MakeService = Callable[..., Service]

TAGS = {
    "BitsStored": 12,
    "HighBit": 11,
    "PatientAge": "044Y",
    "PatientSex": "F",
    "ViewPosition": "PA",
    "WindowCenter": 2048,
    "WindowWidth": 4096,
}


def test_no_canary_is_answered_logged_or_kept(
    make: MakeService, dicom: MakeDicom, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows, columns = np.mgrid[:64, :64]
    image = dcmread(io.BytesIO(dicom((rows * 31 + columns * 33).astype(np.uint16), TAGS)))
    fill(image)
    whole = written(image)
    assert len(leaks(whole)) > 4000
    service = make()
    client = client_of(service)
    bodies = [whole, whole[: len(whole) // 3], whole.replace(b"2048", b"ZQX0"), whole[:-4000]]
    files = [("ZQX00001", (f"ZQX{number:05}.dcm", body)) for number, body in enumerate(bodies)]
    answers = [client.post("/v1/predictions", content=body) for body in bodies]
    answers += [client.post("/v1/predictions", files=files)]
    done = answers[0].json()
    assert done["status"] == "done"
    assert (done["facts"]["view"], done["facts"]["modality"]) == ("PA", "X-ray")
    for what in (
        "", "/image", "/image?form=png16", "/heatmap", "/explanation", "/lungs", "/boxes",
        "/report.pdf",
    ):  # fmt: skip
        answers.append(client.get(f"/v1/predictions/{done['id']}{what}"))
        assert answers[-1].status_code == 200
    answers += [
        client.get("/v1/predictions"),
        client.get("/v1/predictions/export?format=csv"),
        client.get("/v1/predictions/export?format=json"),
        client.get("/metrics"),
        client.get("/ZQX00001?ZQX00001=ZQX00001"),
    ]
    exported = io.StringIO()
    export_log(service.database, "json", exported)
    assert len(json.loads(exported.getvalue())) == 2 * len(bodies)
    said = [answer.content + str(answer.headers.raw).encode() for answer in answers]
    said += [capfd.readouterr().err.encode(), exported.getvalue().encode()]
    said += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(said) > len(answers) + 2
    assert not [found for text in said for found in leaks(text)]
    # What is known of the patient is not said either.
    assert b"44" not in json.dumps(done["facts"]).encode()
    assert not {"age", "sex"} & done["facts"].keys()
