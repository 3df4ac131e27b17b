"""The ledger's folder, streamed: each segment, entry, payload, tile and checkpoint (format.md, "Folder",
"Segment", "Faults"). Memory: 24 bytes an event to find ids that occur twice, and what one event needs."""
from __future__ import annotations
import mmap, os, re, struct, subprocess, tomllib, zlib
from contextlib import nullcontext
from typing import Any, BinaryIO, Callable, Iterator
from blake3 import blake3
from verify_base import (
    Bad, Checkpoint, CONFLICTED, CORROBORATED, CREATED, ENTRIES, Entry, Faults, K_CHAIN, K_GENESIS, K_LEDGER, K_STREAM,
    Key, NO_HASH, NO_POSITION, NOTE_MAX, PAYLOAD_MAX, Policy, REDACTED, ROTATED, Tree, Unusable, entry_of, form_faults,
    is_private, key, keyed, leaf_hash, plain, public_payload, read, read_checkpoint, read_given, root_of,
    signature_faults, signed, split, tile_name, tile_path)

RECORD, PRUNED_RECORD, COMMIT, SEAL = b"RECD", b"PRND", b"CMIT", b"SEAL"
NOT_ZERO, KINDS = re.compile(rb"[^\0]"), re.compile(rb"RECD|PRND|CMIT|SEAL")
PRUNED, ACTIVITY = 0x0B0A, {0x0501: "activity.signed_in", 0x0502: "activity.sign_in_failed",
                            0x0503: "activity.sign_in_blocked"}
SEALED_MIN = 24 + 32 + 16  # nonce, salt, tag
UNPACKED_MAX = 256 << 20  # bytes of a segment that may be packed
FRAME_MAX = 256 + PAYLOAD_MAX + SEALED_MIN + PAYLOAD_MAX


def unpacked(file: BinaryIO) -> tuple[bytes, bool]:
    """A packed segment as it was, as far as it can be unpacked ("Packed segments"), and whether that is all:
    by Python 3.14, by the package `zstandard` or by the program `zstd`."""
    try:
        from compression.zstd import ZstdFile
        stream: Any = ZstdFile(file)
    except ImportError:
        try:
            from zstandard import ZstdDecompressor
            stream = ZstdDecompressor().stream_reader(file, read_across_frames=True)
        except ImportError:
            stream = None
    parts, left, whole = [], UNPACKED_MAX, True
    try:
        with subprocess.Popen(["zstd", "-dcq"], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) \
                if stream is None else nullcontext() as program:
            source = program.stdout if program else stream
            while left > 0 and (part := source.read(min(left, 1 << 20))):
                parts.append(part)
                left -= len(part)
            whole = left > 0
        whole = whole and not (program and program.returncode)
    except FileNotFoundError as error:
        raise Unusable("packed segments need Python 3.14, the package zstandard or the program zstd") from error
    except Exception:  # each of the three has errors of its own for bytes that are not zstd's
        whole = False
    return b"".join(parts), whole


