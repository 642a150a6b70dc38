from typing import get_args

import pytest

from pulmo.audit.check import CHECKS
from pulmo.audit.check_result import CheckResult, Verdict
from pulmo.audit.result import ESSENTIAL, result_of, summary
from pulmo.core.message import Message


def results(**verdicts: Verdict) -> list[CheckResult]:
    """Results of all checks, which pass unless another verdict is named."""
    return [
        CheckResult(
            check=name,
            question="Is it?",
            verdict=verdicts.get(name.replace("-", "_"), "passes"),
            messages=(Message("it", "It is."),),
            statement="It is.",
        )
        for name in CHECKS
    ]


def test_the_essential_checks_are_checks() -> None:
    assert set(ESSENTIAL) < set(CHECKS)


def test_an_audit_passes_only_if_all_essential_checks_ran() -> None:
    assert result_of(results(), ()) == "passed"
    assert result_of(results(mirror="could_not_run", shortcuts="warns"), ()) == "passed"
    for name in ESSENTIAL:
        not_run: dict[str, Verdict] = {name: "could_not_run"}
        assert result_of(results(**not_run), ()) == "incomplete"
        assert result_of([each for each in results() if each.check != name], ()) == "incomplete"


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_an_audit_fails_where_a_check_fails_that_was_not_accepted(verdict: Verdict) -> None:
    others: dict[Verdict, str] = {"could_not_run": "incomplete", "passes": "passed"}
    for leakage, otherwise in others.items():
        checks = results(mirror=verdict, leakage=leakage)
        assert (result_of(checks, ()) == "failed") == (verdict == "fails")
        assert result_of(checks, ("mirror",)) == otherwise


def test_the_summary_counts_the_checks_that_ran_and_names_the_others() -> None:
    text = summary(results(mirror="could_not_run"), ())
    assert text.startswith("Audit result: passed. 14 of 15 checks ran.")
    assert text.endswith("could not run: mirror.")
    text = summary(
        results(mirror="could_not_run", sources="could_not_run", leakage="could_not_run"), ()
    )
    assert text.startswith("Audit result: incomplete. 12 of 15 checks ran.")
    assert "did not run: leakage, sources." in text
    assert text.endswith("could not run: mirror.")
    text = summary(results(mirror="fails", lungs="fails", sources="could_not_run"), ("lungs",))
    assert text.startswith("Audit result: failed. 14 of 15 checks ran. Failed: mirror.")
    assert "accepted: lungs." in text
    assert "not run" not in summary(results(), ())
