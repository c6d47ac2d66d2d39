# SPDX-License-Identifier: GPL-2.0
"""The program sockstat on tables of our own.

It is built as it is, but for the place of /proc and /run, with users of our own
and with sanitizers. sockstat.table and sockstat.unix are the tables, sockstat.transcript
what it prints of them with each option, in the form of a terminal session: "$" a command,
"!" stderr, "?" a status but 0. That it gets along with the module is for
tests/guest.
"""

import atexit
import fcntl
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from lib import programs
from lib.ktap import Skip, cases, check, equal, test

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = tempfile.mkdtemp(prefix="sockstat-test.")
ROOT = f"{WORK}/root"
PROC = f"{ROOT}/proc"
OWNER = f"{PROC}/net/sockowner"
LOOKUPS = f"{ROOT}/lookups"
PROGRAM = f"{WORK}/sockstat"

# The cgroups in there. Their ids are what the file system gives these directories.
CGROUPS = {"9001": "/init.scope", "9002": "/system.slice/ssh.service",
           "9003": "/system.slice/my web", "9004": "/system.slice/resolved"}
CGROUP_ROOT = f"{ROOT}/sys/fs/cgroup"


# And the network namespace: ours is this one.
OWN, OTHER = os.stat("/proc/self/ns/net").st_ino, 4026532000


def cgroup_id(path):
    """The id of a cgroup."""
    os.makedirs(f"{CGROUP_ROOT}{path}", exist_ok=True)
    return str(os.stat(f"{CGROUP_ROOT}{path}").st_ino)


def read_table(name):
    """A table of ours, with the cgroups that there are."""
    with open(f"{HERE}/{name}", encoding="ascii") as file:
        text = file.read()
    for number, path in CGROUPS.items():
        text = text.replace(f" {number} ", f" {cgroup_id(path)} ")
    return text.replace("4026531840", str(OWN)).encode()


TABLE, UNIX = read_table("sockstat.table"), read_table("sockstat.unix")
LINES = TABLE.decode("ascii").splitlines()
HEADER, ROWS = LINES[0], LINES[1:]

USERS = {0: "root", 33: "www-data", 101: "systemd-resolve", 1000: "alice",
         1001: "zoë", 1002: "33", 65534: "no\033body"}

# Takes the place of libc's, and writes down who was looked up, from where.
PASSWD = r"""
#define _GNU_SOURCE
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct passwd *look_up(const char *name, uid_t uid)
{
	FILE *users = fopen(ROOT "/passwd", "r"), *log = fopen(ROOT "/lookups", "a");
	char netns[64] = "";
	struct passwd *entry;

	if (log && readlink("/proc/self/ns/net", netns, sizeof(netns) - 1) > 0)
		fprintf(log, "%d %s\n", (int)uid, netns);
	if (log)
		fclose(log);
	do
		entry = fgetpwent(users);
	while (entry && (name ? strcmp(name, entry->pw_name) : entry->pw_uid != uid));
	fclose(users);
	return entry;
}

struct passwd *getpwuid(uid_t uid) { return look_up(NULL, uid); }
struct passwd *getpwnam(const char *name) { return look_up(name, 0); }
"""

JOINED = {
    "tcpstat": """\
Recv-Q Send-Q Local-Address Foreign-Address Stat Diag Drops UID Inode Options
0 128 127.0.0.53:53 0.0.0.0:* LSTN - 0 101 18101 SO_REUSEADDR=1,SO_REUSEPORT=0,SO_KEEPALIVE=0,TCP_NODELAY=0
129 128 0.0.0.0:80 0.0.0.0:* LSTN !A 7 33 18300 SO_REUSEADDR=1,SO_KEEPALIVE=0,TCP_DEFER_ACCEPT=10,TCP_CONGESTION=bbr
0 4344 10.0.0.1:40003 10.0.0.3:443 FNW1 >#,>R 0 1001 18503 SO_KEEPALIVE=1,SO_LINGER=0s,SO_MARK=1,TCP_CONGESTION=dctcp,TCP_ULP=tls
3 0 192.168.100.200:22 203.0.113.255:65535 ESTB - 0 0 18201 SO_KEEPALIVE=1,XTCP_CONGESTION=no,TCP_CONGESTIONS=no,IP_MTU_DISCOVER=0,SO_BINDTODEVICE=e\\134h
0 0 127.0.0.1:22 127.0.0.1:50000 TIMW - 0 0 0 -
0 0 192.168.100.200:22 198.51.100.7:1024 SYNR - 0 0 0 -
0 5 10.0.0.1:40010 10.0.0.3:80 FNW1 >| 0 1000 0 SO_KEEPALIVE=0,SO_RCVTIMEO=250ms
0 1 10.0.0.1:1 10.0.0.1:3 ESTB K? 0 65534 18903 SO_KEEPALIVE=1,TCP_USER_TIMEOUT=111
0 2 10.0.0.1:1 10.0.0.1:2 ESTB - 0 65534 18903 SO_KEEPALIVE=1,TCP_USER_TIMEOUT=222
""",
    "tcp6stat": """\
Recv-Q Send-Q Local-Address Foreign-Address Stat Diag Drops UID Inode New Options
0 128 :::22 :::* LSTN - 0 0 18001 7 TCP_CONGESTION=reno,SO_KEEPALIVE=1
11 12 ::ffff:127.0.0.1:8080 ::ffff:127.0.0.1:40000 ESTB - 0 33 18301 7 SO_KEEPALIVE=0,IPV6_V6ONLY=0
1 0 2001:db8:1111:2222:3333:4444:5555:6666:80 2001:db8:1111:2222:3333:4444:5555:7777:50000 CLSW C? 0 33 18302 7 SO_KEEPALIVE=0
0 0 2001:db8::1:80 2001:db8::2:1 ESTB - 0 33 0 7 SO_KEEPALIVE=1
0 0 ::1:40006 ::1:8443 ESTB - 0 0 4294967295 7 SO_KEEPALIVE=1
""",
    "udpstat": """\
Recv-Q Send-Q Local-Address Foreign-Address Stat Diag Drops UID Inode Options
0 0 127.0.0.53:53 0.0.0.0:* UNCN - 0 101 18100 SO_REUSEADDR=0,SO_REUSEPORT=0,SO_BROADCAST=0
212992 0 0.0.0.0:68 0.0.0.0:* UNCN !B 16000 0 18601 SO_REUSEADDR=0,SO_REUSEPORT=0,SO_BROADCAST=1
0 0 0.0.0.0:4789 0.0.0.0:* UNCN - 0 0 18902 SO_BROADCAST=0
""",
    "udp6stat": """\
Recv-Q Send-Q Local-Address Foreign-Address Stat Diag Drops UID Inode Options
0 0 :::5353 :::* UNCN - 0 1001 18501 SO_REUSEADDR=0,SO_BROADCAST=0,IPV6_RECVERR=1
""",
}
# The rows with a mark, of all of them.
TROUBLE = (JOINED["tcpstat"].split("\n")[0] + "\n" + "".join(
    re.sub(" 7 (?=[A-Z])", " ", f"{line}\n") for text in JOINED.values()
    for line in text.splitlines()[1:] if line.split()[5] != "-"))
