# SPDX-License-Identifier: GPL-2.0
"""Beside BPF: libbpf-tools' tcplife and ours watch the same sessions.

Every session that it saw is in our file with the same addresses, ports and KB;
where the two differ is printed.
"""

import collections
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import termios
import time
import tty

from lib import life
from lib.agents import Agents
from lib.ktap import Failed, Skip, check, equal, note, scaled, test
from lib.life import Follower, Stage, receive
from lib.world import Netns, listener, pair

INET, INET6 = socket.AF_INET, socket.AF_INET6
PROGRAMS = ("tcplife-libbpf", "./tcplife-libbpf", "bpf-tcplife")
ROW = re.compile(r"(\d+) +(.{0,16}?) +(\S+) +(\d+) +(\S+) +(\d+) +([\d.]+) +"
                 r"([\d.]+) +([\d.]+)")

Seen = collections.namedtuple("Seen", "pid comm laddr lport raddr rport tx rx "
                              "ms")


class Bpf:
    """libbpf-tools' tcplife at work."""

    def __init__(self):
        programs = [path for path in map(shutil.which, PROGRAMS) if path]
        if not programs:
            raise Skip("no libbpf-tools here")
        if not os.path.exists("/sys/kernel/btf/vmlinux"):
            raise Skip("this kernel has no BTF")
        # It writes line by line only to a terminal.
        self.fd, terminal = pty.openpty()
        tty.setraw(terminal, termios.TCSANOW)
        self.process = subprocess.Popen(
            [programs[0], "-w"], stdin=subprocess.DEVNULL, stdout=terminal,
            stderr=subprocess.STDOUT)
        os.close(terminal)
        self.text = ""
        self.rows = []
        self.wait_for_itself()

    def wait_for_itself(self):
        """Play sessions until it tells of one."""
        end = time.monotonic() + scaled(60, 200)
        while not self.rows:
            if self.process.poll() is not None:
                raise Skip(f"BPF doesn't run here: {self.text[-200:]!r}")
            check(time.monotonic() < end, "BPF saw nothing:", self.text)
            for sock in pair(INET):
                sock.close()
            self.take(0.2)

    def take(self, wait):
        """Take what it has printed."""
        while select.select([self.fd], [], [], wait)[0]:
            try:
                self.text += os.read(self.fd, 1 << 16).decode("latin-1")
            except OSError:
                return
            wait = 0
        *lines, self.text = self.text.split("\n")
        for line in lines:
            line = line.strip("\r")
            match = ROW.fullmatch(line.strip())
            if match:
                pid, comm, laddr, lport, raddr, rport, tx, rx, ms = \
                    match.groups()
                self.rows.append(Seen(int(pid), comm.strip(), laddr,
                                      int(lport), raddr, int(rport),
                                      float(tx), float(rx), float(ms)))
            elif line.strip() and not line.startswith("PID"):
                note(f"BPF says: {line}")

    def until_now(self):
        """All it has to say of what has happened."""
        ports = set()
        end = time.monotonic() + scaled(60, 200)
        while not {row.lport for row in self.rows[-200:]} & ports:
            check(time.monotonic() < end, "BPF never caught up")
            # Its buffer may be full, and then it loses this one, too.
            client, server = pair(INET)
            ports |= {client.getsockname()[1], server.getsockname()[1]}
            client.close()
            server.close()
            self.take(1)
        self.take(0.5)
        return self.rows

    def stop(self):
        """End it."""
        self.process.send_signal(signal.SIGINT)
        end = time.monotonic() + 60
        while self.process.poll() is None:
            self.take(0.1)
            if time.monotonic() > end:
                self.process.kill()
        os.close(self.fd)


def ends(row):
    """Addresses and ports, as both have them."""
    return row.laddr, row.lport, row.raddr, row.rport


def same_bytes(ours, theirs):
    """Do the two agree on bytes, in KB?

    BPF's are sequence numbers: it counts a SYN and a FIN as a byte each.
    """
    return (abs(theirs.tx - ours.tx / 1024) < 0.0051 + 2 / 1024 and
            abs(theirs.rx - ours.rx / 1024) < 0.0051 + 1 / 1024)


