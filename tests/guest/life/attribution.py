# SPDX-License-Identifier: GPL-2.0
"""Whose a session was: the process, and how that is known.

Every scene has its sessions in processes of their own, and none of them in the
one that looks; bpf.py plays them again for BPF's tcplife. Right is: who read last;
else who connected; else who closed, shut down or aborted; else who accepted; else who
opened the listener. (Who held it when the module was loaded is in older.py.)
"""

import contextlib
import errno
import os
import select
import socket
import subprocess

from lib import kcm, life, uring
from lib.agents import CLONE_NEWPID, Agents
from lib.ktap import (Failed, Skip, any_of, cases, check, equal, in_child, scaled, test,
                      until)
from lib.life import Stage
from lib.world import PLAIN_USER, Netns, ip, listener, own_mounts, sysctl

INET, INET6 = socket.AF_INET, socket.AF_INET6

# name: function(scene, agents)
SCENES = {}


def scene_of(name):
    """Mark a scene."""
    def mark(function):
        SCENES[name] = function
        return function
    return mark


def joined(agents, first="client", second="server"):
    """Two agents and a session between them, and its addresses."""
    client, server = agents(first, second)
    port = server.listen("door")
    near = client.connect("s", port)
    far = server.accept("s", "door")
    client.send("s", 10)
    server.receive("s", 10)
    return client, server, near, far


def with_worker(agents):
    """A client and who accepted it: the worker of a parent that listens."""
    parent, client = agents("parent", "client")
    port = parent.listen("door")
    worker = parent.fork("worker")
    near = client.connect("s", port)
    far = worker.accept("s", "door")
    return client, worker, near, far


def with_child(agents):
    """A client and who has its session: the child of a parent that accepted it."""
    parent, client = agents("parent", "client")
    port = parent.listen("door")
    near = client.connect("s", port)
    far = parent.accept("s", "door")
    child = parent.fork("child")
    parent.close("s")
    return client, child, near, far


