# SPDX-License-Identifier: GPL-2.0
"""Nonsense: any call on any file at any offset, and any text as a parameter.

What is done comes from a seed, which is printed; KNETSTAT_SEED sets it. (Threads run as
they like, so that the same seed is the same calls, not the same run.)
"""

import errno
import fcntl
import os
import random
import re
import select
import socket
import threading

from lib import tables
from lib.ktap import SEED, Failed, Workers, check, equal, explain, long_only, note, test
from lib.rows import FILES
from lib.world import Kmsg, Netns, insmod, listener, loaded, pair, rmmod, udp

INET, INET6 = socket.AF_INET, socket.AF_INET6
THREADS = 8
LOCK = threading.Lock()


# What a call that makes no sense may be told.
HONEST = (errno.EINVAL, errno.EBADF, errno.EIO, errno.ENODEV, errno.ENOTTY, errno.EFAULT,
          errno.ENXIO, errno.ESPIPE, errno.EOVERFLOW, errno.EOPNOTSUPP, errno.EPERM,
          errno.EAGAIN)


class Reader:
    """A thread that does anything to any file, its own and those of others."""

    def __init__(self, number, shared, calls):
        self.random = random.Random(f"{SEED} {number}")
        self.shared = shared
        self.calls = calls
        self.rows = 0
        self.done = {}
        self.error = None
        self.pipe = os.pipe2(os.O_NONBLOCK)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        """Do so many calls."""
        try:
            for _ in range(self.calls):
                self.one()
        except BaseException as error:
            self.error = "\n".join(explain(error))
        for fd in self.pipe:
            os.close(fd)

    def one(self):
        """One call, on a file that is open, or on one opened for it."""
        slot = self.random.randrange(len(self.shared))
        if self.random.random() < 0.05:
            # Others may be about to use it: they get EBADF, or what is there next.
            new = self.random.choice(list(FILES))
            flags = self.random.choice((os.O_RDONLY, os.O_RDONLY, os.O_RDWR, os.O_NONBLOCK))
            fd = os.open(f"/proc/net/{new}", flags | os.O_CLOEXEC)
            with LOCK:
                old, self.shared[slot] = self.shared[slot], (new, fd)
            os.close(old[1])
            return
        opened = self.shared[slot]
        name, fd = opened
        call = self.random.choice(self.CALLS)
        try:
            data = call(self, fd)
        except OSError as error:
            check(error.errno in HONEST, call.__name__, name, error)
            return
        self.done[call.__name__] = self.done.get(call.__name__, 0) + 1
        # Nobody may have closed it meanwhile: else it is of who knows which file.
        if data and self.shared[slot] is opened:
            self.whole_rows(name, data)

    def whole_rows(self, name, data):
        """Check the lines that are whole in what one call read; of many the ends, where a
        batch may be cut, and some of the others."""
        columns, check_row = FILES[name]
        lines = data.decode("ascii").split("\n")[1:-1]
        if len(lines) > 20:
            lines = lines[:4] + self.random.sample(lines[4:-4], 8) + lines[-4:]
        for line in lines:
            if line.split() != list(columns):
                check_row(line)
                self.rows += 1

    def size(self):
        """How much to read at once."""
        return self.random.choice((1, 7, 100, 4095, 4096, 4097, 65536, 1 << 20,
                                   self.random.randrange(1, 300000)))

    def offset(self):
        """An offset, sensible or not."""
        return self.random.choice((0, 1, 100, 4096, self.random.randrange(100000),
                                   self.random.randrange(1 << 63), -1, (1 << 63) - 1,
                                   -(1 << 63), 1 << 32))

    def read(self, fd):
        """The next bytes."""
        return os.read(fd, self.size())

    def reads(self, fd):
        """Some more of them: no less often than all the rest."""
        return os.read(fd, self.size())

    def pread(self, fd):
        """Those at an offset."""
        return os.pread(fd, self.size(), self.offset())

    def pread_near(self, fd):
        """Those at an offset that there is."""
        return os.pread(fd, self.size(), self.random.randrange(20000))

    def preadv(self, fd):
        """Into several buffers."""
        parts = [bytearray(self.size() % 5000 + 1) for _ in range(self.random.randrange(1, 6))]
        count = os.preadv(fd, parts, self.random.randrange(20000))
        return bytes(b"".join(parts)[:count])

    def splice(self, fd):
        """Into a pipe."""
        os.splice(fd, self.pipe[1], self.size(), flags=2)
        return os.read(self.pipe[0], 1 << 20)

    def lseek(self, fd):
        """Anywhere, from anywhere."""
        os.lseek(fd, self.offset(), self.random.choice((0, 0, 1, 2, 3, 4, 5, 99)))

    def rewind(self, fd):
        """To the beginning."""
        os.lseek(fd, 0, os.SEEK_SET)

    def poll(self, fd):
        """Is there more? Without waiting."""
        poll = select.poll()
        poll.register(fd, self.random.randrange(1 << 14))
        poll.poll(0)

    def epoll(self, fd):
        """The same, by another way."""
        with select.epoll() as poll:
            poll.register(fd, self.random.choice((select.EPOLLIN, select.EPOLLIN | select.EPOLLET)))
            poll.poll(0)

    def write(self, fd):
        """Of which there is none."""
        os.write(fd, b"x" * self.random.randrange(1, 5000))
        raise Failed("a write that ended well")

    def ioctl(self, fd):
        """Neither."""
        fcntl.ioctl(fd, self.random.randrange(1 << 31), b"\0" * 64)

    def truncate(self, fd):
        """Nor this."""
        os.ftruncate(fd, 0)

    CALLS = (read, reads, pread, pread_near, preadv, splice, lseek, rewind, poll, epoll, write,
             ioctl, truncate)


