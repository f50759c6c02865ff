"""A PostgreSQL server of its own, thrown away afterwards."""

import contextlib
import getpass
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from server_process import free_port

_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB"


def programs():
    """Return the directory of initdb and pg_ctl, or None; Debian does not put them on the path."""
    found = shutil.which("initdb")
    candidates = [Path(found).parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((path for path in candidates if (path / "pg_ctl").exists()), None)


class Cluster:
    """Runs as `postgres` where the tests run as root, which initdb refuses."""

    def __init__(self, binaries):
        self._binaries = binaries
        self.directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.directory, "postgres")
        self.port = free_port()

    @property
    def user(self):
        return "postgres" if self._as else getpass.getuser()

    def url(self, database="postgres"):
        host = f"host={self.directory}&port={self.port}"
        return f"postgresql+psycopg://{self.user}@/{database}?{host}"

    def make(self):
        self._run("initdb", "-D", self._data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                  "--no-sync", "--no-instructions")  # fmt: skip
        self.start()

    def start(self):
        options = f"-k {self.directory} -p {self.port} -c listen_addresses='' {_FAST}"
        log = str(self.directory / "log")
        self._run("pg_ctl", "-s", "-w", "-D", self._data, "-l", log, "-o", options, "start")

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "-s", "-D", self._data, "-m", mode, "stop")

    def freeze(self):
        """Let every process of it hang: connections stay, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        first = int((self.directory / "db" / "postmaster.pid").read_text().split()[0])
        children = subprocess.run(
            ["pgrep", "-P", str(first)], check=False, capture_output=True, text=True
        )
        for pid in [first, *map(int, children.stdout.split())]:
            os.kill(pid, number)

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self):
        return str(self.directory / "db")

    def _run(self, program, *arguments):
        command = [*self._as, str(self._binaries / program), *arguments]
        subprocess.run(command, check=True, cwd=self.directory, stdout=subprocess.DEVNULL)
