# SPDX-License-Identifier: GPL-2.0
"""tcplife's rows in the journal and in rsyslog: each once, whatever is restarted."""

import collections
import json
import os
import shutil

from agents import host
from lib import world
from lib.ktap import check, equal, note, test, until

JOURNAL = "tcplife-journal.service"
RSYSLOG = "rsyslog.service"
STATE = "/var/lib/knetstat/tcplife-journal"


def journal(port):
    """The sessions with @port that the journal has."""
    said = host.run("journalctl", "-t", "tcplife", "-o", "cat", "--no-pager")
    return of(port, (json.loads(line) for line in said.splitlines() if line.startswith("{")))


def of(port, objects):
    """Those of @objects that are sessions with @port."""
    return [one for one in objects if port in (one["lport"], one["rport"])]


def each_once(rows, port):
    """Check that @rows are the sessions with @port as the file has them."""
    equal(sorted(row["seq"] for row in rows), sorted(host.recorded(port)), "SEQs")


@test
def journal_restarts():
    """The journal has each session once: those from before, those of its time, and those
    that ended while the service did not run. Whose they were is there, too.
    """
    with open("/proc/self/comm", encoding="ascii") as file:
        me = file.read().strip()
    before = host.sessions(20)
    with host.started(JOURNAL):
        until(lambda: len(journal(before)) == 40, lambda: len(journal(before)))
        during = host.sessions(20)
        until(lambda: len(journal(during)) == 40, lambda: len(journal(during)))
        host.systemctl("restart", JOURNAL)
        host.systemctl("stop", JOURNAL)
        stopped = host.sessions(20)
        host.systemctl("start", JOURNAL)
        until(lambda: len(journal(stopped)) >= 40, lambda: len(journal(stopped)))
        after = host.sessions(5)
        until(lambda: len(journal(after)) >= 10, lambda: len(journal(after)))
    for port in (before, during, stopped, after):
        rows = journal(port)
        each_once(rows, port)
        equal({row["comm"] for row in rows}, {me}, "whose they were")
    check(os.stat(os.path.realpath(STATE)).st_size, STATE)
    note(json.dumps(journal(after)[0]))


@test
def journal_waits_for_the_module():
    """Without the module the service tries again, and has what was recorded since."""
    world.rmmod()
    with host.dropin(JOURNAL, "[Service]\nRestartSec=100ms\n"):
        try:
            host.systemctl("restart", JOURNAL)
            until(lambda: "not loaded" in host.run("journalctl", "-u", JOURNAL, "-o", "cat"),
                  "what it says")
        finally:
            world.insmod()
        port = host.sessions(3)
        until(lambda: len(journal(port)) >= 6, lambda: journal(port))
        each_once(journal(port), port)
        host.systemctl("stop", JOURNAL)


@test
def rsyslog():
    """rsyslog's imfile reads what tcplife appends to a file, parses it, and writes each
    session once to its own, over restarts of either.
    """
    out = "/var/log/knetstat/sessions.json"

    def written(port):
        if not os.path.exists(out):
            return []
        with open(out, encoding="utf-8") as file:
            rows = [json.loads(line) for line in file if line.endswith("\n")]
        return of(port, (row["tcplife"] for row in rows))

    shutil.copy(f"{host.FILES}/rsyslog/knetstat.conf", "/etc/rsyslog.d/knetstat.conf")
    os.makedirs("/var/log/knetstat", exist_ok=True)
    host.run("rsyslogd", "-N1")
    with open(f"{host.FILES}/rsyslog/tcplife-file.conf", encoding="ascii") as file:
        text = file.read()
    with host.dropin(JOURNAL, text), host.started(JOURNAL, RSYSLOG):
        first = host.sessions(20)
        until(lambda: len(written(first)) >= 40, lambda: len(written(first)))
        host.systemctl("stop", RSYSLOG)
        second = host.sessions(20)
        host.systemctl("restart", JOURNAL)
        host.systemctl("start", RSYSLOG)
        until(lambda: len(written(second)) >= 40, lambda: len(written(second)))
        host.systemctl("stop", JOURNAL)
        third = host.sessions(20)
        host.systemctl("start", JOURNAL)
        host.systemctl("restart", RSYSLOG)
        until(lambda: len(written(third)) >= 40, lambda: len(written(third)))
        last = host.sessions(1)
        until(lambda: len(written(last)) >= 2, lambda: written(last))
    for port in (first, second, third, last):
        each_once(written(port), port)
    with open(out, encoding="utf-8") as file:
        lines = file.read().splitlines()
    # None twice of any session.
    seqs = collections.Counter(json.loads(line)["tcplife"]["seq"] for line in lines)
    equal([seq for seq, times in seqs.items() if times > 1], [], "written more than once")
    note(lines[-1])
    os.unlink("/etc/rsyslog.d/knetstat.conf")
