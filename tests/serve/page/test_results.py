"""Images are sent, and their results are shown."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import FilePayload, Page, Route, expect

from fixtures.browser import Complaints, Site

MakeDicom = Callable[..., bytes]
ANSWERED = re.compile("positive|negative")


def named(name: str, data: bytes) -> FilePayload:
    """Returns a file as a browser gives it."""
    return {"name": name, "mimeType": "", "buffer": data}


def hold(page: Page) -> list[Route]:
    """Keeps images on their way to the server; returns the list of them, which grows."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route("**/v1/predictions?model=*", keep)
    return held


def test_a_result_is_shown_in_words_and_numbers(shown: Page, image: Path, site: Site) -> None:
    answer = shown.request.get(f"{site.address}/v1/predictions").json()["predictions"][0]
    item = shown.get_by_role("button", name=image.name).first
    expect(item).to_contain_text(f"{answer['positive_probability']:.3f}")
    expect(item).to_have_attribute("aria-current", "true")
    expect(item).to_contain_text("positive" if answer["positive"] else "negative")
    detail = shown.locator("#detail")
    for label, share in answer["probabilities"].items():
        expect(detail.get_by_role("row", name=label)).to_contain_text(f"{share:.3f}")
    meaning = shown.locator("#meaning").inner_text()
    assert f"threshold {answer['threshold']:.3f}" in meaning
    expect(detail).to_contain_text(answer["sha256"])
    if answer["band"]:
        expect(detail.get_by_text(answer["band"]).first).to_be_visible()


def test_notes_are_shown(shown: Page, site: Site) -> None:
    answer = shown.request.get(f"{site.address}/v1/predictions").json()["predictions"][0]
    assert answer["notes"]
    for note in answer["notes"]:
        expect(shown.locator(".notes")).to_contain_text(note)


def test_what_cannot_be_read_says_why(page: Page) -> None:
    page.set_input_files("#files", named("a.png", b"no image"))
    item = page.locator(".item")
    expect(item).to_contain_text("failed")
    expect(item).to_contain_text("not a PNG")
    expect(page.locator("#detail .problem")).to_contain_text("There is no result.")
    expect(page.locator("#view-message")).to_contain_text("could not be read")
    expect(page.locator("#heat")).to_be_disabled()


def test_what_is_refused_says_why(page: Page, dicom: MakeDicom) -> None:
    stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    data = dicom(stored, {"Modality": "MR"})
    page.set_input_files("#files", named("a", data))
    item = page.locator(".item")
    expect(item).to_contain_text("refused")
    expect(page.locator("#detail .problem")).to_contain_text("no result")
    # It is an image, so it can be looked at.
    expect(page.locator(".values")).to_contain_text("zoom")


def test_files_of_other_kinds_are_left_out_and_said(page: Page, image: Path) -> None:
    page.set_input_files("#files", [named("list.csv", b"a"), named("b.png", image.read_bytes())])
    expect(page.locator("#left-out")).to_contain_text(
        "1 file left out, not images by name: list.csv"
    )
    expect(page.locator(".item")).to_have_count(1)


