"""What live sessions need of the media nodes and of the sockets, in the words of people: publish, subscribe.

`signaling.nodes` implements `MediaNodes`, `signaling.ws.hub` implements `PeerHub`, `signaling.auth.turn`
implements `IceServers`.
"""

from signaling.services.live.ports.answers import (
    Answer,
    ConnectionSample,
    Direction,
    IceAnswer,
    MediumSample,
    Negotiated,
    PathSample,
    PeerStats,
    StreamStats,
    ViewAnswer,
)
from signaling.services.live.ports.media_session import (
    MediaSession,
)
from signaling.services.live.ports.nodes import (
    Carried,
    MediaNodes,
    SurvivingMedia,
)
from signaling.services.live.ports.peers import (
    IceServerOffer,
    IceServers,
    PeerHub,
)
from signaling.services.live.ports.told import (
    DataDropped,
    DataDropReason,
    LayerChanged,
    LayersWanted,
    MediaEvent,
    MediaListener,
    MovesProposed,
    NodeLost,
    OfferMade,
    OfferMid,
    PauseReason,
    PublicationClosed,
    PublicationLimited,
    PublicationScored,
    SpeakersChanged,
    SubscriptionClosed,
    SubscriptionPaused,
    SubscriptionResumed,
    SubscriptionScored,
    TransportStateChanged,
    TransportStateName,
)

__all__ = [
    "Answer",
    "Carried",
    "ConnectionSample",
    "DataDropReason",
    "DataDropped",
    "Direction",
    "IceAnswer",
    "IceServerOffer",
    "IceServers",
    "LayerChanged",
    "LayersWanted",
    "MediaEvent",
    "MediaListener",
    "MediaNodes",
    "MediaSession",
    "MediumSample",
    "MovesProposed",
    "Negotiated",
    "NodeLost",
    "OfferMade",
    "OfferMid",
    "PathSample",
    "PauseReason",
    "PeerHub",
    "PeerStats",
    "PublicationClosed",
    "PublicationLimited",
    "PublicationScored",
    "SpeakersChanged",
    "StreamStats",
    "SubscriptionClosed",
    "SubscriptionPaused",
    "SubscriptionResumed",
    "SubscriptionScored",
    "SurvivingMedia",
    "TransportStateChanged",
    "TransportStateName",
    "ViewAnswer",
]
