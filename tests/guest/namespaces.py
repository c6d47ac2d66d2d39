# SPDX-License-Identifier: GPL-2.0
"""Every namespace has its files from its birth to its death.

How a test sees that a namespace is really gone: it had one end of a veth pair,
and the other end, which is here, goes with it.
"""

import errno
import os
import socket
import time

from lib import tables
from lib.ktap import (DEBUG, Workers, check, equal, in_child, note, scaled,
                      test, until)
from lib.tables import TABLES, agree, read, row_of, slurp
from lib.world import (PLAIN_USER, Netns, enter_userns, gone, ip, listener,
                       lo_up, need_files, pair, udp, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
OVERFLOW_UID = 65534


def sockets():
    """Some of each."""
    kept = []
    for family in INET, INET6:
        kept += [listener(family), udp(family), *pair(family)]
    return kept


@test
def by_the_hundred():
    """They come, have the files, and go."""
    for _ in range(scaled(4, 1, long=20)):
        some = [Netns() for _ in range(20)]
        for number, netns in enumerate(some):
            with netns:
                if number % 5 == 0:
                    kept = udp(INET)
                for table in TABLES:
                    text = slurp(f"/proc/net/{table}")
                    equal(text.count(b"\n"),
                          2 if number % 5 == 0 and table == "udpstat" else 1,
                          "lines of", table)
                if number % 5 == 0:
                    kept.close()
        for netns in some:
            netns.close()


@test
def a_process_that_moves():
    """A process reads the files of the namespace that it is in by now."""
    one, two = Netns(), Netns()
    with one:
        mine = udp(INET)
    with two:
        theirs = [udp(INET) for _ in range(3)]
    for _ in range(3):
        with one:
            row_of(mine, "udpstat")
            equal(len(read("udpstat")), 1, "rows in one")
        with two:
            equal(len(read("udpstat")), 3, "rows in two")
    del theirs


@test
def open_file_stays_with_its_namespace():
    """An open file is of the namespace it was opened in, wherever it is read."""
    one, two = Netns(), Netns()
    with one:
        mine = udp(INET)
        fd = os.open("/proc/net/udpstat", os.O_RDONLY)
    with two:
        rows = tables.parse(tables.drain(fd, 4096).decode("ascii"))
    equal([row.inode for row in rows], [os.fstat(mine.fileno()).st_ino],
          "rows")
    os.close(fd)


@test
def through_another_process():
    """/proc/PID/net shows PID's namespace to a reader in another one."""
    netns = Netns()
    with netns:
        mine = udp(INET)
    with Workers(lambda stopping: _stay(netns, stopping)) as workers:
        pid = workers.children[0][0]
        until(lambda: _namespace(pid) == _namespace_of(netns), "its arrival")
        equal([row.inode for row in read("udpstat", f"/proc/{pid}/net")],
              [os.fstat(mine.fileno()).st_ino], "rows")
        agree("udpstat", f"/proc/{pid}/net")


def _stay(netns, stopping):
    with netns:
        while not stopping():
            time.sleep(0.05)


def _namespace(pid):
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def _namespace_of(netns):
    return os.fstat(netns.fd).st_ino


@test
def destroyed_while_open():
    """Files open, half read or not at all, while their namespace dies."""
    netns = Netns()
    ip(f"link add sensor type veth peer name inside netns {netns.path}")
    fds = []
    with netns:
        kept = sockets() + [udp(INET) for _ in range(300)]
        for table in TABLES:
            for already in 0, 1, 200, 1 << 20:
                fds.append(os.open(f"/proc/net/{table}", os.O_RDONLY))
                if already:
                    os.read(fds[-1], already)
        whole = slurp("/proc/net/udpstat")
        half = os.open("/proc/net/udpstat", os.O_RDONLY)
        start = os.read(half, len(whole) // 2)
    for sock in kept:
        sock.close()
    netns.close()
    # What is in the buffer is still read; what comes after is what is left.
    text = (start + tables.drain(half, 4096)).decode("ascii")
    check(text == whole.decode("ascii") or
          len(tables.parse(text)) <= whole.count(b"\n"), "half read")
    for fd in fds:
        tables.drain(fd, 1000)
        os.lseek(fd, 0, os.SEEK_SET)
        for row in tables.parse(tables.drain(fd, 1000).decode("ascii")):
            # the connections' TIME_WAIT entries outlive their sockets
            equal((row.stat, row.inode), ("TIMW", 0), row.line)
    for fd in [*fds, half]:
        os.close(fd)
    gone("sensor")


@test
def nothing_keeps_them():
    """A namespace whose files were read, seeked and shared is soon gone."""
    netns = Netns()
    ip(f"link add sensor type veth peer name inside netns {netns.path}")
    with netns:
        kept = sockets()
        for table in TABLES:
            with open(f"/proc/net/{table}", "rb", buffering=0) as file:
                file.read(100)
                file.seek(0)
                file.read()
        del kept
    netns.close()
    gone("sensor")


@test
def coming_and_going_while_read():
    """Readers follow processes whose namespaces come and go."""
    def mover(stopping):
        count = 0
        while not stopping():
            os.unshare(os.CLONE_NEWNET)
            kept = [udp(INET, address="0.0.0.0") for _ in range(5)]
            kept.append(listener(INET6, address="::"))
            need_files("/proc/self/net")
            count += 1
        return count

    movers = []

    def reader(stopping):
        passes = 0
        while not stopping():
            for pid in movers:
                for table in TABLES:
                    try:
                        fd = os.open(f"/proc/{pid}/net/{table}", os.O_RDONLY)
                    except FileNotFoundError:   # the namespace's files are gone
                        continue
                    except OSError as error:    # or it is dying: as /proc/net/tcp says
                        equal(error.errno, errno.ENXIO, "open")
                        continue
                    try:
                        text = tables.drain(fd, 150)
                    finally:
                        os.close(fd)
                    check(text.startswith(b"Recv-Q") and text.endswith(b"\n"),
                          text)
                    passes += 1
        return passes

    with Workers(mover, mover) as moving:
        movers += [pid for pid, _ in moving.children]
        with Workers(reader, reader) as readers:
            time.sleep(scaled(4, 6, long=60))  # how long to stress
            moving.rounds(3)
            readers.rounds(3)
    check(min(readers.answers), "no passes:", readers.answers)
    note(f"{moving.answers} namespaces, {readers.answers} passes")


@test
def uids_of_a_user_namespace():
    """UIDs are the reader's: mapped where they are mapped, else 65534."""
    def inside():
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 1")
        seen = {row.inode: row.uid for row in read("udpstat")}
        equal([seen[inode] for inode in inodes], [0, 5, OVERFLOW_UID], "UIDs")
        for table in TABLES:
            agree(table)

    with Netns():
        kept = [udp(INET)]
        for uid in PLAIN_USER, PLAIN_USER + 1:
            with user(uid):
                kept.append(udp(INET))
                kept.append(listener(INET))
        inodes = [os.fstat(sock.fileno()).st_ino for sock in kept
                  if sock.type == socket.SOCK_DGRAM]
        in_child(inside)
        equal([row.uid for row in read("udpstat")
               if row.inode == inodes[2]], [PLAIN_USER + 1], "seen outside")


@test
def uids_are_the_openers():
    """As the kernel's own files do: the opener's view, whoever reads."""
    def inside():
        opened = [os.open(f"/proc/net/{name}", os.O_RDONLY)
                  for name in ("udpstat", "udp")]
        enter_userns()
        text, own = (tables.drain(fd, 4096).decode("ascii") for fd in opened)
        equal([row.uid for row in tables.parse(text)], [PLAIN_USER], "UID")
        equal(own.splitlines()[1].split()[7], str(PLAIN_USER), "the kernel's")

    with Netns():
        with user(PLAIN_USER):
            kept = udp(INET)
        in_child(inside)
        del kept


@test
def owned_by_a_user_namespace():
    """The files of a network namespace that a user namespace owns."""
    def inside():
        enter_userns()
        os.unshare(os.CLONE_NEWNET)
        lo_up()
        kept = sockets()
        for table in TABLES:
            ours, _ = agree(table)
            equal({row.uid for row in ours}, {0}, "UIDs")
        del kept

    in_child(inside)


if DEBUG:
    @test
    def references_balance():
        """Opens and closes in one namespace by the hundred leave no count."""
        netns = Netns()
        ip(f"link add sensor type veth peer name inside netns {netns.path}")
        with netns:
            for _ in range(200):
                os.close(os.open("/proc/net/tcpstat", os.O_RDONLY))
        netns.close()
        gone("sensor")
