"""What a viewer shows of a prediction: the image, heat maps, lungs, boxes and the report."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from pulmo.serve.access import CallerOf, ServiceOf
from pulmo.serve.errors import described
from pulmo.serve.pixels import MEDIA_TYPES, ImageForm
from pulmo.serve.routes.predictions import PredictionId
from pulmo.serve.service import Caller, Service
from pulmo.serve.views import Boxes, Explanation, Lungs
from pulmo.serve.worker import Kind

router = APIRouter(prefix="/v1/predictions/{prediction_id}", tags=["images"])

_ERRORS: Final = described(404, 409, 410, 422, 429, 500, 503, 504)
_PNG: Final[Any] = {200: {"content": {"image/png": {}}, "description": "A PNG image."}, **_ERRORS}

Label = Annotated[
    str | None, Query(alias="class", description="A class of the model. Default: the decision.")
]
MethodName = Annotated[
    str, Query(description="A method that the model serves; `hirescam` has a fixed scale.")
]


async def _asked(
    service: Service,
    caller: Caller,
    prediction_id: str,
    kind: Kind,
    options: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - of the kind
    async with service.admitted():
        return await service.view(prediction_id, kind, options, caller)


@router.get(
    "/image",
    response_class=Response,
    responses={
        200: {
            "content": {"image/png": {}, "application/octet-stream": {}},
            "description": "The pixels.",
            "headers": {
                "X-Image-Width": {"schema": {"type": "integer"}},
                "X-Image-Height": {"schema": {"type": "integer"}},
            },
        },
        **_ERRORS,
    },
)
async def image(
    service: ServiceOf,
    caller: CallerOf,
    prediction_id: PredictionId,
    form: Annotated[
        ImageForm,
        Query(
            description="png: 8 bits. png16: 16 bits. raw16: rows of little-endian 16-bit values, "
            "for window and level in a browser, which reduces a PNG image to 8 bits."
        ),
    ] = "png",
    side: Annotated[
        int | None,
        Query(ge=16, le=8192, description="Most pixels of the longer side. Default: all."),
    ] = None,
) -> Response:
    """Gives the image as it is meant to be looked at: air dark, bone bright."""
    data, height, width = await _asked(
        service, caller, prediction_id, "image", {"form": form, "side": side}
    )
    size = {"X-Image-Width": str(width), "X-Image-Height": str(height)}
    return Response(data, media_type=MEDIA_TYPES[form], headers=size)


@router.get("/heatmap", response_class=Response, responses=_PNG)
async def heatmap(
    service: ServiceOf,
    caller: CallerOf,
    prediction_id: PredictionId,
    label: Label = None,
    method: MethodName = "hirescam",
) -> Response:
    """Gives the evidence for a class as a layer to lay over the image, RGBA."""
    options = {"label": label, "method": method}
    drawn = await _asked(service, caller, prediction_id, "heatmap", options)
    return Response(drawn.layer, media_type="image/png")


@router.get("/explanation", response_model=Explanation, responses=_ERRORS)
async def explanation(
    service: ServiceOf,
    caller: CallerOf,
    prediction_id: PredictionId,
    label: Label = None,
    method: MethodName = "hirescam",
) -> Any:  # noqa: ANN401 - as its model says
    """Says what that layer shows, on which scale."""
    options = {"label": label, "method": method}
    drawn = await _asked(service, caller, prediction_id, "heatmap", options)
    return drawn.explanation


@router.get("/lungs", response_model=Lungs, responses=_ERRORS)
async def lungs(service: ServiceOf, caller: CallerOf, prediction_id: PredictionId) -> Any:  # noqa: ANN401 - as its model says
    """Gives the outlines of the lungs."""
    return await _asked(service, caller, prediction_id, "lungs", {})


@router.get("/boxes", response_model=Boxes, responses=_ERRORS)
async def boxes(
    service: ServiceOf, caller: CallerOf, prediction_id: PredictionId, label: Label = None
) -> Any:  # noqa: ANN401 - as its model says
    """Gives boxes about the evidence for a class, in fractions of the image."""
    return await _asked(service, caller, prediction_id, "boxes", {"label": label})


@router.get(
    "/report.pdf",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}}, "description": "A page of PDF."},
        **_ERRORS,
    },
)
async def report(service: ServiceOf, caller: CallerOf, prediction_id: PredictionId) -> Response:
    """Gives the prediction with its heat map as a page to print."""
    data = await _asked(service, caller, prediction_id, "report", {})
    headers = {"Content-Disposition": f'inline; filename="{prediction_id}.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)