@scene_of("client connects and closes")
def _client_closes(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    client.close("s")
    server.ended("s")
    server.close("s")


@scene_of("server closes first")
def _server_closes(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    server.close("s")
    client.ended("s")
    client.close("s")


@scene_of("both end by exiting")
def _exit(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    client.leave()
    server.ended("s")
    server.leave()


@scene_of("who read, not who shuts down")
def _shutdown(scene, agents):
    client, server, near, far = joined(agents)
    helper = server.fork("helper")
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    helper.shutdown("s")
    client.ended("s")
    helper.leave()
    client.close("s")
    server.ended("s")
    server.close("s")


@scene_of("forking server")
def _forking(scene, agents):
    client, server, near, far = joined(agents)
    child = server.fork("child")
    server.close("s")
    scene.wants(client.want(near, "conn", "fin", 10, 5),
                server.want(far, "acpt", "fin", 5, 10))
    child.send("s", 5)
    client.receive("s", 5)
    child.close("s")
    client.ended("s")
    client.close("s")
    child.leave()


@scene_of("forking server, its client first")
def _forking_client_first(scene, agents):
    client, server, near, far = joined(agents)
    child = server.fork("child")
    server.close("s")
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    client.close("s")
    child.ended("s")
    child.leave()


@scene_of("prefork server")
def _prefork(scene, agents):
    """Each closes what it accepted from the listener they share."""
    parent, client = agents("parent", "client")
    port = parent.listen("door")
    workers = [parent.fork(f"worker{number}") for number in range(3)]
    for number, worker in enumerate(workers):
        name = f"c{number}"
        near = client.connect(name, port)
        far = worker.accept("s", "door")
        scene.wants(client.want(near, "conn", "fin"),
                    worker.want(far, "acpt", "fin"))
        if number % 2:
            client.close(name)
            worker.ended("s")
            worker.close("s")
        else:
            worker.close("s")
            client.ended(name)
            client.close(name)
    for worker in workers:
        worker.leave()


@scene_of("prefork server, reset while it sleeps")
def _prefork_reset(scene, agents):
    """Who accepted it did nothing else."""
    client, worker, near, far = with_worker(agents)
    scene.wants(client.want(near, "conn", "abort"),
                worker.want(far, "acpt", "reset", by="accept"))
    client.abort("s")
    worker.was_reset("s")
    worker.leave()


def _group(scene, agents, family, end):
    """A SO_REUSEPORT group of three; each session has its own listener."""
    client = agents("client")
    group = agents("group0", "group1", "group2")
    port = group[0].listen("door", family, 0, True)
    for member in group[1:]:
        member.listen("door", family, port, True)
    seen = set()
    for number in range(12):
        name = f"c{number}"
        near = client.connect(name, port, family)
        # On loopback the connection is in its queue by now.
        member, far = until(lambda: [
            (each, names) for each in group
            if (names := each.accept_now(name, "door"))], "a member")[0]
        seen.add(member.pid)
        if end == "reset":
            scene.wants(client.want(near, "conn", "abort"),
                        member.want(far, "acpt", "reset", by="accept"))
            client.abort(name)
            member.was_reset(name)
        else:
            scene.wants(client.want(near, "conn", "fin"),
                        member.want(far, "acpt", "fin"))
            client.close(name)
            member.ended(name)
            member.close(name)
    check(len(seen) > 1, "all of them went to one member")


@scene_of("SO_REUSEPORT group")
def _reuseport(scene, agents):
    _group(scene, agents, INET, "fin")


@scene_of("SO_REUSEPORT group, reset while they sleep")
def _reuseport_reset(scene, agents):
    _group(scene, agents, INET, "reset")


@scene_of("SO_REUSEPORT group of IPv6, reset while they sleep")
def _reuseport6_reset(scene, agents):
    _group(scene, agents, INET6, "reset")


@scene_of("thread that isn't the leader")
def _thread(scene, agents):
    client, server = agents("client", "server")
    port = server.in_thread("listen", "door")
    near = client.in_thread("connect", "s", port)
    far = server.in_thread("accept", "s", "door")
    again = client.connect("t", port)
    reset = server.accept("t", "door")
    scene.wants(client.want(near, "conn", "fin"),
                server.want(far, "acpt", "fin"),
                client.want(again, "conn", "abort"),
                server.want(reset, "acpt", "reset", by="accept"))
    server.in_thread("close", "s")
    client.ended("s")
    client.in_thread("close", "s")
    client.in_thread("abort", "t")
    server.was_reset("t")


@scene_of("threads whose leader has ended")
def _no_leader(scene, agents):
    client, server = agents("client", "server")
    client.end_leader()
    server.end_leader()
    port = server.listen("door")
    near = client.connect("s", port)
    far = server.accept("s", "door")
    scene.wants(client.want(near, "conn", "fin"),
                server.want(far, "acpt", "fin"))
    server.close("s")
    client.ended("s")
    client.close("s")


@scene_of("socket passed to another process")
def _passed(scene, agents):
    client, server, near, far = joined(agents)
    heir, other = agents("heir", "other")
    server.give("s", heir)
    server.close("s")
    client.give("s", other)
    client.close("s")
    scene.wants(other.want(near, "conn", "fin", 10, 3),
                server.want(far, "acpt", "fin", 3, 10))
    heir.send("s", 3)
    other.receive("s", 3)
    heir.close("s")
    other.ended("s")
    other.close("s")


@scene_of("client killed")
def _client_killed(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    client.kill()
    server.ended("s")
    server.close("s")


@scene_of("server killed")
def _server_killed(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(far, "acpt", "fin", 0, 10))
    server.kill()
    client.ended("s")
    client.close("s")


@scene_of("server killed, unread data")
def _server_killed_unread(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "reset", 30, 0),
                server.want(far, "acpt", "abort", 0, 30))
    client.send("s", 20)
    server.kill()
    client.was_reset("s")


@scene_of("reset while its server sleeps")
def _server_sleeps(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                server.want(far, "acpt", "reset", 0, 10))
    client.abort("s")
    server.was_reset("s")


@scene_of("reset while its client sleeps")
def _client_sleeps(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "reset", 10, 0),
                server.want(far, "acpt", "abort", 0, 10))
    server.abort("s")
    client.was_reset("s")


@scene_of("unaccepted, closed by its client")
def _unaccepted(scene, agents):
    client, server = agents("client", "server")
    port = server.listen("door")
    near = client.connect("s", port)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                server.want(near[::-1], "acpt", "abort", 0, 10, by="listen"))
    client.send("s", 10)
    client.close("s")
    scene.stage.follower.ready(10)      # the client's end is over
    server.close("door")


@scene_of("unaccepted, reset by its client")
def _unaccepted_reset(scene, agents):
    client, server = agents("client", "server")
    port = server.listen("door")
    near = client.connect("s", port)
    scene.wants(client.want(near, "conn", "abort"),
                server.want(near[::-1], "acpt", "reset", by="listen"))
    client.abort("s")


@scene_of("unaccepted, its listener killed")
def _unaccepted_killed(scene, agents):
    client, server = agents("client", "server")
    port = server.listen("door")
    near = client.connect("s", port)
    scene.wants(client.want(near, "conn", "reset"),
                server.want(near[::-1], "acpt", "abort", by="listen"))
    server.kill()
    client.was_reset("s")


@scene_of("unaccepted, its listener closed by an heir")
def _unaccepted_heir(scene, agents):
    """Who closes a listener doesn't act on what waits in its queue."""
    client, server = agents("client", "server")
    port = server.listen("door")
    heir = server.fork("heir")
    server.close("door")
    near = client.connect("s", port)
    scene.wants(client.want(near, "conn", "reset"),
                server.want(near[::-1], "acpt", "abort", by="listen"))
    heir.close("door")
    client.was_reset("s")
    heir.leave()


@scene_of("renamed meanwhile")
def _renamed(scene, agents):
    """The name is that of the moment that the PID is from."""
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "fin", 12, 0))
    client.rename(b"another")
    client.send("s", 1)
    server.receive("s", 1)
    server.rename(b"reader")
    client.send("s", 1)
    server.receive("s", 1)
    scene.wants(server.want(far, "acpt", "fin", 0, 12))
    server.rename(b"closer")
    client.close("s")
    server.ended("s")
    server.close("s")


