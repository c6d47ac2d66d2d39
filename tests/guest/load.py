# SPDX-License-Identifier: GPL-2.0
"""Loading and unloading, at any time, and what it leaves behind: nothing.

Every test here starts and ends with the module loaded, and has namespaces that
are older than the module as well as younger ones.
"""

import contextlib
import errno
import os
import re
import socket
import time

from lib import tables
from lib.ktap import (Workers, check, equal, in_child, note, scaled, test,
                      until)
from lib.tables import TABLES, agree, slurp
from lib.world import (MODULE_FILE, PLAIN_USER, Kmsg, Netns, insmod, listener,
                       loaded, pair, rmmod, udp)

INET, INET6 = socket.AF_INET, socket.AF_INET6

# What a read gives once the module has gone.
GONE = (errno.EIO, errno.ENODEV)


@contextlib.contextmanager
def unloaded():
    """The module is not there, and then it is again."""
    rmmod()
    try:
        yield
    finally:
        if not loaded():
            insmod()


def no_files(net="/proc/net"):
    """None of our files is there."""
    left = [table for table in TABLES if os.path.exists(f"{net}/{table}")]
    left += [name for name in os.listdir(net) if name in TABLES]
    equal(left, [], "left behind")


def all_files(net="/proc/net"):
    """Our files are there, and say the truth."""
    for table in TABLES:
        agree(table, net)


@test
def files_come_and_go():
    """In the namespaces there are and in those that are born meanwhile."""
    old = Netns()
    with unloaded():
        no_files()
        with old:
            no_files()
            kept = [udp(INET), listener(INET6)]
        between = Netns()
        with between:
            no_files()
            kept.append(listener(INET))
    for netns in old, between, Netns():
        with netns:
            all_files()
    all_files()
    check(not [line for line in open("/proc/modules", encoding="ascii")
               if line.startswith("knetstat ") and " 0 " not in line],
          "the module is in use")
    del kept


@test
def open_files_outlive_it():
    """A file left open reads EIO, and can be closed, before and after reload."""
    with Netns():
        kept = [udp(INET) for _ in range(200)]
        fds = []
        for table in TABLES:
            for already in 0, 1, 1 << 20:
                fds.append(os.open(f"/proc/net/{table}", os.O_RDONLY))
                if already:
                    os.read(fds[-1], already)

        def all_dead():
            for fd in fds:
                for call in (lambda fd=fd: os.read(fd, 4096),
                             lambda fd=fd: os.pread(fd, 100, 10)):
                    try:
                        check(not call(), "read something")
                        raise AssertionError("a read that ended well")
                    except OSError as error:
                        check(error.errno in GONE, error)

        with unloaded():
            all_dead()
            for fd in fds[::2]:
                os.close(fd)
            del fds[::2]
        all_dead()      # another load is another file
        for fd in fds:
            os.close(fd)
        all_files()
        del kept


@test
def unloaded_while_read():
    """Unloading while others open and read: they get rows, or an error."""
    def reader(size):
        def read(stopping):
            passes = errors = 0
            while not stopping():
                for table in TABLES:
                    try:
                        fd = os.open(f"/proc/net/{table}", os.O_RDONLY)
                    except OSError as error:
                        check(error.errno in (errno.ENOENT, errno.ENXIO), error)
                        errors += 1
                        continue
                    try:
                        tables.parse(tables.drain(fd, size).decode("ascii"))
                        passes += 1
                    except OSError as error:
                        check(error.errno in GONE, error)
                        errors += 1
                    finally:
                        os.close(fd)
            return passes, errors
        return read

    with Netns():
        kept = [udp(INET) for _ in range(300)]
        kept += [listener(INET) for _ in range(300)]
        with Workers(reader(100), reader(4096), reader(1 << 20)) as readers:
            readers.rounds(1)
            for _ in range(scaled(6, 3, long=50)):
                rmmod()
                insmod()
                time.sleep(0.02)        # for some to be in the middle of it
        passes, errors = map(sum, zip(*readers.answers))
        check(passes and errors, passes, "passes,", errors, "errors")
        all_files()
        del kept


@test
def again_and_again_under_traffic():
    """Many loads and unloads while sockets come and go."""
    def traffic(stopping):
        count = 0
        while not stopping():
            for family in INET, INET6:
                client, server = pair(family)
                client.send(b"x" * 1000)
                server.recv(1000)
                client.close()
                server.close()
                with udp(family) as one, udp(family, connected_to=one) as two:
                    two.send(b"x")
            count += 1
            time.sleep(0.002)       # leave room for who loads and unloads
        return count

    with Workers(traffic) as workers:
        for _ in range(scaled(10, 5, long=200)):
            rmmod()
            insmod()
        workers.rounds(10)
    note(f"{workers.answers} rounds of traffic")
    equal(sorted(set(os.listdir("/proc/net")) & set(TABLES)), sorted(TABLES),
          "files")