ARGUMENTS = {
    1: b"/sbin/init\0",
    612: b"",
    801: b"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0\0\0\0",
    900: b"nginx\0-g\0daemon off;\0\0-x",
    901: "caf\xe9 \0caf\u00e9\n\x1b[31m\0\"q\\\"\0".encode("latin-1") +
         "\u65e5\u672c".encode(),
    1234: b"a" * 5000,
}


def place(path, contents):
    """A file below ROOT."""
    path = f"{ROOT}/{path}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(contents if isinstance(contents, bytes)
                   else contents.encode())


def build():
    """The program, looking for its files below ROOT."""
    owner = os.getpid()
    atexit.register(lambda: owner == os.getpid() and shutil.rmtree(WORK))
    place("passwd", "".join(f"{name}:x:{uid}:0::/:/bin/sh\n"
                            for uid, name in USERS.items()))
    place("passwd.c", PASSWD)
    place("proc/sys/net/ipv4/tcp_congestion_control", "cubic\n")
    place("proc/77/net/sockowner", f"{HEADER}\n{ROWS[3]}\n")
    for pid in 77, 78:
        os.makedirs(f"{PROC}/{pid}/ns")
        os.symlink("/proc/self/ns/net", f"{PROC}/{pid}/ns/net")
        for name, contents in {**JOINED, "socktrouble": TROUBLE}.items():
            place(f"proc/{pid}/net/{name}", contents)
    place("proc/self/mountinfo",
          "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 none rw\n")
    os.makedirs(f"{PROC}/self/ns")
    os.symlink("/proc/self/ns/net", f"{PROC}/self/ns/net")
    os.makedirs(f"{ROOT}/run/netns")
    place("run/netns/plain", "")
    for name, contents in JOINED.items():
        place(f"proc/net/{name}", contents)
    place("proc/net/socktrouble", TROUBLE)
    place("proc/net/unixowner", UNIX)
    for pid, contents in ARGUMENTS.items():
        place(f"proc/{pid}/cmdline", contents)
    programs.build("sockstat", WORK, ROOT, f"{ROOT}/passwd.c")


def start(args, **how):
    """The program, running."""
    how.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen([PROGRAM, *args], stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, **how)


def end(process):
    """What it has printed, what it said, and its status."""
    return programs.end(process, ROOT)


def begin(contents):
    """A table."""
    if os.path.exists(OWNER):
        os.unlink(OWNER)
    place("proc/net/sockowner", contents)


def outcome(args, contents=TABLE, **how):
    """What it prints of a table, what it says, and its status."""
    begin(contents)
    if os.path.exists(LOOKUPS):
        os.unlink(LOOKUPS)
    return end(start(args, **how))


def printed(args, contents=TABLE, **how):
    """What it prints of a table, when all is well."""
    stdout, stderr, status = outcome(args, contents, **how)
    equal((stderr, status), ("", 0), "stderr and status of", args)
    return stdout


@test
def every_option():
    """All options, and all that can be wrong with them, as written down."""
    sessions = programs.transcript(f"{HERE}/sockstat.transcript", "sockstat")

    def one(args):
        got = list(outcome(shlex.split(args)))
        got[0] = got[0].replace(str(OWN), "4026531840")
        for number, path in CGROUPS.items():
            got[0] = got[0].replace(f'"cgroup":{cgroup_id(path)},', f'"cgroup":{number},')
        programs.as_written(got, sessions[args])
    cases(sessions, one)


# The same once more, in another way.

UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e"
                         "\u2060-\u206f\ufeff\ufff9-\ufffb\ufffd"
                         "\U000e0000-\U000e007f]")
STATES = {"ESTB": "ESTABLISHED", "SYNS": "SYN_SENT", "SYNR": "SYN_RCVD",
          "FNW1": "FIN_WAIT_1", "FNW2": "FIN_WAIT_2", "TIMW": "TIME_WAIT",
          "CLSD": "CLOSED", "CLSW": "CLOSE_WAIT", "LACK": "LAST_ACK",
          "LSTN": "LISTEN", "CLSG": "CLOSING", "UNCN": "UNCONN"}
# Of USER COMMAND PID FD PROTO LOCAL FOREIGN INODE STATE; and which are flush right.
WIDTHS = (8, 10, 7, 4, 6, 21, 21, 10, 11)
TITLES = ("USER", "COMMAND", "PID", "FD", "PROTO", "LOCAL ADDRESS", "FOREIGN ADDRESS",
          "INODE", "CONN STATE")
RIGHT = (2, 3, 7)


