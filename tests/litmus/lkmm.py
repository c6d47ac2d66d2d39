# SPDX-License-Identifier: GPL-2.0
"""The kernel's memory model, as far as the litmus tests here need it.

Every execution of a test is made, and those are dropped that the axioms of the kernel's
tools/memory-model/linux-kernel.cat forbid: what is left is all that any processor and
compiler may do. Relations have the names that they have there.

Covered: marked loads and stores, acquire and release, read-modify-write (all orders),
smp_mb(), smp_rmb(), smp_wmb(), smp_mb__before_atomic(), smp_mb__after_atomic(), data and
control dependencies, RCU. Not covered, and refused: plain accesses (so data races are not
looked for: that is KCSAN's), locks, SRCU, pointers, loops. A control dependency ends with
its if statement. An address dependency is none here, which allows more than the model.
"""

import itertools
import re
from dataclasses import dataclass, field

TOKEN = re.compile(r"\s*(0x[0-9a-fA-F]+|\d+|\w+|/\\|\\/|==|!=|<=|>=|&&|\|\||.)", re.S)


class Unsupported(Exception):
    """The test has something that is not covered."""


def tokens_of(text):
    text = re.sub(r"//.*", "", text)
    text = re.sub(r"/\*.*?\*/|\(\*\s.*?\*\)", " ", text, flags=re.S)
    return [t for t in TOKEN.findall(text) if not t.isspace()]


# --- what a test says -----------------------------------------------------------------

