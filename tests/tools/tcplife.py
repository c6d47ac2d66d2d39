# SPDX-License-Identifier: GPL-2.0
"""The program tcplife on tables of our own.

It is built as it is, but for the place of its files, and with sanitizers.
tcplife.table is the table, tcplife.transcript what it prints with each option, in
the form of a terminal session: "$" a command, "!" stderr, "?" a status but 0. That
it gets along with the module is for tests/guest.
"""

import atexit
import fcntl
import json
import os
import random
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

from lib import programs
from lib.ktap import Failed, cases, check, equal, test, until

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = tempfile.mkdtemp(prefix="tcplife-test.")
PROC = f"{WORK}/proc/net"
LIFE = f"{PROC}/tcplife"
STAT = f"{PROC}/stat/tcplife"
LIVE = f"{PROC}/tcplive"
PROGRAM = f"{WORK}/tcplife"

with open(f"{HERE}/tcplife.table", "rb") as table_file:
    TABLE = table_file.read()
LINES = TABLE.decode("ascii").splitlines()
HEADER, ROWS = LINES[0], LINES[1:]

# Rows of which nothing but SEQ matters.
PLAIN = ("{} 1700000000.000000 4026531840 1 init close 0 acpt 10.0.0.1 22 "
         "10.0.0.2 50000 0 0 1.000 - 0.100 0 fin")


def build():
    """The program, looking for its files in PROC."""
    owner = os.getpid()
    atexit.register(lambda: owner == os.getpid() and shutil.rmtree(WORK))
    os.makedirs(os.path.dirname(STAT))
    programs.build("tcplife", WORK)


def plain(*seqs, header=HEADER):
    """A table of rows with these numbers."""
    return "".join(f"{line}\n" for line in
                   [header] + [PLAIN.format(seq) for seq in seqs]).encode()


def say_recorded(count):
    """What stat/tcplife says; None: it is not there."""
    if os.path.exists(STAT):
        os.unlink(STAT)
    if count is not None:
        with open(STAT, "w", encoding="ascii") as file:
            file.write("recorded overwritten dropped untracked tracked\n"
                       f"{count} 0 0 0 7\n")


class Table:
    """A table in a fifo, which is as live as a file in procfs.

    It can't be sought in: that takes -a. What has left the fifo is printed
    before the program ends, whatever makes it end.
    """

    def __init__(self, contents=TABLE):
        if os.path.exists(LIFE):
            os.unlink(LIFE)
        os.mkfifo(LIFE)
        self.fd = os.open(LIFE, os.O_RDWR)
        fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, 1 << 20)
        self.write(contents)

    def write(self, contents):
        """Add @contents to it."""
        os.write(self.fd, contents)

    def left(self):
        """How many bytes the program has not read yet."""
        return int.from_bytes(fcntl.ioctl(self.fd, termios.FIONREAD, bytes(4)),
                              sys.byteorder)

    def close(self):
        """The end of the table, as if the module had gone."""
        os.close(self.fd)


class Run:
    """The program, running."""

    def __init__(self, args, zone="UTC", **how):
        environment = dict(os.environ, TZ=zone)
        environment.pop("LC_ALL", None)
        how.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen([PROGRAM, *args], env=environment,
                                        stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, **how)

    def line(self):
        """The next line that it prints, in time."""
        text = b""
        while not text.endswith(b"\n"):
            check(select.select([self.process.stdout], [], [], 30)[0],
                  "nothing came after", text)
            byte = os.read(self.process.stdout.fileno(), 1)
            if not byte:
                raise Failed("it ended after", text, self.process.stderr.read())
            text += byte
        return text.decode()

    def end(self, stop=signal.SIGINT):
        """Stop it; what it has printed, what it said, and its status."""
        if stop:
            self.process.send_signal(stop)
        stdout, stderr = self.process.communicate(timeout=60)
        return ((stdout or b"").decode(),
                stderr.decode().replace(PROC, "/proc/net"),
                self.process.returncode)


