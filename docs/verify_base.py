"""What the second verifier stands on: files read with care; signed notes, policies and tiles (C2SP); the tree
and its proofs (RFC 9162); entries and payloads (format.md)."""
from __future__ import annotations
import base64, binascii, collections, datetime, hashlib, json, os, re, stat, struct
from typing import Any, Callable, Iterator, NamedTuple
from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PAYLOAD_MAX, NOTE_MAX = 1 << 24, 1 << 20
NO_POSITION, NO_HASH = 2**64 - 1, bytes(32)
CREATED, CORROBORATED, CONFLICTED, ROTATED, REDACTED = 0x0B01, 0x0B05, 0x0B06, 0x0B07, 0x0B09  # events.md
BILLED, REPORTED = 0x0903, 0x0A03
ENTRIES = -1  # the "level" of entry bundles


class Bad(Exception):
    """Untrusted bytes are not what they should be: a fault."""


class Unusable(Exception):
    """What the auditor handed in cannot be used: exit code 2."""


class Faults:
    count = 0

    def add(self, where: str, what: str) -> None:
        """Says one fault; whatever came from a file is escaped, so that it cannot steer a terminal."""
        self.count += 1
        print(f"{where[:300]}: {what[:500]}".encode("unicode_escape").decode())


# ---- Files: only regular files below the folder, no links, no more bytes than the format allows


def plain(root: str, path: str) -> str | None:
    """The place of `path` below `root`; None when it is missing."""
    at, parts = root, path.split("/")
    for n, part in enumerate(parts, 1):
        at = os.path.join(at, part)
        try:
            mode = os.lstat(at).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not (stat.S_ISREG(mode) if n == len(parts) else stat.S_ISDIR(mode)):
            raise Bad("is a link or no regular file")
    return at


def read(root: str, path: str, most: int) -> bytes:
    at = plain(root, path)
    if at is None:
        raise Bad("is missing")
    return read_given(at, most)


def read_given(path: str, most: int) -> bytes:
    """A file that the auditor named: it may lie anywhere and be a link."""
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise Bad(f"is longer than {most} bytes")
    return data


def from_json(data: bytes) -> Any:
    """JSON without keys that occur twice: two readers must not see two documents."""
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key occurs twice")
        return dict(pairs)
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise Bad(f"is no JSON to rely on: {type(error).__name__}") from error


def from_base64(text: bytes) -> bytes:
    """RFC 4648, section 4, and only its one spelling of each value."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Bad("holds what is no base64") from error
    if base64.b64encode(data) != text:
        raise Bad("holds base64 that is not canonical")
    return data


def number(text: bytes | str, most: int = NO_POSITION) -> int:
    """A decimal number without leading zeros."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text) or int(text) > most:
        raise Bad("has a number that is not written as one")
    return int(text)


# ---- Policy (C2SP tlog-policy) and signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature)


class Key(NamedTuple):
    name: bytes
    id: bytes
    public: bytes


class Policy(NamedTuple):
    logs: list[Key]
    witnesses: dict[bytes, Key]
    groups: dict[bytes, tuple[int, list[bytes]]]  # name: how many, of whom; in the order of the file
    quorum: bytes


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: list[tuple[bytes, bytes, bytes]]  # name, key id, signature


def key(vkey: bytes, kind: int) -> Key:
    """signed-note, "Verifier keys": <name>+<id>+base64(type || key); the id is that of name, type, key."""
    name, id_, rest = (vkey.split(b"+", 2) + [b"", b""])[:3]
    material = from_base64(rest)
    expected = hashlib.sha256(name + b"\n" + material).digest()[:4]
    if not name or len(material) != 33 or material[0] != kind or id_ != expected.hex().encode():
        raise Bad(f"needs an Ed25519 key of type {kind:#04x} with its id")
    return Key(name, expected, material[1:])


