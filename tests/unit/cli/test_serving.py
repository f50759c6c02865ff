import asyncio
import logging
import socket

import pytest

from samgis_process.cli import serving
from samgis_process.server.logs import set_up_logging
from samgis_process.settings import ConfigurationError


def ports(sockets):
    return {one.getsockname()[1] for one in sockets}


def close(sockets):
    for one in sockets:
        one.close()


def test_port_0_is_one_free_port_on_every_address_of_the_host():
    sockets = serving.claim("localhost", 0)
    (port,) = ports(sockets)
    close(sockets)
    assert port > 0


def test_a_claimed_port_refuses_clients_until_the_server_is_ready():
    sockets = serving.claim("127.0.0.1", 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(sockets[0].getsockname(), 1)
    close(sockets)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_told_in_words(host):
    with pytest.raises(ConfigurationError, match=f"cannot listen on {host}, port 5000: "):
        serving.claim(host, 5000)


def test_of_two_servers_that_take_a_port_at_once_one_is_told_so():
    async def app(_scope, _receive, _send):
        await asyncio.sleep(0)

    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind(("127.0.0.1", 0))
        second = serving.claim("127.0.0.1", first.getsockname()[1])
        first.listen()
        with pytest.raises(ConfigurationError, match="in use"):
            serving.run(app, second)
        close(second)


def test_only_our_own_log_is_at_info():
    before = logging.getLogger("samgis_process").level
    try:
        set_up_logging()
        levels = {n: logging.getLogger(n).level for n in ("samgis_process", "pygeoapi", "uvicorn")}
    finally:
        logging.getLogger("samgis_process").setLevel(before)
    assert levels == {
        "samgis_process": logging.INFO,
        "pygeoapi": logging.WARNING,
        "uvicorn": logging.WARNING,
    }
