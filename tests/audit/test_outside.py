from collections.abc import Callable

import pandas as pd

from pulmo.audit.outside import outside
from pulmo.audit.subject import Subject

Rows = Callable[..., pd.DataFrame]
Show = Callable[..., Subject]


def test_a_source_or_an_origin_that_was_trained_on_is_not_outside(
    make_rows: Rows, make_subject: Show
) -> None:
    fit = make_rows(["normal", "covid"], 100).assign(
        source=["a", "set"], origin=pd.Series([None, "b"])
    )
    origins = pd.Series([None, None, "a", "f", None])
    judged = make_rows(["normal"] * 5).assign(source=[*"abcde"], origin=origins)
    subject = make_subject(judged, lambda pictures: pictures[:, 0, :2], fit)
    assert outside(subject).tolist() == [False, False, False, True, True]
