from __future__ import annotations

import pytest

from signaling.services.ports import FreezeCount, QualitySpread, WorkerStatus
from tests.signaling.rest.world import World


def build(world: World) -> None:
    (world.web_dir / "assets").mkdir(parents=True)
    (world.web_dir / "index.html").write_text("<!doctype html><title>Meet</title>")
    (world.web_dir / "assets" / "app-1a2b.js").write_text("export {}")
    (world.web_dir / "favicon.svg").write_text("<svg/>")
    (world.web_dir.parent / "secret.txt").write_text("secret")


async def test_the_root_leads_to_the_meeting_page(world: World) -> None:
    for path in ("/", "/meet"):
        answer = await world.call("GET", path, auth=None)
        assert (answer.status, answer.headers["Location"]) == (302, "/meet/")


async def test_the_reference_is_a_page_of_its_own(world: World) -> None:
    assert (await world.call("GET", "/reference", auth=None)).headers["Location"] == "/reference/"
    assert (await world.call("GET", "/reference/", auth=None)).status == 503
    folder = world.web_dir.parent.parent / "reference" / "dist"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Reference</title>")
    page = await world.call("GET", "/reference/", auth=None)
    assert "Reference" in page.body and "script-src 'self'" in page.headers["Content-Security-Policy"]


async def test_without_a_build_the_page_says_what_to_do(world: World) -> None:
    answer = await world.call("GET", "/meet/", auth=None)
    assert answer.status == 503
    assert "make run" in answer.body and "npm run build" in answer.body


async def test_the_page_is_fresh_under_a_policy_and_its_assets_are_kept(world: World) -> None:
    build(world)
    page = await world.call("GET", "/meet/", auth=None)
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-cache")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    script = await world.call("GET", "/meet/assets/app-1a2b.js", auth=None)
    assert "immutable" in script.headers["Cache-Control"]
    assert script.headers["Content-Type"].startswith("text/javascript")
    icon = await world.call("GET", "/meet/favicon.svg", auth=None)
    assert (icon.headers["Cache-Control"], icon.headers["Content-Type"]) == ("no-cache", "image/svg+xml")


@pytest.mark.parametrize(
    "path",
    [
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "assets/..%2f..%2fsecret.txt",
        "%2fetc%2fpasswd",
        "link",
        "a%00b",
    ],
)
async def test_nothing_outside_the_build_is_served(world: World, path: str) -> None:
    build(world)
    (world.web_dir / "link").symlink_to(world.web_dir.parent / "secret.txt")
    async with world.http.get(f"{world.url}/meet/{path}", allow_redirects=False) as response:
        assert response.status in (400, 404)
        assert "secret" not in await response.text()


async def test_health_names_every_worker(world: World) -> None:
    world.workers.append(WorkerStatus(0, "nd_0", serving=True, cpu=0.25, routers=2))
    answer = await world.call("GET", "/healthz", auth=None)
    assert (answer.status, answer.body["status"], answer.body["version"]) == (200, "ok", "1.2.3")
    assert answer.body["workers"][0]["routers"] == 2
    world.workers.append(WorkerStatus(1, "nd_1", serving=False))
    assert (await world.call("GET", "/healthz", auth=None)).body["status"] == "degraded"


async def test_metrics_count_requests_by_route_and_show_the_workers(world: World) -> None:
    world.workers.append(WorkerStatus(0, "nd_0", serving=True, counters={"packets_forwarded": 41.0}))
    for _ in range(2):
        await world.call("GET", "/v2/meetings/some-id")
        await world.call("GET", "/somewhere/else")
    text = (await world.call("GET", "/metrics", auth=None)).body
    assert (
        'rostrum_http_requests_total{method="GET",route="/v2/meetings/{meeting_id}",status="404"} 2.0' in text
    )
    assert 'route="none",status="404"} 2.0' in text
    assert "some-id" not in text and "somewhere" not in text
    assert 'rostrum_worker_packets_forwarded_total{worker="0"} 41.0' in text
    assert 'rostrum_worker_up{worker="0"} 1.0' in text


async def test_metrics_show_how_streams_fare_by_direction_and_kind_and_by_nothing_else(world: World) -> None:
    rtt = QualitySpread((0.1, 0.2), (3, 2, 1), 0.9, "rtt", "in", "video")
    estimate = QualitySpread((1e6,), (4, 1), 5e6, "estimate", None, None)
    bitrate = QualitySpread((1e5, 1e6), (0, 2, 0), 8e5, "bitrate", "out", "audio")
    status = WorkerStatus(
        0,
        "nd_0",
        serving=True,
        quality=(rtt, estimate, bitrate),
        freezes=(FreezeCount("in", "video", 3), FreezeCount("out", "video", 7)),
        layers=(5, 0, 2),
    )
    world.workers.append(status)
    text = (await world.call("GET", "/metrics", auth=None)).body
    labels = 'direction="in",kind="video"'
    name = "rostrum_worker_stream_rtt_seconds"
    assert f'{name}_bucket{{{labels},le="0.2",worker="0"}} 5.0' in text
    assert f'{name}_count{{{labels},worker="0"}} 6.0' in text
    assert f'{name}_sum{{{labels},worker="0"}} 0.9' in text
    name = "rostrum_worker_receiver_estimate_bits_per_second"
    assert f'{name}_bucket{{le="+Inf",worker="0"}} 5.0' in text
    name = "rostrum_worker_stream_bits_per_second"
    assert f'{name}_bucket{{direction="out",kind="audio",le="1000000.0",worker="0"}} 2.0' in text
    name = "rostrum_worker_stream_freezes_total"
    assert f'{name}{{direction="in",kind="video",worker="0"}} 3.0' in text
    assert f'{name}{{direction="out",kind="video",worker="0"}} 7.0' in text
    for layer, count in enumerate(("5.0", "0.0", "2.0")):
        assert f'rostrum_worker_video_subscriptions{{layer="{layer}",worker="0"}} {count}' in text
