"""The page of results: what a folder has, a training that goes on, and a report inside the page."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fixtures.browser import Complaints, Site
from pulmo.core.folders import RunFolder

REPORT = """<!doctype html><html><head><title>report</title>
<style>:root { --ink: rgb(1, 2, 3); } body { color: var(--ink); } .wide { width: 10px; }</style>
<script>document.title = "run"</script></head>
<body onload="document.title = 'run'"><h1>An evaluation</h1><a href="#end">to the end</a>
<p class="bar" style="width: 77px">bar</p><img src="https://example.org/x.png" alt="none">
<svg viewBox="0 0 9 9"><path id="line" d="M0 0L9 9"/><use href="#line"/></svg>
<p id="end">end</p></body></html>"""


@pytest.fixture
def results(unloaded: Page, site: Site, run: RunFolder, tmp_path: Path) -> Iterator[Path]:
    """The folder of a server whose page of results is open: a run that goes on, an evaluation."""
    live = tmp_path / "live"
    ignored = shutil.ignore_patterns("checkpoints", "card.json", "*.safetensors", "*.parquet")
    shutil.copytree(run.root, live, ignore=ignored)
    lines = (live / "history.jsonl").read_text().splitlines()
    (live / "history.jsonl").write_text(f"{lines[0]}\n")
    evaluation = tmp_path / "evaluation"
    evaluation.mkdir()
    (evaluation / "evaluation.json").write_text("{}")
    (evaluation / "report.html").write_text(REPORT)
    before = site.service.options
    site.service.options = replace(before, results=tmp_path)
    unloaded.goto(f"{site.address}/results.html")
    unloaded.locator(".item").first.wait_for()
    yield tmp_path
    site.service.options = before


@pytest.mark.usefixtures("results")
def test_results_are_listed_and_filtered(unloaded: Page) -> None:
    expect(unloaded.locator(".item")).to_have_count(2)
    unloaded.select_option("#kind", "run")
    expect(unloaded.locator(".item")).to_have_count(1)
    expect(unloaded.locator(".item")).to_contain_text("live")
    expect(unloaded.locator("#notice")).to_contain_text("For research, not diagnosis.")


def test_a_training_is_followed(unloaded: Page, results: Path, run: RunFolder) -> None:
    unloaded.clock.install()
    unloaded.get_by_role("button", name="live").click()
    says = unloaded.locator("#run-says")
    expect(says).to_have_text(
        re.compile(r"1 of at most 2 epochs are done. At most \d+ seconds left.")
    )
    shutil.copy(run.history, results / "live" / "history.jsonl")
    shutil.copy(run.card, results / "live" / "card.json")
    unloaded.clock.run_for(6000)
    expect(says).to_have_text("The training is finished. 2 of at most 2 epochs are done.")
    loss = json.loads(run.history.read_text().splitlines()[-1])["val_loss"]
    chart = unloaded.get_by_role("img", name=re.compile("^Loss by epoch"))
    expect(chart).to_have_accessible_name(re.compile(f"validation: {loss:.3f} in the last epoch"))
    # The address leads here again.
    unloaded.reload()
    expect(says).to_be_visible()


def test_a_report_has_its_style_and_runs_nothing(
    unloaded: Page, results: Path, complaints: Complaints
) -> None:
    assert results
    unloaded.get_by_role("button", name="evaluation").click()
    report = unloaded.get_by_role("region", name="Report of evaluation")
    expect(report.get_by_role("heading", name="An evaluation")).to_have_css("color", "rgb(1, 2, 3)")
    expect(report.locator(".bar")).to_have_css("width", "77px")
    expect(report.locator("use")).to_have_attribute("href", "#line")
    assert report.locator("script").count() == 0
    assert report.locator("img").get_attribute("src") is None
    report.get_by_role("link", name="to the end").click()
    assert unloaded.title() == "Results - pulmo"
    # The browser says that it does not run what is inline.
    assert all("Executing inline event handler" in text for text in complaints.texts)
    complaints.forget()


def test_a_server_without_a_folder_says_so(
    unloaded: Page, site: Site, complaints: Complaints
) -> None:
    unloaded.goto(f"{site.address}/results.html")
    expect(unloaded.locator("#list-empty")).to_contain_text("start it with --results")
    complaints.forget()
