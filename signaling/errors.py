"""The one error tree of signaling. It is drawn and defined in `signaling.domain.errors`, because the domain
raises from it and imports nothing else; everyone above the domain imports it from here."""

from signaling.domain.errors import *  # noqa: F403 - all of it, as `__all__` there says
from signaling.domain.errors import __all__ as __all__
