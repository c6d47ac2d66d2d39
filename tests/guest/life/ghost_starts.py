# SPDX-License-Identifier: GPL-2.0
"""Sessions with a ghost that do not get far, and what is sent again.
"""

import errno
import select
import socket

from lib.ghosts import ghostly, connecting, connected, wanted_of, error_of
from lib.ktap import any_of, equal
from lib.life import disconnect, receive, want
from lib.wire import ACK, FIN, OURS, PSH, RST, SYN
from lib.world import listener

TCP = socket.IPPROTO_TCP
TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 23, 30


@ghostly("refused by a reset")
def _refused_by_ghost(wire, family):
    client, ghost = connecting(wire, family)
    yield wanted_of(client, ghost, "conn", "refused", established=False)
    ghost.peer = ghost.expect(SYN).ports[1]
    ghost.send(RST | ACK)
    equal(error_of(client), errno.ECONNREFUSED, "error")
    client.close()


@ghostly("given up while connecting")
def _given_up(wire, family):
    client, ghost = connecting(wire, family)
    yield wanted_of(client, ghost, "conn", None, established=False)
    client.close()


@ghostly("disconnected while connecting")
def _disconnected_connecting(wire, family):
    client, ghost = connecting(wire, family)
    yield wanted_of(client, ghost, "conn", None, established=False)
    disconnect(client)
    client.close()


@ghostly("reset while connecting at the same time")
def _reset_in_syn_recv(wire, family):
    client, ghost = connecting(wire, family)
    yield wanted_of(client, ghost, "conn", any_of("reset", "refused"),
                    established=False)
    ghost.peer = ghost.expect(SYN).ports[1]
    ghost.send(SYN)
    ghost.expect(SYN | ACK)
    ghost.send(RST | ACK)
    error_of(client)
    client.close()


@ghostly("no session: a SYN and no more")
def _knock(wire, family):
    door = listener(family, address=OURS[family])
    ghost = wire.ghost(family).knock(door.getsockname()[1])
    ghost.expect(SYN | ACK)
    yield
    other = wire.ghost(family).knock(door.getsockname()[1])
    other.expect(SYN | ACK)
    other.send(RST | ACK)
    door.close()


@ghostly("Fast Open, reset before the handshake is over")
def _fast_reset(wire, family):
    """It never was in ESTABLISHED, but it has had data."""
    door = listener(family, address=OURS[family],
                    setup=lambda sock: sock.setsockopt(TCP, TCP_FASTOPEN, 16))
    ghost = wire.ghost(family)
    ghost.knock(door.getsockname()[1], b"y" * 50, b"\x22\x02\1\1")
    ghost.expect(SYN | ACK)
    server = door.accept()[0]
    receive(server, 50)
    yield want(None, "acpt", "reset", 0, 50,
               local=(OURS[family], ghost.peer),
               remote=(ghost.address, ghost.port), established=False)
    ghost.send(RST | ACK)
    error_of(server)
    server.close()
    door.close()


@ghostly("data sent again")
def _sent_again(wire, family):
    client, ghost = connected(wire, family)
    client.sendall(b"x" * 100)
    ghost.expect(PSH)
    before = ghost.ack
    yield wanted_of(client, ghost, "conn", "fin", 100, 0, retx=1)
    ghost.expect(PSH)           # again
    equal(ghost.ack, before, "what was sent again")
    ghost.send(ACK)
    client.close()
    ghost.expect(FIN)
    ghost.send(FIN | ACK)


@ghostly("SYN sent again")
def _syn_again(wire, family):
    client, ghost = connecting(wire, family)
    ghost.expect(SYN)
    yield wanted_of(client, ghost, "conn", "fin", 0, 0, retx=1)
    ghost.answer()
    select.select([], [client], [])
    client.close()
    ghost.expect(FIN)
    ghost.send(FIN | ACK)
