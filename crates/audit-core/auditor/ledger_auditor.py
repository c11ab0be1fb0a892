#!/usr/bin/env python3
"""Checks an exported ledger, or a file of proofs, with nothing but Python 3.8 or later.

    ledger_auditor.py verify FOLDER --key KEY [--checkpoint FILE]... [--now TIME] [--json]
    ledger_auditor.py proof FILE --key KEY [--json]

It shares no code with the program that wrote the ledger. README.md beside it says what each
rule means. Exit code: 0 nothing is wrong, 1 something is, 2 the call is wrong.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import sys

# ---------------------------------------------------------------------------------------------
# Ed25519 (RFC 8032), verification only. Slow and plain: there is no secret to protect here.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * SQRT_MINUS_1 % P
    if (x * x - square) % P != 0 or (x == 0 and sign):
        return None
    return P - x if x % 2 != sign else x


def point(encoded):
    """A point as (X, Y, Z, T), or None when the 32 bytes are none."""
    number = int.from_bytes(encoded, "little")
    y, sign = number % 2**255, number >> 255
    x = recover_x(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n, p):
    total = (0, 1, 1, 0)
    while n > 0:
        if n % 2:
            total = add(total, p)
        p = add(p, p)
        n //= 2
    return total


def same(p, q):
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
NEUTRAL = (0, 1, 1, 0)


def signature_is_right(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    # Points of small order would let one signature fit several messages.
    if same(times(8, key), NEUTRAL) or same(times(8, r), NEUTRAL):
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    h = int.from_bytes(digest, "little") % ORDER
    return same(times(s, BASE), add(r, times(h, key)))


# ---------------------------------------------------------------------------------------------
# The Merkle tree (RFC 6962 section 2.1).


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(entry):
    return sha256(b"\0", entry)


def node_hash(left, right):
    return sha256(b"\1", left, right)


class Tree:
    """Grows leaf by leaf and keeps the roots of its complete subtrees, largest first."""

    def __init__(self):
        self.size, self.roots = 0, []

    def push(self, leaf):
        size = self.size
        while size % 2:
            leaf = node_hash(self.roots.pop(), leaf)
            size //= 2
        self.roots.append(leaf)
        self.size += 1

    def root(self):
        if not self.roots:
            return sha256()
        root = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.push(leaf)
    return tree.root()


def inclusion_is_proven(index, size, leaf, path, root):
    if index >= size:
        return False
    node, last = index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if node % 2 == 1 or node == last:
            leaf = node_hash(sibling, leaf)
            while node % 2 == 0 and node > 0:
                node, last = node // 2, last // 2
        else:
            leaf = node_hash(leaf, sibling)
        node, last = node // 2, last // 2
    return last == 0 and leaf == root


# ---------------------------------------------------------------------------------------------
# Keys, notes and checkpoints (C2SP signed-note, tlog-checkpoint).


class Wrong(Exception):
    """What was read is not what it should be."""


def unbase64(text):
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        raise Wrong("not base64") from None
    if base64.b64encode(value).decode() != text:
        raise Wrong("not base64 in its only form")
    return value


def is_control(character):
    return character < " " or "\x7f" <= character <= "\x9f"


def is_key_name(name):
    bad = any(c == "+" or c.isspace() or is_control(c) for c in name)
    return 1 <= len(name.encode("utf-8", "surrogatepass")) <= 255 and not bad


def read_key(text):
    parts = text.split("+", 2)
    if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]) or not is_key_name(parts[0]):
        raise Wrong("not a verifier key: name+<8 hexadecimal digits>+<base64>")
    value = unbase64(parts[2])
    if len(value) != 33 or value[0] != 1 or point(value[1:]) is None:
        raise Wrong("not an Ed25519 key")
    key_id = sha256(parts[0].encode(), b"\n", value)[:4]
    if key_id.hex() != parts[1]:
        raise Wrong("the key id does not belong to this name and key")
    return parts[0], key_id, value[1:]


def decimal(text):
    if not re.fullmatch("0|[1-9][0-9]*", text) or int(text) >= 2**64:
        raise Wrong("not a number in its only form")
    return int(text)


class Note:
    """A checkpoint with signatures; nothing in it is proven until signers() is asked."""

    def __init__(self, text):
        end = text.rfind("\n\n")
        if len(text.encode()) > 1_000_000 or end < 0:
            raise Wrong("no empty line before the signatures")
        if any(c < " " and c != "\n" for c in text):
            raise Wrong("a control character")
        self.body, lines = text[: end + 1], text[end + 2 :].split("\n")
        if len(lines) < 2 or lines.pop() != "" or len(lines) > 100:
            raise Wrong("no signature lines, ended by a line feed")
        self.signatures = [self.signature(line) for line in lines]
        parts = self.body.split("\n")
        if len(parts) != 4 or not 1 <= len(parts[0].encode()) <= 255 or any(map(is_control, parts[0])):
            raise Wrong("not the three lines of a checkpoint")
        self.origin, self.size, self.root = parts[0], decimal(parts[1]), unbase64(parts[2])
        if len(self.root) != 32:
            raise Wrong("not a root of 32 bytes")

    @staticmethod
    def signature(line):
        name, space, value = line[2:].partition(" ")
        if not line.startswith("\u2014 ") or not space or not is_key_name(name):
            raise Wrong("not a signature line")
        value = unbase64(value)
        if len(value) < 5:
            raise Wrong("not a signature")
        return name, value[:4], value[4:]

    def require_signer(self, keys):
        found = False
        for name, key_id, signature in self.signatures:
            known = [key for key in keys if key[:2] == (name, key_id)]
            if len(known) > 1:
                raise Wrong("two trusted keys have one name and id")
            if known and not signature_is_right(known[0][2], self.body.encode(), signature):
                raise Wrong("the signature by %s is wrong" % name)
            found = found or bool(known)
        if not found:
            raise Wrong("no signature by a trusted key")


# ---------------------------------------------------------------------------------------------
# Events: JSON with one form only (rule V2).

INT_MAX = 2**53 - 1
EVENT_BYTES_MAX = 16_384
DATA_DEPTH_MAX = 8
MEMBERS = {"actor", "at", "data", "id", "letter", "lseq", "prev", "seq", "state", "type", "v"}
DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def refuse(_):
    raise Wrong("a number that is no integer")


def members(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Wrong("a member twice")
    return dict(pairs)


def canonical(value, depth=0):
    """The one form of a value; the event itself is depth 0, its data depth 1."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) <= INT_MAX:
        return str(value)
    if isinstance(value, str):
        if any(c < " " for c in value):
            raise Wrong("a control character")
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, dict)) and depth > DATA_DEPTH_MAX:
        raise Wrong("nested too deeply")
    if isinstance(value, list):
        return "[" + ",".join(canonical(item, depth + 1) for item in value) + "]"
    if isinstance(value, dict):
        if not all(name.isascii() for name in value):
            raise Wrong("a name that is not ASCII")
        items = (canonical(n) + ":" + canonical(value[n], depth + 1) for n in sorted(value))
        return "{" + ",".join(items) + "}"
    raise Wrong("a value that events do not have")


