"""How an address is bound."""

from __future__ import annotations

import socket

from bot.serving import _bind


def test_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    """Head and body are two writes: with Nagle's algorithm each answer but the first of a connection takes 40 ms more."""
    with _bind("127.0.0.1", 0, "FIRSTHOUR_HTTP") as listening:
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
