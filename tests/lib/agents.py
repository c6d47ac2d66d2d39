# SPDX-License-Identifier: GPL-2.0
"""Processes that do with sockets what they are told, one thing at a time.

    with Agents() as agents:
        client, server = agents("client", "server")
        port = server.listen("door")
        client.connect("c", port)

An Agent is a process of its own with a name; each method of Hands is a method
of it, run over there, and sockets go by names that the test gives them.
"""

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import termios
import threading

from lib import kcm, life, syscalls, uring
from lib.ktap import Failed, Skip, check, equal, explain, until
from lib.life import Line, Process
from lib.world import LIBC

CLONE_NEWPID = 0x20000000
PR_SET_NAME = 15
SYS_EXIT = syscalls.number("exit")


class Hands:
    """What an agent can do; runs in its process."""

    def __init__(self, line, sockets=None):
        self.line = line
        self.sockets = sockets or {}
        self.rings = {}
        self.kcm = None

    def loop(self):
        """Do what is asked for until there is nobody to ask."""
        while True:
            try:
                (method, args), fds = self.line.hear_fds()
            except (Failed, OSError):
                os._exit(0)
            if method == "leave":
                os._exit(0)
            try:
                answer = ("did", getattr(self, method)(*args, *fds))
            except Skip as skip:
                answer = ("skip", str(skip))
            except BaseException as error:
                answer = ("failed", "\n".join(explain(error)))
            self.line.say(answer)

    def listen(self, name, family=socket.AF_INET, port=0, reuseport=False,
               backlog=16):
        """A listener; its port."""
        sock = socket.socket(family, socket.SOCK_STREAM)
        if reuseport:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1" if family == socket.AF_INET else "::1", port))
        sock.listen(backlog)
        self.sockets[name] = sock
        return sock.getsockname()[1]

    def connect(self, name, port, family=socket.AF_INET):
        """Connect over loopback; both addresses."""
        sock = self.sockets[name] = socket.socket(family, socket.SOCK_STREAM)
        sock.connect(("127.0.0.1" if family == socket.AF_INET else "::1",
                      port))
        return self.names(name)

    def accept(self, name, door):
        """Accept; both addresses."""
        self.sockets[name] = self.sockets[door].accept()[0]
        return self.names(name)

    def accept_now(self, name, door):
        """Accept if there is one to accept; both addresses, or None."""
        poll = select.poll()
        poll.register(self.sockets[door], select.POLLIN)
        return self.accept(name, door) if poll.poll(0) else None

    def names(self, name):
        """Address and port of both ends."""
        sock = self.sockets[name]
        return sock.getsockname()[:2], sock.getpeername()[:2]

    def send(self, name, count):
        """Send @count bytes."""
        self.sockets[name].sendall(b"x" * count)

    def receive(self, name, count):
        """Receive @count bytes."""
        life.receive(self.sockets[name], count)

    def peek(self, name, count):
        """Wait for @count bytes, and leave them where they are."""
        until(lambda: len(self.sockets[name].recv(count, socket.MSG_PEEK)) == count, "data")

    def splice(self, name, count):
        """Receive @count bytes by splice(2)."""
        out, into = os.pipe()
        while count:
            count -= LIBC.splice(self.sockets[name].fileno(), None, into, None,
                                 ctypes.c_size_t(count), 0)
        os.close(out)
        os.close(into)

    def receive_pieces(self, name, count, size):
        """Wait for @count bytes and receive them @size bytes at a time, in one go each."""
        waiting = ctypes.c_int()

        def there():
            fcntl.ioctl(self.sockets[name], termios.FIONREAD, waiting)
            return waiting.value == count
        until(there, lambda: f"{waiting.value} of {count} bytes")
        for _ in range(0, count, size):
            equal(len(self.sockets[name].recv(size)), size, "bytes in one go")

    def uring_receive(self, name, count, flags=0):
        """Receive @count bytes by io_uring."""
        if name in self.rings:
            self.rings[name].receive(0, count, flags | uring.FIXED_FILE)
        else:
            uring.Ring().receive(self.sockets[name].fileno(), count, flags)

    def uring_hold(self, name):
        """From now on only an io_uring has the socket."""
        self.rings[name] = uring.Ring()
        self.rings[name].register(self.sockets[name].fileno())
        self.close(name)

    def kernel_receive(self, name, count):
        """Have a kernel thread receive the @count bytes that have come."""
        self.kcm = kcm.attach(self.sockets[name], count)
        equal(len(self.kcm.recv(count)), count, "bytes through KCM")

    def ended(self, name):
        """Wait for the peer's FIN."""
        life.ended(self.sockets[name])

    def was_reset(self, name):
        """Wait for the peer's reset."""
        until(lambda: self.sockets[name].getsockopt(
            socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET,
              "the reset")

    def error(self, name):
        """SO_ERROR."""
        return self.sockets[name].getsockopt(socket.SOL_SOCKET,
                                             socket.SO_ERROR)

    def close(self, *names):
        """Close sockets."""
        for name in names:
            self.sockets.pop(name).close()

    def abort(self, name):
        """Close with a reset."""
        life.linger(self.sockets[name])
        self.close(name)

    def shutdown(self, name, how=socket.SHUT_WR):
        """shutdown(2)."""
        self.sockets[name].shutdown(how)

    def disconnect(self, name):
        """connect(AF_UNSPEC)."""
        life.disconnect(self.sockets[name])

    def rename(self, name):
        """Have another name from now on, which may be empty."""
        LIBC.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0)

    def pids(self):
        """Its PIDs, from the first PID namespace down to its own."""
        with open("/proc/self/status", encoding="utf-8",
                  errors="replace") as file:
            text = [line for line in file if line.startswith("NSpid:")][0]
        return [int(pid) for pid in text.split()[1:]]

    def become(self, uid):
        """Be a plain user for good."""
        os.setresuid(uid, uid, uid)

    def read(self, path=life.FILE):
        """The Rows it reads."""
        return life.read(path)

    def fork(self, name):
        """Another agent, with this one's sockets; its line and PIDs."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            ours.close()
            self.line.sock.close()
            self.rename(name)
            self.line = Line(theirs)
            self.loop()
        theirs.close()
        self.line.say(("sent", pid), [ours.fileno()])
        ours.close()

    def reap(self, pid):
        """Wait for a child's end."""
        os.waitpid(pid, 0)

    def give(self, name):
        """Pass a socket on; this process keeps it until it closes it."""
        self.line.say(("sent", None), [self.sockets[name].fileno()])

    def take(self, name, fd):
        """A socket that was passed."""
        self.sockets[name] = socket.socket(fileno=fd)

    def in_thread(self, method, *args):
        """Do something in a thread that has a name of its own."""
        result = []

        def work():
            LIBC.prctl(PR_SET_NAME, ctypes.c_char_p(b"thread"), 0, 0, 0)
            check(threading.get_native_id() != os.getpid(), "in the leader")
            try:
                result.append(("did", getattr(self, method)(*args)))
            except BaseException as error:
                result.append(("failed", "\n".join(explain(error))))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        if result[0][0] == "failed":
            raise Failed(result[0][1])
        return result[0][1]

    def end_leader(self):
        """Go on in another thread; the first one, the leader, ends."""
        def work():
            LIBC.prctl(PR_SET_NAME, ctypes.c_char_p(b"survivor"), 0, 0, 0)
            until(lambda: _state(os.getpid()) == "Z", "the leader's end")
            self.line.say(("did", None))
            self.loop()
        threading.Thread(target=work).start()
        LIBC.syscall(SYS_EXIT, 0)