BINARY = [{"||": lambda a, b: int(bool(a or b))}, {"&&": lambda a, b: int(bool(a and b))},
          {"|": lambda a, b: a | b}, {"^": lambda a, b: a ^ b}, {"&": lambda a, b: a & b},
          {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
          {"<": lambda a, b: int(a < b), ">": lambda a, b: int(a > b),
           "<=": lambda a, b: int(a <= b), ">=": lambda a, b: int(a >= b)},
          {"+": lambda a, b: a + b, "-": lambda a, b: a - b}]
UNARY = {"!": lambda a: int(not a), "~": lambda a: ~a, "-": lambda a: -a}

# name: what kind of access, then the order; of the third kind the new value, of what was
# there and of the arguments, or None to leave it.
LOADS = {"READ_ONCE": "once", "atomic_read": "once", "rcu_dereference": "once",
         "smp_load_acquire": "acquire"}
STORES = {"WRITE_ONCE": "once", "atomic_set": "once", "smp_store_release": "release",
          "rcu_assign_pointer": "release"}
UPDATES = {"xchg": lambda was, new: new,
           "cmpxchg": lambda was, old, new: new if was == old else None}
FENCES = {"smp_mb": "mb", "smp_rmb": "rmb", "smp_wmb": "wmb",
          "smp_mb__before_atomic": "before-atomic", "smp_mb__after_atomic": "after-atomic",
          "rcu_read_lock": "rcu-lock", "rcu_read_unlock": "rcu-unlock",
          "synchronize_rcu": "sync-rcu", "barrier": "barrier"}
ORDERS = {"": "mb", "_relaxed": "once", "_acquire": "acquire", "_release": "release"}


def access(name):
    """What a function does: (kind, order, the new value)."""
    if name in LOADS:
        return "load", LOADS[name], None
    if name in STORES:
        return "store", STORES[name], None
    if name in FENCES:
        return "fence", FENCES[name], None
    for suffix, order in ORDERS.items():
        plain = name.removesuffix(suffix)
        if plain == "atomic_fetch_inc":
            return "update", order, lambda was: was + 1
        if plain.removeprefix("atomic_") in UPDATES:
            return "update", order, UPDATES[plain.removeprefix("atomic_")]
    return None


class Parser:
    """Of a litmus test in C."""

    def __init__(self, text):
        head, _, rest = text.partition("\n")
        if not head.startswith("C "):
            raise Unsupported("not a litmus test in C")
        self.name = head[2:].strip()
        self.tokens = tokens_of(rest)
        self.at = 0
        self.init = {}
        self.threads = []
        # Whether `exists` asks for what is in memory at the end, too.
        self.asks_memory = False
        self.parse_init()
        while self.peek().startswith("P"):
            self.threads.append(self.parse_thread())
        if self.accept("locations"):
            while self.next() != "]":
                pass
        self.expect("exists")
        self.exists = self.parse_condition()

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, *wanted):
        for token in wanted:
            got = self.next()
            if got != token:
                raise Unsupported(f"{got!r} where {token!r} should be")

    def accept(self, token):
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def number(self):
        sign = -1 if self.accept("-") else 1
        token = self.next()
        if not token[0].isdigit():
            raise Unsupported(f"{token!r} where a number should be")
        return sign * int(token, 0)

    def parse_init(self):
        self.expect("{")
        while not self.accept("}"):
            if self.accept(";"):
                continue
            names = [self.next()]
            while self.peek() not in ("=", ";", "}"):
                names.append(self.next())
            if "*" in names or ":" in names:
                raise Unsupported("pointers or registers that are set at first")
            self.init[names[-1]] = self.number() if self.accept("=") else 0

    def parse_thread(self):
        self.next()
        while self.next() != ")":
            pass
        return self.parse_block()

    def parse_block(self):
        if not self.accept("{"):
            return [self.parse_statement()]
        block = []
        while not self.accept("}"):
            block.append(self.parse_statement())
        return block

    def parse_statement(self):
        token = self.next()
        if token == "if":
            self.expect("(")
            condition = self.parse_expression()
            self.expect(")")
            then = self.parse_block()
            other = self.parse_block() if self.accept("else") else []
            return "if", condition, then, other
        if token in ("int", "u64", "u16", "unsigned"):
            register = self.next()
            if self.accept(";"):
                return "let", register, (lambda regs: 0, frozenset())
            token = register
        if access(token):
            return self.parse_call(None, token)
        if not re.match(r"[A-Za-z_]\w*$", token):
            raise Unsupported(f"a plain access, or {token!r}")
        self.expect("=")
        if access(self.peek()):
            return self.parse_call(token, self.next())
        value = self.parse_expression()
        self.expect(";")
        return "let", token, value

    def parse_call(self, register, name):
        kind, order, new = access(name)
        self.expect("(")
        arguments, location = [], None
        if kind != "fence":
            self.accept("*")
            location = self.next()
            while self.accept(","):
                arguments.append(self.parse_expression())
        self.expect(")", ";")
        return kind, order, location, register, arguments, new

    def parse_expression(self, level=0):
        """(the value from the registers, the registers)."""
        if level == len(BINARY):
            return self.parse_operand()
        left, used = self.parse_expression(level + 1)
        while self.peek() in BINARY[level]:
            operator = BINARY[level][self.next()]
            right, more = self.parse_expression(level + 1)
            left, used = self.binary(operator, left, right), used | more
        return left, used

    @staticmethod
    def binary(operator, left, right):
        return lambda regs: operator(left(regs), right(regs))

    def parse_operand(self):
        token = self.next()
        if token == "(":
            inner = self.parse_expression()
            self.expect(")")
            return inner
        if token in UNARY:
            inner, used = self.parse_operand()
            return (lambda regs: UNARY[token](inner(regs))), used
        if token[0].isdigit():
            return (lambda regs: int(token, 0)), frozenset()
        if self.peek() == "(" or not re.match(r"[A-Za-z_]\w*$", token):
            raise Unsupported(f"{token!r} in an expression")
        return (lambda regs: regs[token]), frozenset((token,))

    def parse_condition(self):
        """Of the registers of each thread and the last values."""
        left = self.parse_conjunction()
        while self.accept("\\/"):
            left = self.binary_condition(lambda a, b: a or b, left, self.parse_conjunction())
        return left

    def parse_conjunction(self):
        left = self.parse_atom()
        while self.accept("/\\"):
            left = self.binary_condition(lambda a, b: a and b, left, self.parse_atom())
        return left

    @staticmethod
    def binary_condition(operator, left, right):
        return lambda *state: operator(left(*state), right(*state))

    def parse_atom(self):
        if self.accept("("):
            inner = self.parse_condition()
            self.expect(")")
            return inner
        if self.accept("~"):
            inner = self.parse_atom()
            return lambda *state: not inner(*state)
        name = self.next()
        if self.accept(":"):
            thread, register = int(name), self.next()
            self.expect("=")
            value = self.number()
            return lambda regs, last: regs[thread].get(register) == value
        self.expect("=")
        value = self.number()
        self.asks_memory = True
        return lambda regs, last: last[name] == value


