# SPDX-License-Identifier: GPL-2.0
"""What a session was: every way to live and to end, and its whole row.

The scenes on loopback have two ends, and so two rows; in those with a ghost
(see wire.py) the other end is packets that the test makes up, which is how a
session comes into states that two well-behaved kernels seldom bring it into.
"""

import contextlib
import errno
import os
import select
import socket
import struct
import time
from typing import NamedTuple

from lib import life
from lib.ktap import Failed, Skip, cases, check, equal, scaled, test, until
from lib.life import (Process, Stage, disconnect, ended, linger, receive,
                      want, was_reset)
from lib.wire import ACK, FIN, OURS, PSH, RST, SYN, Wire
from lib.world import (IPPROTO_MPTCP, PLAIN_USER, Netns, gone, ip, join,
                       listener, sysctl, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
TCP = socket.IPPROTO_TCP
MSG_FASTOPEN = 0x20000000
TCP_FIN_WAIT2 = 5
TCP_LINGER2, TCP_USER_TIMEOUT, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 8, 18, 23, 30
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ = 19, 20, 21
TCP_REPAIR_OPTIONS, TCP_REPAIR_WINDOW = 22, 29
TCPI_OPT_SYN_DATA = 32


class Flavour(NamedTuple):
    """Of which family the listener is, and of which who connects to it."""
    passive: int
    active: int
    bound: str
    connected: str

    def door(self, backlog=16, setup=None):
        """A listener."""
        return listener(self.passive, backlog, self.bound, setup=setup)

    def client(self, setup=None):
        """A socket to connect with."""
        sock = socket.socket(self.active, socket.SOCK_STREAM)
        if setup:
            setup(sock)
        return sock

    def connect(self, sock, door):
        """Connect @sock to the listener @door."""
        sock.connect((self.connected, door.getsockname()[1]))

    def pair(self):
        """A connection: the end that connected, the end that accepted."""
        with self.door() as door:
            client = self.client()
            self.connect(client, door)
            return client, door.accept()[0]


FLAVOURS = {
    "v4": Flavour(INET, INET, "127.0.0.1", "127.0.0.1"),
    "v6": Flavour(INET6, INET6, "::1", "::1"),
    "mapped": Flavour(INET6, INET6, "::ffff:127.0.0.1", "::ffff:127.0.0.1"),
    "dual": Flavour(INET6, INET, "::", "127.0.0.1"),
}

# name: function(scene, flavour)
LOOPBACK = {}


def loopback(name):
    """Mark a scene that is played on loopback, in every flavour."""
    def mark(function):
        LOOPBACK[name] = function
        return function
    return mark


def say(one, other, count):
    """@count bytes from @one to @other."""
    one.sendall(b"x" * count)
    receive(other, count)


@loopback("active close")
def _active_close(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", 100, 7),
                want(server, "acpt", "fin", 7, 100))
    say(client, server, 100)
    say(server, client, 7)
    client.close()
    ended(server)
    server.close()


@loopback("passive close")
def _passive_close(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", 3, 70000),
                want(server, "acpt", "fin", 70000, 3))
    say(client, server, 3)
    say(server, client, 70000)
    server.close()
    ended(client)
    client.close()


@loopback("without a word")
def _without_a_word(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin"), want(server, "acpt", "fin"))
    client.close()
    server.close()


@loopback("another address and port")
def _another_address(scene, flavour):
    if flavour.active != INET:
        raise Skip("loopback has one IPv6 address")
    with flavour.door() as door:
        client = flavour.client(lambda sock: sock.bind(("127.1.2.3", 0)))
        flavour.connect(client, door)
        server = door.accept()[0]
    far = "::ffff:127.1.2.3" if flavour.passive == INET6 else "127.1.2.3"
    scene.wants(want(client, "conn", "fin", 1, 0,
                     local=("127.1.2.3", client.getsockname()[1])),
                want(server, "acpt", "fin", 0, 1,
                     remote=(far, client.getsockname()[1])))
    say(client, server, 1)
    client.close()
    server.close()


@loopback("another user's")
def _another_users(scene, flavour):
    """UID is who made the socket, or accepted it, and not who closes it."""
    with flavour.door() as door:
        with user(PLAIN_USER):
            client = flavour.client()
        flavour.connect(client, door)
        with user(PLAIN_USER + 1):
            server = door.accept()[0]
    scene.wants(want(client, "conn", "fin", uid=PLAIN_USER),
                want(server, "acpt", "fin", uid=PLAIN_USER + 1))
    client.close()
    server.close()


@loopback("half-closed for long")
def _half_closed(scene, flavour):
    client, server = flavour.pair()
    say(client, server, 10)
    begun = life.clock().mono
    client.shutdown(socket.SHUT_WR)
    ended(server)
    for _ in range(5):
        time.sleep(0.02)        # the time that the session is to last
        say(server, client, 1000)
    least = life.clock().mono - begun
    scene.wants(want(client, "conn", "fin", 10, 5000, least=least),
                want(server, "acpt", "fin", 5000, 10, least=least))
    server.close()
    ended(client)
    client.close()


@loopback("half-closed by who accepted")
def _half_closed_server(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", 5000, 20),
                want(server, "acpt", "fin", 20, 5000))
    say(server, client, 20)
    server.shutdown(socket.SHUT_WR)
    ended(client)
    say(client, server, 5000)
    client.shutdown(socket.SHUT_WR)
    ended(server)
    client.close()
    server.close()


@loopback("shut down for reading")
def _shut_for_reading(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", 30, 0),
                want(server, "acpt", "fin", 0, 30))
    client.shutdown(socket.SHUT_RD)
    say(client, server, 30)
    client.close()
    ended(server)
    server.close()


@loopback("refused")
def _refused(scene, flavour):
    with flavour.door() as door:
        port = door.getsockname()[1]
    client = flavour.client(lambda sock: sock.bind((flavour.connected, 0)))
    scene.wants(want(client, "conn", "refused",
                     remote=(flavour.connected, port), established=False))
    with contextlib.suppress(ConnectionRefusedError):
        client.connect((flavour.connected, port))
        raise Failed("not refused")
    client.close()


@loopback("refused, and tried again")
def _refused_then_not(scene, flavour):
    with flavour.door() as door:
        port = door.getsockname()[1]
    client = flavour.client(lambda sock: sock.bind((flavour.connected, 0)))
    scene.wants(want(client, "conn", "refused",
                     remote=(flavour.connected, port), established=False))
    with contextlib.suppress(ConnectionRefusedError):
        client.connect((flavour.connected, port))
        raise Failed("not refused")
    with flavour.door() as door:
        flavour.connect(client, door)
        server = door.accept()[0]
    scene.wants(want(client, "conn", "fin", 5, 6),
                want(server, "acpt", "fin", 6, 5))
    say(client, server, 5)
    say(server, client, 6)
    client.close()
    server.close()


@loopback("reset by who accepted")
def _reset_by_server(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "reset", 11, 12),
                want(server, "acpt", "abort", 12, 11))
    say(client, server, 11)
    say(server, client, 12)
    linger(server)
    server.close()
    was_reset(client)
    client.close()


@loopback("reset by who connected")
def _reset_by_client(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "abort", 13, 14),
                want(server, "acpt", "reset", 14, 13, by="listen"))
    say(client, server, 13)
    say(server, client, 14)
    linger(client)
    client.close()
    was_reset(server)
    server.close()


