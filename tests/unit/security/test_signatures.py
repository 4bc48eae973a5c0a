"""Webhook signatures: only our secret, only now, only this body."""

import base64
from datetime import UTC, datetime

import pytest

from app.domain.errors import StartupFailed, Unauthorized
from app.security.signatures import WebhookSignature

SECRET = f"whsec_{base64.b64encode(b'a secret of thirty-two bytes, ok').decode()}"


def test_what_was_signed_is_accepted_whatever_the_headers_case():
    verifier = WebhookSignature(SECRET)
    headers = verifier.sign("msg_1", datetime.now(UTC), b"{}")

    verifier.verify({name.title(): value for name, value in headers.items()}, b"{}")


def test_a_body_that_is_no_text_is_not_signed():
    verifier = WebhookSignature(SECRET)
    headers = verifier.sign("msg_1", datetime.now(UTC), b"{}")

    with pytest.raises(Unauthorized, match="wrong or too old"):
        verifier.verify(headers, b"\xff")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_\u00e9", "whsec_a"])
def test_a_secret_that_cannot_sign_stops_the_start(secret: str):
    with pytest.raises(StartupFailed, match="WEBHOOK_SECRET"):
        WebhookSignature(secret)
