"""Telnyx' video rooms: a second rendering of the same domain. A room is a meeting."""
