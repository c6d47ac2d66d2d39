# SPDX-License-Identifier: GPL-2.0
"""tcplife under traffic, and the module coming and going under it."""

import collections
import contextlib
import ctypes
import errno
import functools
import os
import select
import signal
import socket
import struct
import time

from lib import life, syscalls, uring
from lib.ktap import (LONG, Skip, Workers, check, equal, note, scaled, test,
                      until)
from lib.life import FILE, STAT, Follower, Process, drain, module, read, stat
from lib.world import (LIBC, Netns, alone, gone, insmod, ip, listener, loaded,
                       pair, rmmod)

INET, INET6 = socket.AF_INET, socket.AF_INET6

# What there is to read once the module has gone.
GONE = (errno.EIO, errno.ENODEV, errno.ENOENT, errno.ENXIO)


def talk(number, count, record=None):
    """@count sessions, each of as many bytes as its client's port tells.

    Worker @number has an address of its own, so that no two workers' sessions
    are the same. Every third one ends with a reset, the others in order: some
    closed first by who connected, some by who accepted.
    """
    address = f"127.0.{number + 1}.1"
    # Without a TIME_WAIT entry the last FIN is answered by a reset.
    with open("/proc/sys/net/ipv4/tcp_max_tw_buckets", "w",
              encoding="ascii") as buckets:
        buckets.write("1000000")
    with listener(INET, 64, address) as door:
        to = door.getsockname()
        for turn in range(count):
            client = socket.socket()
            client.connect(to)
            server = door.accept()[0]
            port = client.getsockname()[1]
            client.sendall(PAYLOAD[:port % 97])
            if turn % 3 == 0:
                life.linger(client)
                client.close()
                with contextlib.suppress(ConnectionResetError):
                    while server.recv(100):
                        pass
                server.close()
            elif turn % 3 == 1:
                life.receive(server, port % 97)
                server.close()
                client.close()
            else:
                life.receive(server, port % 97)
                client.close()
                server.close()
            if record is not None:
                record.append((port, to[1]))


PAYLOAD = b"x" * 97


def whole(row):
    """Fail unless @row is of a piece: what it says fits together."""
    port = row.rport if row.role == "acpt" else row.lport
    check(row.role in ("conn", "acpt"), "ROLE of", row.line)
    check(row.raddr in ("127.0.0.1", row.laddr) or
          row.laddr == "127.0.0.1", "addresses of", row.line)
    size = port % 97
    if row.role == "conn":
        check((row.tx, row.rx) in ((size, 0), (0, 0)), "bytes of", row.line)
        equal(row.by, "connect", "BY of", row.line)
        check(row.end in ("fin", "abort"), "END of", row.line)
    else:
        check((row.tx, row.rx) in ((0, size), (0, 0)), "bytes of", row.line)
        check(row.end in ("fin", "reset"), "END of", row.line)
        # What came before the reset may have been read, or not.
        check(row.by in (("accept", "use") if row.end == "reset" else
                         ("use",) if row.rx else ("close",)), "BY of", row.line)


@test
def nothing_lost():
    """As many rows as there were ends, numbered without a gap, each once."""
    count = scaled(400, 100, long=50000)

    def worker(number):
        def work(_):
            record = []
            while len(record) < count and (LONG or time.monotonic() < enough):
                talk(number, 50, record)
            return number, record
        return work

    def reader(stopping):
        texts = []
        while not stopping():
            if follower.ready(0.5):
                texts.append(drain(follower.fd))
        texts.append(drain(follower.fd))
        return b"".join(texts)

    with Netns():
        follower = Follower(from_start=True)
        equal(follower.now(), [], "rows before")
        enough = time.monotonic() + 10      # for a machine that is busy
        with Workers(reader) as readers:
            with Workers(*(worker(number) for number in range(4))) as talkers:
                pass
            ends = 2 * sum(len(record) for _, record in talkers.answers)
            until(lambda: stat()["recorded"] >= ends, stat)
        counters = stat()
        text = readers.answers[0].decode("ascii")
        sessions = collections.Counter()
        for number, line in enumerate(text.split("\n")[:-1], 1):
            row = life.parse_row(line)
            equal(row.seq, number, "SEQ of", line)
            whole(row)
            far = row.laddr if row.role == "acpt" else row.raddr
            ports = (row.rport, row.lport) if row.role == "acpt" else \
                (row.lport, row.rport)
            sessions[(row.role, int(far.split(".")[2]) - 1, *ports)] += 1
        wanted = collections.Counter(
            (role, number, *ports) for number, record in talkers.answers
            for ports in record for role in ("conn", "acpt"))
        note(f"{len(text.splitlines())} rows")
        equal([*(wanted - sessions).items()][:5], [], "sessions without a row")
        equal([*(sessions - wanted).items()][:5], [], "rows of no session")
        equal((counters["recorded"], counters["dropped"],
               counters["untracked"], counters["tracked"]),
              (ends, 0, 0, 0), "counters", counters)


