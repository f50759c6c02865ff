import asyncio
import json
import logging
import re

from samgis_process.server.access_log import AccessLog
from samgis_process.server.logs import JsonLines


def request(app, path="/processes", query=b"", **state):
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "state": {"request_id": "an-id"},
    }

    async def send(_message):
        pass

    scope["state"] |= state
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
    method, path, status, ms, unit, request_id, owner = line.split(" ")
    assert (method, path, status, unit, request_id) == ("GET", "/processes", "204", "ms", "an-id")
    assert float(ms) >= 0
    assert owner == "-"


def test_a_path_cannot_forge_a_line_nor_fill_the_log(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(fine, path="/a\nINFO GET /b 200 " + "x" * 5000)
    (line,) = lines(caplog)
    assert "\n" not in line
    assert len(line) < 300


def test_an_owner_cannot_forge_a_line_either(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(fine, owner="user:a b\nc")
    assert lines(caplog)[0].endswith(" an-id user:a%20b%0Ac")


def test_a_line_may_be_json(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(fine, owner="key:ann", query=b"key=s3cret")
    try:
        int("what only the log may know")
    except ValueError:
        logging.getLogger("samgis_process.ogc").exception("request %s failed", "an-id")
    texts = [JsonLines().format(record) for record in caplog.records]
    line, bug = map(json.loads, texts)
    assert (line["path"], line["status"], line["owner"]) == ("/processes", "204", "key:ann")
    assert (line["level"], line["request_id"]) == ("INFO", "an-id")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]{12}Z", line["time"])
    assert (bug["level"], bug["message"]) == ("ERROR", "request an-id failed")
    assert "what only the log may know" in bug["exception"]
    assert not any("\n" in text or "s3cret" in text for text in texts)


def test_a_client_that_went_away_has_no_status(caplog):
    caplog.set_level(logging.INFO, "samgis_process")
    request(gone)
    assert " - " in lines(caplog)[0]