@test
def namespaces_come_and_go_meanwhile():
    """Loading and unloading while namespaces are born and die."""
    def mover(stopping):
        count = 0
        while not stopping():
            os.unshare(os.CLONE_NEWNET)
            for table in TABLES:
                with contextlib.suppress(OSError):
                    slurp(f"/proc/net/{table}")
            count += 1
        return count

    with Workers(mover, mover) as movers:
        for _ in range(scaled(5, 3, long=50)):
            rmmod()
            insmod()
        movers.rounds(4)
    note(f"{movers.answers} namespaces")
    with Netns():
        all_files()


def renamed_copy():
    """The module under another name, which wants the same files."""
    with open(MODULE_FILE, "rb") as file:
        data = file.read()
    path = "/tmp/knetstax.ko"
    with open(path, "wb") as file:
        # but not in the name of the kernel, which the debug kernel's has
        file.write(re.sub(rb"(?<!-)knetstat", b"knetstax", data))
    return path


@test
def name_taken():
    """Another module has the names: EBUSY, one line, and nothing changed.

    EBUSY, because EEXIST is how init_module(2) says that this very module is
    loaded already, which modprobe takes for a success.
    """
    copy = renamed_copy()
    netns = Netns()
    with netns:
        kept = listener(INET)
    log = Kmsg()
    try:
        insmod(copy)
        rmmod("knetstax")
        raise AssertionError("the copy was loaded")
    except OSError as error:
        equal(error.errno, errno.EBUSY, "insmod of a copy")
    lines = log.lines()
    ours = [line for line in lines if "knetsta" in line]
    equal(len(ours), 1, "lines in the log", lines)
    check(any(f"/{table}" in ours[0] for table in TABLES), "which file:", ours)
    check(not [line for line in lines if "WARNING" in line or
               "already registered" in line], lines)
    check(not loaded("knetstax"), "the copy is still there")
    with netns:
        all_files()
    all_files()
    with unloaded():
        no_files()
        insmod(copy)        # alone it does load
        try:
            with netns:
                all_files()
            try:
                insmod()
                raise AssertionError("the module was loaded beside a copy")
            except OSError as error:
                equal(error.errno, errno.EBUSY, "insmod beside a copy")
        finally:
            rmmod("knetstax")
        no_files()
        with netns:
            no_files()
    os.unlink(copy)
    del kept


@test
def unknown_parameter():
    """A parameter that it hasn't: the kernel says so, and it is loaded."""
    log = Kmsg()
    with unloaded():
        insmod(parameters="bogus=1")
        check(loaded(), "not loaded")
    check([line for line in log.lines() if "bogus" in line], "nothing said")


@test
def quiet():
    """Whatever a user does with the files, nothing of it is in the log."""
    def abuse(as_user):
        if as_user:
            os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        for table in TABLES:
            path = f"/proc/net/{table}"
            for mode in os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC:
                try:
                    fd = os.open(path, mode)
                except OSError as error:
                    equal(error.errno, errno.EACCES, "open to write")
                    continue
                with contextlib.suppress(OSError):
                    os.write(fd, b"x" * 100)
                os.close(fd)
            fd = os.open(path, os.O_RDONLY)
            for offset in -1, 1 << 40, (1 << 63) - 1:
                for call in (lambda: os.lseek(fd, offset, os.SEEK_SET),
                             lambda: os.read(fd, 10),
                             lambda: os.pread(fd, 10, offset),
                             lambda: os.lseek(fd, 0, os.SEEK_END)):
                    with contextlib.suppress(OSError):
                        call()
            os.lseek(fd, 0, os.SEEK_SET)
            tables.parse(tables.drain(fd, 1000).decode("ascii"))
            os.close(fd)

    equal(os.stat("/proc/net/tcpstat").st_mode & 0o7777, 0o444, "mode")
    log = Kmsg()
    abuse(False)
    in_child(abuse, True)
    equal([line for line in log.lines() if "knetstat" in line], [], "log")


@test
def says_little():
    """Loading and unloading say nothing, or at most a line each."""
    log = Kmsg()
    with unloaded():
        until(lambda: not loaded(), "its end")
    lines = [line for line in log.lines() if line.startswith("knetstat")]
    check(len(lines) <= 2, lines)
