# SPDX-License-Identifier: GPL-2.0
"""The test runner: every test is a forked child, and KTAP is what it prints.

A test is a function marked @test in one of the subject files; its name is
"subject.function", and a subject's that of its file: tests/guest/life/load.py is
"life.load". It passes by returning, fails by raising, and is skipped by
raising Skip. A child that is still there after its deadline is shown (Python
and kernel stacks) and killed, so that a hang is a failure and not a hang; the
deadlines are far from any time that the tests take, and no test measures time.
"""

import faulthandler
import fnmatch
import importlib
import mmap
import os
import pickle
import random
import select
import signal
import socket
import sys
import time
import traceback

DEBUG = os.environ.get("KNETSTAT_DEBUG_KERNEL") == "1"
LONG = os.environ.get("KNETSTAT_LONG") == "1"
SHORT = os.environ.get("KNETSTAT_SHORT") == "1"
# Of what is made up by chance. Who uses it says what it was.
SEED = int(os.environ.get("KNETSTAT_SEED", random.randrange(1 << 32)))
DEADLINE = 3600 if LONG else 1200 if DEBUG else 300

TESTS = []


class Skip(Exception):
    """Raised by a test that this kernel gives no ground to run on."""


def long_only(layer):
    """Skip, unless this is @layer, where there is time: there is no short form."""
    if not LONG:
        raise Skip(f"it takes minutes: {layer}")


class Failed(AssertionError):
    """Raised by the checks below."""


def test(function):
    """Mark @function as a test."""
    subject = function.__module__.partition(".")[2]
    TESTS.append((f"{subject}.{function.__name__}", function))
    return function


def scaled(stock, debug, long=None):
    """How much of something: @stock, or @debug on the kernel that checks everything
    it does, or @long where it may take its time (scripts/check long). SHORT is for
    one of many kernels, of which others do the whole of it: the less of @stock and @debug.
    """
    if LONG and long is not None:
        return long
    if SHORT:
        return min(stock, debug)
    return debug if DEBUG else stock


def check(condition, *said):
    """Fail with @said unless @condition."""
    if not condition:
        raise Failed(" ".join(str(part) for part in said))


def equal(got, wanted, *said):
    """Fail unless @got == @wanted."""
    if got != wanted:
        raise Failed(f"{' '.join(map(str, said))}: {got!r}, not {wanted!r}")


class any_of:
    """Equal to each of @values."""

    def __init__(self, *values):
        self.values = values

    def __eq__(self, other):
        return other in self.values

    def __repr__(self):
        return f"any of {self.values}"


