# SPDX-License-Identifier: GPL-2.0
"""tcpports: counters by service port and side, of all sessions that have ended."""

import collections
import os
import socket
import subprocess
import time

from lib import life
from lib.ktap import Workers, check, equal, scaled, test, until
from lib.life import linger, module, stat
from lib.ports import COLUMNS, CONN, FILE, MS, SRTT, parse, read
from lib.scenes import say
from lib.world import PLAIN_USER, Netns, alone, connect, insmod, listener, rmmod, user

INET, INET6 = socket.AF_INET, socket.AF_INET6


def expected(sessions):
    """What the rows of tcplife @sessions are to be counted as."""
    rows = collections.defaultdict(lambda: dict.fromkeys(COLUMNS[2:], 0))
    for session in sessions:
        port = {"acpt": session.lport, "conn": session.rport, None: "*"}[session.role]
        row = rows[session.role or "-", port]
        row["SESSIONS"] += 1
        row[session.end.upper() if session.end else "OTHER"] += 1
        row["TX_B"] += session.tx
        row["RX_B"] += session.rx
        row["RETX"] += session.retx
        row["CONNS"] += session.conn_ms is not None
        row["SRTTS"] += session.srtt_ms is not None
        for name, us, bounds in (("MS", session.ms, MS), ("CONN", session.conn_ms, CONN),
                                 ("SRTT", session.srtt_ms, SRTT)):
            if us is not None:
                row[f"{name}_SUM" if name == "MS" else f"{name}_MS_SUM"] += us
                for bound in bounds:
                    row[f"{name}_LE{bound}"] += us <= 1000 * bound
    return dict(rows)


def same(got, wanted):
    """Fail unless they are the same rows, and say which numbers are not."""
    equal(sorted(map(str, got)), sorted(map(str, wanted)), "rows")
    for side, row in wanted.items():
        wrong = [f"{name} {got[side][name]}, not {number}" for name, number in row.items()
                 if got[side][name] != number]
        check(not wrong, *side, *wrong)


def total(rows):
    """All SESSIONS."""
    return sum(row["SESSIONS"] for row in rows.values())


def refused(count, first=20000):
    """Connect to @count ports where nobody listens, by @first: not to one that a socket may
    get by itself, which would connect to itself.
    """
    for port in range(first, first + count):
        with socket.socket() as sock:
            check(sock.connect_ex(("127.0.0.1", port)), "somebody listens at", port)


def mixed(rounds):
    """Sessions that end in each way that needs no waiting."""
    for number in range(rounds):
        for family in INET, INET6:
            with listener(family) as door:
                client = connect(door)
                server = door.accept()[0]
                say(client, server, 100 * number + 1)
                say(server, client, 5000)
                how = number % 3
                if how == 1:
                    linger(client)
                elif how == 2:
                    linger(server)
                    server.close()
                client.close()
                server.close()
    refused(rounds)


def settled(count):
    """Wait until @count sessions of this namespace have been recorded."""
    until(lambda: stat()["recorded"] >= count, lambda: stat())


