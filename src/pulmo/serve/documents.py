"""Pages without script: the documentation of the routes, and a model card."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("pulmo.serve", ""), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(name)


def card_page(name: str, drawn: str) -> str:
    """Returns a page with a model card.

    Args:
        name: of the model.
        drawn: the card as HTML, from a renderer that takes none from the card.
    """
    return _template("card.html.j2").render(name=name, drawn=drawn)


def routes_page(schema: Mapping[str, Any]) -> str:
    """Returns a page of what OpenAPI says of the routes."""
    return _template("docs.html.j2").render(info=schema["info"], routes=list(_routes(schema)))


def _routes(schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields what is said of each route."""
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            yield {
                "name": f"{method.upper()} {path}",
                "says": route["description"],
                "parameters": [
                    (each["name"], each["in"], each.get("description", ""))
                    for each in route.get("parameters", ())
                ],
                "answers": [
                    (status, each["description"], ", ".join(each.get("content", ())))
                    for status, each in route["responses"].items()
                ],
                "example": _example(schema, route),
            }


def _example(schema: Mapping[str, Any], route: Mapping[str, Any]) -> str | None:
    """Returns an example of an answer as text; None if there is none."""
    said = route["responses"].get("201") or route["responses"].get("200") or {}
    shown = said.get("content", {}).get("application/json", {}).get("schema", {})
    for each in (shown, *shown.get("anyOf", ())):
        name = each.get("$ref", "").rpartition("/")[2]
        examples = schema["components"]["schemas"].get(name, {}).get("examples")
        if examples:
            return json.dumps(examples[0], indent=2)
    return None