@test
def lapped():
    """A ring of 64 rows and slow readers: gaps, but never a bad row."""
    def writer(number):
        def work(stopping):
            count = 0
            while not stopping():
                talk(number, 20)
                count += 20
            return count
        return work

    def again(size):
        """From the start, again and again."""
        def work(stopping):
            passes = rows = 0
            while not stopping():
                last = 0
                for row in life.parse(life.slurp(size=size).decode("ascii")):
                    check(row.seq > last, "SEQ after", last, row.line)
                    whole(row)
                    last = row.seq
                    rows += 1
                passes += 1
            return passes, rows, 0
        return work

    def follow(size):
        """One that follows, and falls behind."""
        def work(stopping):
            follower = Follower(size=size)
            last = passes = rows = gaps = 0
            while not stopping():
                follower.ready(0.1)
                for row in follower.now():
                    check(row.seq > last, "SEQ after", last, row.line)
                    gaps += last and row.seq - last - 1
                    whole(row)
                    last = row.seq
                    rows += 1
                passes += 1
            return passes, rows, gaps
        return work

    alone()
    with module("records=64"), Netns():
        with Workers(*(writer(number) for number in range(2))) as writers:
            with Workers(again(1), again(1 << 20), follow(300),
                         follow(1 << 20)) as readers:
                time.sleep(scaled(3, 5, long=60))  # how long to stress
                readers.rounds(3)
        note(f"sessions {writers.answers}, passes, rows and rows missed "
             f"{readers.answers}")
        total = 2 * sum(writers.answers)
        until(lambda: stat()["recorded"] == total, stat)
        equal(stat(), {"recorded": total, "overwritten": total - 64,
                       "dropped": 0, "untracked": 0, "tracked": 0}, "stat")
        rows = read()
        equal([row.seq for row in rows], list(range(total - 63, total + 1)),
              "the last rows")


@test
def loads_under_traffic():
    """Load and unload, again and again, under traffic and with readers."""
    def traffic(number):
        def work(stopping):
            count = 0
            while not stopping():
                talk(number, 5)
                count += 5
                time.sleep(0.002)   # leave room for who loads and unloads
            return count
        return work

    def read_on(stopping):
        """Follow, and when the module goes, find it again."""
        rows = ends = 0
        while not stopping():
            try:
                follower = Follower()
            except OSError as error:
                check(error.errno in GONE, error)
                ends += 1
                time.sleep(0.01)
                continue
            try:
                while not stopping():
                    follower.ready(0.05)
                    rows += len(follower.now())
            except OSError as error:
                check(error.errno in GONE, error)
                ends += 1
            follower.close()
        return rows, ends

    def start_over(stopping):
        """Read all there is, and the counters."""
        passes = 0
        while not stopping():
            try:
                read()
                stat()
                passes += 1
            except OSError as error:
                check(error.errno in GONE, error)
                time.sleep(0.01)
        return passes

    def old_row(row):
        return row.ms is None

    try:
        with Workers(traffic(0), traffic(1)) as talkers:
            with Workers(read_on, start_over) as readers:
                readers.rounds(1)
                for turn in range(scaled(8, 4, long=200)):
                    rmmod()
                    parameters = ("", "records=64", "sessions=1",
                                  "records=0")[turn % 4]
                    insmod(parameters=parameters)
                    if turn % 4 != 3:
                        # one session at least has been recorded
                        until(read, "rows")
                readers.rounds(3)
        note(f"{sum(talkers.answers)} sessions; rows, ends and passes: "
             f"{readers.answers}")
        check(readers.answers[0][1], "the reader saw no end")
    finally:
        if loaded():
            rmmod()
        insmod()
    with Netns():
        with Workers(traffic(0)):
            until(lambda: len(read()) > 20, "rows")
        check([row for row in read() if not old_row(row)], "no rows")


# Who may be asleep when the module goes.

