"""Logging as it was before a test: a command that runs in the tests' process sets it up for all of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog


@contextmanager
def logging_kept() -> Iterator[None]:
    """Until then no logger keeps what it is set up with, as it would for ever: neither it nor `capture_logs`
    would follow the next one who sets it up."""
    root, configuration, configure = logging.getLogger(), structlog.get_config(), structlog.configure
    handlers, level = [*root.handlers], root.level

    def configure_for_now(**options: Any) -> None:
        configure(**options | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(structlog, "configure", configure_for_now)
        try:
            yield
        finally:
            if structlog.get_config() != configuration:
                configure(**configuration)
                root.handlers, root.level = handlers, level
