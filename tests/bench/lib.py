# SPDX-License-Identifier: GPL-2.0
"""What the measurements share: the programs, the sockets, the tables."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def insmod(*parameters):
    """Load the module."""
    subprocess.run(["insmod", f"{HERE}/../knetstat.ko", *parameters], check=True)


def rmmod():
    """Unload the module."""
    subprocess.run(["rmmod", "knetstat"], check=True)


def sessions_on(processors, count):
    """Nanoseconds that `count` sessions take on each of so many processors at once."""
    running = [subprocess.Popen(["taskset", "-c", str(number), f"{HERE}/sessions", str(count)],
                                stdout=subprocess.PIPE) for number in range(processors)]
    return [int(process.communicate()[0]) for process in running]


def stopwatch(*args):
    """The numbers that the program says."""
    out = subprocess.run([f"{HERE}/stopwatch", *map(str, args)], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    return [int(word) for word in out.split()]


def start(program, *args):
    """Start a program that says when it is ready."""
    process = subprocess.Popen([f"{HERE}/{program}", *map(str, args)],
                               stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "ready\n":
        sys.exit(f"{program} could not be started")
    return process


def command_time(command, runs=3):
    """Milliseconds of a whole command, from fork to wait: the least of some runs, as one
    may be interrupted.
    """
    return min(stopwatch("run", *command.split())[0] for _ in range(runs)) / 1e6


def owner_row_time(path, count):
    """Microseconds a row, of sockowner or unixowner with `count` rows."""
    elapsed, _, lines, _ = stopwatch("read", path, 128 << 10)
    if lines != count + 1:
        sys.exit(f"{path} has {lines - 1} rows of {count} sockets")
    return elapsed / count / 1000


class Sockets:
    """Processes that hold sockets."""

    EACH = 2500

    def __init__(self):
        self.processes = []
        self.count = 0

    def grow(self, count):
        """Have `count` TCP sockets, and as many UDP sockets."""
        starting = []
        for _ in range(self.count, count, self.EACH):
            number = str(len(self.processes) + 1)
            process = subprocess.Popen(
                [f"{HERE}/sockets", number, str(self.EACH), str(self.EACH)],
                stdout=subprocess.PIPE, text=True)
            self.processes.append(process)
            starting.append(process)
        for process in starting:
            if process.stdout.readline() != "ready\n":
                sys.exit("the sockets could not be made")
        self.count = count


class Report:
    """Prints tables, and counts the targets that were missed."""

    def __init__(self):
        self.columns = []
        self.missed = 0

    def table(self, *columns):
        """Begin a table. A column is its title, as wide as it is, or that and
        how its numbers are written.
        """
        self.columns = [column if isinstance(column, tuple) else (column, "")
                        for column in columns]
        print()
        print(*(title for title, _ in self.columns), sep="  ", flush=True)

    def row(self, *cells, most=None):
        """The next row. With a target it ends with what it may be at `most`
        and whether the last of `cells` is.
        """
        line = []
        for cell, (title, form) in zip(cells, self.columns):
            if isinstance(cell, str):
                line.append(cell.ljust(len(title)))
            else:
                line.append(format(cell, form).rjust(len(title)))
        if most is not None:
            title, form = self.columns[len(cells)]
            line.append(format(most, form).rjust(len(title)))
            reached = cells[-1] <= most
            line.append("reached" if reached else "MISSED")
            self.missed += not reached
        print("  ".join(line).rstrip(), flush=True)

    def growth(self, few, many, most):
        """What a row costs with 40,000 sockets, beside 10,000."""
        self.table(("us a row at 10,000", ".3f"), ("at 40,000", ".3f"), ("ratio", ".3f"),
                   ("most", ".2f"))
        self.row(few, many, many / few, most=most)

    def end(self):
        """The last line, and the exit status."""
        print()
        if self.missed:
            print(f"targets missed: {self.missed}")
        else:
            print("every target reached")
        return 1 if self.missed else 0
