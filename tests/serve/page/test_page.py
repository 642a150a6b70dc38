"""The frame of the page: the notice, tokens, dialogs, the keyboard, names, contrast and size."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fixtures.browser import Complaints, Site
from pulmo.serve.app import PAGE
from pulmo.serve.tokens import create_token


def test_the_notice_is_always_there(shown: Page) -> None:
    notice = shown.locator("#notice")
    expect(notice).to_have_text(re.compile("^For research, not diagnosis."))
    assert notice.get_by_role("button").count() == 0
    for key in ("?", "Escape", "m"):
        shown.keyboard.press(key)
        expect(notice).to_be_in_viewport(ratio=1)
    shown.keyboard.press("Escape")
    for width, height in ((400, 700), (320, 500)):
        shown.set_viewport_size({"width": width, "height": height})
        shown.mouse.wheel(0, 3000)
        expect(notice).to_be_in_viewport(ratio=1)


def test_nothing_sticks_out_of_a_phone(shown: Page) -> None:
    shown.set_viewport_size({"width": 400, "height": 800})
    shown.check("#heat")
    expect(shown.locator("#legend")).to_be_visible()
    assert shown.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.fixture
def closed(site: Site) -> Iterator[str]:
    """The token of a server that asks for one."""
    token = create_token(site.service.database, "anna")
    site.service.needs_token = True
    yield token
    site.service.needs_token = False
    with site.service.database.transaction() as connection:
        connection.execute("DELETE FROM tokens")


def test_a_token_is_asked_for_and_kept_in_the_tab(
    unloaded: Page, site: Site, closed: str, complaints: Complaints
) -> None:
    unloaded.goto(site.address)
    dialog = unloaded.get_by_role("dialog", name="This server asks for a token")
    expect(dialog.get_by_label("Token")).to_be_focused()
    unloaded.keyboard.type("pulmo_wrong")
    unloaded.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The token is unknown or was revoked.")
    dialog.get_by_label("Token").fill(closed)
    dialog.get_by_role("button", name="Use the token").click()
    expect(unloaded.locator("#choose-files")).to_be_enabled()
    complaints.forget()
    unloaded.reload()
    expect(unloaded.locator("#choose-files")).to_be_enabled()
    assert unloaded.evaluate("localStorage.length") == 0
    unloaded.get_by_role("button", name="Forget the token").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(unloaded.locator("#list-empty")).to_contain_text("needs a token")
    unloaded.get_by_role("button", name="Try again").click()
    expect(dialog).to_be_visible()
    complaints.forget()


def test_everything_works_without_a_mouse(page: Page, image: Path) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the image")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("u")
    chooser.value.set_files([image, image])
    expect(page.locator(".item .number")).to_have_count(2)
    page.keyboard.press("g")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".item button").nth(1)).to_be_focused()
    expect(page.locator(".item button").nth(1)).to_have_attribute("aria-current", "true")
    page.locator(".values", has_text="zoom").wait_for()
    for key in ("]", ".", "+", "i"):
        page.keyboard.press(key)
    expect(page.locator(".values")).to_have_text(
        "Window 110 % · level 56 % · zoom 125 % · inverted"
    )
    page.keyboard.press("h")
    expect(page.locator("#legend")).to_be_visible()
    page.keyboard.press("c")
    expect(page.locator("#earlier")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".pane")).to_have_count(2)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("m")
    expect(page.get_by_role("dialog", name="Model card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_every_key_is_in_the_dialog_and_can_be_switched_off(page: Page) -> None:
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    listed = dialog.locator("kbd").all_inner_texts()
    said = {
        key.upper() if len(key) == 1 else key
        for place in page.locator("[aria-keyshortcuts]").all()
        if (key := place.get_attribute("aria-keyshortcuts"))
    }
    assert said <= set(listed)
    assert len(listed) == len(set(listed))
    dialog.get_by_label("Use single keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    expect(dialog).to_be_visible()


def test_the_card_has_its_text_and_nothing_that_runs(page: Page, complaints: Complaints) -> None:
    evil = (
        '<main><h1 onclick="alert(1)">card</h1><script>document.title = "run"</script>'
        '<img src=x onerror="alert(1)"><a href="javascript:alert(1)">a</a><style>p{}</style></main>'
    )
    is_evil = False
    page.route(
        "**/card?format=html",
        lambda route: route.fulfill(body=evil) if is_evil else route.continue_(),
    )
    page.keyboard.press("m")
    card = page.get_by_role("region", name="Model card")
    expect(card.get_by_role("heading", level=1)).to_have_text("demo")
    expect(card.get_by_role("table").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    is_evil = True
    page.keyboard.press("m")
    expect(card.get_by_role("heading", level=1)).to_have_text("card")
    assert card.inner_html().startswith("<h1>card</h1>")
    assert "<img" not in card.inner_html()
    assert "javascript:" not in card.inner_html()
    assert "<script" not in card.inner_html()
    assert page.title() == "pulmo"
    # The browser says that it does not run them.
    complaints.forget()


def test_a_server_without_models_says_so(unloaded: Page, site: Site) -> None:
    unloaded.route("**/v1/models", lambda route: route.fulfill(json={"models": []}))
    unloaded.goto(site.address)
    expect(unloaded.locator("#drop-text")).to_have_text(re.compile("The server has no model"))
    expect(unloaded.locator("#choose-files")).to_be_disabled()


def test_what_a_model_lacks_is_not_shown(unloaded: Page, site: Site, image: Path) -> None:
    asked = unloaded.request.post(f"{site.address}/v1/predictions", data=image.read_bytes())
    bare = asked.json() | {"band": None, "prediction_set": None}
    unloaded.route("**/v1/predictions?model=*", lambda route: route.fulfill(json=bare))
    unloaded.goto(site.address)
    unloaded.locator("#choose-files:enabled").wait_for()
    unloaded.set_input_files("#files", image)
    detail = unloaded.locator("#detail")
    expect(detail).to_contain_text("Most probable class")
    expect(detail).not_to_contain_text("Band")
    expect(detail).not_to_contain_text("Prediction set")


def test_sensitivity_and_specificity_are_said_with_their_intervals(shown: Page, site: Site) -> None:
    model = shown.request.get(f"{site.address}/v1/models").json()["models"][0]
    for name in ("sensitivity", "specificity"):
        found = model[name]
        words = (
            f"{found['value']:.3f} (95 % interval {found['low']:.3f} to {found['high']:.3f}) of "
            f"{found['n']} images"
        )
        expect(shown.locator("#meaning")).to_have_text(re.compile(rf"{re.escape(words)}.*{name}"))


def test_where_they_are_unknown_the_model_s_own_sentence_is_shown(
    unloaded: Page, site: Site, image: Path
) -> None:
    model = unloaded.request.get(f"{site.address}/v1/models").json()["models"][0]
    bare = model | {"specificity": None, "bands": None, "sets_coverage": None}
    unloaded.route("**/v1/models", lambda route: route.fulfill(json={"models": [bare]}))
    unloaded.goto(site.address)
    unloaded.locator("#choose-files:enabled").wait_for()
    unloaded.set_input_files("#files", image)
    sentence = model["positive_sentence"].removeprefix("positive: ")
    expect(unloaded.locator("#meaning")).to_contain_text(f"Positive means: {sentence}")


def test_every_control_has_a_name(shown: Page) -> None:
    shown.check("#heat")
    nameless = shown.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas, progress, a, dialog')]"
        ".filter(each => !each.ariaLabel && !each.labels?.length && !each.textContent.trim()"
        " && !each.ariaLabelledByElements?.length).map(each => each.outerHTML)"
    )
    assert nameless == []
    snapshot = shown.locator("#viewer").aria_snapshot()
    for line in (
        'radiogroup "What a drag does"',
        'radio "Window and level" [checked]',
        'button "Zoom in"',
        'slider "Opacity"',
        'combobox "Earlier image"',
        'img "Image ',
    ):
        assert line in snapshot


def test_what_happens_is_said_aloud(shown: Page, image: Path) -> None:
    live = shown.locator("#live")
    expect(live).to_have_attribute("aria-live", "polite")
    expect(live).to_contain_text(f"{image.name}: ")


CONTRAST = """
() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgb(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const texts = [...element.childNodes].filter(n => n.nodeType === 3);
    const text = texts.map(n => n.data).join("").trim();
    const style = getComputedStyle(element);
    if (!text || element.closest(":disabled, option, .pane, .hidden")) continue;
    if (!element.checkVisibility()) continue;
    const [a, b] = [light(rgb(style.color)), light(behind(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), element.tagName, text.slice(0, 40)]);
  }
  return found;
}
"""


def test_text_can_be_told_from_what_is_behind_it(shown: Page) -> None:
    shown.set_input_files("#files", {"name": "b.png", "mimeType": "", "buffer": b"no image"})
    shown.locator(".item", has_text="failed").wait_for()
    shown.emulate_media(reduced_motion="reduce")
    shown.locator(".item button").nth(1).click()
    shown.check("#heat")
    expect(shown.locator("#legend")).to_be_visible()
    for theme in ("dark", "light"):
        shown.select_option("#theme", theme)
        # WCAG 2.2, 1.4.3: 4.5 for text of this size.
        found = shown.evaluate(CONTRAST)
        assert len(found) > 40
        assert [each for each in found if each[0] < 4.5] == []
        shown.keyboard.press("e")
        shown.keyboard.press("?")
        assert [each for each in shown.evaluate(CONTRAST) if each[0] < 4.5] == []
        shown.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_theme_follows_the_system_until_it_is_chosen(page: Page, scheme: str) -> None:
    def brightness() -> float:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour))) / 3

    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of its two
    assert (brightness() > 128) == (scheme == "light")
    other = {"dark": "light", "light": "dark"}[scheme]
    page.select_option("#theme", other)
    assert (brightness() > 128) == (other == "light")
    page.reload()
    assert (brightness() > 128) == (other == "light")


def test_nothing_moves_where_the_user_asks_for_rest(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate(
        "[...document.querySelectorAll('*')].filter(each => { const s = getComputedStyle(each);"
        "return s.transitionDuration !== '0s' || s.animationName !== 'none'; }).length"
    )
    assert moving == 0


def test_a_print_has_the_notice_the_image_and_the_result(shown: Page) -> None:
    shown.emulate_media(media="print")
    for shows in ("#notice", ".pane canvas", "#meaning"):
        expect(shown.locator(shows)).to_be_visible()
    for hides in ("#list", "#toolbar", "#report"):
        expect(shown.locator(hides)).to_be_hidden()


def test_the_focus_can_be_seen(page: Page) -> None:
    for _ in range(12):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))"
        )
        assert outline == ["solid", "2px"]


def test_the_page_is_small() -> None:
    assert sum(file.stat().st_size for file in PAGE.iterdir()) < 200_000
