#!/usr/bin/env python3
"""A second verifier for Daybook, written from docs/format.md and not from the program's source.

    python verify.py bundle DIR --policy FILE
    python verify.py ledger DIR [--policy FILE] [--against CHECKPOINT ...]
    python verify.py proof FILE --policy FILE [--earlier CHECKPOINT]

It needs Python 3.11, `blake3` and `cryptography`; for packed segments also Python 3.14, `zstandard` or the program
`zstd`. Exit code: 0 no fault, 3 faults, 2 usage or unreadable.

A clean bundle or proof proves that the events shown are, byte for byte, in the tree whose root a log of the
policy signed and its quorum of witnesses cosigned, and that the claim of bundle.json holds for them.
A clean ledger proves that its folder is one unbroken chain that leads to every checkpoint in it. With a
policy, the newest checkpoint and those handed in must reach its quorum, each older one a signature of the log.

Not proven: that an event is true; that a ledger was not rewritten whole or cut behind its newest checkpoint
(hand in one kept elsewhere with --against); that a bill follows from the events it cites. Not checked:
timestamp tokens (`openssl ts -verify` does), seals of epochs, anchors, the super-log, derived files, actor
ids; private parts that are encrypted are counted and not opened."""
from __future__ import annotations
import argparse, os, sys
from typing import Callable
from verify_base import (
    Bad, Checkpoint, Faults, K_LEDGER, NOTE_MAX, PAYLOAD_MAX, Policy, Unusable, consistency, entry_of, form_faults,
    from_base64, inclusion, is_private, keyed, leaf_hash, mth, number, public_payload, read_checkpoint, read_given,
    read_policy, signature_faults)
from verify_bundle import Bundle
from verify_ledger import Ledger


# ---- Proof files (format.md, "Proof files"; C2SP tlog-proof)

def proof_parts(data: bytes) -> tuple[list[bytes], bytes]:
    """The lines before the first empty line, and the checkpoint behind it."""
    head, empty, note = data.partition(b"\n\n")
    if not empty:
        raise Bad("is no proof")
    return head.split(b"\n"), note


def proof_hashes(lines: list[bytes]) -> list[bytes]:
    hashes = [from_base64(line) for line in lines]
    if len(hashes) > 64 * 2 or any(len(h) != 32 for h in hashes):
        raise Bad("has a hash that is not 32 bytes, or too many")
    return hashes


def logged(data: bytes, say: Callable[[str], None]) -> Checkpoint:
    """An event, in full, in the tree of the checkpoint."""
    lines, note = proof_parts(data)
    point = read_checkpoint(note)
    if lines[0] != b"c2sp.org/tlog-proof@v1" or [line[:6] for line in lines[1:3]] != [b"extra ", b"index "]:
        raise Bad("is no tlog-proof with extra and index")
    extra, index, proof = from_base64(lines[1][6:]), number(lines[2][6:]), proof_hashes(lines[3:])
    if extra[:8] != b"LGX1\x00\x00\x01\x00" or len(extra) < 269:
        raise Bad("carries an event that is none")
    raw, rest = extra[8:264], extra[268:]
    length = int.from_bytes(extra[264:268])
    entry, public, has_private, private = entry_of(raw), rest[:length], rest[length : length + 1], rest[length + 1 :]
    if len(public) != length or (has_private, private) != (b"\x00", b"") and (
            has_private != b"\x01" or int.from_bytes(private[32:36]) != len(private) - 36 or len(private) < 36):
        raise Bad("carries an event whose lengths do not fit")
    if index >= point.size or inclusion(index, point.size, leaf_hash(raw), proof) != point.root or proof:
        say("the entry is not in the tree of the checkpoint")
    if (entry.position, entry.ledger) != (index, keyed(K_LEDGER, point.origin.encode())[:16]):
        say("the entry is of another position or ledger")
    for _, what in form_faults(entry):
        say(what)
    if private and not is_private(entry, private[:32] + private[36:]):
        say("the private part is not the one committed to")
    public_payload(entry, public)
    return point


def grown(data: bytes, earlier: Checkpoint, say: Callable[[str], None]) -> Checkpoint:
    """The earlier checkpoint is the beginning of the one in the proof."""
    lines, note = proof_parts(data)
    point = read_checkpoint(note)
    if lines[0][:4] != b"old ":
        raise Bad("is no proof of growth")
    old, proof = number(lines[0][4:]), proof_hashes(lines[1:])
    if (old, earlier.origin) != (earlier.size, point.origin) or old > point.size:
        raise Bad("is not about the earlier checkpoint")
    before, after = consistency(old, point.size, earlier.root, proof) if old else (mth([]), point.root)
    if (before, after) != (earlier.root, point.root) or proof:
        say("the earlier checkpoint is not the beginning of the later one")
    return point


def check_proof(path: str, policy: Policy, earlier: str | None, faults: Faults) -> None:
    name = os.path.basename(path)
    data = read_given(path, 4 * (2 * PAYLOAD_MAX) // 3 + NOTE_MAX)
    try:
        if earlier:
            old = read_checkpoint(read_given(earlier, NOTE_MAX))
            for _, what in signature_faults(old, policy, quorum=False):
                faults.add(os.path.basename(earlier), what)
            point = grown(data, old, lambda what: faults.add(name, what))
        else:
            point = logged(data, lambda what: faults.add(name, what))
        for _, what in signature_faults(point, policy):
            faults.add(name, what)
        print(f"checkpoint of size {point.size}, root {point.root.hex()}")
    except Bad as error:
        faults.add(name, str(error))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("bundle", "ledger", "proof"):
        command = commands.add_parser(name)
        command.add_argument("path", metavar="FILE" if name == "proof" else "DIR")
        command.add_argument("--policy", metavar="FILE", required=name != "ledger")
    commands.choices["ledger"].add_argument("--against", metavar="CHECKPOINT", nargs="+", default=[])
    commands.choices["proof"].add_argument("--earlier", metavar="CHECKPOINT")
    return parser.parse_args()


def main() -> int:
    given, faults = arguments(), Faults()
    try:
        if given.command != "proof" and not os.path.isdir(given.path):
            raise Unusable("there is no such folder")
        policy = read_policy(given.policy) if given.policy else None
        if given.command == "ledger":
            Ledger(given.path, policy, faults).run(given.against)
        elif policy and given.command == "bundle":
            Bundle(given.path, policy, faults).run()
        elif policy:
            check_proof(given.path, policy, given.earlier, faults)
    except (Unusable, Bad) as error:
        print(f"unusable: {error}", file=sys.stderr)
        return 2
    except (OSError, MemoryError) as error:
        print(f"unreadable: {getattr(error, 'strerror', None) or type(error).__name__}", file=sys.stderr)
        return 2
    print(f"{faults.count} faults" if faults.count else "no fault")
    return 3 if faults.count else 0


if __name__ == "__main__":
    sys.exit(main())
