"""Predictions over HTTP: what is asked, what is answered, lists and files."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from fixtures.served import client_of
from pulmo.core.files import sha256
from pulmo.serve.service import Service
from pulmo.workflows.model import load
from pulmo.workflows.predict import predict
from pulmo.workflows.prediction_output import record

MakeDicom = Callable[..., bytes]
MakeService = Callable[..., Service]

ROUTE = "/v1/predictions"


def error_of(response: Any) -> tuple[int, str]:  # noqa: ANN401 - of either client
    error = response.json()["error"]
    assert set(error) == {"code", "message", "request_id"}
    assert error["request_id"] == response.headers["x-request-id"]
    assert error["message"].endswith(".")
    return response.status_code, error["code"]


class TestOneImage:
    """A body that is an image."""

    def test_the_answer_is_that_of_the_command(
        self, client: TestClient, bundle: Path, image: Path
    ) -> None:
        response = client.post(ROUTE, content=image.read_bytes())
        assert response.status_code == 201
        answer = response.json()
        model = load(bundle)
        wanted = record(next(iter(predict(model, [image]))), model.predictor)
        assert answer["status"] == "done"
        same = wanted.keys() - {"file", "status", "heatmap", "detections", "model"}
        assert {key: answer[key] for key in same} == {key: wanted[key] for key in same}
        assert answer["model"] == wanted["model"] | {"id": wanted["model"]["sha256"][:16]}
        assert response.headers["location"] == f"{ROUTE}/{answer['id']}"
        assert client.get(response.headers["location"]).json() == answer
        assert answer["facts"]["format"] == "PNG"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer["created"])

    def test_what_the_model_is_not_for_is_refused(
        self, client: TestClient, dicom: MakeDicom
    ) -> None:
        stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
        answer = client.post(ROUTE, content=dicom(stored, {"Modality": "MR"})).json()
        assert (answer["status"], answer["code"]) == ("refused", "modality-out-of-scope")
        assert answer["reason"].startswith("The image ")
        assert answer["probabilities"] is answer["decision"] is None
        assert answer["facts"]["modality"] == "MR"
        # It can be looked at all the same.
        assert client.get(f"{ROUTE}/{answer['id']}/image").status_code == 200

    def test_what_cannot_be_read_has_failed(self, client: TestClient, image: Path) -> None:
        for data, code in (
            (image.read_bytes()[:300], "image-truncated"),
            (b"%PDF-1.7 not an image", "image-format-unknown"),
        ):
            response = client.post(ROUTE, content=data)
            answer = response.json()
            assert (response.status_code, answer["status"], answer["code"]) == (201, "failed", code)
            assert answer["sha256"] == sha256(data)
            assert answer["facts"] is answer["image_until"] is None

    def test_a_model_is_named_by_its_id(
        self, client: TestClient, done: dict[str, Any], image: Path
    ) -> None:
        query = {"model": done["model"]["id"]}
        again = client.post(ROUTE, content=image.read_bytes(), params=query).json()
        assert again["probabilities"] == done["probabilities"]
        assert again["id"] != done["id"]
        response = client.post(ROUTE, content=b"any", params={"model": "0" * 16})
        assert error_of(response) == (404, "model-unknown")

    def test_a_body_is_needed(self, client: TestClient) -> None:
        assert error_of(client.post(ROUTE)) == (400, "body-empty")


class TestForm:
    """A body with files."""

    def test_files_are_answered_in_their_order_whatever_they_are_called(
        self, client: TestClient, image: Path, tmp_path: Path
    ) -> None:
        images = sorted(image.parent.glob("*.png"))[:3]
        names = ["../../../etc/passwd", "a\0b\r\n", "ZQX\N{SNOWMAN}" * 200]
        files = [
            ("file", (name, path.read_bytes())) for name, path in zip(names, images, strict=True)
        ] + [("other", ("x.png", b"no image"))]
        before = sorted(tmp_path.rglob("*"))
        response = client.post(ROUTE, files=files, data={"field": "value"})
        assert response.status_code == 201
        answers = response.json()["predictions"]
        assert [each["sha256"] for each in answers[:3]] == [
            sha256(path.read_bytes()) for path in images
        ]
        assert [each["status"] for each in answers] == ["done", "done", "done", "failed"]
        assert sorted(tmp_path.rglob("*")) == before
        assert "passwd" not in response.text
        assert "ZQX" not in response.text

    @pytest.mark.parametrize(
        ("kind", "body", "code"),
        [
            ("multipart/form-data", b"x", "multipart-invalid"),
            ("multipart/form-data; boundary=a", b"--b\r\n", "multipart-invalid"),
            ("multipart/form-data; boundary=a", b"--a\r\nnonsense", "multipart-invalid"),
            (
                "multipart/form-data; boundary=a",
                b'--a\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf',
                "multipart-invalid",
            ),
            (
                "multipart/form-data; boundary=a",
                b'--a\r\nContent-Disposition: form-data; name="file"\r\n\r\nword\r\n--a--\r\n',
                "multipart-without-files",
            ),
        ],
    )
    def test_what_is_no_form_is_refused(
        self, client: TestClient, kind: str, body: bytes, code: str
    ) -> None:
        response = client.post(ROUTE, content=body, headers={"content-type": kind})
        assert error_of(response) == (400, code)

    def test_too_many_files_are_refused(self, client: TestClient) -> None:
        files = [("file", ("x", b"1")) for _ in range(101)]
        assert error_of(client.post(ROUTE, files=files)) == (400, "multipart-invalid")


class TestLimits:
    """Bytes and places."""

    def test_a_large_body_is_not_read_to_its_end(self, make: MakeService) -> None:
        client, sent = client_of(make(max_mib=1)), []

        def endless() -> Any:  # noqa: ANN401 - an iterator of bytes
            for number in range(64):
                sent.append(number)
                yield bytes(2**18)

        assert error_of(client.post(ROUTE, content=bytes(2**20 + 1))) == (413, "body-too-large")
        assert error_of(client.post(ROUTE, content=endless())) == (413, "body-too-large")
        form = {"file": ("x", bytes(2**20))}
        assert error_of(client.post(ROUTE, files=form)) == (413, "body-too-large")

    def test_without_a_place_the_caller_is_to_come_again(
        self, make: MakeService, image: Path
    ) -> None:
        service = make(queue=2)
        client = client_of(service)
        service.in_work = 2
        response = client.post(ROUTE, content=image.read_bytes())
        assert error_of(response) == (429, "server-busy")
        assert response.headers["retry-after"] == "1"
        service.in_work = 1
        assert client.post(ROUTE, content=image.read_bytes()).status_code == 201
        assert service.in_work == 1


class TestKept:
    """Results that were given before."""

    def test_pages_have_the_newest_first(self, client: TestClient, image: Path) -> None:
        ids = [
            client.post(ROUTE, content=data).json()["id"]
            for data in (image.read_bytes(), b"none", image.read_bytes())
        ]
        first = client.get(ROUTE, params={"limit": 2}).json()
        second = client.get(ROUTE, params={"limit": 2, "before": first["next"]}).json()
        found = [each["id"] for page in (first, second) for each in page["predictions"]]
        assert found == ids[::-1]
        assert second["next"] is None
        failed = client.get(ROUTE, params={"status": "failed"}).json()["predictions"]
        assert [each["id"] for each in failed] == [ids[1]]
        for query in ({"limit": 0}, {"limit": 501}, {"before": "x"}, {"status": "odd"}):
            assert error_of(client.get(ROUTE, params=query)) == (422, "request-invalid")

    def test_files_have_every_result(
        self, client: TestClient, done: dict[str, Any], image: Path
    ) -> None:
        client.post(ROUTE, content=image.read_bytes()[:300])
        listed = client.get(ROUTE).json()["predictions"]
        response = client.get(f"{ROUTE}/export", params={"format": "json"})
        exported = response.json()
        assert [each["id"] for each in exported] == [each["id"] for each in listed][::-1]
        assert exported[0] == done
        assert response.headers["content-disposition"].startswith("attachment")
        text = client.get(f"{ROUTE}/export", params={"format": "csv"}).text
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["status"] for row in rows] == ["done", "failed"]
        assert rows[0]["decision"] == done["decision"]
        for label, share in done["probabilities"].items():
            assert float(rows[0][f"p_{label}"]) == share
            assert rows[1][f"p_{label}"] == ""
        assert rows[0]["model_sha256"] == done["model"]["sha256"]
        assert rows[0]["width"] == str(done["facts"]["width"])

    def test_files_without_results_are_whole(self, client: TestClient) -> None:
        assert client.get(f"{ROUTE}/export", params={"format": "json"}).json() == []
        text = client.get(f"{ROUTE}/export", params={"format": "csv"}).text
        assert text.startswith("id,created,status,")
        assert len(text.splitlines()) == 1

    def test_a_result_can_be_deleted(self, client: TestClient, done: dict[str, Any]) -> None:
        path = f"{ROUTE}/{done['id']}"
        response = client.delete(path)
        assert (response.status_code, response.content) == (204, b"")
        for again in (client.get(path), client.delete(path), client.get(f"{path}/image")):
            assert error_of(again) == (404, "prediction-unknown")

    def test_results_outlive_the_server(
        self, service: Service, done: dict[str, Any], make: MakeService
    ) -> None:
        other = make()
        other.database.close()
        other.database = service.database
        again = client_of(other).get(f"{ROUTE}/{done['id']}").json()
        assert again == done | {"image_until": None}
        assert json.dumps(again)
