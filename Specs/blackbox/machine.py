"""Drives the real `rootfast` by rules that Hypothesis chooses, against the model, with kills in between.

What a rule draws never depends on what the clock or the scheduler did, so that a failure replays and shrinks: where a
kill leaves it open whether something took effect, the model follows the store, once the store has shown which it is.
"""

import os
import shutil
import tempfile

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

import copies
import reference
from copies import HITS
from model import Model, Range, Transaction, key_range
from session import Session, check, pause
from spelling import entries, key_bytes, spell_key, spell_value, value_bytes

# What the specs must have reached, each at least once, for a run to count.
REQUIRED = [
    "commit", "commit with several transactions open", "conflict", "locked", "duplicate id", "vote",
    "decided: commit", "decided: abort", "decided again", "decided the other way", "kill",
    "kill with a commit under way: kept whole", "kill with a commit under way: not there",
    "kill with a vote under way: kept whole", "kill with a vote under way: not there",
    "kill with a decision under way", "kill with maintenance under way", "kill while opening", "vote survived a kill",
    "vote survived a kill and was committed", "snapshot", "retention removed something", "reopened from a snapshot",
    "reopened from a snapshot with a vote in doubt", "read at an older sequence", "older sequence is not retained",
    "closed", "end of input", "nonsense refused", "transaction of before a kill is not open", *copies.REQUIRED,
]  # fmt: skip
BINARY = "rootfast"

KEYS = [b"a", b"ab", b"b", b"b\x00", b"$e", b"\xc3\xa9", b"\xff\xfe", b"k" * 300]
VALUES = [
    b"", b"text", b"null", b"1", b"-0", b"1.50", b'[1,{"a":true}]', b'{"a": 1}', b'{"$base64":"AA=="}', b'"',
    b"\x00\xff", b"long" * 250, bytes(range(256)) * 20,
]  # fmt: skip
MAINTENANCE = ["snapshot", "compact", "retain", "seal", "flush", "check"]
NONSENSE = [
    b"", b"{", b"[]", b"{}", b'{"op":"fly"}', b'{"op":"get"}', b'{"op":"root","tx":"t1"}', b'{"op":"root"} x',
    b"\xff\x00", b'{"op":"write","data":{"a":{"$base64":"!"}}}', b'{"op":"write","data":{"$YQ==":1,"a":2}}',
    b'{"op":"commit","tx":""}',
]  # fmt: skip

nonsense = st.one_of(st.sampled_from(NONSENSE), st.binary(max_size=12))
numbers = st.integers(0, 5)
keys = st.sampled_from(KEYS)
values = st.one_of(st.sampled_from(VALUES), st.binary(max_size=8))
changes = st.dictionaries(keys, st.one_of(st.none(), values), min_size=1, max_size=3)
pairs = st.tuples(keys, keys).map(lambda pair: Range(*sorted(pair)))
spans = st.one_of(pairs, keys.map(lambda key: Range(key)), st.just(Range()))
ranges = st.builds(
    lambda span, limit, reverse: Range(span.start, span.end, limit, reverse),
    spans, st.one_of(st.none(), st.integers(0, 3)), st.booleans(),
)  # fmt: skip
# What a transaction of one line reads has no limit; and it is little, as a vote locks it.
reads = st.lists(st.one_of(keys.map(key_range), pairs), max_size=2)
# Few votes, as each locks what others need.
kinds = st.sampled_from(["write"] * 3 + ["write without id"] * 2 + ["vote"])
ways = st.sampled_from(["commit"] * 8 + ["prepare", "rollback"])
step = st.one_of(
    st.tuples(st.just("get"), keys), st.tuples(st.just("put"), keys, values), st.tuples(st.just("delete"), keys),
    st.tuples(st.just("scan"), ranges),
)  # fmt: skip
steps = st.lists(step, min_size=1, max_size=5)
moves = st.lists(
    st.tuples(st.integers(0, 2), st.one_of(step, st.tuples(st.just("end_one"), ways))).map(
        lambda move: (move[0], *move[1])
    ), min_size=4, max_size=16,
)  # fmt: skip
ends = st.one_of(
    st.tuples(st.sampled_from(["close", "end_input"])),
    st.tuples(st.just("kill_during_opening")),
    st.tuples(st.just("kill_during_maintenance"), st.sampled_from([*MAINTENANCE, "close"])),
    st.tuples(st.just("kill_during_write"), changes, reads), st.tuples(st.just("kill_during_prepare"), changes, reads),
    st.tuples(st.just("kill_during_commit"), numbers),
    st.tuples(st.just("kill_during_decision"), numbers, st.booleans()),
)  # fmt: skip
# Microseconds between a request and the kill; `None` kills when the answer is on its way, and what is stopped gets no
# request any more.
delays = st.sampled_from(["stopped"] * 4 + [None] * 3 + [0, 30, 60, 100, 150, 200, 300, 500, 1000, 3000])


