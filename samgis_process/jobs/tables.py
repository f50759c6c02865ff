"""The tables of the job store, and the database behind them."""

from __future__ import annotations

import contextlib
import sqlite3
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
BUSY_S = 10  # seconds to wait for another process that writes to an SQLite store
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
                _prepare(connection)
        except (SQLAlchemyError, ImportError, OSError) as error:
            raise StoreUnusable(f"The job store cannot be opened: {_reason(error)}") from error
        if_it_fails.pop_all()
    return engine


def is_sqlite(engine: Engine) -> bool:
    """Return whether the store is a file of this machine."""
    return engine.dialect.name == "sqlite"


def _engine(url: str | Path) -> Engine:
    # A path may hold what means something in an address.
    parsed = URL.create("sqlite", database=str(url)) if isinstance(url, Path) else make_url(url)
    if parsed.get_backend_name() != "sqlite":
        # A connection may have died while it waited in the pool: the server was restarted.
        return create_engine(parsed, pool_pre_ping=True, pool_size=5, max_overflow=40)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=5, max_overflow=40, connect_args={"timeout": BUSY_S})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """Let readers read while one writes; sqlite3 shall open no transactions by itself."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # Whoever reads first and then writes would fail where another wrote in between.
    if connection.get_execution_options().get(WRITE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if not inspect(connection).has_table(SCHEMA.name):
        METADATA.create_all(connection, checkfirst=False)
        connection.execute(insert(SCHEMA).values(version=VERSION))
    found = connection.execute(select(SCHEMA.c.version)).scalar()
    if found != VERSION:
        raise StoreUnusable(
            f"The job store was written in version {found} of its tables; this server reads "
            f"version {VERSION}. Let the server that wrote it finish its jobs, then move the "
            "store away, or name another one in samgis.jobs.url."
        )


def _reason(error: Exception) -> str:
    """Return the database's own words, without the statement, its values or a password."""
    if isinstance(error, NoSuchModuleError | ArgumentError):
        return "samgis.jobs.url is no address of a database known here."
    if isinstance(error, ImportError):
        return f"the package {error.name} is missing (pip install samgis-process[postgresql])."
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0] if said else type(error).__name__
