"""A bundle: its files, checkpoint, tiles, entries, payloads and claim (format.md, "Bundle")."""
from __future__ import annotations
import bisect, functools, hashlib, os, re
from typing import Any
from blake3 import blake3
from verify_base import (
    BILLED, Bad, Checkpoint, ENTRIES, Entry, Faults, K_CHAIN, K_GENESIS, K_LEDGER, NOTE_MAX, NO_POSITION, PAYLOAD_MAX,
    Policy, REPORTED, entry_of, form_faults, from_json, is_private, keyed, leaf_hash, milliseconds, mth, plain,
    public_payload, read, read_checkpoint, root_of, signature_faults, split, tile_name, tile_path)

MANIFEST_MAX, DOCUMENT_MAX = 1 << 28, 1 << 26  # format.md, "Bundle"
NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
ABOUT: dict[str, dict[str, type]] = {  # the fields of a claim and their types
    "invoice": {"tenant": str, "period": str, "event": int, "document": str},
    "report": {"report": str, "event": int, "document": str},
    "identity": {"stream": str, "stream_no": int},
    "period": {"period": str, "start": str, "end": str},
}


def has(value: Any, fields: dict[str, type]) -> bool:
    """Whether this is an object of exactly these fields; in JSON, true is no number."""
    return isinstance(value, dict) and value.keys() == fields.keys() and all(
        type(value[name]) is kind for name, kind in fields.items())


def cited(document: Any) -> set[Any]:
    """Every number that is the value of a citing key, or in an array there, at any depth."""
    found, todo = set(), [(document, False)]
    while todo:
        value, cites = todo.pop()
        if isinstance(value, dict):
            todo += [(inner, name in ("evidence", "opened", "closed", "position")) for name, inner in value.items()]
        elif isinstance(value, list):
            todo += [(inner, cites) for inner in value]
        elif cites and type(value) in (int, float):
            found.add(value)
    return found