def until(condition, what, deadline=DEADLINE / 2):
    """Poll @condition until it is true, and return what it returned."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"never came: {what() if callable(what) else what}")
        time.sleep(0.01)


def note(text):
    """Print @text as a diagnostic."""
    for line in str(text).splitlines():
        print(f"# {line}")


def cases(names, run):
    """Run @run(name) for each of @names, as subtests; fail if any failed.

    Everything that is wrong with a table of cases shows in one run, and a
    case the kernel has no ground for is skipped by itself.
    """
    names = list(names)
    failed = []
    print("    KTAP version 1")
    print(f"    1..{len(names)}")
    for number, name in enumerate(names, 1):
        try:
            run(name)
            print(f"    ok {number} {name}")
        except Skip as skip:
            print(f"    ok {number} {name} # SKIP {skip}")
        except Exception as error:
            failed.append(name)
            print(f"    not ok {number} {name}")
            for line in explain(error):
                print(f"    # {line}")
    if failed:
        raise Failed(f"{len(failed)} of {len(names)} cases failed")


def explain(error):
    """The lines that say what @error is and, for a surprise, where."""
    where = traceback.extract_tb(error.__traceback__)
    spots = [f"{os.path.basename(frame.filename)}:{frame.lineno}"
             for frame in where
             if os.path.basename(frame.filename) != "ktap.py"]
    kind = "" if isinstance(error, Failed) else f"{type(error).__name__}: "
    return f"{kind}{error}\nat {' < '.join(reversed(spots))}".splitlines()


def in_child(function, *args):
    """Run @function in a forked child; return or raise what it did.

    For what a process can't take back: becoming another user, entering a
    user namespace.
    """
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(ours)
        try:
            answer = (True, function(*args))
        except BaseException as error:
            answer = (False, error if isinstance(error, (Failed, Skip))
                      else Failed("\n".join(explain(error))))
        with os.fdopen(theirs, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    check(data, f"{function.__name__}: the child died")
    passed, answer = pickle.loads(data)
    if not passed:
        raise answer
    return answer


class Workers:
    """Forked children that run until told to stop.

        with Workers(churn, read, read) as workers:
            ...
        # every one was told to stop, ended well, and its answer is in
        # workers.answers

    Each function is called with a function that returns false while the worker
    should go on, and whatever it returns is its answer.
    """

    def __init__(self, *functions):
        self.functions = functions
        self.answers = []
        # How often each has asked whether to stop: shared with the children.
        self.asked = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("I")

    def __enter__(self):
        stop, self.stop = os.pipe()
        self.children = []
        for number, function in enumerate(self.functions):
            answer, theirs = os.pipe()
            pid = os.fork()
            if not pid:
                os.close(self.stop)
                os.close(answer)
                self._child(function, number, stop, theirs)
            os.close(theirs)
            self.children.append((pid, answer))
        os.close(stop)
        return self

    def rounds(self, count):
        """Wait until each worker has asked @count times whether to stop."""
        until(lambda: min(self.asked[:len(self.functions)]) >= count,
              lambda: [*self.asked[:len(self.functions)]])

    def _child(self, function, number, stop, answer):
        poll = select.poll()        # descriptors may be too high for select
        poll.register(stop)

        def stopping():
            self.asked[number] += 1
            return bool(poll.poll(0))
        try:
            result = (True, function(stopping))
        except BaseException as error:
            result = (False, "\n".join(explain(error)))
        with os.fdopen(answer, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)

    def __exit__(self, kind, *_):
        os.close(self.stop)
        wrong = []
        for pid, answer in self.children:
            with os.fdopen(answer, "rb") as pipe:
                data = pipe.read()
            os.waitpid(pid, 0)
            passed, result = pickle.loads(data) if data else (False, "it died")
            if passed:
                self.answers.append(result)
            else:
                wrong.append(result)
        if wrong and kind is None:
            raise Failed("a worker failed: " + "\n".join(wrong))
        for result in wrong:
            note(f"a worker failed: {result}")


def run_subjects(package, subjects, filters):
    """Run the tests of these subjects, in this order, as run()."""
    for subject in subjects:
        importlib.import_module(f"{package}.{subject}")
    # Some subjects import others, whose tests are not to come before their turn, or at all.
    TESTS[:] = [test for test in TESTS if test[0].rpartition(".")[0] in subjects]
    TESTS.sort(key=lambda test: subjects.index(test[0].rpartition(".")[0]))
    return run(filters)


def run(filters):
    """Run the tests that match one of @filters (or all); return success."""
    chosen = [(name, function) for name, function in TESTS
              if not filters or any(name.startswith(pattern) or
                                    fnmatch.fnmatch(name, pattern)
                                    for pattern in filters)]
    print("KTAP version 1")
    print(f"1..{len(chosen)}")
    failures = 0
    for number, (name, function) in enumerate(chosen, 1):
        print(f"# {name}")
        start = time.monotonic()
        verdict, reason = _one(function)
        failures += verdict == "not ok"
        print(f"# {time.monotonic() - start:.1f} s")
        print(f"{verdict} {number} {name}{reason}", flush=True)
    print(f"# {len(chosen) - failures} of {len(chosen)} passed or skipped",
          flush=True)
    return bool(chosen) and not failures


def _one(function):
    """Run one test in a child of its own process group."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        os.close(ours)
        os.setpgid(0, 0)
        _test_child(function, theirs)
    os.close(theirs)
    hung = not select.select([ours], [], [], DEADLINE)[0]
    if hung:
        print(f"# still running after {DEADLINE} s")
        _show_group(pid)
    try:
        os.killpg(pid, signal.SIGKILL) if hung else None
        with os.fdopen(ours, "rb") as pipe:
            answer = pipe.readline().decode().strip().split(" ", 1)
    finally:
        os.waitpid(pid, 0)
        try:        # what the test left behind
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if hung or answer[0] not in ("ok", "skip"):
        if not hung and answer[0] != "not":
            print("# the test's process died")
        return "not ok", ""
    return "ok", f" # SKIP {answer[1]}" if answer[0] == "skip" else ""


def _test_child(function, answer):
    faulthandler.register(signal.SIGUSR1, file=sys.stdout, all_threads=True)
    # Python describes every socket that is dropped unclosed, for a warning that is
    # off: a twentieth of all that the tests do.
    socket.socket.__repr__ = object.__repr__
    try:
        function()
        verdict = "ok"
    except Skip as skip:
        verdict = f"skip {skip}"
    except BaseException as error:
        for line in explain(error):
            print(f"# {line}")
        verdict = "not ok"
    sys.stdout.flush()
    os.write(answer, (verdict.replace("\n", " ") + "\n").encode())
    os._exit(0)


def _show_group(group):
    """Show what every process of a hung test is doing."""
    for entry in os.listdir("/proc"):
        try:
            if not entry.isdigit() or os.getpgid(int(entry)) != group:
                continue
            with open(f"/proc/{entry}/stack", encoding="ascii") as file:
                stack = [line.split("] ")[-1].strip() for line in file]
            with open(f"/proc/{entry}/stat", encoding="ascii") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            print(f"# process {entry} {state}: {' < '.join(stack)}", flush=True)
            os.kill(int(entry), signal.SIGUSR1)
        except (OSError, IndexError):
            pass
    time.sleep(0.5)     # for the Python stacks to be printed