def _state(pid):
    with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Agent:
    """The test's side of an agent."""

    def __init__(self, name, line, pid, parent=None):
        self.name = name
        self.line = line
        self.pid = pid
        self.parent = parent
        self.outer = pid        # the child that ends when it does

    def __getattr__(self, method):
        if not hasattr(Hands, method):
            raise AttributeError(method)
        return lambda *args: self.ask(method, args)

    def ask(self, method, args=(), fds=()):
        """Have it done, and return the answer."""
        self.line.say((method, args), fds)
        kind, answer = self.line.hear()
        if kind == "skip":
            raise Skip(answer)
        if kind == "failed":
            raise Failed(f"{self.name.decode()}: {answer}")
        return answer

    def fork(self, name):
        """A child of it, with the same sockets."""
        name = name.encode()
        self.line.say(("fork", (name,)))
        (_, pid), fds = self.line.hear_fds()
        self.line.hear()
        return Agent(name, Line(socket.socket(fileno=fds[0])), pid, self)

    def give(self, name, other):
        """Pass the socket @name to the Agent @other; both have it then."""
        self.line.say(("give", (name,)))
        _, fds = self.line.hear_fds()
        self.line.hear()
        other.ask("take", (name,), fds)
        os.close(fds[0])

    def rename(self, name):
        """Call it @name from now on."""
        self.ask("rename", (name,))
        self.name = name

    @property
    def who(self):
        """It, as keywords of life.want()."""
        return {"pid": self.pid, "comm": self.name[:15]}

    def want(self, names, role, end, tx=0, rx=0, **more):
        """A Want of a session that is this process's."""
        return life.want(None, role, end, tx, rx, local=names[0],
                         remote=names[1], **{**self.who, **more})

    def kill(self):
        """SIGKILL, and it's gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def leave(self):
        """It ends by itself, with what it has open."""
        self.line.say(("leave", ()))
        self._wait()

    def _wait(self):
        if self.parent:
            self.parent.reap(self.pid)
        else:
            os.waitpid(self.outer, 0)
        self.line.sock.close()
        self.pid = 0


class Agents:
    """Agents that are gone when the "with" is."""

    def __init__(self):
        self.all = []

    def __enter__(self):
        return self

    def __call__(self, *names):
        made = []
        for name in names:
            process = Process(name, lambda line: Hands(line).loop())
            made.append(Agent(process.name, process.line, process.pid))
        self.all += made
        return made[0] if len(made) == 1 else made

    def nested(self, name, depth):
        """An Agent that lies @depth PID namespaces below this process."""
        def part(line):
            for _ in range(depth):
                os.unshare(CLONE_NEWPID)        # for its children
                pid = os.fork()
                if pid:
                    os.waitpid(pid, 0)
                    os._exit(0)
            Hands(line).rename(name.encode())
            Hands(line).loop()
        process = Process(name, part)
        agent = Agent(process.name, process.line, process.pid)
        agent.all_pids = agent.pids()
        agent.pid = agent.all_pids[-1 - depth]
        agent.outer = process.pid
        self.all.append(agent)
        return agent

    def __exit__(self, *_):
        # They have each other's lines, so closing ours would tell them nothing.
        for agent in self.all:
            if agent.pid:
                agent.kill()