class Bundle:
    def __init__(self, root: str, policy: Policy, faults: Faults) -> None:
        self.root, self.policy, self.say = root, policy, faults.add
        self.listed: dict[str, tuple[str, int]] = {}
        self.hashes = functools.lru_cache(64)(self.read_hashes)
        self.positions: list[list[int]] = []
        self.newest: tuple[bytes, int, int] | None = None  # of the stream so far: id, revision, position
        self.shown = 0
        self.document: bytes | None = None

    def run(self) -> None:
        """The order of checks is that of format.md, "Bundle"; each goes on as far as what it needs is there."""
        self.manifest()
        self.unlisted()
        for path in self.listed:
            self.file(path)
        point, claim = self.checkpoint(), self.bundle_json()
        if not point:
            return
        if claim and (claim["origin"], claim["size"]) != (point.origin, point.size):
            self.say("bundle.json", "is of another origin or size than the checkpoint")
        entries = self.tiles(point)
        if claim:
            self.about, self.complete = claim["about"], claim["complete"]
            self.kind, self.span = self.about["kind"], (0, 0)
            self.before_entries()
            self.entries(point, entries)
            self.after_entries(point)
        print(f"{point.size} events in the tree, {self.shown} shown, "
              f"{sum(p.endswith('.tsr') for p in self.listed)} timestamps not checked")

    # -- files against the manifest

    def manifest(self) -> None:
        try:
            lines = read(self.root, "MANIFEST", MANIFEST_MAX).decode("latin-1").split("\n")
            if lines[0] != "daybook bundle 1" or lines[-1] != "":
                self.say("MANIFEST", "does not begin or end as it must")
            last = ""
            for line in lines[1:-1]:
                parts = re.fullmatch(rf"([0-9a-f]{{64}}) (0|[1-9][0-9]{{0,18}}) ({NAME}(?:/{NAME}){{0,11}})", line)
                if not parts or len(parts[3]) > 200 or parts[3] <= last or parts[3] == "MANIFEST":
                    self.say("MANIFEST", f"has a line that is none, or out of order: {line[:300]}")
                else:
                    last = parts[3]
                    self.listed[last] = (parts[1], int(parts[2]))
        except Bad as error:
            self.say("MANIFEST", str(error))
        for path in ("checkpoint", "bundle.json"):
            if path not in self.listed:
                self.say(path, "is not listed in MANIFEST")

    def unlisted(self) -> None:
        for folder, folders, names in os.walk(self.root):
            for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
                path = os.path.relpath(os.path.join(folder, name), self.root).replace(os.sep, "/")
                if path != "MANIFEST" and path not in self.listed:
                    self.say(path, "is here and not listed in MANIFEST")

    def file(self, path: str) -> None:
        digest, length = self.listed[path]
        try:
            at, hasher = plain(self.root, path), blake3()
            if at is None or os.path.getsize(at) != length:
                raise Bad("is missing or not as long as MANIFEST says")
            with open(at, "rb") as file:
                while chunk := file.read(1 << 20):
                    hasher.update(chunk)
            if hasher.hexdigest() != digest:
                raise Bad("has not the hash that MANIFEST says")
            known = rf"checkpoint|bundle\.json|(payload|private)/(0|[1-9][0-9]*)|document/{NAME}|timestamp/{NAME}"
            if not re.fullmatch(known, path) and not tile_name(path):
                raise Bad("is no file of a bundle")
        except Bad as error:
            self.say(path, str(error))

    # -- checkpoint and claim as such

    def checkpoint(self) -> Checkpoint | None:
        try:
            point = read_checkpoint(read(self.root, "checkpoint", NOTE_MAX))
        except Bad as error:
            return self.say("checkpoint", str(error))
        for _, what in signature_faults(point, self.policy):
            self.say("checkpoint", what)
        for path in self.listed:
            if path.startswith("timestamp/"):
                self.stamped(path, point)
        return point

    def stamped(self, path: str, point: Checkpoint) -> None:
        """A token and the bytes that were stamped go together; these are a checkpoint of the same text."""
        name, dot, kind = path.rpartition(".")
        other = {"tsr": "checkpoint", "checkpoint": "tsr"}.get(kind)
        try:
            if not dot or f"{name}.{other}" not in self.listed:
                raise Bad("is no timestamp beside the checkpoint that was stamped")
            if kind == "checkpoint" and read_checkpoint(read(self.root, path, NOTE_MAX)).text != point.text:
                raise Bad("is not the checkpoint of this bundle")
        except Bad as error:
            self.say(path, str(error))

    def bundle_json(self) -> dict[str, Any] | None:
        fields = {"bundle": int, "origin": str, "size": int, "about": dict, "complete": bool, "positions": list}
        try:
            claim = from_json(read(self.root, "bundle.json", DOCUMENT_MAX))
            if not has(claim, fields) or claim["bundle"] != 1:
                raise Bad("has not the fields that it must")
            kind = claim["about"].get("kind")
            if type(kind) is not str or kind not in ABOUT or not has(claim["about"], ABOUT[kind] | {"kind": str}):
                raise Bad("claims what is no claim")
            last = -1
            for part in claim["positions"]:
                if not isinstance(part, list) or [type(n) for n in part] != [int, int] \
                        or not last < part[0] < part[1] <= claim["size"]:
                    raise Bad("has positions that are not ascending and apart")
                last = part[1]
        except Bad as error:
            return self.say("bundle.json", str(error))
        self.positions = claim["positions"]
        return claim

    def is_shown(self, position: int) -> bool:
        return self.shows(position, position + 1)

    def shows(self, start: int, end: int) -> bool:
        """Whether any position from start up to end is among those shown."""
        at = bisect.bisect_left(self.positions, [end]) - 1
        return at >= 0 and self.positions[at][1] > start

    # -- tiles

    def tiles(self, point: Checkpoint) -> list[tuple[int, int, str]]:
        """Partial tiles lead to the root, each full tile to the hash above it; gives the entry bundles."""
        levels, found, entries = [], True, []
        for level in range(-(-point.size.bit_length() // 8)):
            width = point.size >> 8 * level & 255
            path = tile_path(level, point.size >> 8 * (level + 1), width)
            levels.append(self.hashes(path, width) if width else [])
            found &= len(levels[-1]) == width
        if found and root_of(levels) != point.root:
            self.say("checkpoint", "the partial tiles at the right edge do not lead to its root")
        tiles = {path: name for path in self.listed if (name := tile_name(path))}
        asked = {(level + 1, index >> 8 if level >= 0 else index) for level, index, _ in tiles.values()}
        for path, (level, index, width) in tiles.items():
            depth = 0 if level == ENTRIES else level
            full, edge = point.size >> 8 * (depth + 1), point.size >> 8 * depth & 255
            if not (width == 0 and index < full or width == edge != 0 and index == full):
                self.say(path, "is no tile of a tree of this size")
            elif level == ENTRIES:
                entries.append((index, width or 256, path))
            elif not width:
                self.full_tile(level, index, path, point.size)
                if (level, index) not in asked:
                    self.say(path, "is asked for by nothing in the bundle")
        return sorted(entries)

    def read_hashes(self, path: str, width: int) -> list[bytes]:
        """The hashes of a tile; none when it is not as it must be."""
        try:
            tile = split(read(self.root, path, 8192)) if path in self.listed else []
        except Bad:
            tile = []
        if len(tile) != width or len(tile[-1]) != 32:
            self.say(path, f"is needed with {width} hashes and is not here")
            return []
        return tile

    def full_tile(self, level: int, index: int, path: str, size: int) -> None:
        above = index >> 8
        width = 256 if above < size >> 8 * (level + 2) else size >> 8 * (level + 1) & 255
        mine, theirs = self.hashes(path, 256), self.hashes(tile_path(level + 1, above, width & 255), width)
        if mine and theirs and mth(mine) != theirs[index & 255]:
            self.say(path, "does not lead to the hash above it")

    # -- entries and payloads

    def entries(self, point: Checkpoint, bundles: list[tuple[int, int, str]]) -> None:
        ledger, chain = keyed(K_LEDGER, point.origin.encode())[:16], keyed(K_GENESIS, point.origin.encode())
        next_, seen = 0, 0  # the position that `chain` leads to, and how many entries are here
        for index, width, path in bundles:
            try:
                data = read(self.root, path, 258 * 256)
                if len(data) != 258 * width or any(data[at : at + 2] != b"\x01\x00" for at in range(0, len(data), 258)):
                    raise Bad(f"is not {width} entries of 256 bytes")
            except Bad as error:
                self.say(path, str(error))
                continue
            if not (self.complete or self.shows(256 * index, 256 * index + width)):
                self.say(path, "is asked for by nothing in the bundle")
            leaves = self.hashes(tile_path(0, index, width & 255), width)
            for n in range(width):
                position, raw = index * 256 + n, data[258 * n + 2 : 258 * n + 258]
                entry = entry_of(raw)
                here = f"{path} #{position}"
                if leaves and leaf_hash(raw) != leaves[n]:
                    self.say(here, "the entry does not lead to its hash in the tile")
                if (entry.position, entry.ledger) != (position, ledger):
                    self.say(here, "the entry is of another position or ledger")
                for _, what in form_faults(entry):
                    self.say(here, what)
                if position == next_ and entry.link != chain:
                    self.say(here, "the entry does not carry the chain value of the one before")
                chain, next_, seen = keyed(K_CHAIN, raw), position + 1, seen + 1
                self.event(position, entry, here)
        if self.complete and seen != point.size:
            self.say("bundle.json", f"says complete, and {point.size - seen} entries are not here")

    def event(self, position: int, entry: Entry, here: str) -> None:
        """The payloads of one entry, and what the claim says about it."""
        payload = None
        if self.is_shown(position):
            self.shown += 1
            payload = self.payload(position, entry)
        if self.kind == "period" and self.span[0] <= entry.occurred < self.span[1] and not self.is_shown(position):
            self.say("bundle.json", f"#{position} is in the period and not shown")
        if self.kind == "identity" and entry.stream_no == self.about["stream_no"]:
            stream, revision, before = self.newest or (entry.stream, -1, NO_POSITION)
            if (entry.stream, entry.revision, entry.previous) != (stream, revision + 1, before):
                self.say(here, "the stream is not whole: another event should come before")
            if not self.is_shown(position):
                self.say("bundle.json", f"#{position} is of the stream and not shown")
            if payload and payload["subject"] != self.about["stream"]:
                self.say(f"payload/{position}", "is of another stream than the claim")
            self.newest = (entry.stream, entry.revision, position)
        if self.kind in ("invoice", "report") and position == self.about["event"] and payload:
            self.committed(entry, payload["body"])

    def payload(self, position: int, entry: Entry) -> dict[str, Any] | None:
        path, private = f"payload/{position}", f"private/{position}"
        if private in self.listed:
            try:
                if not is_private(entry, read(self.root, private, 32 + PAYLOAD_MAX)):
                    raise Bad("is not the private part committed to")
            except Bad as error:
                self.say(private, str(error))
        try:
            return public_payload(entry, read(self.root, path, PAYLOAD_MAX))
        except Bad as error:
            return self.say(path, str(error))

    # -- the claim

    def before_entries(self) -> None:
        for path in self.listed:
            folder, _, name = path.partition("/")
            if folder in ("payload", "private") and name.isdigit() and not self.is_shown(int(name[:20])):
                self.say(path, "is not among the positions of bundle.json")
            if folder == "document" and path != self.about.get("document"):
                self.say(path, "is not the document of the claim")
        try:
            if self.kind == "period":
                self.span = (milliseconds(self.about["start"]), milliseconds(self.about["end"]))
                if not self.complete or self.span[0] >= self.span[1]:
                    raise Bad("claims a period and is not complete, or the period is empty")
        except Bad as error:
            self.say("bundle.json", str(error))
        if self.kind in ("invoice", "report"):
            path = self.about["document"]
            try:
                if path not in self.listed or not path.startswith("document/"):
                    raise Bad("claims a document that is not here")
                self.document = read(self.root, path, DOCUMENT_MAX)
                for position in sorted(cited(from_json(self.document))):
                    if type(position) is not int or not self.is_shown(position):
                        self.say(path, f"cites {position}, which is not shown")
            except Bad as error:
                self.say(path if path in self.listed else "bundle.json", str(error))
            if not self.is_shown(self.about["event"]):
                self.say("bundle.json", "the event of the claim is not shown")

    def committed(self, entry: Entry, body: dict[str, Any]) -> None:
        about, document = self.about, self.document or b""
        if self.kind == "invoice":
            type_, digest = BILLED, hashlib.sha256(document).hexdigest()
            names, held = {"tenant": "tenant", "period": "period"}, body.get("result_sha256")
        else:
            type_, digest = REPORTED, blake3(document).hexdigest()
            names, held = {"report": "report"}, body.get("digest")
        if entry.type != type_ or any(body.get(theirs) != about[ours] for ours, theirs in names.items()):
            self.say("bundle.json", "the event is not the one claimed")
        if self.document is not None and held != digest:
            self.say(about["document"], "is not the document that the event commits to")

    def after_entries(self, point: Checkpoint) -> None:
        if self.shown != sum(end - start for start, end in self.positions):
            self.say("bundle.json", "names positions whose entries are not here")
        if self.kind == "identity" and not self.newest:
            self.say("bundle.json", "no event of the stream is here")