def read_policy(path: str) -> Policy:
    logs: list[Key] = []
    witnesses: dict[bytes, Key] = {}
    groups: dict[bytes, tuple[int, list[bytes]]] = {}
    listed: set[bytes] = set()
    quorum = None
    try:
        data = read_given(path, NOTE_MAX)
        if re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data):
            raise Bad("has control characters")
        for line in data.split(b"\n"):
            words = line.split()
            if not words or words[0].startswith(b"#"):
                continue
            known = witnesses.keys() | groups.keys()
            if words[0] in (b"witness", b"group") and len(words) > 2 and words[1] in known | {b"none"}:
                raise Bad("gives one name to two")
            if words[0] == b"log" and len(words) in (2, 3):
                logs.append(key(words[1], 1))
            elif words[0] == b"witness" and len(words) in (3, 4):
                witnesses[words[1]] = key(words[2], 4)
            elif words[0] == b"group" and len(words) > 3:
                members = words[3:]
                needed = {b"any": 1, b"all": len(members)}.get(words[2]) or number(words[2])
                usable = set(members) <= known - listed and len(set(members)) == len(members)
                if not usable or not 1 <= needed <= len(members):
                    raise Bad("has a group that cannot be")
                listed |= set(members)
                groups[words[1]] = (needed, members)
            elif words[0] == b"quorum" and len(words) == 2 and quorum is None and words[1] in known | {b"none"}:
                quorum = words[1]
            else:
                raise Bad("has a line that is none of a policy")
        for keys in (logs, list(witnesses.values())):
            if len({k.public for k in keys}) != len(keys):
                raise Bad("lists one key twice")
        if quorum is None or not logs:
            raise Bad("names no quorum or no log")
    except Bad as error:
        raise Unusable(f"the policy {error}") from error
    return Policy(logs, witnesses, groups, quorum)


