"""Examples of answers, which the documentation of the routes shows."""

from typing import Any, Final

from pydantic import ConfigDict

NOTICE: Final = "For research, not diagnosis."

_MODEL_HASH: Final = "3a7bd3e2360a3d29eea436fcfb7e44c735d117c42d1c1835420b6b9942dd4f1b"
_WEIGHTS_HASH: Final = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"

ANSWER: Final[dict[str, Any]] = {
    "id": "0f9c1c9e6d1b4a0fa4b8a7f3c2d1e0ab",
    "created": "2026-11-30T19:02:11.482Z",
    "status": "done",
    "reason": None,
    "code": None,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "notes": [],
    "note_kinds": [],
    "probabilities": {"covid": 0.91, "other pneumonia": 0.06, "normal": 0.03},
    "decision": "covid",
    "positive_classes": ["covid"],
    "positive_probability": 0.91,
    "threshold": 0.42,
    "positive": True,
    "band": "positive",
    "prediction_set": ["covid"],
    "facts": {
        "format": "DICOM",
        "bits": 12,
        "height": 2500,
        "width": 2048,
        "view": "PA",
        "modality": "X-ray",
        "body_part": "chest",
        "intent": None,
        "patient_right": "left",
        "spacing": [0.143, 0.143],
    },
    "model": {
        "id": _MODEL_HASH[:16],
        "name": "starter",
        "version": "2026-11-28T10:00:00+00:00",
        "sha256": _MODEL_HASH,
        "weights_sha256": _WEIGHTS_HASH,
    },
    "image_until": "2026-11-30T19:32:11.482Z",
    "notice": NOTICE,
}

PAGE: Final[dict[str, Any]] = {"predictions": [ANSWER], "next": 17}

ERROR: Final[dict[str, Any]] = {
    "error": {
        "code": "prediction-unknown",
        "message": "There is no such prediction.",
        "request_id": "5b1f6a0c9d2e4f708192a3b4c5d6e7f8",
    }
}

EXPLANATION: Final[dict[str, Any]] = {
    "label": "covid",
    "method": "hirescam",
    "title": "HiResCAM",
    "parameters": {},
    "layer": None,
    "unit": "logit",
    "scale": 3.1,
    "fixed_scale": True,
    "share_in_lungs": 0.83,
    "caption": "covid 0.910, other pneumonia 0.060, normal 0.030.",
    "colours": ["#737373", "#f6d746"],
}

LUNGS: Final[dict[str, Any]] = {
    "found": True,
    "reason": None,
    "width": 2048,
    "height": 2500,
    "outlines": [{"side": "right", "points": [[412, 380], [411, 381], [410, 383]]}],
    "notes": [],
}

BOXES: Final[dict[str, Any]] = {
    "label": "covid",
    "unit": "logit",
    "available": True,
    "boxes": [{"left": 0.21, "top": 0.42, "width": 0.18, "height": 0.2, "score": 2.7}],
}

MODEL: Final[dict[str, Any]] = {
    "id": _MODEL_HASH[:16],
    "name": "starter",
    "description": "A small network.",
    "notice": NOTICE,
    "classes": ["covid", "other pneumonia", "normal"],
    "positive_classes": ["covid"],
    "threshold": 0.42,
    "sensitivity": {"value": 0.95, "low": 0.9, "high": 0.98, "n": 100},
    "specificity": {"value": 0.9, "low": 0.85, "high": 0.94, "n": 150},
    "positive_sentence": "positive: probability of covid at least 0.420, which found 0.950 "
    "(0.900-0.980) of such validation images.",
    "version": "2026-11-28T10:00:00+00:00",
    "sha256": _MODEL_HASH,
    "weights_sha256": _WEIGHTS_HASH,
    "license": "not stated",
    "bands": {"low": 0.2, "high": 0.7},
    "sets_coverage": 0.9,
    "methods": [
        {
            "name": "hirescam",
            "title": "HiResCAM",
            "fixed_scale": True,
            "of_class": True,
            "slow": False,
        }
    ],
    "default": True,
}


def shown(example: dict[str, Any]) -> ConfigDict:
    """Returns the setting of a record that shows an example."""
    return ConfigDict(json_schema_extra={"examples": [example]})
