"""Where Elasticsearch is and who we are to it, the secrets apart from the address."""

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import SecretStr

from app.domain.errors import StartupFailed


@dataclass(frozen=True, slots=True)
class ElasticsearchAccess:
    """How to reach the indices, and the limits of one fetch."""

    address: str
    """Without credentials, so that it may be shown."""
    index: str
    """Names and patterns, by comma."""
    max_hits: int
    max_bytes: int
    """Of all lines together; beyond it the oldest are left out."""
    timeout_seconds: float
    """For one whole fetch, retries included."""
    user: str | None
    password: SecretStr | None
    api_key: SecretStr | None
    """Wins over user and password; base64, or `id:key`."""
    first_delay_seconds: float
    """Before the second attempt; doubled each time."""

    @property
    def basic_auth(self) -> tuple[str, str] | None:
        """User and password, unless the API key stands in their place."""
        if self.api_key is not None or not self.user:
            return None
        return self.user, self.password.get_secret_value() if self.password else ""

    @property
    def api_key_value(self) -> str | tuple[str, str] | None:
        """The key in the form the client takes."""
        if self.api_key is None:
            return None
        identifier, colon, key = self.api_key.get_secret_value().partition(":")
        return (identifier, key) if colon else identifier


def with_plain_address(access: ElasticsearchAccess) -> ElasticsearchAccess:
    """The same with credentials taken out of the address; raises StartupFailed for no address."""
    try:
        parts = urlsplit(access.address)
        port = parts.port
    except ValueError:
        raise StartupFailed("ELASTICSEARCH_URL is not an address.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise StartupFailed("ELASTICSEARCH_URL must begin with http:// or https:// and a host.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port is None else f"{host}:{port}"
    plain = replace(access, address=urlunsplit((parts.scheme, place, parts.path, "", "")))
    if parts.username and not access.user:
        password = SecretStr(unquote(parts.password or ""))
        return replace(plain, user=unquote(parts.username), password=password)
    return plain
