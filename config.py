"""Configuration, read once from the environment and `.env`. Errors name the invalid variable."""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent
ENVIRONMENTS = ("development", "testing", "production")
OPTIONAL_MODULES = ("shop", "admin")
MIN_SECRET_LENGTH = 32
# options of libpq in seconds, the last one in milliseconds: if the server is unreachable, pages fail with 503
POSTGRESQL_TIMEOUTS = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
REDIS_TIMEOUTS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
MIN_DISTINCT_CHARACTERS = 8


class ConfigError(Exception):
    """An environment variable has an invalid value."""


@dataclass(frozen=True)
class Config:
    """Settings of one installation."""

    secret_key: str
    environment: str = "development"
    secret_key_fallbacks: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    site_url: str = "http://127.0.0.1:8000"
    instance_path: Path = ROOT / "instance"
    database_url: str = f"sqlite:///{ROOT / 'instance' / 'tapcard.sqlite'}"
    redis_url: str | None = None
    trusted_proxies: int = 0
    country_header: str | None = None
    geoip_path: Path | None = None
    modules: tuple[str, ...] = OPTIONAL_MODULES
    web_workers: int = 2
    spool_sync: bool = False
    flood_limit: str = "600 per minute"
    unknown_token_limit: str = "60 per minute"
    tap_fast: bool = True
    requires_staff_two_factor: bool = False
    sandbox_gateway: bool = False
    mail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Config":
        """Return the settings from the process environment, which overrides `.env`.

        Raises `ConfigError`, which names the invalid variable.
        """
        if environ is None:
            dotenv = {k: v for k, v in dotenv_values(ROOT / ".env").items() if v is not None}
            environ = {**dotenv, **os.environ}
        read = _Reader(environ)
        environment = read.choice("APP_ENV", ENVIRONMENTS, "development")
        instance = _instance_path(read)
        host, port = read.name("HOST", "127.0.0.1"), read.integer("PORT", 8000, 1, 65535)
        geoip = read.text("GEOIP_PATH", "")
        if geoip and not Path(geoip).is_file():
            raise ConfigError(f"GEOIP_PATH: file {geoip} doesn't exist.")
        return cls(
            environment=environment,
            secret_key=_secret_key(read, environment, instance),
            secret_key_fallbacks=_fallbacks(read),
            host=host,
            port=port,
            site_url=_site_url(read, environment, host, port),
            instance_path=instance,
            database_url=_database_url(read, instance),
            redis_url=_redis_url(read),
            trusted_proxies=read.integer("TRUSTED_PROXIES", 0, 0, 10),
            country_header=read.name("COUNTRY_HEADER", "") or None,
            geoip_path=Path(geoip) if geoip else None,
            modules=_modules(read),
            web_workers=read.integer("WEB_WORKERS", 2, 1, 64),
            spool_sync=read.choice("SPOOL_SYNC", ("drain", "always"), "drain") == "always",
            flood_limit=read.limit("FLOOD_LIMIT", "600 per minute"),
            unknown_token_limit=read.limit("UNKNOWN_TOKEN_LIMIT", "60 per minute"),
            requires_staff_two_factor=_requires_staff_two_factor(read, environment),
            sandbox_gateway=_sandbox_gateway(read, environment),
            mail=_mail(read),
        )

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    def for_flask(self) -> dict[str, Any]:
        """Return the settings under the names that Flask and its extensions expect."""
        secure = self.site_url.startswith("https://")
        return {
            "TAPCARD": self,
            "SECRET_KEY": self.secret_key,
            "SECRET_KEY_FALLBACKS": list(self.secret_key_fallbacks),
            "TESTING": self.environment == "testing",
            "SITE_URL": self.site_url,
            "PREFERRED_URL_SCHEME": "https" if secure else "http",
            "MAX_CONTENT_LENGTH": 9 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 256 * 1024,
            "MAX_FORM_PARTS": 200,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": {} if self.is_sqlite else {"connect_args": POSTGRESQL_TIMEOUTS},
            "SESSION_COOKIE_NAME": "tc_session",
            "SESSION_COOKIE_SECURE": secure,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_REFRESH_EACH_REQUEST": False,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_SSL_STRICT": False,
            "RATELIMIT_STORAGE_URI": self.redis_url or "memory://",
            "RATELIMIT_STORAGE_OPTIONS": REDIS_TIMEOUTS if self.redis_url else {},
            "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": self.redis_url is not None,
            "RATELIMIT_DEFAULT": self.flood_limit,
            "RATELIMIT_HEADERS_ENABLED": False,
            "BABEL_DEFAULT_LOCALE": "en_GB",
            **self.mail,
        }