def outcome(args, contents=TABLE, zone="UTC", arriving=None):
    """What it prints of a table, what it says, and its status."""
    table = Table(contents)
    with tempfile.TemporaryFile() as printed_to:
        program = Run(args, zone, stdout=printed_to)
        process = program.process
        if arriving:
            arriving(table)
        until(lambda: process.poll() is not None or not table.left(),
              "the program's reading the table")
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        _, stderr, status = program.end(None)
        printed_to.seek(0)
        stdout = printed_to.read().decode()
    table.close()
    return stdout, stderr, status


def printed(args, contents=TABLE, zone="UTC"):
    """What it prints of a table, when all is well."""
    stdout, stderr, status = outcome(args, contents, zone)
    equal((stderr, status), ("", 0), "stderr and status")
    return stdout


def transcript(name):
    """A transcript: for each command what to expect of it."""
    return programs.transcript(f"{HERE}/{name}.transcript", "tcplife")


@test
def every_option():
    """All options, and all that can be wrong with them, as written down."""
    sessions = transcript("tcplife")

    def one(args):
        programs.as_written(outcome(shlex.split(args), zone="XST-5:30"), sessions[args])
    cases(sessions, one)


@test
def alive():
    """What it prints of tcplive.table, which it reads once."""
    sessions = transcript("tcplive")

    def one(args):
        with open(f"{HERE}/tcplive.table", "rb") as file, open(LIVE, "wb") as copy:
            copy.write(file.read() if "nothing" not in args else file.readline())
        got = Run(shlex.split(args.replace(" # nothing", "")), zone="XST-5:30").end(None)
        programs.as_written(got, sessions[args])
    cases(sessions, one)
    os.unlink(LIVE)
    _, stderr, status = Run(["-l"]).end(None)
    equal((stderr, status), ("tcplife: no /proc/net/tcplive: the module is not loaded (modprobe knetstat)\n", 1),
          "without the module")


# What BCC's tcplife prints a row with; it is a Python program, too.
DEFAULT = "%-5d %-10.10s %s%-15s %-5d %-15s %-5d %5d %5d %.2f"
WIDE = "%-5d %-16.16s %-2s %-39s %-5s %-39s %-5d %6d %6d %.2f"
CSV = "%d,%s,%s,%s,%s,%s,%d,%d,%d,%.2f"
WIDTHS = {"": DEFAULT, "-w": WIDE, "-s": CSV}
UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e"
                         "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffd"
                         "\U000e0000-\U000e007f]")


def some_comm(rng):
    """A process name that somebody might have thought of."""
    kind = rng.randrange(4)
    if kind == 0:
        return bytes(rng.randrange(1, 256) for _ in range(rng.randint(1, 15)))
    if kind == 1:
        letters = "aZ0-_/:,\"\\ é€漢😀\x80\u202e\ufeff\ue000\U0010ffff"
        return "".join(rng.choice(letters)
                       for _ in range(rng.randint(1, 15))).encode()[:15]
    if kind == 2:   # what UTF-8 forbids is hard to meet by chance
        return b"".join(rng.choice((b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                                    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x9f",
                                    b"\xe2\x82", b"x", b"\xff"))
                        for _ in range(4))[:15]
    return rng.choice((b"nginx", b"kworker/0:1", b"a", b"-", b"Web Content"))


def escaped(comm):
    """@comm as field_text() writes it."""
    if comm == b"-":
        return "\\055"
    return "".join(chr(c) if 32 < c < 127 and c != 92 else f"\\{c:03o}"
                   for c in comm)


