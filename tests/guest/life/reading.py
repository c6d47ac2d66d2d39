# SPDX-License-Identifier: GPL-2.0
"""However tcplife is read, and by whom, it is the same: to who may see it.

Reads of every size, reads that go on where the last ones ended, readers that
wait, that fall behind, that may see less than others; and what the module's
parameters make of the ring and the table of live sessions.
"""

import contextlib
import errno
import os
import select
import socket
import subprocess

from lib import life
from lib.agents import Agents
from lib.ktap import (Workers, cases, check, equal, in_child, note, test,
                      until)
from lib.life import FILE, STAT, Follower, drain, module, read, slurp, stat
from lib.world import (LIBC, PLAIN_USER, Kmsg, Netns, alone, enter_userns,
                       insmod, listener, lo_up, pair, rmmod, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
OVERFLOW_UID = 65534


def sessions(count, family=INET):
    """Play @count sessions that are over, or nearly so."""
    with listener(family, 64) as door:
        address = door.getsockname()
        for _ in range(count):
            with socket.socket(family) as client:
                client.connect(address)
                door.accept()[0].close()


def numbers(rows, first=None):
    """Fail unless SEQ of @rows goes up by one each (from @first)."""
    got = [row.seq for row in rows]
    first = got[0] if first is None and got else first
    equal(got, list(range(first or 0, (first or 0) + len(got))), "SEQ")


def recorded(count):
    """Play @count sessions, and wait until they are recorded."""
    total = stat()["recorded"] + 2 * count
    sessions(count)
    until(lambda: stat()["recorded"] == total, "the last row")


def played(count, follower=None):
    """The Rows of @count sessions."""
    follower = follower or Follower()
    sessions(count)
    return follower.take(2 * count)


@test
def ways():
    """Every way to read gives the bytes of one big read."""
    from guest.stat.reading import BUFFER, WAYS, difference, pieces

    def one(name):
        text = WAYS[name](FILE)
        check(text == whole, difference(text, whole))

    with Netns():
        played(400)
        whole = slurp()
        numbers(life.parse(whole.decode("ascii")), 1)
        check(len(whole) > BUFFER, "too few rows to test with")
        cases(WAYS, one)
        pieces(FILE, whole)
        equal(slurp() == whole, True, "nothing has changed")
        kept = stat()
        for size in 1, 7, 4096, 1 << 20:
            equal(slurp(STAT, size), slurp(STAT), "stat by", size)
        equal(stat(), kept, "nothing of that is counted")


@test
def columns():
    """Each field is in its column, to the left or to the right of it."""
    with Netns():
        for family in INET, INET6:
            played(1) if family == INET else None
            sessions(1, family)
        follower = Follower()
        client = socket.socket()
        client.connect_ex(("127.0.0.1", 1))
        client.close()
        follower.take(1)
        lines = slurp().decode("ascii").split("\n")
        equal(lines[0].split(), life.COLUMNS, "header")
        for line in lines[1:-1]:
            equal(line.split(" ")[-1] != "", True, "a blank at the end")
            if "::" in line:
                continue        # wider than what is reserved for IPv4
            life.lined_up(lines[0], line)
            equal(len(line) - len(line.split()[-1]), lines[0].index("END"),
                  "where END begins")


@test
def tail_and_tac():
    """Programs that read a file backwards fall back to reading it forwards."""
    with Netns():
        played(3)
        lines = slurp().decode().splitlines()
        for command, want in ((["tail", "-n", "2"], lines[-2:]),
                              (["tail", "-c", "+1"], lines),
                              (["tac"], lines[::-1])):
            done = subprocess.run([*command, FILE], capture_output=True, text=True,
                                  check=True)
            equal((done.stdout.splitlines(), done.stderr), (want, ""), command)


@test
def following():
    """A read that returned 0 is followed by one that goes on."""
    with Netns():
        empty = Follower(from_start=True)
        equal(drain(empty.fd).decode().split(), life.COLUMNS, "an empty ring")
        equal(os.read(empty.fd, 100), b"", "again")
        empty.header = False
        end = Follower()
        first = played(3)
        equal([row.line for row in end.now()], [row.line for row in first],
              "from SEEK_HOLE on")
        equal([row.line for row in empty.now()], [row.line for row in first],
              "after a read of 0")
        numbers(first, 1)
        for _ in range(2):
            equal((end.now(), empty.now()), ([], []), "news")
        second = played(2)
        equal([row.line for row in end.now()], [row.line for row in second],
              "and on")
        numbers(second, 7)
        # back to the start: header and all of it, once
        for back in (lambda: os.lseek(end.fd, 0, os.SEEK_SET),
                     lambda: os.lseek(end.fd, -os.lseek(end.fd, 0, os.SEEK_CUR),
                                      os.SEEK_CUR)):
            equal(back(), 0, "lseek")
            equal(drain(end.fd), slurp(), "from the start")
            equal(end.now(), [], "news")
        # SEEK_HOLE skips, without a row, and keeps what comes then
        equal(os.lseek(empty.fd, 0, os.SEEK_HOLE) > 0, True, "SEEK_HOLE")
        third = played(1)
        equal([row.line for row in empty.now()], [row.line for row in third],
              "after SEEK_HOLE")
        for whence, offset, want in [(os.SEEK_HOLE, -1, errno.ENXIO)] + [
                (os.SEEK_END, offset, errno.EINVAL) for offset in (0, 1, -1, 1 << 40)]:
            try:
                os.lseek(empty.fd, offset, whence)
                raise AssertionError(f"lseek({offset}, {whence})")
            except OSError as error:
                equal(error.errno, want, f"lseek({offset}, {whence})")
        equal(empty.now(), [], "nothing has moved")


@test
def following_in_pieces():
    """Reads of a few bytes while more comes: no row is torn or comes twice."""
    def follow(size):
        def work(stopping):
            follower = Follower(size=size, from_start=True)
            text = b""
            while True:
                over = stopping()       # and then all there is
                while part := os.read(follower.fd, size):
                    text += part
                if over:
                    return text
                follower.ready(0.2)
        return work

    with Netns():
        end = Follower()
        with Workers(*(follow(size) for size in
                       (1, 7, 100, 4096, 1 << 20))) as followers:
            sessions(30)
            end.take(60)
        whole = slurp()
        numbers(life.parse(whole.decode("ascii")), 1)
        for text in followers.answers:
            equal(text == whole, True, "what a follower has read")


@test
def several_paces():
    """Readers at their own pace: each gets every row."""
    with Netns():
        followers = [Follower(from_start=True) for _ in range(4)]
        got = [[] for _ in followers]
        kinds = (1, 2, 5, 100)
        for turn in range(10):
            played(2)
            for number, pace in enumerate(kinds):
                if turn % pace == 0:
                    got[number] += followers[number].now()
        for number, follower in enumerate(followers):
            got[number] += follower.now()
            equal([row.line for row in got[number]],
                  [row.line for row in read()], "reader", number)


@test
def waiting():
    """poll: ready when there is more, and not when it is somebody else's."""
    here, there = Netns(), Netns()
    with here:
        follower = Follower()
        check(not follower.ready(), "ready without a row")
        new = os.open(FILE, os.O_RDONLY)
        poll = select.poll()
        poll.register(new, select.POLLIN)
        check(poll.poll(0), "a file not yet read isn't ready")
        os.read(new, 10)
        check(poll.poll(0), "a header half read isn't ready")
        drain(new)
        check(not poll.poll(0), "ready at the end")
        with there:
            played(3)
        check(not follower.ready(), "ready for another namespace's rows")
        sessions(1)
        check(follower.ready(10), "not ready for a row")
        check(follower.ready(), "nor later")
        follower.take(2)
        check(not follower.ready(), "ready when all is read")
        sessions(1)
        while not poll.poll(10000):
            pass
        text = b""
        while part := os.read(new, 20):     # in pieces, ready all the while
            text += part
            check(poll.poll(0) or text.endswith(b"\n"), "not ready in a row")
        os.lseek(new, 0, os.SEEK_HOLE)
        check(not poll.poll(0), "ready after SEEK_HOLE")
        os.lseek(new, 0, os.SEEK_SET)
        check(poll.poll(0), "not ready after SEEK_SET")
        os.close(new)


@test
def asleep():
    """poll, select and epoll sleep until a row of their view comes."""
    def sleeper(how):
        def work(line, path):
            fd = os.open(path, os.O_RDONLY)
            os.lseek(fd, 0, os.SEEK_HOLE)
            line.say()
            if how == "poll":
                poll = select.poll()
                poll.register(fd, select.POLLIN | select.POLLRDNORM)
                equal(poll.poll(), [(fd, select.POLLIN | select.POLLRDNORM)],
                      "poll")
            elif how == "select":
                equal(select.select([fd], [], []), ([fd], [], []), "select")
            elif how == "epoll":
                epoll = select.epoll()
                epoll.register(fd, select.EPOLLIN)
                equal(epoll.poll(), [(fd, select.EPOLLIN)], "epoll")
            else:
                epoll = select.epoll()
                epoll.register(fd, select.EPOLLIN | select.EPOLLET)
                equal(epoll.poll(), [(fd, select.EPOLLIN)], "epoll")
                # A session has two ends, each of which may be an edge.
                if epoll.poll(0):
                    equal(epoll.poll(0), [], "epoll's edge, not level")
            line.say(drain(fd))
            os.close(fd)
        return work

    hows = ("poll", "select", "epoll", "edge")
    with Netns() as netns:
        end = Follower()
        sleepers = [life.Process(how, sleeper(how), FILE) for how in hows]
        for process in sleepers:
            process.hear()
        other = Netns()
        with other:
            played(1)
        sessions(1)
        rows = end.take(2)
        for process in sleepers:
            text = process.hear().decode("ascii")
            lines = [row.line for row in rows]
            check(text and lines[0] == text.split("\n")[0], process.name,
                  "woke up to", repr(text), "and not to", lines)
            process.end()
        del netns


@test
def edge_by_edge():
    """An edge-triggered epoll tells of each row that comes later."""
    with Netns():
        follower = Follower()
        epoll = select.epoll()
        epoll.register(follower.fd, select.EPOLLIN | select.EPOLLET)
        equal(epoll.poll(0), [], "at first")
        for _ in range(3):
            played(1)
            check(epoll.poll(10), "no edge")
            while epoll.poll(0):        # the second row may have been late
                pass
        follower.take(6)
        equal(epoll.poll(0), [], "all is read")


# Who sees what

def lines(rows):
    """Their texts."""
    return [row.line for row in rows]


@test
def views():
    """Each namespace has its rows and numbers; the first one's root has all."""
    alone()
    one, other = Netns(), Netns()
    everything, mine = Follower(), []
    inodes = {}
    with one:
        first = Follower()
        inodes[life.netns_inode()] = "one"
    with other:
        second = Follower()
        inodes[life.netns_inode()] = "other"
    here = life.netns_inode()
    inodes[here] = "here"

    def unprivileged():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        return read()

    before = in_child(unprivileged)
    for number in range(4):
        with one:
            sessions(number)
        with other:
            sessions(1)
        sessions(2)
    rows = everything.take(2 * (6 + 4 + 8))
    by_view = {name: [row for row in rows if inodes.get(row.netns) == name]
               for name in inodes.values()}
    equal({name: len(some) for name, some in by_view.items()},
          {"one": 12, "other": 8, "here": 16}, "rows")
    numbers(rows)
    equal(lines(rows), lines(read()[-len(rows):]), "all again")

    def but_seq(some):
        return [line.split()[1:] for line in lines(some)]

    for netns, follower, name in ((one, first, "one"), (other, second, "other")):
        with netns:
            mine = read()
            numbers(mine, 1)
            equal(lines(follower.now()), lines(mine), "followed")
            equal(but_seq(mine), but_seq(by_view[name]), "rows of", name)
            equal(stat(), {"recorded": len(mine), "overwritten": 0,
                           "dropped": 0, "untracked": 0, "tracked": 0}, "stat")
    after = in_child(unprivileged)
    numbers(after)
    equal([row.netns for row in after], [here] * len(after), "namespaces")
    equal(len(after) - len(before), 16, "rows to who may only see one view")
    equal([row[3:] for row in after[-16:]],
          [row._replace(pid=None, comm=None, by=None)[3:-1] + (new.line,)
           for row, new in zip(by_view["here"], after[-16:])],
          "rows without their processes")


@test
def through_another_process():
    """/proc/PID/net/tcplife is that process's namespace's view."""
    netns = Netns()
    with netns:
        played(2)
        whole = slurp()
        fd = os.open(FILE, os.O_RDONLY)
    equal(drain(fd), whole, "an open file stays with its namespace")

    def stay(stopping):
        with netns:
            os.write(told, b"x")
            while not stopping():
                select.select([], [], [], 0.02)

    hear, told = os.pipe()
    with Workers(stay) as workers:
        os.read(hear, 1)
        equal(slurp(f"/proc/{workers.children[0][0]}/net/tcplife"), whole,
              "through /proc/PID")


def with_capabilities(*setpriv):
    """The Rows that a plain user reads, or another that setpriv(1) makes."""
    done = subprocess.run(["setpriv", *setpriv, "cat", FILE], check=True,
                          stdout=subprocess.PIPE)
    return life.parse(done.stdout.decode("ascii"))


@test
def capabilities():
    """CAP_NET_ADMIN over the namespace is what shows whose a session was."""
    plain = [f"--reuid={PLAIN_USER}", "--clear-groups"]
    net_admin = ["--inh-caps=+net_admin", "--ambient-caps=+net_admin"]
    others = ["--inh-caps=+net_raw,+sys_admin,+sys_ptrace",
              "--ambient-caps=+net_raw,+sys_admin,+sys_ptrace"]
    # without it root sees its own user's, and so no more than any user does
    no_admin = ["--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    nobody = {(None, None, None)}

    def who(rows):
        return {row.who for row in rows}

    with Netns():
        with user(PLAIN_USER + 1):
            rows = played(1)
        equal({row.uid for row in rows}, {PLAIN_USER + 1}, "UID")
        everything = who(rows)
        check(nobody.isdisjoint(everything), "seen by root", rows)
        equal(who(with_capabilities(*plain)), nobody, "a user")
        equal(who(with_capabilities(*plain, *net_admin)), everything,
              "a user with CAP_NET_ADMIN")
        equal(who(with_capabilities(*plain, *others)), nobody,
              "a user with others")
        equal(who(with_capabilities(*no_admin)), nobody, "root without it")
        equal(who(with_capabilities(f"--reuid={PLAIN_USER + 1}",
                                    "--clear-groups")), everything,
              "their own user")

    # The same in the first namespace: one view, or all of them.
    other = Netns()
    inode = os.fstat(other.fd).st_ino
    with other:
        played(1)
    check(inode in {row.netns for row in read()}, "root sees not all")
    check(inode in {row.netns for row in
                    with_capabilities(*plain, *net_admin)},
          "CAP_NET_ADMIN sees not all")
    for some in (plain, plain + others, no_admin):
        check(inode not in {row.netns for row in with_capabilities(*some)},
              some, "sees another namespace")


@test
def the_openers():
    """What a descriptor shows does not depend on whose hands it is in."""
    def inside():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        return drain(opened_by_root)

    with Netns():
        with user(PLAIN_USER):
            opened_plain = os.open(FILE, os.O_RDONLY)
        opened_by_root = os.open(FILE, os.O_RDONLY)
        rows = played(1)
        for _ in range(2):
            hidden = life.parse(drain(opened_plain).decode("ascii"))
            equal({row.who for row in hidden}, {(None, None, None)},
                  "opened by a user, read by root")
            os.lseek(opened_plain, 0, os.SEEK_SET)
        text = in_child(inside).decode("ascii")
        equal(lines(life.parse(text)), lines(rows),
              "opened by root, read by a user")
    # a view, too, is the opener's
    with user(PLAIN_USER):
        opened_plain = os.open(FILE, os.O_RDONLY)
        os.lseek(opened_plain, 0, os.SEEK_HOLE)
    opened_by_root = os.open(FILE, os.O_RDONLY)
    os.lseek(opened_by_root, 0, os.SEEK_HOLE)
    other = Netns()
    with other:
        played(1)
    equal(drain(opened_plain), b"", "another namespace's, by a user")
    equal(in_child(inside).count(b"\n"), 2, "another namespace's, by root")
    for fd in opened_plain, opened_by_root:
        os.close(fd)


@test
def user_namespaces():
    """Root of a user namespace: all of its own network, in its own UIDs."""
    def owner():
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 1")
        os.unshare(os.CLONE_NEWNET)
        lo_up()
        rows = played(1)
        with user(5):
            rows += played(1)
        equal([(row.uid, row.pid, row.by) for row in rows],
              [(0, os.getpid(), row.by) for row in rows[:2]] +
              [(5, os.getpid(), row.by) for row in rows[2:]], "as its root")
        check(None not in [row.by for row in rows], "BY")
        numbers(rows, 1)
        return rows

    def stranger():
        """Root of a user namespace, in a network that isn't its own."""
        enter_userns(f"0 0 1\n5 {PLAIN_USER} 1")
        return read()

    in_child(owner)
    with Netns():
        follower = Follower()
        for uid in 0, PLAIN_USER, PLAIN_USER + 1:
            with user(uid):
                sessions(1)
        rows = follower.take(6)
        equal(sorted(row.uid for row in rows),
              sorted(2 * [0, PLAIN_USER, PLAIN_USER + 1]), "UIDs")
        seen = in_child(stranger)
        equal(sorted(row.uid for row in seen),
              sorted(2 * [0, 5, OVERFLOW_UID]), "UIDs, munged")
        equal({row.who for row in seen if row.uid}, {(None, None, None)},
              "processes that a stranger sees")
    seen = in_child(stranger)       # in the first namespace, but not as root
    equal({row.netns for row in seen} | {life.netns_inode()},
          {life.netns_inode()}, "namespaces that it sees")


# The module's parameters

def parameter(name):
    """What the module says of a parameter."""
    with open(f"/sys/module/knetstat/parameters/{name}",
              encoding="ascii") as file:
        return int(file.read())


@test
def small_ring():
    """64 rows: a reader that falls behind sees a gap in SEQ, no bad row."""
    alone()
    with module("records=50"):
        equal(parameter("records"), 64, "records, rounded up")
        one, other = Netns(), Netns()
        with one:
            late = Follower(from_start=True, size=4096)
            half = os.open(FILE, os.O_RDONLY)
            recorded(10)
            equal(stat(), {"recorded": 20, "overwritten": 0, "dropped": 0,
                           "untracked": 0, "tracked": 0}, "stat")
            early = os.read(half, 500)
            recorded(50)
            rows = read()
            numbers(rows, 120 - 64 + 1)
            equal(len(rows), 64, "rows")
            equal(stat()["recorded"], 120, "recorded")
            equal(stat()["overwritten"], 120 - 64, "overwritten")
            equal(lines(late.now()), lines(rows), "who comes late")
            # The pass in whose middle it was ends with what it had by then.
            begun = (early + drain(half)).decode("ascii")
            numbers(life.parse(begun), 1)
            after = life.parse(begun + drain(half).decode("ascii"))
            equal(lines(after[-64:]), lines(rows), "the next pass")
            check(len(after) < 64 + 20, "rows that were overwritten")
            os.close(half)
            with other:
                recorded(20)          # it pushes out those of the first
            equal(stat()["overwritten"], 120 - 24, "overwritten by others'")
            rows = read()
            numbers(rows, 97)
            equal(len(rows), 24, "rows that are left")
            behind = Follower()
            sessions(1)
            check(behind.ready(10), "not ready")
            with other:
                recorded(40)          # all of the first one's are gone
            equal(read(), [], "rows")
            check(behind.ready(), "not ready for the rows that are gone")
            equal(behind.now(), [], "rows that are gone")
            check(not behind.ready(), "ready for ever")
            rows = played(1, behind)
            equal([row.seq for row in rows], [123, 124], "SEQ after a gap")
            equal(stat(), {"recorded": 124, "overwritten": 122, "dropped": 0,
                           "untracked": 0, "tracked": 0}, "stat")
        with other:
            numbers(read(), 59)
            equal(len(read()), 62, "rows of the other")
        everything = read()
        numbers(everything)
        equal(len(everything), 64, "rows of all")
        total = stat()
        equal(total["recorded"] - total["overwritten"], 64, "rows of all")


@test
def smallest_ring():
    """One row."""
    alone()
    with module("records=1 sessions=1"):
        equal(parameter("records"), 1, "records")
        with Netns():
            follower = Follower()
            sessions(5)
            rows = follower.now()
            while stat()["recorded"] < 10:
                follower.ready(0.1)
                rows += follower.now()
            rows += follower.now()
            check(rows[-1].seq == 10, "the last one", lines(rows))
            equal([row.seq for row in rows],
                  sorted({row.seq for row in rows}), "SEQ")
            equal(len(read()), 1, "rows")


@test
def small_table():
    """More sessions than there is room for: MS is "-", and they're counted."""
    alone()
    with module("sessions=3"):
        equal(parameter("sessions"), 4, "sessions, rounded up")
        with Netns():
            follower = Follower()
            kept = []
            for number in range(40):
                client, server = pair(INET)
                client.sendall(b"x" * number)
                life.receive(server, number)
                kept.append((client, server))
            counted = stat()
            equal(counted["tracked"] + counted["untracked"], 80,
                  "tracked and untracked")
            check(counted["tracked"] >= 4, "tracked", counted)
            note(f"{counted['tracked']} tracked, of 4 asked for")
            sizes = {}
            for number, (client, server) in enumerate(kept):
                sizes[client.getsockname()[1]] = (number, 0)
                sizes[client.getpeername()[1]] = (0, number)
                client.close()
                server.close()
            rows = follower.take(80)
            numbers(rows)
            equal({row.lport: (row.tx, row.rx) for row in rows}, sizes,
                  "bytes")
            unknown = [row for row in rows if row.ms is None]
            equal(len(unknown), counted["untracked"], "rows without MS")
            equal({(row.role, row.conn_ms) for row in unknown}, {(None, None)},
                  "ROLE and CONN_MS of those")
            equal({row.role for row in rows if row.ms is not None} -
                  {"conn", "acpt"}, set(), "ROLE of the others")
            equal({row.end for row in rows}, {"fin"}, "END")
            after = stat()
            equal((after["tracked"], after["untracked"]),
                  (0, counted["untracked"]), "at the end")
            rows = played(2, follower)      # there is room again
            check(None not in [row.ms for row in rows], "MS", lines(rows))


@test
def recording_off():
    """records=0: the files are there, and empty."""
    with module("records=0"):
        equal(parameter("records"), 0, "records")
        with Netns():
            follower = Follower(from_start=True)
            equal(read(), [], "rows")
            follower.now()
            sessions(3)
            kept = pair(INET)
            equal(read(), [], "rows")
            equal(set(stat().values()), {0}, "stat", stat())
            check(not follower.ready(), "ready")
            equal(follower.now(), [], "rows")
            del kept
        equal((read(), set(stat().values())), ([], {0}), "of all namespaces")


BAD = ("records=99999999", "sessions=0", "records=abc", "records=-1",
       "sessions=99999999", "records=4294967296", "records=", "sessions=x1",
       "records=4194305", "ports=0", "ports=16385", "ports=-1", "ports=x", "ports=")


@test
def bad_parameters():
    """EINVAL and one line in the log, and nothing is left behind."""
    def one(parameters):
        log = Kmsg()
        try:
            insmod(parameters=parameters)
            rmmod()
            raise AssertionError("loaded")
        except OSError as error:
            check(error.errno in (errno.EINVAL, errno.ERANGE), error)
        said = [line for line in log.lines() if "knetstat:" in line]
        equal(len(said), 1, "lines in the log", said)
        check(parameters.split("=")[0] in said[0], said)
        check(not os.path.exists(FILE) and not os.path.exists(STAT),
              "files were left behind")

    rmmod()
    try:
        cases(BAD, one)
    finally:
        insmod()


@test
def counters():
    """stat/tcplife counts what there is, for whom it is asked."""
    one, other = Netns(), Netns()
    with one:
        equal(set(stat().values()), {0}, "at first")
        kept = [pair(INET) for _ in range(5)]
        door = listener(INET6)
        client = socket.socket(INET6)
        client.connect(door.getsockname())
        equal(stat()["tracked"], 12, "tracked: two for each, but no listener")
        with other:
            equal(stat()["tracked"], 0, "tracked in the other")
        check(stat()["tracked"] >= 12, "tracked in all")
        everything = stat()
        follower = Follower()
        for one_end, other_end in kept[:2]:
            one_end.close()
            other_end.close()
        follower.take(4)
        equal({**stat(), "tracked": 0},
              {"recorded": 4, "overwritten": 0, "dropped": 0, "untracked": 0,
               "tracked": 0}, "stat")
        equal(stat()["tracked"], 8, "tracked")
        del everything, client, door
    del kept

    def plain():
        os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        return stat(), read()

    total = stat()
    mine, rows = in_child(plain)
    check(mine["recorded"] <= total["recorded"], "a user's view is smaller")
    equal(mine["recorded"] - mine["overwritten"], len(rows), "a user's rows")


@test
def quiet():
    """Whatever a user does with the files, nothing of it is in the log."""
    def abuse(as_user):
        if as_user:
            os.setresuid(PLAIN_USER, PLAIN_USER, PLAIN_USER)
        for path in FILE, STAT:
            for mode in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC):
                try:
                    fd = os.open(path, mode)
                except OSError as error:
                    check(error.errno in (errno.EACCES, errno.EPERM), error)
                    continue
                with contextlib.suppress(OSError):
                    os.write(fd, b"x" * 100)
                os.close(fd)
            fd = os.open(path, os.O_RDONLY)
            for offset in -1, 3, 1 << 40, (1 << 63) - 1:
                for call in (lambda: os.lseek(fd, offset, os.SEEK_SET),
                             lambda: os.read(fd, 10),
                             lambda: os.pread(fd, 10, offset),
                             lambda: os.lseek(fd, offset, os.SEEK_END),
                             lambda: os.lseek(fd, 0, os.SEEK_END),
                             lambda: os.lseek(fd, offset, os.SEEK_HOLE),
                             lambda: os.lseek(fd, offset, os.SEEK_CUR),
                             lambda: os.lseek(fd, 0, 3), # SEEK_DATA
                             lambda: LIBC.ioctl(fd, 0x5401, 0),
                             lambda: os.read(fd, 10)):
                    with contextlib.suppress(OSError):
                        call()
            os.lseek(fd, 0, os.SEEK_SET)
            text = drain(fd, 1000).decode("ascii")
            if path == FILE:
                life.parse(text)
            os.close(fd)

    for path in FILE, STAT:
        equal(os.stat(path).st_mode & 0o7777, 0o444, "mode")
    with Netns(), Agents() as agents:
        log = Kmsg()
        played(5)
        abuse(False)
        in_child(abuse, True)
        agents("odd\n<0>name").read()
        equal([line for line in log.lines() if "knetstat" in line], [], "log")
