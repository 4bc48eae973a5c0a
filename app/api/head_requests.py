"""HEAD for everything that GET answers: the same headers, and no body."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Middleware; what handles methods by itself is left alone."""

    def __init__(self, app: ASGIApp, but: frozenset[str] = frozenset()) -> None:
        """Wrap the next application; `but` are the paths left alone."""
        self._app = app
        self._but = but

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask as GET, and keep the body back."""
        if scope["type"] != "http" or scope["path"] in self._but:
            await self._app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                _allow_head(MutableHeaders(scope=message))
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # The server that called looks at the method, too: its own scope stays as it is.
        asked = {**scope, "method": "GET"} if is_head else scope
        try:
            await self._app(asked, receive, send_head)
        finally:
            scope.update({key: asked[key] for key in asked.keys() & {"route"}})


def _allow_head(headers: MutableHeaders) -> None:
    allowed = [method.strip() for method in headers.get("allow", "").split(",")]
    if "GET" in allowed and "HEAD" not in allowed:
        headers["allow"] = ", ".join([*allowed, "HEAD"])