def some_sessions(count, rng):
    """Rows for a table, and what BCC would have to say of each."""
    lines, values = [HEADER], []
    for seq in range(1, count + 1):
        six = rng.random() < 0.5
        family = socket.AF_INET6 if six else socket.AF_INET
        ends = []
        for _ in range(2):
            if rng.random() < 0.3:
                address = bytes(16 if six else 4)[:-1] + b"\1"
            elif six and rng.random() < 0.2:
                address = bytes(12) + rng.randbytes(4)
            else:
                address = bytes(rng.choice((0, rng.randrange(256)))
                                for _ in range(16 if six else 4))
            ends.append(socket.inet_ntop(family, address))
        ports = [rng.randrange(65536), rng.choice((22, 80, 65535))]
        pid = rng.choice((1, rng.randrange(2, 1 << 22)))
        comm = some_comm(rng)
        amounts = [rng.randrange(1 << rng.randrange(1, 50)) for _ in range(2)]
        span = rng.randrange(1 << rng.randrange(1, 40))
        lines.append(f"{seq} 1700000000.{seq:06} 1 {pid} {escaped(comm)} "
                     f"close 0 acpt {ends[0]} {ports[0]} {ends[1]} {ports[1]} "
                     f"{amounts[0]} {amounts[1]} {span // 1000}."
                     f"{span % 1000:03} - 0.1 0 fin")
        values.append((pid, UNPRINTABLE.sub("?", comm.decode("utf-8",
                                                             "replace")),
                       "6" if six else "4", ends[0], ports[0], ends[1],
                       ports[1], amounts[0] / 1024, amounts[1] / 1024,
                       float(span) / 1000))
    return "".join(f"{line}\n" for line in lines).encode(), values


@test
def as_bcc_prints():
    """3 x 1500 rows of all kinds against BCC's formats in Python's hands."""
    contents, sessions = some_sessions(1500, random.Random(3))
    for option, form in WIDTHS.items():
        lines = printed(["-a", *option.split()], contents).split("\n")[1:-1]
        equal(len(lines), len(sessions), "rows")
        for line, session in zip(lines, sessions):
            values = list(session)
            if not option:
                values[2] = ""
            equal(line, form % tuple(values), "row", option)


@test
def json_is_json():
    """Each object has the row's fields under their names, as they are meant."""
    contents, _ = some_sessions(1500, random.Random(4))
    contents += "".join(f"{row}\n" for row in ROWS).encode()
    rows = [line.split() for line in contents.decode().splitlines()][1:]
    objects = [json.loads(line) for line in
               printed(["-a", "-J"], contents).splitlines()]
    equal(len(objects), len(rows), "objects")
    for fields, thing in zip(rows, objects):
        equal(list(thing), HEADER.lower().split(), "keys")
        for name, field, value in zip(thing, fields, thing.values()):
            if field == "-":
                equal(value, None, name)
            elif name in ("comm", "by", "role", "laddr", "raddr", "end"):
                text = re.sub(r"\\(...)", lambda m: chr(int(m[1], 8)), field)
                equal(value, text.encode("latin-1").decode("utf-8", "replace"),
                      name)
            else:
                equal(value, json.loads(field), name)
    check(not UNPRINTABLE.sub("", "\ufffd") and not re.search(
        "[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]",
        printed(["-a", "-J"], contents)), "raw control characters")


@test
def bytes_in_any_portions():
    """However a table arrives, byte by byte or in lumps, it is read the same."""
    def one(option):
        wanted = printed(["-a", option])
        rng = random.Random(1)
        for largest in 1, 7, 300:
            def arriving(table, largest=largest):
                rest = TABLE
                while rest:
                    size = rng.randint(1, largest)
                    table.write(rest[:size])
                    rest = rest[size:]
                    if largest > 7 or rng.random() < 0.2:
                        until(lambda: not table.left(), "reading")
            equal(outcome(["-a", option], b"", arriving=arriving),
                  (wanted, "", 0), "by", largest)
    cases(("-x", "-J", "-w"), one)


@test
def other_columns():
    """Columns are known by their names: more of them, in another order."""
    names = HEADER.split()
    order = random.Random(2).sample(range(len(names)), len(names))
    lines = []
    for line in LINES:
        fields = line.split()
        mixed = [fields[i] for i in order]
        mixed[5:5] = ["NEW" if line is HEADER else "x\\040y"]
        mixed += ["NEWER" if line is HEADER else "0.5"]
        lines.append("  ".join(mixed))
    contents = "".join(f"{line}\n" for line in lines).encode()
    for option in "-w", "-s", "-T", "-t":
        equal(printed(["-a", option], contents), printed(["-a", option]),
              option)
    equal(printed(["-ax"], contents), contents.decode(), "-x")
    for line in printed(["-aJ"], contents).splitlines():
        thing = json.loads(line)
        equal((thing["new"], thing["newer"]), ("x y", 0.5), "new columns")