@scene_of("worker that reads, reset")
def _worker_reads(scene, agents):
    _worker(scene, agents, INET, "receive")


@scene_of("worker that reads IPv6, reset")
def _worker_reads6(scene, agents):
    _worker(scene, agents, INET6, "receive")


@scene_of("worker that reads by splice, reset")
def _worker_splices(scene, agents):
    _worker(scene, agents, INET, "splice")


def _worker(scene, agents, family, how):
    """The parent opened the listener, the worker reads, the client resets."""
    parent, client = agents("parent", "client")
    port = parent.listen("door", family)
    worker = parent.fork("worker")
    near = client.connect("s", port, family)
    far = worker.accept("s", "door")
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                worker.want(far, "acpt", "reset", 0, 10))
    client.send("s", 10)
    getattr(worker, how)("s", 10)
    client.abort("s")
    worker.was_reset("s")
    worker.leave()


@scene_of("worker that reads in a thread, reset")
def _worker_thread(scene, agents):
    parent, client = agents("parent", "client")
    port = parent.listen("door")
    worker = parent.fork("worker")
    near = client.connect("s", port)
    far = worker.in_thread("accept", "s", "door")
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                worker.want(far, "acpt", "reset", 0, 10))
    client.send("s", 10)
    worker.in_thread("receive", "s", 10)
    client.abort("s")
    worker.was_reset("s")
    worker.leave()


@scene_of("worker that only writes, reset")
def _worker_writes(scene, agents):
    client, worker, near, far = with_worker(agents)
    scene.wants(client.want(near, "conn", "abort", 0, 10),
                worker.want(far, "acpt", "reset", 10, 0, by="accept"))
    worker.send("s", 10)
    client.receive("s", 10)
    client.abort("s")
    worker.was_reset("s")
    worker.leave()


