"""The figures of one load, as the JSON object that ends the command's output and as text for people."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from sfu.load.doubts import Count, Effort, doubts, impossibilities
from sfu.load.run import Load, Room, Window
from sfu.load.usage import describe_machine
from sfu.load.venue import Guest

Report = dict[str, Any]


class _Totals:
    """Sums over all subscribers."""

    def __init__(self) -> None:
        self.expected = 0
        self.withheld = 0
        self.received = 0
        self.reordered = 0
        self.duplicates = 0
        self.repaired = 0
        self.opened = 0
        self.rejected = 0
        self.unauthentic = 0
        self.delays_ns: list[int] = []
        self.added_ns: list[int] = []


def build_report(load: Load, window: Window) -> Report:
    """Add up what every subscriber counted.

    What a subscriber should have got is what the senders sent in the window, less what the server held back
    because there was no bandwidth for it or too much to do; of a simulcast publication, where the server
    chooses the encoding, it is what the sequence numbers it received span. `impossible` says what of this
    cannot be, `doubts` why the generator may have been the limit (`sfu.load.doubts`).
    """
    kinds = {"audio": _Totals(), "video": _Totals()}
    totals = _Totals()
    sent = {
        one.frames.stream_id: one.packets_sent - window.sent_before[one.frames.stream_id]
        for one in load.encodings()
    }
    counts: list[Count] = []
    for room in load.rooms:
        for bot in room.subscribers:
            counts += _add_subscriber(totals, kinds, room, bot, sent)
    busiest = window.after.busiest_since(window.before) if window.after and window.before else 0.0
    effort = Effort(
        planned=sum(one.planned(window.seconds) for one in load.encodings()),
        sent=sum(sent.values()),
        frames_skipped=sum(one.frames_skipped for one in load.encodings()) - window.skipped_before,
        cpu_s=window.own_cpu_s,
        seconds=window.seconds,
        server_cpu_s=busiest,
        buffer_errors=window.buffer_errors,
    )
    limited = [_pauses(bot, mark)[0] for bot, mark in window.events_before.items()]
    report: Report = {
        "sent": effort.sent,
        "expected": totals.expected,
        "received": totals.received,
        "lost": max(0, totals.expected - totals.received),
        "withheld": totals.withheld,
        "limited": {
            "subscribers": sum(1 for reasons in limited if reasons),
            "by_reason": dict(Counter(reason for reasons in limited for reason in reasons)),
            "not_full_before": load.limited_before,
        },
        "ramp_s": round(load.ramp_seconds, 3),
        "reordered": totals.reordered,
        "duplicates": totals.duplicates,
        "repaired": totals.repaired,
        "added_delay_ms": _percentiles(totals.added_ns),
        "delay_ms": _percentiles(totals.delays_ns),
        "by_kind": {
            kind: {
                "expected": one.expected,
                "received": one.received,
                "lost": max(0, one.expected - one.received),
                "added_delay_ms": _percentiles(one.added_ns),
                "delay_ms": _percentiles(one.delays_ns),
            }
            for kind, one in kinds.items()
            if one.expected
        },
        "seconds": round(window.seconds, 3),
        "received_per_second": round(totals.received / window.seconds),
        "join_ms": _percentiles([int(seconds * 1e9) for seconds in load.join_seconds]),
        "verified": {
            "method": _verification(load),
            "opened": totals.opened,
            "not_authentic": totals.unauthentic,
            "not_ours": totals.rejected,
        },
        "impossible": impossibilities(counts),
        "doubts": doubts(effort),
        "planned": effort.planned,
        "sender_frames_skipped": effort.frames_skipped,
        "socket_buffer_errors": effort.buffer_errors,
        "generator_cpu_s": round(window.own_cpu_s, 3),
        "load": load.plan.describe(),
        "machine": describe_machine(),
    }
    _add_usage(report, window)
    return report


def to_text(report: Report) -> str:
    """A few lines for people."""
    added, delay = report["added_delay_ms"], report["delay_ms"]
    lines = [
        f"sent {report['sent']}, expected {report['expected']}, received {report['received']} "
        f"({report['received_per_second']}/s), lost {report['lost']}, reordered {report['reordered']}",
        f"added delay p50 {added['p50']} ms, p99 {added['p99']} ms, p99.9 {added['p999']} ms",
        f"with the generator's own: p50 {delay['p50']} ms, p99 {delay['p99']} ms, p99.9 {delay['p999']} ms",
    ]
    limited = report["limited"]
    if report["withheld"] or limited["by_reason"]:
        reasons = ", ".join(f"{count} for {reason}" for reason, count in limited["by_reason"].items())
        lines.append(
            f"the server held back {report['withheld']} packets and paused videos of "
            f"{limited['subscribers']} subscribers ({reasons or 'none'})"
        )
    if "cpu_s" in report:
        lines.append(
            f"server CPU {report['cpu_s']:.2f} s in {report['seconds']:.1f} s, "
            f"{report['us_per_forwarded_packet']} µs per forwarded packet, {report['memory_mib']} MiB"
        )
    lines += [f"IMPOSSIBLE: {what}" for what in report["impossible"]]
    lines += [f"in doubt: {what}" for what in report["doubts"]]
    return "\n".join(lines)


def _add_subscriber(
    totals: _Totals, kinds: dict[str, _Totals], room: Room, bot: Guest, sent: dict[int, int]
) -> list[Count]:
    subscriber = bot.subscriber
    if subscriber is None:
        return []
    counts = []
    still_paused = _pauses(bot, len(bot.events))[1]
    for track, tallies in room.received_by(bot):
        ids = {one.frames.stream_id for one in track.encodings}
        received = sum(tally.packets - tally.padding for tally in tallies)
        missing = sum(len(tally.missing) for tally in tallies)
        withheld = 0
        if len(ids) == 1:
            short = max(0, sent[next(iter(ids))] - received)
            if track.publication_id in still_paused:
                withheld = max(0, short - missing)
            else:
                withheld = min(short, sum(tally.withheld for tally in tallies))
            expected = sent[next(iter(ids))] - withheld
        else:
            expected = received + missing
        opened = sum(tally.opened for tally in tallies)
        counts.append(Count(sum(sent[one] for one in ids), received, opened))
        for sums in (totals, kinds[track.media.kind]):
            sums.expected += expected
            sums.withheld += withheld
            sums.received += received
            for tally in tallies:
                sums.delays_ns += tally.delays_ns
                sums.added_ns += tally.added_ns
        for tally in tallies:
            totals.reordered += tally.reordered
            totals.duplicates += tally.duplicates
            totals.repaired += tally.repaired
            totals.opened += tally.opened
            totals.rejected += tally.rejected
    totals.unauthentic += subscriber.unauthentic
    return counts


def _pauses(bot: Guest, mark: int) -> tuple[list[str], dict[str, str]]:
    """Why the server paused videos for a receiver: one reason for each that was paused at event `mark` or
    later, and those of the publications that are paused at the end."""
    paused: dict[str, str] = {}
    reasons: list[str] = []
    for index, event in enumerate(bot.events):
        if index == mark:
            reasons += paused.values()
        if event["type"] == "subscription_paused":
            paused[event["publication_id"]] = event["reason"]
            if index >= mark:
                reasons.append(event["reason"])
        elif event["type"] == "subscription_resumed":
            paused.pop(event["publication_id"], None)
    if mark >= len(bot.events):
        reasons += paused.values()
    return reasons, paused


def _add_usage(report: Report, window: Window) -> None:
    if window.before is None or window.after is None:
        return
    cpu = window.after.cpu_s - window.before.cpu_s
    report["cpu_s"] = round(cpu, 3)
    report["memory_mib"] = round(window.after.memory_bytes / 2**20, 1)
    report["server_processes"] = window.after.processes
    report["busiest_process_cpu_s"] = round(window.after.busiest_since(window.before), 3)
    received = report["received"]
    report["us_per_forwarded_packet"] = round(cpu * 1e6 / received, 3) if received else None


def _verification(load: Load) -> str:
    if load.plan.verify == "all":
        return "every packet decrypted and authenticated"
    return (
        "1 packet in 17 decrypted and authenticated (stamp, delay); the others counted by the sequence "
        "number of their unencrypted header"
    )


def _percentiles(values_ns: list[int]) -> dict[str, float | None]:
    if not values_ns:
        return {"p50": None, "p99": None, "p999": None}
    p50, p99, p999 = np.percentile(np.array(values_ns, dtype=np.float64) / 1e6, [50, 99, 99.9])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "p999": round(float(p999), 3)}
