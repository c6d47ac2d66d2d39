# SPDX-License-Identifier: GPL-2.0
"""The program knetstat-metrics on tables of our own.

It is built as it is, but for the place of /proc and /sys, and with sanitizers.
metrics.transcript is what it prints with each option, in the form of a terminal session:
"$" a command, "!" stderr, "?" a status but 0. That it agrees with the module is for
tests/guest.
"""

import atexit
import fcntl
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile

from lib import openmetrics, programs
from lib.ktap import Skip, cases, check, equal, test, until
from lib.openmetrics import family

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = tempfile.mkdtemp(prefix="metrics-test.")
ROOT = f"{WORK}/root"
NET = f"{ROOT}/proc/net"
PROGRAM = f"{WORK}/knetstat-metrics"

PORTS_HEADER = ("ROLE PORT SESSIONS FIN RESET ABORT REFUSED TIMEOUT UNREACH OTHER TX_B RX_B RETX "
                "MS_SUM CONN_MS_SUM SRTT_MS_SUM CONNS SRTTS MS_LE1 MS_LE10 MS_LE100 MS_LE1000 "
                "MS_LE10000 CONN_LE1 CONN_LE5 CONN_LE25 CONN_LE100 CONN_LE500 SRTT_LE1 SRTT_LE5 "
                "SRTT_LE25 SRTT_LE100 SRTT_LE500\n")
TABLE_HEADER = ("Recv-Q Send-Q Local-Address Foreign-Address Stat Diag Drops UID Inode Options\n")
OWNER_HEADER = "UID PID COMM FD PROTO STAT LOCAL FOREIGN HELD CGROUP NETNS INODE\n"