# --- what a thread does ---------------------------------------------------------------

@dataclass(frozen=True)
class Event:
    """An access or a fence. Numbers are places in the thread's own order."""
    kind: str		# R, W or F
    order: str
    location: str = ""
    value: int = 0
    data: frozenset = frozenset()
    control: frozenset = frozenset()
    rmw: int = -1	# of a W: the R that it is one access with
    update: bool = False


@dataclass
class Run:
    """A thread so far: its registers, which reads they come from, its events."""
    regs: dict = field(default_factory=dict)
    taint: dict = field(default_factory=dict)
    events: tuple = ()

    def tainted(self, used):
        return frozenset().union(*(self.taint.get(u, ()) for u in used))

    def and_event(self, event):
        return Run(dict(self.regs), dict(self.taint), self.events + (event,))

    def set(self, register, value, taint):
        if register:
            self.regs[register] = value
            self.taint[register] = taint
        return self


def runs(block, values, run, control=frozenset()):
    """All that a thread may do if what it reads is one of values[location]."""
    if not block:
        yield run
        return
    for after in steps(block[0], values, run, control):
        yield from runs(block[1:], values, after, control)


def steps(statement, values, run, control):
    if statement[0] == "let":
        _, register, (value, used) = statement
        after = Run(dict(run.regs), dict(run.taint), run.events)
        yield after.set(register, value(run.regs), run.tainted(used))
    elif statement[0] == "if":
        _, (condition, used), then, other = statement
        yield from runs(then if condition(run.regs) else other, values, run,
                        control | run.tainted(used))
    else:
        yield from access_steps(statement, values, run, control)


def access_steps(statement, values, run, control):
    kind, order, location, register, arguments, new = statement
    here = len(run.events)
    given = [value(run.regs) for value, _ in arguments]
    data = run.tainted(frozenset().union(*(used for _, used in arguments)))
    if kind == "fence":
        yield run.and_event(Event("F", order))
    elif kind == "store":
        yield run.and_event(Event("W", order, location, given[0], data, control))
    elif kind == "load":
        for value in values[location]:
            yield run.and_event(Event("R", order, location, value, control=control)).set(
                register, value, frozenset((here,)))
    else:
        for value in values[location]:
            to = new(value, *given)
            # One that changes nothing orders nothing. A full one is between two barriers.
            weak = order in ("mb", "release") or to is None
            read = Event("R", "once" if weak else order, location, value, control=control,
                         update=to is not None)
            full = order == "mb" and to is not None
            after = run.and_event(Event("F", "mb")) if full else run
            place = len(after.events)
            after = after.and_event(read)
            if to is not None:
                after = after.and_event(
                    Event("W", "release" if order == "release" else "once", location, to,
                          data | {place}, control, place, True))
            if full:
                after = after.and_event(Event("F", "mb"))
            yield after.set(register, value, frozenset((place,)))


# --- relations: for each event the set, in bits, of those it is related to -----------------

def compose(a, b):
    out = []
    for row in a:
        to = 0
        while row:
            low = row & -row
            to |= b[low.bit_length() - 1]
            row ^= low
        out.append(to)
    return out


def union(*relations):
    return [_or(rows) for rows in zip(*relations)]


def _or(rows):
    out = 0
    for row in rows:
        out |= row
    return out


def both(a, b):
    return [x & y for x, y in zip(a, b)]


def maybe(a):
    return [row | 1 << i for i, row in enumerate(a)]


def star(a):
    out = maybe(a)
    for k in range(len(out)):
        for i, row in enumerate(out):
            if row >> k & 1:
                out[i] |= out[k]
    return out


