"""The API's own pages: `/docs` to try it, `/redoc` to read; every asset is served from here."""

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from app.api.pages import SECURITY_HEADERS
from app.web import WEB_FOLDER

# Swagger UI styles itself from its script and ships its icons as data.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SWAGGER_HEADERS = SECURITY_HEADERS | {"Content-Security-Policy": CONTENT_POLICY}


def mount_docs(app: FastAPI) -> None:
    """Serve both pages; Swagger UI's files come from an installed package."""
    assets = StaticFiles(packages=[("fastapi_offline", "static")])
    app.mount("/docs/assets", assets, name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(WEB_FOLDER / "docs" / "swagger.html", headers=SWAGGER_HEADERS)

    @app.get("/redoc", include_in_schema=False)
    async def redoc() -> FileResponse:
        return FileResponse(WEB_FOLDER / "docs" / "reference.html", headers=SECURITY_HEADERS)
