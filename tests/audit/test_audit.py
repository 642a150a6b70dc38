from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.audit import audit as audit_module
from pulmo.audit.audit import audit
from pulmo.audit.check import CHECKS, CannotRun, Check, Message, Outcome, Run
from pulmo.audit.context import AuditContext
from pulmo.core.registry import Registry
from pulmo.datasets.manifest import Manifest

if TYPE_CHECKING:
    from pulmo.audit.check_result import Verdict


def cannot_run(_: AuditContext) -> Outcome:
    raise CannotRun("unknown", "Nobody knows.")


def giving(outcome: Outcome) -> Run:
    return lambda _: outcome


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> Registry[Check]:
    """Four checks, one a verdict."""
    registry = Registry[Check]("check", "pulmo.audit.checks")
    registry._loaded = True
    verdicts: list[Verdict] = ["passes", "warns", "fails"]
    for verdict in verdicts:
        outcome = Outcome(verdict, (Message("it", f"It {verdict}."),))
        made = Check(verdict, "Is it?", f"Its verdict is {verdict}.", giving(outcome))
        registry.register(verdict)(made)
    registry.register("could_not_run")(Check("could_not_run", "Is it?", "It is known.", cannot_run))
    monkeypatch.setattr(audit_module, "CHECKS", registry)
    return registry


@pytest.fixture
def context(
    make_rows: Callable[..., pd.DataFrame], tell: Callable[..., AuditContext]
) -> AuditContext:
    rows = make_rows(["normal", "covid", "covid"]).assign(
        group=["a", "b", "b"], source=["x", "x", "y"]
    )
    return tell(rows, np.full((3, 2), 0.5), fit=make_rows(["normal"] * 4, 10))


@pytest.mark.usefixtures("four")
def test_results_come_with_sentences_the_most_important_first(context: AuditContext) -> None:
    heard: list[tuple[int, int]] = []
    found = audit(context, split="test", on_progress=lambda *done: heard.append(done))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [each.verdict for each in found.checks] == ["fails", "warns", "could_not_run", "passes"]
    assert found.shown == ("Its verdict is passes.",)
    assert found.not_shown == (
        "FAILED (fails): It fails.",
        "WARNING (warns): It warns.",
        "COULD NOT RUN (could_not_run): Nobody knows.",
    )
    assert found.result == "failed"
    assert found.summary.startswith("Audit result: failed.")
    assert found.accepted == ()


def test_each_check_that_could_not_run_has_a_sentence(
    four: Registry[Check], context: AuditContext
) -> None:
    four.register("other")(Check("other", "Is it?", "It is seen.", cannot_run))
    assert audit(context, only=["could_not_run", "other"]).not_shown == (
        "COULD NOT RUN (could_not_run): Nobody knows.",
        "COULD NOT RUN (other): Nobody knows.",
    )


@pytest.mark.usefixtures("four")
def test_an_accepted_failure_does_not_fail_the_audit(context: AuditContext) -> None:
    found = audit(context, accepted=["fails", "passes"])
    assert found.result == "incomplete"
    assert found.accepted == ("fails",)


@pytest.mark.usefixtures("four")
def test_only_some_checks_are_made(context: AuditContext) -> None:
    found = audit(context, only=["warns", "warns"])
    assert [each.check for each in found.checks] == ["warns"]
    assert found.result == "incomplete"
    with refuses("registry-name-unknown", "check", "'warn'"):
        audit(context, only=["warn"])
    with refuses("check-unknown", "'fail'"):
        audit(context, accepted=["fail"])


@pytest.mark.usefixtures("four")
def test_the_data_are_described(context: AuditContext) -> None:
    data = audit(context, split="test").data
    assert (data.split, data.n, data.groups, data.fitted) == ("test", 3, 2, 4)
    assert data.labels == {"normal": 1, "covid": 2}
    assert data.sources == {"x": {"covid": 1, "normal": 1}, "y": {"covid": 1, "normal": 0}}
    assert data.manifest_sha256 == Manifest.from_rows(context.rows).sha256


def test_the_checks_are_those_of_the_folder() -> None:
    assert "shortcuts" in CHECKS