def unescaped(field):
    """The text that a field stands for."""
    return re.sub(r"\\(...)", lambda m: chr(int(m[1], 8)),
                  field).encode("latin-1").decode("utf-8", "replace")


def lines_of(cells, widths):
    """Rows of cells as lines: flush right, or left; what is too long pushes the next."""
    for row in cells:
        line, column = "", 0
        for number, (cell, width) in enumerate(zip(row, widths)):
            if column:
                line += " " * max(1, column - len(line))
            begin = column if len(line) <= column else len(line)
            if number in RIGHT:
                line += " " * (column + width - begin - len(cell))
            line += cell
            column += width + 1
        yield line


class Row:
    """A row of the table."""

    def __init__(self, line):
        (self.uid, self.pid, self.comm, self.fd, self.proto, self.stat,
         self.local, self.foreign, self.held, self.cgroup, self.netns,
         self.inode) = line.split()
        # What has mapped addresses is IPv4's.
        if self.proto in ("tcp6", "udp6") and re.search(
                r"^::ffff:[\d.]*:[^:]+$", "\n".join((self.local, self.foreign)), re.M):
            self.proto = self.proto[:3] + "4"
            self.local = re.sub(r"^::ffff:(?=[\d.]*:[^:]+$)", "", self.local)
            self.foreign = re.sub(r"^::ffff:(?=[\d.]*:[^:]+$)", "", self.foreign)
            self.local = re.sub(r"^::(?=:[^:]+$)", "0.0.0.0", self.local)
            self.foreign = re.sub(r"^::(?=:[^:]+$)", "0.0.0.0", self.foreign)

    def cells(self, wide=False, numeric=False):
        """It as sockstat -si prints it."""
        user = self.uid if numeric else USERS.get(int(self.uid), self.uid)
        cells = [user, unescaped(self.comm), self.pid, self.fd]
        if self.pid == "-":
            cells = ["??"] * 4
        if not wide:
            cells[1] = cells[1][:10]
        cells += [self.proto,
                  re.sub(r"^(0\.0\.0\.0|::)(?=(%[^:]*)?:[^:]*$)", "*", self.local),
                  re.sub(r"^(0\.0\.0\.0|::)(?=(%[^:]*)?:[^:]*$)", "*", self.foreign),
                  self.inode, STATES[self.stat]]
        return [UNPRINTABLE.sub("?", cell) for cell in cells]

    def thing(self):
        """It as sockstat -J prints it."""
        known = {"pid": int, "fd": int, "comm": unescaped}
        ends = {}
        for side, value in ("l", self.local), ("r", self.foreign):
            addr, port = value.rsplit(":", 1)
            ends[f"{side}addr"] = unescaped(addr)
            ends[f"{side}port"] = 0 if port == "*" else int(port)
        return {
            "uid": int(self.uid),
            "user": None if self.stat == "TIMW" else USERS.get(int(self.uid)),
            **{key: None if getattr(self, key) == "-"
               else kind(getattr(self, key)) for key, kind in known.items()},
            "proto": self.proto, "stat": self.stat, **ends,
            "held": None if self.held == "-" else self.held,
            "cgroup": None if self.cgroup == "-" else int(self.cgroup),
            "cgroup_path": None, "netns": int(self.netns),
            "inode": int(self.inode),
        }


def as_lines(lines):
    """What sockstat -Hsi prints of them."""
    return "".join(f"{line}\n" for line in
                   lines_of([Row(line).cells() for line in lines], WIDTHS))


def some_comm(rng):
    """A process name that somebody might have thought of, escaped."""
    kind = rng.randrange(4)
    if kind == 0:
        comm = bytes(rng.randrange(1, 256) for _ in range(rng.randint(1, 15)))
    elif kind == 1:
        letters = ("aZ0-_/:,\"\\ é€漢😀\x80\u202e\ufeff\ue000\U0010ffff"
                   "\U000e0041")
        comm = "".join(rng.choice(letters)
                       for _ in range(rng.randint(1, 15))).encode()[:15]
    elif kind == 2:   # what UTF-8 forbids is hard to meet by chance
        comm = b"".join(rng.choice((b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                                    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x9f",
                                    b"\xe2\x82", b"x", b"\xff"))
                        for _ in range(4))[:15]
    else:
        comm = rng.choice((b"nginx", b"kworker/0:1", b"a", b"-", b"sshd"))
    if comm == b"-":
        return "\\055"
    return "".join(chr(c) if 32 < c < 127 and c != 92 else f"\\{c:03o}"
                   for c in comm)


def some_end(six, rng):
    """An address and a port."""
    port = rng.choice(("*", 22, 53, 80, 65535, rng.randrange(1, 65536)))
    if six:
        address = rng.choice(("::", "::1", "::ffff:127.0.0.1", "::1:2", "fe80::1%eth0",
                              "::ffff:10.1.2.3", "2001:db8:1:2:3:4:5:6", "::%a\\134b",
                              "::127.0.0.1", "1:2:3:4:5:6:7:8", "::ffff:0:5efe:1.2.3.4"))
    else:
        address = rng.choice(("0.0.0.0", "127.0.0.1", "127.255.255.255", "0.0.0.0%lo",
                              "10.0.0.1", "1.127.0.0", "255.255.255.255", "127.0.0.1%lo"))
    return f"{address}:{port}"


ALL = ["-P", "tcp,udp,raw,icmp"]
SOME_PROTOS = ("tcp4", "tcp4", "tcp6", "tcp46", "udp4", "udp6", "udp46", "raw4", "icmp6")


