"""Signed webhooks: who sent it, when, and that nobody changed it (Standard Webhooks)."""

from collections.abc import Mapping
from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError, WebhookVerificationError

from app.domain.errors import StartupFailed, Unauthorized

SIGNED_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookSignature:
    """One shared secret, to sign and to verify; signatures older or newer than five minutes are refused."""

    def __init__(self, secret: str) -> None:
        """Raises StartupFailed when the secret cannot be used."""
        try:
            self._webhook = Webhook(secret)
        except (ValueError, RuntimeError, EmptyWebhookSecretError) as error:
            raise StartupFailed(
                "WEBHOOK_SECRET cannot be used: it must be `whsec_` and base64."
            ) from error

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises Unauthorized unless the body was signed with our secret a moment ago."""
        lower = {name.lower(): value for name, value in headers.items()}
        if missing := [name for name in SIGNED_HEADERS if not lower.get(name)]:
            raise Unauthorized(f"The webhook is not signed: {', '.join(missing)} missing")
        try:
            self._webhook.verify(body, lower, json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            # ValueError: what is no base64, no number or no UTF-8 is no signature either.
            raise Unauthorized("The webhook's signature is wrong or too old") from error

    def sign(self, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that prove a body."""
        signature = self._webhook.sign(message_id, at, body.decode())
        values = (message_id, str(int(at.timestamp())), signature)
        return dict(zip(SIGNED_HEADERS, values, strict=True))
