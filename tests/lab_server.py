"""The processes made for testing, served by a process of its own: `lab_server.py DIR PORT`."""

import json
import sys
from pathlib import Path

import lab

from samgis_process.cli import serving
from samgis_process.server.app import create_app
from samgis_process.settings import LimitSettings

CONFIG = Path(__file__).parent.parent / "pygeoapi-config.yml"


def main(directory, port, jobs, limits):
    serving.stop_on_signals()
    room = lab.job_room(Path(directory), **json.loads(jobs))
    limits = LimitSettings(sync_workers=4, **json.loads(limits))
    app = create_app(CONFIG, lab.services(processes=lab.processes(jobs=True), limits=limits), room)
    serving.run(app, serving.claim("127.0.0.1", int(port)), stopping=app.state.stopping)


if __name__ == "__main__":  # workers import this file too
    main(*sys.argv[1:])