@loopback("reset after a FIN")
def _reset_after_fin(scene, flavour):
    """In CLOSE_WAIT, where a reset is EPIPE to who writes."""
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "abort", 15, 0),
                want(server, "acpt", "reset", 0, 15, by="listen"))
    say(client, server, 15)
    client.shutdown(socket.SHUT_WR)
    ended(server)
    linger(client)
    client.close()
    until(lambda: server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
          "the reset")
    server.close()


@loopback("unread data at who connected")
def _unread_at_client(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "abort", 0, 1000),
                want(server, "acpt", "reset", 1000, 0, by="listen"))
    server.sendall(b"x" * 1000)
    client.recv(1, socket.MSG_PEEK)
    client.close()
    was_reset(server)
    server.close()


@loopback("unread data at who accepted")
def _unread_at_server(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "reset", 1000, 0),
                want(server, "acpt", "abort", 0, 1000))
    client.sendall(b"x" * 1000)
    server.recv(1, socket.MSG_PEEK)
    server.close()
    was_reset(client)
    client.close()


@loopback("data for who has gone")
def _data_for_the_gone(scene, flavour):
    """Who closed has ended in order, and its TIME_WAIT resets the other."""
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", 5, 0),
                want(server, "acpt", "reset", 0, 5, by="listen"))
    port = client.getsockname()[1]
    say(client, server, 5)
    client.close()
    ended(server)
    # Not before its FIN has been acknowledged: then it would be an abort.
    until(lambda: any(row.lport == port for row in life.read()), "the end")
    server.sendall(b"x" * 10)
    until(lambda: server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
          "the reset")
    server.close()


@loopback("TCP_LINGER2 of -1")
def _no_fin_wait2(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "abort", 5, 0),
                want(server, "acpt", "reset", 0, 5, by="listen"))
    say(client, server, 5)
    client.setsockopt(TCP, TCP_LINGER2, -1)
    client.close()
    until(lambda: server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
          "the reset")
    server.close()


@loopback("urgent data")
def _urgent(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", 7, 0),
                want(server, "acpt", "fin", 0, 7))
    client.sendall(b"123456")
    client.send(b"!", socket.MSG_OOB)
    poll = select.poll()
    poll.register(server, select.POLLPRI)
    check(poll.poll(), "no urgent data")
    equal(server.recv(1, socket.MSG_OOB), b"!", "urgent")
    receive(server, 6)
    client.close()
    ended(server)
    server.close()


@loopback("both ways at once")
def _both_ways(scene, flavour):
    """Megabytes, more than the sequence numbers' first windows."""
    up, down = scaled(3 << 20, 1 << 20) + 12345, (1 << 20) + 1
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "fin", up, down),
                want(server, "acpt", "fin", down, up))
    exchange(client, server, up, down)
    client.close()
    server.close()


def exchange(client, server, up, down):
    """@up bytes from client to server, @down back, at the same time."""
    block = b"x" * 65536
    to_send, to_receive = {client: up, server: down}, {client: down, server: up}
    poll = select.poll()
    sockets = {sock.fileno(): sock for sock in (client, server)}
    for sock in sockets.values():
        sock.setblocking(False)
        poll.register(sock, select.POLLIN | select.POLLOUT)
    while any(to_receive.values()):
        for fd, events in poll.poll():
            sock = sockets[fd]
            with contextlib.suppress(BlockingIOError):
                if events & select.POLLIN:
                    to_receive[sock] -= len(sock.recv(1 << 20))
                if to_send[sock]:
                    to_send[sock] -= sock.send(block[:to_send[sock]])
                else:
                    poll.modify(sock, select.POLLIN)
    for sock in sockets.values():
        sock.setblocking(True)