def some_rows(count, rng, netns=(OWN,)):
    """Rows of all kinds: processes with some descriptors each, and the rest."""
    rows, pid = [], 0
    while len(rows) < count:
        pid += rng.randint(1, 2000)
        comm, holder = some_comm(rng), len(rows) < count * 3 / 4
        uid = rng.choice((*USERS, 5, 2000, 4294967295))
        for fd in sorted(rng.sample(range(1200), rng.randint(1, 4))):
            proto = rng.choice(SOME_PROTOS)
            six = proto[-1] == "6"
            # As a rule all is the same but for the descriptor.
            if rng.random() < .2:
                uid = rng.choice((*USERS, 5, 2000, 4294967295))
            if rng.random() < .1:
                comm = some_comm(rng)
            who = (pid, comm, fd) if holder else "---"
            stat = rng.choice([name for name in STATES if name != "UNCN"]
                              if proto[:3] == "tcp" else ("ESTB", "UNCN"))
            held = "fd" if holder else rng.choice(("-", "syn", "tw", "orphan", "kernel",
                                                   "queue"))
            rows.append(f"{uid:5} {who[0]:>7} {who[1]:<16} {who[2]:>5} "
                        f"{proto:6} {stat} {some_end(six, rng)} {some_end(six, rng)} "
                        f"{held:6} {rng.choice(('-', 7, 1 << 60))} "
                        f"{rng.choice(netns)} "
                        f"{rng.choice((0, rng.randrange(1 << 32)))}")
    return rows


def table_of(rows):
    """A table of these rows."""
    return "".join(f"{line}\n" for line in [HEADER, *rows]).encode()


@test
def every_column():
    """3000 rows of all kinds, each character of them."""
    lines = some_rows(3000, random.Random(1))
    rows = [Row(line) for line in lines]
    for wide in False, True:
        for numeric in False, True:
            args = [*ALL, "-Hsi"] + ["-w"] * wide + ["-n"] * numeric
            got = printed(args, table_of(lines)).split("\n")[:-1]
            equal(len(got), len(rows), "rows")
            cells = [row.cells(wide, numeric) for row in rows]
            widths = WIDTHS
            if wide:
                widths = [max(map(len, column)) for column in zip(TITLES, *cells)]
            for line, row in zip(got, lines_of(cells, widths)):
                equal(line, row, "row", *args)


@test
def json_is_json():
    """Each object has what the row has, under its name."""
    lines = some_rows(3000, random.Random(2))
    stdout = printed([*ALL, "-J"], table_of(lines))
    got = [json.loads(line) for line in stdout.splitlines()]
    equal(len(got), len(lines), "objects")
    for thing, line in zip(got, lines):
        wanted = Row(line).thing()
        equal(thing, wanted, "object")
        equal(sorted(thing), sorted(wanted), "keys")
    check(not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]", stdout),
          "raw control characters")


def loopback(address):
    """Is it one?"""
    return re.fullmatch(r"(127\..*|::1)(%.*)?", address)


def ports(thing):
    """The ports that a row has."""
    return {thing["lport"], thing["rport"]} if thing["proto"][:3] in ("tcp", "udp") else {-1}


def connected(thing):
    """Has it a foreign end?"""
    return thing["rport"] if -1 not in ports(thing) else thing["stat"] == "ESTB"


FILTERS = {
    "-4": lambda t: "4" in t["proto"],
    "-6": lambda t: "6" in t["proto"],
    "-46": lambda t: True,
    "-c": connected,
    "-l": lambda t: not connected(t) and (t["lport"] or -1 in ports(t)),
    "-lc": lambda t: True,
    "-L": lambda t: not loopback(t["laddr"]) and not loopback(t["raddr"]),
    "-p22,60-100": lambda t: any(port == 22 or 60 <= port <= 100 for port in ports(t)),
    "-p1-65535": lambda t: any(port > 0 for port in ports(t)),
    "-p53": lambda t: 53 in ports(t),
    "-Ptcp": lambda t: t["proto"][:3] == "tcp",
    "-Pudp,TCP6": lambda t: t["proto"] in ("udp4", "udp6", "udp46", "tcp6", "tcp46"),
    "-PUdp4": lambda t: t["proto"] in ("udp4", "udp46"),
    "-Praw,tcp46": lambda t: t["proto"] in ("raw4", "tcp46"),
    "-Psctp,icmp,divert": lambda t: t["proto"] == "icmp6",
    "-Ualice": lambda t: t["uid"] == 1000 and t["stat"] != "TIMW",
    "-U0": lambda t: t["uid"] == 0 and t["stat"] != "TIMW",
    "-U2000": lambda t: t["uid"] == 2000 and t["stat"] != "TIMW",
    "--command=sshd": lambda t: t["comm"] == "sshd",
    "--command=-": lambda t: t["comm"] == "-",
    "--held=orphan,syn": lambda t: t["held"] in ("orphan", "syn"),
    "--held=-": lambda t: t["held"] is None,
    "-jall": lambda t: True,
    f"-j{OTHER}": lambda t: t["netns"] == OTHER,
}


@test
def filters():
    """Each alone, and any together."""
    rng = random.Random(3)
    lines = some_rows(500, rng, (OWN, OWN, OTHER))
    things = [Row(line).thing() for line in lines]
    begin(table_of(lines))
    choices = [[name] for name in FILTERS]
    choices += [rng.sample(list(FILTERS), rng.randint(2, 4))
                for _ in range(60)]
    for args in choices:
        # The last of these counts, or they add up: see the transcript.
        if any(sum(arg.startswith(kind) for arg in args) > 1
               for kind in ("-p", "-P", "-U", "-j", "--c", "--h")) or \
                len([arg for arg in args if arg[1] in "46lc"]) > 1:
            continue
        stdout, stderr, status = end(start(["-J", *args]))
        equal((stderr, status), ("", 0), "stderr and status of", args)
        equal([json.loads(line) for line in stdout.splitlines()],
              [thing for thing in things
               if all(FILTERS[arg](thing) for arg in args) and
               (-1 not in ports(thing) or any("-P" in arg for arg in args)) and
               (thing["netns"] == OWN or any("-j" in arg for arg in args))], args)


