"""The database, and what a server has to have in common with the others on it: secret key, clock, URLs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signaling.auth.sealing import SECRET_KEY_FILE, SecretBox, read_secret_key
from signaling.auth.signing_keys import PURPOSE as SIGNING_KEYS
from signaling.config import Settings
from signaling.doctor.report import Finding, fail, ok, warn
from signaling.errors import InvalidInputError
from signaling.server_id import SERVER_ID_FILE, read_server_id
from signaling.store.database import DATABASE_FILE, sqlite_url
from signaling.store.examination import Examined, Sealed, SealedIn, Skew, examine
from signaling.store.migrate import HEAD
from signaling.webhooks.key_pairs import PURPOSE as WEBHOOK_KEYS
from signaling.webhooks.key_pairs import sealed_name

GOOD_SKEW: Final = 1.0
BAD_SKEW: Final = 30.0
"""Seconds: a key that signs tokens is announced for 60."""
_PURPOSES: Final[dict[SealedIn, str]] = {"signing_keys": SIGNING_KEYS, "webhook_keys": WEBHOOK_KEYS}


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    settings: Settings

    async def look(self) -> Sequence[Finding]:
        settings = self.settings
        try:
            found = await examine(settings.database_url or sqlite_url(settings.data_dir / DATABASE_FILE))
        except InvalidInputError as error:
            return [fail("database", error.message, "correct --database-url")]
        except (OSError, ImportError) as error:
            return [fail("database", str(error), "start the database, or correct --database-url")]
        findings = [judge_revision(found.revision), self._secret_key(found)]
        if found.skew is not None:
            findings.append(judge_skew(found.skew))
        taken = self._taken(found)
        return findings if taken is None else [*findings, taken]

    def _secret_key(self, found: Examined) -> Finding:
        """Without making one."""
        settings = self.settings
        if settings.secret_key is not None:
            return judge_secret_key(settings.secret_key.get_secret_value(), found, own_file=False)
        file = settings.data_dir / SECRET_KEY_FILE
        try:
            text = read_secret_key(file) if file.exists() else None
        except InvalidInputError as error:
            return fail("secret key", error.message, "correct it before the next start")
        except OSError as error:
            advice = f"give {file} to the user that runs the server"
            return fail("secret key", f"cannot read {file}: {error.strerror}", advice)
        return judge_secret_key(text, found, own_file=True)

    def _taken(self, found: Examined) -> Finding | None:
        """Whether another server says that it has this one's URL."""
        settings = self.settings
        url = settings.server_url or settings.public_url
        file = settings.data_dir / SERVER_ID_FILE
        own = read_server_id(file) if file.exists() else None
        others = [one for one, theirs in found.servers.items() if theirs == url and one != own]
        if url is None or not others:
            return None
        advice = "clients are sent to a server by its URL: give each one its own, --server-url"
        return fail("server URL", f"{url} is also that of server {others[0]}", advice)


def judge_revision(revision: str | None) -> Finding:
    if revision is None:
        return ok("database", "reachable, empty: tables are made at the first start")
    if revision == HEAD:
        return ok("database", f"reachable, schema {revision} is current")
    if revision < HEAD:
        return ok("database", f"reachable, schema {revision}: the next start brings it to {HEAD}")
    advice = "upgrade the program or use another database"
    return fail("database", f"schema {revision} is from a newer version than this ({HEAD})", advice)


def judge_secret_key(text: str | None, found: Examined, *, own_file: bool) -> Finding:
    """`text` None: there is none yet. `own_file`: it is, or will be, in the data directory alone."""
    name = "secret key"
    if text is None and found.sealed:
        advice = f"name the one that sealed them: --secret-key-file ({SECRET_KEY_FILE} of the first server)"
        return fail(name, "there is none, but secrets in the database", advice)
    if text is not None and not all(_opens(text, one) for one in found.sealed):
        advice = "every server on a database needs the same one: --secret-key-file"
        return fail(name, "the secrets in the database were sealed with another one", advice)
    if own_file and found.shared:
        advice = "servers on one database need the same one: --secret-key-file"
        return warn(name, "it is in this data directory alone" if text else "there is none yet", advice)
    if text is None:
        return ok(name, "made at the first start")
    return ok(
        name, "it opens the secrets in the database" if found.sealed else "nothing is sealed with it yet"
    )


def _opens(text: str, one: Sealed) -> bool:
    name = one.id if one.kept_in == "signing_keys" else sealed_name(one.id, "ed25519")
    try:
        SecretBox(text, _PURPOSES[one.kept_in]).open(one.secret, name)
    except InvalidInputError:
        return False
    return True


def judge_skew(skew: Skew) -> Finding:
    """By what the clocks are apart at least."""
    found = f"{skew.ahead:+.3f} s against the database's"
    apart = abs(skew.ahead) - skew.doubt
    if apart < GOOD_SKEW:
        return ok("clock against the database", found)
    judge = fail if apart >= BAD_SKEW else warn
    advice = "keep both with an NTP client: servers on one database sign and verify by their clocks"
    return judge("clock against the database", found, advice)