def inverse(a):
    out = [0] * len(a)
    for i, row in enumerate(a):
        for j in range(len(a)):
            if row >> j & 1:
                out[j] |= 1 << i
    return out


def chain(*relations):
    out = relations[0]
    for relation in relations[1:]:
        out = compose(out, relation)
    return out


def irreflexive(a):
    return not any(row >> i & 1 for i, row in enumerate(a))


def acyclic(a):
    return irreflexive(compose(a, star(a)))


class Execution:
    """The events of one run of each thread, and what does not depend on who reads what."""

    def __init__(self, init, threads):
        self.events = [Event("W", "once", location, value) for location, value in
                       sorted(init.items())]
        self.thread = [-1] * len(self.events)
        self.base = []
        for number, events in enumerate(threads):
            self.base.append(len(self.events))
            self.events += events
            self.thread += [number] * len(events)
        n = self.n = len(self.events)
        self.po = self.relation(lambda i, j: i < j and self.thread[i] == self.thread[j] >= 0)
        self.int = self.relation(lambda i, j: self.thread[i] == self.thread[j])
        self.ext = [~row & (1 << n) - 1 for row in self.int]
        self.loc = self.relation(lambda i, j: "" != self.events[i].location ==
                                 self.events[j].location)
        self.marked = self.those(lambda e: e.kind != "F")
        self.reads = self.those(lambda e: e.kind == "R")
        self.writes = self.those(lambda e: e.kind == "W")
        self.data = self.dependency(lambda e: e.data)
        self.ctrl = self.dependency(lambda e: e.control)
        self.rmw = self.dependency(lambda e: {e.rmw} if e.rmw >= 0 else ())
        self.rmw = inverse(inverse(self.rmw))
        self.fences()

    def relation(self, holds):
        return [sum(1 << j for j in range(self.n) if holds(i, j)) for i in range(self.n)]

    def those(self, holds):
        """A set, as the identity on it."""
        return [1 << i if holds(e) else 0 for i, e in enumerate(self.events)]

    def order(self, *orders):
        return self.those(lambda e: e.order in orders)

    def dependency(self, places):
        out = [0] * self.n
        for i, event in enumerate(self.events):
            for place in places(event):
                out[self.base[self.thread[i]] + place] |= 1 << i
        return out

    def fencerel(self, order):
        return chain(self.po, self.order(order), self.po)

    def fences(self):
        m, po, r, w = self.marked, self.po, self.reads, self.writes
        updates = self.those(lambda e: e.update)
        self.acq_po = chain(self.order("acquire"), po, m)
        self.po_rel = chain(m, po, self.order("release"))
        rmb = chain(r, self.fencerel("rmb"), r)
        self.wmb = chain(w, self.fencerel("wmb"), w)
        mb = union(chain(m, self.fencerel("mb"), m),
                   chain(m, self.fencerel("before-atomic"), updates, maybe(po), m),
                   chain(m, maybe(po), updates, self.fencerel("after-atomic"), m))
        self.sync = self.order("sync-rcu")
        gp = chain(po, self.sync, maybe(po))
        self.strong = union(mb, gp)
        self.fence = union(self.strong, self.po_rel, self.acq_po, self.wmb, rmb)
        # From each unlock back to its lock; none is nested here.
        self.rscsi = [0] * self.n
        locked = {}
        for i, event in enumerate(self.events):
            if event.order == "rcu-lock":
                locked[self.thread[i]] = i
            elif event.order == "rcu-unlock":
                self.rscsi[i] = 1 << locked.pop(self.thread[i])
        if locked:
            raise Unsupported("an RCU read-side critical section without an end")

    def allowed(self, rf, co):
        """Whether the model has this execution."""
        m, po, w, r = self.marked, self.po, self.writes, self.reads
        not_id = [~(1 << i) for i in range(self.n)]
        fr = both(compose(inverse(rf), co), not_id)
        if not acyclic(union(both(po, self.loc), rf, co, fr)):
            return False
        fre, coe, rfe = both(fr, self.ext), both(co, self.ext), both(rf, self.ext)
        if any(both(self.rmw, compose(fre, coe))):
            return False
        dep = self.data
        overwrite = union(co, fr)
        to_w = union(compose(union(dep, self.ctrl), w), both(overwrite, self.int))
        to_r = chain(dep, m, both(rf, self.int))
        ppo = union(to_r, to_w, self.fence)
        cumul = maybe(compose(rfe, m))
        cumul_fence = chain(m, union(compose(cumul, union(self.strong, self.po_rel)),
                                     self.wmb), m, star(compose(rf, self.rmw)))
        prop = chain(m, maybe(both(overwrite, self.ext)), star(cumul_fence), m, maybe(rfe), m)
        hb = chain(m, union(ppo, rfe, both(both(prop, not_id), self.int)), m)
        if not acyclic(hb):
            return False
        hbs = star(hb)
        pb = chain(prop, self.strong, hbs, m)
        if not acyclic(pb):
            return False
        return not any(self.sync) or self.rcu(hbs, star(pb), prop)

    def rcu(self, hbs, pbs, prop):
        link = chain(maybe(self.po), hbs, pbs, prop, self.po)
        gp, rscsi = self.sync, self.rscsi
        order = union(gp, chain(gp, link, rscsi), chain(rscsi, link, gp))
        while True:
            middle = chain(link, order, link)
            more = union(order, chain(gp, middle, rscsi), chain(rscsi, middle, gp),
                         chain(order, link, order))
            if more == order:
                break
            order = more
        fence = chain(self.po, order, maybe(self.po))
        return irreflexive(chain(prop, fence, hbs, pbs, self.marked))

    def executions(self):
        """All ways to read from writes and to order these that the model has: (co)."""
        writes = {}
        for i, event in enumerate(self.events):
            if event.kind == "W":
                writes.setdefault(event.location, []).append(i)
        sources = []
        for i, event in enumerate(self.events):
            if event.kind == "R":
                sources.append([(s, i) for s in writes[event.location]
                                if self.events[s].value == event.value])
        # The first write of each location is the initial one.
        orders = [[(ws[0], *rest) for rest in itertools.permutations(ws[1:])]
                  for ws in writes.values()]
        for chosen in itertools.product(*sources):
            rf = [0] * self.n
            for source, read in chosen:
                rf[source] |= 1 << read
            for order in itertools.product(*orders):
                co = [0] * self.n
                for ws in order:
                    for k, first in enumerate(ws):
                        co[first] |= sum(1 << later for later in ws[k + 1:])
                if self.allowed(rf, co):
                    yield order


