# SPDX-License-Identifier: GPL-2.0
"""Somebody else's test, with the module and, unless all of it passes, without it, while four
readers go round: our files with the module, the kernel's own without it. It must say the same.
"""

import concurrent.futures
import os
import random
import re
import signal
import subprocess

from lib import ktap, rows, tables, world
from lib.ktap import Failed, Workers, check, note

KERNEL = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "kernel")
READERS = 4
THEIRS = ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet", "unix", "netstat", "sockstat")
# A test that fails now and then by itself does so on a machine this slow.
ROUNDS = 3
RESULT = re.compile(r"(?:# )*(ok|not ok) \d+ *-? *(.*?)( *# *SKIP.*)?", re.IGNORECASE)
# Counters in the name of a part, which are others each time.
COUNTED = re.compile(r" \d+ (=>|<=) \d+")


def namespaces():
    """Names of all network namespaces that processes are in or that are mounted."""
    names = {}
    for folder, form in ("/proc", "/proc/{}/ns/net"), ("/run/netns", "/run/netns/{}"):
        for entry in os.listdir(folder) if os.path.isdir(folder) else ():
            path = form.format(entry)
            try:
                names[os.stat(path).st_ino] = path
            except OSError:
                continue
    return list(names.values())


def sample(name, text):
    """Check the ends of what file @name said, and some of its lines between."""
    lines = text.split("\n")
    if len(lines) > 60:
        lines = [*lines[:10], *random.sample(lines[10:-10], 30), *lines[-10:]]
    return rows.check_text(name, "\n".join(lines))


def reader(files, seen=None):
    """What reads @files of all namespaces, over and over; with @seen checks their rows."""
    def loop(stopping):
        count = 0
        while not stopping():
            for path in namespaces():
                try:
                    with open(path, "rb") as namespace:
                        os.setns(namespace.fileno(), os.CLONE_NEWNET)
                except OSError:
                    continue        # it has ended
                for name in files:
                    text = tables.slurp(f"/proc/thread-self/net/{name}")
                    if seen:
                        count += seen(name, text.decode("ascii"))
        return count

    def read(stopping):
        # It is the test that has to get on; a reader reads when that waits, and between.
        os.nice(10)
        # Some tests kill what they find in their namespaces, which is by the first thread's.
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(loop, stopping).result()
    return read


def results(output, status):
    """What a test says, by the names of its parts."""
    said = {"status": str(status)}
    for line in output.splitlines():
        match = RESULT.fullmatch(line.strip())
        if match:
            said[COUNTED.sub("", match[2])] = "skip" if match[3] else match[1].lower()
    return said


def run(command, folder, deadline):
    """Run @command; what it says of its parts, and all that it said."""
    with subprocess.Popen(command, cwd=f"{KERNEL}/net/{folder}", text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return results(output, "none"), output
    return results(output, process.returncode), output


def beside(readers, command, folder, deadline):
    """Run @command while @readers read."""
    with Workers(*readers) as workers:
        said, output = run(command, folder, deadline)
        workers.rounds(2)
    return said, output, sum(workers.answers)


def twice(*command, folder=".", deadline=600):
    """Fail if @command, run in @folder of the kernel's tests, says with the module that
    something fails or can't be tried that does not say so without it; and skip if it has no
    ground to run on, either way. What passes with the module is not asked again.
    """
    without, checked = {}, 0
    for _ in range(ROUNDS):
        world.insmod(parameters="records=65536")
        try:
            now, with_us, count = beside([reader(list(rows.FILES), sample)] * READERS, command,
                                         folder, deadline)
        finally:
            world.rmmod()
        checked += count
        bad = {part: verdict for part, verdict in now.items()
               if verdict != ("0" if part == "status" else "ok")}
        if not bad:
            break
        said, output, _ = beside([reader(THEIRS)] * READERS, command, folder, deadline)
        for part, verdict in said.items():
            without.setdefault(part, set()).add(verdict)
        wrong = {part: (verdict, without.get(part)) for part, verdict in bad.items()
                 if verdict not in without.get(part, ())}
        if not wrong:
            break
        note(f"with the module, and without: {wrong}")
    else:
        note(with_us[-5000:])
        raise Failed("never the same with the module as without:", wrong)
    fails = [part for part, verdict in now.items() if verdict == "not ok"]
    note(f"{len(now) - 1} parts, status {now['status']}; {checked} rows were read")
    if fails:
        note(f"fail, without the module too: {', '.join(fails)}")
    if now["status"] != "0":
        note(output[-600:])
    if now["status"] == "4":
        raise ktap.Skip(output.strip().splitlines()[-1] if output.strip() else "it says so")
    check(checked, "no row was read")
