"""What `rostrum serve` can be told, from where, and how it complains.

Each setting is a flag (`--udp-port`), an environment variable (`ROSTRUM_UDP_PORT`) and a key of a flat TOML
file (`udp_port`); the first of these that says something wins, then the default. Unknown keys, unknown
`ROSTRUM_*` variables and bad values raise `InvalidInputError` with one line that names where the value came
from.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from signaling.addresses import AnnouncedAddress, parse_all_announced
from signaling.domain.region import Region
from signaling.errors import InvalidInputError
from signaling.ice_urls import parse_ice_url
from signaling.logging import LogFormat, LogLevel

ENV_PREFIX: Final = "ROSTRUM_"
CONFIG_VARIABLE: Final = ENV_PREFIX + "CONFIG"
_REPOSITORY: Final = Path(__file__).resolve().parent.parent
_UNSPECIFIED: Final = frozenset({"0.0.0.0", "::", ""})


def _split(value: object) -> object:
    """From the environment a list comes as "a, b"."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _default_workers() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


Port = Annotated[int, Field(ge=0, le=65535)]
"""0 picks a free one."""
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
MIN_SECRET_KEY: Final = 32
"""Characters."""
_SECRETS: Final = frozenset({"turn_secret", "secret_key"})
"""Settings whose values no complaint repeats."""
_SECRET: Final = re.compile(r"[!$-&(-~]{16,256}")
"""What coturn's configuration takes without quoting."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="forbid", frozen=True)

    host: str = "0.0.0.0"
    """Where HTTP and WebSocket listen: an address or name, or several with commas between them; "::" is every
    address of both IP versions. Where media listens follows from `announce`."""
    port: Port = 8080
    udp_port: Port = 40000
    """Of the first media worker; the others take the numbers that follow. ICE-TCP uses the same numbers."""
    announce: Texts = ()
    """Addresses that clients are told to send media to, as in `signaling.addresses`; with none, those of this
    machine's interfaces."""
    announce_external: bool = False
    """Allow `announce` to name addresses that are not this machine's (NAT, public addresses)."""
    turn_url: Texts = ()
    """TURN servers that clients are given, as turn: and turns: URLs (RFC 7065)."""
    turn_secret: SecretStr | None = None
    """Shared with the TURN server (coturn's static-auth-secret); credentials are made from it."""
    turn_secret_file: Path | None = None
    """A file that holds `turn_secret`."""
    turn_ttl: Annotated[int, Field(ge=60, le=86400)] = 3600
    """Seconds for which TURN credentials are good; clients get others when half of that is over."""
    stun_url: Texts = ()
    """STUN servers that clients are given. The media nodes need none."""
    data_dir: Path = Path("data")
    workers: Annotated[int, Field(ge=0, le=256)] = Field(default_factory=_default_workers)
    """Media worker processes; 0 runs the node in the signaling process."""
    spread_above: Annotated[float, Field(ge=0, le=1)] = 0.6
    """Busy fraction of a core above which a meeting goes on to another worker; 0 deals every meeting out over
    all workers, 1 keeps every one on one."""
    move_above: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Busy fraction of a core above which a worker that stays so has some of its people receive from another
    one that has room; 1: nobody ever moves."""
    full_above: Annotated[float, Field(ge=0, le=1)] = 0.85
    """Busy fraction of a core above which a worker takes nobody new."""
    full_packets: Annotated[float, Field(gt=0)] = 250_000.0
    """Packets sent per second above which a worker takes nobody new."""
    shed_above: Annotated[float, Field(gt=0, le=2)] = 0.92
    """Busy fraction of a core above which a worker gives up video, the unseen first; above 1: never."""
    public_url: str | None = None
    """How browsers reach this server, for links; without a trailing slash."""
    server_url: str | None = None
    """How clients reach this very server, where several share a database: they are sent here by the others.
    Default: `public_url`."""
    internal_url: str | None = None
    """How the other servers reach this one. Default: `server_url`."""
    server_lease: Annotated[float, Field(ge=2, le=3600)] = 30.0
    """Seconds without a sign of life after which the other servers end what this one had."""
    region: Region | None = None
    """Where this server is: what prefers its region is begun here, where it shares a database with others."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    database_url: str | None = None
    """Default: SQLite in the data directory."""
    web_dir: Path = _REPOSITORY / "web" / "apps" / "meet" / "dist"
    session_grace: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds for which a session outlives its last peer, unless its meeting says otherwise."""
    max_participants: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Peers that a meeting takes at once, unless told otherwise; default: any number."""
    max_participants_limit: Annotated[int, Field(ge=1, le=100_000)] = 100_000
    """The most that anybody may set."""
    max_duration: Annotated[int, Field(ge=60, le=604_800)] | None = None
    """Seconds after which a session ends, unless told otherwise; default: never."""
    max_duration_limit: Annotated[int, Field(ge=60, le=604_800)] = 604_800
    """The most that anybody may set."""
    resume_within: Annotated[float, Field(ge=0, le=600)] = 30.0
    """Seconds for which a lost socket can be resumed."""
    worker_grace: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """Seconds for which media workers that carry meetings go on without a server that was killed, so that the
    next one with the same data directory takes them over; 0: they end with it."""
    data_messages: Annotated[float, Field(gt=0, le=10_000)] = 100.0
    """Data messages that a peer may send per second."""
    data_bytes: Annotated[float, Field(ge=65_536, le=100_000_000)] = 262_144.0
    """Bytes of data messages that a peer may send per second."""
    loudest_audio: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Forward only so many of the loudest microphones of a session; default: all."""
    secret_key: SecretStr | None = None
    """What secrets in the database are sealed with, the same for all servers on it; default: a file in the
    data directory."""
    secret_key_file: Path | None = None
    """A file that holds `secret_key`."""
    signing_key_days: Annotated[int, Field(ge=0, le=3650)] = 90
    """Days after which another key signs tokens; 0: only when it is told to."""
    guest_preset: str = Field(default="group_call_participant", min_length=1, max_length=128)
    """The preset of who joins with a client token."""
    token_ttl: Annotated[int, Field(ge=60, le=31_536_000)] = 86400
    """Seconds for which a participant token is good."""
    trusted_proxy: Texts = ()
    """Addresses or networks of reverse proxies, whose `X-Forwarded-For` is believed."""
    rate_limit_address: Annotated[int, Field(ge=0, le=10_000_000)] = 2000
    """REST requests a minute by one client address (of IPv6: one /64); 0: any number."""
    rate_limit_key: Annotated[int, Field(ge=0, le=10_000_000)] = 2000
    """REST requests a minute by one API key; 0: any number."""
    rate_limit_organization: Annotated[int, Field(ge=0, le=10_000_000)] = 6000
    """REST requests a minute by all keys of an organization; 0: any number."""
    webhook_allow: Texts = ()
    """Networks to which webhooks are sent though they are not public: loopback, a private network."""
    webhook_http: bool = False
    """Webhooks may have http: URLs besides https: ones."""
    log_level: LogLevel = "info"
    log_format: LogFormat = "console"

    @field_validator("public_url", "server_url", "internal_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")) or any(c.isspace() for c in value):
            raise ValueError("must be a URL that begins with http:// or https://")
        return value.rstrip("/")

    @field_validator("announce")
    @classmethod
    def _check_announce(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_all_announced(value)
        return value

    @field_validator("trusted_proxy", "webhook_allow")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ip_network(text)
        return value

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str) -> str:
        if not all(part.strip() for part in value.split(",")):
            raise ValueError("an address is empty")
        return value

    @field_validator("turn_url", "stun_url")
    @classmethod
    def _check_ice_urls(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        wanted = str(info.field_name).removesuffix("_url")
        for text in value:
            if parse_ice_url(text).scheme != wanted:
                raise ValueError(f"{text!r} is not a {wanted}: URL")
        return value

    @field_validator("turn_secret")
    @classmethod
    def _check_turn_secret(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value else None
        if text is not None and not _SECRET.fullmatch(text):
            raise ValueError(
                "it must be 16 or more characters without spaces, quotes or #; make one: openssl rand -hex 32"
            )
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < MIN_SECRET_KEY:
            raise ValueError(
                f"it must be {MIN_SECRET_KEY} or more characters; make one: openssl rand -hex 32"
            )
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key must be given together")
        if self.turn_url and self.turn_secret is None:
            raise ValueError("turn_url needs turn_secret or turn_secret_file")
        if self.udp_port and self.udp_port + self.node_count - 1 > 65535:
            raise ValueError(f"udp_port {self.udp_port} leaves no room for {self.node_count} workers")
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.strip() for part in self.host.split(",")))

    @property
    def announced(self) -> tuple[AnnouncedAddress, ...]:
        return parse_all_announced(self.announce)

    @property
    def trusted_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(text) for text in self.trusted_proxy)

    @property
    def webhook_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(text) for text in self.webhook_allow)

    @property
    def node_count(self) -> int:
        return max(1, self.workers)

    @property
    def udp_ports(self) -> tuple[int, ...]:
        """One per node; 0 stands for a free one."""
        return tuple(self.udp_port + index if self.udp_port else 0 for index in range(self.node_count))

    def base_url(self, port: int) -> str:
        """`public_url`, else an address that works on this machine, with the port that was really bound."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.hosts[0] in _UNSPECIFIED else self.hosts[0]
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def load_settings(flags: Mapping[str, Any], config: Path | None = None) -> Settings:
    """`flags` are those that were given, by setting name; `config` is the TOML file, else ROSTRUM_CONFIG's.

    Raises `InvalidInputError`.
    """
    _check_environment()
    path = config or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    file = _read_toml(path) if path else {}
    environment = EnvSettingsSource(Settings)()
    values = _with_secret_file(file | environment | dict(flags))
    try:
        return Settings(**InitSettingsSource(Settings, values)())
    except ValidationError as error:
        raise _complaint(error, flags, environment, path) from None