def reachable(text):
    """Whether what `exists` asks for can be."""
    test = Parser(text)
    init = dict(test.init)
    for location in locations(test.threads):
        init.setdefault(location, 0)
    values = {location: {value} for location, value in init.items()}
    # What is read depends on what is written, and the other way round; but no value comes
    # from itself, so there are no more steps between the first and the last than stores.
    for _ in range(sum(1 for _ in stores(test.threads)) + 1):
        ways = [list(runs(thread, values, Run())) for thread in test.threads]
        more = {location: set(known) for location, known in values.items()}
        for run in itertools.chain(*ways):
            for event in run.events:
                if event.kind == "W":
                    more[event.location].add(event.value)
        if more == values:
            break
        values = more
    for chosen in itertools.product(*ways):
        regs = [run.regs for run in chosen]
        if not test.asks_memory and not test.exists(regs, None):
            continue
        execution = Execution(init, [run.events for run in chosen])
        for order in execution.executions():
            last = {execution.events[ws[-1]].location: execution.events[ws[-1]].value
                    for ws in order}
            if test.exists(regs, last):
                return True
    return False


def accesses(block):
    for statement in block:
        if isinstance(statement, list):
            yield from accesses(statement)
        elif statement[0] == "if":
            yield from accesses(statement[2] + statement[3])
        elif statement[0] not in ("let", "fence"):
            yield statement


def locations(block):
    return (statement[2] for statement in accesses(block))


def stores(block):
    return (statement for statement in accesses(block) if statement[0] != "load")
