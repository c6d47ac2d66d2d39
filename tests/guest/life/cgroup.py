# SPDX-License-Identifier: GPL-2.0
"""CGROUP: the socket's cgroup, by the inode number of its directory."""

import contextlib
import os
import subprocess

from lib import life
from lib.agents import Agents
from lib.ktap import Skip, cases, check, equal, test
from lib.world import Netns, own_mounts

ROOT = "/sys/fs/cgroup"


def mount(kind, where, options=""):
    """Mount a file system, or Skip."""
    os.makedirs(where, exist_ok=True)
    done = subprocess.run(["mount", "-t", kind, "-o", options or "rw", "none", where],
                          check=False, text=True, stderr=subprocess.PIPE)
    if done.returncode:
        raise Skip(done.stderr.strip())


@contextlib.contextmanager
def directories(root, *names):
    """Cgroups that are gone afterwards, if they are not before."""
    paths = [f"{root}/knetstat.{os.getpid()}.{name}" for name in names]
    try:
        for path in paths:
            os.mkdir(path)
        yield paths
    finally:
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(path)


def move(agent, path):
    """Put its process into a cgroup."""
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(agent.pid))


def inode(path):
    """The number of a directory."""
    return os.stat(path).st_ino


def only(rows, ends):
    """The one of @rows that has these addresses."""
    mine = [row for row in rows if (row.local, row.remote) == ends]
    equal(len(mine), 1, "rows of", ends)
    return mine[0]


def both_files(follower, client, server, wanted):
    """A session whose ends are in the cgroups @wanted, in tcplive and in tcplife."""
    port = server.listen("door")
    near = client.connect("s", port)
    far = server.accept("s", "door")
    alive = life.live()
    equal(tuple(only(alive, end).cgroup for end in (near, far)), wanted, "alive")
    client.close("s")
    server.ended("s")
    server.close("s", "door")
    over = follower.take(2)
    equal(tuple(only(over, end).cgroup for end in (near, far)), wanted, "over")


def played(root):
    """Each end in a cgroup of its own below @root, one of them nested; who moves
    leaves its sockets where they are."""
    with directories(root, "one", "other") as (one, other), Netns(), Agents() as agents:
        inner = f"{other}/inner"
        os.mkdir(inner)
        try:
            follower = life.Follower()
            client, server = agents("client", "server")
            both_files(follower, client, server, (inode(root), inode(root)))
            move(client, one)
            move(server, inner)
            check(len({inode(path) for path in (root, one, other, inner)}) == 4, "inodes")
            both_files(follower, client, server, (inode(one), inode(inner)))
            port = server.listen("door")
            near = client.connect("s", port)
            move(client, root)
            equal(only(life.live(), near).cgroup, inode(one), "of who has moved")
        finally:
            for agent in agents.all:
                move(agent, root)
            os.rmdir(inner)


def removed(root):
    """The number is still known when the directory is gone."""
    with directories(root, "gone", "stays") as (gone, stays), Netns(), Agents() as agents:
        follower = life.Follower()
        client, server = agents("client", "server")
        move(client, gone)
        move(server, stays)
        numbers = inode(gone), inode(stays)
        port = server.listen("door")
        near = client.connect("s", port)
        far = server.accept("s", "door")
        # Both ends: who closes alone may stay in FIN_WAIT2 for a minute.
        again = client.connect("t", port)
        server.accept("t", "door")
        client.close("t")
        server.ended("t")
        server.close("t")
        before = follower.take(2)
        move(client, root)
        move(server, root)
        os.rmdir(gone)
        alive = life.live()
        equal(tuple(only(alive, end).cgroup for end in (near, far)), numbers, "alive")
        equal(only(life.read(), again).cgroup, numbers[0], "read when it was gone")
        equal(only(before, again).cgroup, numbers[0], "read before")
        client.close("s")
        server.ended("s")
        server.close("s")
        rows = follower.take(2)
        equal(tuple(only(rows, end).cgroup for end in (near, far)), numbers, "over")


@test
def unified():
    """Nothing but v2."""
    check(os.path.exists(f"{ROOT}/cgroup.procs"), "no cgroup2 is mounted")
    cases(("each end", "removed"),
          lambda name: {"each end": played, "removed": removed}[name](ROOT))


# The controllers of v1 that some host has; net_cls once kept its numbers where the
# socket's cgroup is kept.
CONTROLLERS = ("cpu,cpuacct", "pids", "freezer", "net_cls,net_prio")


@test
def hybrid():
    """v1's controllers, and v2 below "unified", as on older hosts."""
    own_mounts()
    subprocess.run(["umount", ROOT], check=True)
    mount("tmpfs", ROOT)
    mount("cgroup2", f"{ROOT}/unified")
    mounted = []
    try:
        for controllers in CONTROLLERS:
            with contextlib.suppress(Skip):
                mount("cgroup", f"{ROOT}/{controllers}", controllers)
                mounted.append(controllers)
        if not mounted:
            raise Skip("no controllers of v1")
        with contextlib.ExitStack() as stack:
            # The process is in cgroups of v1, too, which are others.
            for controllers in mounted:
                [path] = stack.enter_context(
                    directories(f"{ROOT}/{controllers}", "v1"))
                with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
                    file.write(str(os.getpid()))
                stack.callback(back, f"{ROOT}/{controllers}")
            cases(("each end", "removed"),
                  lambda name: {"each end": played, "removed": removed}[name](f"{ROOT}/unified"))
    finally:
        for controllers in mounted:
            subprocess.run(["umount", f"{ROOT}/{controllers}"], check=True)
    print(f"# with {mounted}")


def back(path):
    """This process leaves for the root of a hierarchy."""
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
        file.write(str(os.getpid()))


@test
def none_mounted():
    """Where nobody can look a number still is the right one."""
    number = inode(ROOT)
    own_mounts()
    subprocess.run(["umount", ROOT], check=True)
    check(not os.listdir(ROOT), "something is mounted")
    with Netns(), Agents() as agents:
        both_files(life.Follower(), *agents("client", "server"), (number, number))
