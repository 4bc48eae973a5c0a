"""ReportSender: posts decisions to the backend, signed when there is a secret."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus

import httpx

from app.domain.errors import WebhookFailed, WebhookRefused
from app.domain.report import KEPT_HEADER, DueReport
from app.security.signatures import WebhookSignature

SEND_SECONDS = 10.0
WORTH_RETRYING = {
    HTTPStatus.NOT_FOUND,  # a backend that does not keep it may link the proposal later
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


class HttpReportSender:
    """Sends over one client; the webhook's id is the same on every attempt."""

    def __init__(
        self, client: httpx.AsyncClient, url: str, signer: WebhookSignature | None
    ) -> None:
        """Use `open_report_sender` instead: it closes the client."""
        self._client = client
        self._url = url
        self._signer = signer

    async def send(self, report: DueReport, at: datetime) -> None:
        """Deliver; raises WebhookFailed to be tried again, WebhookRefused when that is useless."""
        try:
            response = await self._client.post(
                self._url,
                content=report.body,
                headers=self._headers(report, at),
                timeout=SEND_SECONDS,
            )
        except httpx.HTTPError as error:
            raise WebhookFailed(f"The backend at {self._url} does not answer.") from error
        if response.is_success or KEPT_HEADER in response.headers:
            return
        sentence = f"The backend at {self._url} answers {response.status_code}."
        if response.is_server_error or response.status_code in WORTH_RETRYING:
            raise WebhookFailed(sentence)
        raise WebhookRefused(sentence)

    def _headers(self, report: DueReport, at: datetime) -> dict[str, str]:
        headers = {"content-type": "application/json", "webhook-id": report.message_id}
        if self._signer is not None:
            headers |= self._signer.sign(report.message_id, at, report.body)
        return headers


@asynccontextmanager
async def open_report_sender(url: str, secret: str | None) -> AsyncIterator[HttpReportSender]:
    """The sender to one address; raises StartupFailed for a secret that cannot sign."""
    signer = WebhookSignature(secret) if secret else None
    async with httpx.AsyncClient(trust_env=False) as client:
        yield HttpReportSender(client, url, signer)
