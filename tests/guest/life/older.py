# SPDX-License-Identifier: GPL-2.0
"""Sessions that are older than the module: what can be known is recorded.

Whoever loads the module on a host has thousands of them. What they lived and
how they came to be is not known; bytes, end and who closed them are.
"""

import errno
import os
import select
import socket

from lib import life
from lib.ktap import cases, check, equal, test
from lib.life import Stage, ended, linger, receive, want, was_reset
from lib.wire import ACK, FIN, OURS, PSH, RST, Wire
from lib.world import Netns, insmod, listener, pair, rmmod

INET, INET6 = socket.AF_INET, socket.AF_INET6


def say(one, other, count):
    """@count bytes from @one to @other."""
    one.sendall(b"x" * count)
    receive(other, count)


def old(sock, end, tx=0, rx=0, **more):
    """The Want of a session older than the module."""
    return want(sock, None, end, tx, rx, known=False,
                **{"by": "close", **more})


# Who held it when the module was loaded, and did nothing since; who read since.
HELD, USED = {"by": "hold"}, {"by": "use"}


NOBODY = {"by": None, "pid": None, "comm": None}

# name: function(family), a generator; at its first yield the module is loaded,
# and the second one gives what to expect
SCENES = {}


def scene_of(name):
    """Mark a scene."""
    def mark(function):
        SCENES[name] = function
        return function
    return mark


@scene_of("nothing said")
def _nothing(family):
    client, server = pair(family)
    yield
    wanted = old(client, "fin"), old(server, "fin")
    client.close()
    server.close()
    yield wanted


@scene_of("all said before")
def _before(family):
    client, server = pair(family)
    say(client, server, 100)
    say(server, client, 2000)
    yield
    wanted = old(client, "fin", 100, 2000), old(server, "fin", 2000, 100)
    server.close()
    ended(client)
    client.close()
    yield wanted


@scene_of("all said after")
def _after(family):
    client, server = pair(family)
    yield
    wanted = (old(client, "fin", 100, 2000, **USED),
              old(server, "fin", 2000, 100, **USED))
    say(client, server, 100)
    say(server, client, 2000)
    client.close()
    server.close()
    yield wanted


@scene_of("one byte each")
def _one_byte(family):
    client, server = pair(family)
    say(client, server, 1)
    yield
    wanted = old(client, "fin", 1, 1, **USED), old(server, "fin", 1, 1)
    say(server, client, 1)
    server.close()
    ended(client)
    client.close()
    yield wanted


@scene_of("half-closed before")
def _half_closed(family):
    client, server = pair(family)
    say(client, server, 300)
    client.shutdown(socket.SHUT_WR)
    ended(server)
    yield
    wanted = (old(client, "fin", 300, 400, **USED),
              old(server, "fin", 400, 300))
    say(server, client, 400)
    server.close()
    ended(client)
    client.close()
    yield wanted


@scene_of("reset while both sleep")
def _reset(family):
    client, server = pair(family)
    say(client, server, 10)
    say(server, client, 20)
    yield
    wanted = old(client, "abort", 10, 20), old(server, "reset", 20, 10, **HELD)
    linger(client)
    client.close()
    was_reset(server)
    server.close()
    yield wanted


@scene_of("unread data")
def _unread(family):
    client, server = pair(family)
    client.sendall(b"x" * 10)
    server.recv(1, socket.MSG_PEEK)
    yield
    wanted = (old(client, "reset", 10, 0, **HELD),
              old(server, "abort", 0, 10))
    server.close()
    was_reset(client)
    client.close()
    yield wanted


@scene_of("unaccepted")
def _unaccepted(family):
    door = listener(family)
    client = socket.socket(family)
    client.connect(door.getsockname())
    client.sendall(b"x" * 10)
    yield
    wanted = (old(client, "reset", 10, 0, **HELD),
              want(None, None, "abort", 0, 10, known=False,
                   local=client.getpeername()[:2],
                   remote=client.getsockname()[:2], **NOBODY))
    door.close()
    was_reset(client)
    client.close()
    yield wanted


@scene_of("an old listener's new session")
def _old_listener(family):
    """All is known of it; of the listener, who held it when the module was loaded."""
    door = listener(family)
    yield
    wanted = []
    for how in "close", "reset":
        client = socket.socket(family)
        client.connect(door.getsockname())
        server = door.accept()[0]
        say(client, server, 10)
        if how == "close":
            wanted += [want(client, "conn", "fin", 10, 0),
                       want(server, "acpt", "fin", 0, 10)]
            client.close()
            server.close()
        else:
            wanted += [want(client, "conn", "abort", 10, 0),
                       want(server, "acpt", "reset", 0, 10)]
            linger(client)
            client.close()
            was_reset(server)
            server.close()
    client = socket.socket(family)
    client.connect(door.getsockname())
    wanted += [want(client, "conn", "abort"),
               want(None, "acpt", "reset", local=client.getpeername()[:2],
                    remote=client.getsockname()[:2], by="listen")]
    linger(client)
    client.close()
    door.close()
    yield wanted