TABLES = {
    "tcpports": PORTS_HEADER + """\
-    *     3 2 1 0 0 0 0 0 10 20 0 0.000 0.000 0.300 0 2 0 0 0 0 0 0 0 0 0 0 2 2 2 2 2
acpt 22    7 1 2 1 0 1 0 2 18446744073709551 100 5 3600000.001 0.000 70.000 0 7 1 1 2 3 5 0 0 0 0 0 1 3 7 7 7
acpt 8080  5 5 0 0 0 0 0 0 500 50 0 0.005 0.000 0.005 0 5 5 5 5 5 5 0 0 0 0 0 5 5 5 5 5
acpt 65535 1 0 0 1 0 0 0 0 0 0 0 9.999 0.000 0.000 0 0 0 1 1 1 1 0 0 0 0 0 0 0 0 0 0
acpt *     2 2 0 0 0 0 0 0 1 1 1 1.000 0.000 1.000 0 2 0 2 2 2 2 0 0 0 0 0 1 2 2 2 2
conn 443   4 3 0 0 0 1 0 0 40 4000 9 1001.500 130.250 9.000 3 3 0 0 2 3 4 0 1 2 3 3 1 2 3 3 3
conn 5432  6 0 0 0 6 0 0 0 0 0 0 0.112 0.000 0.000 0 0 6 6 6 6 6 0 0 0 0 0 0 0 0 0 0
""",
    "stat/tcplife": "recorded overwritten dropped untracked tracked\n28 12 0 3 17\n",
    "tcpstat": TABLE_HEADER + """\
129 128 0.0.0.0:80 0.0.0.0:* LSTN !A 7 33 18300 SO_REUSEADDR=1,SO_REUSEPORT=1
2 128 0.0.0.0:80 0.0.0.0:* LSTN - 1 33 18301 SO_REUSEADDR=1,SO_REUSEPORT=1
0 4096 127.0.0.53:53 0.0.0.0:* LSTN - 0 101 18101 SO_REUSEADDR=1
0 5 127.0.0.1:* 0.0.0.0:* LSTN - 0 0 18109 -
0 4344 10.0.0.1:80 10.0.0.3:443 FNW1 >#,>R 1000 1001 18503 SO_KEEPALIVE=1
0 0 127.0.0.1:22 127.0.0.1:50000 TIMW - 0 0 0 -
""",
    "tcp6stat": TABLE_HEADER.replace("Options", "New Options") + """\
3 128 :::80 :::* LSTN - 4 33 18310 1 SO_REUSEADDR=1
0 128 fd00:1111:2222:3333:4444:5555:6666:7777:65535 :::* LSTN - 0 33 18311 1 -
""",
    "udpstat": TABLE_HEADER + """\
0 0 127.0.0.53:53 0.0.0.0:* UNCN - 0 101 18100 SO_REUSEADDR=0
212992 0 0.0.0.0:514 0.0.0.0:* UNCN !B 16000 0 18601 SO_BROADCAST=1
77 0 0.0.0.0:40001 0.0.0.0:* UNCN - 1 0 18602 SO_BROADCAST=1
5 0 10.0.0.1:40000 10.0.0.2:53 ESTB - 9 0 18603 SO_BROADCAST=0
""",
    "udp6stat": TABLE_HEADER + """\
1 0 :::514 :::* UNCN - 2 0 18610 -
""",
    "socktrouble": TABLE_HEADER + """\
129 128 0.0.0.0:80 0.0.0.0:* LSTN !A 7 33 18300 SO_REUSEADDR=1,SO_REUSEPORT=1
0 4344 10.0.0.1:80 10.0.0.3:443 FNW1 >#,>R 1000 1001 18503 SO_KEEPALIVE=1
0 1 10.0.0.1:80 10.0.0.3:444 ESTB >|,>R 0 1001 18504 SO_KEEPALIVE=1
0 1 10.0.0.1:80 10.0.0.3:445 ESTB >|<,K? 0 1001 18505 SO_KEEPALIVE=1
1 0 127.0.0.1:48862 127.0.0.1:5432 CLSW |<,C? 0 33 124 SO_REUSEADDR=0
212992 0 0.0.0.0:514 0.0.0.0:* UNCN !B 16000 0 18601 SO_BROADCAST=1
""",
    "sockowner": OWNER_HEADER + r"""
0 1 systemd 44 tcp46 LSTN :::22 :::* fd 9001 4026531840 18001
101 612 systemd-resolve 12 udp4 UNCN 127.0.0.53:53 0.0.0.0:* fd 9004 4026531840 18100
101 612 systemd-resolve 13 tcp4 LSTN 127.0.0.53:53 0.0.0.0:* fd 9004 4026531840 18101
33 900 nginx 6 tcp4 LSTN 0.0.0.0:80 0.0.0.0:* fd 9003 4026531840 18300
33 901 nginx 6 tcp4 LSTN 0.0.0.0:80 0.0.0.0:* fd 9003 4026531840 18300
33 901 nginx 8 tcp6 CLSW 2001:db8::1:80 2001:db8::2:50000 fd 9003 4026531840 18302
33 902 nginx =901 - - - - - - - -
1000 1234 tmux:\040server 7 udp4 ESTB 10.0.0.1:40001 10.0.0.2:53 fd 9001 4026531840 18400
1001 1300 \033[31mred\012\177 5 tcp4 SYNS 10.0.0.1:40002 10.0.0.3:443 fd 9001 4026531840 18500
1001 1300 \033[32mred\012\177 6 tcp4 SYNS 10.0.0.1:40003 10.0.0.3:443 fd 9001 4026531840 18501
1001 1301 \001[31mred\012\177 6 tcp4 SYNS 10.0.0.1:40004 10.0.0.3:443 fd 9001 4026531840 18502
1001 1302 caf\303\251\342\202\254x 5 udp46 UNCN :::5353 :::* fd 9001 4026531840 18501
1001 1303 \346\227\245\346\234\254\350\252 5 udp6 ESTB fe80::1%eth0:546 fe80::2%eth0:547 fd 9001 4026531840 18502
1001 1304 a,"b"\134c{}= 5 tcp4 FNW1 10.0.0.1:40003 10.0.0.3:443 fd 9001 4026531840 18503
1001 1305 \055 5 tcp4 ESTB 10.0.0.1:40004 10.0.0.3:443 fd 9001 4026531840 18504
1001 1306 * 5 tcp4 ESTB 10.0.0.1:40005 10.0.0.3:443 fd 9001 4026531840 18505
0 1400 dhclient 3 packet UNCN ip:eth0 * fd 9001 4026531840 18600
0 1400 dhclient 5 raw4 UNCN 0.0.0.0:1 0.0.0.0:* fd 9001 4026531840 18602
0 1400 dhclient 8 icmp6 UNCN :::22 :::* fd 9001 4026531840 18605
0 - - - tcp4 TIMW 127.0.0.1:22 127.0.0.1:50000 tw - 4026531840 0
0 - - - tcp4 SYNR 192.168.100.200:22 198.51.100.7:1024 syn - 4026531840 0
1000 - - - tcp6 ESTB 2001:db8::1:80 2001:db8::2:1 queue 9003 4026531840 0
0 - - - udp4 UNCN 0.0.0.0:4789 0.0.0.0:* kernel 1 4026531840 18902
65534 - - - tcp4 ESTB 10.0.0.1:1 10.0.0.1:2 - 9003 4026531840 18903
""".lstrip("\n"),
}


def place(path, contents):
    """A file below ROOT."""
    path = f"{ROOT}/{path}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(contents)


