"""Runs the black-box specs: see tools/blackbox."""

import argparse
import sys
import time

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import machine
import reference


def arguments():
    description = "Drives the real rootfast by random histories against a model, with kills."
    parser = argparse.ArgumentParser(prog="tools/blackbox", description=description)
    parser.add_argument("--binary", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--vectors", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--examples", type=int, default=150, help="how many histories (default: 150)")
    parser.add_argument("--steps", type=int, default=50, help="how many steps each has at most (default: 50)")
    parser.add_argument("--seed", type=int, help="another seed than the fixed one")
    return parser.parse_args()


def run(given):
    print(f"reference: {reference.check_against(given.vectors)} known roots are right")
    machine.BINARY = given.binary
    if given.seed is not None:
        hypothesis.seed(given.seed)(machine.Store)
    options = settings(
        max_examples=given.examples,
        stateful_step_count=given.steps,
        derandomize=given.seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
    )
    replay = f"tools/blackbox --examples {given.examples} --steps {given.steps}"
    print(f"replay with: {replay}" + ("" if given.seed is None else f" --seed {given.seed}"), flush=True)
    run_state_machine_as_test(machine.Store, settings=options)


def main():
    start = time.monotonic()
    run(arguments())
    seconds = time.monotonic() - start
    examples, steps = machine.HITS["example"], machine.HITS["step"]
    print(f"{examples} examples, {steps} steps in {seconds:.0f} s: {steps / seconds:.0f} steps a second")
    # In the form of the laws' reports, which tools/soak adds up.
    reached = [f"{name} {machine.HITS[name]}" for name in machine.REQUIRED]
    print(" | ".join(["law: black box", f"steps {steps}", f"cases {examples}"] + reached))
    missed = [name for name in machine.REQUIRED if machine.HITS[name] == 0]
    if missed:
        print(f"black box: NOT REACHED: {', '.join(missed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
