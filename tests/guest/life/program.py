# SPDX-License-Identifier: GPL-2.0
"""The program tcplife beside the module: live, late, unwelcome, and left alone.

What it makes of a table, option by option, is tested without a kernel in
tests/tools. Here are real tables.
"""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import time

from lib.ktap import Failed, cases, check, equal, in_child, scaled, test, until
from lib.tables import slurp
from lib.world import (PLAIN_USER, Netns, alone, connect, host, insmod, listener,
                       loaded, rmmod, user)

INET, INET6 = socket.AF_INET, socket.AF_INET6
PROGRAM = os.environ.get("KNETSTAT_TCPLIFE", "/knetstat/tcplife")
LIFE, STAT = "/proc/net/tcplife", "/proc/net/stat/tcplife"


def with_paths(lines):
    """@lines of the file as -x prints them: with the paths of cgroups."""
    root = "/sys/fs/cgroup"
    paths = {os.stat(path).st_ino: path[len(root):] or "/" for path, _, _ in os.walk(root)}
    shown = []
    for line in lines:
        head, cgroup, end = re.fullmatch(r"(.* )(\S+) (\S+)", line).groups()
        if cgroup.isdigit():
            cgroup = paths.get(int(cgroup), "-")
        shown.append(f"{head}{cgroup} {end}")
    return shown


class Program:
    """tcplife, running in the namespace that we are in."""

    def __init__(self, *args, **how):
        self.process = subprocess.Popen([PROGRAM, *args], text=True,
                                        stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **how)

    def line(self):
        """The next line that it prints, which may take a while."""
        text = b""
        fd = self.process.stdout.fileno()
        while not text.endswith(b"\n"):
            check(select.select([fd], [], [], 30)[0], "nothing came after",
                  text)
            byte = os.read(fd, 1)
            if not byte:
                raise Failed("it ended: " + self.process.stderr.read())
            text += byte
        return text.decode()

    def end(self, stop=signal.SIGINT):
        """Stop it: what more it printed, what it said, and its status."""
        if stop:
            self.process.send_signal(stop)
        stdout, stderr = self.process.communicate(timeout=60)
        return stdout, stderr, self.process.returncode

    def switches(self):
        """How often it has gone to sleep."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return [line for line in file if line.startswith("voluntary")]


def output(*args, **how):
    """What it prints and ends by itself."""
    stdout, stderr, status = Program(*args, **how).end(None)
    equal((stderr, status), ("", 0), args)
    return stdout.splitlines()


def recorded():
    """How many sessions there have been in this namespace."""
    return int(slurp(STAT).split(b"\n")[1].split()[0])


def session(door, sent=0, received=0):
    """A session with @door of which both ends end; the ports of the client."""
    before = recorded()
    client = connect(door)
    server, (_, port, *_) = door.accept()
    client.sendall(bytes(sent))
    check(len(server.recv(sent, socket.MSG_WAITALL)) == sent or not sent,
          "not all was received")
    server.sendall(bytes(received))
    check(len(client.recv(received, socket.MSG_WAITALL)) == received or
          not received, "not all was received")
    client.close()
    server.close()
    until(lambda: recorded() == before + 2, "the session's two rows")
    return port


def me():
    """PID and COMM of this process."""
    with open("/proc/self/comm", encoding="ascii") as file:
        return os.getpid(), file.read().strip()


@contextlib.contextmanager
def reloaded(parameters=""):
    """The module with @parameters, and afterwards without."""
    rmmod()
    insmod(parameters=parameters)
    try:
        yield
    finally:
        if loaded():
            rmmod()
        insmod()


@test
def follows():
    """Each session is printed when it ends, in BCC's format, into a pipe."""
    with Netns():
        pid, comm = me()
        doors = {INET: listener(INET), INET6: listener(INET6)}
        session(doors[INET])        # before its time
        program = Program("-w")
        equal(program.line().split(), "PID COMM IP LADDR LPORT RADDR RPORT "
              "TX_KB RX_KB MS".split(), "header")
        for family, ip in ((INET, "4"), (INET6, "6"), (INET, "4")):
            own, address = doors[family].getsockname()[1], host(family)
            port = session(doors[family], sent=3000, received=2047)
            rows = sorted((program.line() for _ in range(2)),
                          key=lambda row: int(row.split()[4]) == own)
            for row, values in zip(rows, ((port, own, 2, 1),
                                          (own, port, 1, 2))):
                lport, rport, sent, received = values
                milliseconds = row.split()[-1]
                equal(row, "%-5d %-16.16s %-2s %-39s %-5d %-39s %-5d %6d %6d "
                      "%s\n" % (pid, comm, ip, address, lport, address, rport,
                                sent, received, milliseconds), "row")
                check(0 < float(milliseconds) < 60000, "MS", milliseconds)
        equal(program.end(), ("", "", 0), "end")