SYS_IO_SETUP, SYS_IO_GETEVENTS, SYS_IO_SUBMIT = map(
    syscalls.number, ("io_setup", "io_getevents", "io_submit"))
IOCB_CMD_POLL = 5


def by_poll(events):
    """poll(2)."""
    def sleep(fd):
        poll = select.poll()
        poll.register(fd, events)
        return lambda: poll.poll()
    return sleep


def by_select(fd):
    """select(2)."""
    return lambda: select.select([fd], [], [])


def by_select_exceptions(fd):
    """select(2), but for what never comes."""
    return lambda: select.select([], [], [fd])


def by_epoll(flags):
    """epoll(7)."""
    def sleep(fd):
        epoll = select.epoll()
        epoll.register(fd, flags)
        return lambda: epoll.poll()
    return sleep


def by_epoll_in_epoll(fd):
    """epoll of an epoll."""
    inner, outer = select.epoll(), select.epoll()
    inner.register(fd, select.EPOLLIN)
    outer.register(inner.fileno(), select.EPOLLIN)
    return lambda: (outer.poll(), inner)


def by_aio(fd):
    """IOCB_CMD_POLL."""
    context = ctypes.c_ulong()
    if LIBC.syscall(SYS_IO_SETUP, 1, ctypes.byref(context)):
        raise Skip("no aio")
    request = ctypes.create_string_buffer(struct.pack(
        "=QIiHhIQQqQII", 0, 0, 0, IOCB_CMD_POLL, 0, fd, select.POLLIN, 0, 0, 0,
        0, 0))
    some = (ctypes.c_void_p * 1)(ctypes.addressof(request))
    if LIBC.syscall(SYS_IO_SUBMIT, context, 1, some) != 1:
        raise Skip("no poll by aio")
    event = ctypes.create_string_buffer(32)
    return lambda: (LIBC.syscall(SYS_IO_GETEVENTS, context, 1, 1, event, None),
                    request)


def by_io_uring(fd):
    """IORING_OP_POLL_ADD."""
    ring = uring.Ring()
    ring.submit(uring.POLL_ADD, fd, event=select.POLLIN)
    return ring.wait


# how: (function, does the end of the file wake it)
SLEEPERS = {
    "poll": (by_poll(select.POLLIN), True),
    "poll for nothing": (by_poll(0), False),
    "poll for POLLPRI": (by_poll(select.POLLPRI), False),
    "select": (by_select, True),
    "select for exceptions": (by_select_exceptions, False),
    "epoll": (by_epoll(select.EPOLLIN), True),
    "epoll, edges": (by_epoll(select.EPOLLIN | select.EPOLLET), True),
    "epoll, once": (by_epoll(select.EPOLLIN | select.EPOLLONESHOT), True),
    "epoll in epoll": (by_epoll_in_epoll, True),
    "aio": (by_aio, True),
    "io_uring": (by_io_uring, True),
}


def fall_asleep(line, how):
    """A process that sleeps until there is a row, or the module has gone."""
    fd = os.open(FILE, os.O_RDONLY)
    os.lseek(fd, 0, os.SEEK_HOLE)
    try:
        asleep = SLEEPERS[how][0](fd)
    except Skip as skip:
        line.say(str(skip))
        line.hear()
        return
    line.say(None)
    answer = asleep()
    try:
        os.read(fd, 100)
        line.say("read")
    except OSError as error:
        line.say(errno.errorcode[error.errno])
    del answer
    os.close(fd)
    line.hear()


def sleeping(pid):
    """Is that process asleep?"""
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


def asleep_at_unload(how_often, traffic):
    """rmmod with one of each asleep."""
    for _ in range(how_often):
        sleepers = {}
        for how in SLEEPERS:
            process = sleepers[how] = Process(how.replace(" ", "")[:15],
                                              fall_asleep, how)
            reason = process.hear()
            if reason:
                note(f"{how}: {reason}")
                process.kill()
                del sleepers[how]
        if not traffic:
            for process in sleepers.values():
                until(lambda p=process: sleeping(p.pid), "sleep")
        rmmod()
        try:
            for how, process in sleepers.items():
                if SLEEPERS[how][1]:
                    heard = process.hear()
                    check(heard in ("EIO", "ENODEV") or
                          traffic and heard == "read", how, "woke up to", heard)
                elif not traffic:
                    check(sleeping(process.pid), how, "doesn't sleep")
        finally:
            for process in sleepers.values():
                process.kill(signal.SIGKILL)
            insmod()


