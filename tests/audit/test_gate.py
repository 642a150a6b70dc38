from typing import get_args

import pytest

from pulmo.audit.check import CHECKS
from pulmo.audit.finding import Finding, Verdict
from pulmo.audit.gate import ESSENTIAL, gate_of, headline


def found(**verdicts: Verdict) -> list[Finding]:
    """Findings of all checks, which pass but for those that are named."""
    return [
        Finding(
            check=name,
            question="Is it?",
            verdict=verdicts.get(name.replace("-", "_"), "passes"),
            sentence="It is.",
            claim="is",
        )
        for name in CHECKS
    ]


def test_the_essential_checks_are_checks() -> None:
    assert set(ESSENTIAL) < set(CHECKS)


def test_a_gate_is_open_only_where_what_matters_was_looked_at() -> None:
    assert gate_of(found(), ()) == "open"
    assert gate_of(found(mirror="unknown", shortcuts="warns"), ()) == "open"
    for name in ESSENTIAL:
        blind: dict[str, Verdict] = {name: "unknown"}
        assert gate_of(found(**blind), ()) == "undecided"
        assert gate_of([each for each in found() if each.check != name], ()) == "undecided"


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_a_gate_is_closed_where_a_check_fails_that_was_not_accepted(verdict: Verdict) -> None:
    for other in ("unknown", "passes"):
        findings = found(mirror=verdict, leakage=other)
        assert (gate_of(findings, ()) == "closed") == (verdict == "fails")
        assert gate_of(findings, ("mirror",)) == ("undecided" if other == "unknown" else "open")


def test_the_headline_counts_what_could_look_and_names_what_could_not() -> None:
    said = headline(found(mirror="unknown"), ())
    assert said.startswith("The gate is open: 14 of 15 checks could look")
    assert said.endswith("Nothing is shown about mirror.")
    said = headline(found(mirror="unknown", sources="unknown", leakage="unknown"), ())
    assert said.startswith("The gate is undecided: 12 of 15 checks could look")
    assert "(leakage, sources)" in said
    assert said.endswith("Nothing is shown about leakage, sources, mirror.")
    said = headline(found(mirror="fails", lungs="fails", sources="unknown"), ("lungs",))
    assert said.startswith("The gate is closed: 1 of 15 checks fails; accepted: lungs. 14 of 15")
    assert "Nothing is shown about" not in headline(found(), ())