@loopback("disconnected and used again")
def _disconnected(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "abort", 21, 22),
                want(server, "acpt", "reset", 22, 21, by="listen"))
    say(client, server, 21)
    say(server, client, 22)
    disconnect(client)
    was_reset(server)
    server.close()
    with flavour.door() as door:        # the same socket
        flavour.connect(client, door)
        server = door.accept()[0]
    scene.wants(want(client, "conn", "abort", 31, 32),
                want(server, "acpt", "reset", 32, 31))
    say(client, server, 31)
    say(server, client, 32)
    server.shutdown(socket.SHUT_WR)
    ended(client)
    disconnect(client)      # in CLOSE_WAIT
    was_reset(server)
    client.close()
    server.close()


@loopback("a listener that connects")
def _listener_connects(scene, flavour):
    sock = flavour.door()
    disconnect(sock)
    if flavour.passive != flavour.active:
        raise Skip("of two families")
    with flavour.door() as door:
        flavour.connect(sock, door)
        server = door.accept()[0]
    scene.wants(want(sock, "conn", "fin", 5, 0),
                want(server, "acpt", "fin", 0, 5))
    say(sock, server, 5)
    sock.close()
    server.close()


@loopback("connected to itself")
def _to_itself(scene, flavour):
    """A simultaneous open and a simultaneous close, in one socket."""
    sock = flavour.client(lambda sock: sock.bind((flavour.connected, 0)))
    sock.connect(sock.getsockname())
    scene.wants(want(sock, "conn", "fin", 50, 50))
    say(sock, sock, 50)
    sock.close()


