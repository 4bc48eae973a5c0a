"""What can go wrong with a question to Gemini, in our own words."""

from app.domain.errors import ReasonerFailed, ReasonerRefusedKey

REFUSED_KEY = "Gemini refused the API key (GOOGLE_API_KEY)"

_RETRYABLE_CODES = {408, 429, 500, 502, 503, 504}
_LONGEST_QUOTE = 300


class MayPass(ReasonerFailed):
    """A fault that another try may not meet; `wait_seconds` is what the service asks for."""

    most_attempts = 4

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        """The service's wish, or None when it has none."""
        super().__init__(message)
        self.wait_seconds = wait_seconds


class UnusableAnswer(MayPass):
    """Complete, paid for, and not what was asked; one more try, at once."""

    most_attempts = 2

    def __init__(self, message: str) -> None:
        """There is nothing to wait for."""
        super().__init__(message, wait_seconds=0)


class Unreadable(MayPass):
    """What came back is not what the client library expects."""


class SchemaRefused(ReasonerFailed):
    """Gemini cannot hold its answer to this schema; asked in words it may still answer."""


def fault_of_status(
    code: int, message: str, reasons: frozenset[str], wait_seconds: float | None
) -> ReasonerFailed:
    """The fault an HTTP status stands for; `message` must not hold the key any more."""
    said = f": {message[:_LONGEST_QUOTE]}" if message else ""
    if _is_key_refused(code, message, reasons):
        return ReasonerRefusedKey(REFUSED_KEY)
    if code in _RETRYABLE_CODES:
        state = "rate limit is reached" if code == 429 else f"service is not available ({code})"
        return MayPass(f"Gemini's {state}{said}", wait_seconds)
    if code == 404:
        return ReasonerFailed(f"Gemini does not offer this model (GEMINI_MODEL_ID){said}")
    if code == 400 and "schema" in message.lower():
        return SchemaRefused(f"Gemini refused the form of the answer{said}")
    return ReasonerFailed(f"Gemini refused the question ({code}){said}")


def _is_key_refused(code: int, message: str, reasons: frozenset[str]) -> bool:
    if code in {401, 403}:
        return True
    return code == 400 and (
        any(reason.startswith("API_KEY_") for reason in reasons) or "api key" in message.lower()
    )
