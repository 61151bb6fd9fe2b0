"""Requests that are refused for their form, in the words that HTTP has, or as too many or too large."""

from __future__ import annotations

from signaling.domain.errors.base import SignalingError


class MethodNotAllowedError(SignalingError):
    code = 9405
    name = "MethodNotAllowed"
    http_status = 405
    default_message = "This path does not take this method."


class NotAcceptableError(SignalingError):
    code = 9406
    name = "NotAcceptable"
    http_status = 406
    default_message = "The offer has no codec in common with what is published. Offer more."


class UnsupportedMediaTypeError(SignalingError):
    code = 9415
    name = "UnsupportedMediaType"
    http_status = 415
    default_message = "The body is of another type than this path takes."


class PreconditionFailedError(SignalingError):
    code = 9412
    name = "PreconditionFailed"
    http_status = 412
    default_message = "The ETag is not the present one: there was a change since. Read it again."


class PreconditionRequiredError(SignalingError):
    code = 9428
    name = "PreconditionRequired"
    http_status = 428
    default_message = "Send If-Match with the session's ETag, or with * to restart ICE."


class LimitExceededError(SignalingError):
    code = 9413
    name = "LimitExceeded"
    http_status = 413
    default_message = "A limit is exceeded. Send less."


class RateLimitedError(SignalingError):
    """`retry_after` in seconds."""

    code = 13
    name = "RateLimited"
    http_status = 429
    default_message = "Too many requests. Wait before the next one."

    def __init__(self, message: str | None = None, *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
