import pytest

from samgis_process.outbound.rules import Refused, Rules, Unreachable, is_public, target

PRIVATE = """
    127.0.0.1 127.9.9.9 10.0.0.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0
    255.255.255.255 224.0.0.1 240.0.0.1 192.0.2.1 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fec0::1
    ff02::1 ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::10.0.0.1 2002:7f00:1:: 64:ff9b:1::1 2001:db8::1
    2001:0:4136:e378:8000:63bf:f5ff:fffe 192.0.0.192 192.0.0.1 192.0.0.9 192.88.99.1 198.18.0.1
    198.19.255.254 198.51.100.7 203.0.113.7 100.127.255.254 172.31.255.254 0.1.2.3 239.1.1.1
    2002:808:808:: 2001:2::1 2001:10::1 3fff::1 5f00::1 100::1 fd00:ec2::254 ::ffff:192.0.0.192
    64:ff9b::192.0.0.192 64:ff9b::169.254.169.254 4000::1 2620:4f:8000::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_an_address_that_is_not_for_everybody_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "192.0.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "198.20.0.1",
        "2001:4860:4860::8888",
        "2a00::1",
    ],
)
def test_other_addresses_are_public(address):
    assert is_public(address)


def test_an_address_is_taken_apart():
    found = target("HTTPS://Data.Example.ORG./a b?x=ü#part".replace(" ", "%20"))
    assert (found.scheme, found.host, found.port) == ("https", "data.example.org", 443)
    assert found.path == "/a%20b?x=%C3%BC"
    assert found.names == {"data.example.org", "data.example.org:443"}
    assert target("http://[2606:4700::1]:8080").names == {"[2606:4700::1]:8080"}
    assert target("http://bücher.example/").host == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "ftp://example.org/", "//example.org", "example.org", "", "http://",
        "http://a:b@example.org/", "http://example.org@evil.example/", "http://example.org:0/",
        "http://example.org:99999/", "http://exa mple.org/", "http://example.org\\@evil/",
        "http://example.org/\r\nHost: x", "http://[::1/", "gopher://example.org/", "http://%31/",
        "http://" + "a" * 3000, "javascript:alert(1)", "http://.", "http://a..b/",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(address):
    with pytest.raises(Refused):
        target(address)


def check(rules, address):
    return rules.addresses(target(address))


def test_names_are_looked_up_and_every_address_counts():
    rules = Rules(resolve=lambda *_: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(Refused, match="not public"):
        check(rules, "http://trap.example/")
    assert check(Rules(resolve=lambda *_: ["8.8.8.8"]), "http://ok.example/") == ["8.8.8.8"]


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost/", "http://a.localhost/", "http://127.0.0.1/", "http://[::1]/",
        "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://[::ffff:7f00:1]:80/",
    ],
)  # fmt: skip
def test_the_machine_itself_is_refused_under_all_its_names(address):
    with pytest.raises(Refused):
        check(Rules(), address)


def test_a_private_host_may_be_allowed_by_its_very_name_and_port():
    rules = Rules((), ("127.0.0.1:8000", "LOCALHOST"))
    assert check(rules, "http://127.0.0.1:8000/") == ["127.0.0.1"]
    assert "127.0.0.1" in check(rules, "http://localhost/")
    for address in ("http://127.0.0.1/", "http://127.0.0.1:8001/", "http://localhost:81/"):
        with pytest.raises(Refused):
            check(rules, address)


def test_only_named_hosts_are_asked():
    rules = Rules(("data.example.org",), resolve=lambda *_: ["8.8.8.8"])
    assert check(rules, "https://data.example.org/x") == ["8.8.8.8"]
    for address in (
        "https://example.org/",
        "https://data.example.org.evil.example/",
        "http://data.example.org:81/",
    ):
        with pytest.raises(Refused, match="may not ask"):
            check(rules, address)


def test_a_name_that_nobody_knows_is_unreachable():
    def unknown(*_):
        raise OSError

    with pytest.raises(Unreachable):
        check(Rules(resolve=unknown), "http://nowhere.example/")