def _child(scene, agents, count):
    """The parent accepts, its child reads, the client resets."""
    client, child, near, far = with_child(agents)
    scene.wants(client.want(near, "conn", "abort", count, 0),
                child.want(far, "acpt", "reset", 0, count))
    for begun in range(0, count, 100000):
        some = min(count - begun, 100000)
        client.send("s", some)
        child.receive("s", some)
    client.abort("s")
    child.was_reset("s")
    child.leave()


@scene_of("child that reads, reset")
def _child_reads(scene, agents):
    _child(scene, agents, 10)


@scene_of("child that reads much, reset")
def _child_reads_much(scene, agents):
    _child(scene, agents, 3000000)


@scene_of("reader that changes")
def _readers(scene, agents):
    client, server, near, far = joined(agents)
    heir = server.fork("heir")
    scene.wants(client.want(near, "conn", "fin", 20, 0),
                heir.want(far, "acpt", "fin", 0, 20))
    client.send("s", 5)
    heir.receive("s", 5)
    client.send("s", 2)
    server.receive("s", 2)
    client.send("s", 3)
    heir.receive("s", 3)
    client.close("s")
    heir.ended("s")
    heir.leave()
    server.close("s")


@scene_of("who looks, not who reads")
def _peeks(scene, agents):
    client, server, near, far = joined(agents)
    other = server.fork("other")
    scene.wants(client.want(near, "conn", "abort", 15, 0),
                server.want(far, "acpt", "reset", 0, 15))
    client.send("s", 5)
    other.peek("s", 5)
    client.abort("s")
    other.was_reset("s")
    other.leave()
    server.close("s")


@scene_of("only looked at, reset")
def _only_peeks(scene, agents):
    """To look is not to read: it is still who accepted it."""
    parent, client = agents("parent", "client")
    port = parent.listen("door")
    near = client.connect("s", port)
    far = parent.accept("s", "door")
    other = parent.fork("other")
    scene.wants(client.want(near, "conn", "abort", 5, 0),
                parent.want(far, "acpt", "reset", 0, 5, by="accept"))
    client.send("s", 5)
    other.peek("s", 5)
    client.abort("s")
    other.was_reset("s")
    other.leave()


def _pieces(scene, agents, family):
    """The parent reads much; its child reads more that waits, in pieces of 64 KiB.

    Where the kernel makes larger segments (BIG TCP) each piece is one copy."""
    parent, client = agents("parent", "client")
    before = sysctl("net/ipv4/tcp_rmem")
    with contextlib.suppress(Failed):
        ip("link set lo gso_max_size 400000 gro_max_size 400000")
    sysctl("net/ipv4/tcp_rmem", "4096 4000000 6000000")
    port = parent.listen("door", family)
    sysctl("net/ipv4/tcp_rmem", before)
    near = client.connect("s", port, family)
    far = parent.accept("s", "door")
    for _ in range(8):
        client.send("s", 100000)
        parent.receive("s", 100000)
    child = parent.fork("child")
    scene.wants(client.want(near, "conn", "abort", 800000 + 131072, 0),
                child.want(far, "acpt", "reset", 0, 800000 + 131072))
    client.send("s", 131072)
    child.receive_pieces("s", 131072, 65536)
    client.abort("s")
    child.was_reset("s")
    child.leave()


@scene_of("child that reads pieces of 64 KiB, reset")
def _pieces4(scene, agents):
    _pieces(scene, agents, INET)


@scene_of("child that reads pieces of 64 KiB by IPv6, reset")
def _pieces6(scene, agents):
    _pieces(scene, agents, INET6)


def _by_io_uring(scene, agents, flags, by):
    uring.need()
    client, worker, near, far = with_worker(agents)
    client.send("s", 10)
    worker.uring_receive("s", 10, flags)
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                worker.want(far, "acpt", "reset", 0, 10, by=by))
    client.abort("s")
    worker.was_reset("s")
    worker.leave()


@scene_of("read by io_uring, reset")
def _uring(scene, agents):
    _by_io_uring(scene, agents, 0, "use")


@scene_of("read by a worker of io_uring, reset")
def _uring_worker(scene, agents):
    """Before 5.12 that worker is a kernel thread, and of no process."""
    _by_io_uring(scene, agents, uring.ASYNC, any_of("use", "accept"))


