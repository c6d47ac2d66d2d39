# SPDX-License-Identifier: GPL-2.0
"""What access.md says that an agent may see."""

import os
import socket
import subprocess

from agents import host
from lib import life, tables, world
from lib.ktap import cases, check, equal, test, until

RIGHTS = {
    "plain user": "",
    "CAP_NET_ADMIN": "+net_admin",
    "CAP_SYS_PTRACE": "+sys_ptrace",
    "both": "+net_admin,+sys_ptrace",
}


def as_agent(rights, *command):
    """The output of @command, run by a user of its own with these capabilities."""
    return host.run("setpriv", "--reuid=4242", "--regid=4242", "--clear-groups",
                    f"--inh-caps=-all{',' * bool(rights)}{rights}",
                    *([f"--ambient-caps=-all,{rights}"] if rights else ["--bounding-set=-all"]),
                    *command)


@test
def table():
    """The table: whose sessions and descriptors a user sees with which rights."""
    elsewhere = world.Netns()
    with elsewhere:
        foreign = host.sessions(1)
    done = host.sessions(1)
    with host.Held("stubborn", full=True) as held:
        def case(name):
            rights = RIGHTS[name]
            admin, ptrace = "net_admin" in rights, "sys_ptrace" in rights
            ended = tables.by_column(as_agent(rights, "cat", "/proc/net/tcplife"))
            mine = [row for row in ended if str(done) in (row["LPORT"], row["RPORT"])]
            equal([row["COMM"] != "-" for row in mine], [admin] * 2, "tcplife's COMM", mine)
            others = [row for row in ended if str(foreign) in (row["LPORT"], row["RPORT"])]
            equal(len(others), 2 * admin, "sessions of another namespace", others)
            owned = tables.by_column(as_agent(rights, "cat", "/proc/net/sockowner"))
            owners = {row["COMM"] for row in owned
                      if row["LOCAL"].endswith(f":{held.port}") and row["STAT"] == "LSTN"}
            equal(owners, {"stubborn" if ptrace else "-"}, "sockowner's COMM")
            here = str(os.stat("/proc/self/ns/net").st_ino)
            equal(bool({row["NETNS"] for row in owned} - {here}), admin,
                  "sockets of another namespace")
            ill = tables.by_column(as_agent(rights, "cat", "/proc/net/socktrouble"))
            check([row for row in ill if row["Local-Address"].endswith(f":{held.port}")], ill)
            counted = tables.by_column(as_agent(rights, "cat", "/proc/net/tcpports"))
            equal(bool([row for row in counted if row["PORT"] == str(foreign)]), admin,
                  "another namespace's port in tcpports")
        with elsewhere:
            door = world.listener(socket.AF_INET)
        cases(RIGHTS, case)
        door.close()


@test
def container():
    """In a container with the host's /proc at /host/proc, /host/proc/net is its own network
    namespace, /host/proc/1/net the host's, which the programs read with --proc.
    """
    with host.Held(full=True) as held:
        script = ("mkdir -p /tmp/host/proc && mount --rbind /proc /tmp/host/proc && "
                  "unshare --net --pid --fork --mount-proc sh -c '"
                  "for of in net 1/net; do "
                  "grep -c \":$1 \" /tmp/host/proc/$of/tcpstat || :; done; "
                  "knetstat-metrics --proc /tmp/host/proc -f prometheus -c listeners; "
                  "HOST_PROC=/tmp/host/proc sockstat -q -l -P tcp -p $1' sh \"$1\"")
        said = host.run("unshare", "--mount", "--propagation", "private", "sh", "-euc", script,
                        "sh", str(held.port))
    lines = said.splitlines()
    equal(lines[0], "0", "rows in the container's own namespace", said)
    check(int(lines[1]) > 0, "rows in the host's", said)
    equal(host.samples(said, "knetstat_listener_full_sockets", port=str(held.port)), [1.0], said)
    check(f":{held.port}" in lines[-1], "sockstat", said)


@test
def tail_reads_again():
    """tail -F that polls repeats rows, as README.md warns; --state does not."""
    host.sessions(3)
    state, tailed = "/tmp/state", "/tmp/tailed"
    first = host.run("tcplife", "-x", "--state", state).splitlines()[1:]
    check(first, "nothing the first time")
    host.sessions(3)
    again = host.run("tcplife", "-x", "--state", state).splitlines()[1:]
    check(again and not set(first) & set(again), again)

    def repeated():
        host.sessions(1)
        with open(tailed, encoding="ascii") as file:
            lines = file.read().splitlines()
        return len(lines) > len(set(lines))
    with open(tailed, "w", encoding="ascii") as out, \
            subprocess.Popen(["tail", "---disable-inotify", "-F", "-s", "0.1", life.FILE],
                             stdout=out, stderr=subprocess.DEVNULL) as tail:
        until(repeated, "a row that was there already")
        tail.kill()
