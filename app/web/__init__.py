"""The page: hand-written HTML, CSS and ES modules; no build step, no foreign host."""

from pathlib import Path

WEB_FOLDER = Path(__file__).parent
