"""A real tile server on 127.0.0.1 that keeps a log, and can be told to misbehave."""

import io
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from PIL import Image


def png(array):
    """Return an array (rows, cols, 3 or 4) as the bytes of a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # with the usual 5, some of many new connections wait for a second


class TileServer:
    """Serve a directory, or whatever `respond(path)` returns.

    That is bytes, (status, bytes), (status, bytes, headers), None for 404, or a function that is
    given the handler and does all by itself.

    Attributes:
        log: the path of every request, in order.
        asked: the headers of every request, in the same order.
        most: the largest number of requests that were under way at the same time.
        connections: how many were opened.
    """

    def __init__(self, directory=None, respond=None):
        self.log = []
        self.asked = []
        self.most = self.connections = self._now = 0
        self._open = []
        self._lock = threading.Lock()
        self._directory = Path(directory) if directory else None
        self._respond = respond or self._file
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                outer.connections += 1
                outer._open.append(self.request)
                super().setup()

            def do_GET(self):
                outer.log.append(self.path)
                outer.asked.append(dict(self.headers))
                with outer._under_way():
                    self.answer()

            def answer(self):
                answer = outer._respond(self.path)
                if callable(answer):
                    answer(self)
                    return
                if answer is None:
                    answer = (404, b"")
                status, body, *more = answer if isinstance(answer, tuple) else (200, answer)
                headers = {"Content-Length": str(len(body))}
                if status in (429, 503):
                    headers["Retry-After"] = "3600"
                self.send_response(status)
                for name, value in (headers | (more[0] if more else {})).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # clients that went away are part of it
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def _file(self, path):
        file = self._directory / path.lstrip("/").partition("?")[0]
        return file.read_bytes() if file.is_file() else None

    @contextmanager
    def _under_way(self):
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:  # a server that is gone answers on none of them
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


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


def drip_headers(seconds):
    """Return an answer whose headers come a byte now and then."""

    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(int(seconds * 20)):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    return answer


def hang(seconds):
    """Return an answer that never comes."""
    return lambda _: time.sleep(seconds)


def raw(data):
    """Return an answer of exactly these bytes, after which the connection is closed."""

    def answer(handler):
        handler.wfile.write(data)
        handler.close_connection = True

    return answer
