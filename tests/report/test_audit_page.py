"""The page of an audit."""

import re
from pathlib import Path

import pytest

from pulmo.audit.check_result import Audit, AuditedData, CheckResult, ExternalTable, Series, Table
from pulmo.bundle.card import Card
from pulmo.core.message import Message
from pulmo.evaluate.evaluation import ModelName
from pulmo.report.audit_page import AuditContent, render_audit, write_audit
from pulmo.stats.estimate import Estimate

SURE = Estimate(0.8, 0.7, 0.9, 40)
NONE = Estimate.undefined("no image states it")


@pytest.fixture
def audit(card: Card) -> Audit:
    label = card.labels.order[0]
    results = (
        CheckResult(
            check="shortcuts",
            question="Is it better than a <thumbnail>?",
            verdict="fails",
            messages=(Message("worse", "It is not."),),
            statement="The model is better than a thumbnail.",
            metrics={"model": SURE},
            tables=(
                Table(title="Baselines", columns=("sees", "n", "is"), rows=(("age", 1200, NONE),)),
            ),
        ),
        CheckResult(
            check="turns",
            question="Does it mind a turn?",
            verdict="passes",
            messages=(Message("no-drop", "It does not."),),
            statement="A turn does not matter.",
            series=(
                Series(
                    title="Turned",
                    x_label="degrees",
                    y_label="share",
                    x=(1.0, 2.0, 3.0),
                    y=(SURE, NONE, SURE._replace(low=None, high=None, reason="one group")),
                    reference=0.85,
                ),
                Series(title="Again", x_label="times", y_label="share", x=(1.0,), y=(SURE,)),
            ),
            images=("one.png", "two.png"),
        ),
    )
    return Audit(
        model=ModelName(name="mine", version="1", sha256="ab" * 32),
        data=AuditedData(
            manifest_sha256="cd" * 32,
            split="test",
            n=1240,
            groups=900,
            labels={label: 1240},
            sources={"here": {label: 1240}},
            fitted=5000,
        ),
        checks=results,
        result="failed",
        summary="Audit result: failed.",
        shown=("The model does not mind a turn.",),
        not_shown=("FAILED (shortcuts): It is not.",),
    )


def test_it_says_what_was_found_and_shows_the_evidence(audit: Audit, card: Card) -> None:
    page = render_audit(AuditContent(audit, card, ["The training may be another."]))
    assert "Audit result: failed" in page
    assert '<b>1</b> failed</dt><dd><a href="#shortcuts">shortcuts</a>' in page
    assert "<b>0</b> could not run" in page
    for name in ("leakage", "sources", "external"):
        assert f'<span class="badge could_not_run">Not run</span> {name}' in page
    assert "The training may be another." in page
    assert "better than a &lt;thumbnail&gt;?" in page
    assert "1,200" in page
    assert "No image states it." in page
    assert "one.png, two.png" in page
    assert page.count("<svg") == 2
    assert "fitted on the 5,000 training" in page
    assert "Shown on these images: A turn does not matter." in page
    assert "Not true on these images: The model is better than a thumbnail." in page
    assert page.index("Does it mind a turn?") > page.index("better than a &lt;thumbnail&gt;?")


def test_it_is_one_file_that_asks_nothing_of_the_network(audit: Audit, card: Card) -> None:
    page = render_audit(AuditContent(audit, card))
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert "<script" not in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= set(ids)
    assert page == render_audit(AuditContent(audit, card))


def test_an_accepted_failure_is_named(audit: Audit, card: Card, tmp_path: Path) -> None:
    accepted = audit.model_copy(
        update={"result": "incomplete", "accepted": ("shortcuts",), "shown": ()}
    )
    write_audit(tmp_path / "audit.html", AuditContent(accepted, card))
    page = (tmp_path / "audit.html").read_text()
    assert "Audit result: incomplete" in page
    assert '<a href="#shortcuts">shortcuts</a> (accepted)' in page
    assert "Fails, accepted" in page
    assert " --accept shortcuts -o DIR" in page


def test_a_table_of_predictions_has_no_card(audit: Audit) -> None:
    external = ExternalTable(
        positive=("tb",), threshold=None, merges={"flu": "clear"}, manifest=True
    )
    page = render_audit(AuditContent(audit.model_copy(update={"external": external}), None))
    assert "Only a table of its predictions is known." in page
    assert "tb counts as positive as the table states" in page
    assert "flu counts as clear." in page
    command = "pulmo audit PREDICTIONS --positive tb --merge flu=clear --data MANIFEST --split test"
    assert command in page
    assert '<span class="notice">For research, not diagnosis.</span>' in page
