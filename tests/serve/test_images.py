"""What a viewer asks for: pixels, heat maps, lungs, boxes and the report."""

import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from starlette.testclient import TestClient

from fixtures.served import client_of
from pulmo.explain.heat_map import HeatMap
from pulmo.explain.methods import GRAPH
from pulmo.explain.overlay import LONG_SIDE, draw_pair
from pulmo.lungs import segment
from pulmo.radiograph import read_radiograph
from pulmo.report.prediction_sheet import prediction_sheet
from pulmo.serve.service import Service
from pulmo.workflows.image_result import ImageResult
from pulmo.workflows.model import load

MakeService = Callable[..., Service]


@pytest.fixture
def path(done: dict[str, Any]) -> str:
    """The address of a prediction."""
    return f"/v1/predictions/{done['id']}"


@pytest.fixture
def result(bundle: Path, image: Path) -> ImageResult:
    """The same prediction, without a server."""
    return load(bundle).predict(image)


def pixels_of(data: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


def words_of(page: bytes) -> str:
    """The text of a page of PDF, without what is between its letters."""
    streams = re.findall(rb"stream\n(x.*?)\nendstream", page, re.DOTALL)
    drawn = next(text for text in map(zlib.decompress, streams) if b"BT" in text)
    lines = re.findall(rb"BT(.*?)ET", drawn, re.DOTALL)
    words = [b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", line)) for line in lines]
    return b"\n".join(words).decode("latin-1")


def code_of(response: Any) -> tuple[int, str]:  # noqa: ANN401 - of either client
    return response.status_code, response.json()["error"]["code"]


class TestPixels:
    """The image as it is displayed."""

    def test_each_form_has_the_pixels(self, client: TestClient, path: str, image: Path) -> None:
        wanted = read_radiograph(image).pixels
        height, width = wanted.shape
        png = client.get(f"{path}/image")
        assert png.headers["content-type"] == "image/png"
        size = {name: png.headers[f"x-image-{name}"] for name in ("height", "width")}
        assert size == {"height": str(height), "width": str(width)}
        assert (pixels_of(png.content) == np.rint(wanted * 255)).all()
        deep = client.get(f"{path}/image", params={"form": "png16"}).content
        raw = client.get(f"{path}/image", params={"form": "raw16"})
        assert raw.headers["content-type"] == "application/octet-stream"
        values = np.frombuffer(raw.content, "<u2").reshape(height, width)
        assert (values == np.rint(wanted * 65535)).all()
        assert (pixels_of(deep) == values).all()

    def test_it_can_be_smaller_and_is_never_larger(
        self, client: TestClient, path: str, image: Path
    ) -> None:
        wanted = read_radiograph(image).pixels
        small = client.get(f"{path}/image", params={"side": 32, "form": "raw16"})
        height, width = (int(small.headers[f"x-image-{name}"]) for name in ("height", "width"))
        assert max(height, width) == 32
        values = np.frombuffer(small.content, "<u2").reshape(height, width) / 65535
        np.testing.assert_allclose(values.mean(), wanted.mean(), atol=0.01)
        large = client.get(f"{path}/image", params={"side": 8192})
        assert pixels_of(large.content).shape == wanted.shape
        assert code_of(client.get(f"{path}/image", params={"side": 8})) == (422, "request-invalid")


class TestHeatMap:
    """The evidence as a layer, and what it shows."""

    def test_the_layer_over_the_image_is_the_drawing_of_the_command(
        self, client: TestClient, path: str, result: ImageResult
    ) -> None:
        layer = pixels_of(client.get(f"{path}/heatmap").content)
        assert max(layer.shape[:2]) == LONG_SIDE
        shown = result.heatmap()
        plain_map = shown.__class__(**{
            name: getattr(shown, name) for name in shown.__dataclass_fields__
            if name != "annotations"
        })  # fmt: skip
        pair = draw_pair(plain_map._overlay()).astype(float)
        width = layer.shape[1]
        plain, painted = pair[:, :width], pair[:, -width:]
        opacity = layer[..., 3:] / 255
        laid = plain * (1 - opacity) + layer[..., :3] * opacity
        assert opacity.max() > 0.1
        assert np.abs(laid - painted).max() <= 2

    def test_the_layer_and_what_it_shows_are_one_piece_of_work(
        self, client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[str | None] = []
        draw = ImageResult.heatmap

        def noted(result: ImageResult, label: str | None, method: str = GRAPH) -> HeatMap:
            made.append(label)
            return draw(result, label, method)

        monkeypatch.setattr(ImageResult, "heatmap", noted)
        for label in ("covid", "normal"):
            for what in ("heatmap", "explanation", "heatmap"):
                assert client.get(f"{path}/{what}", params={"class": label}).status_code == 200
        assert made == ["covid", "normal"]

    def test_class_and_method_are_chosen(
        self, client: TestClient, path: str, result: ImageResult
    ) -> None:
        for label in result.card.labels.order:
            wanted = result.heatmap(label)
            said = client.get(f"{path}/explanation", params={"class": label}).json()
            assert (said["label"], said["scale"], said["unit"]) == (
                label,
                wanted.scale,
                wanted.unit,
            )
            assert said["fixed_scale"] is True
            assert said["share_in_lungs"] == wanted.share_in_lungs
            assert said["caption"] == wanted.caption
            assert len(said["colours"]) == 32
        query = {"method": "occlusion"}
        said = client.get(f"{path}/explanation", params=query).json()
        assert (said["method"], said["fixed_scale"]) == ("occlusion", False)
        slow = client.get(f"{path}/heatmap", params=query).content
        assert slow != client.get(f"{path}/heatmap").content

    def test_what_the_model_does_not_have_is_refused(self, client: TestClient, path: str) -> None:
        for query, code in (
            ({"class": "odd"}, "class-unknown"),
            ({"method": "odd"}, "method-unknown"),
            ({"method": "gradcam"}, "method-needs-run"),
        ):
            assert code_of(client.get(f"{path}/heatmap", params=query)) == (422, code)
        assert code_of(client.get(f"{path}/boxes", params={"class": "odd"})) == (
            422,
            "class-unknown",
        )

    def test_boxes_are_the_detections(
        self, client: TestClient, path: str, result: ImageResult
    ) -> None:
        for label in result.card.labels.order:
            wanted = [each._asdict() for each in result.heatmap(label).detections]
            said = client.get(f"{path}/boxes", params={"class": label}).json()
            assert said["boxes"] == wanted
            assert said["available"] == (label in result.card.activation.detections)


def test_the_lungs_are_those_of_the_finder(client: TestClient, path: str, image: Path) -> None:
    wanted = segment(image)
    said = client.get(f"{path}/lungs").json()
    assert (said["found"], said["reason"]) == (wanted.found, wanted.reason)
    assert (said["height"], said["width"]) == wanted.mask.shape
    lines = [np.array(each["points"]) for each in said["outlines"]]
    assert all((one == two).all() for one, two in zip(lines, wanted.outline(), strict=True))


def test_the_report_is_one_page_that_names_what_it_is_of(
    client: TestClient, path: str, done: dict[str, Any]
) -> None:
    response = client.get(f"{path}/report.pdf")
    assert response.headers["content-type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", response.content)) == 1
    assert done["id"] in response.headers["content-disposition"]
    said = words_of(response.content)
    for wanted in (done["id"], done["sha256"], done["model"]["sha256"], done["notice"]):
        assert wanted in said
    for label, share in done["probabilities"].items():
        assert re.search(rf"{label} +{share:.3f}", said)
    for note in done["notes"]:
        assert " ".join(note.split()[:5]) in said


def test_a_report_of_many_notes_is_one_page_and_says_what_is_missing(
    done: dict[str, Any], result: ImageResult
) -> None:
    many = done | {"notes": [f"Note {number}." for number in range(60)]}
    page = prediction_sheet(result.heatmap().png(), many)
    assert "more lines of notes are in the prediction" in words_of(page)


class TestWithoutImage:
    """A result whose image is not there, or that has none."""

    def test_an_image_is_kept_for_its_time_alone(
        self, make: MakeService, image: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [0.0]
        monkeypatch.setattr("pulmo.serve.kept.monotonic", lambda: clock[0])
        service = make(keep=2)
        client = client_of(service)
        key = client.post("/v1/predictions", content=image.read_bytes()).json()["id"]
        path = f"/v1/predictions/{key}"
        clock[0] = 119
        assert client.get(f"{path}/image").status_code == 200
        clock[0] = 121
        assert code_of(client.get(f"{path}/image")) == (410, "image-not-kept")
        assert client.get(path).json()["image_until"] is None
        assert service.kept.bytes == 0

    def test_none_is_kept_where_that_is_asked(self, make: MakeService, image: Path) -> None:
        client = client_of(make(keep=0))
        answer = client.post("/v1/predictions", content=image.read_bytes()).json()
        assert answer["image_until"] is None
        response = client.get(f"/v1/predictions/{answer['id']}/heatmap")
        assert code_of(response) == (410, "image-not-kept")

    def test_the_oldest_make_room(self, make: MakeService, image: Path) -> None:
        service = make(keep_mib=1)
        client, data = client_of(service), image.read_bytes()
        first = client.post("/v1/predictions", content=data).json()["id"]
        # What comes after the end of a PNG file belongs to no image.
        client.post("/v1/predictions", content=data + bytes(2**20 - len(data) - 1))
        assert code_of(client.get(f"/v1/predictions/{first}/image")) == (410, "image-not-kept")
        assert service.kept.bytes < 2**20

    def test_what_has_no_result_has_no_map(self, client: TestClient) -> None:
        key = client.post("/v1/predictions", content=b"none").json()["id"]
        for what in ("heatmap", "explanation", "boxes", "lungs", "report.pdf"):
            response = client.get(f"/v1/predictions/{key}/{what}")
            assert code_of(response) == (409, "prediction-without-result")
        assert code_of(client.get(f"/v1/predictions/{key}/image")) == (410, "image-not-kept")
