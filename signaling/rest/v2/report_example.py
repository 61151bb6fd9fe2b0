"""The examples of reports about peers in /openapi.json."""

from __future__ import annotations

from typing import Any, Final

from signaling.rest.v2.peer_quality import QUALITY_STATS, CandidatePairs, Quality
from signaling.rest.v2.session_people import PERSON

_SOCKET: Final = "sock_01k9zt1v3c5e7g9j1m3p5r7t9v"
_OPENED: Final = "2026-01-31T09:29:59.500Z"
_JOINED: Final = "2026-01-31T09:30:00.125Z"
_USED: Final = "2026-01-31T09:30:02.250Z"
_LEFT: Final = "2026-01-31T09:50:00.125Z"
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_EVENTS: Final = [
    {"name": "joined", "timestamp": _JOINED, "metadata": {"socket_session_id": _SOCKET}},
    {"name": "left", "timestamp": _LEFT, "metadata": {"reason": "left"}},
]
_DEVICE: Final = {
    "is_mobile": False,
    "device": "desktop",
    "user_agent": _AGENT,
    "os": "Linux",
    "os_version": None,
    "cpus": 8,
    "memory": 8.0,
}
_ADDRESS: Final = {
    "ipv4": "198.51.100.7",
    "address": "198.51.100.7",
    **dict.fromkeys(("city", "country", "region", "timezone", "org", "asn")),
}
_MICROPHONE: Final = {"device_id": "audioinput-1", "kind": "audioinput", "label": "Built-in microphone"}
_HEADSET: Final = {"device_id": "audioinput-2", "kind": "audioinput", "label": "USB headset"}
_CAMERA: Final = {"device_id": "videoinput-1", "kind": "videoinput", "label": "Integrated camera"}
_SPEAKER: Final = {"device_id": "audiooutput-1", "kind": "audiooutput", "label": "Built-in speakers"}


def _there(*devices: dict[str, str]) -> list[dict[str, Any]]:
    return [{"added": list(devices), "removed": [], "timestamp": _USED}]


_PAIR: Final = {
    "local_candidate_address": "192.0.2.1",
    "local_candidate_port": 40000,
    "local_candidate_protocol": "udp",
    "local_candidate_type": "host",
    "remote_candidate_address": "198.51.100.7",
    "remote_candidate_port": 50000,
    "remote_candidate_protocol": "udp",
    "remote_candidate_type": "srflx",
    "nominated": True,
    "current_round_trip_time": 0.021,
    "available_outgoing_bitrate": None,
    "packets_received": 61_000,
    "bytes_received": 6_800_000,
    "first_used_at": _JOINED,
    "last_used_at": _LEFT,
}
REPORTED: Final = {
    **PERSON,
    "created_at": _OPENED,
    "peer_stats": {
        "device_info": _DEVICE,
        "ip_information": _ADDRESS,
        "events": _EVENTS,
        "precall_network_information": None,
    },
    "quality_stats": [QUALITY_STATS],
}
WITH_REPORT: Final = {
    **REPORTED,
    "peer_report": {
        "metadata": {
            "events": _EVENTS,
            "device_info": _DEVICE,
            "browser_metadata": {
                "user_agent": _AGENT,
                "browser": "Firefox",
                "browser_version": "140.0",
                "engine": "Gecko",
                "webgl_support": None,
            },
            "ip_information": _ADDRESS,
            "sdk_name": "rostrum-web",
            "sdk_version": "0.1.0",
            "sdk_type": None,
            "room_view_type": "GROUP_CALL",
            "candidate_pairs": CandidatePairs.model_validate({"producing_transport": [_PAIR]}).model_dump(
                mode="json"
            ),
            "native_metadata": None,
            "pc_metadata": [],
            "audio_devices_updates": _there(_MICROPHONE, _HEADSET),
            "video_devices_updates": _there(_CAMERA),
            "speaker_devices_updates": _there(_SPEAKER),
            "selected_device_updates": [
                {"device": _HEADSET, "timestamp": _USED},
                {"device": _CAMERA, "timestamp": _USED},
            ],
        },
        "quality": Quality().model_dump(mode="json"),
    },
}
