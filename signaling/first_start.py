"""What a start shows whoever runs the server: links into the demo meetings, which the first start makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from signaling.auth.api_keys import hash_api_key
from signaling.credentials import Credentials
from signaling.domain.organization import Organization
from signaling.services.bootstrap import Bootstrap
from signaling.services.ports import Tokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JoinLink:
    """`label` says for whom: "host", "webinar viewer", ..."""

    label: str
    url: str


async def demo_links(data_dir: Path, bootstrap: Bootstrap, tokens: Tokens, base_url: str) -> list[JoinLink]:
    """Makes the first organization where there is none. Links into its demo meetings, with fresh tokens."""
    credentials = Credentials.read(data_dir)
    organization = await bootstrap.organization()
    if organization is None:
        organization = await _first(data_dir, bootstrap, credentials, base_url)
    elif credentials and credentials.base_url != base_url:
        credentials.at(base_url).write(data_dir)
    return [
        JoinLink(seat.label, f"{base_url}/meet/#token={tokens.issue(seat.participant)}")
        for seat in await bootstrap.demo_seats(organization.id)
    ]


async def _first(
    data_dir: Path, bootstrap: Bootstrap, former: Credentials | None, base_url: str
) -> Organization:
    """`former`: of a first start that did not get so far."""
    credentials = (former or Credentials.new(base_url)).at(base_url)
    credentials.write(data_dir)
    organization = await bootstrap.create(credentials.organization_id, hash_api_key(credentials.api_key))
    if organization.id != credentials.organization_id:
        log.info("first_start.elsewhere", organization_id=organization.id)
        Credentials.discard(data_dir)
    return organization
