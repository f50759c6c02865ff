"""Headers of proxies, from those that are trusted and from those that only say so."""

import asyncio
from ipaddress import ip_network

import pytest

from samgis_process.server.proxies import Proxies

NETWORKS = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def seen(peer, kind="x-forwarded", networks=NETWORKS, path="/jobs", public_url=None, **headers):
    """Return the scope that arrives behind the middleware."""
    arrived = {}

    async def app(scope, _receive, _send):
        arrived.update(scope)

    raw = [(b"host", b"inner:5000")]
    raw += [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "headers": raw, "scheme": "http", "client": peer and (peer, 4711)}
    scope["path"] = path
    asyncio.run(Proxies(app, networks, kind, public_url)(scope, None, None))
    assert scope["headers"] == raw  # the original stays as it was
    return arrived


def client(scope):
    return scope["client"][0]


def host(scope):
    return dict(scope["headers"])[b"host"]


def test_a_trusted_proxy_says_who_came_and_how():
    scope = seen(
        "10.0.0.1",
        x_forwarded_for="192.0.2.7",
        x_forwarded_proto="https",
        x_forwarded_host="maps.example.org",
    )
    assert (client(scope), scope["scheme"]) == ("192.0.2.7", "https")
    assert host(scope) == b"maps.example.org"
    assert scope["state"] == {"from_proxy": True, "is_local": False}


@pytest.mark.parametrize("peer", ["192.0.2.99", "11.0.0.1", "127.0.0.1", "", None])
def test_others_are_not_believed(peer):
    scope = seen(
        peer,
        x_forwarded_for="10.0.0.1",
        x_forwarded_proto="https",
        x_forwarded_host="maps.example.org",
        forwarded="for=10.0.0.1;proto=https",
    )
    assert scope["client"] == (peer and (peer, 4711))
    assert (scope["scheme"], host(scope)) == ("http", b"inner:5000")
    assert scope["state"] == {"from_proxy": False, "is_local": False}


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ("198.51.100.1, 192.0.2.7", "192.0.2.7"),  # the first is the client's own invention
        ("192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("192.0.2.7:8080", "192.0.2.7"),
        ("[2001:db8::5]:8080", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),  # within the house
        ("nonsense, 10.0.0.2", "10.0.0.2"),
        ("nonsense", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_the_last_address_that_is_no_proxy_counts(chain, expected):
    assert client(seen("10.0.0.1", x_forwarded_for=chain)) == expected


def test_only_the_headers_that_were_agreed_count():
    headers = {"x_forwarded_for": "192.0.2.7", "forwarded": "for=192.0.2.8;proto=https;host=a.b"}
    assert client(seen("10.0.0.1", **headers)) == "192.0.2.7"
    scope = seen("10.0.0.1", "forwarded", **headers)
    assert (client(scope), scope["scheme"], host(scope)) == ("192.0.2.8", "https", b"a.b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('For="[2001:db8::5]:4711", for=10.0.0.2', "2001:db8::5"),
        ('for=198.51.100.1;by="x, for=192.0.2.7', "192.0.2.7"),  # no quote swallows the last
        ("for=unknown", "10.0.0.1"),
        ("for=_hidden, for=10.0.0.2", "10.0.0.2"),
        (";;;=,", "10.0.0.1"),
    ],
)
def test_forwarded_is_read_from_its_end(text, expected):
    assert client(seen("10.0.0.1", "forwarded", forwarded=text)) == expected


def test_a_scheme_that_is_none_is_left_out():
    assert seen("10.0.0.1", x_forwarded_proto="javascript")["scheme"] == "http"


def test_an_ipv4_peer_on_an_ipv6_socket_is_known():
    scope = seen("::ffff:10.0.0.1", x_forwarded_for="192.0.2.7")
    assert client(scope) == "192.0.2.7"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_a_request_of_this_machine_is_local(peer):
    assert seen(peer)["state"]["is_local"]


@pytest.mark.parametrize(
    "sign", ["x_forwarded_for", "x_forwarded_proto", "forwarded", "via", "x_real_ip"]
)
def test_what_a_proxy_on_this_machine_brings_is_not_local(sign):
    assert not seen("127.0.0.1", **{sign: "127.0.0.1"})["state"]["is_local"]
    assert not seen("127.0.0.1", networks=[ip_network("127.0.0.1")])["state"]["is_local"]


@pytest.mark.parametrize("path", ["/geo/sam/jobs", "/jobs"])
def test_a_prefix_is_known_whether_the_proxy_takes_it_off_or_not(path):
    told = {"path": path, "x_forwarded_prefix": "/geo/sam/"}
    scope = seen("10.0.0.1", **told)
    assert (scope["path"], scope["root_path"]) == ("/jobs", "/geo/sam")
    own = seen("192.0.2.99", path=path, public_url="https://maps.example.org/geo/sam/")
    assert (own["path"], own["root_path"]) == ("/jobs", "/geo/sam")
    stranger = seen("192.0.2.99", **told)
    assert (stranger["path"], stranger.get("root_path", "")) == (path, "")


@pytest.mark.parametrize(
    "prefix", ["geo", "//evil.example", "/a b", "/a?b", "https://evil.example"]
)
def test_what_is_no_path_is_no_prefix(prefix):
    assert seen("10.0.0.1", x_forwarded_prefix=prefix).get("root_path", "") == ""


def test_a_name_that_only_begins_like_the_prefix_is_left_alone():
    scope = seen("10.0.0.1", path="/geometry", x_forwarded_prefix="/geo")
    assert scope["path"] == "/geometry"