def sharing(lines, rng):
    """@lines with processes that share all descriptors of one before: as the file has
    them, and as they are to be shown."""
    short, long = [], []
    held = [line for line in lines if line.split()[1] != "-"]
    spans = {}
    for line in held:
        spans.setdefault(int(line.split()[1]), []).append(line)
    top = max(spans)
    for pid, rows in sorted(spans.items()):
        short += rows
        long += rows
    for pid in range(top + 1, top + 60):
        other = rng.choice(sorted(spans))
        short.append(f"    - {pid:7} {'worker':16} {f'={other}':>5} -  -  -  - -  - - -")
        for row in spans[other]:
            uid, _, _, fd, rest = row.split(None, 4)
            long.append(f"{uid:>5} {pid:7} {'worker':16} {fd:>5} {rest}")
    free = [line for line in lines if line.split()[1] == "-"]
    return short + free, long + free


@test
def shared_descriptors():
    """A process that has =PID for its descriptor is shown in full."""
    rng = random.Random(5)
    for count in 1, 30, 4000:
        short, long = sharing(some_rows(count, rng) + [LINES[1]], rng)
        for args in [], ["-J"], ["-ws"], ["-l"], ["--command", "worker"], ["-Hn4c"]:
            equal(printed(args, table_of(short)), printed(args, table_of(long)), *args)
    bad = "    -    9999 x                  {} -     -    -  -  - -  -  -"
    for fd in "=1", "=", "=0", "1", "=x", "=9999", "=18446744073709551617":
        stdout, stderr, status = outcome(["-H"], table_of([bad.format(fd)]))
        equal((stdout, status), ("", 1), fd)
        check("malformed row" in stderr and stderr.count("\n") == 1, stderr)
    short, _ = sharing([LINES[1]], rng)
    for wrong in short[-1] + " -", short[-1][:-2], short[-1].replace(" -  -  -", " -  -  3"):
        check("malformed row" in outcome([], table_of([LINES[1], wrong]))[1], wrong)


@test
def users_are_looked_up_once():
    """And not at all with -n; who is not shown is not looked up."""
    def looked_up():
        if not os.path.exists(LOOKUPS):
            return []
        with open(LOOKUPS, encoding="ascii") as file:
            return sorted(int(line.split()[0]) for line in file)

    rows = [f"{uid} {pid} x {fd} tcp4 ESTB 1.2.3.4:5 1.2.3.4:6 fd - {OWN} {fd + 1}"
            for pid in range(1, 20) for fd in range(4)
            for uid in (1, 257, 513, 1000)]
    printed([], table_of(rows))
    equal(looked_up(), [1, 257, 513, 1000], "users")
    printed(["-J"], table_of(rows))
    equal(looked_up(), [1, 257, 513, 1000], "users for JSON")
    for args in ["-n"], ["-nJ"], ["--pid", "77"]:
        printed(args, table_of(rows))
        equal(looked_up(), [], *args)


@test
def other_columns():
    """Columns are known by their names: more of them, in another order."""
    names = HEADER.split()
    rng = random.Random(4)
    lines = some_rows(300, rng)
    for _ in range(5):
        order = rng.sample(range(len(names)), len(names))
        mixed = []
        for line in [HEADER, *lines]:
            fields = line.split()
            row = [fields[i] for i in order]
            row[5:5] = ["NEW" if line is HEADER else "x\\040y"]
            row += ["NEWER" if line is HEADER else "-"]
            mixed.append("  ".join(row) + " " * rng.randrange(2))
        contents = "".join(f"{line}\n" for line in mixed).encode()
        for option in "-wsi", "-J":
            equal(printed([option], contents),
                  printed([option], table_of(lines)), option)


@test
def large_tables():
    """Rows that end anywhere in what is read at once, and some that are longer."""
    rng = random.Random(5)
    lines = some_rows(15000, rng)
    wanted = as_lines(lines)
    equal(printed([*ALL, "-Hsi"], table_of(lines)), wanted, "a large table")
    for size in 4000, 262143, 262144, 700000:
        contents = "".join(
            f"{line} {'NEW' if line is HEADER else 'x' * size}\n"
            for line in [HEADER, *lines[:5]]).encode()
        equal(printed([*ALL, "-Hsi"], contents),
              as_lines(lines[:5]), size)


@test
def bytes_in_any_portions():
    """However much a read gives, it is read the same."""
    def one(option):
        wanted = printed(option.split())
        rng = random.Random(6)
        for largest in 1, 7, 300:
            os.unlink(OWNER)
            os.mkfifo(OWNER)
            program = start(option.split())
            with open(OWNER, "wb", buffering=0) as pipe:
                rest = TABLE
                while rest:
                    size = rng.randint(1, largest)
                    pipe.write(rest[:size])
                    rest = rest[size:]
            equal(end(program), (wanted, "", 0), "by", largest)
    cases(("-wsi", "-J", "-c -L"), one)


