# SPDX-License-Identifier: GPL-2.0
"""knetstat-metrics with the module: what it adds up is what the files say."""

import collections
import os
import socket
import subprocess

from guest.life import ports
from lib import life, openmetrics, tables
from lib.ktap import check, equal, test, until
from lib.life import stat
from lib.openmetrics import family
from lib.world import PLAIN_USER, Netns, connect, listener, pair, udp, user

PROGRAM = os.environ.get("KNETSTAT_METRICS", "/knetstat/knetstat-metrics")
INET, INET6 = socket.AF_INET, socket.AF_INET6
ENDS = "fin", "reset", "abort", "refused", "timeout", "unreach", "other"
HISTOGRAMS = {"knetstat_session_duration_seconds": ("MS_LE", "MS_SUM", "SESSIONS"),
              "knetstat_session_connect_seconds": ("CONN_LE", "CONN_MS_SUM", "CONNS"),
              "knetstat_session_srtt_seconds": ("SRTT_LE", "SRTT_MS_SUM", "SRTTS")}


def metrics(*args):
    """The samples that it prints, in both formats."""
    texts = []
    for more in (), ("-f", "prometheus"):
        done = subprocess.run([PROGRAM, *args, *more], check=False, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        equal((done.returncode, done.stderr), (0, ""), "status and stderr of", args)
        texts.append(done.stdout)
    found = openmetrics.parse(texts[0])
    equal(set(openmetrics.parse(texts[1], False)), set(found), "series of both formats")
    return found


def fields_of(name):
    """The rows of one of the module's files, each as {column: field}: as another process
    reads it, for everybody may know who he is himself.
    """
    return tables.by_column(subprocess.run(["cat", f"/proc/net/{name}"], check=True, text=True,
                                           stdout=subprocess.PIPE).stdout)


def played():
    """Sessions that end in several ways, at several ports, of this namespace."""
    ports.mixed(3)
    ports.refused(1, 1)
    ports.settled(16)


@test
def sessions():
    """Every number of tcpports and of stat/tcplife is there, and no other."""
    with Netns():
        played()
        found, rows = metrics(), fields_of("tcpports")
        check(len(rows) == 16, "rows:", rows)
        wanted = {}
        for row in rows:
            side = ("role", row["ROLE"]), ("port", row["PORT"])
            for end in ENDS:
                wanted["knetstat_sessions_total", (*side, ("end", end))] = int(row[end.upper()])
            for name, column in (("sent_bytes", "TX_B"), ("received_bytes", "RX_B"),
                                 ("retransmitted_segments", "RETX")):
                wanted[f"knetstat_session_{name}_total", side] = int(row[column])
            for name, (prefix, total, count) in HISTOGRAMS.items():
                if "connect" in name and row["ROLE"] == "acpt":
                    continue
                wanted[f"{name}_sum", side] = int(row[total].replace(".", "")) / 1000000
                wanted[f"{name}_count", side] = int(row[count])
                for column in row:
                    if column.startswith(prefix):
                        le = str(int(column[len(prefix):]) / 1000)
                        wanted[f"{name}_bucket", (*side, ("le", le))] = int(row[column])
                wanted[f"{name}_bucket", (*side, ("le", "+Inf"))] = int(row[count])
        for name, number in stat().items():
            wanted[f"knetstat_{name}_sessions{'_total' if name != 'tracked' else ''}", ()] = number
        got = {key: number for key, number in found.items()
               if key[0].startswith("knetstat_session") or key[0].endswith(("sessions_total", "sessions"))}
        equal(set(got), set(wanted), "series")
        wrong = [f"{key} {got[key]}, not {wanted[key]}" for key in wanted if got[key] != wanted[key]]
        check(not wrong, *wrong)
        ends = collections.Counter()
        for (_, _, end), number in family(found, "knetstat_sessions_total").items():
            ends[end] += number
        equal(sum(ends.values()), found["knetstat_recorded_sessions_total", ()], "sessions")
        check(all(ends[end] for end in ("fin", "reset", "abort", "refused")), "ends:", ends)
        sent = sum(session.tx for session in life.read())
        equal(sum(family(found, "knetstat_session_sent_bytes_total").values()), sent,
              "bytes sent, and those of tcplife")


@test
def limits():
    """With few series of their own all add up to the same."""
    with Netns():
        played()
        found = metrics("-c", "sessions")
        for args in (("--limit", "2"), ("-p", "1"), ("-p", "2", "--limit", "1")):
            less = metrics("-c", "sessions", *args)
            for name in ("knetstat_sessions_total", "knetstat_session_received_bytes_total",
                         "knetstat_session_duration_seconds_count"):
                check(len(family(less, name)) < len(family(found, name)), name, "is as many with", args)
                equal(sum(family(less, name).values()), sum(family(found, name).values()),
                      name, "with", args)
        equal([side for side in family(metrics("-c", "sessions", "-p", "1"),
                                       "knetstat_session_sent_bytes_total")],
              [("acpt", "*"), ("conn", "1"), ("conn", "*")], "sides")


@test
def trouble():
    """Each mark's number, and the queue of a listener that does not accept."""
    with Netns(), listener(INET, 0) as door:
        host, port = door.getsockname()
        quiet = metrics()
        equal(quiet["knetstat_trouble_sockets", ()], 0, "in trouble")
        equal(family(quiet, "knetstat_trouble_marks"), {(mark,): 0 for mark in tables.MARKS}, "marks")
        equal(quiet["knetstat_listener_accept_queue", (("address", host), ("port", str(port)))], 0,
              "queue")
        waiting, late = connect(door), socket.socket()
        late.setblocking(False)
        late.connect_ex((host, port))
        # One whose peer does not read, too.
        client, server = pair(INET6)
        client.setblocking(False)
        try:
            while True:
                client.send(b"x" * 65536)
        except BlockingIOError:
            pass

        def agree():
            before = [row.diag for row in tables.read("socktrouble")]
            found = metrics()
            if [row.diag for row in tables.read("socktrouble")] != before:
                return None
            marks = collections.Counter(mark for diag in before for mark in diag)
            equal(found["knetstat_trouble_sockets", ()], len(before), "in trouble")
            equal(family(found, "knetstat_trouble_marks"),
                  {(mark,): marks[mark] for mark in tables.MARKS}, "marks")
            return found if marks["!A"] and (marks[">|"] or marks[">|<"]) else None

        found = until(agree, lambda: tables.read("socktrouble"))
        [row] = [row for row in tables.read("tcpstat") if row.stat == "LSTN"]
        end = ("address", host), ("port", str(port))
        equal({name: found[f"knetstat_listener_{name}", end] for name in
               ("sockets", "full_sockets", "accept_queue", "accept_queue_limit")},
              {"sockets": 1, "full_sockets": 1, "accept_queue": 1, "accept_queue_limit": 0}, "listener")
        equal((row.recvq, row.sendq), (1, 0), "the table's row")
        # What is dropped goes on with every SYN that is sent again.
        def drops():
            before = [row.drops for row in tables.read("tcpstat") if row.stat == "LSTN"]
            number = metrics("-c", "listeners")["knetstat_listener_drops_total", end]
            after = [row.drops for row in tables.read("tcpstat") if row.stat == "LSTN"]
            return before[0] <= number <= after[0] and number
        until(drops, "drops")
        late.close()
        del waiting, server


@test
def shared():
    """Sockets that share an address and port are one series, of which each is a part."""
    def reuse(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)

    with Netns():
        # Whichever of them the kernel chooses for each, none is full.
        doors = [listener(INET, 8, setup=reuse)]
        host, port = doors[0].getsockname()
        for _ in range(2):
            sock = socket.socket()
            reuse(sock)
            sock.bind((host, port))
            sock.listen(8)
            doors.append(sock)
        waiting = [connect(doors[0]) for _ in range(7)]
        readers = [udp(INET, setup=reuse)]
        udp_port = readers[0].getsockname()[1]
        readers.append(udp(INET, setup=reuse, port=udp_port))
        sender = udp(INET)
        for _ in range(9):
            sender.sendto(b"x" * 100, (host, udp_port))
        found = metrics()
        end = ("address", host), ("port", str(port))
        equal({name: found[f"knetstat_listener_{name}", end] for name in
               ("sockets", "full_sockets", "accept_queue", "accept_queue_limit")},
              {"sockets": 3, "full_sockets": 0, "accept_queue": 7, "accept_queue_limit": 24},
              "listeners")
        end = ("address", host), ("port", str(udp_port))
        equal(found["knetstat_udp_sockets", end], 2, "UDP sockets")
        rows = [row for row in tables.read("udpstat") if row.local == f"{host}:{udp_port}"]
        equal(found["knetstat_udp_receive_queue_bytes", end], sum(row.recvq for row in rows), "queues")
        check(sum(row.recvq for row in rows) >= 900, "nothing waits:", rows)
        del waiting


@test
def owners():
    """By process name and state, the rows of sockowner; and what a plain user may not
    know counts as nobody's."""
    with Netns(), listener(INET) as door:
        waiting = connect(door)
        kept = [udp(INET), udp(INET6), *pair(INET6)]

        def counted():
            counts = collections.Counter()
            for row in fields_of("sockowner"):
                if not row["FD"].startswith("="):
                    counts[row["COMM"], row["PROTO"].rstrip("46"), row["STAT"], row["HELD"]] += 1
            return counts

        def agree():
            before = counted()
            found = family(metrics("-c", "sockets"), "knetstat_sockets")
            return counted() == before and (found, before)

        for who in 0, PLAIN_USER:
            with user(who):
                found, wanted = until(agree, "the same twice")
            equal(found, dict(wanted), "sockets of user", who)
            equal(found["-", "tcp", "ESTB", "queue"], 1, "waiting")
            named = sum(number for (comm, *_), number in found.items() if comm != "-")
            equal(named, 0 if who else 6, "named of", found)
        del waiting, kept


@test
def served():
    """A request through a real connection, which is seen in the answer."""
    with Netns(), listener(INET) as door:
        client = connect(door)
        server = door.accept()[0]
        process = subprocess.Popen([PROGRAM], stdin=server, stdout=server, stderr=server)
        server.close()
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: here\r\n"
                       b"Accept: application/openmetrics-text\r\n\r\n")
        answer = b""
        while part := client.recv(65536):
            answer += part
        equal(process.wait(), 0, "status")
        head, _, body = answer.decode().partition("\r\n\r\n")
        check(head.startswith("HTTP/1.1 200 OK\r\nContent-Type: application/openmetrics-text;"), head)
        found = openmetrics.parse(body)
        # stdin and stdout: it has put something else in the place of stderr.
        equal(family(found, "knetstat_sockets")["knetstat-metric", "tcp", "ESTB", "fd"], 2, "its own")
        equal(found["knetstat_listener_sockets", (("address", "127.0.0.1"),
                                                  ("port", str(door.getsockname()[1])))], 1, "door")
