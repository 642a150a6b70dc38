from collections.abc import Callable

import pandas as pd
import pytest

from pulmo.audit.check_result import CannotRun
from pulmo.audit.context import AuditContext
from pulmo.audit.parts import AuditedModel, Part
from pulmo.audit.provenance import provenance
from pulmo.bundle.card import Card

Rows = Callable[..., pd.DataFrame]
Show = Callable[..., AuditContext]


def test_a_source_or_an_origin_that_was_trained_on_is_not_external(
    make_rows: Rows, make_context: Show
) -> None:
    fit = make_rows(["normal", "covid"], 100).assign(
        source=["a", "set"], origin=pd.Series([None, "b"])
    )
    origins = pd.Series([None, None, "a", "f", None])
    test = make_rows(["normal"] * 5).assign(source=[*"abcde"], origin=origins)
    context = make_context(test, lambda images: images[:, 0, :2], fit)
    where = provenance(context)
    assert where.external.tolist() == [False, False, False, True, True]
    assert where.internal.tolist() == [True, True, True, False, False]


def test_of_what_is_not_stated_it_is_not_known(make_rows: Rows, make_context: Show) -> None:
    test = make_rows(["normal"] * 5).assign(
        source=["mine", "other", "other", "kermany", "unstated"],
        origin=pd.Series([None, None, "north", None, None]),
        root=pd.Series(["/mine", "/other", "/other", None, None]),
    )
    own = make_rows(["normal", "covid"], 100).assign(source="mine", root="/mine")
    context = make_context(test, lambda images: images[:, 0, :2], own)
    where = provenance(context)
    # The training may be of any hospital, so that no image is surely from elsewhere.
    assert where.external.tolist() == [False] * 5
    assert where.internal.tolist() == [True, False, False, False, False]
    stated = own.assign(origin="north")
    where = provenance(make_context(test, lambda images: images[:, 0, :2], stated))
    assert where.external.tolist() == [False, False, False, True, False]
    assert where.internal.tolist() == [False, False, True, False, False]


def test_a_card_tells_the_sources_of_an_unknown_training(
    make_rows: Rows, make_context: Show, make_card: Callable[..., Card]
) -> None:
    card = make_card()
    training = card.training.model_copy(update={"sources": {"normal": {"a": 3}, "covid": {"b": 4}}})
    card = card.model_copy(update={"training": training})
    test = make_rows(["normal"] * 3).assign(source=[*"abc"])
    context = make_context(test, lambda images: images[:, 0, :2], card=card)
    assert provenance(context).external.tolist() == [False, False, True]
    training = card.training.model_copy(
        update={"sources": {"normal": {"a": 3}, "covid": {"b (hospital not stated)": 4}}}
    )
    card = card.model_copy(update={"training": training})
    unsure = make_context(test, lambda images: images[:, 0, :2], card=card)
    assert provenance(unsure).external.tolist() == [False, False, False]
    model = AuditedModel(context.model.name, context.rule)
    said = test.assign(decision="normal", positive=False, p_normal=1.0, p_covid=0.0)
    external = AuditContext([Part(model, test.iloc[:0], said)], context.options)
    with pytest.raises(CannotRun, match="training images of the model are unknown"):
        provenance(external)
