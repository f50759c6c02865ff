"""Names of the server."""

import pytest

from samgis_process.server.hosts import KnownHosts, allowed_names, without_port


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost", "localhost"),
        ("localhost:80", "localhost"),
        ("localhost:", "localhost"),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("localhost:x", "localhost:x"),
        ("", ""),
    ],
)
def test_the_name_of_a_host_header(host, name):
    assert without_port(host) == name


def test_names_come_from_the_settings_too():
    names = allowed_names("https://Maps.Example.org:8443/samgis", ["10.0.0.7", "fe80::1"])
    assert {"maps.example.org", "10.0.0.7", "[fe80::1]", "localhost"} <= names
    assert "" not in names


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("a.example:81", True),
        ("b.example:81", True),
        ("b.example:82", False),
        ("a.example.", True),
    ],
)
def test_a_configured_port_holds(host, known):
    hosts = KnownHosts(None, allowed_names(None, ["a.example", "b.example:81"]))
    assert hosts._knows(host) is known


@pytest.mark.parametrize(("host", "known"), [("x.example:1", True), ('a"><script>', False)])
def test_any_name_may_be_allowed_but_a_name_it_must_be(host, known):
    hosts = KnownHosts(None, allowed_names(None, ["*"]))
    assert hosts._knows(host) is known
