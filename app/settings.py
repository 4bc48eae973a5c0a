"""Every setting: type, default, unit, one sentence. The only reader of the environment."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.command_mode import CommandMode
from app.domain.errors import StartupFailed

URL_SETTINGS = ("mcp_server_url", "backend_webhook_url", "public_approval_url", "gemini_base_url")
REACHED_AS_LOCALHOST = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}  # noqa: S104 - compared with
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Read from the environment, then from `.env`; unknown keys in `.env` are ignored."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
    )

    google_api_key: SecretStr | None = Field(
        default=None, description="Gemini's API key; without it the playbook engine answers."
    )
    gemini_model_id: str = Field(default="gemini-2.5-flash", description="The Gemini model asked.")
    gemini_base_url: str | None = Field(
        default=None, description="Another address of Gemini's API, such as a gateway."
    )
    temperature: float = Field(default=0.7, ge=0, le=2, description="The model's temperature.")
    max_tokens: int = Field(
        default=8192, ge=256, description="The longest answer of the model, in tokens."
    )
    agent_timeout_seconds: float = Field(
        default=120, gt=0, description="For one agent's answer, retries included."
    )
    prompt_log_tokens: int = Field(
        default=8000, ge=500, description="How much of the logs a prompt holds, in tokens."
    )
    prompt_guidance_tokens: int = Field(
        default=4000,
        ge=500,
        description="How much a prompt holds of what people decided, in tokens.",
    )

    mcp_server_url: str | None = Field(
        default=None,
        description="An external approval server; without it the embedded one starts.",
    )
    backend_webhook_url: str | None = Field(
        default=None,
        description="Where the embedded approval server reports decisions; "
        "default: this backend's /api/v1/feedback/mcp-approval.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        description="Signs approval webhooks (Standard Webhooks, `whsec_…`); "
        "when set, unsigned ones are refused.",
    )
    public_approval_url: str | None = Field(
        default=None,
        description="The approval page's address as browsers see it; default: http://localhost:<APPROVAL_PORT>.",
    )

    approval_expiry_minutes: float = Field(
        default=60, gt=0, le=525_600, description="How long a proposal waits for a decision."
    )

    holdout_share: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="Share of the workflows planned without what was learned, to measure its worth; "
        "never in protected namespaces, 0 is none.",
    )

    host: str = Field(default="127.0.0.1", description="Address both servers listen on.")
    port: Port = Field(default=8000, description="The backend's port.")
    approval_port: Port = Field(default=3100, description="The approval server's port.")
    workers: int = Field(
        default=1, ge=1, le=64, description="Server processes; each runs workflows, too."
    )
    max_body_mib: int = Field(
        default=64, ge=1, le=1024, description="The largest accepted log, in MiB."
    )
    max_concurrent_workflows: int = Field(
        default=8, ge=1, le=1000, description="Workflows that one process runs at once."
    )
    max_queued_workflows: int = Field(
        default=1000, ge=1, description="Workflows that may wait; beyond it POST answers 429."
    )

    workflow_timeout_seconds: float = Field(
        default=900, gt=0, description="For one workflow's run; then it ends with what it has."
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL (`postgresql://user:password@host/name`); "
        "without it everything is stored in the data folder.",
    )
    sqlite_synchronous: Literal["NORMAL", "FULL"] = Field(
        default="NORMAL", description="FULL keeps the last events through a power cut as well."
    )
    retain_days: float = Field(
        default=30, gt=0, description="Days that a workflow's events and input are kept."
    )
    data_dir: Path = Field(default=Path("data"), description="Where everything is stored.")
    logs_dir: Path = Field(default=Path("logs"), description="Where app.log is written.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The lowest level that is logged."
    )

    kubeconfig: Path | None = Field(
        default=None,
        description="The cluster approved commands run on; without it decisions are only recorded.",
    )
    command_timeout_seconds: float = Field(
        default=60,
        gt=0,
        description="For one approved kubectl command; longer where its own --timeout is.",
    )
    verify_after_seconds: float = Field(
        default=15, ge=0, description="From the last command to the first look whether it helped."
    )
    verify_timeout_seconds: float = Field(
        default=300, gt=0, description="From the first look whether it helped to the last one."
    )
    command_mode: CommandMode = Field(
        default=CommandMode.APPROVE,
        description="`suggest` executes nothing, `read-only` only what just reads, "
        "`approve` what a person has approved.",
    )
    environments_file: Path | None = Field(
        default=None,
        description="Which of a team's namespaces are production, staging, development (YAML).",
    )
    policy_file: Path | None = Field(
        default=None,
        description="A team's limits beside the product's policy of commands (YAML).",
    )
    explore_protected_namespaces: bool = Field(
        default=False,
        description="Whether plans may try something new in protected namespaces, too.",
    )

    elasticsearch_url: str | None = Field(
        default=None, description="Elasticsearch's address; without it /fetchlogs is off."
    )
    elasticsearch_user: str | None = Field(default=None, description="User for basic auth.")
    elasticsearch_password: SecretStr | None = Field(
        default=None, description="Password for basic auth."
    )
    elasticsearch_api_key: SecretStr | None = Field(
        default=None, description="API key; wins over user and password."
    )
    elasticsearch_index: str = Field(
        default="logs-*-*,logs-*,filebeat-*", description="Indices searched, by comma."
    )
    elasticsearch_max_hits: int = Field(
        default=10_000, ge=1, le=1_000_000, description="The most log lines one fetch returns."
    )
    elasticsearch_timeout_seconds: float = Field(
        default=30, gt=0, description="For one whole fetch, retries included."
    )

    @model_validator(mode="after")
    def _parts_are_complete(self) -> Self:
        if self.elasticsearch_user and not self.elasticsearch_password:
            raise ValueError("ELASTICSEARCH_USER is set but ELASTICSEARCH_PASSWORD is missing")
        for name in URL_SETTINGS:
            if (url := getattr(self, name)) and not _is_web_address(url):
                raise ValueError(f"{name.upper()} must begin with http:// or https:// and a host")
        if self.kubeconfig and not self.kubeconfig.is_file():
            raise ValueError(f"KUBECONFIG names no file: {self.kubeconfig}")
        return self

    @property
    def approval_base_url(self) -> str:
        """Where the backend reaches the approval server."""
        return (self.mcp_server_url or self.address_of(self.approval_port)).rstrip("/")

    @property
    def approval_page_url(self) -> str:
        """Where a person decides, as browsers see it."""
        if self.public_approval_url:
            return self.public_approval_url.rstrip("/")
        return self.approval_base_url

    @property
    def webhook_url(self) -> str:
        """Where the approval server reports decisions."""
        default = f"{self.address_of(self.port)}/api/v1/feedback/mcp-approval"
        return self.backend_webhook_url or default

    def address_of(self, port: int) -> str:
        """Where this machine reaches what listens on one of our ports."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{'localhost' if self.host in REACHED_AS_LOCALHOST else host}:{port}"

    def secret_values(self) -> tuple[str, ...]:
        """Every secret that is set, for the log to leave out."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def read_settings() -> Settings:
    """The settings, or StartupFailed with one line that names what is wrong."""
    try:
        return Settings()
    except UnicodeDecodeError:
        raise StartupFailed("The file .env is not UTF-8 text: save it as UTF-8.") from None
    except OSError as error:
        raise StartupFailed(f"The file .env cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part).upper() for part in problem['loc']) or 'settings'}: "
            f"{problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise StartupFailed(f"The settings cannot be used: {problems}") from None


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
