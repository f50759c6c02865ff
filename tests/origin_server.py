"""A little web server of somebody else: it holds values, takes callbacks, and behaves badly."""

import contextlib
import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Origin(ThreadingHTTPServer):
    """Attributes: `values`, path to (media type, bytes); `asked`, what came, in order;
    `statuses`, path to the statuses that a POST there gets, one after the other."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.values = {}
        self.statuses = {}
        self.asked = []
        self.taken = queue.Queue()
        self.over = threading.Event()
        self.port = self.server_address[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"

    def put(self, path, value, media_type="application/json"):
        """Hold a value; returns its address."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.values[path] = (media_type, content)
        return self.url + path

    def handle_error(self, *_):
        pass  # clients that leave early are what some tests are about


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.asked.append(("GET", self.path, self.headers["Host"]))
        match parts.path:
            case "/redirect":
                self._answer(302, Location=parse_qs(parts.query)["to"][0])
            case "/loop":
                self._answer(302, Location="/loop")
            case "/hang":
                self.server.over.wait(30)
            case "/drip":
                self._drip()
            case "/endless":
                self._endless()
            case "/short":
                self._answer(200, b"{}", **{"Content-Length": "100"})
            case "/zipped":
                self._answer(200, b"{}", **{"Content-Encoding": "gzip"})
            case path if path in self.server.values:
                media_type, content = self.server.values[path]
                self._answer(200, content, **({"Content-Type": media_type} if media_type else {}))
            case _:
                self._answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(("POST", self.path, self.headers["Host"]))
        statuses = self.server.statuses.get(self.path, [])
        status = statuses.pop(0) if statuses else 202
        if status == "hang":
            self.server.over.wait(30)
            return
        self.server.taken.put((self.path, status, json.loads(body), dict(self.headers)))
        self._answer(status, Location="/elsewhere")

    def _answer(self, status, content=b"", **headers):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _drip(self):
        """Send a byte now and then, so that no single wait is long."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(200):
            self.wfile.write(b" ")
            if self.server.over.wait(0.1):
                return

    def _endless(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while not self.server.over.is_set():
            self.wfile.write(b" " * 65536)
            time.sleep(0.001)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving():
    with Origin() as origin:
        thread = threading.Thread(target=origin.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield origin
        finally:
            origin.over.set()
            origin.shutdown()
            thread.join()
