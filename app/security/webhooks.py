"""The door for webhooks: who may tell us something, and what is logged of those who may not."""

import logging
import time
from collections import OrderedDict
from collections.abc import Mapping

from app.domain.approval import Delivery
from app.domain.errors import Unauthorized
from app.security.signatures import WebhookSignature

LOG_EVERY_SECONDS = 60.0
SENDERS_REMEMBERED = 1000
RETRY_SECONDS = 30
"""A sender whose answer got lost comes again within these with the same signature."""
MESSAGE_ID = "webhook-id"
MESSAGE_ID_LIMIT = 512

log = logging.getLogger(__name__)


class WebhookDoor:
    """Demands a signature where there is a secret; without one everybody may come in, unsigned."""

    def __init__(self, signature: WebhookSignature | None) -> None:
        """Nobody has knocked yet."""
        self._signature = signature
        self._refused_at: OrderedDict[str, float] = OrderedDict()

    @property
    def is_locked(self) -> bool:
        """Whether senders must prove themselves."""
        return self._signature is not None

    def admit(self, headers: Mapping[str, str], body: bytes, sender: str) -> Delivery | None:
        """The delivery, None for one that names no message; raises Unauthorized."""
        message_id = headers.get(MESSAGE_ID, "")[:MESSAGE_ID_LIMIT]
        if self._signature is None:
            return Delivery(message_id) if message_id else None
        try:
            self._signature.verify(headers, body)
        except Unauthorized as error:
            self.note_refusal(sender, str(error))
            raise
        signed_at = int(float(headers["webhook-timestamp"]))
        is_recent = time.time() - signed_at <= RETRY_SECONDS
        return Delivery(message_id, signed_at, is_recent=is_recent)

    def note_refusal(self, sender: str, reason: str) -> None:
        """Log it, for each sender once a minute, and nothing of what it sent."""
        now = time.monotonic()
        last = self._refused_at.pop(sender, None)
        is_due = last is None or now - last >= LOG_EVERY_SECONDS
        self._refused_at[sender] = now if is_due or last is None else last
        if len(self._refused_at) > SENDERS_REMEMBERED:
            self._refused_at.popitem(last=False)
        if is_due:
            log.warning("webhook refused", extra={"sender": sender, "reason": reason})
