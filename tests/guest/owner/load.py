# SPDX-License-Identifier: GPL-2.0
"""sockowner under load, with a lot to tell, short of memory, and interrupted."""

import contextlib
import errno
import os
import random
import signal
import socket
import subprocess
import threading
import time

from guest.faults import Faults
from lib import owner, tables
from lib.ktap import (Workers, check, equal, in_child, note, scaled, test,
                      until)
from lib.owner import CLONE_FILES, FILE, Holder, become, held, rest
from lib.world import (LIBC, PLAIN_USER, Netns, gone, insmod, ip, listener, pair,
                       rmmod, udp, user)
from guest.owner.readers import some
from guest.stat.reading import difference, every_way, one_port

INET, INET6 = socket.AF_INET, socket.AF_INET6


def crowd(count):
    """@count descriptors or so of each kind, and some sockets of nobody."""
    kept = []
    for family in INET, INET6:
        kept += [udp(family) for _ in range(count)]
        kept += [listener(family) for _ in range(count // 4)]
        for _ in range(count // 8):
            kept += pair(family)
        for _ in range(count // 8):
            for sock in pair(family):
                sock.close()
    kept += one_port(udp, INET, count)
    return kept


@test
def ways_to_read():
    """However it is read, it is the same file."""
    with Netns():
        kept = crowd(scaled(600, 600, long=2400))
        with Holder(lambda: (None, None)):
            whole = tables.slurp(FILE)
            note(f"{whole.count(10)} lines, {len(whole)} bytes")
            check(len(whole) > 300000, "too few rows to test with")
            owner.agree_with_kernel()
            every_way(FILE, whole)
        del kept


@test
def more_in_a_bucket_than_in_a_piece():
    """A thousand sockets of one port, of which nobody holds the half."""
    count = 1200
    with Netns():
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        kept = one_port(udp, INET, count) + one_port(listener, INET6, count)
        rows = owner.read()
        equal(len(rows), 2 * count, "rows")
        equal(len({row.inode for row in rows}), 2 * count, "sockets")
        equal(rest(rows), [], "rows of nobody")
        flying = 0
        for start in range(0, 200, 50):     # as many as may be in flight
            some_fds = [sock.fileno() for sock in kept[start:start + 50]]
            socket.send_fds(ours, [b"x"], some_fds)
            flying += len(some_fds)
        for sock in kept[:flying]:
            sock.close()
        rows = owner.agree_with_kernel()
        equal(len(held(rows)), 2 * count - flying, "held")
        equal(len(rest(rows)), flying, "not held")
        del kept, theirs


@test
def many_descriptors():
    """A task with 100,000 of them."""
    count = 100000
    with Netns():
        sock, last = udp(INET), udp(INET6)
        null = os.open("/dev/null", os.O_RDONLY)
        first = owner.row_of(sock, "UNCN")
        fds = [sock.fileno()]
        for number in range(count - 1):
            fds.append(os.dup(null if number % 10 else sock.fileno()))
        mine = {fds[0]} | {fd for number, fd in enumerate(fds[1:])
                           if number % 10 == 0}
        rows = owner.read()
        equal({row.fd for row in rows}, mine | {last.fileno()}, "descriptors")
        equal(len(rows), len(mine) + 1, "rows")
        check(all(row._replace(fd=0) == first._replace(fd=0)
                  for row in rows if row.fd != last.fileno()), "rows differ")
        os.closerange(min(fds[1:]), max(fds) + 1)
        equal(len(owner.read()), 2 - (last.fileno() > min(fds[1:])), "rows left")
        # A table with one descriptor at each end.
        os.dup2(null, 150000)
        sock = udp(INET)
        os.dup2(sock.fileno(), 150001)
        check({row.fd for row in owner.read()} >= {sock.fileno(), 150001},
              "far apart")


FORKS = """i=0
while [ $i -lt $1 ]; do
	(read x <&$2) & echo $!
	i=$((i + 1))
done
echo; read x <&$2"""


@test
def many_tasks():
    """2,000 processes, all of which are looked at."""
    count = scaled(2000, 400, long=2000)
    with Netns():
        sock = listener(INET)
        row = owner.row_of(sock, "LSTN")
        stay, end = os.pipe()
        shell = subprocess.Popen(
            ["sh", "-c", FORKS, "sh", str(count), str(stay)],
            pass_fds=(stay, sock.fileno()), stdout=subprocess.PIPE, text=True)
        pids = [shell.pid]
        while line := shell.stdout.readline().strip():
            pids.append(int(line))
        equal(len(pids), count + 1, "processes")
        try:
            owner.rows_are([row, *(row._replace(pid=pid, comm="sh")
                                   for pid in pids)])

            def look():
                become(PLAIN_USER)
                return [row for row in owner.read() if row.pid in pids]
            equal(in_child(look), [], "seen by a user")
        finally:
            os.close(end)
            os.close(stay)
            shell.wait()


@test
def many_threads():
    """Many threads, of which some have a table of their own."""
    count = scaled(1000, 300, long=2000)
    # As small as any machine's threads may have it.
    threading.stack_size(256 << 10)

    def setup():
        stay = threading.Event()
        kept, rows = [udp(INET)], []
        rows.append(owner.row_of(kept[0], "UNCN"))

        def work(number, ready):
            if number % 100 == 50:
                check(LIBC.unshare(CLONE_FILES) == 0, "unshare")
                kept.append(udp(INET6))
                rows.append(owner.row_of(kept[-1], "UNCN"))
            ready.set()
            stay.wait()
        for number in range(count):
            ready = threading.Event()
            threading.Thread(target=work, args=(number, ready),
                             daemon=True).start()
            ready.wait()
        return (stay, kept), rows

    with Netns(), Holder(setup) as holder:
        equal(len(holder.answer), 1 + count // 100, "tables")
        owner.rows_are(holder.answer)


@test
def killed_while_it_opens():
    """An open that takes long ends when its process is killed."""
    def opener():
        while True:
            os.close(os.open(FILE, os.O_RDONLY))

    with Netns():
        kept = udp(INET)
        for _ in range(20000):
            os.dup(kept.fileno())
        with Holder(lambda: (None, None)):
            for number in range(scaled(8, 4, long=100)):
                pid = os.fork()
                if not pid:
                    opener()
                time.sleep(0.001 * (number % 7))    # somewhere in the middle
                os.kill(pid, signal.SIGKILL)
                equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
                      -signal.SIGKILL, "its end")
            # Signals that don't kill don't make it fail.
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
            try:
                for _ in range(3):
                    equal(len(tables.slurp(FILE)) > 1000000, True, "rows")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)


def unload_while_open(path):
    """Unload the module, and load it again, with files open at @path, of which one has
    been read from and one has been read: they read EIO. Those that are still open."""
    fds = []
    for already in 0, 1, 1 << 20:
        fds.append(os.open(path, os.O_RDONLY))
        if already:
            os.read(fds[-1], already)
    rmmod()
    try:
        check(not os.path.exists(path), "still there")
        for fd in fds:
            for call in (lambda fd=fd: os.read(fd, 100),
                         lambda fd=fd: os.pread(fd, 100, 0)):
                try:
                    call()
                    raise AssertionError("it can still be read")
                except OSError as error:
                    check(error.errno in (errno.EIO, errno.ENODEV), error)
        os.close(fds.pop())
    finally:
        insmod()
    return fds


@test
def unloaded_while_open():
    """A file left open reads EIO once the module has gone."""
    with Netns():
        kept = some()
        fds = unload_while_open(FILE)
        owner.agree_with_kernel()
        for fd in fds:
            os.close(fd)
        del kept


def tries(read):
    """A worker that calls @read again and again; how often it worked, and how often there
    was no module to do it."""
    def work(stopping):
        passes = errors = 0
        while not stopping():
            try:
                read()
                passes += 1
            except OSError as error:
                check(error.errno in (errno.ENOENT, errno.EIO, errno.EINVAL), repr(error))
                errors += 1
        return passes, errors
    return work


@test
def unloaded_meanwhile():
    """The module comes and goes while readers open and read."""
    with Netns():
        kept = crowd(60)
        with Workers(*[tries(owner.read)] * 3) as readers:
            readers.rounds(1)
            for _ in range(scaled(5, 3, long=50)):
                rmmod()
                insmod()
                time.sleep(0.02)        # for some to be in the middle of it
        passes, errors = map(sum, zip(*readers.answers))
        check(passes and errors, passes, "passes,", errors, "errors")
        del kept


@test
def namespace_ends_while_open():
    """An open file keeps what it tells, and no namespace longer than itself."""
    netns = Netns()
    ip(f"link add sensor type veth peer name inside netns {netns.path}")
    with netns:
        kept = [udp(INET), listener(INET6)]
        rows = [owner.row_of(kept[0], "UNCN"), owner.row_of(kept[1], "LSTN")]
        fd = os.open(FILE, os.O_RDONLY)
    for sock in kept:
        sock.close()
    netns.close()
    equal(owner.parse(tables.drain(fd, 77).decode("ascii")), rows, "rows")
    os.close(fd)
    gone("sensor")


# What goes on while it is read.

def opens_and_closes(stopping):
    """Sockets and duplicates of them, by the hundred."""
    made = 0
    while not stopping():
        socks = []
        for family in INET, INET6:
            socks += [udp(family) for _ in range(20)]
            socks += [listener(family) for _ in range(5)]
            for _ in range(5):
                socks += pair(family)
        fds = [os.dup(sock.fileno()) for sock in socks]
        random.shuffle(socks)
        for sock in socks:
            sock.close()
        for fd in fds:
            os.close(fd)
        made += len(socks) + len(fds)
    return made


def forks_and_kills(stopping):
    """Children that inherit sockets, fork, exec, and are killed."""
    made = 0
    while not stopping():
        socks = [udp(INET) for _ in range(5)]
        for sock in socks[:3]:
            os.set_inheritable(sock.fileno(), True)
        children = []
        for number in range(6):
            pid = os.fork()
            if not pid:
                if number % 3 == 0:
                    os.execlp("sleep", "sleep", "1000")
                if number % 3 == 1:
                    LIBC.unshare(CLONE_FILES)
                    socks[number % 5].close()
                else:
                    # So that no plain reader may see what exec() closes.
                    with contextlib.suppress(OSError):
                        become(PLAIN_USER, dumpable=0)
                    os.execlp("sleep", "sleep", "1000")
                signal.pause()
            children.append(pid)
        random.shuffle(children)
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)
        for sock in socks:
            sock.close()
        made += len(children)
    return made


def passes_on(stopping):
    """Descriptors that are sent to another socket and taken out, or not."""
    made = 0
    while not stopping():
        ours, theirs = socket.socketpair()
        for _ in range(10):
            socks = [udp(INET), udp(INET6), listener(INET)]
            socket.send_fds(ours, [b"x"], [sock.fileno() for sock in socks])
            for sock in socks:
                sock.close()
            made += len(socks)
        for _ in range(5):
            for fd in socket.recv_fds(theirs, 1, 3)[1]:
                os.close(fd)
        ours.close()
        theirs.close()
    return made


def threads_that_leave(stopping):
    """Threads with tables of their own, short-lived."""
    made = 0

    def work():
        LIBC.unshare(CLONE_FILES)
        for _ in range(3):
            udp(INET).close()
    while not stopping():
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made += len(threads)
    return made


def reader(size, passes, wanted, uid=0):
    """A reader that makes @passes, and finds the rows @wanted in each."""
    def read(_):
        for fd in mine:
            os.close(fd)
        if uid:
            become(uid)
        for number in range(passes):
            rows = owner.read(size=size)
            where = f"pass {number} by {size}:"
            equal([row for row in rows if row.pid == pid],
                  wanted if not uid else [], where, "those that stay")
            stay = [row.inode for row in rows if row.inode in inodes]
            check(set(stay) == inodes, where, "sockets are missing")
            if uid:
                equal(len(stay), len(inodes), where, "rows of nobody")
        return passes
    pid = os.getpid()
    mine = [row.fd for row in wanted]
    inodes = {row.inode for row in wanted}
    return read


@test
def churn():
    """All of this at once, while 4 readers open and read."""
    with Netns():
        kept = [udp(INET) for _ in range(60)] + \
               [listener(INET6) for _ in range(60)]
        wanted = [owner.row_of(sock, "LSTN" if sock.type == socket.SOCK_STREAM
                               else "UNCN") for sock in kept]
        passes = scaled(6, 3, long=100)
        with Workers(opens_and_closes, forks_and_kills, passes_on,
                     threads_that_leave) as churners:
            with Workers(*(reader(size, passes, wanted, uid) for size, uid in
                           ((512, 0), (4096, PLAIN_USER), (1 << 17, 0),
                            (1 << 20, 0)))):
                churners.rounds(2)
        note(f"made: {churners.answers}")
        del kept


def cold():
    """Let procfs forget all names, so that it needs memory for them again."""
    fd = os.open("/proc/sys/vm/drop_caches", os.O_WRONLY)

    def drop():
        os.write(fd, b"2")
        os.lseek(fd, 0, os.SEEK_SET)
    return drop


def holds(uid, threaded=False):
    """A holder of @uid, maybe with a thread that has a table of its own."""
    if uid:
        become(uid)
    kept, ready = some(), threading.Event()

    def work():
        LIBC.unshare(CLONE_FILES)
        kept.append(udp(INET))
        ready.set()
        threading.Event().wait()
    if threaded:
        threading.Thread(target=work, daemon=True).start()
        ready.wait()
    return kept, None


@test
def no_memory_to_open():
    """open() with each allocation failing: ENOMEM, or all of the file."""
    def opened():
        return os.open(FILE, os.O_RDONLY)

    def each(faults, drop, uid):
        os.setegid(uid)
        with user(uid):
            wanted = tables.slurp(FILE)
        rows = held(owner.parse(wanted.decode("ascii")))
        check(len({row.pid for row in rows}) >= 3, "too few holders")
        failed = 0
        for nth in range(1, 2000):
            drop()
            with user(uid):
                injected, fd, error = faults.during(nth, opened)
            if error:
                check(error.errno == errno.ENOMEM, "allocation", nth, error)
                failed += 1
            else:
                text = tables.drain(fd, 4096)
                check(text == wanted, f"allocation {nth}",
                      difference(text, wanted))
                os.close(fd)
            if not injected:
                break
        os.setegid(0)
        note(f"as {uid}: {failed} of {nth} opens failed")
        check(failed >= 6 and not error, "too few allocations in an open")

    with Faults() as faults:
        drop = cold()
        for uid in 0, PLAIN_USER:
            # What holders leave is in TIME_WAIT, and then not: not in the next namespace.
            with Netns(), Holder(holds, uid), Holder(holds, uid), \
                 Holder(holds, uid, True):
                each(faults, drop, uid)


@test
def memory_is_given_back():
    """Hundreds of files opened and closed leave nothing behind."""
    def used():
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":") for line in file)
        return sum(int(lines[name].split()[0])
                   for name in ("SUnreclaim", "VmallocUsed"))

    with Netns():
        kept = crowd(100)
        for _ in range(20):
            owner.read()
        before = used()
        fds = [os.open(FILE, os.O_RDONLY) for _ in range(100)]
        during = used()
        for fd in fds:
            os.read(fd, 1000)
            os.close(fd)
        for _ in range(scaled(200, 50, long=1000)):
            os.close(os.open(FILE, os.O_RDONLY))
        until(lambda: used() - before < (during - before) / 2 + 2000,
              lambda: f"KiB: {before} before, {during} during, {used()} after")
        del kept