def begin(net="proc/net", **changed):
    """The tables, but for those that are changed; None: there is no such file."""
    shutil.rmtree(f"{ROOT}/{net}", ignore_errors=True)
    os.makedirs(f"{ROOT}/{net}")
    for name, contents in {**TABLES, **changed}.items():
        if contents is not None:
            place(f"{net}/{name}", contents)


def build():
    """The program, looking for its files below ROOT."""
    owner = os.getpid()
    atexit.register(lambda: owner == os.getpid() and shutil.rmtree(WORK))
    place("sys/module/knetstat/version", "1.2.4\n")
    programs.build("knetstat-metrics", WORK, ROOT)


def start(args, **how):
    """The program, running."""
    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
           **how}
    return subprocess.Popen([PROGRAM, *args], **how)


def end(process, stdin=None):
    """What it has printed, what it said, and its status."""
    return programs.end(process, ROOT, stdin)


def outcome(args, **how):
    """The same of a run."""
    return end(start(args, **how))


def printed(args, **how):
    """What it prints, when all is well."""
    stdout, stderr, status = outcome(args, **how)
    equal((stderr, status), ("", 0), "stderr and status of", args)
    return stdout


@test
def every_option():
    """All options, and all that can be wrong with them, as written down."""
    # There are lines of metrics that begin as comments do.
    sessions = programs.transcript(f"{HERE}/metrics.transcript", "knetstat-metrics", "#:")

    def one(args):
        begin()
        programs.as_written(outcome(shlex.split(args)), sessions[args])
    cases(sessions, one)


def samples(args=(), **changed):
    """The samples that it prints of the tables, changed so; strictly parsed."""
    begin(**changed)
    openmetric = openmetrics.parse(printed([*args]))
    equal(openmetrics.parse(printed([*args, "-f", "prometheus"]), False), openmetric,
          "the same in the other format")
    return openmetric


@test
def well_formed():
    """Both formats are what they should be, and say the same."""
    found = samples()
    for args in (), ("--limit", "1"), ("-p", "80"):
        other = samples(args)
        for name in ("knetstat_sessions_total", "knetstat_session_duration_seconds_count",
                     "knetstat_session_sent_bytes_total", "knetstat_listener_accept_queue",
                     "knetstat_udp_receive_queue_bytes", "knetstat_sockets"):
            equal(sum(family(other, name).values()), sum(family(found, name).values()),
                  "the sum of", name)
    equal(sum(family(found, "knetstat_sessions_total").values()),
          found["knetstat_recorded_sessions_total", ()], "sessions and those recorded")
    empty = samples(**{name: contents.partition("\n")[0] + "\n"
                       for name, contents in TABLES.items() if name != "stat/tcplife"})
    equal(set(family(empty, "knetstat_trouble_marks").values()), {0}, "marks of nothing")
    check(not family(empty, "knetstat_sockets"), "sockets of nothing")