def churn(stopping):
    """Sockets of all kinds come and go, some stay for a while."""
    kept, rounds = [], 0
    while not stopping():
        rounds += 1
        for family in INET, INET6:
            client, server = pair(family)
            client.send(b"x" * 100)
            server.recv(100)
            kept += [client, server, listener(family), udp(family)]
        kept += socket.socketpair()
        while len(kept) > 100:
            kept.pop(rounds % len(kept)).close()
    return rounds


@test
def files():
    """Eight threads do anything to all files, while sockets come and go: no line that is
    whole is malformed, and no call gets an error but those that there are for nonsense.
    """
    long_only("long:KERNEL")
    note(f"seed {SEED}")
    with Netns(), Workers(churn, churn):
        shared = [(name, os.open(f"/proc/net/{name}", os.O_RDONLY | os.O_CLOEXEC))
                  for name in FILES]
        readers = [Reader(number, shared, 2000)
                   for number in range(THREADS)]
        for reader in readers:
            reader.thread.join()
        for _, fd in shared:
            os.close(fd)
    errors = [f"thread {number}: {reader.error}" for number, reader in enumerate(readers)
              if reader.error]
    check(not errors, f"seed {SEED}:", "\n".join(errors))
    rows = sum(reader.rows for reader in readers)
    done = {call.__name__ for call in Reader.CALLS} - {"write", "ioctl", "truncate", "splice"}
    for reader in readers:
        equal(done - set(reader.done), set(), "calls that never worked")
    check(rows > 1000, rows, "whole rows were read")
    note(f"{rows} whole rows, {sum(sum(reader.done.values()) for reader in readers)} calls "
         "that worked")
    for table in tables.TABLES:
        tables.agree(table)


# The parameters, and the least and most that each may be.
PARAMETERS = {"records": (0, 4194304), "sessions": (1, 4194304), "ports": (1, 16384),
              "owner_mb": (1, 1048576)}
# What the kernel takes for a number.
NUMBER = re.compile(r"\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


def number_of(text):
    """The number that the kernel makes of @text; None: it refuses."""
    match = NUMBER.fullmatch(text)
    if not match:
        return None
    digits = match[1].lower()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    value = int(digits, base)
    return value if value < 1 << 32 else None


def a_value(rand, most):
    """A text for a parameter that may be @most. None is large and right, for the memory."""
    return rand.choice((
        str(rand.randrange(3000)), str(most + 1), str(most + rand.randrange(1, 1 << 40)),
        str(rand.randrange(1 << 65)), f"-{rand.randrange(5000)}", f"+{rand.randrange(1, 3000)}",
        hex(rand.randrange(1, 3000)), f"0{rand.randrange(1, 3000):o}", "", "0x", "08", "1e3", "1k",
        "4294967296", "4294967297", "18446744073709551617", "y", "nan", "1,2", "1.0",
        "".join(chr(rand.randrange(33, 127)) for _ in range(rand.randrange(1, 40)))
        .replace('"', "'"), "9" * rand.randrange(1, 900)))


def try_parameters(text):
    """Load the module with @text; whether it was taken, and what the log says of that."""
    log = Kmsg()
    try:
        insmod(parameters=text)
        error = None
    except OSError as failed:
        error = failed.errno
    said = [line for line in log.lines() if "knetstat" in line]
    return error, said


@test
def parameters():
    """A parameter is taken or refused, as numbers are by the kernel and by the bounds that
    there are; a line in the log says why, and nothing else.
    """
    long_only("long:KERNEL")
    note(f"seed {SEED}")
    rand = random.Random(SEED)
    taken = refused = 0
    rmmod()
    try:
        for _ in range(300):
            name = rand.choice(list(PARAMETERS))
            least, most = PARAMETERS[name]
            text = a_value(rand, most)
            number = number_of(text)
            if number is not None and 100000 < number <= most:
                continue
            right = number is not None and least <= number <= most
            error, said = try_parameters(f"{name}={text}")
            what = f"seed {SEED}: {name}={text!r}: error {error}", said
            if right:
                equal(error, None, *what)
                equal(said, [], *what)
                with open(f"/sys/module/knetstat/parameters/{name}", encoding="ascii") as file:
                    value = int(file.read())
                check(value == number or name in ("records", "sessions") and
                      number <= value < 2 * number, *what, "became", value)
                tables.agree("tcpstat")
                rmmod()
                taken += 1
            else:
                check(error in (errno.EINVAL, errno.ERANGE), *what)
                equal(len(said), 1, "lines in the log", *what)
                check(name in said[0], *what)
                refused += 1
            check(not loaded(), *what, "is loaded still")

        # Whatever bytes: it is loaded, or not.
        for _ in range(300):
            text = "".join(rand.choice((*' "\'=\\-#,.x0\t\n\x01é', "--", "records=", "sessions=3",
                                        " owner_mb=2", " ports=1", "knetstat.", "dyndbg"))
                           for _ in range(rand.randrange(1, 60)))
            if re.search(r"\d{5}", text):
                continue
            error, said = try_parameters(text)
            check(error in (None, errno.EINVAL, errno.ERANGE, errno.ENOENT, errno.ENOSPC),
                  f"seed {SEED}: {text!r}: error {error}", said)
            equal(error is None, loaded(), repr(text))
            if not error:
                tables.agree("tcpstat")
                rmmod()
    finally:
        if not loaded():
            insmod()
    note(f"{taken} taken, {refused} refused")
    check(taken and refused, taken, "taken,", refused, "refused")
