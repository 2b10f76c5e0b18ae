"""Write the golden files of the review anew: `python -m tests.review.golden`. Read the difference before it is committed."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from bot.review.documents import review_files
from bot.store import Store
from tests.conftest import Clock, migrate
from tests.review import told
from tests.review.test_review import GOLDEN


async def write() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'golden.db'}"
        await migrate(url)
        clock = Clock()
        store = Store(url, now=clock)
        try:
            number = await told.whole(store, clock)
            for one in review_files(await told.about(store, number), "AMBER"):
                (GOLDEN / one.name).write_bytes(one.content)
        finally:
            await store.close()


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    asyncio.run(write())