@loopback("address in use")
def _address_in_use(scene, flavour):
    """connect() fails after the socket has been in SYN_SENT."""
    def reuse(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    with flavour.door() as door:
        far = (flavour.connected, door.getsockname()[1])
        client = flavour.client(reuse)
        client.bind((flavour.connected, 0))
        second = flavour.client(reuse)
        second.bind(client.getsockname())
        flavour.connect(client, door)
        server = door.accept()[0]
        try:
            flavour.connect(second, door)
            raise Failed("two of the same")
        except OSError as error:
            equal(error.errno, errno.EADDRNOTAVAIL, "connect")
    scene.wants(want(second, "conn", None, remote=far, established=False),
                want(client, "conn", "fin"), want(server, "acpt", "fin"))
    second.close()
    client.close()
    server.close()


@loopback("listener closed with a full queue")
def _full_queue(scene, flavour):
    door = flavour.door(backlog=1)
    clients = [flavour.client() for _ in range(2)]
    for number, client in enumerate(clients):
        flavour.connect(client, door)
        client.sendall(b"x" * number)
        far = client.getsockname()[:2]
        if flavour.passive != flavour.active:
            far = (f"::ffff:{far[0]}", far[1])
        near = client.getpeername()[:2]
        if flavour.passive != flavour.active:
            near = (f"::ffff:{near[0]}", near[1])
        scene.wants(want(client, "conn", "reset", number, 0),
                    want(None, "acpt", "abort", 0, number, local=near,
                         remote=far, by="listen"))
    late = flavour.client(lambda sock: sock.bind((flavour.connected, 0)))
    late.setblocking(False)
    equal(late.connect_ex((flavour.connected, door.getsockname()[1])),
          errno.EINPROGRESS, "connect to a full queue")
    scene.wants(want(late, "conn", None, local=late.getsockname()[:2],
                     remote=clients[0].getpeername()[:2], established=False))
    late.close()
    door.close()
    for client in clients:
        was_reset(client)
        client.close()
    scene.exact_retx = False    # the late one's SYN may have been sent again


@loopback("unaccepted, closed by who connected")
def _unaccepted(scene, flavour):
    door = flavour.door()
    client = flavour.client()
    flavour.connect(client, door)
    client.sendall(b"x" * 10)
    near, far = client.getpeername()[:2], client.getsockname()[:2]
    if flavour.passive != flavour.active:
        near, far = ((f"::ffff:{end[0]}", end[1]) for end in (near, far))
    scene.wants(want(client, "conn", "fin", 10, 0),
                want(None, "acpt", "abort", 0, 10, local=near, remote=far,
                     by="listen"))
    client.close()
    scene.stage.follower.ready(1)   # it is over; the other end isn't
    door.close()


@loopback("killed listener, living sessions")
def _listener_gone(scene, flavour):
    """BY of a session goes back to a listener that is long gone."""
    client, server = flavour.pair()     # its listener is closed by now
    another = flavour.door()
    scene.wants(want(client, "conn", "abort"),
                want(server, "acpt", "reset", by="listen"))
    linger(client)
    client.close()
    was_reset(server)
    server.close()
    another.close()


@test
def on_loopback():
    """The table of scenes, in each flavour."""
    def one(name):
        scene_name, flavour = name.rsplit(" ", 1)
        with stage.scene() as scene:
            LOOPBACK[scene_name](scene, FLAVOURS[flavour])

    with Netns():
        stage = Stage()
        cases([f"{name} {flavour}" for flavour in FLAVOURS
               for name in LOOPBACK], one)
        tail(stage)


def tail(stage):
    """Nothing comes after the last scene, and nothing is left."""
    equal([row.line for row in stage.follower.now()], [], "rows at the end")
    counters = life.stat()
    equal((counters["overwritten"], counters["dropped"],
           counters["untracked"], counters["tracked"]), (0, 0, 0, 0),
          "counters", counters)
    equal(counters["recorded"], stage.seq, "recorded")


# Fast Open

def fast_setup():
    """Fast Open both ways, without cookies."""
    try:
        sysctl("net/ipv4/tcp_fastopen", 0x1 | 0x2 | 0x4 | 0x200)
    except OSError as error:
        raise Skip("no Fast Open in this kernel") from error


def fast_door(flavour):
    """A listener that takes data with the SYN."""
    return flavour.door(
        setup=lambda sock: sock.setsockopt(TCP, TCP_FASTOPEN, 16))


def syn_data(sock):
    """Has data gone with the SYN, and been taken?"""
    info = sock.getsockopt(TCP, socket.TCP_INFO, 8)
    return bool(info[5] & TCPI_OPT_SYN_DATA)


def fast_msg(scene, flavour):
    """sendto(MSG_FASTOPEN)."""
    with fast_door(flavour) as door:
        client = flavour.client()
        equal(client.sendto(b"x" * 100, MSG_FASTOPEN,
                            (flavour.connected, door.getsockname()[1])),
              100, "sent")
        server = door.accept()[0]
    receive(server, 100)
    check(syn_data(client), "the data didn't go with the SYN")
    scene.wants(want(client, "conn", "fin", 105, 7),
                want(server, "acpt", "fin", 7, 105))
    say(client, server, 5)
    say(server, client, 7)
    client.close()
    ended(server)
    server.close()


def fast_answer_first(scene, flavour):
    """The server answers and closes before the handshake is over."""
    with fast_door(flavour) as door:
        client = flavour.client()
        client.setblocking(False)
        client.sendto(b"x" * 20, MSG_FASTOPEN,
                      (flavour.connected, door.getsockname()[1]))
        server = door.accept()[0]
        receive(server, 20)
        server.sendall(b"y" * 30)
    scene.wants(want(server, "acpt", "fin", 30, 20),
                want(client, "conn", "fin", 20, 30,
                     remote=(flavour.connected, server.getsockname()[1])))
    server.close()
    client.setblocking(True)
    select.select([], [client], [])
    receive(client, 30)
    ended(client)
    client.close()


def fast_connect(scene, flavour):
    """TCP_FASTOPEN_CONNECT: the SYN goes with the first write."""
    with fast_door(flavour) as door:
        client = flavour.client()
        client.setsockopt(TCP, TCP_FASTOPEN_CONNECT, 1)
        flavour.connect(client, door)
        time.sleep(0.1)         # nothing happens; it's no part of CONN_MS
        begun = life.clock().mono
        client.sendall(b"x" * 1000)
        server = door.accept()[0]
    receive(server, 1000)
    check(syn_data(client), "the data didn't go with the SYN")
    scene.wants(want(client, "conn", "fin", 1000, 0),
                want(server, "acpt", "fin", 0, 1000))
    client.close()
    server.close()
    scene.most_conn = life.clock().mono - begun


def fast_unused(scene, flavour):
    """TCP_FASTOPEN_CONNECT, and closed before anything was written."""
    with fast_door(flavour) as door:
        client = flavour.client()
        client.setsockopt(TCP, TCP_FASTOPEN_CONNECT, 1)
        client.bind((flavour.connected, 0))
        flavour.connect(client, door)
        scene.wants(want(client, "conn", None, established=False,
                         remote=(flavour.connected, door.getsockname()[1])))
        client.close()


def fast_not_taken(scene, flavour):
    """The listener doesn't do Fast Open: the data goes again."""
    with flavour.door() as door:
        client = flavour.client()
        client.sendto(b"x" * 100, MSG_FASTOPEN,
                      (flavour.connected, door.getsockname()[1]))
        server = door.accept()[0]
    receive(server, 100)
    check(not syn_data(client), "the data did go with the SYN")
    scene.wants(want(client, "conn", "fin", 100, 0),
                want(server, "acpt", "fin", 0, 100))
    client.close()
    server.close()


FAST = {"message": fast_msg, "answer first": fast_answer_first,
        "connect": fast_connect, "connect, unused": fast_unused,
        "not taken": fast_not_taken}


@test
def fast_open():
    """Data with the SYN, from both ends' point of view."""
    def one(name):
        scene_name, flavour = name.rsplit(" ", 1)
        with stage.scene() as scene:
            FAST[scene_name](scene, FLAVOURS[flavour])
        if scene_name == "connect":
            row = [row for row in scene.rows if row.role == "conn"][0]
            check(row.conn_ms <= scene.most_conn, "CONN_MS counts from "
                  "connect(), and not from the SYN:", row.line)

    with Netns():
        fast_setup()
        stage = Stage()
        cases([f"{name} {flavour}" for flavour in ("v4", "v6")
               for name in FAST], one)
        tail(stage)


# MPTCP

@test
def mptcp():
    """A path of MPTCP is a TCP session."""
    def one(name):
        flavour = FLAVOURS[name]
        with stage.scene() as scene:
            with listener(flavour.passive, 16, flavour.bound,
                          IPPROTO_MPTCP) as door:
                client = socket.socket(flavour.active, socket.SOCK_STREAM,
                                       IPPROTO_MPTCP)
                flavour.connect(client, door)
                server = door.accept()[0]
            scene.wants(want(client, "conn", "fin", 5000, 600),
                        want(server, "acpt", "fin", 600, 5000))
            say(client, server, 5000)
            say(server, client, 600)
            client.close()
            ended(server)
            server.close()
            # Who ends its paths may be a kernel thread, late.
            for wanted in scene.wanted:
                wanted.by = any_of(wanted.by, "listen")
                wanted.end = any_of("fin", "reset", "abort")

    with Netns():
        try:
            socket.socket(INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
        except OSError as error:
            raise Skip("no MPTCP in this kernel") from error
        stage = Stage()
        cases(["v4", "v6"], one)
        tail(stage)


class any_of:
    """Equal to each of @values."""

    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return other in self.values

    def __repr__(self):
        return f"any of {self.values}"


# Sessions with a ghost

# name: function(scene, wire, family), a generator: it has begun at its first
# yield, so that all who have to wait for a timer wait at the same time
GHOSTLY = {}


def ghostly(name):
    """Mark a scene that has a ghost for its other end."""
    def mark(function):
        GHOSTLY[name] = function
        return function
    return mark


def accepted(wire, family, setup=None):
    """A connection that a ghost made: the listener's end, and the ghost."""
    with listener(family, address=OURS[family]) as door:
        ghost = wire.ghost(family).open(door.getsockname()[1])
        server = door.accept()[0]
        if setup:
            setup(server)
        return server, ghost


def connecting(wire, family, setup=None):
    """A connection to a ghost that hasn't answered yet."""
    ghost = wire.ghost(family)
    client = socket.socket(family, socket.SOCK_STREAM)
    if setup:
        setup(client)
    client.setblocking(False)
    equal(client.connect_ex((ghost.address, ghost.port)), errno.EINPROGRESS,
          "connect")
    return client, ghost


def connected(wire, family, setup=None):
    """A connection to a ghost."""
    client, ghost = connecting(wire, family, setup)
    ghost.answer()
    select.select([], [client], [])
    client.setblocking(True)
    return client, ghost


def wanted_of(sock, ghost, role, end, tx=0, rx=0, **more):
    """A Want of a session with @ghost."""
    return want(sock, role, end, tx, rx, local=sock.getsockname()[:2],
                remote=(ghost.address, ghost.port), **more)


def error_of(sock):
    """Wait for an error of @sock and return it."""
    return until(lambda: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
                 "an error")


@ghostly("simultaneous open")
def _simultaneous_open(wire, family):
    client, ghost = connecting(wire, family)
    ghost.peer = ghost.expect(SYN).ports[1]
    ghost.send(SYN)
    ghost.expect(SYN | ACK)
    ghost.seq = ghost.seq       # our SYN is behind us
    ghost.send(ACK)
    select.select([], [client], [])
    client.setblocking(True)
    client.sendall(b"x" * 40)
    ghost.expect(PSH)
    ghost.send(ACK, b"y" * 30)
    receive(client, 30)
    client.close()
    ghost.expect(FIN)
    ghost.send(FIN | ACK)
    yield wanted_of(client_names(client, ghost), ghost, "conn", "fin", 40, 30)


class Names:
    """What is left of a socket when it is closed."""

    def __init__(self, local, remote):
        self.local, self.remote = local, remote

    def getsockname(self):
        """As a socket's."""
        return self.local

    def getpeername(self):
        """As a socket's."""
        return self.remote


def client_names(sock, ghost):
    """The Names of a session with a ghost, whether @sock is open or not."""
    local = (OURS[ghost.family], ghost.peer)
    del sock
    return Names(local, (ghost.address, ghost.port))


@ghostly("simultaneous close")
def _simultaneous_close(wire, family):
    client, ghost = connected(wire, family)
    client.sendall(b"x" * 40)
    ghost.expect(PSH)
    ghost.send(ACK)
    client.close()
    ours = ghost.ack
    ghost.expect(FIN)
    ghost.ack, theirs = ours, ghost.ack     # which is not yet acknowledged
    ghost.send(FIN | ACK)
    ghost.expect(ACK)
    ghost.ack = theirs
    ghost.send(ACK)
    yield wanted_of(client_names(client, ghost), ghost, "conn", "fin", 40, 0)


@ghostly("FIN with data, twice")
def _fin_with_data(wire, family):
    server, ghost = accepted(wire, family)
    before = ghost.seq
    ghost.send(ACK | PSH | FIN, b"y" * 100)
    receive(server, 100)
    ended(server)
    after, ghost.seq = ghost.seq, before
    ghost.send(ACK | PSH | FIN, b"y" * 100)
    ghost.seq = after
    server.close()
    ghost.expect(FIN)
    ghost.send(ACK)
    yield wanted_of(client_names(server, ghost), ghost, "acpt", "fin", 0, 100)


@ghostly("data twice and out of order")
def _out_of_order(wire, family):
    """What came twice counts once, what came too early not at all."""
    server, ghost = accepted(wire, family)
    start = ghost.seq
    ghost.send(ACK | PSH, b"y" * 100, start)
    ghost.send(ACK | PSH, b"y" * 100, start + 50)
    ghost.send(ACK | PSH, b"y" * 10, start + 20)
    ghost.send(ACK | PSH, b"y" * 100, start + 500)
    receive(server, 150)
    yield wanted_of(server, ghost, "acpt", "reset", 0, 150, by="listen")
    ghost.seq = start + 150
    ghost.send(RST | ACK)
    equal(error_of(server), errno.ECONNRESET, "error")
    server.close()


@ghostly("sequence numbers that wrap")
def _wrap(wire, family):
    with listener(family, address=OURS[family]) as door:
        ghost = wire.ghost(family)
        ghost.seq = (1 << 32) - 100
        ghost.open(door.getsockname()[1])
        server = door.accept()[0]
    for _ in range(3):
        ghost.send(ACK | PSH, b"y" * 100)
    receive(server, 300)
    server.close()
    ghost.expect(FIN)
    ghost.send(FIN | ACK)
    yield wanted_of(client_names(server, ghost), ghost, "acpt", "fin", 0, 300)


@ghostly("part acknowledged, then reset")
def _part_acked(wire, family):
    client, ghost = connected(wire, family)
    yield wanted_of(client, ghost, "conn", "reset", 33, 0)
    client.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.ack -= 67
    ghost.send(ACK)
    ghost.send(RST | ACK)
    equal(error_of(client), errno.ECONNRESET, "error")
    client.close()


def reset_orphan(state):
    """Closed with 100 bytes sent; reset when 100 + @state are acknowledged.

    The bytes are exact whether or not the FIN was acknowledged.
    """
    def play(wire, family):
        server, ghost = accepted(wire, family)
        server.sendall(b"x" * 100)
        ghost.expect(PSH)
        if "peer" in state:
            ghost.send(ACK | FIN)
            ended(server)
        else:
            ghost.send(ACK)
        acked = ghost.ack
        server.close()
        ghost.expect(FIN)
        if state == "nothing":
            ghost.ack = acked
        ghost.send(RST, seq=ghost.seq)
        yield wanted_of(client_names(server, ghost), ghost, "acpt", "reset",
                        100, 0)
    return play


GHOSTLY["reset in FIN_WAIT1"] = reset_orphan("nothing")
GHOSTLY["reset in LAST_ACK"] = reset_orphan("peer")


def data_after_close(shut, between, acknowledged):
    """This side resets it: there is nobody to read what came.

    It is close() that matters, though with @shut the FIN was there before it, and
    not the data that came @between the two and was read. The FIN may be
    @acknowledged by what comes at last.
    """
    def play(wire, family):
        server, ghost = accepted(wire, family)
        before = ghost.ack
        if shut:
            server.shutdown(socket.SHUT_WR)
        else:
            server.close()
        ghost.expect(FIN)
        after, ghost.ack = ghost.ack, before
        if between:
            ghost.send(ACK | PSH, b"y" * between)
            receive(server, between)
        if shut:
            server.close()
        if acknowledged:
            ghost.ack = after
        ghost.send(ACK | PSH, b"y" * 10)
        ghost.expect(RST)
        yield wanted_of(client_names(server, ghost), ghost, "acpt", "abort", 0,
                        between)
    return play


GHOSTLY["data for who has closed"] = data_after_close(False, 0, False)
GHOSTLY["data with the last ACK"] = data_after_close(False, 0, True)
GHOSTLY["shut down for writing, closed, then data"] = \
    data_after_close(True, 0, False)
GHOSTLY["shut down for writing, closed, then data with the last ACK"] = \
    data_after_close(True, 0, True)
GHOSTLY["shut down for writing, data, closed, then data"] = \
    data_after_close(True, 10, False)
GHOSTLY["shut down for writing, data, closed, then data with the last ACK"] = \
    data_after_close(True, 10, True)


@ghostly("shut down for writing, data out of order, closed")
def _data_out_of_order(wire, family):
    """It acknowledges the FIN, and is not in the way of an end in order."""
    server, ghost = accepted(wire, family)
    server.shutdown(socket.SHUT_WR)
    ghost.expect(FIN)
    ghost.send(ACK | PSH, b"y" * 10, seq=ghost.seq + 100)
    until(lambda: server.getsockopt(TCP, socket.TCP_INFO, 1)[0] == TCP_FIN_WAIT2,
          "FIN_WAIT2")
    scene = wanted_of(client_names(server, ghost), ghost, "acpt", "fin", 0, 0)
    server.close()
    yield scene


def old_data(last):
    """A late copy of data that has been read comes after close()."""
    def play(wire, family):
        server, ghost = accepted(wire, family)
        ghost.send(ACK | PSH, b"y" * 20)
        receive(server, 20)
        before = ghost.ack
        server.close()
        ghost.expect(FIN)
        after, ghost.ack = ghost.ack, before
        ghost.send(ACK | PSH, b"y" * 20, seq=ghost.seq - 20)
        ghost.ack = after
        ghost.send(last)
        yield wanted_of(client_names(server, ghost), ghost, "acpt", "fin", 0, 20)
    return play


GHOSTLY["old data again, then the last ACK"] = old_data(ACK)
GHOSTLY["old data again, then the peer's FIN"] = old_data(ACK | FIN)


@ghostly("shut down both ways, then data")
def _data_after_shutdown(wire, family):
    server, ghost = accepted(wire, family)
    ghost.send(ACK | PSH, b"y" * 20)
    receive(server, 20)
    server.shutdown(socket.SHUT_RDWR)
    before = ghost.ack
    ghost.expect(FIN)
    ghost.ack = before
    yield wanted_of(server, ghost, "acpt", "abort", 0, 20)
    ghost.send(ACK | PSH, b"y" * 10)
    ghost.expect(RST)
    server.close()


@ghostly("reset in FIN_WAIT1, after data")
def _reset_after_data(wire, family):
    """The data was read before it was closed: the peer's reset it is."""
    server, ghost = accepted(wire, family)
    ghost.send(ACK | PSH, b"y" * 20)
    receive(server, 20)
    before = ghost.ack
    server.close()
    ghost.expect(FIN)
    ghost.ack = before
    ghost.send(RST | ACK)
    yield wanted_of(client_names(server, ghost), ghost, "acpt", "reset", 0, 20)


@ghostly("data for who has shut down for writing only")
def _data_half_closed(wire, family):
    """That is no reset: it is read."""
    server, ghost = accepted(wire, family)
    server.shutdown(socket.SHUT_WR)
    ghost.expect(FIN)
    ghost.send(ACK | PSH, b"y" * 20)
    receive(server, 20)
    yield wanted_of(server, ghost, "acpt", "fin", 0, 20)
    ghost.send(ACK | FIN)
    ended(server)
    server.close()


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
    yield want(None, "acpt", "reset", 0, 50, by="listen",
               local=(OURS[family], ghost.peer),
               remote=(ghost.address, ghost.port), established=False)
    ghost.send(RST | ACK)
    error_of(server)
    server.close()
    door.close()


@ghostly("timeout: data")
def _timeout_data(wire, family):
    client, ghost = connected(wire, family, soon)
    client.sendall(b"x" * 100)
    yield wanted_of(client, ghost, "conn", "timeout", 0, 0, retx=1)
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


@ghostly("timeout: data, who accepted")
def _timeout_accepted(wire, family):
    server, ghost = accepted(wire, family, soon)
    server.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.send(ACK)
    server.sendall(b"x" * 100)
    yield wanted_of(server, ghost, "acpt", "timeout", 100, 0, by="listen",
                    retx=1)
    equal(error_of(server), errno.ETIMEDOUT, "error")
    server.close()


@ghostly("timeout: SYN")
def _timeout_syn(wire, family):
    client, ghost = connecting(wire, family, soon)
    yield wanted_of(client, ghost, "conn", "timeout", established=False,
                    retx=1)
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


@ghostly("timeout: FIN")
def _timeout_fin(wire, family):
    client, ghost = connected(wire, family, soon)
    client.close()
    yield wanted_of(client_names(client, ghost), ghost, "conn", "timeout",
                    retx=1)


@ghostly("timeout: the last ACK")
def _timeout_last_ack(wire, family):
    server, ghost = accepted(wire, family, soon)
    ghost.send(ACK | PSH | FIN, b"y" * 5)
    receive(server, 5)
    ended(server)
    server.close()
    yield wanted_of(client_names(server, ghost), ghost, "acpt", "timeout", 0,
                    5, retx=1)


@ghostly("timeout: a window of 0")
def _timeout_window(wire, family):
    client, ghost = connected(wire, family, soon)
    client.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.window = 0
    ghost.send(ACK)
    until(lambda: not _window(client), "the window of 0")
    client.sendall(b"x" * 100)
    yield wanted_of(client, ghost, "conn", "timeout", 100, 0)
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


def _window(sock):
    """tcpi_unacked: what is in flight."""
    info = sock.getsockopt(TCP, socket.TCP_INFO, 104)
    return struct.unpack_from("=I", info, 24)[0]


@ghostly("timeout: keepalive")
def _timeout_keepalive(wire, family):
    client, ghost = connected(wire, family)
    client.setsockopt(TCP, socket.TCP_KEEPINTVL, 1)
    client.setsockopt(TCP, socket.TCP_KEEPCNT, 1)
    client.setsockopt(TCP, socket.TCP_KEEPIDLE, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    yield wanted_of(client, ghost, "conn", "timeout")
    equal(error_of(client), errno.ETIMEDOUT, "error")
    client.close()


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


def soon(sock):
    """Give up soon."""
    sock.setsockopt(TCP, TCP_USER_TIMEOUT, 200)


@test
def with_a_ghost():
    """The table of scenes with a ghost, in both families.

    All of them begin, then each goes on: who waits for a timer doesn't wait
    alone. So their rows come in any order, and are compared at the end.
    """
    families = {"v4": INET, "v6": INET6}
    began = life.clock()
    going, wanted, wrong = {}, {}, {}

    def step(name):
        """Play @name up to its next yield, or its end."""
        try:
            asked = next(going[name], None)
        except (Failed, Skip, OSError) as error:
            wrong[name] = error
            asked = None
        if asked:
            wanted[name] = asked

    with Netns() as netns:
        fast_setup()
        with contextlib.suppress(OSError):
            sysctl("net/ipv4/tcp_syn_linear_timeouts", 0)
        wire = Wire(netns)
        follower = life.Follower()
        before = life.retransmitted()
        for name, play in GHOSTLY.items():
            for which, family in families.items():
                going[f"{name} {which}"] = play(wire, family)
        for _ in range(2):
            for name in going:
                if name not in wrong:
                    step(name)
        rows = []
        with contextlib.suppress(Failed):
            rows = follower.take(len(wanted))
        ended_at = life.clock()
        rows += follower.now()
        by_name = {}
        for name, asked in wanted.items():
            mine = [row for row in rows if (row.local, row.remote) ==
                    (asked.local, asked.remote)]
            by_name[name] = mine
            rows = [row for row in rows if row not in mine]

        def one(name):
            if name in wrong:
                raise wrong[name]
            if name not in wanted:
                return
            mine = by_name[name]
            equal(len(mine), 1, "rows", *(row.line for row in mine))
            life.check_row(mine[0], wanted[name], began, ended_at)

        cases(list(going), one)
        equal([row.line for row in rows], [], "rows of no session")
        equal(life.stat()["recorded"], len(wanted), "recorded")
        equal(sum(row.retx for mine in by_name.values() for row in mine) <=
              life.retransmitted() - before, True, "RETX of all rows")
        wire.close()


# Namespaces

@test
def unreachable():
    """No such neighbour: EHOSTUNREACH comes while it connects."""
    def one(name):
        family, there = {"v4": (INET, "10.77.0.9"),
                         "v6": (INET6, "fd77::9")}[name]
        with stage.scene() as scene:
            client = socket.socket(family, socket.SOCK_STREAM)
            try:
                client.bind(("10.77.0.1" if family == INET else "fd77::1", 0))
                scene.wants(want(client, "conn", None, remote=(there, 9),
                                 established=False))
                client.connect((there, 9))
                raise Failed("connected")
            except OSError as error:
                equal(error.errno, errno.EHOSTUNREACH, "connect")
            client.close()

    one_side, other = Netns(), Netns()
    join(one_side, other, (("10.77.0.1/16", "fd77::1/64"), ()))
    with one_side:
        for version in "ipv4", "ipv6":
            sysctl(f"net/{version}/neigh/veth/mcast_solicit", 1)
            sysctl(f"net/{version}/neigh/veth/retrans_time_ms", 50)
        stage = Stage()
        cases(["v4", "v6"], one)
        tail(stage)


@test
def no_route():
    """connect() that fails at once has made no session."""
    with Netns():
        follower = life.Follower()
        for family, there in (INET, "10.1.2.3"), (INET6, "fd01::1"):
            with socket.socket(family, socket.SOCK_STREAM) as client:
                equal(client.connect_ex((there, 9)), errno.ENETUNREACH,
                      "connect")
        equal(follower.now(), [], "rows")


@test
def namespace_destroyed():
    """Its sessions end, and it does; the rows are there afterwards.

    One is closed, one is reset, and the third's end outlives all processes of
    the namespace, since its peer is cut off.
    """
    def inside(line, path):
        fd = os.open(path, os.O_RDONLY)
        os.setns(fd, os.CLONE_NEWNET)
        os.close(fd)
        with listener(INET, address="0.0.0.0") as door:
            line.say((door.getsockname()[1], life.netns_inode()))
            kept = [door.accept()[0] for _ in range(3)]
        for number, sock in enumerate(kept):
            sock.setsockopt(TCP, TCP_USER_TIMEOUT, 200)
            receive(sock, number)
        line.say()
        line.hear()     # until killed

    doomed, outside = Netns(), Netns()
    join(doomed, outside, (("10.78.0.1/24",), ("10.78.0.2/24",)))
    join(doomed, outside, (("10.79.0.1/24",), ("10.79.0.2/24",)), "cut")
    follower = life.Follower()      # the view of all namespaces
    process = Process("doomed", inside, doomed.path)
    port, inode = process.hear()
    began = life.clock()
    with outside:
        there = life.netns_inode()
        clients, wanted = [], []
        for number, (near, far, end, by) in enumerate((
                ("10.78.0.1", "10.78.0.2", "fin", "close"),
                ("10.78.0.1", "10.78.0.2", "reset", "listen"),
                ("10.79.0.1", "10.79.0.2", "timeout", "close"))):
            client = socket.create_connection((near, port))
            client.sendall(b"x" * number)
            clients.append(client)
            wanted.append(want(None, "acpt", end, 0, number, by=by,
                               local=(near, port),
                               remote=(far, client.getsockname()[1]),
                               **process.who))
        process.hear()
        linger(clients[1])
        clients[1].close()
        ip("link set cut down")
    doomed.close()
    process.kill()
    ended(clients[0])
    clients[0].close()
    # its other end's row has been there since the link went down
    rows = follower.take(5, of=(inode, there))
    ended_at = life.clock()
    with outside:
        gone("veth")
    inside_rows = [row for row in rows if row.netns == inode]
    equal(len(inside_rows), 3, "rows of the namespace",
          *(f"\n{row.line}" for row in rows))
    equal({row.netns for row in rows}, {inode, there}, "namespaces")
    for asked in wanted:
        mine = [row for row in inside_rows if row.remote == asked.remote]
        equal(len(mine), 1, "rows of", asked)
        life.check_row(mine[0], asked, began, ended_at, inode)
    again = {row.seq: row.line for row in life.read()}
    for row in rows:
        equal(again.get(row.seq), row.line, "when the namespace has gone")
    clients[2].close()


@test
def restored():
    """Sessions that TCP_REPAIR makes: they never sent a SYN."""
    def make(family, address, port, queues, wrap):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(TCP, TCP_REPAIR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        for queue, seq in zip((1, 2), queues):      # receive, send
            sock.setsockopt(TCP, TCP_REPAIR_QUEUE, queue)
            sock.setsockopt(TCP, TCP_QUEUE_SEQ,
                            struct.pack("=I", (seq + wrap) % (1 << 32)))
        return sock

    def one(name):
        wrap = (1 << 32) - 1100 if name == "wrapping" else 0
        with stage.scene() as scene:
            # Two ports that are free
            with listener(INET) as one, listener(INET) as two:
                ports = [door.getsockname()[1] for door in (one, two)]
            left = make(INET, "127.0.0.1", ports[0], (1000, 500000), wrap)
            right = make(INET, "127.0.0.1", ports[1], (500000, 1000), wrap)
            left.connect(("127.0.0.1", ports[1]))
            right.connect(("127.0.0.1", ports[0]))
            for sock, sent in (left, 500000), (right, 1000):
                # what the other end said of itself: MSS and window
                sock.setsockopt(TCP, TCP_REPAIR_OPTIONS,
                                struct.pack("=2I", 2, 1460))
                sock.setsockopt(TCP, TCP_REPAIR_WINDOW, struct.pack(
                    "=5I", (501000 - sent + wrap) % (1 << 32), 65535, 65535,
                    65535, (501000 - sent + wrap) % (1 << 32)))
                sock.setsockopt(TCP, TCP_REPAIR, 0)
            say(left, right, 300)
            say(right, left, 400)
            scene.wants(want(left, "conn", "fin", 300, 400),
                        want(right, "conn", "fin", 400, 300))
            left.close()
            ended(right)
            right.close()

    with Netns():
        try:
            with socket.socket() as sock:
                sock.setsockopt(TCP, TCP_REPAIR, 1)
        except OSError as error:
            raise Skip("no TCP_REPAIR") from error
        stage = Stage()
        cases(["plain", "wrapping"], one)
        tail(stage)
