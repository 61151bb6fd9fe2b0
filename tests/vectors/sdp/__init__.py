"""Session descriptions of browsers; README.md says where each comes from."""

from __future__ import annotations

from pathlib import Path

NAMES = (
    "chromium_publish_offer",
    "chromium_publish_reoffer",
    "chromium_subscribe_answer",
    "chromium_view_offer",
    "firefox_publish_offer",
    "firefox_subscribe_answer",
    "obs_publish_offer",
    "obs_simulcast_offer",
)


def read(name: str) -> str:
    """The text of one, with its line ends as captured."""
    return (Path(__file__).parent / f"{name}.sdp").read_bytes().decode()
