"""What the tool makes of a store that nobody has open: backups, restored and salvaged stores, exports, and its log."""

import os
import sqlite3
import subprocess
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import rule

import reference
from model import overlaid
from session import PATIENCE_SECONDS, check
from spelling import entries, key_bytes, parse, value_bytes

REQUIRED = [
    "backup restored", "restored", "restored to an older sequence", "older sequence is not there to restore", "salvaged",
    "copied after a kill", "copied with a vote in doubt", "exported", "log replayed from its beginning",
]  # fmt: skip
HITS = Counter()

kinds = st.sampled_from(["backup", "restore", "restore", "salvage", "export"])


class Copies:
    """Rules of a machine that has a `session`, a `model`, and the `path` of its store. History goes on in the copy."""

    # What was before this sequence did not come along.
    floor = 0
    # Whether the store is a backup: it holds the log only from the older of the two newest snapshots on.
    is_backup = False

    @rule(kind=kinds, is_killed=st.booleans(), back=st.integers(0, 4))
    def copy(self, kind, is_killed, back):
        if is_killed:
            self.session.kill()
        else:
            self.session.end({"op": "close"})
        HITS["copied after a kill"] += is_killed
        HITS["copied with a vote in doubt"] += bool(self.model.votes)
        self.replay_log()
        getattr(self, kind)(max(0, self.model.sequence - back))
        self.reopen([self.model], is_closed=kind != "export" or not is_killed)

    def backup(self, sequence):
        """A backup is the same store; what is written to is made of it."""
        target = self.target()
        self.expect_state(self.run("backup", self.path, target))
        self.expect_state(check(self.binary, target))
        self.path, self.is_backup = target, True
        self.restore(sequence)
        HITS["backup restored"] += 1

    def restore(self, sequence):
        target, is_newest = self.target(), sequence == self.model.sequence
        where = [] if is_newest else ["--sequence", str(sequence)]
        answer = self.run("restore", self.path, target, *where, may_fail=not is_newest)
        if "error" in answer:
            assert answer["error"]["code"] == "not_retained" and sequence < self.oldest_on_disk(), answer
            HITS["older sequence is not there to restore"] += 1
            assert not os.path.exists(target) or not os.listdir(target), "half a copy was left"
            return self.restore(self.model.sequence)
        self.move(target, self.model.at(sequence), answer)
        HITS["restored" if is_newest else "restored to an older sequence"] += 1

    def salvage(self, _):
        """Of a sound store it brings out all."""
        target = self.target()
        answer = self.run("salvage", self.path, "--to", target)
        assert answer["whole"] and not answer["losses"], answer
        self.move(target, self.model, answer)
        HITS["salvaged"] += 1

    def export(self, sequence):
        """As lines, and as a file that SQLite reads. The store stays."""
        lines = self.lines("export", self.path)
        assert entries(lines) == sorted(self.model.state.items())
        target = self.target() + ".sqlite"
        where = ["--sequence", str(sequence)] if sequence >= self.oldest_on_disk() else []
        self.run("export", self.path, "--sqlite", target, *where)
        expected = self.model.history[sequence] if where else self.model.state
        with sqlite3.connect(target) as database:
            rows = database.execute("SELECT key, value FROM state").fetchall()
        database.close()
        spelled = ((item.encode() if isinstance(item, str) else item for item in row) for row in rows)
        assert {key: value for key, value in spelled} == expected
        HITS["exported"] += 1

    def replay_log(self):
        """Each root that the log tells is that of the state its records lead to, and the last state is the store's."""
        lines = self.lines("log", self.path)
        if self.floor or not lines or lines[0]["n"] != 0:
            return
        state, undecided = {}, {}
        for line in lines[1:]:
            if line["op"] == "PREPARE":
                undecided[line["tx_id"]] = line["data"]
            elif line["op"] == "COMMIT":
                state = overlaid(state, changes(undecided.pop(line["tx_id"])))
            elif line["op"] == "ABORT":
                del undecided[line["tx_id"]]
            assert "root" not in line or line["root"] == reference.root(state), line
        assert (state, list(undecided)) == (self.model.state, list(self.model.votes))
        HITS["log replayed from its beginning"] += 1

    # --- Inside ---

    def move(self, target, model, answer):
        self.path, self.model, self.floor, self.is_backup = target, model, model.sequence, False
        self.expect_state(answer)

    def oldest(self, snapshots):
        """States from here on are there: whatever the limits, the two newest snapshots stay, and the log since."""
        kept = snapshots[-2:] if self.retains or self.is_backup else []
        return max([self.floor] + [snapshot["sequence"] for snapshot in kept[:1]])

    def oldest_on_disk(self):
        return self.oldest(self.run("snapshots", self.path)["snapshots"])

    def target(self):
        return os.path.join(self.folder, self.fresh())

    def run(self, *arguments, may_fail=False):
        return parse(self.output(*arguments, may_fail=may_fail))

    def lines(self, *arguments):
        return [parse(line) for line in self.output(*arguments).splitlines()]

    def output(self, command, *arguments, may_fail=False):
        run = subprocess.run(
            [self.binary, command, *arguments, "--json"], capture_output=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert may_fail or run.returncode == 0, (command, arguments, run)
        return run.stdout


def changes(data):
    """A record's, as bytes; `None` deletes."""
    return {key_bytes(key): None if value is None else value_bytes(value) for key, value in data.items()}
