"""What a browser encodes arrives at another one untouched, whichever codec the server forwards."""

from __future__ import annotations

import pytest

from tests.e2e.cast import Cast
from tests.e2e.pictures import ADA, GRACE

PREFER = """
(() => {
  const wanted = %r;
  const original = RTCRtpTransceiver.prototype.setCodecPreferences;
  RTCRtpTransceiver.prototype.setCodecPreferences = function (codecs) {
    const isWanted = ({ mimeType }) => mimeType === wanted;
    return original.call(this, [...codecs.filter(isWanted), ...codecs.filter((codec) => !isWanted(codec))]);
  };
  const add = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (track, { sendEncodings, ...init }) {
    if (sendEncodings) init.sendEncodings = [{ maxBitrate: 700_000 }];
    return add.call(this, track, init);
  };
})();
"""


@pytest.mark.parametrize(
    "codec", ["H264", *(pytest.param(codec, marks=pytest.mark.clients) for codec in ("VP8", "VP9", "AV1"))]
)
@pytest.mark.shows("Chromium", "publish {codec}", "subscribe {codec}")
async def test_video_of_each_codec_passes_through(cast: Cast, codec: str) -> None:
    ada = await cast.enter(ADA, "group_call_host")
    grace = await cast.invite(GRACE)
    await grace.page.add_init_script(PREFER % f"video/{codec}")
    await grace.open()
    able = await grace.page.evaluate(
        "RTCRtpSender.getCapabilities('video').codecs.map(({ mimeType }) => mimeType)"
    )
    if f"video/{codec}" not in able:
        pytest.skip(f"this Chromium cannot encode {codec}: {sorted(set(able))}")
    await grace.join()
    await ada.sees(grace)
    await ada.sees_moving(grace)
    stats = await ada.sdk("(await meeting.stats()).subscribe.inbound")
    assert [one["codec"] for one in stats if one["kind"] == "video"] == [f"video/{codec}"]
