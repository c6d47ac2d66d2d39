# SPDX-License-Identifier: GPL-2.0
"""Sessions that begin in other ways: data with the SYN (Fast Open), paths of MPTCP.
"""

import select
import socket
import time

from lib import life
from lib.ktap import Skip, any_of, cases, check, equal, test
from lib.life import Stage, ended, receive, want
from lib.scenes import FLAVOURS, say, tail, fast_setup
from lib.world import IPPROTO_MPTCP, Netns, listener

INET, INET6 = socket.AF_INET, socket.AF_INET6
TCP = socket.IPPROTO_TCP
MSG_FASTOPEN = 0x20000000
TCP_FASTOPEN, TCP_FASTOPEN_CONNECT = 23, 30
TCPI_OPT_SYN_DATA = 32


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
            # Reads are the connection's; who ends its paths may be a kernel thread, late.
            for wanted in scene.wanted:
                wanted.by = "connect" if wanted.role == "conn" else any_of("accept", "close")
                wanted.end = any_of("fin", "reset", "abort")

    with Netns():
        try:
            socket.socket(INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
        except OSError as error:
            raise Skip("no MPTCP in this kernel") from error
        stage = Stage()
        cases(["v4", "v6"], one)
        tail(stage)