@test
def sleeps():
    """Where nothing happens, it does nothing."""
    with Netns():
        programs = [Program(), Program("-a"), Program("-aJ", "-4")]
        for program in programs[:2]:
            program.line()
        door = listener(INET)
        session(door)
        for program in programs:
            program.line()
            program.line()
        for program in programs:
            before = None
            for _ in range(3):
                slept = program.switches()
                check(slept, "no count of its sleeps")
                if slept == before:
                    break
                before = slept
                select.select([], [], [], 1)
            equal(slept, before, "its sleeps in a second")
            equal(program.end(signal.SIGTERM), ("", "", 0), "end")


def without_path(thing):
    """@thing without what is not in the file."""
    del thing["cgroup_path"]
    return thing


@test
def filters():
    """-u, --netns and --cgroup show some of the sessions of all namespaces, and no others."""
    group, path = "/sys/fs/cgroup/filters", f"/run/tcplife-filters.{os.getpid()}"
    spaces = [Netns() for _ in range(3)]
    began = time.time() - 0.1

    def in_group():
        with open(f"{group}/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")
        with spaces[2]:
            session(listener(INET))

    def shown(*args):
        rows = map(json.loads, output("-J", "--state", path, *args))
        if os.path.exists(path):
            os.unlink(path)
        # Numbers of namespaces that have gone may be given again.
        return {row["netns"] for row in rows
                if row["netns"] in numbers and row["time"] >= began}

    numbers = [os.stat(netns.path).st_ino for netns in spaces]
    with spaces[0], user(PLAIN_USER):
        session(listener(INET))
    with spaces[1]:
        session(listener(INET))
    os.mkdir(group)
    try:
        in_child(in_group)
        equal(shown(), set(numbers), "all")
        equal(shown("-u", str(PLAIN_USER)), {numbers[0]}, "-u")
        equal(shown("-u", "root"), set(numbers[1:]), "-u root")
        equal(shown("--netns", spaces[1].path), {numbers[1]}, "--netns")
        equal(shown("--netns", str(numbers[2])), {numbers[2]}, "--netns by number")
        equal(shown("--cgroup", "/filters"), {numbers[2]}, "--cgroup")
        equal(shown("--cgroup", "/"), set(numbers), "--cgroup /")
    finally:
        os.rmdir(group)


@test
def cron():
    """Runs with --state have each row once; another load of the module begins anew."""
    path = f"/run/tcplife-state.{os.getpid()}"

    def rows():
        return [json.loads(line)["seq"] for line in output("-J", "--state", path)]

    alone()
    with Netns():
        door = listener(INET)
        seen = []
        for number in range(4):
            for _ in range(number):
                session(door)
            seen += rows()
        equal(seen, list(range(1, 13)), "SEQ")
    with reloaded(), Netns():
        session(listener(INET))
        equal(rows(), [1, 2], "after another load")
    os.unlink(path)


@test
def history():
    """-a, -n, -x, -J and filters give what the file holds, no more, no less."""
    with Netns():
        doors = [listener(INET), listener(INET), listener(INET6)]
        for number in range(30):
            session(doors[number % 3], sent=number * 100)
        lines = slurp(LIFE).decode("ascii").splitlines()
        equal(len(lines), 61, "lines of the file")
        equal(output("-ax", "-n", "60"), with_paths(lines), "-x")
        equal(output("-ax", "-n", "7"), with_paths(lines[:8]), "-n 7")

        names = [name.lower() for name in lines[0].split()]
        texts = [line.split() for line in lines[1:]]
        objects = [json.loads(line) for line in output("-aJ", "-n", "60")]
        for thing, fields in zip(objects, texts):
            equal(thing.pop("cgroup_path"), "/" if thing["cgroup"] == 1 else None, "its path")
            equal(list(thing), names, "names")
            equal(["-" if value is None else value if isinstance(value, str)
                   else float(value) for value in thing.values()],
                  [field if field == "-" or isinstance(value, str)
                   else float(field)
                   for field, value in zip(fields, thing.values())], "values")

        port = doors[0].getsockname()[1]
        client = objects[1]["lport"]
        for args, wanted in (
                (["-L", str(port)], lambda row: row["lport"] == port),
                (["-D", f"{port},9"], lambda row: row["rport"] == port),
                (["-L", f"{client},9"], lambda row: row["lport"] == client),
                (["-4"], lambda row: ":" not in row["laddr"]),
                (["-6"], lambda row: ":" in row["raddr"]),
                (["-u", "root,nobody"], lambda row: row["uid"] == 0),
                (["--netns", str(os.getpid())], lambda row: True),
                (["--cgroup", "/"], lambda row: row["cgroup"] == 1),
                (["-p", str(os.getpid())], lambda row: True)):
            rows = [row for row in objects if wanted(row)]
            check(rows, "none is wanted by", args)
            equal([without_path(json.loads(line)) for line in
                   output("-aJ", "-n", str(len(rows)), *args)], rows, args)


