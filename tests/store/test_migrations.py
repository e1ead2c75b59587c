"""Opening: URLs, files, two at once, and that models and migrations agree."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from services.store import Store, StoreError
from services.store.database import database_url
from services.store.tables import metadata


async def test_models_and_migrations_agree(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert await store._db.read(differences) == []


async def test_opening_again_keeps_what_is_there(store: Store, url: str) -> None:
    assert await store.texts.claim("CA1", "k", "+15551234567", "Hello")
    again = await Store.open(url)
    assert not await again.texts.claim("CA1", "k", "+15551234567", "Hello")
    await again.close()


async def test_two_that_open_an_empty_database_at_once(url: str) -> None:
    stores = await asyncio.gather(*(Store.open(url) for _ in range(4)))
    for number, store in enumerate(stores):
        assert await store.texts.claim("CA1", f"k{number}", "", "")
        await store.close()


async def test_processes_that_open_an_empty_database_at_once(url: str) -> None:
    program = (
        "import asyncio, sys; from services.store import Store\n"
        "async def main():\n"
        "    store = await Store.open(sys.argv[1]); await store.ping(); await store.close()\n"
        "asyncio.run(main())"
    )
    arguments = (sys.executable, "-c", program, url)
    processes = [await asyncio.create_subprocess_exec(*arguments) for _ in range(3)]
    assert [await process.wait() for process in processes] == [0, 0, 0]


async def test_a_database_of_a_newer_server_is_refused(store: Store, url: str) -> None:
    await store._db.write(lambda db: db.execute(text("UPDATE alembic_version SET version_num='x'")))
    with pytest.raises(StoreError, match="another version of this server"):
        await Store.open(url)


async def test_what_is_no_file_keeps_its_mode(tmp_path: Path) -> None:
    """As a device would: to make /dev/null private would break the machine."""
    pipe = tmp_path / "calls.db"
    os.mkfifo(pipe, 0o666)
    before = pipe.stat().st_mode
    with pytest.raises(StoreError, match="not a file"):
        await Store.open(f"sqlite:///{pipe}")
    assert pipe.stat().st_mode == before


async def test_the_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "data" / "calls.db"
    store = await Store.open(f"sqlite:///{path}")
    assert await store.texts.claim("CA1", "k", "", "")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"calls.db": 0o600, "calls.db-wal": 0o600, "calls.db-shm": 0o600}
    await store.close()


async def test_sqlite_keeps_foreign_keys_and_does_not_block_readers(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/calls.db")

    def pragmas(db: Connection) -> list[object]:
        names = ("foreign_keys", "journal_mode", "busy_timeout", "synchronous")
        return [db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await store._db.write(pragmas) == [1, "wal", 5000, 2]
    await store.close()


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h:5/d", "postgresql+asyncpg://u:p@h:5/d"),
        (
            "postgresql://h/d?sslmode=require&channel_binding=require",
            "postgresql+asyncpg://h/d?ssl=require",
        ),
        ("postgresql://h/d?connect_timeout=9&host=/run", "postgresql+asyncpg://h/d?host=%2Frun"),
        ("sqlite:///data/x.db", "sqlite:///data/x.db"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_urls_get_their_drivers(given: str, made: str) -> None:
    assert database_url(given).render_as_string(hide_password=False) == made


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "data/x.db", "mysql://h/d", "sqlite://", "sqlite:///:memory:", "sqlite:///a\0b"),
        *("postgresql://u:p@h:port/d", "postgresql://h:99999/d"),
    ],
)
def test_other_urls_are_refused_with_a_remedy(wrong: str) -> None:
    with pytest.raises(StoreError, match=r"sqlite:///"):
        database_url(wrong)


async def test_a_database_that_is_not_there(tmp_path: Path, unused_tcp_port: int) -> None:
    with pytest.raises(StoreError, match=r"is it running") as refused:
        await Store.open(f"postgresql://agent:secret@127.0.0.1:{unused_tcp_port}/calls")
    assert "secret" not in str(refused.value)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="DATA_DIR"):
        await Store.open(f"sqlite:///{tmp_path}/file/calls.db")


async def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "calls.db").write_text("no database, by far not one" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        await Store.open(f"sqlite:///{tmp_path}/calls.db")


async def test_errors_and_logs_tell_no_words(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as failed:
        await store._db.write(
            lambda db: db.execute(text("SELECT :words FROM nowhere"), {"words": "Bob's secret"})
        )
    assert "Bob's secret" not in str(failed.value) + str(failed.value.__cause__)
    assert "Bob's secret" not in caplog.text
