from collections.abc import Callable

import numpy as np
import pandas as pd

from pulmo.audit.screening import called_positive, is_positive, sensitivity, specificity
from pulmo.audit.subject import Subject
from pulmo.bundle.card import Card


def test_positives_are_the_cards_at_its_threshold(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., Subject],
    make_card: Callable[..., Card],
) -> None:
    card = make_card(("normal", "viral", "covid"), ("viral", "covid"))
    table = np.array([[0.4, 0.3, 0.3], [0.6, 0.1, 0.3], [0.6, 0.2, 0.2], [0.4, 0.5, 0.1]])
    subject = tell(make_rows(["viral", "covid", "normal", "normal"]), table, card=card)
    assert is_positive(subject).tolist() == [True, True, False, False]
    assert called_positive(subject).tolist() == [True, False, False, True]
    everyone = np.arange(4)
    assert sensitivity(subject, everyone)[:1] == specificity(subject, everyone)[:1] == (0.5,)
    assert sensitivity(subject, everyone[:1]).value == 1.0
    assert sensitivity(subject, everyone[2:]).reason == "there is no positive image"
    assert specificity(subject, everyone[:2]).reason == "there is no negative image"
