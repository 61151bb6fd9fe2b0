"""Opus (RFC 7587): every packet can be decoded on its own."""

from __future__ import annotations


def starts_keyframe(_payload: bytes) -> bool:
    return True
