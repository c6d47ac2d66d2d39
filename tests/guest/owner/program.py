# SPDX-License-Identifier: GPL-2.0
"""sockstat with the module: what it joins is what the files say."""

import contextlib
import json
import os
import socket
import subprocess

from lib import tables
from lib.ktap import check, equal, test, until
from lib.owner import Holder
from lib.world import Netns, connect, listener, pair, udp

PROGRAM = os.environ.get("KNETSTAT_SOCKSTAT", "/knetstat/sockstat")
INET, INET6 = socket.AF_INET, socket.AF_INET6


def sockstat(*args):
    """What it prints, line by line."""
    done = subprocess.run([PROGRAM, *args], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal((done.returncode, done.stderr), (0, ""), "status and stderr of", args)
    return done.stdout.splitlines()


def things(*args):
    """The objects that it prints."""
    return [json.loads(line) for line in sockstat("-J", *args)]


def inode(sock):
    """A socket's inode number."""
    return os.fstat(sock.fileno()).st_ino


@test
def joined():
    """Queues, Diag, Drops and Options are those of the tables' row of the same socket."""
    with Netns(), listener(INET, 5) as door:
        client, server = pair(INET)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.sendall(b"x" * 1000)
        kept = [udp(INET), udp(INET6), listener(INET6, 3), *pair(INET6)]
        waiting = connect(door)
        rows = {}
        for table in "tcpstat", "tcp6stat", "udpstat", "udp6stat":
            for line in tables.slurp(f"/proc/net/{table}").decode().splitlines()[1:]:
                fields = line.split()
                rows[int(fields[8])] = fields
        shown = things("-o", "recv-q,send-q,diag,drops,options")
        equal({thing["inode"] for thing in shown} - {0}, set(rows) - {0}, "sockets")
        for thing in shown:
            if not thing["inode"]:
                continue
            fields = rows[thing["inode"]]
            options = ",".join(f"{name}={value}" for name, value in thing["options"].items())
            equal((thing["recv_q"], thing["send_q"], ",".join(thing["diag"]) or "-",
                   thing["drops"], options),
                  (int(fields[0]), int(fields[1]), fields[5], int(fields[6]), fields[9]),
                  "row", fields)
        equal({thing["inode"] for thing in things("--with", "SO_KEEPALIVE")},
              {inode(client)}, "with keepalive")
        check(inode(client) not in
              {thing["inode"] for thing in things("--without", "SO_KEEPALIVE")}, "without")
        equal({thing["held"] for thing in things("--held", "queue")}, {"queue"}, "queue")
        del kept, waiting, server


@test
def trouble():
    """A full accept queue is found, with who has it."""
    with Netns(), listener(INET, 0) as door:
        waiting = connect(door)
        late = socket.socket()
        late.setblocking(False)
        late.connect_ex(door.getsockname())
        until(lambda: any("!A" in line for line in sockstat("-H", "--trouble")),
              lambda: sockstat("-o", "recv-q,send-q"))
        [thing] = [thing for thing in things("--trouble", "-l") if "!A" in thing["diag"]]
        equal((thing["inode"], thing["pid"]), (inode(door), os.getpid()), "whose")
        late.close()
        waiting.close()


@test
def every_namespace():
    """-j all has the sockets of others, with what their tables say."""
    def setup():
        # It stays there, so that its namespace's tables can be reached.
        netns = contextlib.ExitStack()
        netns.enter_context(Netns())
        kept = [listener(INET6, 7), udp(INET)]
        return (netns, kept), [inode(sock) for sock in kept]

    with Holder(setup) as holder:
        mine = [thing for thing in things("-j", "all", "-o", "send-q,options")
                if thing["pid"] == holder.pid]
        equal([thing["inode"] for thing in mine], holder.answer, "sockets")
        own = os.stat("/proc/self/ns/net").st_ino
        check(all(thing["netns"] != own for thing in mine), "namespaces:", mine)
        equal([thing["proto"] for thing in mine], ["tcp6", "udp4"], "protocols")
        equal((mine[0]["send_q"], mine[0]["options"]["SO_KEEPALIVE"]), (7, 0), "its tables")
        check(not [thing for thing in things() if thing["pid"] == holder.pid],
              "in this namespace")


@test
def other_ends():
    """A Unix socket's other end is the process that has it."""
    ours, theirs = socket.socketpair()

    def setup():
        kept = theirs.dup()
        theirs.close()
        return kept, (inode(kept), kept.fileno())

    number = inode(ours)
    with Holder(setup) as holder:
        theirs.close()
        [thing] = [thing for thing in things("-u", "--pid", str(os.getpid()))
                   if thing["inode"] == number]
        equal((thing["peer"], thing["peer_pid"], thing["peer_fd"]),
              (holder.answer[0], holder.pid, holder.answer[1]), "the other end")
        [line] = [line for line in sockstat("-uHi", "--pid", str(os.getpid()))
                  if line.split()[-1] == str(number)]
        check(line.split()[-2].endswith(f"[{holder.pid},{holder.answer[1]}]"), "FOREIGN", line)
    ours.close()
