"""JSON that a parser takes and that nothing can be done with: no number, or no end of nesting."""

import json
import math
from typing import Any, NoReturn

from fastapi.exceptions import RequestValidationError

DEEPEST = 32


def refuse_unusable_json(body: bytes) -> None:
    """Raises RequestValidationError; what is no JSON at all is left to the framework's own words."""
    try:
        depth = _depth(json.loads(body, parse_constant=_no_number, parse_float=_finite))
    except json.JSONDecodeError:
        return
    except RecursionError:
        depth = DEEPEST + 1
    except ValueError as error:
        raise _invalid(str(error)) from None
    if depth > DEEPEST:
        raise _invalid(f"It is nested over {DEEPEST} deep")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level and depth <= DEEPEST:
        depth += 1
        level = [child for parent in level for child in _children(parent)]
    return depth


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.values()]
    return value if isinstance(value, list) else []


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no number")


def _invalid(reason: str) -> RequestValidationError:
    problem = {
        "type": "json_invalid",
        "loc": ("body",),
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": reason},
    }
    return RequestValidationError([problem])