@test
def long_rows():
    """A row may be as long as it likes."""
    for size in 4000, 65530, 300000:
        long = "x" * size
        contents = f"NEW {HEADER}\n" + "".join(f"{long} {row}\n"
                                               for row in ROWS[:3])
        contents = contents.encode()
        equal(printed(["-ax"], contents), contents.decode(), "-x")
        equal([json.loads(line)["new"] == long for line in
               printed(["-aJ"], contents).splitlines()], [True] * 3, "-J")


@test
def malformed_rows():
    """Said in one line, after all rows before it; nothing is made of it."""
    good = ROWS[0]
    bad = {
        "a field too few": good.rsplit(None, 1)[0],
        "a field too many": good + " x",
        "an empty line": "",
        "no number": good.replace("46644", "port"),
        "a negative number": good.replace("46644", "-4664"),
        "a port too large": good.replace("46644", "65536"),
        "a number too large": good.replace(" 0 ", " 18446744073709551616 ", 1),
        "SEQ 0": "0 " + good.split(None, 1)[1],
        "no time": good.replace("1700000000.000001", "-"),
        "a bad time": good.replace("1700000000.000001", "1700000000."),
        "bad MS": good.replace("0.230", "0.2300"),
        "a bad PID": good.replace("22597", "2259x"),
        "no address": good.replace("127.0.0.1 ", "127.0.0.256 ", 1),
        "two families": good.replace("127.0.0.1 ", "::1 ", 1),
        "an escape cut short": good.replace("recordProgramSt", "x\\04"),
        "no escape": good.replace("recordProgramSt", "x\\n"),
        "no octal": good.replace("recordProgramSt", "x\\089"),
        "no byte": good.replace("recordProgramSt", "x\\400"),
        "a tab": good.replace("recordProgramSt", "a\tb"),
        "a terminal's command": good.replace("recordProgramSt", "\033[31m"),
        "not ASCII": good.replace("recordProgramSt", "caf\xe9"),
        "a NUL": good.replace("recordProgramSt", "a\0b"),
    }

    def one(what):
        contents = f"{HEADER}\n{good}\n{bad[what]}\n{good}\n".encode("latin-1")
        for option in "-w", "-J", "-x", "-T":
            wanted = printed(["-a", option], f"{HEADER}\n{good}\n".encode())
            if "escape" in what or "octal" in what or "byte" in what:
                if option == "-x":      # as it is in the file
                    continue
            stdout, stderr, status = outcome(["-a", option], contents)
            equal((stdout, status), (wanted, 1), option)
            check(re.fullmatch(r"tcplife: /proc/net/tcplife: malformed row: "
                               r"[ -~]*\n", stderr), "stderr:", repr(stderr))
    cases(bad, one)


@test
def malformed_headers():
    """A file that is no such table at all."""
    for header in ("", "SEQ", HEADER.replace(" TX_B", " XT_B"),
                   HEADER + " \033[31m", HEADER + ' "'):
        stdout, stderr, status = outcome(["-a"], f"{header}\n".encode())
        equal((stdout, status), ("", 1), "header", header)
        check(re.fullmatch(r"tcplife: /proc/net/tcplife: malformed header: "
                           r"[ -~]*\n", stderr), "stderr:", repr(stderr))


@test
def missed_rows():
    """A gap in SEQ is told when it is met, and the sum at the end."""
    equal(outcome(["-aJ"], plain(1, 2, 3))[1:], ("", 0), "no gap")
    stdout, stderr, status = outcome(["-a"], plain(1, 2, 4, 5, 100, 101))
    equal((len(stdout.splitlines()), status), (7, 0), "lines")
    equal(stderr, "tcplife: missed 1 row: SEQ 3\n"
          "tcplife: missed 94 rows: SEQ 6 to 99\n"
          "tcplife: missed 95 rows in all\n", "stderr")
    # What the ring has no more when -a begins, and rows that are not wanted.
    equal(outcome(["-a", "-p", "7"], plain(31, 32))[1],
          "tcplife: missed 30 rows: SEQ 1 to 30\n"
          "tcplife: missed 30 rows in all\n", "stderr")
    equal(outcome(["-a", "-n", "2"], plain(1, 3, 5))[1:],
          ("tcplife: missed 1 row: SEQ 2\ntcplife: missed 1 row in all\n", 0),
          "with -n")