class _Reader:
    """Reader of environment variables, which validates each value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str) -> str:
        return self.environ.get(name, "").strip() or default

    def name(self, name: str, default: str) -> str:
        raw = self.text(name, default)
        if not re.fullmatch(r"[\w.:-]*", raw, re.ASCII):
            raise ConfigError(f"{name}: {raw!r} contains invalid characters.")
        return raw

    def address(self, name: str, default: str) -> SplitResult:
        raw = self.text(name, default)
        try:
            parts = urlsplit(raw)
            _port = parts.port  # raises for an invalid port, which urlsplit accepts
        except ValueError as error:
            raise ConfigError(f"{name}: {error}.") from None
        return parts

    def integer(self, name: str, default: int, minimum: int, maximum: int) -> int:
        raw = self.text(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", raw) or not minimum <= int(raw) <= maximum:
            raise ConfigError(f"{name}: {raw!r} must be a whole number from {minimum} to {maximum}.")
        return int(raw)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        raw = self.text(name, default)
        if raw not in choices:
            raise ConfigError(f"{name}: {raw!r} must be one of {', '.join(choices)}.")
        return raw

    def switch(self, name: str, default: bool) -> bool:
        return self.choice(name, ("0", "1", "true", "false"), "1" if default else "0") in ("1", "true")

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in self.text(name, "").split(",") if word.strip())

    def limit(self, name: str, default: str) -> str:
        raw = self.text(name, default)
        if not re.fullmatch(r"[1-9][0-9]{0,8} per (second|minute|hour|day)", raw):
            raise ConfigError(f"{name}: {raw!r} must look like '600 per minute'.")
        return raw


def _instance_path(read: _Reader) -> Path:
    path = Path(read.text("INSTANCE_PATH", str(ROOT / "instance"))).absolute()
    if any(folder.exists() and not folder.is_dir() for folder in (path, *path.parents)):
        raise ConfigError(f"INSTANCE_PATH: {path} isn't a folder and can't be created.")
    return path


def _secret_key(read: _Reader, environment: str, instance: Path) -> str:
    key = read.text("SECRET_KEY", "")
    if environment != "production":
        return key or _development_key(instance)
    if not key:
        raise ConfigError(
            "SECRET_KEY: required in production. Run `python -c 'import secrets; print(secrets.token_hex())'`."
        )
    for name, secret in [("SECRET_KEY", key), *(("SECRET_KEY_FALLBACKS", old) for old in _fallbacks(read))]:
        if len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < MIN_DISTINCT_CHARACTERS:
            raise ConfigError(f"{name}: must be random and at least {MIN_SECRET_LENGTH} characters long in production.")
    if read.text("FLASK_DEBUG", "0").lower() not in ("0", "false", "no"):
        raise ConfigError("FLASK_DEBUG: debug mode isn't allowed in production.")
    return key


def _fallbacks(read: _Reader) -> tuple[str, ...]:
    return read.words("SECRET_KEY_FALLBACKS")


def _development_key(instance: Path) -> str:
    """Return the secret key in a file of the instance folder, created once so that sessions survive restarts."""
    path = instance / "secret_key"
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True)
        temporary = instance / f"secret_key.{os.getpid()}"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex())
        try:
            os.link(temporary, path)  # atomic: if several processes do this, the first key is used
        except FileExistsError:
            pass
        temporary.unlink()
    key = path.read_text().strip()
    if not key:
        raise ConfigError(f"SECRET_KEY: {path} is empty. Delete it to generate a new key.")
    return key


def _site_url(read: _Reader, environment: str, host: str, port: int) -> str:
    default = f"http://{f'[{host}]' if ':' in host else host}:{port}" if environment != "production" else ""
    raw, parts = read.text("SITE_URL", default), read.address("SITE_URL", default)
    is_plain = not (parts.query or parts.fragment or parts.username) and not re.search(r"\s", raw)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
        raise ConfigError(f"SITE_URL: {raw!r} must be a URL such as https://cards.example.com.")
    if environment == "production" and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise ConfigError("SITE_URL: must start with https:// in production.")
    return raw.rstrip("/")


def _database_url(read: _Reader, instance: Path) -> str:
    raw = read.text("DATABASE_URL", f"sqlite:///{instance / 'tapcard.sqlite'}")
    for short in ("postgres://", "postgresql://"):
        if raw.startswith(short):
            raw = "postgresql+psycopg://" + raw.removeprefix(short)
    if raw.startswith("postgresql+psycopg://"):
        if not read.address("DATABASE_URL", "").path.strip("/"):
            raise ConfigError("DATABASE_URL: must include the database name, such as postgresql://user@host/name.")
        return raw
    path = raw.removeprefix("sqlite:///")
    if path == raw or not path or ":memory:" in path:
        raise ConfigError("DATABASE_URL: must be sqlite:////absolute/file or postgresql://user@host/name.")
    return f"sqlite:///{Path(path).absolute()}"


def _redis_url(read: _Reader) -> str | None:
    raw = read.text("REDIS_URL", "")
    if raw and read.address("REDIS_URL", "").scheme not in ("redis", "rediss", "unix"):
        raise ConfigError(f"REDIS_URL: {raw!r} must start with redis://, rediss:// or unix://.")
    return raw or None


def _requires_staff_two_factor(read: _Reader, environment: str) -> bool:
    default = "required" if environment == "production" else "optional"
    is_required = read.choice("STAFF_TWO_FACTOR", ("required", "optional"), default) == "required"
    if environment == "production" and not is_required:
        raise ConfigError("STAFF_TWO_FACTOR: can't be optional in production. Remove this setting.")
    return is_required


def _sandbox_gateway(read: _Reader, environment: str) -> bool:
    is_on = read.switch("SANDBOX_GATEWAY", environment != "production")
    if environment == "production" and is_on:
        raise ConfigError("SANDBOX_GATEWAY: test payments aren't allowed in production. Remove this setting.")
    return is_on


def _modules(read: _Reader) -> tuple[str, ...]:
    names = read.words("MODULES") or OPTIONAL_MODULES
    unknown = [name for name in names if name not in OPTIONAL_MODULES]
    if unknown:
        raise ConfigError(f"MODULES: {unknown[0]!r} must be one of {', '.join(OPTIONAL_MODULES)}.")
    return names


def _mail(read: _Reader) -> dict[str, Any]:
    use_tls, use_ssl = read.switch("MAIL_USE_TLS", False), read.switch("MAIL_USE_SSL", False)
    if use_tls and use_ssl:
        raise ConfigError("MAIL_USE_TLS: can't be used together with MAIL_USE_SSL. Choose one.")
    sender = read.text("MAIL_DEFAULT_SENDER", "tapcard <no-reply@localhost>")
    if "@" not in sender:
        raise ConfigError(f"MAIL_DEFAULT_SENDER: {sender!r} must be an email address.")
    return {
        "MAIL_SERVER": read.text("MAIL_SERVER", ""),
        "MAIL_PORT": read.integer("MAIL_PORT", 465 if use_ssl else 587 if use_tls else 25, 1, 65535),
        "MAIL_USERNAME": read.text("MAIL_USERNAME", "") or None,
        "MAIL_PASSWORD": read.text("MAIL_PASSWORD", "") or None,
        "MAIL_USE_TLS": use_tls,
        "MAIL_USE_SSL": use_ssl,
        "MAIL_DEFAULT_SENDER": sender,
    }
