from pathlib import Path

from fixtures.refuses import refuses
from pulmo.audit.check_result import Audit, AuditedData, CheckResult, Series, Table, read_audit
from pulmo.core.message import Message
from pulmo.evaluate.evaluation import ModelName
from pulmo.stats.estimate import Estimate

AUDIT = Audit(
    model=ModelName(name="fake", version="1", sha256="0" * 64),
    data=AuditedData(
        manifest_sha256="0" * 64, split=None, n=2, groups=2, labels={}, sources={}, fitted=0
    ),
    checks=(
        CheckResult(
            check="x",
            question="Is it?",
            verdict="warns",
            messages=(Message("perhaps", "Perhaps."), Message("why", "Why not.")),
            statement="It is.",
            metrics={"share": Estimate(0.5, 0.1, 0.9, 2), "none": Estimate.undefined("no", 3)},
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
    result="incomplete",
    summary="Audit result: incomplete.",
    shown=(),
    not_shown=("WARNING (x): Perhaps. Why not.",),
)


def test_an_audit_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(AUDIT.model_dump_json())
    found = read_audit(path)
    assert found == AUDIT
    assert found.checks[0].conclusion == "Perhaps. Why not."
    assert found.checks[0].kinds == ("perhaps", "why")
    word, count, value = found.checks[0].tables[0].rows[0]
    assert (type(word), type(count), type(value)) == (str, int, Estimate)


def test_what_is_no_audit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text('{"format": 1}')
    with refuses("record-invalid", "audit.json", "an audit"):
        read_audit(path)
    with refuses("file-missing"):
        read_audit(tmp_path / "none.json")