@test
def each_session_once():
    """Thousands of sessions by it while it follows: no row lost, none twice."""
    count = scaled(500, 150, long=5000)
    with Netns():
        door = listener(INET)
        with open("/tmp/tcplife.out", "w+", encoding="ascii") as file:
            program = subprocess.Popen([PROGRAM, "-aJ", "-n", str(2 * count)],
                                       stdout=file, stderr=subprocess.PIPE,
                                       text=True)
            ports = set()
            for _ in range(count):
                client = connect(door)
                server, (_, port) = door.accept()
                client.close()
                server.close()
                ports.add(port)
            equal(program.communicate(timeout=60)[1], "", "stderr")
            equal(program.returncode, 0, "status")
            file.seek(0)
            rows = [json.loads(line) for line in file]
        equal([row["seq"] for row in rows], list(range(1, 2 * count + 1)), "SEQ")
        equal({row["lport"] for row in rows} - {door.getsockname()[1]}, ports,
              "ports")


@test
def missed_rows():
    """With a ring of 64 rows: how many were overwritten, and which."""
    alone()
    with reloaded("records=64"), Netns():
        door = listener(INET)
        program = Program("-x")
        program.line()
        program.process.send_signal(signal.SIGSTOP)
        for _ in range(100):
            session(door)
        lines = slurp(LIFE).decode("ascii").splitlines()[1:]
        equal([line.split()[0] for line in (lines[0], lines[-1])],
              ["137", "200"], "SEQ of the first row and the last")
        late = Program("-ax", "-n", "64")
        equal(late.end(None),
              ("".join(f"{line}\n" for line in
                       with_paths(slurp(LIFE).decode("ascii").splitlines())),
               "tcplife: missed 136 rows: SEQ 1 to 136\n"
               "tcplife: missed 136 rows in all\n", 0), "-a")

        program.process.send_signal(signal.SIGCONT)
        equal([program.line() for _ in lines], [f"{line}\n" for line in with_paths(lines)],
              "rows that are left")
        program.process.send_signal(signal.SIGSTOP)
        for _ in range(33):
            session(door)
        program.process.send_signal(signal.SIGCONT)
        for _ in range(64):
            program.line()
        equal(program.end(), ("", "tcplife: missed 136 rows: SEQ 1 to 136\n"
                              "tcplife: missed 2 rows: SEQ 201 to 202\n"
                              "tcplife: missed 138 rows in all\n", 0), "end")


@test
def the_module_goes():
    """While it follows, with and without rows to come; and is not there."""
    def one(args):
        with Netns():
            program = Program(*args.split())
            if "J" not in args:
                program.line()
            else:       # prints nothing that would tell of its start
                until(lambda: "poll" in asleep_in(program.process.pid),
                      "its sleep")
            rmmod()
            try:
                equal(program.end(None),
                      ("", f"tcplife: {LIFE} has gone: the module knetstat "
                       "was unloaded\n", 1), "end")
                equal(Program(*args.split()).end(None),
                      ("", f"tcplife: no {LIFE}: the module is not loaded "
                       "(modprobe knetstat)\n", 1), "without")
            finally:
                insmod()
    cases(("-T", "-a", "-aJ"), one)


def asleep_in(pid):
    """Where in the kernel @pid is."""
    with open(f"/proc/{pid}/stack", encoding="ascii") as file:
        return file.read()


@test
def older_than_the_module():
    """A session that began before the module: MS is not a number."""
    with Netns():
        door = listener(INET)
        client = connect(door)
        server = door.accept()[0]
        rmmod()
        insmod()
        program = Program("-s")
        program.line()
        client.close()
        server.close()
        rows = [program.line() for _ in range(2)]
        equal([row.strip().split(",")[-1] for row in rows], ["nan"] * 2, "MS")
        equal(program.end(), ("", "", 0), "end")
        equal([json.loads(line)["ms"] for line in output("-aJ", "-n", "2")],
              [None] * 2, "-J")


@test
def plain_users():
    """Anybody may run it, and is told his own processes only."""
    def ids(args):
        return [row.split()[:2] for row in
                output(*args, user=PLAIN_USER, group=PLAIN_USER)[1:]]

    with Netns():
        pid, comm = me()
        door = listener(INET)
        session(door)
        with user(PLAIN_USER):
            theirs = listener(INET)
            session(theirs)
        equal(ids(["-a", "-n", "4"]),
              [["0", "-"]] * 2 + [[str(pid), comm[:10]]] * 2, "seen")
        equal(ids(["-a", "-p", str(pid), "-n", "2"]),
              [[str(pid), comm[:10]]] * 2, "-p")
        os.chmod(LIFE, 0o400)
        equal(Program(user=PLAIN_USER, group=PLAIN_USER).end(None),
              ("", f"tcplife: cannot open {LIFE}: Permission denied\n", 1),
              "of a file that is root's")


@test
def all_namespaces():
    """In the initial one root sees the sessions of all, in another its own."""
    inside, other = Netns(), Netns()
    program = Program("-J")
    until(lambda: "poll" in asleep_in(program.process.pid), "its sleep")
    with other:
        stranger = Program("-J")
        until(lambda: "poll" in asleep_in(stranger.process.pid), "its sleep")
    with inside:
        inode = os.stat("/proc/self/ns/net").st_ino
        session(listener(INET))
    for _ in range(2):
        equal(json.loads(program.line())["netns"], inode, "NETNS")
    equal(program.end(), ("", "", 0), "end")
    equal(stranger.end(), ("", "", 0), "end of the one in another")
