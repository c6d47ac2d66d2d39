# SPDX-License-Identifier: GPL-2.0
"""However a table is read, it is the same table.

First a system that stands still: thousands of rows, or thousands in a single
hash bucket, read in every way there is. Then one that doesn't: sockets come and
go by the thousand, and those that stay are in every pass exactly once.
"""

import os
import random
import socket
import subprocess

from lib import tables
from lib.ktap import (LONG, Failed, Workers, cases, check, equal, note, scaled,
                      test)
from lib.tables import ROW, TABLES, slurp
from lib.world import Netns, connect, listener, pair, udp
from guest.stat.options import set_much

INET, INET6 = socket.AF_INET, socket.AF_INET6
BUFFER = 128 * 1024     # the sizes around it are where a batch ends


def grouped(sock):
    """Let others have the same port."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def crowd(count):
    """@count rows or more in each table."""
    kept = []
    for family in INET, INET6:
        with listener(family, 64) as door:
            for _ in range(count * 3 // 8):
                client = connect(door)
                kept += [client, door.accept()[0]]
        kept += [listener(family) for _ in range(count // 4)]
        kept += [udp(family) for _ in range(count)]
    return kept


def one_port(make, family, count):
    """@count sockets in one hash bucket."""
    first = make(family, setup=grouped)
    return [first] + [make(family, setup=grouped, port=first.getsockname()[1])
                      for _ in range(count - 1)]


# The ways to read: each makes the contents of a file from its path.

def by(size):
    """Reads of @size bytes, and some more at the end."""
    def read(path):
        fd = os.open(path, os.O_RDONLY)
        try:
            text = tables.drain(fd, size)
            for _ in range(3):
                equal(os.read(fd, size), b"", "a read at the end")
            return text
        finally:
            os.close(fd)
    return read


def by_few(size, stretch=None if LONG else 7000):
    """Reads of a few bytes, by dd, since there are so many of them: in three stretches, at
    both ends and where a buffer ends, with large ones between them; or everywhere.
    """
    def few(fd, count):
        return subprocess.run(["dd", f"ibs={size}", "obs=64k", f"count={count // size}",
                               "status=none"], check=True, stdin=fd,
                              stdout=subprocess.PIPE).stdout

    def read(path):
        end = len(slurp(path))
        fd = os.open(path, os.O_RDONLY)
        try:
            if not stretch:
                return few(fd, end + size)
            text = few(fd, stretch)
            for begin in BUFFER - stretch // 2, end - stretch:
                while len(text) < begin and (part := os.read(fd, begin - len(text))):
                    text += part
                text += few(fd, stretch)
            # What has been added since.
            return text + tables.drain(fd, size)
        finally:
            os.close(fd)
    return read


def by_uneven_sizes(path):
    """Reads of all sizes, on one descriptor."""
    sizes = random.Random(7)
    parts = []
    fd = os.open(path, os.O_RDONLY)
    try:
        while part := os.read(fd, sizes.choice((1, 100, 4096, 70000,
                                                BUFFER - 1, BUFFER + 1))):
            parts.append(part)
    finally:
        os.close(fd)
    return b"".join(parts)


def by_pread(path):
    """pread from the front to the back."""
    text = b""
    fd = os.open(path, os.O_RDONLY)
    try:
        while part := os.pread(fd, 50000, len(text)):
            text += part
    finally:
        os.close(fd)
    return text


def after_a_rewind(path):
    """A second pass, after the first was left in the middle."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.read(fd, 10000)
        os.lseek(fd, 0, os.SEEK_SET)
        first = tables.drain(fd, 1 << 20)
        os.lseek(fd, 0, os.SEEK_SET)
        second = tables.drain(fd, 4096)
        equal(second == first, True, "the second pass is the first")
        return second
    finally:
        os.close(fd)


def by_two_at_once(path):
    """Two descriptors read in turns, with sizes that differ."""
    # Both are not opened at one moment: on a slow machine a TIME_WAIT entry may end.
    for _ in range(3):
        mine, other = two_at_once(path)
        if mine == other:
            break
    check(mine == other, "the two readers differ")
    return mine


