# SPDX-License-Identifier: GPL-2.0
"""Peers that exist only as packets.

    the namespace under test              the wire's own namespace
      10.66.0.1, fd66::1    veth ---- veth   no addresses; a packet socket

A Ghost speaks TCP from any address of 10.66.0.0/16 or fd66::/64 by writing
and reading frames at the far end. It answers nothing by itself, so that it
can leave a connection in any state there is, with any window it likes, for as
long as the kernel's own timers let it.
"""

import fcntl
import select
import socket
import struct
import time
from typing import NamedTuple

from lib.ktap import DEADLINE, Failed
from lib.world import Netns, ip, join, sysctl

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

SIOCGIFHWADDR = 0x8927
ETH = {socket.AF_INET: 0x0800, socket.AF_INET6: 0x86dd}
OURS = {socket.AF_INET: "10.66.0.1", socket.AF_INET6: "fd66::1"}
GHOSTS = {socket.AF_INET: "10.66.9.{}", socket.AF_INET6: "fd66::9:{:x}"}


class Segment(NamedTuple):
    """A TCP segment the kernel sent."""
    ports: tuple
    seq: int
    ack: int
    flags: int
    window: int
    length: int


class Wire:
    """A link from @netns to nowhere, and the ghosts at its other end."""

    def __init__(self, netns, name="wire"):
        self.name = name
        self.nowhere = Netns()
        self.seen = []          # (peer address, Segment) not yet asked for
        self.ghosts = 0
        join(netns, self.nowhere, ((), ()), name)
        with netns:
            sysctl(f"net/ipv4/conf/{name}/rp_filter", 0)
            ip(f"link set {name} arp off",
               f"address add 10.66.0.1/16 dev {name}",
               f"address add fd66::1/64 dev {name} nodad")
            self.mac = _mac(name)
        with self.nowhere:
            ip(f"link set {name} arp off")
            self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                     socket.htons(3))       # every protocol
            self.tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.tap.bind((name, 3))

    def close(self):
        """Take the link away, and with it every ghost."""
        self.tap.close()
        with self.nowhere:
            ip(f"link delete {self.name}")
        self.nowhere.close()

    def ghost(self, family):
        """A peer with an address of its own."""
        self.ghosts += 1
        return Ghost(self, family, GHOSTS[family].format(self.ghosts))

    def send(self, family, source, segment):
        """Put a TCP @segment from @source on the wire, its checksum done."""
        src = socket.inet_pton(family, source)
        dst = socket.inet_pton(family, OURS[family])
        pseudo = src + dst + struct.pack("!II", len(segment),
                                         socket.IPPROTO_TCP)
        checksum = struct.pack("!H", _checksum(pseudo + segment))
        segment = segment[:16] + checksum + segment[18:]
        if family == socket.AF_INET:
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0,
                               0, 64, socket.IPPROTO_TCP, 0, src, dst)
            head = head[:10] + struct.pack("!H", _checksum(head)) + head[12:]
        else:
            head = struct.pack("!IHBB16s16s", 6 << 28, len(segment),
                               socket.IPPROTO_TCP, 64, src, dst)
        self.tap.send(self.mac + b"\2\0\0\0\0\1" +
                      struct.pack("!H", ETH[family]) + head + segment)

    def receive(self, address, ports, wait):
        """The next Segment sent to a ghost, or None after @wait seconds."""
        end = time.monotonic() + wait
        while True:
            for index, (to, segment) in enumerate(self.seen):
                if to == address and segment.ports[0] == ports[0] and \
                   ports[1] in (0, segment.ports[1]):
                    del self.seen[index]
                    return segment
            left = max(0, end - time.monotonic())
            if not select.select([self.tap], [], [], left)[0]:
                return None
            self._take(*self.tap.recvfrom(65536))

    def _take(self, frame, sender):
        if sender[2] == socket.PACKET_OUTGOING:
            return
        kind = struct.unpack_from("!H", frame, 12)[0]
        if kind == ETH[socket.AF_INET] and frame[23] == socket.IPPROTO_TCP:
            to = socket.inet_ntop(socket.AF_INET, frame[30:34])
            length = struct.unpack_from("!H", frame, 16)[0] - 20
            segment = frame[34:34 + length]
        elif kind == ETH[socket.AF_INET6] and frame[20] == socket.IPPROTO_TCP:
            to = socket.inet_ntop(socket.AF_INET6, frame[38:54])
            segment = frame[54:]
        else:
            return
        source, dest, seq, ack, offset, flags, window = struct.unpack_from(
            "!HHIIBBH", segment)
        self.seen.append((to, Segment((dest, source), seq, ack, flags, window,
                                      len(segment) - (offset >> 4) * 4)))


class Ghost:
    """One peer of one connection."""

    def __init__(self, wire, family, address):
        self.wire = wire
        self.family = family
        self.address = address
        self.port = 7           # its own; the kernel's comes with open/answer
        self.peer = 0
        self.seq = 1000000
        self.ack = 0
        self.window = 20000
        self.right = None       # the end of what the kernel will take

    def send(self, flags, data=b"", seq=None, options=b""):
        """Send a segment from where we are, and be after it."""
        seq = self.seq if seq is None else seq
        header = struct.pack("!HHIIBBHHH", self.port, self.peer,
                             seq % (1 << 32), self.ack % (1 << 32),
                             (20 + len(options)) // 4 << 4, flags, self.window,
                             0, 0)
        self.wire.send(self.family, self.address, header + options + data)
        self.seq = seq + len(data) + bool(flags & SYN) + bool(flags & FIN)

    def next(self, wait=DEADLINE / 2):
        """The kernel's next segment; what it covers we now could acknowledge."""
        segment = self.wire.receive(self.address, (self.port, self.peer), wait)
        if segment:
            end = (segment.seq + segment.length +
                   bool(segment.flags & SYN) + bool(segment.flags & FIN))
            if not self.ack or (end - self.ack) % (1 << 32) < 1 << 31:
                self.ack = end
            self.right = (segment.ack + segment.window
                          if segment.flags & ACK else None)
        return segment

    def expect(self, flags):
        """Take the kernel's segments up to the next one with @flags."""
        while segment := self.next():
            if segment.flags & flags == flags:
                return segment
        raise Failed(f"the kernel never sent {self.address} flags {flags:#x}")

    def knock(self, port, data=b"", options=b""):
        """Send the kernel's listener at @port a SYN, and no more."""
        self.peer = port
        self.send(SYN, data, options=options)
        return self

    def open(self, port):
        """Connect to the kernel's listener at @port."""
        self.knock(port)
        self.expect(SYN | ACK)
        self.send(ACK)
        return self

    def answer(self):
        """Accept the kernel's connection to us."""
        segment = self.expect(SYN)
        self.peer = segment.ports[1]
        self.send(SYN | ACK)
        return self

    def fill(self, fin=False):
        """Send until the kernel's window is 0, with a FIN at the end if @fin."""
        self.send(ACK)
        while self.next(0.3):
            pass
        for _ in range(2000):
            room = self.right - self.seq if self.right else 1000
            if room <= 0:
                return self
            last = fin and room <= 1000
            self.send(ACK | PSH | (FIN if last else 0),
                      b"x" * min(room, 1000))
            if last:
                return self
            while self.next(0 if self.right and self.right > self.seq
                            else 0.3):
                pass
        raise Failed("the kernel's window never filled")


def _mac(name):
    with socket.socket() as sock:
        answer = fcntl.ioctl(sock, SIOCGIFHWADDR,
                             struct.pack("16s16x", name.encode()))
    return answer[18:24]


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
