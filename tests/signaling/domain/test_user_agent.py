"""User agents as browsers send them."""

from __future__ import annotations

import pytest

from signaling.domain.user_agent import UserAgent, read_user_agent

_MOZILLA = "Mozilla/5.0 "
_KHTML = "AppleWebKit/537.36 (KHTML, like Gecko) "
_WINDOWS = _MOZILLA + "(Windows NT 10.0; Win64; x64) " + _KHTML
_MAC = _MOZILLA + "(Macintosh; Intel Mac OS X 10_15_7) "
_IPHONE = _MOZILLA + "(iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            _WINDOWS + "Chrome/124.0.0.0 Safari/537.36",
            UserAgent("Chrome", "124.0.0.0", "Blink", "Windows", "10.0"),
        ),
        (
            _MOZILLA
            + "(Windows NT 10.0; Win64; x64) "
            + _KHTML
            + "Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
            UserAgent("Edge", "124.0.2478.51", "Blink", "Windows", "10.0"),
        ),
        (
            _MOZILLA + "(X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
            UserAgent("Firefox", "125.0", "Gecko", "Linux", None),
        ),
        (
            _MOZILLA + "(X11; Linux x86_64) " + _KHTML + "HeadlessChrome/156.0.0.0 Safari/537.36",
            UserAgent("Chrome", "156.0.0.0", "Blink", "Linux", None),
        ),
        (
            _MAC + "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15",
            UserAgent("Safari", "17.4.1", "WebKit", "macOS", "10.15.7"),
        ),
        (
            _IPHONE + "Version/17.4.1 Mobile/15E148 Safari/604.1",
            UserAgent("Safari", "17.4.1", "WebKit", "iOS", "17.4.1"),
        ),
        (
            _IPHONE + "CriOS/124.0.6367.68 Mobile/15E148 Safari/604.1",
            UserAgent("Chrome", "124.0.6367.68", "WebKit", "iOS", "17.4.1"),
        ),
        (
            _MOZILLA + "(Linux; Android 14; Pixel 8) " + _KHTML + "Chrome/124.0.0.0 Mobile Safari/537.36",
            UserAgent("Chrome", "124.0.0.0", "Blink", "Android", "14"),
        ),
        (
            _MOZILLA + "(X11; CrOS x86_64 14541.0.0) " + _KHTML + "Chrome/124.0.0.0 Safari/537.36",
            UserAgent("Chrome", "124.0.0.0", "Blink", "ChromeOS", "14541.0.0"),
        ),
        ("curl/8.5.0", UserAgent()),
        ("", UserAgent()),
        (None, UserAgent()),
        ("Chrome/" + "1" * 500, UserAgent("Chrome", "1" * 32, "Blink")),
    ],
)
def test_what_browsers_say_of_themselves(text: str | None, told: UserAgent) -> None:
    assert read_user_agent(text) == told