@scene_of("disconnected and used again")
def _again(family):
    client, server = pair(family)
    say(client, server, 10)
    yield
    wanted = [old(client, "abort", 10, 0), old(server, "reset", 0, 10, **HELD)]
    life.disconnect(client)
    was_reset(server)
    server.close()
    with listener(family) as door:
        client.connect(door.getsockname())
        server = door.accept()[0]
    wanted += [want(client, "conn", "fin", 20, 0),
               want(server, "acpt", "fin", 0, 20)]
    say(client, server, 20)
    client.close()
    server.close()
    yield wanted


def ghost_of(wire, family, port=None):
    """A ghost that connected to a listener, or that was connected to."""
    ghost = wire.ghost(family)
    if port:
        return ghost.open(port), None
    client = socket.socket(family, socket.SOCK_STREAM)
    client.setblocking(False)
    equal(client.connect_ex((ghost.address, ghost.port)), errno.EINPROGRESS,
          "connect")
    ghost.answer()
    select.select([], [client], [])
    client.setblocking(True)
    return ghost, client


def _ghostly(wire, family, active, way):
    """A session that sends 100, again and again, and ends some @way."""
    if active:
        ghost, sock = ghost_of(wire, family)
    else:
        with listener(family, address=OURS[family]) as door:
            ghost, _ = ghost_of(wire, family, door.getsockname()[1])
            sock = door.accept()[0]
    sock.sendall(b"x" * 100)
    ghost.expect(PSH)
    ghost.expect(PSH)           # sent again: a timer's tail loss probe
    yield
    names = {"local": sock.getsockname()[:2],
             "remote": (ghost.address, ghost.port)}
    if way == "fin":
        ghost.send(ACK)
        sock.close()
        ghost.expect(FIN)
        ghost.send(FIN | ACK)
        yield [old(sock, "fin", 100, 0, retx=1, **names)]
    elif way == "fin in flight":
        ghost.send(ACK)
        acked = ghost.ack
        sock.close()
        ghost.expect(FIN)
        ghost.ack = acked
        ghost.send(RST)
        yield [old(sock, "reset", 100, 0, retx=1, **names)]
    elif way == "data in flight":
        ghost.ack -= 60
        ghost.send(ACK)
        ghost.send(RST | ACK)
        sock.setblocking(True)
        was_reset(sock)
        yield [old(sock, "reset", 40, 0, retx=1, **{**names, **HELD})]
    elif way == "both in flight":
        ghost.ack -= 60
        ghost.send(ACK)
        sock.close()
        ghost.send(RST)         # whether the FIN has come to it or not
        yield [old(sock, "reset", 40, 0, retx=1, **names)]


@test
def older():
    """The table: begun before the module was loaded, ended afterwards."""
    def one(name):
        scene, family = name.rsplit(" ", 1)
        went = going[name]
        with stage.scene() as played:
            played.exact_retx = False   # some of it was before
            played.wants(*next(went))
            check(scene, family)

    with Netns() as netns:
        rmmod()
        try:
            wire = Wire(netns)
            going = {}
            for name, play in SCENES.items():
                for which, family in ("v4", INET), ("v6", INET6):
                    going[f"{name} {which}"] = play(family)
            for way in ("fin", "fin in flight", "data in flight",
                        "both in flight"):
                for side, active in ("connected", True), ("accepted", False):
                    for which, family in ("v4", INET), ("v6", INET6):
                        going[f"sent again, {way}, {side} {which}"] = \
                            _ghostly(wire, family, active, way)
            for play in going.values():
                next(play)
        finally:
            insmod()
        stage = Stage()
        cases(list(going), one)
        equal(life.stat()["tracked"], 0, "tracked")
        wire.close()


@test
def older_processes():
    """Who closes it is named, or who held it when the module was loaded."""
    from lib.agents import Agents
    from guest.life.attribution import kill_socket, joined
    with Netns():
        rmmod()
        try:
            with Agents() as agents:
                some = []
                for number in range(3):
                    some.append(joined(agents, f"client{number}",
                                       f"server{number}"))
                insmod()
                stage = Stage()
                with stage.scene() as scene:
                    client, server, near, far = some[0]
                    for agent, names, sent in ((client, near, (10, 0)),
                                               (server, far, (0, 10))):
                        scene.wants(agent.want(names, None, "fin", *sent,
                                               known=False, by="close"))
                    client.kill()
                    server.ended("s")
                    server.close("s")
                with stage.scene() as scene:
                    client, server, near, far = some[1]
                    kill_socket(near)
                    server.was_reset("s")
                    scene.wants(client.want(near, None, "abort", 10, 0,
                                            known=False, **HELD),
                                server.want(far, None, "reset", 0, 10,
                                            known=False, **HELD))
        finally:
            if not os.path.exists(life.FILE):
                insmod()