class Store(copies.Copies, RuleBasedStateMachine):
    transactions = Bundle("transactions")
    # Ids of transactions, whatever became of them.
    identities = Bundle("identities")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="rootfast-blackbox-")
        self.path = os.path.join(self.folder, "store")
        self.model = Model()
        self.open = {}
        self.count = 0
        self.survivors = set()
        self.binary = BINARY
        HITS["example"] += 1

    def teardown(self):
        self.session.kill()
        shutil.rmtree(self.folder)

    @initialize(manual=st.booleans(), retains=st.booleans())
    def start(self, manual, retains):
        limits = ["--snapshots", "1", "--segments", "0", "--grace", "0"]
        self.options = (["--manual"] if manual else []) + (limits if retains else [])
        self.retains, self.manual = retains, manual
        self.session = Session(BINARY, self.path, self.options)

    @invariant()
    def root_is_the_model_s(self):
        HITS["step"] += 1
        self.expect_state(self.ask(op="root"))

    # --- Transactions that are open ---

    @rule(target=transactions, moves=moves)
    def interleave(self, moves):
        """Takes up to three transactions forward in turns. Those that it does not end stay open."""
        names = {}
        for number, operation, *rest in moves:
            if number not in names:
                names[number] = self.begin()
            getattr(self, operation)(names[number], *rest)
            if operation == "end_one":
                del names[number]
        return multiple(*names.values())

    def begin(self):
        name = self.fresh()
        assert self.ask(op="begin", tx=name)["op"] == "begin"
        self.open[name] = Transaction()
        return name

    @rule(target=identities, name=st.one_of(numbers, transactions), steps=steps, how=st.one_of(st.none(), ways))
    def go_on(self, name, steps, how):
        """Takes one further that was open before, if it still is, and may end it."""
        name = one_of(self.open, name)
        for operation, *rest in steps if name in self.open else steps[:1]:
            getattr(self, operation)(name, *rest)
        return self.end_one(name, how) if how else multiple()

    def get(self, name, key):
        answer = self.ask(op="get", tx=name, key=spell_key(key))
        if transaction := self.transaction(name, answer):
            self.expect_value(answer, transaction.get(self.model.state, key))

    def scan(self, name, asked):
        answer = self.ask(op="scan", tx=name, **spell_range(asked))
        if transaction := self.transaction(name, answer):
            assert entries(answer["entries"]) == transaction.read(self.model.state, asked)

    def put(self, name, key, value):
        answer = self.ask(op="put", tx=name, key=spell_key(key), value=spell_value(value))
        if transaction := self.transaction(name, answer):
            transaction.changes[key] = value

    def delete(self, name, key):
        if transaction := self.transaction(name, self.ask(op="delete", tx=name, key=spell_key(key))):
            transaction.changes[key] = None

    def end_one(self, name, how):
        identity = self.fresh()
        is_alone = len(self.open) == 1
        answer = self.ask(op=how, tx=name, **({} if how == "rollback" else {"tx_id": identity}))
        if transaction := self.transaction(name, answer):
            del self.open[name]
            if how == "prepare":
                self.prepared(transaction, identity, answer)
            elif how == "commit":
                is_done = self.committed(transaction, identity, answer) and bool(transaction.changes)
                HITS["commit with several transactions open"] += is_done and not is_alone
        return identity

    # --- Transactions of one line ---

    @rule(target=identities, changes=changes, reads=reads, kind=kinds)
    def write(self, changes, reads, kind):
        identity = None if kind == "write without id" else self.fresh()
        self.write_line(changes, reads, identity, kind == "vote")
        return identity or multiple()

    def write_line(self, changes, reads, identity, is_vote):
        transaction, request = self.line(changes, reads, identity, is_vote)
        answer = self.ask(**request)
        come = self.prepared if is_vote else self.committed
        if come(transaction, identity, answer):
            assert entries(answer["entries"]) == [entry for read in transaction.reads for entry in read.entries]

    # --- Decisions ---

    @rule(several=st.lists(st.one_of(numbers, identities), min_size=1, max_size=3), is_commit=st.booleans())
    def decide(self, several, is_commit):
        for choice in several:
            self.decide_one(one_of(self.model.votes, choice), is_commit)

    def decide_one(self, identity, is_commit):
        was = self.model.outcome(identity)
        expected = self.model.decision(identity, is_commit)
        answer = self.ask(op="decide", tx_id=identity, commit=is_commit)
        assert error(answer) == expected, answer
        self.model.decide(identity, is_commit)
        if expected == "already_decided":
            HITS["decided the other way"] += 1
        elif expected is None:
            self.decided(identity, was, is_commit, answer)

    def decided(self, identity, was, is_commit, answer):
        if is_commit:
            assert answer["sequence"] == self.model.outcomes[identity]
        if was != "in_doubt":
            HITS["decided again"] += 1
            return
        HITS["decided: " + ("commit" if is_commit else "abort")] += 1
        HITS["vote survived a kill and was committed"] += is_commit and identity in self.survivors

    # --- Reading ---

    @rule(key=keys, asked=ranges, back=st.integers(0, 12))
    def read_the_past(self, key, asked, back):
        sequence = max(0, self.model.sequence - back)
        state = self.model.history[sequence]
        answer = self.ask(op="get", key=spell_key(key), sequence=sequence)
        if self.is_retained(sequence, answer):
            self.expect_value(answer, state.get(key))
            assert entries(self.ask(op="scan", sequence=sequence, **spell_range(asked))["entries"]) == asked.of(state)

    @rule(key=keys, asked=ranges, identity=identities)
    def read(self, key, asked, identity):
        assert entries(self.ask(op="scan", **spell_range(asked))["entries"]) == asked.of(self.model.state)
        self.expect_value(self.ask(op="get", key=spell_key(key)), self.model.state.get(key))
        self.expect_outcome(identity)

    def is_retained(self, sequence, answer):
        if sequence < self.model.sequence:
            HITS["read at an older sequence" if "op" in answer else "older sequence is not retained"] += 1
        if "op" in answer:
            return True
        oldest = self.oldest(self.ask(op="snapshots")["snapshots"])
        assert error(answer) == "not_retained" and sequence < oldest, answer
        return False

    # --- Maintenance ---

    @rule(kinds=st.lists(st.sampled_from(MAINTENANCE), min_size=1, max_size=4))
    def maintain(self, kinds):
        for kind in kinds:
            self.maintain_once(kind)

    def maintain_once(self, kind):
        before = self.ask(op="retain", dry_run=True) if kind == "retain" else None
        answer = self.ask(op=kind)
        assert answer["op"] == kind, answer
        if "snapshot" in answer:
            assert answer["snapshot"]["sequence"] == self.model.sequence
            HITS["snapshot"] += 1
        if before and self.manual:
            # Otherwise a thread of the store's own may come between.
            assert answer["decisions"] == before["decisions"], "a dry run did not say what the run did"
        HITS["retention removed something"] += any(item["action"] == "reclaim" for item in answer.get("decisions", []))
        assert answer.get("verdict") != "damaged", answer

    # --- What must be refused ---

    @rule(line=nonsense, identity=identities, changes=changes, is_vote=st.booleans())
    def misuse(self, line, identity, changes, is_vote):
        assert error(self.session.ask(line.replace(b"\n", b" "))), line
        HITS["nonsense refused"] += 1
        self.write_line(changes, [], identity, is_vote)

    # --- Ends and kills ---

    @rule(target=identities, how=ends, delay=delays)
    def restart(self, how, delay):
        identity = self.fresh()
        what, *rest = how
        getattr(self, what)(identity, delay, *rest)
        return identity

    def close(self, *_):
        self.expect_state(self.session.end({"op": "close"}))
        HITS["closed"] += 1
        self.reopen([self.model], is_closed=True)

    def end_input(self, *_):
        self.session.end(None)
        HITS["end of input"] += 1
        self.reopen([self.model], is_closed=True)

    def kill_during_opening(self, _, delay):
        self.session.kill()
        self.session = Session(BINARY, self.path, self.options)
        # Opening takes longer than a request, and nothing is answered.
        self.crash(None, delay * 5 if isinstance(delay, int) else 0, [self.model])
        HITS["kill while opening"] += 1

    def kill_during_maintenance(self, _, delay, kind):
        self.crash({"op": kind}, delay, [self.model])
        HITS["kill with maintenance under way"] += 1

    def kill_during_write(self, identity, delay, changes, reads):
        transaction, request = self.line(changes, reads, identity, False)
        self.crash_in_transaction(transaction, identity, False, request, delay)

    def kill_during_prepare(self, identity, delay, changes, reads):
        transaction, request = self.line(changes, reads, identity, True)
        self.crash_in_transaction(transaction, identity, True, request, delay)

    def kill_during_commit(self, identity, delay, number):
        name = one_of(self.open, number)
        # What is not open has nothing to commit.
        transaction = self.open.get(name, Transaction())
        request = {"op": "commit", "tx": name, "tx_id": identity}
        self.crash_in_transaction(transaction, identity, False, request, delay)

    def kill_during_decision(self, _, delay, number, is_commit):
        identity = one_of(self.model.votes, number)
        after = self.model.copy()
        if self.model.decision(identity, is_commit) is None:
            HITS["kill with a decision under way"] += 1
            after.decide(identity, is_commit)
        self.crash({"op": "decide", "tx_id": identity, "commit": is_commit}, delay, [self.model, after])

    def crash_in_transaction(self, transaction, identity, is_vote, request, delay):
        after = self.model.copy()
        is_allowed = not self.model.verdict(transaction, identity, is_vote).must
        if is_allowed and is_vote:
            after.prepare(transaction, identity)
        elif is_allowed:
            after.commit(transaction, identity)
        self.crash(request, delay, [self.model, after])
        if after.outcome(identity) != "unknown":
            is_kept = self.model.outcome(identity) != "unknown"
            what = "vote" if is_vote else "commit"
            HITS[f"kill with a {what} under way: " + ("kept whole" if is_kept else "not there")] += 1

    def crash(self, request, delay, candidates):
        """Kills the session with a request under way, and opens the store again: it must be as one of the models says,
        the last if an answer was on its way that says it was done, and the first if one says it was not."""
        if delay == "stopped":
            self.session.stop()
        if request:
            self.session.send(request)
        if delay is None:
            self.session.await_answer()
        elif delay != "stopped":
            pause(delay)
        answer = self.session.kill()
        HITS["kill"] += 1
        if answer:
            candidates = candidates[-1:] if "op" in answer else candidates[:1]
        self.reopen(candidates)
        self.survivors |= set(self.model.votes)
        HITS["vote survived a kill"] += len(self.model.votes)

    def reopen(self, candidates, is_closed=False):
        self.open = {}
        report = check(BINARY, self.path)
        self.session = Session(BINARY, self.path, self.options)
        self.model = self.the_one_shown(candidates)
        self.expect_state(report)
        assert [vote["tx_id"] for vote in report["in_doubt"]] == list(self.model.votes)
        assert not is_closed or report["closed"] and "torn_tail" not in report, report
        if "snapshot" in self.ask(op="status"):
            HITS["reopened from a snapshot"] += 1
            HITS["reopened from a snapshot with a vote in doubt"] += bool(self.model.votes)

    def the_one_shown(self, candidates):
        """The model that the store is as, in all that can be seen."""
        state = dict(entries(self.ask(op="scan")["entries"]))
        sequence = self.ask(op="root")["sequence"]
        told = self.ask(op="in_doubt")["in_doubt"]
        in_doubt = {vote["tx_id"]: [key_bytes(key) for key in vote["keys"]] for vote in told}
        for model in candidates:
            votes = {identity: sorted(vote.changes) for identity, vote in model.votes.items()}
            if (model.state, model.sequence, votes) == (state, sequence, in_doubt):
                self.model = model
                for identity in set().union(*(set(other.outcomes) | set(other.votes) for other in candidates)):
                    self.expect_outcome(identity)
                return model
        expected = [(model.sequence, model.state, list(model.votes)) for model in candidates]
        raise AssertionError(f"{(sequence, state, in_doubt)} is none of {expected}")

    # --- Expectations ---

    def committed(self, transaction, identity, answer):
        verdict = self.model.verdict(transaction, identity, is_vote=False)
        if not self.is_done(answer, verdict):
            return False
        assert answer["sequence"] == self.model.commit(transaction, identity)
        assert answer["root_sequence"] == self.model.sequence
        assert answer["root"] == reference.root(self.model.state)
        HITS["commit"] += bool(transaction.changes)
        return True

    def prepared(self, transaction, identity, answer):
        if self.is_done(answer, self.model.verdict(transaction, identity, is_vote=True)):
            assert answer["outcome"] == "in_doubt"
            self.model.prepare(transaction, identity)
            HITS["vote"] += 1
            return True
        return False

    @staticmethod
    def is_done(answer, verdict):
        code = error(answer)
        assert verdict.allows(code), f"{code} where {verdict} holds"
        words = {"conflict": "conflict", "locked_by_in_doubt": "locked", "duplicate_id": "duplicate id"}
        if code:
            HITS[words[code]] += 1
        return code is None

    def transaction(self, name, answer):
        """The open transaction, whose answer is about it; `None` if it is over, as the answer must say."""
        if name not in self.open:
            assert error(answer) == "not_open", answer
            HITS["transaction of before a kill is not open"] += 1
        return self.open.get(name)

    def expect_state(self, answer):
        expected = (self.model.sequence, reference.root(self.model.state), len(self.model.state))
        assert (answer["sequence"], answer["root"], answer["count"]) == expected, (answer, expected)

    def expect_outcome(self, identity):
        answer = self.ask(op="outcome", tx_id=identity)
        assert answer["outcome"] == self.model.outcome(identity), (identity, answer)
        if answer["outcome"] == "committed":
            assert answer["sequence"] == self.model.outcomes[identity]

    @staticmethod
    def expect_value(answer, value):
        assert (value_bytes(answer["value"]) if "value" in answer else None) == value, (answer, value)

    # --- Requests ---

    def ask(self, **request):
        return self.session.ask(request)

    def fresh(self):
        """A name, or an id, that is new."""
        self.count += 1
        return f"t{self.count}"

    def line(self, changes, reads, identity, is_vote):
        """A transaction of one line: as the model has it, and as a request."""
        transaction = Transaction()
        for read in reads:
            transaction.read(self.model.state, read)
        transaction.changes = changes
        data = {spell_key(key): None if value is None else spell_value(value) for key, value in changes.items()}
        request = {"op": "prepare" if is_vote else "write", "data": data, "reads": [spell_read(read) for read in reads]}
        return transaction, {**request, **identified(identity)}


def one_of(names, choice):
    """A name, or the one that a number chooses from all there are: what is drawn does not depend on which are there."""
    if isinstance(choice, str):
        return choice
    return list(names)[choice % len(names)] if names else "none"


def error(answer):
    """The code of an error, or `None`."""
    return answer["error"]["code"] if "error" in answer else None


def identified(identity):
    return {} if identity is None else {"tx_id": identity}


def spell_range(asked):
    spelled = {"reverse": asked.reverse}
    if asked.start:
        spelled["from"] = spell_key(asked.start)
    if asked.end is not None:
        spelled["to"] = spell_key(asked.end)
    if asked.limit is not None:
        spelled["limit"] = asked.limit
    return spelled


def spell_read(asked):
    if asked.end == asked.start + b"\x00" and asked.start in KEYS:
        return spell_key(asked.start)
    return [spell_key(asked.start), None if asked.end is None else spell_key(asked.end)]
