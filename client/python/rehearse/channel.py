"""Channels to a service, as all clients of this package have them."""

from __future__ import annotations

import threading

import grpc

# As the C++ clients: messages of up to 64 MiB, a connection that is checked every 30 s and tried
# again after 50 ms to 2 s.
OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]

_shared: dict[str, grpc.Channel] = {}
_shared_lock = threading.Lock()


def shared_channel(address: str) -> grpc.Channel:
    """The channel of this process to `address`, HOST:PORT; it stays open."""
    with _shared_lock:
        if address not in _shared:
            _shared[address] = grpc.insecure_channel(address, options=OPTIONS)
        return _shared[address]