def two_at_once(path):
    """What two descriptors give that are read in turns."""
    one, two = os.open(path, os.O_RDONLY), os.open(path, os.O_RDONLY)
    try:
        mine, other = [b"-"], [b"-"]
        while mine[-1] or other[-1]:
            mine.append(os.read(one, 4096))
            other.append(os.read(two, 30000))
        return b"".join(mine)[1:], b"".join(other)[1:]
    finally:
        os.close(one)
        os.close(two)


def by_two_who_share(path):
    """Two descriptions' worth of reads on one, as a dup has it."""
    one = os.open(path, os.O_RDONLY)
    two = os.dup(one)
    parts = [b"-"]
    try:
        while parts[-1]:
            parts.append(os.read(one, 5000) + os.read(two, 5000))
        return b"".join(parts)[1:]
    finally:
        os.close(one)
        os.close(two)


WAYS = {
    "1 byte": by_few(1),
    "7 bytes": by_few(7),
    "4 KiB": by(4096),
    "64 KiB and 1": by(65537),
    "128 KiB": by(BUFFER),
    "uneven sizes": by_uneven_sizes,
    "pread": by_pread,
    "rewind": after_a_rewind,
    "two readers": by_two_at_once,
    "a shared descriptor": by_two_who_share,
}


def ways_agree(table_names, more_than):
    """Every way to read gives the bytes of reads of 1 MiB."""
    def one(case):
        table, way = case.split(" by ")
        text = WAYS[way](f"/proc/net/{table}")
        if text != whole[table]:
            raise Failed(difference(text, whole[table]))

    whole = {}
    for table in table_names:
        tables.agree(table)
        whole[table] = text = slurp(f"/proc/net/{table}")
        note(f"{table}: {text.count(10)} lines, {len(text)} bytes")
        check(len(text) > more_than, "too few rows to test with")
    cases([f"{table} by {way}" for table in table_names for way in WAYS], one)
    for table in table_names:
        pieces(f"/proc/net/{table}", whole[table])
        equal(slurp(f"/proc/net/{table}") == whole[table], True,
              "the system stood still")


def every_way(path, whole):
    """Fail unless the file at @path reads as @whole, whichever way."""
    for name, way in WAYS.items():
        text = way(path)
        check(text == whole, name, difference(text, whole))
    pieces(path, whole)


def difference(text, whole):
    """Where @text is not @whole."""
    for number, (got, wanted) in enumerate(zip(text.splitlines(),
                                               whole.splitlines())):
        if got != wanted:
            return f"line {number}: {got!r}, not {wanted!r}"
    return f"{len(text)} bytes, not {len(whole)}"


