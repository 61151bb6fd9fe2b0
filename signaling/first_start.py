"""What a start shows whoever runs the server: links into the demo meetings, which the first start makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from signaling.auth.api_keys import hash_api_key
from signaling.credentials import Credentials
from signaling.services.bootstrap import Bootstrap
from signaling.services.ports import Tokens


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
        credentials = (credentials or Credentials.new(base_url)).at(base_url)
        credentials.write(data_dir)
        organization = await bootstrap.create(credentials.organization_id, hash_api_key(credentials.api_key))
    elif credentials and credentials.base_url != base_url:
        credentials.at(base_url).write(data_dir)
    return [
        JoinLink(seat.label, f"{base_url}/meet/#token={tokens.issue(seat.participant)}")
        for seat in await bootstrap.demo_seats(organization.id)
    ]
