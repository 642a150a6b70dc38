"""What `import pulmo` gives."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pulmo


def test_every_name_of_the_front_door_can_be_used(image: Path, bundle: Path) -> None:
    assert set(pulmo.__all__) <= set(dir(pulmo))
    predictor = pulmo.load(str(bundle))
    radiograph = pulmo.read(str(image))
    outcome = predictor.predict(radiograph)
    (result,) = pulmo.predict([str(image)], predictor)
    assert result.probabilities == outcome.probabilities
    assert all(callable(getattr(pulmo, name)) for name in pulmo.__all__ if name != "stats")
    assert pulmo.stats.proportion(np.array([True, False])).value == 0.5
    np.testing.assert_allclose(sum(outcome.probabilities.values()), 1)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'teh'"):
        getattr(pulmo, "teh")  # noqa: B009 - mypy knows that it is not there


def test_the_import_alone_loads_nothing() -> None:
    program = "import sys, pulmo; print('numpy' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False False\n"
