"""Tenants over HTTP: what the services decide is tried with them; here is how it looks."""

from __future__ import annotations

import base64

import aiohttp
import pytest

from tests.signaling.rest.world import ON_BOTH, World

PASSWORD = "correct horse battery"


def basic(organization_id: str, key: str) -> str:
    return "Basic " + base64.b64encode(f"{organization_id}:{key}".encode()).decode()


@ON_BOTH
async def test_an_organization_with_an_app_from_nothing(world: World) -> None:
    wish = {"name": "Acme", "contact": "ada@example.org", "website": "https://example.org"}
    made = await world.call("POST", "/v2/orgs", wish)
    assert made.status == 201 and made.data["feature_flags"] == [] and made.data["plan"] == "unlimited"
    org, auth = made.data["id"], basic(made.data["id"], made.data["apikey"])
    assert (await world.call("POST", "/v2/orgs", wish)).status == 409
    assert (await world.call("POST", "/v2/orgs", {"name": "Mine"}, auth=auth)).status == 403
    listed = await world.call("GET", "/v2/orgs", auth=auth)
    assert [one["id"] for one in listed.data] == [org] and "apikey" not in listed.data[0]
    for search, found in (("aCM", [org]), (org, [org]), ("Beta", [])):
        listed = await world.call("GET", f"/v2/orgs?search={search}", auth=auth)
        assert [one["id"] for one in listed.data] == found, search
    changed = await world.call("PATCH", f"/v2/orgs/{org}", {"name": "Acme Ltd"}, auth=auth)
    assert changed.data["name"] == "Acme Ltd" and changed.data["contact"] == "ada@example.org"
    refused = await world.call("PATCH", f"/v2/orgs/{org}", {"plan": "business"}, auth=auth)
    assert refused.status == 403
    app = await world.call("POST", f"/v2/orgs/{org}/apps", {"name": "staging"}, auth=auth)
    assert app.status == 201 and app.data["organization_id"] == org
    apps = await world.call("GET", f"/v2/orgs/{org}/apps", auth=auth)
    assert [one["name"] for one in apps.data] == ["Acme Ltd", "staging"]
    in_app = basic(app.data["id"], made.data["apikey"])
    meeting = await world.call("POST", "/v2/meetings", {"title": "Trial"}, auth=in_app)
    path = f"/v2/meetings/{meeting.data['id']}"
    assert (await world.call("GET", path, auth=in_app)).status == 200
    assert (await world.call("GET", path, auth=auth)).status == 404, "an app is a tenant of its own"
    below = f"/accounts/{org}/realtime/kit/{app.data['id']}/meetings/{meeting.data['id']}"
    assert (await world.call("GET", below, auth=f"Bearer {made.data['apikey']}")).status == 200


