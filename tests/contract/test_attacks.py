"""Clients that send nothing, too slowly, too much, or without end."""

import contextlib
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
import requests
from lab_client import LabServer

from samgis_process.ogc import bodies
from samgis_process.server import connections

pytestmark = pytest.mark.alone
EXECUTION = "/processes/alpha/execution"
CHUNKED = "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def lab_server(tmp_path_factory):
    server = LabServer(tmp_path_factory.mktemp("lab"))
    yield server
    server.end(signal.SIGKILL)


def connected(server, seconds=30):
    line = socket.create_connection(("127.0.0.1", server.port))
    line.settimeout(seconds)
    return line


def said(line):
    """What the server says until it closes the connection."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def answer_of(line):
    """A whole answer in JSON."""
    content = b""
    while not content.endswith(b"}"):
        content += line.recv(65536)
    return content


def answered(line):
    return answer_of(line).startswith(b"HTTP/1.1 200 OK")


def head(method="POST", path=EXECUTION, rest=""):
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{rest}\r\n".encode()


def memory(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@pytest.fixture
def short(monkeypatch, make_server):
    """A server in this process, with patience that a test has too."""
    monkeypatch.setattr(connections, "REQUEST_S", 0.6)
    monkeypatch.setattr(connections, "DRAIN_S", 0.6)
    monkeypatch.setattr(connections, "READ_S", 0.6)
    monkeypatch.setattr(bodies, "PAUSE_S", 0.6)
    with make_server() as address:
        yield type("Here", (), {"port": int(address.rpartition(":")[2]), "url": address})


def test_a_connection_that_says_nothing_is_closed(short):
    with connected(short) as silent, connected(short) as slow, connected(short) as kept:
        begun = time.monotonic()
        slow.sendall(b"GET /health HTTP/1.1\r\n")
        kept.sendall(head("GET", "/health"))
        assert answered(kept)
        assert said(silent) == b""
        for letter in "Host: loc":  # one drop after the other does not keep it open
            with contextlib.suppress(OSError):
                slow.sendall(letter.encode())
                time.sleep(0.1)
        assert said(slow) == b""
        assert time.monotonic() - begun < 3
        kept.sendall(head("GET", "/health"))  # between requests there is more time
        assert answered(kept)


def test_a_body_that_does_not_come_is_answered_and_closed(short):
    with connected(short) as line:
        line.sendall(head(rest="Content-Length: 100\r\nContent-Type: application/json\r\n"))
        answer = said(line)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request-too-slow" in answer


def test_a_body_that_only_drips_is_answered_and_closed(short, monkeypatch):
    monkeypatch.setattr(bodies, "BEGIN_S", 0.5)
    with connected(short) as line:
        line.sendall(head(rest="Content-Length: 100000\r\nContent-Type: application/json\r\n"))
        with contextlib.suppress(OSError):
            for _ in range(40):
                line.sendall(b" " * 10)
                time.sleep(0.1)
        assert said(line).startswith(b"HTTP/1.1 408")


def large_answer(server, window):
    """A connection on which an answer of some megabytes was asked for."""
    line = connected(server)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    body = b'{"inputs": {"name": "x", "weight": 8000000}}'
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    line.sendall(head(rest=headers) + body)
    return line


def test_a_client_that_does_not_read_is_given_up(short):
    with large_answer(short, 4096) as line:
        time.sleep(3)
        received = len(said(line))
    assert received < 7_000_000


def test_a_client_that_reads_slowly_gets_all(short):
    pieces = []
    with large_answer(short, 65536) as line:
        until = time.monotonic() + 2  # longer than anybody waits for one that reads nothing
        while time.monotonic() < until:
            pieces.append(line.recv(65536))
            time.sleep(0.05)
        while sum(map(len, pieces)) < 8_000_000 and (piece := line.recv(65536)):
            pieces.append(piece)
    assert sum(map(len, pieces)) >= 8_000_000


def test_an_endless_body_is_closed_after_its_413(short):
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    begun = time.monotonic()
    with connected(short) as line:
        line.sendall(head(rest=CHUNKED))
        with contextlib.suppress(OSError):
            while time.monotonic() - begun < 20:
                line.sendall(piece)
    assert time.monotonic() - begun < 5


def test_two_ways_to_say_how_long_a_body_is_are_one_too_many(lab_server):
    with connected(lab_server) as line:
        line.sendall(head(rest="Content-Length: 5\r\n" + CHUNKED) + b"0\r\n\r\n")
        answer = answer_of(line)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"Transfer-Encoding" in answer


@pytest.mark.parametrize("size", [33_000, 60_000, 200_000])
def test_headers_have_a_limit(lab_server, size):
    with connected(lab_server) as line:
        with contextlib.suppress(OSError):
            line.sendall(head("GET", "/health", f"X-Long: {'x' * size}\r\n"))
        assert line.recv(65536)[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400"}


def test_an_upload_broken_off_is_no_failure(lab_server):
    for _ in range(3):
        with connected(lab_server) as line:
            line.sendall(head(rest="Content-Length: 1000\r\nContent-Type: application/json\r\n"))
            line.sendall(b"{" + b" " * 100)
            time.sleep(0.1)
    time.sleep(0.3)
    assert "Traceback" not in lab_server.log()
    told = requests.get(f"{lab_server.url}/metrics", timeout=10).text
    assert 'outcome="failed"' not in told
    assert 'status="500"' not in told


def test_unfinished_uploads_share_what_there_is_for_bodies(tmp_path):
    most = {"max_body_bytes": 45_000_000, "max_bytes_together": 100_000_000}
    server = LabServer(tmp_path, settings=most)
    lines = []
    try:
        before = memory(server)
        for _ in range(12):
            line = connected(server)
            lines.append(line)
            line.setblocking(False)
        rest = "Content-Length: 45000000\r\nContent-Type: application/json\r\n"
        piece, sent = head(rest=rest) + b" " * 44_000_000, [0] * len(lines)
        until = time.monotonic() + 8
        while time.monotonic() < until:
            for number, line in enumerate(lines):
                with contextlib.suppress(OSError):
                    sent[number] += line.send(piece[sent[number] : sent[number] + 200_000])
            time.sleep(0.001)
        print(f"{memory(server) - before:.0f} MB more")
        assert memory(server) - before < 400  # twelve of them would be 540, and were twice that
        assert requests.post(
            server.url + EXECUTION, json={"inputs": {"name": "x"}}, timeout=10
        ).ok  # a small one always finds room
    finally:
        for line in lines:
            line.close()
        server.end(signal.SIGKILL)


def test_idle_connections_do_not_use_up_the_file_descriptors(tmp_path):
    server = LabServer(tmp_path, descriptors=64)
    lines = []
    try:
        lines += [connected(server) for _ in range(80)]
        begun, before = time.monotonic(), len(server.log())
        for _ in range(20):
            answer = requests.get(f"{server.url}/health", timeout=5)
            assert answer.status_code == 200
            answer = requests.post(
                server.url + EXECUTION, json={"inputs": {"name": "x"}}, timeout=10
            )
            assert answer.status_code == 200
        time.sleep(max(0, 2 - (time.monotonic() - begun)))
        seconds = time.monotonic() - begun
        print(f"log: {(len(server.log()) - before) / seconds:.0f} bytes a second")
        assert (len(server.log()) - before) / seconds < 10_000
    finally:
        for line in lines:
            line.close()
        server.end(signal.SIGKILL)


def test_a_server_that_is_stopped_answers_and_ends(tmp_path):
    server = LabServer(tmp_path, grace_s=3)
    answers = []

    def ask(pause):
        body = {"inputs": {"name": "x", "pause": pause}}
        answers.append(requests.post(server.url + EXECUTION, json=body, timeout=60))

    threads = [threading.Thread(target=ask, args=(pause,)) for pause in (2, 40, 40)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    begun = time.monotonic()
    assert server.end(signal.SIGTERM) == 0
    assert time.monotonic() - begun < 15
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
    late = next(answer for answer in answers if answer.status_code == 503)
    assert "stopped" in late.json()["detail"]
    assert int(late.headers["retry-after"]) > 0