class Frames:
    """The frames of a segment, twice over: first for the last commit, then to read."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self.data = data
        self.budget = 8 * len(data)  # bytes hashed for frames that are none: hostile lengths cost no more

    def end(self, at: int) -> tuple[int, bool]:
        """Where the frame at this place ends (0: it is none), and whether its CRC-32 fits."""
        if at + 12 > len(self.data) or not KINDS.match(self.data, at):
            return 0, False
        head = self.data[at : at + 12]
        length, crc = struct.unpack(">II", head[4:])
        end = at + 12 + length
        if length > FRAME_MAX or end > len(self.data) or self.budget < 0:
            return 0, False
        fits = zlib.crc32(self.data[at + 12 : end], zlib.crc32(head[:8])) == crc
        self.budget -= 0 if fits else length + 1024
        return end, fits

    def next(self, at: int) -> int:
        """The next intact frame behind damage, or the end of the file."""
        for found in KINDS.finditer(self.data, at):
            if self.end(found.start())[1]:
                return found.start()
            if self.budget < 0:
                break
        return len(self.data)

    def __iter__(self) -> Iterator[tuple[bytes, int, int, int, bool]]:
        """(kind, start, body, end, intact); kind b"" for bytes that are no frame."""
        at = 96
        while NOT_ZERO.match(self.data, at) or NOT_ZERO.search(self.data, at):
            end, fits = self.end(at)
            if fits or end and (self.end(end)[0] or not NOT_ZERO.search(self.data, end)):
                yield self.data[at : at + 4], at, at + 12, end, fits
            else:
                end = self.next(at + 1)
                yield b"", at, at, end, False
            at = end


class Ledger:
    def __init__(self, root: str, policy: Policy | None, faults: Faults) -> None:
        self.root, self.policy, self.faults, self.file = root, policy, faults, "ledger.toml"
        self.origin, self.network, self.id, self.blind = "", "", b"", b""  # empty: not known, nothing held against it
        self.size, self.recorded, self.sealed, self.held, self.batch = 0, 0, 0, 0, 0
        self.head: bytes | None = None  # chain value of the newest entry; None behind missing positions
        self.whole, self.damaged = True, False  # no position is missing so far; bytes before were no frame
        self.tree = Tree(self.tile)
        self.streams: dict[int, tuple[bytes, int, int]] = {}  # number: id, revision, position of the newest
        self.stream_ids: set[bytes] = set()
        self.begun, self.span = 0, list[int]()  # of the segment: first position; recorded at, occurred at: from, to
        self.ids = [bytearray() for _ in range(256)]
        self.missing: list[tuple[int, str, list[str]]] = []  # position, file, blinded names it may be erased under
        self.lacking: list[tuple[int, str, str]] = []  # pruned records: position, file, type that may be pruned
        self.prunings: list[tuple[int, int, set[str]]] = []  # position, below, types
        self.may_lack = False
        self.redacted: dict[str, int] = {}  # blinded name: position of its newest erasure
        self.older: list[tuple[Checkpoint, str]] = []  # of the ladder, signed by no key of the policy
        self.replaced: list[Key] = []
        self.ended: dict[Key, int] = {}  # the position from which on a replaced key signs no more
        self.points: list[tuple[int, bytes, str]] = []  # size, root, file; the largest first

    def say(self, class_: str, what: str, file: str = "", position: int | None = None) -> None:
        self.faults.add(f"#{self.size if position is None else position} {class_} {file or self.file}", what)

    def run(self, against: list[str]) -> None:
        self.settings()
        self.checkpoints(against)
        found = (name for name in os.listdir(self.root) if re.fullmatch(r"[0-9]{20}\.seg(\.zst)?", name))
        names = list({name[:20]: name for name in sorted(found, reverse=True)}.values())[::-1]  # both: the plain one
        for name in names:
            self.file = name
            try:
                with open(plain(self.root, name) or "", "rb") as file:
                    if name.endswith(".zst"):
                        data, whole = unpacked(file)
                        if not whole:
                            self.say("FRAME", "cannot be unpacked, or not to its end")
                        self.segment(data, int(name[:20]), name == names[-1])
                        continue
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                        self.segment(data, int(name[:20]), name == names[-1])
            except (Bad, ValueError) as error:  # a link, or a file of no bytes
                self.say("HEADER", str(error))
        self.finish()

    def settings(self) -> None:
        """Exactly four lines ("Folder"); the id is that of the origin ("Entry")."""
        try:
            text = read(self.root, "ledger.toml", 4096)
        except Bad as error:
            raise Unusable(f"this is no ledger: ledger.toml {error}") from error
        form = (rb'format_version = 1\norigin = ("[^\n]+"|\'[^\n]+\')\n'
                rb'ledger_id = "([0-9a-f]{32})"\nprivate_network = (true|false)\n')
        try:
            lines = re.fullmatch(form, text)
            origin = tomllib.loads(text.decode())["origin"] if lines else ""
        except ValueError:
            origin = ""
        if not lines or not re.fullmatch(r"[^\s+\x00-\x1f\x7f]+", origin) or len(origin.encode()) > 255:
            self.say("SETTINGS", "is not the four lines it must be")
        elif keyed(K_LEDGER, origin.encode())[:16].hex().encode() != lines[2]:
            self.say("SETTINGS", "the ledger id is not that of the origin")
        else:
            self.origin, self.network = origin, lines[3].decode()
            self.id, self.head = keyed(K_LEDGER, origin.encode())[:16], keyed(K_GENESIS, origin.encode())
        try:
            self.blind = read(self.root, "blind.key", 32)
            if len(self.blind) != 32:
                self.say("BLIND", "is not 32 bytes", "blind.key", 0)
                self.blind = b""
        except Bad as error:
            print(f"note: blind.key {error}: names are not held against blinded ids")

    def checkpoints(self, against: list[str]) -> None:
        """The newest and every given one must reach the quorum; the ladder needs the log's signature."""
        self.checkpoint("checkpoint", lambda: read(self.root, "checkpoint", NOTE_MAX), True)
        ladder = os.path.join(self.root, "checkpoints")
        for name in sorted(os.listdir(ladder) if os.path.isdir(ladder) and not os.path.islink(ladder) else []):
            path = f"checkpoints/{name}"
            size = self.checkpoint(path, lambda: read(self.root, path, NOTE_MAX), False)
            if size is not None and name != f"{size:020}":
                self.say("SIG", "is not named by its size", path, size)
        for path in against:
            self.checkpoint(os.path.basename(path), lambda: read_given(path, NOTE_MAX), True)
        self.points.sort(reverse=True)
        self.reached()

    def checkpoint(self, file: str, load: Callable[[], bytes], newest: bool) -> int | None:
        try:
            point = read_checkpoint(load())
        except Bad as error:
            if str(error) == "is missing":
                print(f"note: {file} is missing")
            else:
                self.say("SIG", str(error), file, 0)
            return None
        if self.origin and point.origin != self.origin:
            self.say("LEDGER", "is of another origin", file, point.size)
        elif self.policy and not newest and all(signed(point, by, False) is None for by in self.policy.logs):
            self.older.append((point, file))
        elif self.policy:
            for class_, what in signature_faults(point, self.policy, newest):
                self.say(class_, what, file, point.size)
        self.points.append((point.size, point.root, file))
        return point.size

    def reached(self) -> None:
        """Holds the tree against the checkpoints of the size that it has now ("Tree")."""
        while self.points and self.points[-1][0] == self.size:
            _, root, file = self.points.pop()
            if self.whole and root_of(self.tree.levels) == root:
                self.held = self.size
            else:
                self.say("ROOT", "the entries do not lead to its root", file, self.held)

    def segment(self, data: mmap.mmap | bytes, first: int, last: bool) -> None:
        """Header, frames, zeros. Only what the last commit or footer covers is part of the ledger."""
        self.header(data[:96], first)
        frames = Frames(data)
        covered = max((end for kind, _, _, end, fits in frames if fits and kind in (COMMIT, SEAL)), default=0)
        self.begun, self.batch, self.span = self.size, 0, []
        footer, tail = 0, ""  # where the footer ends; the class of what follows the last commit
        for kind, at, body, end, fits in frames:
            if at >= covered:
                tail = "COMMIT" if kind in (RECORD, PRUNED_RECORD) or tail == "COMMIT" else "TAIL"
                continue
            if footer:
                self.say("SEAL", f"bytes at {at} follow the footer")
            if kind in (RECORD, PRUNED_RECORD):
                if kind == PRUNED_RECORD and not self.may_lack:
                    self.say("HEADER", "a pruned record stands in a segment of version 1")
                self.record(data[body:end], fits, kind == PRUNED_RECORD)
            elif kind == COMMIT:
                self.commit(data[body:end], fits)
            elif kind == SEAL:
                self.footer(data, at, data[body:end], fits)
                footer = end
            else:
                self.say("FRAME", f"bytes at {at} are no frame")
                self.damaged = True
        if footer and footer != len(data):
            self.say("TAIL", "bytes follow the footer")
        elif tail:
            self.say(tail, "records without a commit frame, or bytes that are no frame, follow the last commit")
        if not last and not footer:
            self.say("SEAL", "has no footer though it is not the last segment")
        if last and footer and plain(self.root, f"{self.size:020}.seg.tmp") is None:
            self.say("TRUNCATED", "is sealed and its successor is missing")

    def header(self, head: bytes, first: int) -> None:
        fields = struct.unpack(">8sI16sQ32s24sI", head) if len(head) == 96 else None
        self.may_lack = not fields or fields[1] == 2
        if not fields or fields[0] != b"DAYBKSEG" or fields[1] not in (1, 2) or any(fields[5]) or fields[6] != zlib.crc32(head[:92]):
            self.say("HEADER", "the header is damaged")
        else:
            if self.id not in (b"", fields[2]) or fields[3] != first:
                self.say("HEADER", "the header is of another ledger or place")
            first = fields[3]
            if first == self.size and self.head not in (None, fields[4]):
                self.say("HEADER", "the header does not carry the chain value of the record before")
        if first > self.size:
            self.gap(first)
        elif first < self.size:
            self.say("HEADER", f"begins at {first}, not where the segment before ends")

    def gap(self, position: int) -> None:
        self.say("GAP", f"positions {self.size} to {position - 1} are missing")
        self.size, self.head, self.whole = position, None, False

    def commit(self, body: bytes, fits: bool) -> None:
        begun = self.size - self.batch
        if not fits or len(body) != 48:
            self.say("COMMIT", "the commit frame is damaged", position=begun)
        else:
            first, records, chain = struct.unpack(">QQ32s", body)
            if (first, records) != (begun, self.batch) or self.head not in (None, chain) or not records:
                self.say("COMMIT", "the commit frame does not fit its batch", position=begun)
        self.batch = 0

    def footer(self, data: mmap.mmap | bytes, at: int, body: bytes, fits: bool) -> None:
        if self.batch:
            self.say("COMMIT", "records before the footer have no commit frame", position=self.size - self.batch)
        with memoryview(data) as whole, whole[:at] as before:
            digest = blake3(before).digest()
        expected = struct.pack(">32sQQQQqq32s", digest, self.begun, self.size - self.begun,
                               *(self.span or [0, 0, 0, 0]), self.head or bytes(32))
        if not fits or body != expected:
            self.say("SEAL", "the segment is not the one its footer was written for")

    def record(self, body: bytes, fits: bool, pruned: bool) -> None:
        if not fits:
            self.say("FRAME", "the record's bytes do not match their CRC")
        if len(body) < 256:
            self.say("FORMAT", "the record is too short for an entry")
            self.size, self.head, self.whole, self.batch = self.size + 1, None, False, self.batch + 1
            return
        entry = entry_of(body[:256])
        if self.damaged and self.size < entry.position < 2**63:
            self.batch += entry.position - self.size
            self.gap(entry.position)
        self.damaged = False
        for class_, what in self.entry_faults(entry):
            self.say(class_, what)
        if pruned and len(body) == 256 and entry.length:
            self.lacking.append((self.size, self.file, ACTIVITY.get(entry.type, "")))
        else:
            self.payloads(entry, body[256 : 256 + entry.length], body[256 + entry.length :])
        self.stream_ids.add(entry.stream)
        stream = self.streams.get(entry.stream_no, (entry.stream,))[0]
        self.streams[entry.stream_no] = (stream, entry.revision, self.size)
        self.recorded = max(self.recorded, entry.recorded)
        low, high = self.span[2:] or (entry.occurred, entry.occurred)
        self.span = [self.span[0] if self.span else entry.recorded, entry.recorded,
                     min(low, entry.occurred), max(high, entry.occurred)]
        self.ids[entry.id[0]] += entry.id + struct.pack(">Q", self.size)
        self.head = keyed(K_CHAIN, body[:256])
        self.size, self.batch = self.size + 1, self.batch + 1
        if self.whole:
            self.tree.add(leaf_hash(body[:256]))
        self.reached()

    def entry_faults(self, entry: Entry) -> Iterator[tuple[str, str]]:
        yield from form_faults(entry)
        if self.size == 0 and entry.type != CREATED:
            yield "FORMAT", "the first event is not ledger.created"
        if entry.position != self.size:
            yield "SEQ", f"the entry says position {entry.position}"
        if self.id not in (b"", entry.ledger):
            yield "LEDGER", "the entry carries another ledger's id"
        if self.head not in (None, entry.link):
            yield "LINK", "the entry does not carry the chain value of the one before"
        if entry.recorded < self.recorded:
            yield "TIME", "recorded time goes back"
        before = self.streams.get(entry.stream_no)
        expected = (entry.stream, 0, NO_POSITION) if before is None else (before[0], before[1] + 1, before[2])
        lost = not self.whole and entry.revision > expected[1]  # by the missing positions
        new = before is None and (entry.stream_no != len(self.streams) or entry.stream in self.stream_ids)
        if not lost and (new or (entry.stream, entry.revision, entry.previous) != expected):
            yield "STREAM", "the stream's number, id, revision or previous position does not continue it"

    def payloads(self, entry: Entry, public: bytes, private: bytes) -> None:
        body: dict = {}
        try:
            payload = public_payload(entry, public)
            body = payload["body"]
            self.name(entry, payload["subject"].encode(errors="surrogatepass"))
        except Bad as error:
            self.say("PUBLIC", str(error))
        if self.size == 0:
            self.first(body)
        if entry.type == ROTATED:
            self.rotation(body)
        if entry.type == REDACTED:
            self.redacted[str(body.get("id"))] = self.size
        if entry.type == PRUNED and isinstance(body.get("below"), int) and isinstance(body.get("types"), list):
            self.prunings.append((self.size, body["below"], {str(name) for name in body["types"]}))
            if body["below"] > self.size:
                self.say("FORMAT", "the pruning says it holds beyond its own position")
        if entry.flags & 1 and not private:
            subject = body.get("subject") if entry.type in (CORROBORATED, CONFLICTED) else entry.stream.hex()
            self.missing.append((self.size, self.file, [str(subject), entry.actor.hex()]))
        elif entry.flags & 2 and len(private) >= SEALED_MIN:
            self.sealed += 1
        elif private and not is_private(entry, private):
            self.say("PRIVATE", "the private part is not the one committed to")

    def rotation(self, body: dict) -> None:
        """The ladder up to the end of a rotation may be signed by the old key alone ("Checkpoints and keys")."""
        try:
            old = key(str(body.get("old")).encode(), 1)
        except Bad as error:
            return self.say("PUBLIC", f"the rotation's old key {error}")
        self.replaced.append(old)
        if body.get("state") == "ended":
            self.ended.setdefault(old, self.size)

    def name(self, entry: Entry, name: bytes) -> None:
        """With blind.key at hand: the stream's id is its blinded name ("Entry")."""
        if self.blind and keyed(self.blind, K_STREAM + struct.pack(">I", len(name)) + name) != entry.stream:
            if self.size == 0:
                self.say("BLIND", "is not the key the first event was written with", "blind.key")
                self.blind = b""
            else:
                self.say("STREAM", "the stream's id is not its blinded name")

    def first(self, body: dict) -> None:
        network = str(body.get("private_network")).lower()
        if self.origin and (body.get("origin"), network) != (self.origin, self.network):
            self.say("SETTINGS", "differs from the first event", "ledger.toml")

    def tile(self, level: int, index: int, hashes: list[bytes]) -> None:
        """A full tile of the folder against the entries' tree; a missing one is no fault ("Tree")."""
        path, begin = tile_path(level, index), index << 8 * (level + 1)
        try:
            if plain(self.root, path) is None:
                return None
            kept = read(self.root, path, 8192)
        except Bad as error:
            return self.say("TILE", str(error), path, begin)
        if len(kept) != 8192 or NO_HASH in split(kept):
            return self.say("TILE", "is not 256 hashes", path, begin)
        for n, (ours, theirs) in enumerate(zip(hashes, split(kept))):
            if ours != theirs and level == 0:
                self.say("LEAF", "holds another hash than the entry leads to", path, index * 256 + n)
            elif ours != theirs:
                self.say("TILE", f"hash {n} is not the root of the tile below", path, begin)

    def finish(self) -> None:
        for size, _, file in reversed(self.points):
            self.say("SIZE", f"the ledger ends before the checkpoint's size {size}", file)
        for point, file in self.older:
            if not any(signed(point, old, False) and point.size <= self.ended.get(old, NO_POSITION)
                       for old in self.replaced):
                self.say("SIG", "is not signed by a log of the policy or a key it replaced", file, point.size)
        for position, file, names in self.missing:
            if not any(self.redacted.get(name, -1) > position for name in names):
                self.say("PRIVATE_MISSING", "the private part is gone and no erasure is on record", file, position)
        for position, file, name in self.lacking:
            if not any(by > position and by >= below > position and name in types
                       for by, below, types in self.prunings):
                self.say("PAYLOAD_MISSING", "the payload is gone and no pruning is on record", file, position)
        if self.size == 0:
            self.say("TRUNCATED", "there is no event at all")
        for bucket in self.ids:
            rows = sorted(bytes(bucket[at : at + 24]) for at in range(0, len(bucket), 24))
            for one, other in zip(rows, rows[1:]):
                if one[:16] == other[:16]:
                    self.say("DUP_ID", f"has the event id of #{int.from_bytes(one[16:])}", "entry",
                             int.from_bytes(other[16:]))
        for folder, _, names in os.walk(os.path.join(self.root, "tile")):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/")
                tile = tile_name(path)
                if tile and tile[0] != ENTRIES and not tile[2] and (tile[1] + 1) << 8 * (tile[0] + 1) > self.size:
                    self.say("TILE", "lies beyond the newest entry", path)
        root = root_of(self.tree.levels).hex() if self.whole else "unknown, positions are missing"
        sealed = f", {self.sealed} private parts sealed and not opened" if self.sealed else ""
        sealed += f", {len(self.lacking)} payloads pruned" if self.lacking else ""
        unchecked = "" if self.policy else ", signatures not checked: no policy"
        print(f"{self.size} events, head {(self.head or b'').hex()}, root {root}{sealed}{unchecked}; "
              f"{self.faults.count} faults")
