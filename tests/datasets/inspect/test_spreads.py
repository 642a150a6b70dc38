from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pulmo.datasets.inspect.facts import file_facts
from pulmo.datasets.inspect.inspection import QUANTILES
from pulmo.datasets.inspect.spreads import BINS, distributions_of


def test_quantiles_and_histograms_by_class(table: pd.DataFrame) -> None:
    table.loc[:9, "bytes"] = pd.NA
    distributions = distributions_of(table, file_facts(table))
    for name in ("width", "height", "bytes", "age"):
        distribution = distributions[name]
        for label, spread in distribution.classes.items():
            own = table.loc[table["label"] == label, name].dropna().to_numpy(float)
            assert spread.n == sum(spread.counts) == len(own)
            assert spread.quantiles == pytest.approx(np.quantile(own, QUANTILES))
            inner = np.searchsorted(distribution.edges[1:-1], own, side="right")
            assert spread.counts == tuple(np.bincount(inner, minlength=BINS))
    assert np.ptp(np.diff(np.log(distributions["width"].edges))) == pytest.approx(0, abs=1e-12)
    assert np.ptp(np.diff(distributions["age"].edges)) == pytest.approx(0, abs=1e-12)
    assert len(distributions["aspect"].edges) == BINS + 1


def test_nothing_known_and_nothing_that_varies(
    table: pd.DataFrame, fill: Callable[..., pd.DataFrame]
) -> None:
    table = fill(table, age=pd.NA, width=224)
    table.loc[table["label"] == "viral", "height"] = pd.NA
    n = int((table["label"] == "covid").sum())
    distributions = distributions_of(table, file_facts(table))
    assert distributions["age"].edges == ()
    assert distributions["age"].classes["covid"].counts == ()
    width = distributions["width"]
    assert (width.edges, width.classes["covid"].counts) == ((224, 224), (n,))
    viral = distributions["height"].classes["viral"]
    assert (viral.n, viral.quantiles, sum(viral.counts)) == (0, (), 0)
