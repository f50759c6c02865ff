"""A bounded pool."""

import asyncio
import threading

import pytest

from samgis_process.errors import Overloaded
from samgis_process.ogc.pool import WorkPool


def test_work_beyond_the_queue_is_turned_away():
    gate = threading.Event()

    async def crowd():
        pool = WorkPool(1, 1)
        running = [asyncio.create_task(pool.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await pool.run(gate.wait)
        gate.set()
        await asyncio.gather(*running)
        assert await pool.run(lambda: 7) == 7
        pool.close()

    asyncio.run(crowd())


def test_work_that_fails_gives_its_place_back():
    async def fail_often():
        pool = WorkPool(1, 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await pool.run(lambda: 1 // 0)
        pool.close()

    asyncio.run(fail_often())
