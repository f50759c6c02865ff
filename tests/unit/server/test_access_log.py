import asyncio
import logging

from samgis_process.server.access_log import AccessLog


def request(app, path="/processes", query=b""):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "state": {"request_id": "an-id"},
    }

    async def send(_message):
        pass

    asyncio.run(AccessLog(app)(scope, None, send))


async def fine(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


async def gone(_scope, _receive, _send):
    pass


def lines(caplog):
    return [r.getMessage() for r in caplog.records if r.name == "samgis_process.requests"]


def test_a_request_is_one_line_without_its_query(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(fine, query=b"key=s3cret")
    (line,) = lines(caplog)
    method, path, status, ms, unit, request_id = line.split(" ")
    assert (method, path, status, unit, request_id) == ("GET", "/processes", "204", "ms", "an-id")
    assert float(ms) >= 0


def test_a_path_cannot_forge_a_line_nor_fill_the_log(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(fine, path="/a\nINFO GET /b 200 " + "x" * 5000)
    (line,) = lines(caplog)
    assert "\n" not in line
    assert len(line) < 300


def test_a_client_that_went_away_has_no_status(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(gone)
    assert " - " in lines(caplog)[0]
