from collections.abc import Callable

import numpy as np
import pandas as pd

from pulmo.audit.context import AuditContext
from pulmo.audit.screening import is_positive, sensitivity, specificity
from pulmo.bundle.card import Card


def test_positives_are_the_cards_at_its_threshold(
    make_rows: Callable[..., pd.DataFrame],
    tell: Callable[..., AuditContext],
    make_card: Callable[..., Card],
) -> None:
    card = make_card(("normal", "viral", "covid"), ("viral", "covid"))
    table = np.array([[0.4, 0.3, 0.3], [0.6, 0.1, 0.3], [0.6, 0.2, 0.2], [0.4, 0.5, 0.1]])
    context = tell(make_rows(["viral", "covid", "normal", "normal"]), table, card=card)
    assert is_positive(context).tolist() == [True, True, False, False]
    assert context.decisions.positive.tolist() == [True, False, False, True]
    everyone = np.arange(4)
    assert sensitivity(context, everyone)[:1] == specificity(context, everyone)[:1] == (0.5,)
    assert sensitivity(context, everyone[:1]).value == 1.0
    assert sensitivity(context, everyone[2:]).reason == "there is no positive image"
    assert specificity(context, everyone[:2]).reason == "there is no negative image"