def test_a_folder_is_sent(page: Page, image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "patient"
    (folder / "deep").mkdir(parents=True)
    for name in ("1.png", "deep/2.png"):
        (folder / name).write_bytes(image.read_bytes())
    page.set_input_files("#folder", folder)
    for name in ("patient/1.png", "patient/deep/2.png"):
        expect(page.locator(".item", has_text=name)).to_contain_text(ANSWERED)


def test_the_server_is_told_no_name(page: Page, image: Path, site: Site) -> None:
    data = image.read_bytes()
    with page.expect_response("**/v1/predictions?model=*") as answered:
        page.set_input_files("#files", named("Jane-Doe.png", data))
    asked = answered.value.request
    page.get_by_role("button", name="Jane-Doe.png").wait_for()
    assert "Jane" not in str(asked.all_headers()) + asked.url
    # The body is the file's bytes and nothing around them.
    assert site.service.kept.get(answered.value.json()["id"]) == data


def test_images_are_dropped(page: Page, image: Path) -> None:
    data = page.evaluate_handle(
        "bytes => { const all = new DataTransfer();"
        "all.items.add(new File([new Uint8Array(bytes)], 'dropped.png')); return all; }",
        list(image.read_bytes()),
    )
    page.dispatch_event("main", "drop", {"dataTransfer": data})
    expect(page.locator(".item", has_text="dropped.png")).to_contain_text(ANSWERED)


def test_a_busy_server_is_waited_for(page: Page, image: Path, complaints: Complaints) -> None:
    asked: list[float] = []

    def answer(route: Route) -> None:
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
            return
        busy = '{"error": {"code": "server-busy", "message": "Busy.", "request_id": "1"}}'
        route.fulfill(status=429, headers={"Retry-After": "1"}, body=busy)

    page.route("**/v1/predictions?model=*", answer)
    page.set_input_files("#files", image)
    expect(page.locator("#state")).to_contain_text("The server is busy.")
    expect(page.locator(".item")).to_contain_text(ANSWERED)
    expect(page.locator("#state")).to_be_hidden()
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 1
    complaints.forget()


def test_what_waits_can_be_cancelled_and_sent_again(page: Page, image: Path) -> None:
    hold(page)
    page.set_input_files("#files", image)
    page.get_by_role("button", name=f"Cancel {image.name}").click()
    expect(page.locator(".item")).to_contain_text("not sent")
    expect(page.locator("#progress")).to_be_hidden()
    page.unroute_all()
    page.get_by_role("button", name=f"Send again: {image.name}").click()
    expect(page.locator(".item")).to_contain_text(ANSWERED)


def test_few_images_are_sent_at_once(page: Page, image: Path) -> None:
    held = hold(page)
    data = image.read_bytes()
    page.set_input_files("#files", [named(f"{number}.png", data) for number in range(8)])
    expect(page.locator(".item")).to_have_count(8)
    expect(page.locator("#progress-text")).to_have_text("0 of 8 images done")
    assert len(held) == 3
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator(".item", has_text="not sent")).to_have_count(8)


def test_a_server_that_is_gone_is_asked_again(
    page: Page, image: Path, complaints: Complaints
) -> None:
    page.clock.install()
    page.route("**/v1/**", lambda route: route.abort())
    page.route("**/healthz", lambda route: route.abort())
    page.set_input_files("#files", image)
    expect(page.locator("#state")).to_contain_text("The server does not answer.")
    expect(page.locator(".item")).to_contain_text("waits")
    page.unroute_all()
    page.clock.run_for(6000)
    page.clock.resume()
    expect(page.locator(".item")).to_contain_text(ANSWERED)
    expect(page.locator("#state")).to_be_hidden()
    complaints.forget()


def test_results_are_filtered_and_put_in_order(page: Page, phantoms: Path) -> None:
    images = sorted((phantoms.parent / "images").glob("*.png"))[:4]
    page.set_input_files("#files", images)
    numbers = page.locator(".item .number")
    expect(numbers).to_have_count(4)
    page.select_option("#order", "probability")
    found = [float(text) for text in numbers.all_inner_texts()]
    assert found == sorted(found, reverse=True)
    positive = page.locator(".item .word.positive").count()
    page.select_option("#filter", "positive")
    expect(page.locator(".item")).to_have_count(positive)
    page.select_option("#filter", "none")
    expect(page.locator(".item")).to_have_count(0)


def test_results_of_the_server_are_there_after_a_reload(shown: Page, image: Path) -> None:
    shown.reload()
    item = shown.get_by_role("button", name=re.compile("^Image [0-9a-f]{8}"))
    expect(item).to_be_visible()
    # The name of the file was only known to the page.
    expect(shown.get_by_text(image.name)).to_have_count(0)
    item.click()
    expect(shown.locator(".values")).to_contain_text("zoom")


def test_a_result_is_deleted_after_a_question(shown: Page, site: Site) -> None:
    shown.get_by_role("button", name="Delete").click()
    shown.get_by_role("button", name="Keep").click()
    expect(shown.locator(".item")).to_have_count(1)
    shown.keyboard.press("Delete")
    shown.locator("#delete-dialog").get_by_role("button", name="Delete").click()
    expect(shown.locator(".item")).to_have_count(0)
    assert shown.request.get(f"{site.address}/v1/predictions").json()["predictions"] == []


def test_all_results_are_exported(shown: Page, site: Site) -> None:
    for form in ("csv", "json"):
        with shown.expect_download() as saved:
            shown.get_by_role("button", name=form.upper(), exact=True).first.click()
        found = Path(saved.value.path()).read_bytes()
        wanted = shown.request.get(f"{site.address}/v1/predictions/export?format={form}").body()
        assert saved.value.suggested_filename == f"predictions.{form}"
        assert found == wanted


def test_the_report_is_a_pdf(shown: Page) -> None:
    with shown.expect_download() as saved:
        shown.keyboard.press("p")
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF")
