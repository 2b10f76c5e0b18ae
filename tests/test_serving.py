"""How an address is bound, and how a body is read."""

from __future__ import annotations

import socket

import pytest

from bot.serving import TooMuch, _bind, received


def test_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    """Head and body are two writes: with Nagle's algorithm each answer but the first of a connection takes 40 ms more."""
    with _bind("127.0.0.1", 0, "FIRSTHOUR_HTTP") as listening:
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_body_is_counted_while_it_comes() -> None:
    asked = 0

    async def receive() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 10, "more_body": asked != 3}

    assert await received(receive, 30) == b"x" * 30
    asked = 0
    with pytest.raises(TooMuch) as refused:
        await received(receive, 19)
    assert (asked, refused.value.most) == (2, 19)
