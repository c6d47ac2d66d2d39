# SPDX-License-Identifier: GPL-2.0
"""Sessions on loopback: every way to live, and to be ended by either side.
"""

import contextlib
import errno
import select
import socket
import time

from lib import life
from lib.ktap import Failed, Skip, cases, check, equal, scaled, test, until
from lib.life import Stage, disconnect, ended, linger, receive, want, was_reset
from lib.scenes import FLAVOURS, say, tail
from lib.world import PLAIN_USER, Netns, user

INET, INET6 = socket.AF_INET, socket.AF_INET6
TCP = socket.IPPROTO_TCP
TCP_LINGER2 = 8


# name: function(scene, flavour)
LOOPBACK = {}


def loopback(name):
    """Mark a scene that is played on loopback, in every flavour."""
    def mark(function):
        LOOPBACK[name] = function
        return function
    return mark


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
                want(server, "acpt", "reset", 14, 13))
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
                want(server, "acpt", "reset", 0, 15))
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
    scene.wants(want(client, "conn", "abort", 0, 1000, by="connect"),
                want(server, "acpt", "reset", 1000, 0, by="accept"))
    server.sendall(b"x" * 1000)
    client.recv(1, socket.MSG_PEEK)
    client.close()
    was_reset(server)
    server.close()


@loopback("unread data at who accepted")
def _unread_at_server(scene, flavour):
    client, server = flavour.pair()
    scene.wants(want(client, "conn", "reset", 1000, 0),
                want(server, "acpt", "abort", 0, 1000, by="close"))
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
                want(server, "acpt", "reset", 0, 5))
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
                want(server, "acpt", "reset", 0, 5))
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
                want(server, "acpt", "reset", 22, 21))
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
    """What is known of a session stays when its listener is long gone."""
    client, server = flavour.pair()     # its listener is closed by now
    another = flavour.door()
    scene.wants(want(client, "conn", "abort"),
                want(server, "acpt", "reset", by="accept"))
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