def grow(contents):
    """Add to a table in a file; all of it at once, as procfs does."""
    with open(LIFE, "ab") as file:
        file.write(contents)


def begin(contents):
    """A table in a file, which can be sought in."""
    if os.path.exists(LIFE):
        os.unlink(LIFE)
    grow(contents)


@test
def following():
    """From now on, each row when it comes: also when stdout is a pipe."""
    begin(TABLE)
    say_recorded(15)
    program = Run([])
    equal(program.line().split()[0], "PID", "header")
    for seq in range(16, 20):
        grow((PLAIN.format(seq) + "\n").encode())
        equal(program.line().split(), "1 init 10.0.0.1 22 10.0.0.2 50000 0 0 "
              "1.00".split(), "row", seq)
    grow((PLAIN.format(30) + "\n").encode())
    program.line()
    equal(program.end(), ("", "tcplife: missed 10 rows: SEQ 20 to 29\n"
                          "tcplife: missed 10 rows in all\n", 0), "end")


@test
def missed_before_the_first():
    """What was lost between the start and the first row that was read."""
    def one(recorded):
        begin(plain(*range(1, 11)))
        say_recorded(recorded)
        program = Run(["-n", "1"])
        program.line()
        grow((PLAIN.format(21) + "\n").encode())
        equal(program.end(None)[1:], (missed[recorded], 0), "end")

    missed = {10: "tcplife: missed 10 rows: SEQ 11 to 20\n"
                  "tcplife: missed 10 rows in all\n",
              20: "",       # came between the look at one file and the other
              21: "",
              0: "tcplife: missed 20 rows: SEQ 1 to 20\n"
                 "tcplife: missed 20 rows in all\n",
              None: ""}     # there is nothing to tell it by
    cases(map(str, missed), lambda name: one(None if name == "None"
                                             else int(name)))


@test
def signals_end_it():
    """Ctrl-C is the way out, and no failure; so is SIGTERM."""
    for number in signal.SIGINT, signal.SIGTERM:
        table = Table()
        program = Run(["-a"])
        for _ in LINES:
            program.line()
        equal(program.end(number), ("", "", 0), number)
        table.close()


def asleep(pid):
    """Is @pid asleep, now and a little later?"""
    for _ in range(5):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            if file.read().rsplit(")", 1)[1].split()[0] != "S":
                return False
        time.sleep(0.02)
    return True


@test
def signals_in_a_stuck_pipe():
    """The same when nobody reads what it writes."""
    for number in signal.SIGINT, signal.SIGTERM:
        for size in 4096, 65536:    # it comes to wait in poll(), in write()
            table = Table(plain(*range(1, 5001)))
            program = Run(["-a"], pipesize=size)
            until(lambda: table.left() < 5000 * len(PLAIN), "its start")
            until(lambda: asleep(program.process.pid), "its sleep")
            program.process.send_signal(number)
            equal(program.process.wait(30), 0, "status")
            check(table.left(), "it was not stuck")
            equal(program.end(None)[1:], ("", 0), "end")
            table.close()


@test
def ignored_signals_stay_ignored():
    """What a shell does to a job in the background."""
    table = Table()
    program = Run(["-a"], preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                           signal.SIG_IGN))
    for _ in LINES:
        program.line()
    program.process.send_signal(signal.SIGINT)
    table.write((PLAIN.format(16) + "\n").encode())
    program.line()
    equal(program.end(signal.SIGTERM)[1:], ("", 0), "end")
    table.close()


@test
def the_reader_goes():
    """tcplife | head: ends quietly, at once, as SIGPIPE would have it."""
    def one(name):
        table = Table(plain(1, 2, 5))
        program = Run(["-a"], restore_signals=name != "ignoring SIGPIPE")
        for _ in range(4):
            program.line()
        program.process.stdout.close()      # while it waits for a row
        program.process.stdout = None
        stderr = program.end(None)[1:]
        equal(stderr, ("tcplife: missed 2 rows: SEQ 3 to 4\n"
                       "tcplife: missed 2 rows in all\n", statuses[name]),
              "end")
        table.close()

    statuses = {"as usual": -signal.SIGPIPE, "ignoring SIGPIPE": 1}
    cases(statuses, one)


