"""A real web server on 127.0.0.1 that sends parts of files, as buckets do, and keeps a log."""

import hashlib
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class RangeServer:
    """Serve a directory.

    Attributes:
        log: (method, path, range) of every request, in order.
        fail: the status of every answer, while it is set.
        delay_s: seconds before every answer.
    """

    def __init__(self, directory):
        self.log = []
        self.fail = None
        self.delay_s = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self):
                self.answer(with_body=False)

            def do_GET(self):
                self.answer(with_body=True)

            def answer(self, *, with_body):
                outer.log.append((self.command, self.path, self.headers.get("Range")))
                time.sleep(outer.delay_s)
                file = Path(directory) / self.path.lstrip("/").partition("?")[0]
                if outer.fail or not file.is_file():
                    self.empty(outer.fail or 404)
                    return
                data = file.read_bytes()
                part = RANGE.fullmatch(self.headers.get("Range") or "")
                first, last = (int(part[1]), int(part[2] or len(data))) if part else (0, len(data))
                if first >= len(data):
                    self.empty(416)
                    return
                body = data[first : last + 1]
                self.send_response(206 if part else 200)
                if part:
                    end = first + len(body) - 1
                    self.send_header("Content-Range", f"bytes {first}-{end}/{len(data)}")
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()[:16]}"')
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def empty(self, status):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
