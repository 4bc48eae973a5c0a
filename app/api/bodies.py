"""Reading request bodies with a limit that holds while they arrive."""

from fastapi import Request

from app.domain.errors import InputTooLarge

MIB = 1024 * 1024


async def read_body(request: Request, limit_bytes: int, advice: str = "") -> bytes:
    """The whole body; raises InputTooLarge, with advice, as soon as it is over the limit."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise _too_large(limit_bytes, advice)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes, advice)
    return bytes(body)


def _too_large(limit_bytes: int, advice: str) -> InputTooLarge:
    is_small = limit_bytes < MIB
    size = f"{limit_bytes // 1024} KiB" if is_small else f"{limit_bytes // MIB} MiB"
    return InputTooLarge(f"The body is over the limit of {size}{advice}.")