@test
def promtool():
    """Prometheus' own checker has nothing to say."""
    tool = os.environ.get("PROMTOOL")
    if not tool:
        raise Skip("no promtool: this release does not serve Debian's package prometheus")
    begin()
    text = printed(["-f", "prometheus"])
    for contents, wanted in ((text, 0), (text.replace("# HELP knetstat_udp_drops_total ", "# "), 3)):
        done = subprocess.run([tool, "check", "metrics"], input=contents.encode(), timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        equal(done.returncode, wanted, "status, and it said", done.stdout.decode())
        check(wanted or not done.stdout, "it said", done.stdout.decode())


def many(count):
    """Tables of so many: ports, listeners, sockets and names, of no order."""
    def shuffled(lines):
        lines = list(lines)
        return "".join(lines[1::2] + lines[::2])

    zeros = "0 " * 9 + "0.000 0.000 0.000" + " 0" * 17
    return {
        "tcpports": PORTS_HEADER + "".join(
            f"acpt {port} 1 1 {zeros}\n" for port in range(1, count + 1)),
        "tcpstat": TABLE_HEADER + shuffled(
            f"1 2 127.0.0.{copy}:{port} 0.0.0.0:* LSTN !A 3 0 0 -\n"
            for port in range(1, count + 1) for copy in (1, 1, 2)),
        "tcp6stat": TABLE_HEADER,
        "udpstat": TABLE_HEADER + shuffled(
            f"1 2 127.0.0.1:{port} 0.0.0.0:* UNCN !B 3 0 0 -\n" for port in range(1, count + 1)),
        "udp6stat": None,
        "sockowner": OWNER_HEADER + shuffled(
            f"0 7 name{name} {fd} tcp4 ESTB 127.0.0.1:1 127.0.0.1:2 fd 1 1 1\n"
            for name in range(count) for fd in range(1 + name % 7)),
    }


@test
def bounded():
    """However many there are, so many have series; and which ones is no matter of chance."""
    count = 5000
    tables = many(count)
    found = samples(**tables)
    sessions = family(found, "knetstat_session_sent_bytes_total")
    equal(list(sessions), [*(("acpt", str(port)) for port in range(1, 201)), ("acpt", "*")],
          "ports")
    ends = family(found, "knetstat_listener_sockets")
    equal(ends, {**{(f"127.0.0.{copy}", str(port)): 3 - copy for port in range(1, 101)
                    for copy in (1, 2)}, ("*", "*"): 3 * (count - 100)}, "listeners")
    equal(sum(family(found, "knetstat_listener_full_sockets").values()), 3 * count, "full")
    equal(family(found, "knetstat_listener_drops_total"),
          {end: 3 * number for end, number in ends.items() if end != ("*", "*")}, "drops")
    equal(family(found, "knetstat_udp_sockets"),
          {**{("127.0.0.1", str(port)): 1 for port in range(1, 201)}, ("*", "*"): count - 200},
          "UDP sockets")
    names = family(found, "knetstat_sockets")
    most = sorted(f"name{name}" for name in range(6, count, 7))[:200]
    rest = sum(1 + name % 7 for name in range(count)) - 7 * 200
    equal(names, {**{(name, "tcp", "ESTB", "fd"): 7 for name in most},
                  ("*", "tcp", "ESTB", "fd"): rest}, "names")
    equal(len(family(samples(["--limit", "100000"], **tables), "knetstat_udp_sockets")),
          count, "with another limit")


@test
def only_grows():
    """What is added up only grows when a port appears that takes another's place."""
    def rows(ports):
        begin(tcpports=PORTS_HEADER + "".join(
            f"acpt {port} 1 1 0 0 0 0 0 0 {port} 0 0 0.000 0.000 0.000" + " 0" * 17 + "\n"
            for port in ports))
        return family(openmetrics.parse(printed(["--limit", "3", "-c", "sessions"])),
                         "knetstat_session_sent_bytes_total")

    ports, last = [], {}
    for port in 500, 400, 300, 200, 600, 100, 450:
        ports = sorted([*ports, port])
        now = rows(ports)
        equal(sum(now.values()), sum(ports), "all of it")
        for side, number in now.items():
            check(number >= last.get(side, 0), side, "has less:", number)
        last = now


@test
def files_missing():
    """What an older module lacks is left out, and said once; without a module it ends."""
    whole = samples()
    families = {"tcpports": "knetstat_session", "stat/tcplife": "knetstat_recorded",
                "socktrouble": "knetstat_trouble", "sockowner": "knetstat_sockets"}
    for name, prefix in families.items():
        begin(**{name: None})
        stdout, stderr, status = outcome([])
        equal((stderr, status), (f"knetstat-metrics: no /proc/net/{name}: the module is older "
                                 "than this program\n", 0), name)
        rest = openmetrics.parse(stdout)
        check(set(rest.items()) < set(whole.items()), "something else without", name)
        check(not any(sample.startswith(prefix) for sample, _ in rest), prefix, "without", name)
    begin(tcp6stat=None, udp6stat=None)
    check(("knetstat_listener_sockets", (("address", "::"), ("port", "80"))) not in
          openmetrics.parse(printed([])), "IPv6 without IPv6")
    begin(**dict.fromkeys(TABLES))
    for args, name in (([], "tcpports"), (["-c", "udp"], "udpstat"), (["-c", "sockets"], "sockowner"),
                       (["-t", WORK], "tcpports"), (["-c", "listeners"], "tcpstat")):
        equal(outcome(args), ("", f"knetstat-metrics: no /proc/net/{name}: the module is not "
                              "loaded (modprobe knetstat)\n", 1), args)
    old = TABLES["sockowner"].splitlines()
    begin(sockowner="".join(" ".join(line.split()[:8] + line.split()[9:]) + "\n" for line in old))
    sockets = family(openmetrics.parse(printed([])), "knetstat_sockets")
    equal(sockets["nginx", "tcp", "LSTN", "fd"], 2, "without HELD")
    equal(sockets["-", "tcp", "TIMW", "-"], 1, "without HELD")


@test
def malformed():
    """A malformed file is an error, and nothing is printed of what was before it."""
    ports = TABLES["tcpports"]
    wrong = {
        "tcpports": {"": "no header", "ROLE PORT\n": "malformed header: ROLE PORT",
                     ports[:-30]: None, ports.replace("1001.500", "1001.50"): None,
                     ports.replace("acpt 22 ", "acpt 65536 "): None,
                     ports.replace("acpt 22 ", "acceptor 22 "): None,
                     ports.replace("130.250", "13x.250"): None},
        "stat/tcplife": {TABLES["stat/tcplife"].partition("\n")[0] + "\n": "malformed file: ",
                         TABLES["stat/tcplife"].replace("28 12", "28 -1"): None},
        "tcpstat": {TABLES["tcpstat"].replace(":53 ", ":65536 "): None,
                    TABLES["tcpstat"].replace("127.0.0.53:53 ", "nowhere "): None,
                    TABLES["tcpstat"].replace("127.0.0.53:53 ", f"{'1' * 48}:53 "): None,
                    TABLES["tcpstat"].replace("LSTN !A 7", "LSTN !A x"): None},
        "sockowner": {TABLES["sockowner"].replace(r"\040", r"\04x"): None,
                      TABLES["sockowner"].replace("tw - ", "tw "): None},
    }
    for name, texts in wrong.items():
        for contents, said in texts.items():
            begin(**{name: contents})
            stdout, stderr, status = outcome([])
            equal((stdout, status), ("", 1), "stdout and status of a bad", name, repr(contents))
            check(re.fullmatch(f"knetstat-metrics: /proc/net/{name}: "
                               f"{said or 'malformed row: .*'}\n", stderr), stderr)


@test
def another_host():
    """--proc and HOST_PROC: process 1's view of another procfs."""
    begin()
    wanted = printed([])
    begin("host/1/net")
    host = f"{ROOT}/host"
    begin(**dict.fromkeys(TABLES))
    equal(outcome(["--proc", host]), (wanted, "", 0), "--proc")
    equal(outcome([], env={**os.environ, "HOST_PROC": host}), (wanted, "", 0), "HOST_PROC")


@test
def other_module():
    """The module's version is whatever it is."""
    begin()
    path = f"{ROOT}/sys/module/knetstat/version"
    for contents, wanted in ((None, "-"), ("", "-"), ('a"\\\033\n', 'a"\\?'), ("\n", "-")):
        os.unlink(path)
        if contents is not None:
            place("sys/module/knetstat/version", contents)
        equal(family(samples(["-c", "recorder"]), "knetstat_build_info"), {("1.2.3", wanted): 1},
              contents)
        place("sys/module/knetstat/version", "1.2.4\n")


# Into a file.

@test
def textfile():
    """It is there in full, for all to read, and with nothing beside it."""
    begin()
    wanted = printed(["-f", "prometheus"])
    with tempfile.TemporaryDirectory(dir=WORK) as where:
        for umask in 0o022, 0o077, 0o777:
            equal(outcome(["-t", where], umask=umask), ("", "", 0), "outcome")
            equal(os.listdir(where), ["knetstat.prom"], "files")
            path = f"{where}/knetstat.prom"
            equal(stat.S_IMODE(os.stat(path).st_mode), 0o644, "mode")
            with open(path, encoding="utf-8") as file:
                equal(file.read(), wanted, "contents")
        equal(outcome(["-t", where, "-f", "openmetrics"]), ("", "", 0), "outcome")
        with open(path, encoding="utf-8") as file:
            check(file.read().endswith("# EOF\n"), "not the other format")
        os.chdir(where)
        equal(outcome(["-t", "."]), ("", "", 0), "outcome")


@test
def textfile_at_once():
    """Who reads it all the time, by its name, never finds half of one, nor none."""
    begin()
    small = printed(["-f", "prometheus", "-c", "recorder"]).encode()
    large = printed(["-f", "prometheus"]).encode()
    with tempfile.TemporaryDirectory(dir=WORK) as where:
        printed(["-t", where])
        seen = set()
        for turn in range(10):
            process = start(["-t", where, *(["-c", "recorder"] if turn % 2 == 0 else [])])
            while process.poll() is None:
                with open(f"{where}/knetstat.prom", "rb") as file:
                    seen.add(file.read())
            equal(end(process), ("", "", 0), "outcome")
            with open(f"{where}/knetstat.prom", "rb") as file:
                seen.add(file.read())
        equal(seen, {small, large}, "contents")


@test
def textfile_replaced():
    """The file of the run before is there until the new one is whole, and stays if that
    fails, with nothing beside it."""
    begin()
    with tempfile.TemporaryDirectory(dir=WORK) as where:
        printed(["-t", where])
        with open(f"{where}/knetstat.prom", "rb") as file:
            before = file.read()
        fifo = f"{NET}/sockowner"
        os.unlink(fifo)
        os.mkfifo(fifo)
        for rest, status in ("a row\n", 1), (TABLES["sockowner"], 0):
            process = start(["-t", where])
            # It has come as far as there: opening waits for it.
            with open(fifo, "w", encoding="ascii") as table:
                equal(os.listdir(where), ["knetstat.prom"], "while it reads")
                with open(f"{where}/knetstat.prom", "rb") as file:
                    equal(file.read(), before, "while it reads")
                table.write(OWNER_HEADER + rest.replace(OWNER_HEADER, ""))
            equal(end(process)[2], status, "status")
            equal(os.listdir(where), ["knetstat.prom"], "afterwards")
            with open(f"{where}/knetstat.prom", "rb") as file:
                equal(file.read(), before, "afterwards")


@test
def textfile_fails():
    """Where it cannot be written nothing is left, and it says so."""
    begin()

    def one(name):
        with tempfile.TemporaryDirectory(dir=WORK) as where:
            path, how, said = f"{where}/knetstat.prom", {}, None
            if name == "no directory":
                where += "/none"
                said = f"cannot write in {where}: No such file or directory"
            elif name == "a file":
                where = f"{ROOT}/sys/module/knetstat/version"
                said = f"cannot write in {where}: Not a directory"
            elif name == "too large":
                how["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
                said = f"cannot write {path}: File too large"
            elif name == "a directory of its name":
                os.mkdir(path)
                said = f"cannot write {path}: Is a directory"
            elif name == "not allowed":
                if os.geteuid() == 0:
                    how["user"] = 65534
                    os.chmod(WORK, 0o755)
                os.chmod(where, 0o555)
                said = f"cannot write in {where}: Permission denied"
            before = os.listdir(where) if os.path.isdir(where) else None
            stdout, stderr, status = outcome(["-t", where], **how)
            equal((stdout, stderr, status),
                  ("", f"knetstat-metrics: {said}\n".replace(ROOT, ""), 1), name)
            if before is not None:
                equal(os.listdir(where), before, "what is left")
    cases(["no directory", "a file", "too large", "a directory of its name", "not allowed"], one)


# HTTP.

OM_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


class Client:
    """A TCP connection, the other end of which is the program's stdin, stdout and stderr,
    as inetd has it; or stdin only."""

    def __init__(self, args=(), only_stdin=False, family=socket.AF_INET, **how):
        if family == socket.AF_UNIX:
            self.sock, server = socket.socketpair()
        else:
            with socket.create_server(("127.0.0.1", 0)) as door:
                self.sock = socket.create_connection(door.getsockname())
                server = door.accept()[0]
        self.sock.settimeout(100)
        with server:
            how = {**({} if only_stdin else {"stdout": server, "stderr": server}), **how}
            self.process = start(args, stdin=server, **how)

    def send(self, data):
        """Send a part of a request."""
        try:
            self.sock.sendall(data if isinstance(data, bytes) else data.encode())
        except (BrokenPipeError, ConnectionResetError):
            pass        # the answer will tell
        return self

    def answer(self, status=0):
        """All that it sends until it ends, which must be with @status."""
        parts = []
        while True:
            part = self.sock.recv(65536)
            if not part:
                break
            parts.append(part)
        self.sock.close()
        stdout, stderr, got = end(self.process)
        equal((stdout, got), ("", status), "what goes to stdout, and the status; stderr", stderr)
        self.stderr = stderr
        return b"".join(parts)


def response(data):
    """An answer, as (status line, headers, body)."""
    head, blank, body = data.partition(b"\r\n\r\n")
    check(blank, "no answer:", data[:200])
    lines = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    equal(len(headers), len(lines) - 1, "headers")
    return lines[0], headers, body.decode()


def ask(request, args=(), status=0, **how):
    """The answer to a request, whose length must be as it says."""
    got = response(Client(args, **how).send(request).answer(status))
    if not request.startswith("HEAD"):
        equal(str(len(got[2].encode())), got[1]["Content-Length"], "length")
    equal(got[1]["Connection"], "close", "Connection")
    return got


def get(*headers, method="GET", target="/metrics", version="HTTP/1.1"):
    """A request."""
    return "".join(f"{line}\r\n" for line in (f"{method} {target} {version}", "Host: here",
                                              *headers, ""))


@test
def http_get():
    """The metrics, in the format that was asked for, by whatever way it is asked."""
    begin()
    om, text = printed([]), printed(["-f", "prometheus"])
    for how in {}, {"only_stdin": True}, {"family": socket.AF_UNIX, "args": ["--http"]}:
        equal(ask(get(), **how), ("HTTP/1.1 200 OK", {
            "Content-Type": TEXT_TYPE, "Content-Length": str(len(text.encode())),
            "Connection": "close"}, text), how)
    prometheus = ("Accept: application/openmetrics-text;version=1.0.0,"
                  "application/openmetrics-text;version=0.0.1;q=0.75,"
                  "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
    newer = ("Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
             "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;"
             "escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
             "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
             "*/*;q=0.1")
    for headers, wanted in (
            ([prometheus], om), ([newer], om), (["Accept: */*"], text),
            (["accept:application/openmetrics-text"], om),
            (["ACCEPT: Application/OpenMetrics-Text ; q=0.2 , text/plain;q=0.19"], om),
            (["Accept: application/openmetrics-text;q=0.2, text/plain;q=0.21"], text),
            (["Accept: application/openmetrics-text;q=0, text/html"], text),
            (["Accept: application/openmetrics-text;version=2.0.0"], text),
            (["Accept: text/plain", "Accept: application/openmetrics-text"], om),
            (["Accept: application/json"], text), (["Accept:"], text), (["Accept: ;;,,q=,;q="], text),
            (["X-Accept: application/openmetrics-text"], text)):
        equal(ask(get(*headers))[1:], ({
            "Content-Type": OM_TYPE if wanted == om else TEXT_TYPE, "Connection": "close",
            "Content-Length": str(len(wanted.encode()))}, wanted), headers)
    equal(ask(get(prometheus), ["-f", "prometheus"])[2], text, "-f prometheus")
    equal(ask(get(), ["-f", "openmetrics"])[2], om, "-f openmetrics")
    for request in (get(version="HTTP/1.0"), get(target="/metrics?a=b"),
                    get(target="http://there:9100/metrics"), "GET /metrics HTTP/1.1\n\n",
                    get("Content-Length: 0")):
        equal(ask(request)[2], text, request)
    head = ask(get(prometheus, method="HEAD"))
    equal(head, ("HTTP/1.1 200 OK", {"Content-Type": OM_TYPE, "Connection": "close",
                                     "Content-Length": str(len(om.encode()))}, ""), "HEAD")
    equal(outcome(["--http"], stdin=subprocess.DEVNULL), ("", "", 0), "of nobody")


@test
def http_refused():
    """What it does not serve, with a status that says why; and it is no failure of ours."""
    begin()
    bad = "400 Bad Request"
    requests = {
        get(target="/"): "404 Not Found", get(target="/metrics/"): "404 Not Found",
        get(target="*"): "404 Not Found", get(target="http://there"): "404 Not Found",
        get(target="/../metrics"): "404 Not Found", get(target="/", method="POST"): "404 Not Found",
        get(method="POST"): "405 Method Not Allowed", get(method="get"): "405 Method Not Allowed",
        get(method="BREW-COFFEE"): "405 Method Not Allowed",
        get(version="HTTP/2.0"): bad, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": bad, "\r\n\r\n": bad,
        "GET /metrics\r\n\r\n": bad, "GET  /metrics HTTP/1.1\r\n\r\n": bad,
        "GET /metrics HTTP/1.1 \r\n\r\n": bad, " GET /metrics HTTP/1.1\r\n\r\n": bad,
        "G\x1bT /metrics HTTP/1.1\r\n\r\n": bad, "\n\n": bad,
        get("no colon"): bad, get(": no name"): bad, get("a blank : here"): bad,
        get("Accept: a\0b"): bad, "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03": bad,
        "x" * 8192: "431 Request Header Fields Too Large",
        get("A: " + "b" * 8192): "431 Request Header Fields Too Large",
        get(*(f"H{i}: {i}" for i in range(100000))): "431 Request Header Fields Too Large",
    }

    def one(name):
        request = requests[names[name]]
        status, headers, body = ask(names[name])
        equal(status, f"HTTP/1.1 {request}", "status")
        equal(headers["Content-Type"], PLAIN, "Content-Type")
        equal(headers.get("Allow"), "GET, HEAD" if "405" in request else None, "Allow")
        check(body.endswith(".\n"), "body:", body)
    names = {repr(request[:40]): request for request in requests}
    equal(len(names), len(requests), "names")
    cases(names, one)
    status, headers, body = ask(get(target="/no", method="HEAD"))
    equal((status, body), ("HTTP/1.1 404 Not Found", ""), "HEAD of nothing")
    check(int(headers["Content-Length"]) > 0, "its length")


@test
def http_in_parts():
    """A request that comes byte by byte, of which each is read before the next is sent."""
    begin()
    client = Client(family=socket.AF_UNIX, args=["--http"])
    for byte in get().encode():
        client.send(bytes([byte]))
        until(lambda: not unread(client.sock), "that it is read")
    equal(response(client.answer())[2], printed(["-f", "prometheus"]), "answer")


def unread(sock):
    """How much of what was sent through a Unix socket the other end has not read."""
    return struct.unpack("i", fcntl.ioctl(sock, 0x5411, b"\0" * 4))[0]     # SIOCOUTQ


@test
def http_drained():
    """Who is refused while it still sends is not reset before it has read why."""
    begin()
    client = Client(["--http"], family=socket.AF_UNIX)
    client.sock.sendall(b"x" * 9000)
    answer = b""
    while part := client.sock.recv(65536):
        answer += part
    check(answer.startswith(b"HTTP/1.1 431 "), answer)
    client.sock.sendall(b"x" * 9000)
    until(lambda: not unread(client.sock), "that it is read")
    equal(client.process.poll(), None, "its status")
    client.sock.close()
    equal(end(client.process), ("", "", 0), "outcome")


@test
def http_slow():
    """Who does not send the request is told so in time; who does not take the answer is
    left; who goes away, too. None of them is a failure."""
    begin()
    for sent in "", "GET", get()[:-2]:
        status, _, _ = ask(sent, ["--timeout", "1"])
        equal(status, "HTTP/1.1 408 Request Timeout", repr(sent))
    client = Client()
    client.sock.shutdown(socket.SHUT_WR)
    equal(client.answer(), b"", "to who has only looked")
    client = Client().send("GET /me")
    client.sock.shutdown(socket.SHUT_WR)
    equal(response(client.answer())[0], "HTTP/1.1 400 Bad Request", "to half a request")
    begin(**many(5000))
    # More than any socket's buffer.
    client = Client(["--http", "--timeout", "1", "--limit", "100000"], family=socket.AF_UNIX)
    client.send(get())
    equal(end(client.process)[2], 0, "the status when nobody reads")
    check(client.sock.recv(12) == b"HTTP/1.1 200", "the beginning of an answer")
    for reset in False, True:
        client = Client(["--limit", "100000"]).send(get())
        equal(client.sock.recv(1), b"H", "the beginning of an answer")
        if reset:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sock.close()
        equal(end(client.process)[2], 0, "the status when the client has gone")


@test
def http_failed():
    """Where there are no metrics the client is told why, and so is stderr, unless that is
    the client; and of half of them nothing is sent."""
    said = ("knetstat-metrics: no /proc/net/tcpports: the module is not loaded "
            "(modprobe knetstat)\n")
    begin(**dict.fromkeys(TABLES))
    for only_stdin in False, True:
        client = Client(only_stdin=only_stdin).send(get())
        status, headers, body = response(client.answer(1))
        equal((status, headers["Content-Type"], body),
              ("HTTP/1.1 503 Service Unavailable", PLAIN, body), "answer")
        equal(body.replace(ROOT, ""), said, "body")
        equal(client.stderr, said if only_stdin else "", "stderr")
    begin(sockowner=OWNER_HEADER + "a row\n")
    equal(ask(get(), status=1)[0], "HTTP/1.1 503 Service Unavailable", "with half of a file")
    # What is said of an older module is no failure, and nothing for the client.
    begin(socktrouble=None)
    client = Client(only_stdin=True).send(get())
    equal(response(client.answer())[0], "HTTP/1.1 200 OK", "without a file")
    check("socktrouble" in client.stderr, "stderr:", client.stderr)
    check("older" not in ask(get())[2], "what is said in the answer")


@test
def not_http():
    """A Unix socket as stdin is what some programs give others; one that listens is a
    mistake in a unit."""
    begin()
    wanted = printed([])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        equal(outcome([], stdin=theirs), (wanted, "", 0), "with a Unix socket")
    with socket.create_server(("127.0.0.1", 0)) as door:
        for args in [], ["--http"]:
            equal(outcome(args, stdin=door),
                  ("", "knetstat-metrics: stdin is a socket that listens: the unit wants Accept=yes "
                   "and StandardInput=socket (inetd: nowait)\n", 1), "with a listener")
        with tempfile.TemporaryDirectory(dir=WORK) as where:
            equal(outcome(["-t", where], stdin=door), ("", "", 0), "with -t")

    process = subprocess.run([sys.executable, "-c",
                              "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid());"
                              "os.execv(sys.argv[1], sys.argv[1:])", PROGRAM],
                             stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    equal((process.stdout, process.stderr.decode(), process.returncode),
          (b"", "knetstat-metrics: stdin is no socket: the unit wants Accept=yes and "
           "StandardInput=socket\n", 1), "without StandardInput")


@test
def nobody_reads():
    """Written into a pipe that nobody reads, or a device that is full."""
    begin()
    ours, theirs = os.pipe()
    os.close(ours)
    equal(outcome([], stdout=theirs), ("", "", -signal.SIGPIPE), "a pipe")
    equal(outcome([], stdout=theirs, restore_signals=False), ("", "", 1), "without SIGPIPE")
    os.close(theirs)
    with open("/dev/full", "wb") as full:
        equal(outcome([], stdout=full),
              ("", "knetstat-metrics: cannot write: No space left on device\n", 1), "/dev/full")
