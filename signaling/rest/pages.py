"""Pages, as the web build left them: `/meet/` and `/reference/` with everything below; `/` goes to the first.

Files whose names carry a hash (Vite's `assets/`) are kept by browsers for a year; the page itself is asked
for again each time. A path is resolved, links and all, and must still be inside the build.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web

_FOREVER: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Rostrum</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}</style></head>
<body><h1>This page is not built yet</h1>
<p>The server runs, but it found no web client. Build it with <code>make run</code>, or with
<code>npm ci &amp;&amp; npm run build</code> in the folder <code>web</code>, then reload.</p></body></html>
"""
MEET: Final = "/meet"
REFERENCE: Final = "/reference"


class PageRoutes:
    """One page, at `path` and below it."""

    def __init__(self, path: str, folder: Path) -> None:
        """`folder` holds `index.html` and `assets/`; it may appear later."""
        self._path = path
        self._dir = folder

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(self._path, self.root),
            web.get(f"{self._path}/", self.index),
            web.get(self._path + "/{path:.+}", self.file),
        ]

    async def root(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{self._path}/"})

    async def index(self, _request: web.Request) -> web.StreamResponse:
        page = self._dir / "index.html"
        if not page.is_file():
            return web.Response(text=_NOT_BUILT, content_type="text/html", status=503)
        headers = {"Cache-Control": "no-cache", "Content-Type": "text/html; charset=utf-8"}
        return web.FileResponse(page, headers=headers)

    async def file(self, request: web.Request) -> web.StreamResponse:
        path = self._inside(request.match_info["path"])
        if path is None:
            raise web.HTTPNotFound
        kept = _FOREVER if path.parent == self._dir.resolve() / "assets" else "no-cache"
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return web.FileResponse(path, headers={"Cache-Control": kept, "Content-Type": content_type})

    def _inside(self, name: str) -> Path | None:
        """The file of that name if it is one of the build's, links followed."""
        if "\0" in name:
            return None
        root = self._dir.resolve()
        path = (root / name).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