@test
def adds_up():
    """Each number is what the rows of tcplife add up to, over a mixed run."""
    with Netns():
        equal(read(), {}, "before anything ended")
        mixed(9)
        with listener(INET) as slow:
            client = connect(slow)
            server = slow.accept()[0]
            # So that it is in another bucket.
            until(lambda: time.monotonic_ns() // 1000 % 20000 > 15000, "some milliseconds")
            say(server, client, 300000)
            client.close()
            server.close()
        settled(2 * 2 * 9 + 9 + 2)
        sessions = life.read()
        wanted = expected(sessions)
        same(read(), wanted)
        equal(total(wanted), stat()["recorded"], "SESSIONS and recorded")
        ends = {end for row in wanted.values() for end in COLUMNS[3:10] if row[end]}
        check(ends >= {"FIN", "RESET", "ABORT", "REFUSED"}, "a poor mixture:", ends)


@test
def columns():
    """Each field is in its column, flush left or flush right."""
    with Netns():
        mixed(3)
        lines = life.slurp(FILE).decode("ascii").split("\n")
        for line in lines[1:-1]:
            equal(line, line.rstrip(), "blanks at the end")
            life.lined_up(lines[0], line)


@test
def ways():
    """Reads of every size give the same bytes."""
    with Netns():
        refused(300)
        whole = life.slurp(FILE)
        equal(whole.count(b"\n"), 301, "lines")
        for size in 1, 100, 4096, 65536:
            check(life.slurp(FILE, size) == whole, "by", size)
        fd = os.open(FILE, os.O_RDONLY)
        for begin in 0, 1, 5000, 40000, len(whole) - 3, len(whole), len(whole) + 7:
            check(os.pread(fd, 3000, begin) == whole[begin:begin + 3000], "pread at", begin)
        check(life.drain(fd, 8000) == whole, "after pread")
        os.lseek(fd, 0, os.SEEK_SET)
        check(life.drain(fd) == whole, "the second pass")
        os.close(fd)


@test
def views():
    """A namespace's own to who reads there, even unprivileged; all to the host's root, and
    what a namespace has counted stays when it goes."""
    one, other = Netns(), Netns()
    ports = []
    before = read()
    for netns in one, other:
        with netns:
            refused(3, 30000)
            with listener(INET) as door:
                ports.append(door.getsockname()[1])
                client = connect(door)
                server = door.accept()[0]
                say(client, server, 1000)
                server.close()
                client.close()
            settled(5)
    for netns, port in zip((one, other), ports):
        with netns:
            mine = read()
            with user(PLAIN_USER):
                equal(read(), mine, "what a plain user reads")
            equal(total(mine), 5, "sessions")
            equal(mine["acpt", port]["RX_B"], 1000, "RX_B")

    def delta():
        now = read()
        return {side: now[side]["SESSIONS"] - before.get(side, {"SESSIONS": 0})["SESSIONS"]
                for side in now}

    def is_all():
        got = delta()
        for port in range(30000, 30003):
            equal(got["conn", port], 2, "refused in both")
        equal(sum(got["acpt", port] for port in set(ports)), 2, "accepted in both")

    is_all()
    with user(PLAIN_USER):
        check(("conn", 30000) not in read() or ("conn", 30000) in before,
              "others' for a plain user")
    last = stat()["recorded"]
    paths = [one.path, other.path]
    one.close()
    other.close()
    until(lambda: not any(map(os.path.exists, paths)), "their end")
    # They go some time after that; and nothing changes before, then, or after.
    for _ in range(scaled(10, 3)):
        is_all()
        subprocess.run(["ip", "netns", "add", "later"], check=True)
        subprocess.run(["ip", "netns", "delete", "later"], check=True)
    is_all()
    check(stat()["recorded"] >= last, "recorded")


@test
def overflow():
    """What has no room is counted without its port, and whoever takes rows leaves some."""
    alone()
    with module("ports=8"):
        with Netns():
            refused(40)
            rows = read()
            equal(total(rows), 40, "SESSIONS")
            equal(stat()["recorded"], 40, "recorded")
            equal({side[0] for side in rows}, {"conn"}, "roles")
            equal(len(rows), 5, "rows: half of them, and *")
            equal(rows["conn", "*"]["REFUSED"], 36, "without a port")
            refused(40)
            again = read()
            equal(set(again), set(rows), "the same rows")
            equal(again["conn", "*"]["REFUSED"], 72, "without a port")
            with listener(INET) as door:
                connect(door).close()
                door.accept()[0].close()
                settled(82)
                check(("acpt", door.getsockname()[1]) in read(), "no row for the other side")
        with Netns():
            refused(1, 100)
            equal([*read()], [("conn", 100)], "no row for another namespace")
        whole = read()
        equal(total(whole), stat()["recorded"], "all of it")
        # Made and gone, over and over: the rows of those that went are no more.
        for number in range(12):
            with Netns() as netns:
                refused(4, 1000 + 10 * number)
            netns.close()
        until(lambda: stat()["recorded"] == 40 + 40 + 2 + 1 + 48, lambda: stat())
        equal(total(read()), stat()["recorded"], "all of it")
        check(len(read()) <= 8 + 2, "too many rows:", [*read()])


@test
def old_ones():
    """What is older than the module has no service port that could be known."""
    with Netns():
        rmmod()
        with listener(INET) as door:
            client = connect(door)
            server = door.accept()[0]
            say(client, server, 10)
        insmod()
        equal(read(), {}, "anew")
        client.close()
        server.close()
        settled(2)
        same(read(), expected(life.read()))
        equal([*read()], [("-", "*")], "its rows")


@test
def storm():
    """While namespaces come, count and go, what is read only grows."""
    def worker(number):
        def play(stopping):
            done = 0
            while not stopping():
                with Netns() as netns:
                    refused(6, 15000 + 3 * number)
                netns.close()
                done += 1
            return done
        return play

    def reader(size):
        def play(stopping):
            last, passes = {}, 0
            while not stopping():
                rows = parse(life.slurp(FILE, size).decode("ascii"))
                for side, row in last.items():
                    check(side in rows, side, "is no more")
                    less = [name for name in row if rows[side][name] < row[name]]
                    check(not less, side, "has less", less)
                last, passes = rows, passes + 1
            return passes
        return play

    before = {side: row["SESSIONS"] for side, row in read().items()}
    start = stat()["recorded"]
    with Workers(worker(0), worker(1), reader(1 << 20), reader(700)) as workers:
        until(lambda: stat()["recorded"] >= start + scaled(1000, 150), stat)
        workers.rounds(3)
    done = workers.answers
    rows = read()
    for port, times in ((15000, done[0]), (15001, done[0]), (15003, done[0] + done[1]),
                        (15008, done[1])):
        equal(rows["conn", port]["SESSIONS"] - before.get(("conn", port), 0), times,
              "sessions to", port)
