"""Cuts the power of a file system while a store on it is written to, again and again.

Usage: power_loss.py SUBJECT FOLDER ROUNDS SEED, in a mount namespace of its own. Makes an ext4 with a journal in a file,
mounts it and starts the crash subject there. After some acknowledgements it shuts the file system down, as if the
machine had lost its power, mounts it again, and copies the store: FOLDER/N/store, beside what the subject told,
FOLDER/N/output, and how the power was lost, FOLDER/N/how. Exits with 77, and says why, where it is not allowed to.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys

# `_IOR('X', 125, __u32)`: EXT4_IOC_SHUTDOWN.
SHUTDOWN = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
# What becomes of the journal: all is written first; the journal is written; nothing more is written.
HOW = {"all flushed": 0, "journal flushed": 1, "nothing flushed": 2}
ROUNDS_AN_IMAGE = 5


def skip(reason):
    print(reason)
    sys.exit(77)


def system(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"{' '.join(command)}: {done.stderr.strip()}")


def shut_down(mount, how):
    folder = os.open(mount, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", HOW[how]))
    except OSError as error:
        skip(f"the file system cannot be shut down: {error}")
    finally:
        os.close(folder)


def lose_power(subject, mount, how, seed, acknowledgements, output):
    """Writes until so much is acknowledged, shuts down, and keeps all that the subject told."""
    command = [subject, "go-on", mount + "/store", str(seed)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with open(output, "wb") as file:
        for line in process.stdout:
            file.write(line)
            if line == b"ok\n":
                acknowledgements -= 1
            if acknowledgements == 0:
                acknowledgements = -1
                shut_down(mount, how)
    status = process.wait(timeout=60)
    with open(output, "ab") as file:
        if status != 0:
            file.write(b"died of signal %d\n" % -status)


def main():
    subject, folder, rounds, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    image, mount = folder + "/image", folder + "/mount"
    os.makedirs(mount)
    for number in range(rounds):
        if number % ROUNDS_AN_IMAGE == 0:
            with open(image, "wb") as file:
                file.truncate(64 << 20)
            system("mkfs.ext4", "-q", "-F", "-O", "has_journal", image)
            data = ["ordered", "journal", "writeback"][number // ROUNDS_AN_IMAGE % 3]
        how = chance.choice(list(HOW) + ["nothing flushed"] * 4)
        system("mount", "-o", f"loop,data={data}", image, mount)
        os.makedirs(f"{folder}/{number}")
        chapter = (seed * 100_000 + number) % 2**63
        lose_power(subject, mount, how, chapter, chance.randint(1, 120), f"{folder}/{number}/output")
        system("umount", mount)
        system("mount", "-o", f"loop,data={data}", image, mount)
        if os.path.exists(mount + "/store"):
            shutil.copytree(mount + "/store", f"{folder}/{number}/store")
        with open(f"{folder}/{number}/how", "w") as file:
            file.write(f"{how}\ndata={data}\n{number % ROUNDS_AN_IMAGE}\n")
        system("umount", mount)


main()