def _with_secret_file(values: dict[str, Any]) -> dict[str, Any]:
    """A secret given itself wins over one in a file."""
    for name in sorted(_SECRETS):
        path = values.get(f"{name}_file")
        if path is None or values.get(name) is not None:
            continue
        try:
            values = {**values, name: Path(path).read_text("utf-8").strip()}
        except (OSError, UnicodeDecodeError) as error:
            flag = name.replace("_", "-")
            raise InvalidInputError(f"--{flag}-file: cannot read {path}: {error}") from None
    return values


def _check_environment() -> None:
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE}
    unknown = sorted(name for name in os.environ if name.startswith(ENV_PREFIX) and name not in known)
    if unknown:
        raise InvalidInputError(
            f"unknown environment variable {unknown[0]}; known are {', '.join(sorted(known))}"
        )


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInputError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} is not TOML: {error}") from None
    unknown = sorted(set(values) - set(Settings.model_fields))
    if unknown:
        known = ", ".join(sorted(Settings.model_fields))
        raise InvalidInputError(f"unknown key {unknown[0]!r} in {path}; known are {known}", field=unknown[0])
    return values


def _complaint(
    error: ValidationError, flags: Mapping[str, Any], environment: Mapping[str, Any], path: Path | None
) -> InvalidInputError:
    first = error.errors(include_url=False, include_context=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    name = str(first["loc"][0]) if first["loc"] else None
    if name is None:
        return InvalidInputError(reason)
    if name in flags:
        where = "--" + name.replace("_", "-")
    elif name in environment:
        where = ENV_PREFIX + name.upper()
    else:
        where = f"{name} in {path}"
    got = "" if name in _SECRETS else f" (got {first['input']!r})"
    return InvalidInputError(f"{where}: {reason[:1].lower()}{reason[1:]}{got}", field=name)
