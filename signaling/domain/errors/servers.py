"""What this server does not do, or cannot at the moment."""

from __future__ import annotations

from signaling.domain.errors.base import SignalingError


class UnsupportedError(SignalingError):
    code = 2002
    name = "Unsupported"
    http_status = 422
    default_message = "This is not supported."


class NotImplementedYetError(SignalingError):
    code = 2004
    name = "NotImplemented"
    http_status = 501
    default_message = "This is not implemented in this version."


class MisdirectedError(SignalingError):
    """`url` is how the server that has it is reached."""

    code = 9421
    name = "Misdirected"
    http_status = 421
    default_message = "Another server has this meeting: ask there, under the url that is given here."

    def __init__(self, message: str | None = None, *, url: str) -> None:
        super().__init__(message)
        self.url = url


class UnavailableError(SignalingError):
    code = 9503
    name = "Unavailable"
    http_status = 503
    default_message = "The server cannot do this at the moment. Try again in some seconds."
    retry_after = 2.0


class MediaUnavailableError(UnavailableError):
    code = 9454
    name = "MediaUnavailable"
    default_message = "No media node can take this at the moment. Try again in some seconds."


class OverloadedError(UnavailableError):
    """Nobody new is taken; `retry_after` differs from one to the next, so that they do not all come back at
    once."""

    code = 9458
    name = "Overloaded"
    default_message = (
        "The server is full: it keeps the quality of those who are in. Try again a little later."
    )

    def __init__(self, message: str | None = None, *, retry_after: float = 10.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerUnreachableError(UnavailableError):
    code = 9462
    name = "ServerUnreachable"
    default_message = "The server that has this meeting does not answer. Try again in some seconds."


class ContendedError(UnavailableError):
    """Nothing of it was done. `signaling.services.transaction` has tried it some times already."""

    code = 9459
    name = "Contended"
    default_message = "Others changed the same at the same time. Nothing was done; try again."
    retry_after = 1.0


class StoreUnavailableError(UnavailableError):
    code = 9460
    name = "StoreUnavailable"
    default_message = "The database does not answer at the moment. Try again in some seconds."


class OutcomeUnknownError(StoreUnavailableError):
    """The connection went while a transaction was being committed."""

    code = 9461
    name = "OutcomeUnknown"
    default_message = (
        "The database went away while this was being written: it may be done. Look before you try again."
    )
