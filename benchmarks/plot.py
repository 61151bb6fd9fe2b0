"""The plot of a run with rate steps: what the path carried, what was thought of it, and what arrived.

Drawn as SVG and rasterised by the browser that the benchmark needs anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from playwright.async_api import async_playwright

from benchmarks.watching import BEST, Sample
from tests.e2e.browsers import FLAGS, find_chromium

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 50
TRUTH, ESTIMATE, ARRIVED, LAYER = "#888888", "#c2410c", "#1d4ed8", "#dbeafe"
SMOOTH = 5
"""Samples whose mean a point of what arrived is."""


def svg(samples: Sequence[Sample]) -> str:
    """Rates in Mbit/s over seconds; the times on the best layer have a coloured ground."""
    end = samples[-1].at
    most = 1.15 * max(max(sample.estimate, sample.truth or 0.0) for sample in samples)

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / end

    def y(rate: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(rate, most) / most

    arrived = [
        (sample.at, sum(one.arrived for one in samples[max(0, index - SMOOTH + 1) : index + 1]) / SMOOTH)
        for index, sample in enumerate(samples)
        if index >= SMOOTH
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>',
        *(_ground(first, second, x, y(most)) for first, second in pairwise(samples)),
        *_grid(end, most, x, y),
        _stairs([(sample.at, sample.truth or 0.0) for sample in samples], x, y),
        _line(arrived, x, y, ARRIVED, 1.5),
        _line([(sample.at, float(sample.estimate)) for sample in samples], x, y, ESTIMATE, 2.5),
        *_legend(),
        "</svg>",
    ]
    return "".join(parts)


async def draw(samples: Sequence[Sample], path: Path) -> None:
    """Write the PNG."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        try:
            page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            await page.set_content(f'<body style="margin:0">{svg(samples)}</body>')
            await page.screenshot(path=path)
        finally:
            await browser.close()


Scale = Callable[[float], float]


def _ground(first: Sample, second: Sample, x: Scale, top: float) -> str:
    if first.layer != BEST:
        return ""
    # A little wider than it is, so that no seam shows.
    width = x(second.at) - x(first.at) + 0.5
    size = f'width="{width:.1f}" height="{HEIGHT - BOTTOM - top:.1f}"'
    return f'<rect x="{x(first.at):.1f}" y="{top:.1f}" {size} fill="{LAYER}"/>'


def _grid(end: float, most: float, x: Scale, y: Scale) -> Iterable[str]:
    for tenths in range(0, int(most / 1e5) + 1, 5):
        height = y(tenths * 1e5)
        yield f'<path d="M{LEFT} {height:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{tenths / 10:.1f}</text>'
    for second in range(0, int(end) + 1, 5):
        yield f'<text x="{x(second):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{second}</text>'
    yield f'<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">seconds</text>'
    yield f'<text x="{LEFT - 8}" y="{TOP - 10}" text-anchor="end">Mbit/s</text>'


def _line(points: Iterable[tuple[float, float]], x: Scale, y: Scale, colour: str, width: float) -> str:
    drawn = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
    return f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _stairs(points: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    corners = [
        corner for (_, before), (at, value) in pairwise(points) for corner in ((at, before), (at, value))
    ]
    return _line(corners, x, y, TRUTH, 3.0)


def _legend() -> Iterable[str]:
    entries = (
        ("what the path carries", TRUTH),
        ("estimate", ESTIMATE),
        ("arrived", ARRIVED),
        ("best layer", LAYER),
    )
    for index, (name, colour) in enumerate(entries):
        left = LEFT + 200 * index
        yield f'<rect x="{left}" y="18" width="22" height="8" fill="{colour}"/>'
        yield f'<text x="{left + 30}" y="27">{name}</text>'
