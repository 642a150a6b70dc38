from pathlib import Path

import pytest

from pulmo.audit.finding import Audit, AuditedData, Finding, Series, Table, read_audit
from pulmo.core.errors import InputError
from pulmo.evaluate.evaluation import ModelName
from pulmo.stats.estimate import Estimate

AUDIT = Audit(
    model=ModelName(name="fake", version="1", sha256="0" * 64),
    data=AuditedData(
        manifest_sha256="0" * 64, split=None, n=2, groups=2, labels={}, sources={}, fitted=0
    ),
    findings=(
        Finding(
            check="x",
            question="Is it?",
            verdict="warns",
            sentence="Perhaps.",
            claim="is",
            figures={"share": Estimate(0.5, 0.1, 0.9, 2), "none": Estimate.undefined("no", 3)},
            tables=(
                Table(
                    title="t",
                    columns=("a", "b", "c"),
                    rows=(("word", 1, Estimate(0.5, 0.1, 0.9, 2)),),
                ),
            ),
            series=(
                Series(title="s", x_label="x", y_label="y", x=(1.0,), y=(Estimate(1, 0, 1, 1),)),
            ),
            images=("a.png",),
        ),
    ),
    passed=True,
    shown=(),
    not_shown=("With reservation, the model is: Perhaps.",),
)


def test_an_audit_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(AUDIT.model_dump_json())
    found = read_audit(path)
    assert found == AUDIT
    word, count, figure = found.findings[0].tables[0].rows[0]
    assert (type(word), type(count), type(figure)) == (str, int, Estimate)


def test_what_is_no_audit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text('{"format": 2}')
    with pytest.raises(InputError, match=r"audit\.json is not an audit"):
        read_audit(path)
    with pytest.raises(InputError):
        read_audit(tmp_path / "none.json")
