"""Bytes of a request into text, or a sentence that says why not."""

from app.domain.errors import BadInput


def decode(body: bytes) -> str:
    """The text without its byte order mark; raises BadInput when it is not UTF-8 or blank."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("Request body must be valid UTF-8") from None
    if not text or text.isspace():
        raise BadInput("Request body is empty: send the log text as the body")
    return text
