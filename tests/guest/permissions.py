# SPDX-License-Identifier: GPL-2.0
"""SO_MARK, TCP_MD5SIG and TCP_AO are for those who administer the network.

Every reader below reads the same listener, which has all of them; what it may
see depends on whether who opened the file has CAP_NET_ADMIN in the user
namespace that owns the network namespace.

    initial user namespace
      root, plain users
      network namespace A, owned by it
      user namespace U (its root is a nobody outside)
        network namespace B, owned by U
"""

import os
import socket
import subprocess

from lib import tables
from lib.ktap import Workers, check, equal, in_child, test, until
from lib.sockopts import put, put_ao, put_md5
from lib.tables import read, slurp
from lib.world import (PLAIN_USER, Netns, enter_userns, listener, lo_up, udp,
                       user)

INET = socket.AF_INET
HIDDEN = {"SO_MARK", "TCP_MD5SIG", "TCP_AO"}


def secretive():
    """A listener and a UDP socket with all that is hidden (that there is)."""
    door, datagrams = listener(INET), udp(INET)
    has = {"SO_MARK"}
    for sock in door, datagrams:
        put(sock, "SO_MARK", 42)
        put(sock, "SO_PRIORITY", 3)
    for function, name in ((put_md5, "TCP_MD5SIG"), (put_ao, "TCP_AO")):
        try:
            # for different peers: one peer can't have both
            function(door, f"127.0.0.{1 if function is put_md5 else 2}",
                     b"secret")
            has.add(name)
        except OSError:
            pass
    return door, datagrams, has


def seen(text):
    """The hidden options that the rows of @text show; the others all do."""
    options = set()
    for row in tables.parse(text):
        equal(row.options["SO_PRIORITY"], "3", "what is not hidden")
        options |= set(row.options)
    return options & HIDDEN


def seen_by_reading(net="/proc/net"):
    """The hidden options that this process sees: of TCP, of UDP."""
    return [seen(slurp(f"{net}/{table}").decode("ascii"))
            for table in ("tcpstat", "udpstat")]


def all_of(has):
    """What a reader sees who may see everything."""
    return [has, {"SO_MARK"}]


NOTHING = [set(), set()]


@test
def root():
    """Root of the initial user namespace."""
    with Netns():
        door, datagrams, has = secretive()
        equal(seen_by_reading(), all_of(has), "seen")
        equal(read("udpstat")[0].options["SO_MARK"], "42", "SO_MARK")
        del door, datagrams


@test
def plain_user():
    """A user without capabilities; also the sockets' own owner."""
    def become():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        equal(seen_by_reading(), NOTHING, "seen")

    with Netns():
        kept = secretive()
        in_child(become)
        for sock in kept[:2]:
            os.fchown(sock.fileno(), PLAIN_USER, PLAIN_USER)
        in_child(become)


@test
def capabilities_count_not_root():
    """CAP_NET_ADMIN is what it takes: not UID 0, no other capability."""
    def opened_by(*setpriv):
        done = subprocess.run(["setpriv", *setpriv, "cat",
                               "/proc/net/udpstat"], check=True, text=True,
                              stdout=subprocess.PIPE)
        return seen(done.stdout)

    with Netns():
        kept = secretive()
        plain = [f"--reuid={PLAIN_USER}", "--clear-groups"]
        equal(opened_by(*plain), set(), "a user")
        equal(opened_by(*plain, "--inh-caps=+net_admin",
                        "--ambient-caps=+net_admin"), {"SO_MARK"},
              "a user with CAP_NET_ADMIN")
        equal(opened_by(*plain, "--inh-caps=+net_raw,+sys_admin",
                        "--ambient-caps=+net_raw,+sys_admin"), set(),
              "a user with CAP_NET_RAW and CAP_SYS_ADMIN")
        equal(opened_by("--bounding-set=-net_admin",
                        "--inh-caps=-net_admin"), set(),
              "root without CAP_NET_ADMIN")
        del kept


