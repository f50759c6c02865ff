"""A real tile server on 127.0.0.1 that keeps a log, and can be told to misbehave."""

import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image


def png(array):
    """Return an array (rows, cols, 3 or 4) as the bytes of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


class TileServer:
    """Serve a directory, or whatever `respond(path)` returns: (status, bytes), bytes or None.

    Attributes:
        log: the path of every request, in order.
    """

    def __init__(self, directory=None, respond=None):
        self.log = []
        self._directory = Path(directory) if directory else None
        self._respond = respond or self._file
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.log.append(self.path)
                answer = outer._respond(self.path)
                if callable(answer):
                    answer(self)
                    return
                if answer is None:
                    answer = (404, b"")
                status, body = answer if isinstance(answer, tuple) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if status in (429, 503):
                    self.send_header("Retry-After", "3600")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def _file(self, path):
        file = self._directory / path.lstrip("/").partition("?")[0]
        return file.read_bytes() if file.is_file() else None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def drip(seconds):
    """Return an answer that sends a byte now and then."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        for _ in range(int(seconds * 20)):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    return answer