def read_checkpoint(data: bytes) -> Checkpoint:
    """Three lines of text, an empty line, signature lines; format.md has no extension lines."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Bad("is not UTF-8") from error
    if re.search(rb"[\x00-\x09\x0b-\x1f]", data) or b"\n\n" not in data or not data.endswith(b"\n"):
        raise Bad("is no signed note")
    end = data.rindex(b"\n\n") + 1
    text, signatures = data[:end], []
    for line in data[end + 1 : -1].split(b"\n"):
        words = line.split(b" ")
        if len(words) != 3 or words[0] != "—".encode() or not re.fullmatch(r"[^\s+]+", words[1].decode()):
            raise Bad("has a line that is no signature")
        raw = from_base64(words[2])
        signatures.append((words[1], raw[:4], raw[4:]))
    if len({signature[:2] for signature in signatures}) != len(signatures):
        raise Bad("has two signatures by one key")
    lines = text[:-1].split(b"\n")
    if len(lines) != 3 or not lines[0] or any(len(s[2]) == 0 for s in signatures):
        raise Bad("is no checkpoint of three lines and signatures")
    root = from_base64(lines[2])
    if len(root) != 32:
        raise Bad("has a root that is not 32 bytes")
    return Checkpoint(lines[0].decode(), number(lines[1]), root, text, signatures)


def signed(point: Checkpoint, by: Key, cosigned: bool) -> bool | None:
    """None without a signature of this key; False when one of its signatures does not hold."""
    result = None
    for name, id_, signature in point.signatures:
        if (name, id_) == (by.name, by.id):
            text = point.text
            if cosigned:  # tlog-cosignature, "Ed25519 signed message"
                at, signature = int.from_bytes(signature[:8]), signature[8:]
                text = b"cosignature/v1\ntime %d\n" % at + text
                result = False if at >= 2**63 else result
            try:
                Ed25519PublicKey.from_public_bytes(by.public).verify(signature, text)
                result = result is not False
            except (InvalidSignature, ValueError):
                result = False
    return result


def signature_faults(point: Checkpoint, policy: Policy, quorum: bool = True) -> Iterator[tuple[str, str]]:
    by_logs = [signed(point, k, False) for k in policy.logs if k.name == point.origin.encode()]
    if False in by_logs or True not in by_logs:
        yield "SIG", "its log signature does not hold" if False in by_logs else "is not signed by a log of the policy"
    reached = set()
    for name, witness in policy.witnesses.items():
        held = signed(point, witness, True)
        if held is False:
            yield "COSIG", f"the cosignature of {witness.name.decode(errors='replace')} does not hold"
        elif held:
            reached.add(name)
    for name, (needed, members) in policy.groups.items():
        if len(reached.intersection(members)) >= needed:
            reached.add(name)
    if quorum and policy.quorum not in reached | {b"none"}:
        yield "COSIG", "is not cosigned by the policy's quorum"


# ---- Tree (RFC 9162, section 2.1; C2SP tlog-tiles)


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def mth(hashes: list[bytes]) -> bytes:
    """Section 2.1.1: a node without a neighbour moves up as it is."""
    while len(hashes) > 1:
        pairs = [node(a, b) for a, b in zip(hashes[::2], hashes[1::2])]
        hashes = pairs + hashes[len(hashes) & ~1 :]
    return hashes[0] if hashes else hashlib.sha256(b"").digest()


def split(tile: bytes) -> list[bytes]:
    return [tile[at : at + 32] for at in range(0, len(tile), 32)]


def root_of(levels: list[list[bytes]]) -> bytes:
    """The root over the partial tiles: what the lower level leads to is the last node of the next."""
    below: list[bytes] = []
    for hashes in levels:
        below = [mth(hashes + below)] if hashes or below else []
    return mth(below)


class Tree:
    """Grows by leaves, keeps at most 256 hashes a level, hands over each full tile."""

    def __init__(self, full: Callable[[int, int, list[bytes]], None]) -> None:
        self.levels: list[list[bytes]] = []
        self.tiles: list[int] = []
        self.full = full

    def add(self, hash_: bytes, level: int = 0) -> None:
        if level == len(self.levels):
            self.levels.append([])
            self.tiles.append(0)
        self.levels[level].append(hash_)
        if len(self.levels[level]) == 256:
            hashes, self.levels[level] = self.levels[level], []
            self.full(level, self.tiles[level], hashes)
            self.tiles[level] += 1
            self.add(mth(hashes), level + 1)


def tile_path(level: int, index: int, width: int = 0) -> str:
    digits = str(index).zfill(-(-len(str(index)) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{'entries' if level == ENTRIES else level}/{name}" + (f".p/{width}" if width else "")


def tile_name(path: str) -> tuple[int, int, int] | None:
    """Level, index, and width (0 when full), when the path is spelled as tlog-tiles has it."""
    parts = re.fullmatch(r"tile/(entries|\d{1,2})/((?:x\d{3}/){0,6}\d{3})(?:\.p/(\d{1,3}))?", path, re.A)
    if not parts:
        return None
    level = ENTRIES if parts[1] == "entries" else int(parts[1])
    index, width = int(re.sub("[x/]", "", parts[2])), int(parts[3] or 0)
    return (level, index, width) if tile_path(level, index, width) == path and width < 256 else None


def halves(size: int) -> int:
    """The largest power of two below `size`, which is where RFC 9162 splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def inclusion(index: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """Section 2.1.3.1 read backwards: the root that leaf and proof lead to; uses the proof up."""
    if size == 1:
        return leaf
    if not proof:
        raise Bad("has too short a proof")
    half, last = halves(size), proof.pop()
    if index < half:
        return node(inclusion(index, half, leaf, proof), last)
    return node(last, inclusion(index - half, size - half, leaf, proof))


def consistency(old: int, new: int, known: bytes | None, proof: list[bytes]) -> tuple[bytes, bytes]:
    """Section 2.1.4.1 (SUBPROOF) read backwards: the roots at both sizes; `known` is the old root."""
    if old == new and known is not None:
        return known, known
    if not proof:
        raise Bad("has too short a proof")
    last = proof.pop()
    if old == new:
        return last, last
    half = halves(new)
    if old <= half:
        before, after = consistency(old, half, known, proof)
        return before, node(after, last)
    before, after = consistency(old - half, new - half, None, proof)
    return node(last, before), node(last, after)


# ---- Hashes, entries, payloads (format.md, "Hashes", "Entry")


def derived(what: str) -> bytes:
    return blake3(b"", derive_key_context=f"daybook 2026-11 {what} v1").digest()

K_LEDGER, K_GENESIS, K_CHAIN = derived("ledger id"), derived("genesis"), derived("chain")
K_PUBLIC, K_PRIVATE, K_STREAM = derived("public payload"), derived("private commitment"), derived("stream id")


def keyed(by: bytes, data: bytes) -> bytes:
    return blake3(data, key=by).digest()


def pad64(data: bytes) -> bytes:
    return data + bytes(-len(data) % 64)

Entry = collections.namedtuple("Entry", "magic type flags position recorded id ledger revision previous schema"
    " length occurred stream_no reserved stream actor public private link")


def entry_of(raw: bytes) -> Entry:
    return Entry._make(struct.unpack(">4sHHQQ16s16sQQIIqII32s32s32s32s32s", raw))


def form_faults(entry: Entry) -> Iterator[tuple[str, str]]:
    """Magic, schema, reserved bits; bit 1 (encrypted) needs bit 0, bit 2 is that of ledger.redacted alone."""
    if entry.magic != b"LGE1" or entry.schema != 1 or entry.length > PAYLOAD_MAX:
        yield "FORMAT", "the entry is not LGE1 with schema 1 and a payload of at most 16 MiB"
    if entry.flags >> 4 or entry.reserved or entry.flags & 3 == 2 or bool(entry.flags & 4) != (entry.type == REDACTED):
        yield "FORMAT", "the flags or the reserved bytes of the entry are not as they must be"
    if not entry.flags & 1 and entry.private != NO_HASH:
        yield "FORMAT", "the entry has a commitment but no private part"


def milliseconds(time: Any) -> int:
    """RFC 3339 to Unix milliseconds, rounded toward zero."""
    form = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,18}))?(Z|[+-]\d\d:\d\d)"
    parts = re.fullmatch(form, time if isinstance(time, str) else "", re.A)
    try:
        if not parts:
            raise ValueError
        whole = datetime.datetime.fromisoformat(parts[1] + parts[3].replace("Z", "+00:00"))
    except ValueError as error:
        raise Bad("states a time that is not RFC 3339") from error
    since = whole - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    exact = (since.days * 86400 + since.seconds) * 10**18 + int(((parts[2] or "") + "0" * 18)[:18])
    return exact // 10**15 if exact >= 0 else -(-exact // 10**15)


def public_payload(entry: Entry, public: bytes) -> dict[str, Any]:
    """The payload, when it is the one hashed and says the time that the entry says."""
    hash_ = keyed(K_PUBLIC, pad64(struct.pack(">II", entry.schema, len(public)) + public))
    if len(public) != entry.length or hash_ != entry.public:
        raise Bad("the public payload is not the one hashed")
    payload = from_json(public)
    if not isinstance(payload, dict) or not isinstance(payload.get("subject"), str) \
            or not isinstance(payload.get("body"), dict):
        raise Bad("the public payload has no subject or no body")
    if milliseconds(payload.get("occurred_at")) != entry.occurred:
        raise Bad("the public payload states another time than the entry")
    return payload


def is_private(entry: Entry, private: bytes) -> bool:
    """Whether salt || payload is what the entry commits to."""
    rest = private[32:]
    hash_ = keyed(K_PRIVATE, pad64(private[:32] + struct.pack(">II", entry.schema, len(rest)) + rest))
    return bool(entry.flags & 1) and 32 <= len(private) <= 32 + PAYLOAD_MAX and hash_ == entry.private
