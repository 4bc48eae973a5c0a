"""An answer type as the JSON schema that Gemini takes."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from app.domain.answer import Answer

_KEPT = {"type", "enum", "minimum", "maximum"}


@cache
def answer_schema(answer_type: type[Answer]) -> Mapping[str, Any]:
    """Without references and defaults, every property required.

    Gemini allows nothing beside a `$ref`, and a property that may be missing is one that the
    model leaves out.
    """
    schema = answer_type.model_json_schema()
    return _plain(schema, schema.get("$defs", {}))


def _plain(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _plain(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    if "anyOf" in schema:
        return _nullable([_plain(option, definitions) for option in schema["anyOf"]])
    plain = {key: value for key, value in schema.items() if key in _KEPT}
    if "const" in schema:
        plain["enum"] = [schema["const"]]
    if "items" in schema:
        plain["items"] = _plain(schema["items"], definitions)
    if "properties" in schema:
        properties = schema["properties"]
        plain["properties"] = {name: _plain(part, definitions) for name, part in properties.items()}
        plain["required"] = list(properties)
    return plain


def _nullable(options: list[dict[str, Any]]) -> dict[str, Any]:
    real = [option for option in options if option.get("type") != "null"]
    if len(real) == 1 and len(options) == 2 and set(real[0]) == {"type"}:
        return {"type": [real[0]["type"], "null"]}
    return {"anyOf": options}