def millis(text):
    """Milliseconds since 1970 of a time in its only form."""
    match = isinstance(text, str) and re.fullmatch(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z", text
    )
    if not match:
        raise Wrong("not a time")
    year, month, day, hour, minute, second, milli = map(int, match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (1 <= month <= 12 and 1 <= day <= DAYS[month - 1]) or (month == 2 and day == 29 and not leap):
        raise Wrong("a day that does not exist")
    if hour > 23 or minute > 59 or second > 59:
        raise Wrong("a time that does not exist")
    before = year - 1 if month <= 2 else year
    days = 365 * before + before // 4 - before // 100 + before // 400
    days += (153 * ((month + 9) % 12) + 2) // 5 + day - 1 - 719_468
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + milli


def is_hex(value, digits):
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{%d}" % digits, value) is not None


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= INT_MAX


def is_text(value):
    return isinstance(value, str)


UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def read_event(entry):
    """An event from its bytes; refuses every form but the only one."""
    if len(entry) > EVENT_BYTES_MAX:
        raise Wrong("too long")
    try:
        text = entry.decode("utf-8")
        event = json.loads(text, object_pairs_hook=members, parse_float=refuse, parse_constant=refuse)
        if not isinstance(event, dict) or canonical(event) != text:
            raise Wrong("not in its only form")
    except (ValueError, RecursionError):
        raise Wrong("not JSON") from None
    if set(event) - {"copy", "patient"} != MEMBERS or event["v"] is True or event["v"] != 1:
        raise Wrong("not the members of an event")
    event["at"] = millis(event["at"])
    copy = event.get("copy", 1)
    rules = [
        is_text(event["actor"]) and re.match("(svc|user):.", event["actor"], re.DOTALL),
        is_count(copy) and 1 <= copy < 2**32,
        isinstance(event["data"], dict),
        is_text(event["id"]) and re.fullmatch(UUID, event["id"]),
        is_hex(event["letter"], 32),
        is_count(event["lseq"]),
        is_hex(event.get("patient", "0" * 32), 32),
        is_hex(event["prev"], 64),
        is_count(event["seq"]),
        is_text(event["state"]),
        is_text(event["type"]) and event["type"] != "",
    ]
    if not all(rules):
        raise Wrong("a member that is not what it should be")
    return event


# ---------------------------------------------------------------------------------------------
# The rules.

TOLD_MAX = 100
UNSIGNED_AGE_MS = 7_200_000


class Faults:
    def __init__(self):
        self.told = []

    def add(self, rule, seq, what):
        if sum(1 for fault in self.told if fault["rule"] == rule) < TOLD_MAX:
            self.told.append({"rule": rule, "seq": seq, "what": what})


class Anchor:
    def __init__(self, note, rule, place):
        self.note, self.rule, self.place, self.trusted = note, rule, place, False


def read_anchors(stored, external, keys, faults):
    """V7: each checkpoint is signed. V8: they never shrink, fork or change their ledger."""
    anchors = []
    texts = [("V6", "stored checkpoint", text) for text in stored]
    texts += [("V9", "external checkpoint", text) for text in external]
    for number, (rule, place, text) in enumerate(texts, 1):
        try:
            anchor = Anchor(Note(text), rule, place)
            anchors.append(anchor)
            anchor.note.require_signer(keys)
            anchor.trusted = True
        except Wrong as wrong:
            faults.add("V7", None, "%s %d: %s" % (place, number, wrong))
    for before, after in zip(anchors, anchors[1:]):
        old, new = before.note, after.note
        forked = new.size == old.size and new.root != old.root
        broken = old.origin != new.origin
        if after.rule == "V6":
            broken = broken or new.size < old.size or forked
        if broken:
            faults.add("V8", None, "the %s over %d events does not follow" % (after.place, new.size))
    return sorted(anchors, key=lambda anchor: anchor.note.size)


class Ledger:
    """V2, V3, V4, V6, V9 and V10, as the events are read one after the other."""

    def __init__(self, anchors, now, faults):
        self.tree, self.due, self.streams, self.faults = Tree(), 0, {}, faults
        self.anchors, self.provable_to = anchors, 0
        self.covered_to = max([a.note.size for a in anchors if a.trusted], default=0)
        self.oldest = None if now is None else now - UNSIGNED_AGE_MS
        self.unsigned = []
        self.meet_anchors()

    def event(self, entry):
        leaf = leaf_hash(entry)
        try:
            event = read_event(entry)
        except Wrong as wrong:
            self.faults.add("V2", self.due, str(wrong))
            self.due += 1
        else:
            self.place(event, leaf)
        self.tree.push(leaf)
        self.meet_anchors()

    def place(self, event, leaf):
        seq = event["seq"]
        if seq != self.due:
            self.faults.add("V3", seq, "seq %d stands where %d was due" % (seq, self.due))
        self.due = seq + 1
        lseq, prev = self.streams.get(event["letter"], (0, bytes(32)))
        if event["lseq"] != lseq:
            self.faults.add("V4", seq, "lseq %d stands where %d was due" % (event["lseq"], lseq))
        elif event["prev"] != prev.hex():
            self.faults.add("V4", seq, "prev is not the hash of the stream's event before")
        self.streams[event["letter"]] = (event["lseq"] + 1, leaf)
        if self.oldest is not None and self.tree.size >= self.covered_to and event["at"] < self.oldest:
            self.unsigned.append(seq)

    def meet_anchors(self):
        while self.anchors and self.anchors[0].note.size == self.tree.size:
            anchor = self.anchors.pop(0)
            if anchor.note.root != self.tree.root():
                what = "the root over %d events is not that of a %s" % (self.tree.size, anchor.place)
                self.faults.add(anchor.rule, self.provable_to, what)
            elif anchor.trusted:
                self.provable_to = self.tree.size

    def finish(self):
        for anchor in self.anchors:
            what = "a %s covers %d events" % (anchor.place, anchor.note.size)
            self.faults.add(anchor.rule, self.tree.size, what)
        if self.unsigned:
            what = "%d old events are not covered by a checkpoint" % len(self.unsigned)
            self.faults.add("V10", self.unsigned[0], what)


# ---------------------------------------------------------------------------------------------
# The folder (C2SP tlog-tiles).

WIDTH = 256


def tile_path(kind, index, width):
    groups = ["%03d" % (index % 1000)]
    while index >= 1000:
        index //= 1000
        groups.insert(0, "x%03d" % (index % 1000))
    return "tile/%s/%s%s" % (kind, "/".join(groups), "" if width == WIDTH else ".p/%d" % width)


def read_bundle(data, width):
    entries = []
    while len(data) >= 2:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 2 + length:
            raise Wrong("cut")
        entries.append(data[2 : 2 + length])
        data = data[2 + length :]
    if data or len(entries) != width:
        raise Wrong("does not hold the entries it is named for")
    return entries


def notes(text):
    """The notes of a file, each of a body, an empty line, signatures, and an empty line."""
    parts = re.findall(r"(?s).*?\n\n|.+\Z", text)
    bodies, lines = parts[0::2], parts[1::2] + [""]
    return [body + line.rstrip("\n") + "\n" for body, line in zip(bodies, lines)]


class Folder:
    def __init__(self, path):
        self.path = path

    def read(self, name):
        try:
            with open(os.path.join(self.path, *name.split("/")), "rb") as file:
                return file.read()
        except OSError:
            return None

    def text(self, name):
        data = self.read(name)
        return None if data is None else data.decode("utf-8", "replace")


def verify(folder, keys, external, now):
    newest, kept = folder.text("checkpoint"), folder.text("checkpoints")
    stored = notes(kept) if kept else []
    if newest is not None and (not stored or stored[-1] != newest):
        stored.append(newest)
    faults, files = Faults(), []
    ledger = Ledger(read_anchors(stored, external, keys, faults), now, faults)
    try:
        if newest is None:
            raise Wrong("missing")
        tiles(folder, Note(newest).size, ledger, files)
    except Wrong:
        files.append({"rule": "V1", "seq": 0, "what": "checkpoint is missing or no checkpoint"})
    ledger.finish()
    told = files + faults.told
    told.sort(key=lambda fault: 2**64 if fault["seq"] is None else fault["seq"])
    sizes = [a.note.size for a in read_anchors(stored, [], keys, Faults()) if a.trusted]
    return {
        "clean": not told,
        "events": ledger.tree.size,
        "root": ledger.tree.root().hex(),
        "checkpoint_size": max(sizes, default=None),
        "faults": told,
        "provable_to": ledger.provable_to,
    }


def tiles(folder, size, ledger, files):
    """V1: every file is there and whole, and each tile is the one over its entries."""

    def fault(seq, path, what):
        files.append({"rule": "V1", "seq": seq, "what": path + " " + what})

    def compare(level, index, hashes):
        path = tile_path(level, index, len(hashes))
        data = folder.read(path)
        if data != b"".join(hashes):
            what = "is missing" if data is None else "is not the tile over its entries"
            fault(index * WIDTH ** (level + 1), path, what)

    def add(level, leaf):
        if len(unfinished) == level:
            unfinished.append([])
            done.append(0)
        unfinished[level].append(leaf)
        if len(unfinished[level]) == WIDTH:
            full, unfinished[level] = unfinished[level], []
            compare(level, done[level], full)
            done[level] += 1
            add(level + 1, root_of(full))

    unfinished, done = [], []
    for index in range((size + WIDTH - 1) // WIDTH):
        width = min(WIDTH, size - index * WIDTH)
        path = tile_path("entries", index, width)
        data = folder.read(path)
        if data is None:
            return fault(index * WIDTH, path, "is missing")
        try:
            entries = read_bundle(data, width)
        except Wrong as wrong:
            return fault(index * WIDTH, path, str(wrong))
        for entry in entries:
            ledger.event(entry)
            add(0, leaf_hash(entry))
    for level, hashes in enumerate(unfinished):
        if hashes:
            compare(level, done[level], hashes)


# ---------------------------------------------------------------------------------------------
# Files of proofs (C2SP tlog-proof), with each event as the extra data.

PROOF = "c2sp.org/tlog-proof@v1\n"


def read_proof(text, keys):
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")[1:]
    extra = lines.pop(0) if lines and lines[0].startswith("extra ") else None
    if not text.startswith(PROOF) or not lines or not lines[0].startswith("index ") or extra is None:
        raise Wrong("not a proof file with its event")
    note = Note(checkpoint)
    note.require_signer(keys)
    path = [unbase64(line) for line in lines[1:]]
    if len(path) > 63 or any(len(part) != 32 for part in path):
        raise Wrong("not the hashes of a proof")
    return decimal(lines[0][6:]), path, unbase64(extra[6:]), note


def check_proofs(text, keys):
    """Every event of the file, proven and whole from the first of its stream on."""
    events, streams = [], {}
    parts = text.split("\n" + PROOF)
    for number, part in enumerate(parts):
        whole = part if number == 0 else PROOF + part
        index, path, entry, note = read_proof(whole, keys)
        leaf, event = leaf_hash(entry), read_event(entry)
        if not inclusion_is_proven(index, note.size, leaf, path, note.root):
            raise Wrong("event %d is not in the signed ledger" % index)
        due = streams.get(event["letter"], (0, "0" * 64))
        if event["seq"] != index or (event["lseq"], event["prev"]) != due:
            raise Wrong("event %d is not the next of its stream" % index)
        streams[event["letter"]] = (event["lseq"] + 1, leaf.hex())
        events.append(json.loads(entry))
    return events


# ---------------------------------------------------------------------------------------------


def show_ledger(found):
    print("%s: %d events, root %s" % ("clean" if found["clean"] else "NOT CLEAN", found["events"], found["root"]))
    print("provable to event %d" % found["provable_to"])
    for fault in found["faults"]:
        place = "" if fault["seq"] is None else " at event %d" % fault["seq"]
        print("%s%s: %s" % (fault["rule"], place, fault["what"]))


def show_proofs(found):
    if not found["clean"]:
        print("NOT PROVEN: %s" % found["what"])
    for event in found.get("events", []):
        print("%d %s %s %s %s" % (event["seq"], event["at"], event["letter"], event["type"], event["state"]))


def read_text(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def arguments():
    parser = argparse.ArgumentParser(description="Checks a ledger without the program that wrote it.")
    commands = parser.add_subparsers(dest="command", required=True)
    of_folder = commands.add_parser("verify", help="a folder that was exported")
    of_folder.add_argument("folder")
    of_folder.add_argument("--checkpoint", action="append", default=[], help="one that you kept yourself")
    of_folder.add_argument("--now", help="the time, for rule V10: YYYY-MM-DDThh:mm:ss.sssZ")
    of_file = commands.add_parser("proof", help="a file of proofs")
    of_file.add_argument("file")
    for command in (of_folder, of_file):
        command.add_argument("--key", action="append", required=True, help="a verifier key you trust")
        command.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    asked = arguments()
    try:
        keys = [read_key(key) for key in asked.key]
        if asked.command == "verify":
            external = [read_text(path) for path in asked.checkpoint]
            now = None if asked.now is None else millis(asked.now)
        else:
            text = read_text(asked.file)
    except (OSError, UnicodeDecodeError, Wrong) as error:
        print("ledger_auditor: %s" % error, file=sys.stderr)
        return 2
    if asked.command == "verify":
        found, show = verify(Folder(asked.folder), keys, external, now), show_ledger
    else:
        try:
            found, show = {"clean": True, "events": check_proofs(text, keys)}, show_proofs
        except Wrong as wrong:
            found, show = {"clean": False, "what": str(wrong)}, show_proofs
    print(json.dumps(found)) if asked.json else show(found)
    return 0 if found["clean"] else 1


if __name__ == "__main__":
    sys.exit(main())
