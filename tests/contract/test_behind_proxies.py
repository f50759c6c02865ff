"""Behind nginx and Caddy as docs/how-to/operate.md has them: links, redirects, prefixes."""

import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from samgis_process.settings import AccessSettings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "operate.md"
BODY = {"inputs": {"name": "x"}}
BEHIND = AccessSettings(proxies=["127.0.0.1"])


def block(language, number=0):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[
        number
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command, port, **how):
    with subprocess.Popen(command, **how) as process:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, pem = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command = [*make, "-keyout", key, "-out", pem, *subject]
    subprocess.run(command, check=True, capture_output=True)
    return key, pem


@pytest.fixture
def nginx(tmp_path, certificate, unavailable):
    """Run nginx with a block of the page; gives its address."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        unavailable("no nginx: it takes `make system-packages`")

    @contextmanager
    def run(server, *, prefix=False, keep=False):
        port, inner = free_port(), server.rpartition(":")[2]
        text = block("nginx")
        if prefix:
            location = block("nginx", 1)
            text = re.sub(
                r"    location / \{.*?\n    \}\n", lambda _: location, text, flags=re.DOTALL
            )
            if keep:
                text = re.sub(r"5000/;.*", "5000;", text)
        key, pem = certificate
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        text = text.replace("127.0.0.1:5000", f"127.0.0.1:{inner}")
        text = text.replace("server_name maps.example.org", "server_name localhost")
        text = text.replace("Host $host;", "Host $host:$server_port;")
        text = text.replace("/etc/ssl/maps.example.org.pem", str(pem))
        text = text.replace("/etc/ssl/maps.example.org.key", str(key))
        places = " ".join(
            f"{name}_temp_path {tmp_path}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file = tmp_path / "nginx.conf"
        file.write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
            f"events {{}}\nhttp {{ access_log off; {places}\n{text} }}\n"
        )
        command = [program, "-p", tmp_path, "-c", file]
        with running(command, port, stderr=subprocess.DEVNULL):
            yield f"https://localhost:{port}", str(pem)

    return run


def look(base, verify):
    """Links, a redirect of a slash, and one of a POST, all below the address that was asked."""
    landing = requests.get(f"{base}/?f=json", verify=verify, timeout=10).json()
    addresses = [link["href"] for link in landing["links"]]
    assert all(one.startswith((f"{base}/", base)) for one in addresses), addresses
    answer = requests.get(f"{base}/processes/?limit=1", verify=verify, timeout=10)
    assert answer.url == f"{base}/processes?limit=1"
    assert [one.status_code for one in answer.history] == [308]
    ran = requests.post(f"{base}/processes/alpha/execution/", json=BODY, verify=verify, timeout=20)
    assert ran.url == f"{base}/processes/alpha/execution"
    assert ran.status_code == 200, ran.text
    page = requests.get(
        f"{base}/processes", headers={"Accept": "text/html"}, verify=verify, timeout=10
    ).text
    path = "/" + base.partition("://")[2].partition("/")[2]
    assert f'href="{path.rstrip("/")}/processes/alpha"' in page


@pytest.mark.parametrize(
    ("prefix", "keep"), [(False, False), (True, False), (True, True)],
    ids=["root", "prefix taken off", "prefix kept"],
)  # fmt: skip
def test_nginx_by_the_page(make_server, nginx, prefix, keep):
    with (
        make_server(access=BEHIND) as server,
        nginx(server, prefix=prefix, keep=keep) as (outside, pem),
    ):
        look(outside + ("/sam" if prefix else ""), pem)


def test_a_public_address_below_a_path_needs_no_header(make_server):
    port = free_port()
    with make_server(access=BEHIND, public_url=f"https://localhost:{port}/sam") as server:
        for path in ("/sam/processes/", "/processes/"):
            answer = requests.get(server + path, timeout=10, allow_redirects=False)
            assert answer.headers["location"] == f"https://localhost:{port}/sam/processes"
        answer = requests.get(f"{server}/sam/processes", timeout=10)
        assert answer.json()["links"][0]["href"].startswith(f"https://localhost:{port}/sam/")


def test_a_strangers_prefix_counts_for_nothing(server):
    headers = {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example"}
    answer = requests.get(
        f"{server}/processes/", headers=headers, timeout=10, allow_redirects=False
    )
    assert answer.headers["location"] == f"{server}/processes"
    assert "evil" not in requests.get(f"{server}/?f=json", headers=headers, timeout=10).text


@pytest.mark.parametrize("path", ["//evil.example/", "/processes//evil.example/", "/%2f%2fevil/"])
def test_no_redirect_leaves_the_server(server, path):
    answer = requests.get(server + path, timeout=10, allow_redirects=False)
    assert answer.status_code in {308, 404}
    assert answer.headers.get("location", server).startswith(f"{server}")


def test_caddy_by_the_page(make_server, tmp_path, unavailable):
    program = shutil.which("caddy")
    if program is None:
        unavailable("no Caddy: it takes `make system-packages`")
    port = free_port()
    with make_server(access=BEHIND) as server:
        text = block("caddy").replace("maps.example.org", f"http://localhost:{port}")
        text = text.replace("127.0.0.1:5000", server.partition("://")[2])
        file = tmp_path / "Caddyfile"
        file.write_text("{\n    admin off\n}\n" + text)
        env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        command = [program, "run", "--adapter", "caddyfile", "--config", file]
        with running(command, port, stderr=subprocess.DEVNULL, env=env):
            look(f"http://localhost:{port}", True)
