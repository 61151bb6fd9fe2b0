"""The report about a peer says what its browser knows: the machine, its devices, and which were used."""

from __future__ import annotations

from tests.e2e.cast import Cast
from tests.e2e.eventually import eventually
from tests.e2e.person import Json
from tests.e2e.pictures import ADA

MACHINE = "() => ({ cores: navigator.hardwareConcurrency, memory: navigator.deviceMemory })"
DEVICES = """async () => (await navigator.mediaDevices.enumerateDevices())
  .map(({ kind, label, deviceId }) => ({ kind, label, deviceId }))"""
OTHER_MICROPHONE = """meeting.self.getAudioDevices().then((all) => {
  const used = meeting.self.getCurrentDevices().audio;
  return meeting.self.setDevice(all.find(({ deviceId }) => deviceId !== used));
})"""


async def test_a_report_has_the_machine_and_the_devices_of_a_browser(cast: Cast) -> None:
    ada = await cast.enter(ADA)
    machine, devices = await ada.evaluate(MACHINE), await ada.evaluate(DEVICES)
    microphone, camera = await ada.sdk("[meeting.self.audioTrack.label, meeting.self.videoTrack.label]")

    async def metadata() -> Json:
        found: Json = await cast.organization.call("GET", f"/v2/sessions/peer-report/{ada.peer_id}")
        known: Json = found["participant"]["peer_report"]["metadata"]
        return known

    report = await eventually(
        metadata,
        lambda one: {microphone, camera} <= set(used(one)) and len(added_of(one)) >= len(devices),
        "the devices are in the report",
    )
    assert (report["device_info"]["cpus"], report["device_info"]["memory"]) == (
        machine["cores"],
        machine["memory"],
    )
    assert machine["cores"] >= 1 and machine["memory"] > 0
    added = added_of(report)
    assert sorted(added) == sorted((one["kind"], one["label"]) for one in devices)
    assert {kind for kind, _ in added} == {"audioinput", "videoinput", "audiooutput"}

    await ada.sdk(OTHER_MICROPHONE)
    other = await ada.sdk("meeting.self.audioTrack.label")
    assert other != microphone
    report = await eventually(metadata, lambda one: used(one)[-1] == other, "the other is in the report")
    theirs = {one["deviceId"] for one in devices} - {"default"}
    assert theirs and not [one for one in theirs if one in str(report)], "nobody is known by them again"


async def test_the_events_of_a_peer_name_the_socket_that_its_browser_opened(cast: Cast) -> None:
    ada = await cast.enter(ADA)
    await ada.click("leave-button")
    await ada.see("ended")
    path = f"/v2/sessions/peer-report/{ada.peer_id}?include_peer_events=true"

    async def events() -> list[Json]:
        found: list[Json] = (await cast.organization.call("GET", path))["participant"]["peer_events"]
        return found

    created, joined, left = await eventually(events, lambda those: len(those) == 3, "Ada has left")
    assert created["socket_session_id"] == joined["socket_session_id"] == left["socket_session_id"]
    assert created["socket_session_id"].startswith("sock_")
    # To the millisecond, within which a socket may open and a join be answered.
    assert created["created_at"] <= joined["created_at"] < left["created_at"]


def added_of(report: Json) -> list[tuple[str, str]]:
    """Kinds and labels."""
    return [
        (device["kind"], device["label"])
        for kind in ("audio", "video", "speaker")
        for update in report[f"{kind}_devices_updates"]
        for device in update["added"]
    ]


def used(report: Json) -> list[str]:
    return [one["device"]["label"] for one in report["selected_device_updates"]]
