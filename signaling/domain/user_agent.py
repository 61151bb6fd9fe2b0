"""What a browser says of itself in `User-Agent`, as far as it can be told apart. Pure.

Browsers name others in it, whose pages they want to be shown: so the most particular ones are looked for
first. What they say of the system's version many freeze ("Mac OS X 10_15_7", "Windows NT 10.0"); it is passed
on as said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_VERSION: Final = r"(\d[\d.]{0,31})"
_BROWSERS: Final = tuple(
    (re.compile(pattern + _VERSION), name, engine)
    for pattern, name, engine in (
        (r"\bEdgiOS/", "Edge", "WebKit"),
        (r"\bCriOS/", "Chrome", "WebKit"),
        (r"\bFxiOS/", "Firefox", "WebKit"),
        (r"\bEdgA?/", "Edge", "Blink"),
        (r"\bOPR/", "Opera", "Blink"),
        (r"\bSamsungBrowser/", "Samsung Internet", "Blink"),
        (r"\bFirefox/", "Firefox", "Gecko"),
        (r"\b(?:Headless)?Chrom(?:e|ium)/", "Chrome", "Blink"),
        (r"\bVersion/(?=\S+ (?:Mobile/\S+ )?Safari/)", "Safari", "WebKit"),
    )
)
_SYSTEMS: Final = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\bWindows NT (\d[\d.]{0,15})", "Windows"),
        (r"\bAndroid (\d[\d.]{0,15})", "Android"),
        (r"\b(?:iPhone )?OS (\d[\d_]{0,15}) like Mac OS X", "iOS"),
        (r"\bMac OS X (\d[\d_.]{0,15})", "macOS"),
        (r"\bCrOS \S{1,16} (\d[\d.]{0,15})", "ChromeOS"),
        (r"\bAndroid\b()", "Android"),
        (r"\bLinux\b()", "Linux"),
    )
)


@dataclass(frozen=True, slots=True)
class UserAgent:
    """None: it does not say."""

    browser: str | None = None
    browser_version: str | None = None
    engine: str | None = None
    os: str | None = None
    os_version: str | None = None


def read_user_agent(text: str | None) -> UserAgent:
    if not text:
        return UserAgent()
    browser, browser_version, engine = _browser(text)
    os, os_version = _system(text)
    return UserAgent(browser, browser_version, engine, os, os_version)


def _browser(text: str) -> tuple[str | None, str | None, str | None]:
    for pattern, name, engine in _BROWSERS:
        if found := pattern.search(text):
            return name, found[1].rstrip("."), engine
    return None, None, None


def _system(text: str) -> tuple[str | None, str | None]:
    for pattern, name in _SYSTEMS:
        if found := pattern.search(text):
            return name, found[1].replace("_", ".").rstrip(".") or None
    return None, None
