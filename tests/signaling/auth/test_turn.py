from __future__ import annotations

from datetime import UTC, datetime, timedelta

from signaling.auth.turn import IceServerList, turn_credential

SECRET = "north of everything"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
URLS = ("turn:turn.example.org", "turns:turn.example.org")


def test_a_credential_is_what_openssl_computes_for_the_same_secret() -> None:
    # printf 1767225600:somebody | openssl dgst -sha1 -hmac "north of everything" -binary | base64
    credential = turn_credential(SECRET, "somebody", NOW)
    assert credential.username == "1767225600:somebody"
    assert credential.password == "ntldC/JNxOI5xd73haHO5it6bPw="


def test_a_credential_is_not_shown_where_it_is_printed() -> None:
    credential = turn_credential(SECRET, "somebody", NOW)
    assert credential.password not in repr(credential)


def test_an_offer_says_when_it_ends_and_who_it_is_for_without_naming_them() -> None:
    offer = IceServerList(turn_urls=URLS, secret=SECRET, ttl=600).offer("pt_ada", NOW)
    (server,) = offer.servers
    end, _, who = str(server.username).partition(":")
    assert (offer.ttl, server.urls) == (600, URLS)
    assert int(end) == (NOW + timedelta(seconds=600)).timestamp()
    assert "ada" not in who and who.isalnum()


def test_a_participant_keeps_the_pseudonym_so_that_the_quota_is_theirs() -> None:
    servers = IceServerList(turn_urls=URLS, secret=SECRET)
    names = [
        str(servers.offer(participant, NOW + timedelta(hours=hours)).servers[0].username).partition(":")[2]
        for participant, hours in (("pt_ada", 0), ("pt_ada", 5), ("pt_bob", 0))
    ]
    assert names[0] == names[1] != names[2]


def test_stun_servers_need_no_credentials_and_never_expire() -> None:
    offer = IceServerList(stun_urls=("stun:stun.example.org",)).offer("pt_ada", NOW)
    assert offer.ttl is None
    assert [(one.urls, one.username) for one in offer.servers] == [(("stun:stun.example.org",), None)]


def test_with_nothing_configured_nothing_is_offered() -> None:
    assert IceServerList().offer("pt_ada", NOW).servers == ()