async def test_a_feature_that_is_taken_away_is_refused_by_its_name(world: World) -> None:
    webhook = {"name": "ours", "url": "https://hooks.example/", "events": ["meeting.started"]}
    path = f"/v2/orgs/{world.organization_id}"
    meeting = (await world.call("POST", "/v2/meetings", {"title": "Weekly"})).data
    lobby = {"lobby_enabled": True}
    waits = {"name": "w", "config": {"view_type": "WEBINAR"}}
    waits["permissions"] = {"waiting_room_type": "SKIP_ON_ACCEPT"}
    told = {"webhook_event_url": "https://hooks.example/"}
    old = (await world.call("POST", "/v2/meetings", told)).data
    taken = ["-webhooks", "-apps", "-units", "-waiting_room"]
    await world.call("PATCH", path, {"feature_flags": taken})
    for refused in (
        await world.call("PATCH", f"/v2/meetings/{meeting['id']}", lobby),
        await world.call("POST", f"/v2/meetings/{meeting['id']}/open", {"configuration": lobby}),
        await world.call("PUT", path + "/configuration", {"configuration": lobby, "locked": []}),
        await world.call("POST", "/v2/presets", waits),
        await world.call("POST", "/v2/webhooks", webhook),
        await world.call("POST", "/v2/meetings", told),
        await world.call("PATCH", f"/v2/meetings/{meeting['id']}", told),
        await world.call("PUT", f"/v2/meetings/{meeting['id']}", told),
        await world.call(
            "PATCH", f"/v2/meetings/{old['id']}", {"webhook_event_url": "https://other.example/"}
        ),
        await world.call("POST", path + "/apps", {"name": "staging"}),
        await world.call("POST", path + "/units", {"name": "Sales"}),
    ):
        assert refused.status == 403 and refused.error["name"] == "FeatureDisabled"
    assert (await world.call("POST", "/v2/rooms", told)).status == 403
    assert (await world.call("PATCH", f"/v2/meetings/{old['id']}", {"title": "Daily"})).status == 200
    await world.call("PATCH", path, {"feature_flags": []})
    assert (await world.call("POST", "/v2/webhooks", webhook)).status == 201
    assert (await world.call("PATCH", f"/v2/meetings/{meeting['id']}", lobby)).status == 200
    await world.call("PATCH", path, {"feature_flags": ["-waiting_room"]})
    renamed = await world.call("PATCH", f"/v2/meetings/{meeting['id']}", {"title": "Daily"})
    assert renamed.status == 200, "what was switched on before is in nobody's way"


async def test_without_analytics_only_the_platform_is_told_what_was_used(world: World) -> None:
    made = await world.call("POST", "/v2/orgs", {"name": "Acme", "feature_flags": ["-analytics"]})
    org = made.data["id"]
    own, platform = (aiohttp.encode_basic_auth(org, key) for key in (made.data["apikey"], world.api_key))
    for path in ("/v2/usage", "/v2/usage.csv", "/v2/analytics/daywise"):
        refused = await world.call("GET", path, auth=own)
        assert (refused.status, refused.error["name"]) == (403, "FeatureDisabled"), path
        assert (await world.call("GET", path, auth=platform)).status == 200, path
    await world.call("PATCH", f"/v2/orgs/{org}", {"feature_flags": []})
    assert (await world.call("GET", "/v2/usage", auth=own)).status == 200


async def test_units_as_a_list_and_as_a_tree(world: World) -> None:
    units = f"/v2/orgs/{world.organization_id}/units"
    sales = (await world.call("POST", units, {"name": "Sales"})).data
    body = {"name": "North", "parent_id": sales["id"], "admin": "ada@example.org"}
    north = await world.call("POST", units, body, headers={"Idempotency-Key": "one"})
    again = await world.call("POST", units, body, headers={"Idempotency-Key": "one"})
    assert north.data == again.data and north.data["path"] == [sales["id"], north.data["id"]]
    assert [one["name"] for one in (await world.call("GET", units)).data] == ["North", "Sales"]
    tree = (await world.call("GET", f"/v2/orgs/{world.organization_id}/unit-tree")).data["units"]
    assert [(one["name"], [child["name"] for child in one["children"]]) for one in tree] == [
        ("Sales", ["North"])
    ]
    assert (await world.call("DELETE", f"{units}/{sales['id']}")).status == 409
    stale = {"headers": {"If-Match": '"7"'}}
    assert (await world.call("DELETE", f"{units}/{north.data['id']}", **stale)).status == 412
    assert (await world.call("DELETE", f"{units}/{north.data['id']}")).status == 200