@test
def root_of_a_user_namespace():
    """Root of a user namespace that doesn't own the network namespace."""
    def inside():
        enter_userns()
        equal(seen_by_reading(), NOTHING, "seen")

    with Netns():
        kept = secretive()
        in_child(inside)
        del kept


@test
def owner_of_the_network_namespace():
    """Root of the user namespace that owns it, its users, and root outside."""
    def owner(_):
        """A worker, which goes on while we look from outside."""
        os.close(release)
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 1")
        os.unshare(os.CLONE_NEWNET)
        lo_up()
        kept = secretive()
        equal(seen_by_reading(), all_of(kept[2]), "seen by its root")
        in_child(its_user)
        in_child(root_of_one_inside)
        os.write(ready, b"here")
        os.read(hold, 1)
        return kept[2]

    def its_user():
        os.setresuid(5, 5, 5)
        equal(seen_by_reading(), NOTHING, "seen by its user")

    def root_of_one_inside():
        enter_userns()
        equal(seen_by_reading(), NOTHING, "seen by root of one inside it")

    def plain_outside(net):
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        equal(seen_by_reading(net), NOTHING, "seen by a user")

    told, ready = os.pipe()
    hold, release = os.pipe()
    with Workers(owner) as workers:
        os.close(ready)
        os.close(hold)
        try:
            check(os.read(told, 4), "what happened inside failed")
            net = f"/proc/{workers.children[0][0]}/net"
            seen_outside = seen_by_reading(net)
            in_child(plain_outside, net)
        finally:
            os.close(release)
    equal(seen_outside, all_of(workers.answers[0]), "seen by root outside")


@test
def opened_plain_read_by_root():
    """What a plain user opened stays hidden, whoever reads it."""
    with Netns():
        kept = secretive()
        with user(PLAIN_USER):
            fds = [os.open(f"/proc/net/{table}", os.O_RDONLY)
                   for table in ("tcpstat", "udpstat")]
        for _ in range(2):      # also from the start again
            equal([seen(tables.drain(fd, 4096).decode("ascii"))
                   for fd in fds], NOTHING, "seen")
            for fd in fds:
                os.lseek(fd, 0, os.SEEK_SET)
        del kept


@test
def opened_by_root_read_plain():
    """What root opened shows all, whoever it is handed to."""
    def become():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        return [seen(tables.drain(fd, 4096).decode("ascii")) for fd in fds]

    with Netns():
        kept = secretive()
        fds = [os.open(f"/proc/net/{table}", os.O_RDONLY)
               for table in ("tcpstat", "udpstat")]
        equal(in_child(become), all_of(kept[2]), "seen")


@test
def opened_inside_read_outside():
    """A descriptor of a user namespace's root, read by root outside."""
    def inside():
        enter_userns()
        ours, theirs = socket.socketpair()
        fd = os.open("/proc/net/udpstat", os.O_RDONLY)
        socket.send_fds(theirs, [b"x"], [fd])
        return _adopt(ours)

    def _adopt(sock):
        _, fds, _, _ = socket.recv_fds(sock, 1, 1)
        return seen(tables.drain(fds[0], 4096).decode("ascii"))

    def outside():
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            enter_userns()
            fd = os.open("/proc/net/udpstat", os.O_RDONLY)
            socket.send_fds(theirs, [b"x"], [fd])
            os._exit(0)
        answer = _adopt(ours)
        os.waitpid(pid, 0)
        return answer

    with Netns():
        kept = secretive()
        equal(in_child(inside), set(), "seen inside")
        equal(in_child(outside), set(), "seen outside")
        equal(seen_by_reading(), all_of(kept[2]), "seen by root")


@test
def everything_else_is_public():
    """But for what is hidden, a plain user sees the rows that root sees."""
    def become():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        return [row.line for row in read("tcpstat")]

    with Netns():
        door = listener(INET)
        with user(PLAIN_USER + 1):
            other = listener(INET)
        until(lambda: len(read("tcpstat")) == 2, "two listeners")
        equal(in_child(become), [row.line for row in read("tcpstat")], "rows")
        del door, other