@test
def write_errors():
    """A full disk and a closed stdout: one line, status 1."""
    for args in ["-a"], ["-aJ"], ["-h"], ["--version"]:
        table = Table()
        with open("/dev/full", "wb") as full:
            equal(Run(args, stdout=full).end(None),
                  ("", "tcplife: cannot write: No space left on device\n", 1),
                  args)
        program = Run(args, stdout=None, preexec_fn=lambda: os.close(1))
        equal(program.end(None),
              ("", "tcplife: cannot write: stdout is closed\n", 1), args)
        table.close()
    with open("/dev/null", "rb") as null:
        table = Table()
        equal(Run(["-a"], stdout=null).end(None),
              ("", "tcplife: cannot write: Bad file descriptor\n", 1),
              "read-only")
        table.close()


@test
def a_nonblocking_stdout():
    """As an ssh or an event loop may leave it to us: nothing is lost."""
    table = Table(plain(*range(1, 5001)))
    ours, theirs = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(ours, fcntl.F_SETFL, 0)
    program = Run(["-a", "-n", "5000"], stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        text = b""
        while part := pipe.read(5000):
            text += part
            time.sleep(0.001)
    equal(text.count(b"\n"), 5001, "lines")
    equal(program.end(None)[1:], ("", 0), "end")
    table.close()


@test
def the_module_goes():
    """While it follows: one line, status 1, after what has been missed."""
    table = Table(plain(1, 3))
    program = Run(["-a"])
    for _ in range(3):
        program.line()
    table.close()
    equal(program.end(None),
          ("", "tcplife: missed 1 row: SEQ 2\n"
           "tcplife: /proc/net/tcplife has gone: the module knetstat was "
           "unloaded\ntcplife: missed 1 row in all\n", 1), "end")


@test
def no_file():
    """Not loaded, not allowed, not a table: one line, status 1, no output."""
    def one(name):
        if os.path.exists(LIFE):
            os.unlink(LIFE)
        how = {}
        if name == "not allowed":
            begin(TABLE)
            os.chmod(LIFE, 0)
            if not os.getuid():
                os.chmod(WORK, 0o755)
                how = {"user": 65534}
        elif name == "a directory":
            os.mkdir(LIFE)
        elif name == "empty":
            begin(b"")
        try:
            equal(Run([], **how).end(None), ("", said[name], 1), "end")
        finally:
            if os.path.isdir(LIFE):
                os.rmdir(LIFE)

    said = {
        "not there": "tcplife: no /proc/net/tcplife: the module is not loaded "
                     "(modprobe knetstat)\n",
        "not allowed": "tcplife: cannot open /proc/net/tcplife: "
                       "Permission denied\n",
        "a directory": "tcplife: cannot read /proc/net/tcplife: "
                       "Is a directory\n",
        "empty": "tcplife: /proc/net/tcplife: no header\n",
    }
    cases(said, one)


@test
def missing_descriptors():
    """Without stdin and stderr, its own files must not take their places."""
    def without():
        os.close(0)
        os.close(2)

    wanted = printed(["-a"])
    table = Table()
    equal(Run(["-a", "-n", "15"], preexec_fn=without).end(None),
          (wanted, "", 0), "end")
    table.close()


def file_of(*lines):
    """The table as a file that has an end."""
    if os.path.exists(LIFE):
        os.unlink(LIFE)
    with open(LIFE, "w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in (HEADER, *lines))


def boot(name):
    """Which boot it is."""
    os.makedirs(f"{WORK}/proc/sys/kernel/random", exist_ok=True)
    with open(f"{WORK}/proc/sys/kernel/random/boot_id", "w", encoding="ascii") as file:
        file.write(f"{name}\n")


def seqs(program):
    """SEQ of what a run with -J has printed, and what it has said."""
    stdout, stderr, status = program.end(None)
    return [json.loads(line)["seq"] for line in stdout.splitlines()], stderr, status


@test
def state():
    """Each run with --state goes on where the one before has ended."""
    path = f"{WORK}/state"

    def run(*args, **how):
        return Run(["-J", "--state", path, *args], **how)

    boot("one")
    say_recorded(None)
    file_of(*(PLAIN.format(seq) for seq in (1, 2, 3)))
    equal(seqs(run()), ([1, 2, 3], "", 0), "the first run")
    equal(seqs(run()), ([], "", 0), "nothing new")
    file_of(*(PLAIN.format(seq) for seq in (2, 3, 4, 5)))
    equal(seqs(run()), ([4, 5], "", 0), "two more")
    file_of(*(PLAIN.format(seq) for seq in (9, 10, 11)))
    equal(seqs(run("-n", "1")), ([9], "tcplife: missed 3 rows: SEQ 6 to 8\n"
                                 "tcplife: missed 3 rows in all\n", 0), "a gap, and -n")
    equal(seqs(run("-L", "1")), ([], "", 0), "none of interest")
    equal(seqs(run()), ([], "", 0), "those that were of no interest")
    file_of(*(PLAIN.format(seq) for seq in (11, 12)))
    with open("/dev/full", "w", encoding="ascii") as full:
        _, stderr, status = run(stdout=full).end(None)
    equal((stderr, status), ("tcplife: cannot write: No space left on device\n", 1), "full")
    equal(seqs(run()), ([12], "", 0), "what could not be printed")
    boot("two")
    file_of(PLAIN.format(1), PLAIN.format(2))
    equal(seqs(run()), ([1, 2], "", 0), "another boot")
    file_of(PLAIN.format(1))
    say_recorded(1)
    equal(seqs(run()), ([1], "", 0), "loaded anew, where sysfs does not tell")
    say_recorded(None)
    os.makedirs(f"{WORK}/sys/module/knetstat")
    equal(seqs(run()), ([1], "", 0), "loaded anew, by sysfs")
    equal(seqs(run()), ([], "", 0), "and no more")
    file_of(PLAIN.format(1), PLAIN.format(2))
    equal(seqs(run()), ([2], "", 0), "the next one")
    equal(os.listdir(WORK).count("state"), 1, "files")
    check(not [name for name in os.listdir(WORK) if name.startswith("state.")], "left behind")
    before = open(path, encoding="ascii").read()
    _, stderr, status = Run(["--state", f"{WORK}/none/such"]).end(None)
    equal((stderr.count("cannot write"), status), (1, 1), "no such directory")
    with open(path, "w", encoding="ascii") as file:
        file.write("something else\n")
    _, stderr, status = run().end(None)
    equal((stderr, status), (f"tcplife: {path}: not a file of tcplife's --state\n", 2),
          "somebody else's file")
    equal(open(path, encoding="ascii").read(), "something else\n", "untouched")
    check(before.startswith("tcplife two ") and before.endswith(" 2\n"), before)


@test
def state_of_who_follows():
    """With -f it goes on, and what it has printed is saved when it is stopped."""
    path = f"{WORK}/following"
    boot("one")
    contents = plain(1, 2, 3)
    table = Table(contents)
    program = Run(["-J", "-f", "--state", path])
    for seq in 1, 2, 3:
        equal(json.loads(program.line())["seq"], seq, "SEQ")
    table.write((PLAIN.format(4) + "\n").encode())
    equal(json.loads(program.line())["seq"], 4, "SEQ")
    equal(program.end()[1:], ("", 0), "stopped")
    table.close()
    check(open(path, encoding="ascii").read().endswith(" 4\n"), "not saved")


@test
def cgroups():
    """A cgroup by its path; one that is younger than the program; one that has gone."""
    header = HEADER.replace(" END", " CGROUP END")

    def row(seq, cgroup):
        return PLAIN.format(seq).replace(" fin", f" {cgroup} fin")

    for mount in "/sys/fs/cgroup", "/sys/fs/cgroup/unified":
        shutil.rmtree(f"{WORK}/sys", ignore_errors=True)
        names = ["", "/system.slice", "/system.slice/a b.service", "/system.slice2"]
        ids = []
        for name in names:
            os.makedirs(f"{WORK}{mount}{name}")
            ids.append(os.stat(f"{WORK}{mount}{name}").st_ino)
        os.makedirs(f"{WORK}/proc/self", exist_ok=True)
        with open(f"{WORK}/proc/self/mountinfo", "w", encoding="ascii") as file:
            file.write("22 1 0:20 / /proc rw - proc proc rw\n"
                       "29 22 0:26 /system.slice /mnt rw,nosuid shared:9 - cgroup2 none rw\n"
                       f"30 22 0:26 / {mount} rw,nosuid shared:9 - cgroup2 none rw\n")
        rows = "".join(f"{line}\n" for line in (
            header, *(row(n, number) for n, number in enumerate([*ids, 7, "-"], 1)))).encode()

        def shown(*args, rows=rows):
            return [(thing["seq"], thing["cgroup_path"], thing["cgroup"])
                    for thing in map(json.loads, printed(["-aJ", *args], rows).splitlines())]

        paths = ["/", *names[1:]]
        equal(shown(), [*zip(range(1, 5), paths, ids), (5, None, 7), (6, None, None)], "all")
        within = [(2, paths[1], ids[1]), (3, paths[2], ids[2])]
        for arg in ("/system.slice", "system.slice/", f"{WORK}{mount}/system.slice",
                    f"{mount}/system.slice", "/./system.slice", "/system.slice2/../system.slice"):
            equal(shown("--cgroup", arg), within, arg)
        equal(len(shown("--cgroup", "/")), 4, "all that are known")
        lines = printed(["-ax"], rows).splitlines()
        check(lines[3].endswith(" /system.slice/a\\040b.service fin"), lines[3])
        check(lines[5].endswith(" - fin"), lines[5])
        equal(printed(["-axs"], rows).splitlines()[2].split(",")[-2:], ["/system.slice", "fin"],
              "CSV")
        _, stderr, status = Run(["--cgroup", "/none"]).end(None)
        equal((stderr, status), ("tcplife: no such cgroup: '/none'\n", 2), "unknown")

    table = Table(rows)
    program = Run(["-aJ"])
    for _ in range(6):
        program.line()
    # It does not look more often than ten times a second.
    os.mkdir(f"{WORK}{mount}/young")
    young = os.stat(f"{WORK}{mount}/young").st_ino
    seq = 7
    while True:
        table.write((row(seq, young) + "\n").encode())
        thing = json.loads(program.line())
        if thing["cgroup_path"]:
            break
        seq += 1
    equal(thing["cgroup_path"], "/young", "cgroup")
    os.rmdir(f"{WORK}{mount}/young")
    table.write((row(seq + 1, young) + "\n").encode())
    equal(json.loads(program.line())["cgroup_path"], "/young", "of one that was known")
    equal(program.end()[1:], ("", 0), "the end")
    table.close()
    os.unlink(f"{WORK}/proc/self/mountinfo")


@test
def other_hosts():
    """--proc and HOST_PROC: process 1's view of another procfs."""
    host = f"{WORK}/host"
    os.makedirs(f"{host}/1/net", exist_ok=True)
    with open(f"{host}/1/net/tcplive", "w", encoding="ascii") as file:
        file.write(open(f"{HERE}/tcplive.table", encoding="ascii").readline())
    wanted = transcript("tcplive")["-l # nothing" if "-l # nothing" in transcript("tcplive")
                                   else "-lx # nothing"][0]
    args = ["-lx"]
    equal(Run(["--proc", host, *args]).end(None), (wanted, "", 0), "--proc")
    os.environ["HOST_PROC"] = host
    try:
        equal(Run(args).end(None), (wanted, "", 0), "HOST_PROC")
        _, stderr, status = Run(["--proc", WORK, *args]).end(None)
        equal((stderr, status), (f"tcplife: no {WORK}/1/net/tcplive: the module is not loaded "
                                 "(modprobe knetstat)\n".replace(WORK, ""), 1),
              "--proc before HOST_PROC")
    finally:
        del os.environ["HOST_PROC"]
