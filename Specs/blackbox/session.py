"""The real `rootfast session` at the other end of a pipe."""

import json
import os
import select
import signal
import subprocess
import time

from spelling import parse

# Protects against hanging; decides nothing.
PATIENCE_SECONDS = 120


class Ended(Exception):
    """The session ended without an answer."""


class Session:
    def __init__(self, binary, store, options=()):
        self._errors = open(os.path.join(os.path.dirname(store), "stderr"), "ab")
        self._process = subprocess.Popen(
            [binary, "session", store, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
        )
        self._unread = b""

    def ask(self, request):
        """Sends a request and waits for its answer."""
        self.send(request)
        return self.answer()

    def send(self, request):
        """Sends an object, or a line of bytes as it is."""
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        rest = memoryview(line + b"\n")
        while rest:
            rest = rest[self._process.stdin.write(rest) :]

    def answer(self):
        while b"\n" not in self._unread:
            if not self.await_answer():
                raise TimeoutError("no answer")
            part = os.read(self._process.stdout.fileno(), 1 << 16)
            if not part:
                raise Ended(f"status {self._process.wait()}, and {self._unread!r} was said")
            self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        answer = parse(line)
        assert answer["schema"] == 1 and ("op" in answer) != ("error" in answer), answer
        return answer

    def await_answer(self):
        """Waits until something can be read."""
        return bool(select.select([self._process.stdout], [], [], PATIENCE_SECONDS)[0])

    def stop(self):
        self._process.send_signal(signal.SIGSTOP)

    def kill(self):
        """Kills it with SIGKILL, if it lives; returns the answer that was on its way, if a whole one was."""
        if self._process.stdin.closed:
            return None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        try:
            return self.answer()
        except Ended:
            return None
        finally:
            self._release()

    def end(self, request):
        """Ends the session by `close`, or without a request by the end of its input; returns its last answer."""
        answer = self.ask(request) if request else None
        self._process.stdin.close()
        assert self._process.wait(PATIENCE_SECONDS) == 0, "it did not end well"
        self._release()
        return answer

    def _release(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._errors.close()


def check(binary, store):
    """What `rootfast check` says of a store that nobody has open."""
    run = subprocess.run([binary, "check", store, "--json"], capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    report = parse(run.stdout)
    assert run.returncode == {"sound": 0, "wants_attention": 3}.get(report.get("verdict")), report
    return report


def pause(microseconds):
    """Waits in a loop, as sleeping is too coarse."""
    end = time.perf_counter() + microseconds / 1e6
    while time.perf_counter() < end:
        pass
