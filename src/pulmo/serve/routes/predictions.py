"""Predictions: asked for, listed, exported and deleted."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import iterate_in_threadpool
from fastapi.responses import StreamingResponse

from pulmo.core.errors import ImageStatus
from pulmo.serve import results
from pulmo.serve.access import CallerOf, ServiceOf
from pulmo.serve.answers import Answer, Answers, Page
from pulmo.serve.body import MOST_FILES, BodyLimits, read_images
from pulmo.serve.errors import described
from pulmo.serve.models import chosen_model
from pulmo.serve.options import MIB

router = APIRouter(prefix="/v1/predictions", tags=["predictions"])

PredictionId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The id of a prediction.")]

_BINARY: Final = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "The bytes of one image, or a form with one or many files. The content "
        "decides what an image is: JPEG, PNG, TIFF, BMP, WebP, JPEG 2000 or DICOM.",
        "content": {
            "application/octet-stream": _BINARY,
            "application/dicom": _BINARY,
            "image/*": _BINARY,
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                            "maxItems": MOST_FILES,
                        }
                    },
                }
            },
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=Answer | Answers,
    responses=described(400, 403, 404, 408, 413, 422, 429, 500, 503, 504, 507),
    openapi_extra=_BODY,
)
async def predict(
    request: Request,
    response: Response,
    service: ServiceOf,
    caller: CallerOf,
    model: Annotated[str | None, Query(description="A model's id. Default: the first.")] = None,
) -> Any:  # noqa: ANN401 - one answer or several
    """Classifies an image, or the images of a form.

    The answer on a single image is that prediction; that on a form is a list in the order of its
    files, in which an image that made a worker crash or hang has the status `failed`.
    """
    chosen, options = chosen_model(service.models, model), service.options
    async with service.admitted():
        limits = BodyLimits(options.max_mib * MIB, options.body_timeout, service.arriving)
        images = await read_images(request, limits)
        many = images if isinstance(images, list) else [images]
        found = await service.classify(chosen, many, caller)
    if isinstance(images, list):
        return {"predictions": [answer for answer, _ in found]}
    ((answer, error),) = found
    if error is not None:
        raise error
    response.headers["Location"] = f"{router.prefix}/{answer['id']}"
    return answer


@router.get("", response_model=Page, responses=described(422, 503))
def list_predictions(
    service: ServiceOf,
    caller: CallerOf,
    limit: Annotated[int, Query(ge=1, le=500, description="How many.")] = 50,
    before: Annotated[
        int | None, Query(ge=0, le=2**62, description="`next` of the page before.")
    ] = None,
    status: Annotated[ImageStatus | None, Query(description="Only of this status.")] = None,
) -> Any:  # noqa: ANN401 - as its model says
    """Lists the predictions that the caller may see, the newest first."""
    answers, cursor = results.page(service.database, limit, before, status, caller.sees)
    return {"predictions": [service.current(answer) for answer in answers], "next": cursor}


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {}, "application/json": {}}, "description": "The file."},
        **described(422, 503),
    },
)
def export(
    service: ServiceOf,
    caller: CallerOf,
    form: Annotated[Literal["csv", "json"], Query(alias="format", description="Of the file.")],
) -> StreamingResponse:
    """Gives the predictions that the caller may see as a file, the oldest first."""
    lines = (results.as_csv if form == "csv" else results.as_json)(service.database, caller.sees)
    return StreamingResponse(
        iterate_in_threadpool(lines),
        media_type="text/csv" if form == "csv" else "application/json",
        headers={"Content-Disposition": f'attachment; filename="predictions.{form}"'},
    )


@router.get("/{prediction_id}", response_model=Answer, responses=described(404, 422, 503))
async def prediction(service: ServiceOf, caller: CallerOf, prediction_id: PredictionId) -> Any:  # noqa: ANN401 - as its model says
    """Gives a prediction."""
    return await service.find(prediction_id, caller)


@router.delete("/{prediction_id}", status_code=204, responses=described(403, 404, 422, 503, 507))
async def delete(service: ServiceOf, caller: CallerOf, prediction_id: PredictionId) -> None:
    """Deletes a prediction and its image; the log keeps what was answered."""
    await service.delete(prediction_id, caller)