def pieces(path, whole):
    """pread and lseek to any place, in any order."""
    size = len(whole)
    first = whole.index(b"\n") + 1
    places = [size - 1, 0, first, size, 1, first - 1, size + 1, BUFFER,
              BUFFER - 1, BUFFER + 1, size // 2, size + 10 ** 9]
    places += [random.Random(5).randrange(size) for _ in range(4)]
    fd = os.open(path, os.O_RDONLY)
    try:
        for place in places:
            equal(os.pread(fd, 300, place), whole[place:place + 300],
                  "pread at", place)
        os.lseek(fd, size // 3, os.SEEK_SET)
        equal(os.read(fd, 100), whole[size // 3:][:100], "after lseek")
        equal(os.pread(fd, 100, 5), whole[5:105], "pread in between")
        equal(os.read(fd, 100), whole[size // 3 + 100:][:100], "and on")
        os.lseek(fd, 50, os.SEEK_CUR)
        equal(os.read(fd, 100), whole[size // 3 + 250:][:100], "SEEK_CUR")
    finally:
        os.close(fd)


@test
def thousands_of_rows():
    """Every way to read, with rows all over the hash tables."""
    with Netns():
        kept = crowd(scaled(1000, 1000, long=4000))
        ways_agree(("tcp6stat", "udpstat"), scaled(1, 1, long=4) * BUFFER)
        del kept


@test
def thousands_in_a_bucket():
    """Every way to read, with more rows in a bucket than a buffer holds."""
    count = scaled(1000, 1000, long=4000)
    with Netns():
        kept = one_port(listener, INET, count) + one_port(udp, INET6, count)
        ways_agree(("tcpstat", "udp6stat"), BUFFER)
        del kept


@test
def rows_of_every_length():
    """Batches of rows that differ much in length, some of them huge."""
    with Netns():
        kept = []
        for number in range(scaled(500, 500, long=2000)):
            for sock in udp(INET6, address="::"), listener(INET6, address="::"):
                kept.append(sock)
                if number % 5 == 0:
                    set_much(sock)
        for table in "tcp6stat", "udp6stat":
            whole = slurp(f"/proc/net/{table}")
            check(len(whole) > BUFFER, "too few rows")
            for size in 100, 4096, BUFFER:
                check(by(size)(f"/proc/net/{table}") == whole, "by", size)
            tables.agree(table)


def long_lived(count):
    """Sockets that stay: by table, the inodes that have to be there."""
    kept, inodes, ports = [], {}, {}
    for family, six in ((INET, ""), (INET6, "6")):
        tcp = [listener(family) for _ in range(count)]
        for _ in range(count):
            tcp += pair(family)
        tcp += (crowded := one_port(listener, family, count))
        datagrams = [udp(family) for _ in range(2 * count)]
        datagrams += (shared := one_port(udp, family, count))
        ports[family] = [(listener, crowded[0].getsockname()[1]),
                         (udp, shared[0].getsockname()[1])]
        for name, those in (("tcp", tcp), ("udp", datagrams)):
            inodes[f"{name}{six}stat"] = {
                os.fstat(sock.fileno()).st_ino for sock in those}
            kept += those
    return kept, inodes, ports


def churner(shared):
    """A worker that makes and closes sockets, some on the ports of @shared."""
    def churn(stopping):
        made = 0
        while not stopping():
            sockets = []
            for family in INET, INET6:
                sockets += [udp(family) for _ in range(20)]
                sockets += [listener(family) for _ in range(10)]
                for make, port in shared[family]:
                    sockets += [make(family, setup=grouped, port=port)
                                for _ in range(10)]
                for _ in range(10):
                    sockets += pair(family)
            made += len(sockets)
            random.shuffle(sockets)
            for sock in sockets:
                sock.close()
        return made
    return churn


def passer(size, inodes, passes):
    """A reader that makes @passes over all tables by reads of @size."""
    def read(_):
        for number in range(passes):
            for table in TABLES:
                one_pass(table, size, inodes[table], number)
        return passes
    return read


def one_pass(table, size, wanted, number):
    """Read @table: lines well formed, each of @wanted there exactly once."""
    lines = by(size)(f"/proc/net/{table}").decode("ascii").split("\n")
    equal(lines.pop(), "", "after the last line")
    equal(lines[0].split(), tables.COLUMNS, "header")
    seen = []
    for line in lines[1:]:
        match = ROW.fullmatch(line)
        check(match, "malformed:", repr(line))
        if int(match[9]) in wanted:
            seen.append(int(match[9]))
    missing = wanted - set(seen)
    where = f"pass {number} of {table} by {size}: of {len(wanted)} sockets"
    check(not missing, where, len(missing), "are missing")
    check(len(seen) == len(wanted), where, len(seen) - len(wanted),
          "came twice")


@test
def churn():
    """Sockets come and go by the thousand while 4 readers read."""
    with Netns():
        kept, inodes, shared = long_lived(scaled(100, 40, long=500))
        passes = scaled(6, 6, long=50)
        with Workers(churner(shared), churner(shared)) as churners:
            with Workers(*(passer(size, inodes, passes) for size in
                           (512, 4096, BUFFER, 1 << 20))):
                churners.rounds(2)
        note(f"{sum(churners.answers)} sockets came and went")
        del kept


@test
def readers_of_one_file():
    """Three processes read one open file: each byte goes to one of them."""
    with Netns():
        kept = [udp(INET) for _ in range(1200)]
        path = "/proc/net/udpstat"
        whole = slurp(path)
        fd = os.open(path, os.O_RDONLY)

        def reader(_):
            return len(tables.drain(fd, 1000))
        with Workers(reader, reader, reader) as readers:
            pass
        equal(sum(readers.answers), len(whole), "bytes read by all")
        os.close(fd)
        del kept
