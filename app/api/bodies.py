"""Reading request bodies with a limit that holds while they arrive."""

from fastapi import Request

from app.domain.errors import InputTooLarge

MIB = 1024 * 1024


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body; raises InputTooLarge as soon as it is over the limit."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise _too_large(limit_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(body)


def _too_large(limit_bytes: int) -> InputTooLarge:
    if limit_bytes < MIB:
        return InputTooLarge(f"The body is over the limit of {limit_bytes // 1024} KiB.")
    return InputTooLarge(
        f"The body is over the limit of {limit_bytes // MIB} MiB (MAX_BODY_MIB);"
        " send the part around the failure."
    )
