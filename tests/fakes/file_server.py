"""A web server on this machine that serves files in parts, and breaks off where it is told to."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves `files`; the next answers break off after so many bytes as `breaks` says.

    Attributes:
        ranges: the `Range` header of each request, or None.
    """

    def __init__(self, files: Mapping[str, bytes], partial: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files, self.partial = dict(files), partial
        self.breaks: list[int] = []
        self.ranges: list[str | None] = []

    def address(self, name: str) -> str:
        """Return the address of a file."""
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        content = self.server.files.get(self.path.lstrip("/"))
        if content is None:
            self.send_error(404)
            return
        part = [int(number) for number in re.findall(r"\d+", asked)] if asked and self.server.partial else []
        start = part[0] if part else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        content = content[: part[1] + 1] if len(part) > 1 else content
        self.send_response(206 if start or len(part) > 1 else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = start + self.server.breaks.pop(0) if self.server.breaks else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(files: Mapping[str, bytes], partial: bool = True) -> Iterator[FileServer]:
    """Serve files while the block runs; `partial` answers to ranges, as VOC's and SBD's servers do."""
    server = FileServer(files, partial)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
