"""Addresses that follow from the settings."""

import pytest

from app.settings import Settings


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "localhost"),
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "[2001:db8::7]"),
        ("ops.example.com", "ops.example.com"),
    ],
)
def test_both_servers_reach_each_other_where_they_listen(host: str, name: str):
    settings = Settings.model_validate({"host": host, "port": 8000, "approval_port": 3100})

    assert settings.approval_base_url == f"http://{name}:3100"
    assert settings.approval_page_url == f"http://{name}:3100"
    assert settings.webhook_url == f"http://{name}:8000/api/v1/feedback/mcp-approval"
