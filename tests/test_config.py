"""Configuration: defaults, invalid values, secrets and strictness in production."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

import config
from config import Config, ConfigError

SECRET = "3f9c1b7a5d2e8046b1c7f0a94e6d2385"
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": SECRET, "SITE_URL": "https://cards.example.com"}


@pytest.fixture
def read_config(tmp_path: Path) -> Callable[..., Config]:
    """Return a function that reads a configuration from variables; None leaves a variable out."""

    def from_env(**variables: str | None) -> Config:
        values = {"INSTANCE_PATH": str(tmp_path / "instance"), **variables}
        return Config.from_env({name: value for name, value in values.items() if value is not None})

    return from_env


def test_every_variable_is_optional_in_development(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "ROOT", tmp_path)
    default_config = Config.from_env({})
    assert default_config.environment == "development"
    assert (default_config.host, default_config.port, default_config.site_url) == (
        "127.0.0.1",
        8000,
        "http://127.0.0.1:8000",
    )
    assert default_config.database_url == f"sqlite:///{tmp_path}/instance/tapcard.sqlite"
    assert default_config.modules == ("shop", "admin")
    assert default_config.trusted_proxies == 0
    assert not default_config.spool_sync
    assert default_config.redis_url is None


def test_variables_override_the_defaults(read_config: Callable[..., Config], tmp_path: Path) -> None:
    geoip = tmp_path / "countries.mmdb"
    geoip.write_bytes(b"-")
    full_config = read_config(
        HOST="0.0.0.0",
        PORT="9000",
        REDIS_URL="redis://localhost:6379/1",
        SECRET_KEY="a",
        SECRET_KEY_FALLBACKS="b, c,,",
        TRUSTED_PROXIES="2",
        COUNTRY_HEADER="CF-IPCountry",
        GEOIP_PATH=str(geoip),
        MODULES="admin",
        WEB_WORKERS="4",
        SPOOL_SYNC="always",
        FLOOD_LIMIT="5 per hour",
        UNKNOWN_TOKEN_LIMIT="1 per day",
        MAIL_SERVER="mail.example.com",
        MAIL_USE_TLS="true",
        MAIL_USERNAME="tapcard",
        MAIL_PASSWORD="hush",
        MAIL_DEFAULT_SENDER="Cards <cards@example.com>",
    )
    assert full_config.site_url == "http://0.0.0.0:9000"
    assert full_config.redis_url == "redis://localhost:6379/1"
    assert (full_config.secret_key, full_config.secret_key_fallbacks) == ("a", ("b", "c"))
    assert (full_config.trusted_proxies, full_config.web_workers, full_config.country_header) == (2, 4, "CF-IPCountry")
    assert full_config.geoip_path == geoip
    assert full_config.modules == ("admin",)
    assert full_config.spool_sync
    assert (full_config.flood_limit, full_config.unknown_token_limit) == ("5 per hour", "1 per day")
    assert full_config.mail == {
        "MAIL_SERVER": "mail.example.com",
        "MAIL_PORT": 587,
        "MAIL_USERNAME": "tapcard",
        "MAIL_PASSWORD": "hush",
        "MAIL_USE_TLS": True,
        "MAIL_USE_SSL": False,
        "MAIL_DEFAULT_SENDER": "Cards <cards@example.com>",
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("APP_ENV", "prod"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80 80"),
        ("PORT", "-1"),
        ("PORT", "８０"),
        ("HOST", "my host"),
        ("INSTANCE_PATH", "{file}"),
        ("INSTANCE_PATH", "{file}/inside"),
        ("DATABASE_URL", "mysql://localhost/tapcard"),
        ("DATABASE_URL", "tapcard.sqlite"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql://localhost:port/tapcard"),
        ("REDIS_URL", "http://localhost"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis://[::1"),
        ("SITE_URL", "cards.example.com"),
        ("SITE_URL", "ftp://cards.example.com"),
        ("SITE_URL", "https://"),
        ("SITE_URL", "https://[::1"),
        ("SITE_URL", "https://cards.example.com:port"),
        ("SITE_URL", "https://cards example.com"),
        ("SITE_URL", "https://me:secret@cards.example.com"),
        ("SITE_URL", "https://cards.example.com/?a=b"),
        ("SITE_URL", "https://cards.example.com/#top"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "11"),
        ("TRUSTED_PROXIES", "yes"),
        ("COUNTRY_HEADER", "CF IPCountry"),
        ("COUNTRY_HEADER", "X-Länd"),
        ("GEOIP_PATH", "/no/such/file.mmdb"),
        ("MODULES", "shop,billings"),
        ("WEB_WORKERS", "0"),
        ("WEB_WORKERS", "many"),
        ("SPOOL_SYNC", "sometimes"),
        ("FLOOD_LIMIT", "lots"),
        ("FLOOD_LIMIT", "0 per minute"),
        ("UNKNOWN_TOKEN_LIMIT", "60/minute"),
        ("MAIL_PORT", "smtp"),
        ("MAIL_USE_TLS", "maybe"),
        ("MAIL_USE_SSL", "2"),
        ("MAIL_DEFAULT_SENDER", "nobody"),
    ],
)
def test_an_invalid_value_is_refused_with_its_name(
    read_config: Callable[..., Config], tmp_path: Path, variable: str, value: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match=rf"^{variable}: "):
        read_config(**{variable: value.replace("{file}", str(file))})


def test_tls_and_ssl_are_mutually_exclusive(read_config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=r"^MAIL_USE_TLS: .*MAIL_USE_SSL"):
        read_config(MAIL_USE_TLS="1", MAIL_USE_SSL="1")


@pytest.mark.parametrize(("variable", "port"), [("MAIL_USE_TLS", 587), ("MAIL_USE_SSL", 465), ("MAIL_SERVER", 25)])
def test_the_mail_port_depends_on_the_encryption(read_config: Callable[..., Config], variable: str, port: int) -> None:
    assert read_config(**{variable: "1"}).mail["MAIL_PORT"] == port


@pytest.mark.parametrize("prefix", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_postgresql_url_uses_psycopg_3(read_config: Callable[..., Config], prefix: str) -> None:
    postgresql_config = read_config(DATABASE_URL=f"{prefix}://me:pass@db:5433/tapcard")
    assert postgresql_config.database_url == "postgresql+psycopg://me:pass@db:5433/tapcard"
    assert not postgresql_config.is_sqlite


def test_a_relative_sqlite_path_becomes_absolute(read_config: Callable[..., Config]) -> None:
    assert read_config(DATABASE_URL="sqlite:///some.sqlite").database_url == f"sqlite:///{Path.cwd()}/some.sqlite"


def test_an_ipv6_host_is_bracketed_in_the_site_url(read_config: Callable[..., Config]) -> None:
    assert read_config(HOST="::1").site_url == "http://[::1]:8000"


def test_the_trailing_slash_of_the_site_url_is_removed(read_config: Callable[..., Config]) -> None:
    assert read_config(SITE_URL="https://cards.example.com/here/").site_url == "https://cards.example.com/here"


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_development_creates_a_private_key_file_once(read_config: Callable[..., Config], tmp_path: Path) -> None:
    first = read_config().secret_key
    path = tmp_path / "instance" / "secret_key"
    assert read_config().secret_key == first == path.read_text()
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


def test_two_installations_have_different_keys(read_config: Callable[..., Config], tmp_path: Path) -> None:
    assert read_config().secret_key != read_config(INSTANCE_PATH=str(tmp_path / "other")).secret_key


def test_a_configured_key_creates_no_file(read_config: Callable[..., Config], tmp_path: Path) -> None:
    assert read_config(SECRET_KEY="mine").secret_key == "mine"
    assert not (tmp_path / "instance" / "secret_key").exists()


def test_an_empty_key_file_is_refused(read_config: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "secret_key").touch()
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: "):
        read_config()


@pytest.mark.parametrize(
    "secret",
    [None, "", "   ", "dev", "changeme", "tapcard", "ChangeMe", "too-short-9c1b7a5d2e8046b1c7f0", "ab" * 40, "1" * 64],
)
def test_production_refuses_a_missing_short_or_guessable_key(
    read_config: Callable[..., Config], secret: str | None
) -> None:
    with pytest.raises(ConfigError, match=r"^SECRET_KEY: "):
        read_config(**{**PRODUCTION, "SECRET_KEY": secret})


@pytest.mark.parametrize("fallbacks", ["dev", f"{SECRET},changeme", "1" * 64])
def test_production_refuses_a_guessable_former_key(read_config: Callable[..., Config], fallbacks: str) -> None:
    with pytest.raises(ConfigError, match=r"^SECRET_KEY_FALLBACKS: "):
        read_config(**PRODUCTION, SECRET_KEY_FALLBACKS=fallbacks)


def test_production_creates_no_key_file(read_config: Callable[..., Config], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read_config(**{**PRODUCTION, "SECRET_KEY": None})
    assert not (tmp_path / "instance" / "secret_key").exists()


def test_an_error_does_not_contain_the_key(read_config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(**{**PRODUCTION, "SECRET_KEY": "hush-hush"})
    assert "hush-hush" not in str(error.value)


# --- production -------------------------------------------------------------------------------------------------------


def test_production_starts_with_key_and_site_url(read_config: Callable[..., Config]) -> None:
    production_config = read_config(**PRODUCTION, SECRET_KEY_FALLBACKS=SECRET[::-1])
    assert production_config.is_production
    assert production_config.secret_key == SECRET
    assert production_config.secret_key_fallbacks == (SECRET[::-1],)
    assert production_config.for_flask()["SESSION_COOKIE_SECURE"] is True


def test_production_requires_the_site_url(read_config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=r"^SITE_URL: "):
        read_config(**{**PRODUCTION, "SITE_URL": None})


def test_production_requires_https(read_config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match=r"^SITE_URL: .*https"):
        read_config(**{**PRODUCTION, "SITE_URL": "http://cards.example.com"})


def test_production_accepts_http_on_localhost(read_config: Callable[..., Config]) -> None:
    assert read_config(**{**PRODUCTION, "SITE_URL": "http://localhost:8000"}).is_production


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_production_refuses_debug_mode(read_config: Callable[..., Config], value: str) -> None:
    with pytest.raises(ConfigError, match=r"^FLASK_DEBUG: "):
        read_config(**PRODUCTION, FLASK_DEBUG=value)


@pytest.mark.parametrize("value", ["0", "false", "False", "no", ""])
def test_production_accepts_debug_mode_switched_off(read_config: Callable[..., Config], value: str) -> None:
    assert read_config(**PRODUCTION, FLASK_DEBUG=value).is_production


# --- .env -------------------------------------------------------------------------------------------------------------


def test_the_environment_overrides_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nHOST=0.0.0.0\nMAIL_SERVER='mail.example.com'\n# a remark\n")
    monkeypatch.setattr(config, "ROOT", tmp_path)
    for name in list(os.environ):
        if name in EXAMPLES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("PORT", "9002")
    env_config = Config.from_env()
    assert (env_config.host, env_config.port, env_config.mail["MAIL_SERVER"]) == ("0.0.0.0", 9002, "mail.example.com")


def variables_in(text: str) -> set[str]:
    """Return the variables that an example file names, including commented ones."""
    lines = (line.removeprefix("#").strip() for line in text.splitlines())
    return {line.partition("=")[0] for line in lines if line.partition("=")[1] and line.partition("=")[0].isupper()}


EXAMPLES = variables_in((config.ROOT / ".env.example").read_text())


def test_the_example_file_lists_every_variable(read_config: Callable[..., Config]) -> None:
    class Watched(dict[str, str]):
        asked: set[str] = set()

        def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
            self.asked.add(name)
            return super().get(name, default)

    Config.from_env(Watched(PRODUCTION))
    assert Watched.asked - {"FLASK_DEBUG"} == EXAMPLES


@pytest.mark.parametrize(
    ("variables", "is_required"),
    [
        ({}, False),
        ({"APP_ENV": "testing"}, False),
        (PRODUCTION, True),
        ({"STAFF_TWO_FACTOR": "required"}, True),
    ],
)
def test_staff_need_two_factor_in_production_or_if_configured(
    read_config: Callable[..., Config], variables: dict[str, str], is_required: bool
) -> None:
    assert read_config(**variables).requires_staff_two_factor is is_required


def test_two_factor_for_staff_cannot_be_optional_in_production(read_config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="STAFF_TWO_FACTOR"):
        read_config(**PRODUCTION, STAFF_TWO_FACTOR="optional")


@pytest.mark.parametrize("value", ["yes", "Required", "0", "off"])
def test_an_invalid_value_for_staff_two_factor_is_refused(read_config: Callable[..., Config], value: str) -> None:
    with pytest.raises(ConfigError, match="STAFF_TWO_FACTOR"):
        read_config(STAFF_TWO_FACTOR=value)


@pytest.mark.parametrize(
    ("variables", "is_on"),
    [({}, True), ({"APP_ENV": "testing"}, True), (PRODUCTION, False), ({"SANDBOX_GATEWAY": "0"}, False)],
)
def test_the_sandbox_gateway_is_off_in_production(
    read_config: Callable[..., Config], variables: dict[str, str], is_on: bool
) -> None:
    assert read_config(**variables).sandbox_gateway is is_on


def test_production_refuses_the_sandbox_gateway(read_config: Callable[..., Config]) -> None:
    with pytest.raises(ConfigError, match="SANDBOX_GATEWAY"):
        read_config(**PRODUCTION, SANDBOX_GATEWAY="1")
