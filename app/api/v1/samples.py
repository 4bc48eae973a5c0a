"""Inputs to try the product on."""

from pathlib import Path

import yaml
from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from app.api.schemas import Sample, SampleList
from app.domain.errors import NotFound

FOLDER = Path(__file__).parents[3] / "data" / "samples"

router = APIRouter(prefix="/samples", tags=["samples"])


@router.get("")
def list_samples() -> SampleList:
    """The samples that the page offers."""
    index = yaml.safe_load((FOLDER / "samples.yaml").read_text(encoding="utf-8"))
    return SampleList(samples=[Sample.model_validate(entry) for entry in index])


@router.get("/{name}", response_class=PlainTextResponse)
def read_sample(name: str) -> PlainTextResponse:
    """One sample's text."""
    if name not in {sample.name for sample in list_samples().samples}:
        raise NotFound(f"There is no sample '{name}'; GET /api/v1/samples lists them.")
    return PlainTextResponse((FOLDER / f"{name}.log").read_text(encoding="utf-8"))