def held_by_io_uring(scene, agents):
    """A child has it, and its parent, who accepted it, no longer."""
    uring.need()
    client, child, near, far = with_child(agents)
    child.uring_hold("s")
    client.send("s", 10)
    child.uring_receive("s", 10)
    return client, child, near, far


@scene_of("held by an io_uring only, reset")
def _uring_holds(scene, agents):
    client, child, near, far = held_by_io_uring(scene, agents)
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                child.want(far, "acpt", "reset", 0, 10))
    client.abort("s")
    scene.stage.follower.ready(10)
    child.leave()


@scene_of("held by an io_uring only, killed")
def _uring_killed(scene, agents):
    """The kernel lets go of it, in a worker of its own."""
    client, child, near, far = held_by_io_uring(scene, agents)
    scene.wants(client.want(near, "conn", "fin", 10, 0),
                child.want(far, "acpt", "fin", 0, 10))
    child.kill()
    client.ended("s")
    client.close("s")


@scene_of("read by a kernel thread, reset")
def _kernel_thread(scene, agents):
    """It works for somebody else, and is nobody to be named."""
    kcm.need()
    client, worker, near, far = with_worker(agents)
    client.send("s", 10)
    worker.kernel_receive("s", 10)
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                worker.want(far, "acpt", "reset", 0, 10, by="accept"))
    client.abort("s")
    scene.stage.follower.ready(10)      # KCM takes the error
    worker.leave()


@scene_of("unaccepted with data, reset by its client")
def _unaccepted_data(scene, agents):
    client, server = agents("client", "server")
    port = server.listen("door")
    near = client.connect("s", port)
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                server.want(near[::-1], "acpt", "reset", 0, 10, by="listen"))
    client.send("s", 10)
    client.abort("s")
    scene.stage.follower.ready(10)
    server.close("door")


@scene_of("inherited listener, reset")
def _activated(scene, agents):
    """As a service that is started with the listener that systemd opened."""
    systemd, client = agents("systemd", "client")
    port = systemd.listen("door")
    service = systemd.fork("service")
    near = client.connect("s", port)
    far = service.accept("s", "door")
    scene.wants(client.want(near, "conn", "abort", 1, 0),
                service.want(far, "acpt", "reset", 0, 1))
    client.send("s", 1)
    service.receive("s", 1)
    client.abort("s")
    service.was_reset("s")
    service.leave()


@scene_of("client whose child goes on")
def _daemon(scene, agents):
    server, client = agents("server", "client")
    port = server.listen("door")
    near = client.connect("s", port)
    far = server.accept("s", "door")
    child = client.fork("child")
    client.close("s")
    scene.wants(child.want(near, "conn", "fin", 0, 10),
                server.want(far, "acpt", "fin", 10, 0))
    server.send("s", 10)
    child.receive("s", 10)
    child.close("s")
    server.ended("s")
    server.close("s")
    child.leave()


@scene_of("accepted, killed unread")
def _killed_unread(scene, agents):
    client, worker, near, far = with_worker(agents)
    scene.wants(client.want(near, "conn", "reset", 10, 0),
                worker.want(far, "acpt", "abort", 0, 10, by="close"))
    client.send("s", 10)
    worker.kill()
    client.was_reset("s")


def kill_socket(names):
    """ss -K of the end that has these addresses."""
    (near, port), (far, peer) = names
    done = subprocess.run(
        ["ss", "-K", "-tnH", "src", f"{near}:{port}", "dst", f"{far}:{peer}"],
        check=False, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    if done.returncode or "not supported" in done.stdout:
        raise Skip(f"ss -K is refused: {done.stdout.strip()}")


@scene_of("ss -K of the client's end")
def _ss_client(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "abort", 10, 0),
                server.want(far, "acpt", "reset", 0, 10))
    kill_socket(near)
    equal(client.error("s"), errno.ECONNABORTED, "SO_ERROR")
    server.was_reset("s")