def mixed(count, follower, bpf):
    """@count sessions of many kinds; our Rows."""
    rows, count_of_ends = [], 0
    families = (INET, "127.0.0.1"), (INET6, "::1")
    doors = [listener(family, 64) for family, _ in families]
    for number in range(count):
        family, address = families[number % 2]
        door = doors[number % 2]
        client = socket.socket(family)
        if number % 10 == 9:
            with listener(family) as closed:
                port = closed.getsockname()[1]
            client.connect_ex((address, port))
            client.close()
            count_of_ends += 1
            continue
        client.connect(door.getsockname())
        server = door.accept()[0]
        up, down = number * 7 % 5000, number * 13 % 9000
        client.sendall(b"x" * up)
        receive(server, up)
        server.sendall(b"x" * down)
        receive(client, down)
        kind = number % 5
        if kind == 0:
            life.linger(client)
        elif kind == 1:
            life.linger(server)
        elif kind == 2:
            client.shutdown(socket.SHUT_WR)
            life.ended(server)
        first, second = (server, client) if kind in (1, 3) else (client, server)
        first.close()
        second.close()
        count_of_ends += 2
        if number % 20 == 19:
            bpf.take(0)         # who doesn't read makes it lose rows
        if number % 200 == 199:
            rows += follower.now()
    for door in doors:
        door.close()
    while len(rows) < count_of_ends:
        rows += follower.take(1)
    return rows


@test
def the_same_sessions():
    """Every session that BPF saw is in our file, as it saw it."""
    count = scaled(300, 60, long=5000)
    with Netns():
        bpf = Bpf()
        try:
            bpf.until_now()
            follower = Follower()
            before = len(bpf.rows)
            ours = mixed(count, follower, bpf)
            theirs = bpf.until_now()[before:]
        finally:
            bpf.stop()
    left = collections.defaultdict(list)
    for row in ours:
        left[ends(row)].append(row)
    unknown, wrong, bytes_apart = [], collections.Counter(), 0
    for row in theirs:
        same = [mine for mine in left[ends(row)] if same_bytes(mine, row)]
        if not same:
            unknown.append(row)
            continue
        mine = same[0]
        left[ends(row)].remove(mine)
        bytes_apart += (round(mine.tx / 1024, 2), round(mine.rx / 1024, 2)) != \
            (row.tx, row.rx)
        if row.pid != mine.pid:
            wrong[(mine.role, mine.end, mine.by, row.pid and "another",
                   row.comm)] += 1
    # the session that told that it had caught up, which we didn't wait for
    unknown = [row for row in unknown if row.tx or row.rx]
    missed = [row for some in left.values() for row in some]
    note(f"{len(ours)} rows of ours, {len(theirs)} of BPF's, which missed "
         f"{len(missed)} and counted a SYN or FIN in {bytes_apart}")
    check(not unknown, "BPF saw what we did not:",
          *[f"\n{row}" for row in unknown[:10]])
    kinds = collections.Counter((row.role, row.end, row.by) for row in missed)
    for kind, times in kinds.most_common(10):
        note(f"BPF missed {times} of {kind}")
    for (role, end, by, pid, comm), times in wrong.most_common(10):
        note(f"{times} times of another process: ours {role} {end} by {by}, "
             f"BPF's {pid} {comm}")


@test
def side_by_side():
    """The cases of attribution, ours and BPF's; ours is right in each."""
    from guest.life.attribution import SCENES
    table, skipped, failed = [], [], []
    with Netns():
        bpf = Bpf()
        try:
            stage = Stage()
            for name, play in SCENES.items():
                try:
                    with Agents() as agents, stage.scene() as scene:
                        play(scene, agents)
                except Skip as skip:
                    skipped.append(f"{name}: {skip}")
                    continue
                except Failed as error:
                    failed.append(f"{name}: {error}")
                    continue
                table.append((name, scene))
            theirs = collections.defaultdict(list)
            for row in bpf.until_now():
                theirs[ends(row)].append(row)
        finally:
            bpf.stop()
    note(f"{'case':45} {'end':11} {'right':18} {'ours':18} {'BPF':18} times")
    right = total = 0
    for name, scene in table:
        lines = collections.Counter()
        for wanted in scene.wanted:
            ours = [row for row in scene.rows
                    if (row.local, row.remote) == (wanted.local,
                                                   wanted.remote)][0]
            its = theirs[(*wanted.local, *wanted.remote)]
            answer = its.pop(0) if its else None
            good = answer is not None and answer.pid == wanted.pid
            total += 1
            right += good
            lines[(f"{wanted.role} {wanted.end}", _name(wanted.comm),
                   f"{_name(ours.comm)} ({ours.by})",
                   answer.comm if answer else "missed",
                   "" if good else "WRONG")] += 1
        for (end, wanted, ours, its, good), times in lines.items():
            note(f"{name[:45]:45} {end:11} {wanted:18} {ours:18} {its:18} "
                 f"{times:2} {good}".rstrip())
            name = ""
    note(f"ours right in {total} of {total}, BPF's in {right}")
    for text in skipped:
        note(f"skipped {text}")
    equal(failed, [], "scenes")


def _name(comm):
    return comm.decode("latin-1") if comm else "-"
