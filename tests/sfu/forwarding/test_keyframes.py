"""Requests of many receivers become one every 500 ms at most, repeated until a key frame comes."""

from sfu.forwarding.keyframes import KeyframeRequests


def test_many_requests_are_one() -> None:
    requests = KeyframeRequests()
    for _ in range(50):
        requests.request()
    assert requests.poll(1.0)
    assert not requests.poll(1.0)
    assert (requests.requested, requests.sent) == (50, 1)


def test_it_is_repeated_until_the_key_frame_comes() -> None:
    requests = KeyframeRequests()
    requests.request()
    assert requests.poll(1.0)
    assert not requests.poll(1.49)
    assert requests.poll(1.5)
    requests.handle_keyframe()
    assert not requests.poll(10.0)


def test_a_new_request_waits_for_the_interval_to_pass() -> None:
    requests = KeyframeRequests()
    requests.request()
    requests.poll(1.0)
    requests.handle_keyframe()
    requests.request()
    assert not requests.poll(1.49)
    assert requests.poll(1.5)


def test_who_is_about_to_come_has_one_asked_for_once() -> None:
    requests = KeyframeRequests()
    requests.request_ahead()
    assert requests.poll(1.0)
    assert not requests.poll(10.0)
    requests.request_ahead()
    requests.handle_keyframe()
    assert not requests.poll(20.0), "it came before it was asked for"
