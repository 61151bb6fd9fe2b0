"""Which request of a joined peer is served by what. `join`, `resume`, `update_token` and
`report_devices` are `LiveService`'s own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from signaling.domain.stage import StageAction
from signaling.protocol import messages
from signaling.services.live import connectivity, media, moderation, moving, stats, view_modes, waiting

Handler = Callable[..., Awaitable[BaseModel]]
"""(LiveSession, peer id, the request of its type) -> the result."""


async def _ping(*_args: Any) -> BaseModel:
    return messages.Empty()


HANDLERS: Final[Mapping[type[messages.Request], Handler]] = MappingProxyType(
    {
        messages.Ping: _ping,
        messages.Leave: moderation.leave,
        messages.Publish: media.publish,
        messages.Unpublish: media.unpublish,
        messages.Subscribe: media.subscribe,
        messages.Unsubscribe: media.unsubscribe,
        messages.SubscribeAnswer: media.subscribe_answer,
        messages.SubscribeMoved: moving.finish,
        messages.RestartIce: media.restart_ice,
        messages.Candidate: media.candidate,
        messages.SetLayer: media.set_layer,
        messages.SetTiles: media.set_tiles,
        messages.SetView: view_modes.set_view,
        messages.PauseSubscription: media.pause_subscription,
        messages.ResumeSubscription: media.resume_subscription,
        messages.Mute: media.mute,
        messages.Unmute: media.unmute,
        messages.MutePeer: moderation.mute_peer,
        messages.MuteAll: moderation.mute_all,
        messages.Censor: moderation.censor,
        messages.Uncensor: moderation.uncensor,
        messages.Kick: moderation.kick,
        messages.KickAll: moderation.kick_all,
        messages.UpdatePermissions: moderation.update_permissions,
        messages.Admit: waiting.admit,
        messages.Deny: waiting.deny,
        messages.GetIceServers: connectivity.get_ice_servers,
        messages.GetStats: stats.get_stats,
        messages.StageRequest: moderation.own_stage(StageAction.REQUEST),
        messages.StageCancel: moderation.own_stage(StageAction.CANCEL),
        messages.StageJoin: moderation.own_stage(StageAction.JOIN),
        messages.StageLeave: moderation.own_stage(StageAction.LEAVE),
        messages.StageGrant: moderation.host_stage(StageAction.GRANT),
        messages.StageInvite: moderation.host_stage(StageAction.INVITE),
        messages.StageDeny: moderation.host_stage(StageAction.DENY),
        messages.StageKick: moderation.host_stage(StageAction.KICK),
    }
)
