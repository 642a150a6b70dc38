"""The models that are served."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from markdown_it import MarkdownIt

from pulmo.bundle.model_card import model_card
from pulmo.serve.access import CallerOf, ServiceOf
from pulmo.serve.documents import card_page
from pulmo.serve.errors import described
from pulmo.serve.models import ModelList, ModelSummary, chosen_model, summary_of

router = APIRouter(prefix="/v1/models", tags=["models"])

ModelId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="The id of a model.")]


@router.get("", responses=described())
def models(service: ServiceOf, _caller: CallerOf) -> ModelList:
    """Lists the models, the default first."""
    served = service.models.values()
    return ModelList(
        models=[summary_of(each, default=not number) for number, each in enumerate(served)]
    )


@router.get("/{model_id}", responses=described(404, 422))
def model(service: ServiceOf, _caller: CallerOf, model_id: ModelId) -> ModelSummary:
    """Says what a model is."""
    chosen = chosen_model(service.models, model_id)
    return summary_of(chosen, default=model_id == next(iter(service.models)))


@router.get(
    "/{model_id}/card",
    response_class=Response,
    responses={
        200: {"content": {"text/markdown": {}, "text/html": {}}, "description": "The card."},
        **described(404, 422),
    },
)
def card(
    service: ServiceOf,
    _caller: CallerOf,
    model_id: ModelId,
    form: Annotated[
        Literal["markdown", "html"], Query(alias="format", description="Of the card.")
    ] = "markdown",
) -> Response:
    """Gives the model card: what the model was shown, and what its results do not show."""
    chosen = chosen_model(service.models, model_id).card
    text = model_card(chosen)
    if form == "markdown":
        return Response(text, media_type="text/markdown")
    # A card may be anybody's, so HTML in it stays text.
    drawn = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return Response(card_page(chosen.name, drawn), media_type="text/html")
