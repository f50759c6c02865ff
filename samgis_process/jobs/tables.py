"""The tables of the job store, and the database behind them."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from samgis_process.errors import StoreUnusable

VERSION = 1  # of the tables; a store of another version is refused
PATIENCE_S = 5  # seconds to wait for a connection, a statement, or whoever else is writing
WRITE = "samgis_write"  # execution option: this transaction will write
_LOCK = 0x53414D47  # PostgreSQL's advisory lock while tables are made

METADATA = MetaData()
SCHEMA = Table("samgis_schema", METADATA, Column("version", Integer, primary_key=True))
# Times are microseconds since the epoch, UTC: every database compares and subtracts them alike.
# The request comes last: a listing then never reads past it.
JOBS = Table(
    "samgis_jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("process_id", String(255), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("progress", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("started", BigInteger),
    Column("finished", BigInteger),
    Column("updated", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("worker", String(80)),
    Column("lease", BigInteger),
    Column("results", String(80)),
    Column("answer", Text, nullable=False),
    Column("problem", Text),
    Column("request", Text),
    Index("samgis_jobs_of_owner", "owner", "created", "id"),
    Index("samgis_jobs_of_process", "owner", "process_id", "created", "id"),
    Index("samgis_jobs_in_status", "owner", "status", "created", "id"),
    Index("samgis_jobs_waiting", "status", "created"),
    Index("samgis_jobs_finished", "finished"),
)


def open_engine(url: str | Path) -> Engine:
    """Return the engine of a database, its tables made if they are not there.

    Raises:
        StoreUnusable: it cannot be opened, or its tables are of another version.
    """
    with contextlib.ExitStack() as if_it_fails:
        try:
            engine = _engine(url)
            if_it_fails.callback(engine.dispose)
            with engine.execution_options(**{WRITE: True}).begin() as connection:
                _prepare(connection, _named(url))
        except (SQLAlchemyError, ImportError, OSError) as error:
            raise StoreUnusable(
                f"The job store {_named(url)} cannot be opened: {reason(error)}{_remedy(error)}"
            ) from error
        if_it_fails.pop_all()
    return engine


def is_sqlite(engine: Engine) -> bool:
    """Return whether the store is a file of this machine."""
    return engine.dialect.name == "sqlite"


def _engine(url: str | Path) -> Engine:
    # A path may hold what means something in an address.
    parsed = URL.create("sqlite", database=str(url)) if isinstance(url, Path) else make_url(url)
    if parsed.get_backend_name() != "sqlite":
        postgresql = parsed.get_backend_name() == "postgresql"
        bound = {"connect_timeout": PATIENCE_S} if postgresql else {}
        engine = create_engine(
            parsed, pool_size=5, max_overflow=40, pool_timeout=PATIENCE_S, connect_args=bound
        )
        if postgresql:
            event.listen(engine, "connect", _set_up_postgresql)
        return engine
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        parsed, pool_size=5, max_overflow=40, connect_args={"timeout": PATIENCE_S}
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Let readers read while one writes; sqlite3 shall open no transactions by itself."""
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous=NORMAL")
    until = time.monotonic() + PATIENCE_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:  # others are at it; SQLite does not wait for them here
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _set_up_postgresql(connection: Any, _record: Any) -> None:
    """Let the server, too, give up what nobody waits for any more."""
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "lock_timeout"):
            cursor.execute(f"SET {name} = '{PATIENCE_S}s'")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # Whoever reads first and then writes would fail where another wrote in between.
    if connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(connection: Connection, name: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if not inspect(connection).has_table(SCHEMA.name):
        METADATA.create_all(connection, checkfirst=False)
        connection.execute(insert(SCHEMA).values(version=VERSION))
    found = connection.execute(select(SCHEMA.c.version)).scalar()
    if found != VERSION:
        raise StoreUnusable(
            f"The job store {name} was written in version {found} of its tables; this server "
            f"reads version {VERSION}. Let the server that wrote it finish its jobs, then move "
            "the store away, or name another one in samgis.jobs.url."
        )


def reason(error: Exception) -> str:
    """Return the database's own words, without the statement, its values or a password."""
    if isinstance(error, NoSuchModuleError | ArgumentError):
        return "samgis.jobs.url is no address of a database known here."
    if isinstance(error, ImportError):
        return f"the package {error.name} is missing (pip install samgis-process[postgresql])."
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0] if said else type(error).__name__


def _named(url: str | Path) -> str:
    """Return what a store is called where people read it: its file, or its address."""
    with contextlib.suppress(ArgumentError):
        if isinstance(url, str):
            parsed = make_url(url)
            is_file = parsed.get_backend_name() == "sqlite" and parsed.database
            return str(parsed.database) if is_file else parsed.render_as_string()
        return str(url)
    return "of samgis.jobs.url"


def _remedy(error: Exception) -> str:
    # Of SQLite's errors this one alone means that the file itself is no good.
    if type(getattr(error, "orig", None)) is sqlite3.DatabaseError:
        return ". Move the file away, or put a copy from before in its place."
    return ""
