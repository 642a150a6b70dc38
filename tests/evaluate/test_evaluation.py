from pathlib import Path

from fixtures.refuses import refuses
from pulmo.evaluate.evaluation import read_evaluation


def test_a_file_that_is_no_evaluation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text('{"format": 2}')
    with refuses("record-invalid", "evaluation.json", "an evaluation"):
        read_evaluation(path)
    with refuses("file-missing"):
        read_evaluation(tmp_path / "absent.json")