MALFORMED = {
    "a field too few": lambda row: row.rsplit(None, 1)[0],
    "a field too many": lambda row: row + " x",
    "an empty line": lambda row: "",
    "a blank line": lambda row: "   ",
    "no UID": lambda row: row.replace("1000", "-", 1),
    "a large UID": lambda row: row.replace("1000", "4294967296", 1),
    "a negative UID": lambda row: row.replace("1000", "-1", 1),
    "no PID": lambda row: row.replace("1234", "-"),
    "PID 0": lambda row: row.replace("1234", "0"),
    "a large PID": lambda row: row.replace("1234", "2147483648"),
    "no FD": lambda row: row.replace(" 7 ", " - "),
    "a bad FD": lambda row: row.replace(" 7 ", " 7x "),
    "another protocol": lambda row: row.replace("udp4", "udp5"),
    "a longer protocol": lambda row: row.replace("udp4", "udp4x"),
    "another state": lambda row: row.replace("ESTB", "ESTA"),
    "another's state": lambda row: row.replace("ESTB", "LSTN"),
    "no state": lambda row: row.replace("ESTB", "-"),
    "no port": lambda row: row.replace(":40001", ""),
    "an empty port": lambda row: row.replace("40001", ""),
    "port 0": lambda row: row.replace("40001", "0"),
    "a large port": lambda row: row.replace("40001", "65536"),
    "a huge port": lambda row: row.replace("40001", "18446744073709551617"),
    "a port in letters": lambda row: row.replace("40001", "abc"),
    "two stars": lambda row: row.replace("40001", "**"),
    "no address": lambda row: row.replace("10.0.0.1", ""),
    "no number": lambda row: row.replace(str(OWN), "x"),
    "no cgroup": lambda row: re.sub(r"fd +\d+", "fd x", row),
    "another way to hold it": lambda row: row.replace(" fd ", " hand "),
    "a longer one": lambda row: row.replace(" fd ", " descriptor "),
    "no inode": lambda row: row.replace("18400", "-"),
    "a large inode": lambda row: row.replace("18400", "1" * 21),
    "an escape cut short": lambda row: row.replace("\\040server", "x\\04"),
    "no escape": lambda row: row.replace("\\040", "\\n"),
    "no octal": lambda row: row.replace("\\040", "\\089"),
    "no byte": lambda row: row.replace("\\040", "\\400"),
    "a tab": lambda row: row.replace(" udp4", "\tudp4"),
    "a tab in a name": lambda row: row.replace("\\040", "\t"),
    "a terminal's command": lambda row: row.replace("\\040", "\033[31m"),
    "DEL": lambda row: row.replace("\\040", "\x7f"),
    "not ASCII": lambda row: row.replace("\\040", "\xe9"),
    "a NUL": lambda row: row.replace("\\040", "\0"),
}


@test
def malformed_rows():
    """Said in one line, after all rows before it; nothing is made of it."""
    good = [line for line in ROWS if " 18400" in line][0]

    def one(what):
        bad = MALFORMED[what](good)
        check(bad != good, "it is not bad")
        contents = f"{HEADER}\n{ROWS[0]}\n{bad}\n{good}\n".encode("latin-1")
        # What nobody asks for is not looked at.
        for option in "-v", "-J":
            wanted = printed([option], f"{HEADER}\n{ROWS[0]}\n".encode())
            stdout, stderr, status = outcome([option], contents)
            equal((stdout, status), (wanted, 1), option)
            equal(stderr.count("\n"), 1, "lines")
            shown = re.sub("[^ -~]", "?", bad)
            shown = shown[:63] + "..." * (len(shown) > 63)
            equal(stderr, "sockstat: /proc/net/sockowner: malformed row: "
                  f"{shown}\n", "stderr")
    cases(MALFORMED, one)


@test
def a_table_cut_short():
    """Half a row at the end, even one that looks like a whole one."""
    for cut in 1, 2, 30, len(ROWS[-1]):
        stdout, stderr, status = outcome(["-w"], TABLE[:-cut])
        equal((stdout, status), (printed(["-w"], table_of(ROWS[:-1])), 1), cut)
        check(re.fullmatch(r"sockstat: /proc/net/sockowner: malformed row: "
                           r"[ -~]*\n", stderr), "stderr:", repr(stderr))


@test
def malformed_headers():
    """A file that is no such table at all."""
    for header in ("", "UID", HEADER.replace("STAT", "STATE"),
                   HEADER.replace("INODE", "UID"), HEADER + " \033[31m",
                   HEADER.replace(" PID", "\tPID")):
        for option in "-w", "-J":
            stdout, stderr, status = outcome([option], f"{header}\n".encode())
            equal((stdout, status), ("", 1), "header", header)
            check(re.fullmatch(r"sockstat: /proc/net/sockowner: malformed "
                               r"header: [ -~]*\n", stderr),
                  "stderr:", repr(stderr))


@test
def malformed_tables():
    """The other tables are looked at as closely."""
    header, rows = JOINED["tcpstat"].split("\n", 1)
    try:
        for contents, said in (
                (f"{header}\nx\n{rows}", "malformed row: x"),
                (f"{header}\n{rows}0 0", "malformed row: 0 0"),
                (f"{header}\n{rows.replace('18503', '-')}", "malformed row: 0"),
                (f"{header}\n{rows.replace('SO_MARK', 'é')}", "malformed row: 0"),
                (f"{header.replace('Inode', 'Node')}\n", "malformed header: "),
                ("", "no header")):
            place("proc/net/tcpstat", contents)
            stdout, stderr, status = outcome(["-C"])
            # Options are only looked at when they are shown.
            equal(status, 1, "with", repr(contents))
            check("é" in contents or not stdout, "stdout", stdout)
            check(stderr.startswith(f"sockstat: /proc/net/tcpstat: {said}") and
                  stderr.count("\n") == 1, "stderr:", repr(stderr))
            # Nobody looks where it does not matter.
            printed(["-C6"])
            printed(["-CP", "udp"])
            printed(["--with", "UDP_GRO"])
            printed(["--trouble"])
        os.unlink(f"{PROC}/net/tcpstat")
        equal(outcome(["-C"]),
              ("", "sockstat: no /proc/net/tcpstat: the module is not loaded "
               "(modprobe knetstat)\n", 1), "without tcpstat")
        printed([])
        # With ipv6.disable=1 there is no table of IPv6.
        place("proc/net/tcpstat", JOINED["tcpstat"])
        os.unlink(f"{PROC}/net/tcp6stat")
        equal({line.split()[-1] for line in printed(["-C6H"]).splitlines()},
              {"??"}, "-C6")
        place("proc/net/tcp6stat", JOINED["tcp6stat"])
        # Without its own file, what is in trouble is in the four tables.
        marked = printed(["--trouble", "-o", "all"])
        os.unlink(f"{PROC}/net/socktrouble")
        equal(printed(["--trouble", "-o", "all"]), marked, "without socktrouble")
        check(marked.count("\n") > 5, "trouble", marked)
    finally:
        place("proc/net/socktrouble", TROUBLE)
        for name, contents in JOINED.items():
            place(f"proc/net/{name}", contents)


