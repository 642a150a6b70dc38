from pathlib import Path

import pytest

from pulmo.core.errors import InputError
from pulmo.evaluate.evaluation import read_evaluation


def test_a_file_that_is_no_evaluation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text('{"format": 2}')
    with pytest.raises(InputError, match=r"evaluation\.json is not an evaluation: "):
        read_evaluation(path)
    with pytest.raises(InputError, match="does not exist"):
        read_evaluation(tmp_path / "absent.json")