@test
def sleepers():
    """rmmod wakes who waits for rows, and waits for nobody else."""
    with Netns():
        asleep_at_unload(scaled(1, 1, long=20), False)
        follower = Follower()
        talk(0, 1)
        follower.take(2)


@test
def sleepers_under_traffic():
    """The same while rows wake them."""
    def traffic(stopping):
        while not stopping():
            talk(0, 1)

    with Netns():
        with Workers(traffic):
            asleep_at_unload(scaled(2, 1, long=20), True)


@test
def sleepers_of_a_dying_namespace():
    """Who polls its file keeps a namespace; who leaves lets it go."""
    netns = Netns()
    ip(f"link add sensor type veth peer name inside netns {netns.path}")
    with netns:
        processes = []
        for how in "poll", "epoll", "epoll in epoll":
            processes.append(Process(how.replace(" ", ""), fall_asleep, how))
            equal(processes[-1].hear(), None, how)
        kept = pair(INET)
    netns.close()
    for sock in kept:
        sock.close()
    for process in processes:
        equal(process.hear(), "read", "woken by a row")
        process.kill()
    gone("sensor")


@test
def by_the_hundred():
    """Namespaces with sessions come and go; each has its own numbers."""
    everything = Follower()
    seen, wanted = collections.Counter(), collections.Counter()
    for _ in range(scaled(2, 1, long=10)):
        some = [Netns() for _ in range(34)]
        kept = []
        for number, netns in enumerate(some):
            with netns:
                inode = life.netns_inode()
                client, server = pair(INET6 if number % 2 else INET)
                mine = Follower(from_start=True) if number % 4 == 0 else None
                client.close()
                if number % 3:
                    server.close()
                else:
                    kept.append(server)     # still alive when it should go
                if mine:
                    rows = [row.seq for row in mine.now()]
                    equal(rows, list(range(1, len(rows) + 1)), "SEQ")
                    mine.close()
                wanted[inode] += 2
        for netns in some:
            netns.close()
        for sock in kept:
            sock.close()
        for row in everything.take(2 * len(some), of=wanted):
            seen[row.netns] += 1
    equal(seen, wanted, "rows of each namespace")


@test
def loads_meanwhile():
    """Loading and unloading while namespaces with sessions come and go."""
    def mover(stopping):
        count = 0
        while not stopping():
            os.unshare(os.CLONE_NEWNET)
            try:
                life.slurp()
                life.slurp(STAT)
            except OSError as error:
                check(error.errno in GONE, error)
            with socket.socket() as sock:
                sock.connect_ex(("127.0.0.1", 9))       # no route, no session
            ip("link set lo up")
            client, server = pair(INET)
            client.close()
            server.close()
            count += 1
        return count

    with Workers(mover, mover) as movers:
        for _ in range(scaled(5, 3, long=50)):
            rmmod()
            insmod()
        movers.rounds(3)
    note(f"{movers.answers} namespaces")


# When memory is short

def with_faults(function):
    """The test gets what has its allocations fail; it is skipped without."""
    @functools.wraps(function)
    def run():
        from faults import Faults
        with Faults() as faults:
            function(faults)
    return run


@test
@with_faults
def no_memory_to_open(faults):
    """open() and the first read: an error, or a file that says the truth."""
    from faults import each_allocation, honest
    with Netns():
        follower = Follower()
        talk(0, 3)
        follower.take(6)
        for path in FILE, STAT:
            wanted = life.slurp(path)
            buffer = bytearray(len(wanted) + 100)

            def opened(path=path, buffer=buffer):
                """Both in one go, without Python's own allocations between."""
                fd = os.open(path, os.O_RDONLY)
                try:
                    end = 0
                    while got := os.readv(fd, [memoryview(buffer)[end:]]):
                        end += got
                    return end
                finally:
                    os.close(fd)

            def truth(end, wanted=wanted, buffer=buffer):
                equal(bytes(buffer[:end]), wanted, "read")

            worked, failed = each_allocation(faults, opened, truth)
            note(f"{path}: {failed} failed, {worked} worked")
            check(failed >= 2, "too few allocations")
        fd = os.open(FILE, os.O_RDONLY)
        drain(fd)
        poll = select.poll()
        poll.register(fd, select.POLLIN)

        def waited():
            return poll.poll(0)
        for nth in range(1, 20):
            injected, _, error = faults.during(nth, waited)
            if error:
                honest(error, "poll")
            if not injected:
                break
        os.close(fd)