@test
def a_usual_congestion():
    """What a namespace may have as its default, and a table of many sockets."""
    path = "proc/sys/net/ipv4/tcp_congestion_control"
    try:
        place(path, "a\033b\n")
        thing = json.loads(printed(["-JC", "--pid", "612", "-P", "tcp"]))
        equal(thing["congestion"], "a?b", "congestion")
        os.unlink(f"{ROOT}/{path}")
        equal(outcome(["-C"]), ("", f"sockstat: cannot read /{path}: "
                                "No such file or directory\n", 1), "without")
        printed(["-CP", "udp"])
        place(path, "cubic\n")
        names = ["cubic", "bbr", "dctcp"]
        header = JOINED["tcpstat"].split("\n")[0]
        inodes = random.Random(7).sample(range(1, 1 << 32), 9000)
        place("proc/net/tcpstat", "".join(
            [f"{header}\n"] +
            [f"0 0 0.0.0.0:1 0.0.0.0:* LSTN - 0 0 {inode} "
             f"{'SO_KEEPALIVE=0' if inode % 3 == 0 else 'TCP_CONGESTION=' + names[inode % 3]}\n"
             for inode in inodes]))
        rows = [f"0 1 x 1 tcp4 LSTN 0.0.0.0:1 0.0.0.0:* fd - {OWN} {inode}"
                for inode in inodes[:4000]]
        got = printed(["-qC"], table_of(rows)).splitlines()
        equal([line.split()[-1] for line in got],
              [names[inode % 3] for inode in inodes[:4000]], "congestion")
    finally:
        place("proc/net/tcpstat", JOINED["tcpstat"])
        place(path, "cubic\n")


@test
def random_bytes():
    """Whatever comes: an answer or one line, and no noise of a sanitizer."""
    rng = random.Random(8)
    for number in range(300):
        kind = number % 3
        if kind == 0:
            contents = rng.randbytes(rng.randrange(2000))
        elif kind == 1:
            contents = HEADER.encode() + b"\n" + rng.randbytes(
                rng.randrange(2000))
        else:
            contents = bytearray(TABLE)
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(contents))
                what = rng.randrange(4)
                if what == 0:
                    contents[at] = rng.randrange(256)
                elif what == 1:
                    contents[at] = rng.choice(b" \n-:*09.\\af")
                elif what == 2:
                    del contents[at:at + rng.randint(1, 60)]
                else:
                    contents[at:at] = contents[:rng.randint(1, 300)]
        option = rng.choice(("-a", "-J", "-sC", "-wL", "-l"))
        stdout, stderr, status = outcome([option], bytes(contents))
        if status == 0:
            equal(stderr, "", "stderr")
        else:
            equal(status, 1, "status", stderr)
            check(re.fullmatch(r"sockstat: [ -~]*\n", stderr),
                  "stderr:", repr(stderr))
        if option == "-J":
            for line in stdout.splitlines():
                json.loads(line)


@test
def arguments():
    """Read once for a process; cut, and given in the right types."""
    objects = [json.loads(line)
               for line in printed(["-Ja", "-P", "tcp,udp"]).splitlines()]
    wanted = {
        1: ["/sbin/init"], 612: None, 802: None,
        801: ["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"],
        900: ["nginx", "-g", "daemon off;", "", "-x"],
        901: ["caf\ufffd ", "caf\ufffd\n\x1b[31m", '"q\\"', "日本"],
        1234: ["a" * 4096],
    }
    seen = set()
    for thing in objects:
        if thing["pid"] in wanted or thing["pid"] is None:
            seen.add(thing["pid"])
            equal(thing["args"], wanted.get(thing["pid"]), thing["pid"])
    equal(seen, {None, *wanted}, "processes")


