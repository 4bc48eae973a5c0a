"""Which status an error has, and the one body shape they share."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from app.domain import errors
from app.domain.report import KEPT_HEADER

STATUS: dict[type[errors.AppError], HTTPStatus] = {
    errors.BadInput: HTTPStatus.BAD_REQUEST,
    errors.InputTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InvalidField: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.TooBusy: HTTPStatus.TOO_MANY_REQUESTS,
    errors.ExternalFailed: HTTPStatus.BAD_GATEWAY,
    errors.LogSourceTimedOut: HTTPStatus.GATEWAY_TIMEOUT,
    errors.ClusterFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.StartupFailed: HTTPStatus.SERVICE_UNAVAILABLE,
}

CLIENT_LEFT = 499
"""As nginx counts it: nobody reads this answer, and it is no failure of the server."""

KEPT = {KEPT_HEADER: "true"}
RETRY_LATER = {"Retry-After": "5"}
HEADERS = {
    HTTPStatus.TOO_MANY_REQUESTS: RETRY_LATER,
    HTTPStatus.SERVICE_UNAVAILABLE: RETRY_LATER,
    # Without it the server would go on reading a body that nobody wants.
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"Connection": "close"},
}


def status_of(error: errors.AppError) -> HTTPStatus:
    """The status of the error's nearest ancestor that has one."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def render_error(error: errors.AppError) -> JSONResponse:
    """`{"detail": …}`; for one wrong field the shape that validation has."""
    status = status_of(error)
    detail: object = str(error)
    if isinstance(error, errors.InvalidField):
        location = ["body", *error.field.split(".")]
        detail = [{"type": "value_error", "loc": location, "msg": str(error), "input": None}]
    is_kept = isinstance(error, errors.ReportKept)
    return JSONResponse({"detail": detail}, status, KEPT if is_kept else HEADERS.get(status))


def add_error_pages(app: FastAPI) -> None:
    """Give every error one sentence for its reader; the details go to the log."""

    @app.exception_handler(errors.AppError)
    async def known(_: Request, error: errors.AppError) -> JSONResponse:
        return render_error(error)

    @app.exception_handler(ClientDisconnect)
    async def left(_: Request, __: ClientDisconnect) -> JSONResponse:
        return JSONResponse(
            {"detail": "The client left before its request was whole."}, CLIENT_LEFT
        )

    @app.exception_handler(Exception)
    async def unknown(_: Request, __: Exception) -> JSONResponse:
        sentence = "An internal error; the server's log has the details."
        return JSONResponse({"detail": sentence}, HTTPStatus.INTERNAL_SERVER_ERROR)
