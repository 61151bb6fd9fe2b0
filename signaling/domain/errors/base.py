"""What all errors have, and wrong input."""

from __future__ import annotations

from typing import ClassVar


class SignalingError(Exception):
    """Base of the tree; raised as itself only for what has no better name."""

    code: ClassVar[int] = 9500
    name: ClassVar[str] = "InternalError"
    http_status: ClassVar[int] = 500
    retry_after: float | None = None
    """Seconds after which to try again; None where that would not help."""
    reason: str | None = None
    """Which of several reasons it is, where a caller can act on that."""
    field: str | None = None
    """What of the input is wrong, dotted ("config.media.video.quality"), where one field is."""
    default_message: ClassVar[str] = (
        "Something went wrong on the server. Try again; if it stays, read its log."
    )

    def __init__(self, message: str | None = None) -> None:
        self.message: str = message or self.default_message
        super().__init__(self.message)


class InvalidInputError(SignalingError):
    code = 9400
    name = "InvalidInput"
    http_status = 400
    default_message = "The request is not valid. Correct it and send it again."

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ValidationFailedError(InvalidInputError):
    code = 9422
    name = "ValidationFailed"
    http_status = 422
    default_message = "A field is not valid. Correct it and send it again."
