"""Bytes of a request into text, or a sentence that says why not."""

import re

from app.domain.errors import BadInput

VISIBLE = re.compile(
    r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)


def decode(body: bytes) -> str:
    """The text without its byte order mark; raises BadInput when it is not UTF-8 or blank."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("Request body must be valid UTF-8") from None
    if VISIBLE.search(text) is None:
        raise BadInput("Request body is empty: send the log text as the body")
    return text
