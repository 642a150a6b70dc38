"""The viewer: window, zoom, layers and an earlier image."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from fixtures.browser import Complaints, Site, canvas, drawn

MakeDicom = Callable[..., bytes]


def drag(page: Page, across: float, down: float, **options: Any) -> None:  # noqa: ANN401 - of the mouse
    """Drags from the middle of the image."""
    box = page.locator(".pane canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down(**options)
    page.mouse.move(x + across, y + down, steps=4)
    page.mouse.up(**options)


def values(page: Page) -> str:
    return page.locator(".values").first.inner_text()


def test_the_pixels_are_those_of_the_server(page: Page, dicom: MakeDicom) -> None:
    # Halves at a quarter and at three quarters of the range.
    stored = np.full((64, 64), 1024, np.uint16)
    stored[:, 32:] = 3072
    stored[0, 0], stored[0, 1] = 0, 4095
    page.set_input_files("#files", {"name": "a", "mimeType": "", "buffer": dicom(stored, {})})
    page.locator(".values", has_text="zoom").wait_for()
    seen = canvas(page)
    middle = seen.shape[1] // 2
    assert abs(int(np.median(seen[:, : middle - 20])) - 64) <= 2
    assert abs(int(np.median(seen[:, middle + 20 :])) - 191) <= 2
    # Half the window about the same level: the halves are at its ends.
    page.locator("#width").fill("50")
    seen = canvas(page)
    assert int(np.median(seen[:, : middle - 20])) <= 2
    assert int(np.median(seen[:, middle + 20 :])) >= 253
    page.keyboard.press("i")
    assert int(np.median(canvas(page)[:, : middle - 20])) >= 253


def test_a_drag_changes_window_and_level(shown: Page) -> None:
    before = canvas(shown)
    drag(shown, 0, 120)
    darker = canvas(shown)
    assert darker.mean() < before.mean() - 10
    drag(shown, -200, 0)
    assert canvas(shown).std() > darker.std()
    assert "window 100 %" not in values(shown).lower()
    shown.keyboard.press("r")
    assert np.array_equal(canvas(shown), before)


def test_the_wheel_zooms_where_it_points(shown: Page) -> None:
    before = canvas(shown)
    shown.locator(".pane canvas").hover(position={"x": 200, "y": 200})
    shown.mouse.wheel(0, -400)
    expect(shown.locator(".values")).to_contain_text("zoom 223 %")
    assert not np.array_equal(canvas(shown), before)
    shown.locator(".pane canvas").dblclick()
    expect(shown.locator(".values")).to_contain_text("zoom 100 %")
    assert np.array_equal(canvas(shown), before)


def test_the_image_moves(shown: Page) -> None:
    shown.keyboard.press("+")

    def arrow() -> None:
        shown.keyboard.press("e")
        shown.keyboard.press("ArrowLeft")

    def tool() -> None:
        shown.get_by_role("radio", name="Move").click()
        drag(shown, 40, 0)

    for move in (arrow, lambda: drag(shown, 40, 0, button="right"), tool):
        before = canvas(shown)
        move()
        # It is the same image, 40 pixels further to the right.
        moved = canvas(shown)
        assert np.abs(moved[:, 40:] - before[:, :-40]).mean() < 1
        assert not np.array_equal(moved, before)


def test_two_fingers_zoom_and_move(shown: Page) -> None:
    shown.locator(".pane canvas").evaluate(
        "canvas => { const fire = (kind, id, x, y) => canvas.dispatchEvent(new PointerEvent(kind,"
        "{ pointerId: id, clientX: x, clientY: y, bubbles: true, pointerType: 'touch' }));"
        "canvas.setPointerCapture = () => {};"
        "fire('pointerdown', 1, 500, 400); fire('pointerdown', 2, 600, 400);"
        "fire('pointermove', 2, 700, 400); fire('pointerup', 2, 700, 400);"
        "fire('pointerup', 1, 500, 400); }"
    )
    canvas(shown)
    assert "zoom 200 %" in values(shown)
    assert "Window 100 %" in values(shown)


def test_a_heat_map_lies_over_the_image(shown: Page, site: Site) -> None:
    before = canvas(shown)
    shown.check("#heat")
    expect(shown.locator("#legend")).to_be_visible()
    strong = np.ptp(canvas(shown), axis=2)
    assert np.ptp(before, axis=2).max() == 0
    assert strong.max() > 0
    answer = shown.request.get(f"{site.address}/v1/predictions").json()["predictions"][0]
    said = shown.request.get(f"{site.address}/v1/predictions/{answer['id']}/explanation").json()
    scale = f"{said['scale']:#.2g}".rstrip(".")
    expect(shown.locator("#legend-high")).to_have_text(f"{scale} logit")
    expect(shown.locator("#legend-text")).to_contain_text("the same for every image")
    shown.locator("#opacity").fill("20")
    weak = np.ptp(canvas(shown), axis=2)
    assert 0 < weak.mean() < strong.mean()
    shown.locator("#opacity").fill("0")
    assert np.array_equal(canvas(shown), before)
    shown.uncheck("#heat")
    expect(shown.locator("#legend")).to_be_hidden()


def test_the_map_of_another_class_and_of_another_method(shown: Page) -> None:
    shown.check("#heat")
    expect(shown.locator("#legend-text")).to_contain_text("HiResCAM")
    labels = shown.locator("#heat-class option").all_inner_texts()
    other = next(label for label in labels if label != shown.locator("#heat-class").input_value())
    shown.select_option("#heat-class", other)
    expect(shown.locator("#legend-text")).to_contain_text(f"Evidence for {other}")
    shown.select_option("#heat-method", "occlusion")
    expect(shown.locator("#legend-text")).to_contain_text("Occlusion")
    # Colours of two such maps must not be compared.
    expect(shown.locator("#legend-text")).to_contain_text("of this map alone")


def test_lungs_are_outlined_or_missed(shown: Page, site: Site) -> None:
    answer = shown.request.get(f"{site.address}/v1/predictions").json()["predictions"][0]
    lungs = shown.request.get(f"{site.address}/v1/predictions/{answer['id']}/lungs").json()
    before = canvas(shown)
    shown.check("#lungs")
    if lungs["found"]:
        assert np.ptp(before, axis=2).max() == 0
        drawn(shown, lambda seen: np.ptp(seen, axis=2).max() > 50)
    else:
        expect(shown.locator("#layer-notes")).to_contain_text("No lungs were found")


def test_boxes_are_drawn_where_the_server_says(shown: Page, image: Path) -> None:
    box = {"left": 0.4, "top": 0.4, "width": 0.2, "height": 0.2, "score": 2.5}
    found = {"label": "covid", "unit": "logit", "available": True, "boxes": [box]}
    shown.route("**/boxes?*", lambda route: route.fulfill(json=found))
    shown.check("#boxes")

    def yellow(seen: NDArray[np.int16]) -> NDArray[np.bool_]:
        return np.asarray(seen[..., 0] - seen[..., 2] > 120)

    seen = yellow(drawn(shown, lambda seen: bool(yellow(seen).any())))
    columns = np.flatnonzero(seen.any(axis=0))
    pane = shown.locator(".pane canvas").bounding_box()
    assert pane is not None
    with Image.open(image) as file:
        scale = min(pane["width"] / file.width, pane["height"] / file.height)
        wide = 0.2 * file.width * scale
    # The middle of the image is in the middle of the canvas.
    assert abs((columns.min() + columns.max()) / 2 - seen.shape[1] / 2) <= 3
    assert abs(columns.max() - columns.min() - wide) <= 4


def test_no_rule_for_boxes_is_said(shown: Page) -> None:
    nothing = {"label": "covid", "unit": "logit", "available": False, "boxes": []}
    shown.route("**/boxes?*", lambda route: route.fulfill(json=nothing))
    shown.check("#boxes")
    expect(shown.locator("#layer-notes")).to_contain_text("no rule for boxes")


def test_an_earlier_image_is_linked(page: Page, phantoms: Path) -> None:
    images = sorted((phantoms.parent / "images").glob("*.png"))[:3]
    page.set_input_files("#files", images)
    page.locator(".values", has_text="zoom").wait_for()
    expect(page.locator(".item .number")).to_have_count(3)
    earlier = page.locator("#earlier")
    expect(earlier.locator("option")).to_have_count(3)
    earlier.select_option(index=1)
    expect(page.locator(".pane")).to_have_count(2)
    expect(page.locator(".caption").nth(1)).to_contain_text(f"Earlier: {images[1].name}")
    page.locator(".values").nth(1).get_by_text("zoom 100 %").wait_for()
    before = canvas(page, 1)
    page.locator("#width").fill("40")
    assert not np.array_equal(canvas(page, 1), before)
    page.keyboard.press("+")
    for place in range(2):
        expect(page.locator(".values").nth(place)).to_contain_text("Window 40 %")
        expect(page.locator(".values").nth(place)).to_contain_text("zoom 125 %")
    # Another image may be of another patient.
    page.get_by_role("button", name=images[2].name).click()
    expect(page.locator(".pane")).to_have_count(1)
    expect(earlier).to_have_value("")


def test_an_image_that_is_not_kept_can_be_sent_again(
    shown: Page, site: Site, complaints: Complaints
) -> None:
    answer = shown.request.get(f"{site.address}/v1/predictions").json()["predictions"][0]
    site.service.kept.drop(answer["id"])
    shown.check("#heat")
    expect(shown.locator("#layer-notes")).to_contain_text("does not keep this image any more")
    shown.locator(".item button").first.click()
    expect(shown.locator("#view-message")).to_contain_text("Send the file again")
    expect(shown.locator("#detail .answer")).to_be_visible()
    expect(shown.locator("#report")).to_have_count(0)
    shown.get_by_role("button", name="Send it again").click()
    expect(shown.locator(".item")).to_have_count(2)
    complaints.forget()


def test_more_pixels_are_loaded_where_the_zoom_shows_them(page: Page, dicom: MakeDicom) -> None:
    stored = np.zeros((32, 2100), np.uint16)
    stored[:, ::2] = 4000
    with page.expect_request("**/image?form=raw16&side=4096"):
        page.set_input_files("#files", {"name": "a", "mimeType": "", "buffer": dicom(stored, {})})
        page.locator(".values", has_text="zoom").wait_for()
        page.keyboard.press("1")
        page.keyboard.press("+")


def test_an_image_comes_when_the_server_is_back(
    page: Page, phantoms: Path, complaints: Complaints
) -> None:
    images = sorted((phantoms.parent / "images").glob("*.png"))[:2]
    page.set_input_files("#files", images)
    expect(page.locator(".item .number")).to_have_count(2)
    page.clock.install()
    for path in ("**/v1/**", "**/healthz"):
        page.route(path, lambda route: route.abort())
    page.get_by_role("button", name=images[1].name).click()
    expect(page.locator("#view-message")).to_have_text("The server does not answer.")
    page.unroute_all()
    page.clock.run_for(6000)
    expect(page.locator(".caption")).to_contain_text(images[1].name)
    expect(page.locator(".values")).to_be_visible()
    complaints.forget()
