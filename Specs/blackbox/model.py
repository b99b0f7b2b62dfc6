"""What a store must do: a dict, its history, votes with their locks, and transactions that are open."""

import copy
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Range:
    """[start, end) in the order of bytes; an empty `start` and an `end` of `None` are no bound."""

    start: bytes = b""
    end: bytes | None = None
    limit: int | None = None
    reverse: bool = False

    def covers(self, key):
        return self.start <= key and (self.end is None or key < self.end)

    def of(self, state):
        found = sorted((item for item in state.items() if self.covers(item[0])), reverse=self.reverse)
        return found[: self.limit]

    def seen(self, entries):
        """The part that was really looked at: up to the last entry, where a limit cut it short."""
        if self.limit is None or len(entries) < self.limit:
            return self
        if not entries:
            return Range(b"\xff", b"\xff")
        last = entries[-1][0]
        return Range(last, self.end) if self.reverse else Range(self.start, last + b"\x00")


def key_range(key):
    """The range of one key."""
    return Range(key, key + b"\x00")


def overlaid(state, changes):
    """The state with changes over it; a value of `None` deletes."""
    merged = {**state, **changes}
    return {key: value for key, value in merged.items() if value is not None}


@dataclass
class Read:
    """What an open transaction read: the range, its own changes then, and the entries that it was told."""

    range: Range
    own: dict
    entries: list

    def must_fail(self, state):
        """Whether it would be told something else now."""
        return self.range.of(overlaid(state, self.own)) != self.entries

    def may_fail(self, base, state):
        """Whether anything in the range is not as it was, be it hidden by the transaction's own changes."""
        bare = Range(self.range.start, self.range.end)
        return bare.of(base) != bare.of(state)


@dataclass
class Transaction:
    """It reads from the state at its first read, and sees its own changes."""

    base: dict | None = None
    changes: dict = field(default_factory=dict)
    reads: list = field(default_factory=list)

    def read(self, state, asked):
        if self.base is None:
            self.base = dict(state)
        entries = asked.of(overlaid(self.base, self.changes))
        self.reads.append(Read(asked, dict(self.changes), entries))
        return entries

    def get(self, state, key):
        if key in self.changes:
            return self.changes[key]
        return dict(self.read(state, key_range(key))).get(key)


@dataclass
class Vote:
    changes: dict
    # What it read at least, and at most: a scan with a limit may lock more than the entries it saw.
    seen: list
    asked: list


@dataclass
class Verdict:
    """The error codes that a transaction must be refused with, one of them, and those that it may be."""

    must: set
    may: set

    def allows(self, code):
        return code in self.must | self.may if self.must else code is None or code in self.may


class Model:
    def __init__(self):
        self.history = [{}]
        self.outcomes = {}
        self.votes = {}
        # Outcomes and votes as they were just before the commit that came after each sequence.
        self.ends = []

    @property
    def state(self):
        return self.history[-1]

    @property
    def sequence(self):
        return len(self.history) - 1

    def copy(self):
        return copy.deepcopy(self)

    def at(self, sequence):
        """The model as it was before the commit after a sequence."""
        past = self.copy()
        if sequence < self.sequence:
            past.outcomes, past.votes = past.ends[sequence]
            del past.history[sequence + 1 :], past.ends[sequence:]
        return past

    # --- What a transaction comes to ---

    def verdict(self, transaction, identity, is_vote):
        verdict = Verdict(set(), set())
        if not transaction.changes and not is_vote:
            return verdict
        if identity is not None and self.outcome(identity) != "unknown":
            verdict.must.add("duplicate_id")
        for key in transaction.changes:
            self._judge_write(key, verdict)
        for read in transaction.reads:
            if read.must_fail(self.state):
                verdict.must.add("conflict")
            if read.may_fail(transaction.base, self.state):
                verdict.may.add("conflict")
            if is_vote:
                self._judge_vote_read(read, verdict)
        return verdict

    def _judge_write(self, key, verdict):
        for vote in self.votes.values():
            if key in vote.changes or any(seen.covers(key) for seen in vote.seen):
                verdict.must.add("locked_by_in_doubt")
            if any(asked.covers(key) for asked in vote.asked):
                verdict.may.add("locked_by_in_doubt")

    def _judge_vote_read(self, read, verdict):
        seen = read.range.seen(read.entries)
        for vote in self.votes.values():
            if any(seen.covers(key) for key in vote.changes):
                verdict.must.add("locked_by_in_doubt")
            if any(read.range.covers(key) for key in vote.changes):
                verdict.may.add("locked_by_in_doubt")

    def commit(self, transaction, identity=None):
        """Returns the sequence of the newest commit."""
        if transaction.changes:
            self.ends.append((dict(self.outcomes), dict(self.votes)))
            self.history.append(overlaid(self.state, transaction.changes))
            if identity is not None:
                self.outcomes[identity] = self.sequence
        return self.sequence

    def prepare(self, transaction, identity):
        seen = [read.range.seen(read.entries) for read in transaction.reads]
        self.votes[identity] = Vote(dict(transaction.changes), seen, [read.range for read in transaction.reads])

    # --- Decisions and outcomes ---

    def decision(self, identity, is_commit):
        """What deciding must be answered with: an error code, or `None`."""
        outcome = self.outcome(identity)
        if outcome == "unknown":
            return "no_such_transaction"
        if outcome == "in_doubt" or (outcome == "committed") == is_commit:
            return None
        return "already_decided"

    def decide(self, identity, is_commit):
        vote = self.votes.get(identity)
        if vote is None:
            return
        if is_commit:
            self.ends.append((dict(self.outcomes), dict(self.votes)))
            # Also one that changes nothing is a commit.
            self.history.append(overlaid(self.state, vote.changes))
        del self.votes[identity]
        self.outcomes[identity] = self.sequence if is_commit else "aborted"

    def outcome(self, identity):
        if identity in self.votes:
            return "in_doubt"
        found = self.outcomes.get(identity, "unknown")
        return "committed" if isinstance(found, int) else found