@test
def another_namespace():
    """-j NAME: it is entered, and left before users are looked up."""
    holder = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", "echo reno > "
         "/proc/sys/net/ipv4/tcp_congestion_control; echo; exec sleep 1000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        if not holder.stdout.readline():
            raise Skip(f"no namespaces here: {holder.stderr.read()!r}")
        web = f"/proc/{holder.pid}/ns/net"
        os.symlink(web, f"{ROOT}/run/netns/web")
        os.rename(f"{PROC}/sys", f"{PROC}/sys.aside")
        os.symlink("/proc/sys", f"{PROC}/sys")
        number = os.stat(web).st_ino
        table = TABLE.replace(str(OWN).encode(), str(number).encode())
        check(number != os.stat("/proc/self/ns/net").st_ino, "not another")
        for option in "-j", "-z", "--netns":
            thing = json.loads(printed([option, "web", "-JZC", "--pid", "612",
                                        "-P", "tcp"], table))
            equal((thing["netns"], thing["congestion"], thing["user"]),
                  (number, "reno", "systemd-resolve"), "namespace")
            with open(LOOKUPS, encoding="ascii") as file:
                equal(file.read().split(),
                      ["101", os.readlink("/proc/self/ns/net")], "look-ups")
        equal(printed(["-HZ", "-j", "web", "--pid", "612", "-4l", "-P", "tcp"],
                      table),
              "web        systemd-resolve systemd-re 612 13 tcp4  "
              "127.0.0.53:53         *:*\n", "row")
        # By PID it need not be entered, but for the default of -C.
        os.makedirs(f"{PROC}/79/ns")
        os.symlink(web, f"{PROC}/79/ns/net")
        os.symlink("../net", f"{PROC}/79/net")
        place("proc/net/tcp", "")
        thing = json.loads(printed(["-j", "79", "-JZC", "--pid", "612",
                                    "-P", "tcp"], table))
        equal((thing["netns"], thing["congestion"]), (number, "reno"), "by PID")
        os.chmod(WORK, 0o755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        if os.getuid():
            return
        for args, said in (
                (["-j", "web"], "'web': Permission denied"),
                (["-j", "79", "-C"], "of process 79: Permission denied")):
            equal(outcome(args, **nobody),
                  ("", "sockstat: cannot enter the network namespace "
                   f"{said}\n", 1), "as nobody")
        os.symlink("/proc/self/ns/net", f"{ROOT}/run/netns/own")
        equal(outcome(["-j", "own"], **nobody),
              ("", "sockstat: cannot enter the network namespace 'own': "
               "Operation not permitted\n", 1), "as nobody")
        equal(outcome(["-j", "79", "-HZ", "-p", "8443"], table, **nobody)[0],
              f"{number} 4294967294 worker   4194304 1048575 tcp6 ::1:40006"
              "            ::1:8443\n", "as nobody")
    finally:
        holder.kill()
        holder.wait()


@test
def the_reader_goes():
    """sockstat | head: ends quietly, at once, as SIGPIPE would have it."""
    def one(name):
        begin(table_of(some_rows(20000, random.Random(9))))
        program = start([], restore_signals=name != "ignoring SIGPIPE")
        program.stdout.read(10)
        program.stdout.close()
        program.stdout = None
        equal(end(program), ("", "", statuses[name]), "end")

    statuses = {"as usual": -signal.SIGPIPE, "ignoring SIGPIPE": 1}
    cases(statuses, one)


@test
def write_errors():
    """A full disk and a closed stdout: one line, status 1."""
    for args in [], ["-J"], ["-h"], ["--version"], ["-p", "1"]:
        with open("/dev/full", "wb") as full:
            equal(outcome(args, stdout=full),
                  ("", "sockstat: cannot write: No space left on device\n", 1),
                  args)
        equal(outcome(args, stdout=None, preexec_fn=lambda: os.close(1)),
              ("", "sockstat: cannot write: stdout is closed\n", 1), args)
    with open("/dev/null", "rb") as null:
        equal(outcome([], stdout=null),
              ("", "sockstat: cannot write: Bad file descriptor\n", 1),
              "read-only")


@test
def a_nonblocking_stdout():
    """As an ssh or an event loop may leave it to us: nothing is lost."""
    lines = some_rows(5000, random.Random(10))
    begin(table_of(lines))
    ours, theirs = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(ours, fcntl.F_SETFL, 0)
    program = start([*ALL, "-Hsi"], stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        text = b""
        while part := pipe.read(5000):
            text += part
            time.sleep(0.001)
    equal(text.decode(), as_lines(lines), "rows")
    equal(end(program)[1:], ("", 0), "end")


@test
def no_file():
    """Not loaded, not allowed, not a table: one line, status 1, no output."""
    def one(name):
        begin(b"")
        how = {}
        if name == "not there":
            os.unlink(OWNER)
        elif name == "not allowed":
            os.chmod(OWNER, 0)
            if not os.getuid():
                os.chmod(WORK, 0o755)
                how = {"user": 65534}
        elif name == "a directory":
            os.unlink(OWNER)
            os.mkdir(OWNER)
        try:
            equal(end(start([], **how)), ("", said[name], 1), "end")
        finally:
            if os.path.isdir(OWNER):
                os.rmdir(OWNER)

    said = {
        "not there": "sockstat: no /proc/net/sockowner: the module is not "
                     "loaded (modprobe knetstat)\n",
        "not allowed": "sockstat: cannot open /proc/net/sockowner: "
                       "Permission denied\n",
        "a directory": "sockstat: cannot read /proc/net/sockowner: "
                       "Is a directory\n",
        "empty": "sockstat: /proc/net/sockowner: no header\n",
    }
    cases(said, one)


@test
def missing_descriptors():
    """Without stdin and stderr, its own files must not take their places."""
    def without():
        os.close(0)
        os.close(2)

    wanted = printed(["-aC"])
    equal(outcome(["-aC"], preexec_fn=without), (wanted, "", 0), "end")


@test
def an_older_module():
    """Without the new columns and files all that does not need them is as it was."""
    short = [[*line.split()[:8], line.split()[11]] for line in LINES]
    old = "".join(f"{' '.join(fields)}\n" for fields in short).encode()
    equal(printed(["-p", "53", "-s"], old), printed(["-p", "53", "-s"]), "rows")
    for args, name in ((["-o", "held"], "HELD"), (["--held", "fd"], "HELD"),
                       (["-o", "cgroup"], "CGROUP"), (["--cgroup", "/"], "CGROUP"),
                       (["-j", "all"], "NETNS"), (["-j", str(OTHER)], "NETNS")):
        equal(outcome(args, old), ("", f"sockstat: /proc/net/sockowner has no {name}: "
                                   "the module is older than this program\n", 1), args)
    os.unlink(f"{PROC}/net/unixowner")
    equal(outcome(["-u"], old), ("", "sockstat: no /proc/net/unixowner: the module is older "
                                 "than this program\n", 1), "-u")
    place("proc/net/unixowner", UNIX)


@test
def another_host():
    """--proc and HOST_PROC: process 1's view of another procfs."""
    host = f"{ROOT}/host"
    place("host/1/net/sockowner", TABLE)
    os.makedirs(f"{host}/1/ns", exist_ok=True)
    os.symlink("/proc/self/ns/net", f"{host}/1/ns/net")
    place("host/801/cmdline", b"theirs\0")
    wanted = printed(["-p", "22"])
    equal(outcome(["--proc", host, "-p", "22"], b"none"), (wanted, "", 0), "--proc")
    os.environ["HOST_PROC"] = host
    try:
        equal(outcome(["-p", "22"], b"none"), (wanted, "", 0), "HOST_PROC")
        check("theirs" in printed(["-a", "--pid", "801"], b"none"), "arguments")
    finally:
        del os.environ["HOST_PROC"]
