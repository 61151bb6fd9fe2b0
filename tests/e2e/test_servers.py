"""Two servers on one PostgreSQL: pages of either lead into the same meeting."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from sfu.bot import Organization
from tests.e2e.browsers import Browsers
from tests.e2e.cast import Cast
from tests.e2e.pictures import ADA, GRACE
from tests.integration.test_servers import two_servers
from tests.signaling.conftest import postgres  # noqa: F401 - a fixture
from tests.support.postgres import Postgres

WATCH_SOCKETS = """
window.sockets = [];
window.WebSocket = new Proxy(window.WebSocket, {
  construct(target, [url, ...rest]) {
    window.sockets.push(String(url));
    return new target(url, ...rest);
  },
});
"""


async def test_whoever_opens_the_page_of_another_server_is_led_to_the_one_that_has_the_meeting(
    page: Path,
    browsers: Browsers,
    tmp_path: Path,
    postgres: Postgres,  # noqa: F811 - the fixture
) -> None:
    more = ("--web-dir", str(page))
    async with two_servers(tmp_path, postgres.new_database(), more) as two:
        here, there = two.running
        async with Organization(here.credentials) as organization:
            cast = Cast(here, browsers, organization, await organization.create_meeting("Two servers"))
            try:
                ada = await cast.enter(ADA, "group_call_host", base_url=here.base_url)
                grace = await cast.invite(GRACE, base_url=there.base_url)
                await grace.page.add_init_script(WATCH_SOCKETS)
                await grace.join()
                assert grace.page.url.startswith(there.base_url)
                sockets = await grace.evaluate("window.sockets")
                assert [one.partition("//")[2].partition("/")[0] for one in sockets] == [
                    one.base_url.partition("//")[2] for one in (there, here)
                ]
                for one, other in ((ada, grace), (grace, ada)):
                    await one.sees(other)
                    await one.sees_moving(other)
                    await expect(one.get("tile")).to_have_count(2)
                assert not any(one.unexpected_problems() for one in cast.people)
            except BaseException:
                await cast.tell("two_servers")
                raise
            finally:
                await cast.close()
