# SPDX-License-Identifier: GPL-2.0
"""What tcplife must not do to a host: make its namespaces slow to go, or let who
kills a session pass for whose it was."""

import contextlib
import errno
import mmap
import os
import select
import signal
import socket
import struct
import subprocess
import time

from lib import life
from lib.ktap import Skip, cases, check, equal, in_child, note, scaled, test
from lib.world import MODULE, PLAIN_USER, Netns, alone, connect, listener

TRACING = "/sys/kernel/tracing"
# What waits until all processors have been elsewhere, by any of its names.
GRACE_PERIODS = "synchronize_rcu* synchronize_net synchronize_srcu rcu_barrier wait_rcu_gp*"


def write(path, text):
    """Write @text to a file of the kernel's."""
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


@contextlib.contextmanager
def traced(functions):
    """Trace the calls of @functions; gives what says who called, name by name."""
    if not os.path.exists(f"{TRACING}/trace"):
        subprocess.run(["mount", "-t", "tracefs", "none", TRACING], check=True)
    with open(f"{TRACING}/available_tracers", encoding="ascii") as file:
        if "function" not in file.read().split():
            raise Skip("no function tracer in this kernel")
    write(f"{TRACING}/set_ftrace_filter", functions)
    write(f"{TRACING}/trace", "")
    write(f"{TRACING}/current_tracer", "function")

    def callers():
        with open(f"{TRACING}/trace", encoding="ascii") as file:
            return [line.split()[-1].lstrip("<-") for line in file
                    if not line.startswith("#")]
    try:
        yield callers
    finally:
        write(f"{TRACING}/current_tracer", "nop")
        write(f"{TRACING}/set_ftrace_filter", "")


def of_the_module():
    """The names of the module's functions."""
    with open("/proc/kallsyms", encoding="ascii") as file:
        fields = [line.split() for line in file]
    return {each[2] for each in fields if each[3:] == [f"[{MODULE}]"]}


def leave_namespaces(count, polls):
    """A plain user makes @count namespaces, one inside which he @polls after another."""
    def inside():
        os.setgroups([])
        os.setresgid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        follower = life.Follower()
        if polls:
            check(not follower.ready(), "rows in a new namespace")

    for _ in range(count):
        in_child(inside)


@test
def namespaces_go():
    """A namespace that somebody polled in takes no grace period more to go."""
    alone()
    took = {}
    mine = of_the_module()
    check(mine, "no names of functions")
    for polls in False, True:
        with traced(GRACE_PERIODS) as callers:
            began = time.monotonic()
            leave_namespaces(scaled(100, 20), polls)
            alone()
            took[polls] = time.monotonic() - began
            calls = callers()
        check(calls, "nothing was traced while namespaces went")
        equal(sum(name in mine for name in calls), 0,
              "grace periods that the module waited for, polling:", polls)
    note(f"made and gone: {took[False]:.2f} s, polled in: {took[True]:.2f} s")


class Killer:
    """A process that does what ss -K does, to ends of the IPv4 sessions in a namespace."""

    DESTROY, DIAG, REQUEST_ACK = 21, 4, 5

    def __init__(self, door, peers, turn):
        self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            life.comm(b"killer")
            sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, self.DIAG)
            for number, peer in enumerate(peers):
                while turn[0] != number:
                    check(not turn[1], "the owner has ended")
                    os.sched_yield()
                code = self.kill(sock, door, peer)
                if code:
                    break
        finally:
            os._exit(code)

    def kill(self, sock, near, far):
        """0, or the errno with which the kernel refuses."""
        ends = struct.pack("!HH4s12x4s12x", near[1], far[1], socket.inet_aton(near[0]),
                           socket.inet_aton(far[0])) + struct.pack("=III", 0, 2**32 - 1, 2**32 - 1)
        body = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, 2**32 - 1) + ends
        sock.send(struct.pack("=IHHII", 16 + len(body), self.DESTROY, self.REQUEST_ACK, 1, 0) + body)
        return -struct.unpack_from("=i", sock.recv(4096), 16)[0]

    def ended(self):
        """What kill() returned last."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def in_epoll(sock):
    """Wait as an event loop does."""
    poll = select.epoll()
    poll.register(sock, select.EPOLLIN)
    poll.poll()
    poll.close()
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def spinning(sock):
    """Ask again and again."""
    while True:
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            return error


def sleeping(sock):
    """Wait for data."""
    try:
        sock.recv(1)
        return 0
    except OSError as error:
        return error.errno


def killed_while(wait, count):
    """The rows of @count sessions whose owner waits by @wait when it is killed."""
    turn = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("I")
    turn[0] = count
    with Netns():
        follower = life.Follower()
        door = listener(socket.AF_INET, backlog=count)
        clients = [connect(door) for _ in range(count)]
        owner = os.fork()
        if not owner:
            life.comm(b"owner")
            mine = [door.accept()[0] for _ in clients]
            for client in clients:
                client.close()
            for number, sock in enumerate(mine):
                turn[0] = number
                if wait(sock) != errno.ECONNABORTED:
                    break
                sock.close()
            turn[1] = 1
            os._exit(len(mine) - 1 - number)
        killer = Killer(door.getsockname(), [client.getsockname() for client in clients], turn)
        refused = killer.ended()
        if refused == errno.EOPNOTSUPP:
            os.kill(owner, signal.SIGKILL)
        ended = os.waitstatus_to_exitcode(os.waitpid(owner, 0)[1])
        if refused == errno.EOPNOTSUPP:
            raise Skip("sessions can't be killed in this kernel")
        equal((refused, ended), (0, 0), "the killer's error, and sessions left")
        rows = [row for row in follower.take(2 * count) if row.local == door.getsockname()]
        for client in clients:
            client.close()
        return rows, owner, killer.pid


@test
def killed():
    """Who kills a session is not taken for its owner, whatever the owner does."""
    def case(name):
        count = scaled(300, 100)
        rows, owner, killer = killed_while(ways[name], count)
        equal(len(rows), count, "sessions")
        equal([row.line for row in rows if row.pid == killer or row.comm == b"killer"][:3], [],
              "named after the killer")
        strangers = {row.who for row in rows} - {
            (owner, b"owner", "close"), (owner, b"owner", "accept")}
        equal(strangers, set(), "whose they are")

    ways = {"in epoll": in_epoll, "spinning on SO_ERROR": spinning, "sleeping": sleeping}
    cases(ways, case)