@scene_of("ss -K of the server's end")
def _ss_server(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "reset", 10, 0),
                server.want(far, "acpt", "abort", 0, 10))
    kill_socket(far)
    equal(server.error("s"), errno.ECONNABORTED, "SO_ERROR")
    client.was_reset("s")


@scene_of("ss -K of a half-closed end")
def _ss_half_closed(scene, agents):
    client, server, near, far = joined(agents)
    scene.wants(client.want(near, "conn", "reset", 10, 0),
                server.want(far, "acpt", "abort", 0, 10))
    server.shutdown("s")
    client.ended("s")
    kill_socket(far)
    equal(server.error("s"), errno.ECONNABORTED, "SO_ERROR")
    client.error("s")


@scene_of("ss -K of a listener with a queue")
def _ss_listener(scene, agents):
    client, server = agents("client", "server")
    port = server.listen("door")
    near = client.connect("s", port)
    scene.wants(client.want(near, "conn", "reset"),
                server.want(near[::-1], "acpt", "abort", by="listen"))
    done = subprocess.run(["ss", "-K", "-tnlH", "src", f"127.0.0.1:{port}"],
                          check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode or "not supported" in done.stdout:
        raise Skip(f"ss -K is refused: {done.stdout.strip()}")
    client.was_reset("s")


@test
def processes():
    """The table of scenes."""
    def one(name):
        with Agents() as agents, stage.scene() as scene:
            SCENES[name](scene, agents)

    with Netns():
        stage = Stage()
        cases(SCENES, one)


def serve(line, door):
    """A prefork worker; those of an odd PID only write. Says what it had."""
    reads, sessions = os.getpid() % 2 == 0, []
    while True:
        sock, peer = door.accept()
        if peer[0] == "127.0.0.2":
            break
        sock.sendall(b"r" if reads else b"w")
        if reads:
            life.receive(sock, 10)
            sock.sendall(b".")
        poll = select.poll()
        poll.register(sock, select.POLLRDHUP)
        poll.poll()
        reset = bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        sock.close()
        by = "use" if reads else "accept" if reset else "close"
        sessions.append((peer[1], "reset" if reset else "fin", by))
    line.say(sessions)


def visit(line, to, count):
    """Makes sessions with the workers, and resets each second one."""
    for number in range(count):
        sock = socket.create_connection(to)
        if sock.recv(1) == b"r":
            sock.sendall(b"x" * 10)
            life.receive(sock, 1)
        if number % 2:
            life.linger(sock)
        sock.close()


@test
def by_worker():
    """Eight workers share a listener: the rows of each are what it has counted."""
    workers, clients, each = 8, 4, scaled(125, 25)
    with Netns():
        follower = life.Follower()
        with listener(INET, backlog=64, address="0.0.0.0") as door:
            to = "127.0.0.1", door.getsockname()[1]
            servers = [life.Process(f"worker{number}", serve, door)
                       for number in range(workers)]
            visitors = [life.Process("client", visit, to, each) for _ in range(clients)]
            for visitor in visitors:
                visitor.end()
            counted = follower.take(2 * clients * each)
            rows = {server.pid: {} for server in servers}
            for row in counted:
                if row.role == "acpt":
                    check(row.pid in rows, "no worker's:", row.line)
                    rows[row.pid][row.rport] = row
            last = [socket.create_connection(to, source_address=("127.0.0.2", 0))
                    for _ in servers]
            resets, late = 0, 0
            for server in servers:
                mine = rows[server.pid]
                ends = server.hear()
                equal(sorted(mine), sorted(port for port, _, _ in ends), "sessions of",
                      server.name)
                for port, end, by in ends:
                    resets += end == "reset"
                    # The peer may have nothing left that knows the last FIN.
                    late += (mine[port].end, end) == ("reset", "fin")
                    equal((mine[port].by, mine[port].end),
                          (by, any_of(end, "reset")), mine[port].line)
                server.end()
        equal(sum(map(len, rows.values())), clients * each, "sessions")
        equal(resets, clients * (each // 2), "resets")
        check(late < clients * each / 20, late, "were reset after the last FIN")
        check(sum(map(bool, rows.values())) > 1, "all of them went to one worker")
        del last


NAMES = (b"a b", b"tab\tand\nline", b"back\\slash\\040", b"\x01\x7f\x80\xff",
         "naïve".encode(), b"123456789012345", b"1 2 3 4 5 6 7 8",
         b"-", b"", b"#x,y:z=%s", b"\\", b"(sd-pam)", b"kworker/0:1", b" ")


@test
def odd_names():
    """A process may be called anything; a row stays a row."""
    escaped = {b"a b": r"a\040b", b"tab\tand\nline": r"tab\011and\012line",
               b"back\\slash\\040": r"back\134slash\134040",
               b"\x01\x7f\x80\xff": r"\001\177\200\377",
               b"-": r"\055", b"": "-", b" ": r"\040"}

    def one(shown):
        name = NAMES[list(map(repr, NAMES)).index(shown)]
        with Agents() as agents, stage.scene() as scene:
            client, server, near, far = joined(agents)
            client.rename(name)
            server.rename(name)
            client.send("s", 1)
            server.receive("s", 1)
            again = client.connect("t", server.listen("another"))
            server.accept("t", "another")
            comm = name or None
            scene.wants(server.want(far, "acpt", "fin", 0, 11, comm=comm),
                        client.want(near, "conn", "fin", 11, 0,
                                    comm=b"client"),
                        client.want(again, "conn", "fin", comm=comm),
                        server.want(again[::-1], "acpt", "fin", comm=comm))
            client.close("s")
            server.close("s", "t")
            client.close("t")
        if name in escaped:
            for row in scene.rows:
                field = row.line.split()[4]
                check(field in (escaped[name], "client"), "COMM", field)

    with Netns():
        stage = Stage()
        cases(map(repr, NAMES), one)


def mount_proc(where):
    """A procfs of this process's PID namespace, at @where."""
    own_mounts()
    os.makedirs(where, exist_ok=True)
    subprocess.run(["mount", "-t", "proc", "proc", where], check=True)


@test
def pid_namespaces():
    """A PID is the reader's; a process that it has no PID for is nobody."""
    def reader(depth):
        """What is read @depth namespaces below, by local port."""
        def inside():
            for _ in range(depth):
                os.unshare(CLONE_NEWPID)
                pid = os.fork()
                if pid:
                    os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            mount_proc("/tmp/proc")
            rows = {row.lport: row.who for row in
                    life.read("/tmp/proc/net/tcplife")}
            os.write(theirs, repr(rows).encode())
            os._exit(0)
        ours, theirs = os.pipe()
        pid = os.fork()
        if not pid:
            inside()
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            text = pipe.read()
        equal(os.waitpid(pid, 0)[1], 0, "the reader's status")
        return eval(text)

    with Netns(), Agents() as agents:
        follower = life.Follower()
        server = agents("server")
        port = server.listen("door")
        clients = [agents.nested(f"depth{depth}", depth)
                   for depth in range(4)]
        ports = []
        for client in clients:
            near = client.connect("s", port)
            ports.append(near[0][1])
            server.accept("s", "door")
            client.close("s")
            server.ended("s")
            server.close("s")
        follower.take(8)

        def seen(rows):
            return [rows[port][0] for port in ports]
        equal([len(client.all_pids) for client in clients], [1, 2, 3, 4],
              "PIDs")
        # from outside, everybody
        rows = {row.lport: row.who for row in life.read()}
        equal(seen(rows), [client.all_pids[0] for client in clients],
              "PIDs seen outside")
        equal(rows[port][0], server.pid, "the server's PID")
        equal([rows[port][1:] for port in ports],
              [(f"depth{depth}".encode(), "connect") for depth in range(4)],
              "seen outside")
        # from a namespace inside that has none of them
        equal(set(reader(1).values()), {(None, None, None)},
              "seen by a stranger")
        # from the namespaces of each: own PIDs, and those of the ones inside
        for depth, client in enumerate(clients):
            rows = {row.lport: row.who for row in in_namespace_of(client)}
            for inner, other in enumerate(clients):
                pid, comm, by = rows[ports[inner]]
                if inner == depth or not depth:
                    equal((pid, comm, by),
                          (other.all_pids[depth], other.name, "connect"),
                          client.name, "sees", other.name)
                else:
                    # each has namespaces of its own
                    equal((pid, comm, by), (None, None, None), client.name,
                          "sees", other.name)


def in_namespace_of(agent):
    """The Rows as read in the PID namespace of @agent."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        fd = os.open(f"/proc/{agent.pid}/ns/pid", os.O_RDONLY)
        os.setns(fd, 0)
        child = os.fork()
        if child:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        mount_proc("/tmp/proc")
        os.write(theirs, life.slurp("/tmp/proc/net/tcplife"))
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        text = pipe.read()
    equal(os.waitpid(pid, 0)[1], 0, "the reader's status")
    return life.parse(text.decode("ascii"))


@test
def parent_pid_namespace():
    """Who is one namespace further out sees the PIDs there."""
    def part(line):
        """A reader with a child inside, as a container's agent has it."""
        os.unshare(CLONE_NEWPID)
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            return
        mount_proc("/tmp/proc")
        inner = Agents().nested("inner", 1)
        port = line.hear()
        inner.connect("s", port)
        inner.close("s")
        line.say(inner.all_pids)
        line.hear()
        line.say([row.who for row in life.read("/tmp/proc/net/tcplife")
                  if row.role == "conn"])
        inner.kill()
        os._exit(0)

    with Netns(), Agents() as agents:
        follower = life.Follower()
        server = agents("server")
        port = server.listen("door")
        middle = life.Process("middle", part)
        middle.say(port)
        server.accept("s", "door")
        server.ended("s")
        server.close("s")
        pids = middle.hear()
        rows = follower.take(2)
        equal([row.pid for row in rows if row.role == "conn"], pids[:1],
              "seen outside")
        middle.say()
        equal(middle.hear(), [(pids[1], b"inner", "connect")],
              "seen in the middle")


@test
def reused_pid_namespace_number():
    """A new PID namespace with a dead one's number doesn't get its PIDs."""
    with Netns(), Agents() as agents:
        follower = life.Follower()
        server = agents("server")
        port = server.listen("door")
        dead = agents.nested("dead", 1)
        number = os.stat(f"/proc/{dead.pid}/ns/pid").st_ino
        near = dead.connect("s", port)
        server.accept("s", "door")
        dead.close("s")
        server.ended("s")
        server.close("s")
        follower.take(2)
        dead.kill()
        for _ in range(50):
            young = agents.nested("young", 1)
            same = os.stat(f"/proc/{young.pid}/ns/pid").st_ino == number
            if same:
                who = [row.who for row in in_namespace_of(young)
                       if row.local == near[0]]
            young.kill()
            if same:
                equal(who, [(None, None, None)], "seen")
                return
        raise Skip("the number never came back")


@test
def users():
    """PID, COMM and BY are their own user's, too, and nobody else's."""
    def seen_by(uid):
        def inside():
            os.setresuid(uid, uid, uid)
            return {row.lport: row.who for row in life.read()}
        return in_child(inside)

    with Netns(), Agents() as agents:
        follower = life.Follower()
        client, server = agents("client", "server")
        client.become(PLAIN_USER)
        server.become(PLAIN_USER + 1)
        port = server.listen("door")
        near = client.connect("s", port)
        server.accept("s", "door")
        client.close("s")
        server.ended("s")
        server.close("s")
        rows = follower.take(2)
        equal({row.lport: row.uid for row in rows},
              {near[0][1]: PLAIN_USER, port: PLAIN_USER + 1}, "UIDs")
        both = {near[0][1]: (client.pid, b"client", "connect"),
                port: (server.pid, b"server", "close")}
        nobody = (None, None, None)
        equal({row.lport: row.who for row in rows}, both, "seen by root")
        equal(seen_by(PLAIN_USER), {**both, port: nobody}, "by the client's")
        equal(seen_by(PLAIN_USER + 1), {**both, near[0][1]: nobody},
              "by the server's")
        equal(seen_by(PLAIN_USER + 2), {near[0][1]: nobody, port: nobody},
              "by another user")