async def test_a_key_is_made_limited_and_revoked(world: World) -> None:
    wish = {"name": "Export", "scopes": ["meetings:read"], "expires_at": "2999-01-01T00:00:00Z"}
    made = await world.call("POST", "/v2/api-keys", wish)
    assert made.status == 201 and made.data["key"].startswith(made.data["prefix"])
    auth = f"Bearer {made.data['key']}"
    assert (await world.call("GET", "/v2/api-keys", auth=auth)).status == 403
    listed = (await world.call("GET", "/v2/api-keys")).data
    assert made.data["id"] in {one["id"] for one in listed} and all("key" not in one for one in listed)
    path = f"/v2/api-keys/{made.data['id']}"
    assert (await world.call("DELETE", path)).data["name"] == "Export"
    assert (await world.call("GET", path)).status == 404
    assert (await world.call("GET", "/v2/api-keys", auth=auth)).status == 401
    assert (await world.call("POST", "/v2/api-keys", {"name": "x", "scopes": ["odd"]})).status == 422


@ON_BOTH
async def test_somebody_is_invited_logs_in_and_out(world: World) -> None:
    invitation = {"email": "Ada@example.org", "name": "Ada", "role": "organization_admin"}
    invited = (await world.call("POST", "/v2/users", invitation)).data
    assert not invited["has_password"] and invited["email"] == "ada@example.org"
    body = {"password_token": invited["password_token"], "password": PASSWORD}
    assert (await world.call("POST", "/v2/auth/password-token", body, auth=None)).data == {"done": True}
    credentials = {"email": "ada@example.org", "password": PASSWORD}
    entered = await world.call("POST", "/v2/auth/login", credentials, auth=None)
    assert entered.data["organization_id"] == world.organization_id
    auth = f"Bearer {entered.data['access']['token']}"
    me = await world.call("GET", "/v2/auth/me", auth=auth)
    assert [one["role"] for one in me.data["memberships"]] == ["organization_admin"]
    assert (await world.call("GET", "/v2/auth/me")).status == 404, "a key is nobody"
    assert (await world.call("GET", "/v2/users", auth=auth)).data[0]["has_password"]
    first = {"refresh_token": entered.data["refresh"]["token"]}
    refreshed = await world.call("POST", "/v2/auth/refresh", first, auth=None)
    last = {"refresh_token": refreshed.data["refresh"]["token"]}
    assert (await world.call("POST", "/v2/auth/logout", last, auth=None)).status == 200
    over = await world.call("POST", "/v2/auth/refresh", last, auth=None)
    assert over.status == 401 and over.error["name"] == "LoginRefused"
    assert over.headers["WWW-Authenticate"].startswith("Bearer"), "no browser asks for a password"
    assert (await world.call("GET", "/v2/auth/me", auth=auth)).status == 401
    wrong = await world.call("POST", "/v2/auth/login", credentials | {"password": "wrong"}, auth=None)
    assert wrong.status == 401 and wrong.error["name"] == "LoginRefused"


@pytest.mark.parametrize("secret", [PASSWORD, "secret-token"])
async def test_a_refused_body_does_not_repeat_the_secret_in_it(world: World, secret: str) -> None:
    body = {"email": "ada@example.org", "password": secret, "refresh_token": secret, "odd": True}
    for path in ("/v2/auth/login", "/v2/auth/refresh", "/v2/auth/password-token"):
        refused = await world.call("POST", path, body, auth=None)
        assert refused.status == 422 and secret not in str(refused.body)


async def test_what_is_asked_of_a_unit_that_is_not_there_is_refused_as_described(world: World) -> None:
    """That the status is documented, the world looks after."""
    nobody = "00000000-0000-4000-8000-000000000000"
    key = {"name": "CI", "scopes": ["meetings:read"], "unit_id": nobody}
    assert (await world.call("POST", "/v2/api-keys", key)).error["name"] == "NotFound"
    person = {"email": "ada@example.org", "name": "Ada", "role": "unit_admin", "unit_id": nobody}
    assert (await world.call("POST", "/v2/users", person)).error["name"] == "NotFound"
    found = [
        (await world.call("GET", f"/v2/{listed}?unit_id={nobody}")).status
        for listed in ("sessions", "meetings")
    ]
    assert found == [404, 200], "a list of meetings is empty then"
