#!/usr/bin/env python3
"""Verify an exported audit log with nothing but Python's standard library.

    python3 verify_log.py LOG.jsonl [ANCHOR.json]

Each line of the log is {"pos", "prev", "hash", "format", "envelope"}.  Checked: positions run from
1 without a gap; each link's hash is that of its position, the hash before and its envelope; with an
anchor, the chain passes through it; and what the events say of serials agrees: issued ranges of a
batch do not meet, whatever is retired or cancelled was issued, and nothing is retired twice.
Exit code 0: whole; 1: broken, with the first place and the reason; 2: usage.
"""

import hashlib
import json
import sys

GENESIS = "0" * 64


class Broken(Exception):
    """The log is broken at a position, for a reason."""


class Serials:
    """What the events so far say of serials."""

    def __init__(self):
        self.issued = {}
        self.ended = {}

    def read(self, pos, event):
        """Take one event in."""
        body = event["body"]
        if event["kind"] == "units.issued":
            for batch in body["batches"]:
                self._issue(pos, batch)
        elif event["kind"] in ("units.retired", "buffer.cancelled"):
            for prefix, first, last in body["ranges"]:
                self._end(pos, prefix, first, last)
        elif event["kind"] == "units.transferred":
            for prefix, first, last in body["ranges"]:
                self._within(pos, prefix, first, last)
                self._not_ended(pos, prefix, first, last)

    def _issue(self, pos, batch):
        if batch["prefix"] in self.issued:
            raise Broken(pos, "batch %s was issued before" % batch["prefix"])
        past = 1
        for first, last, _holder in sorted(batch["ranges"], key=lambda one: one[0]):
            if first != past:
                raise Broken(
                    pos, "batch %s: serial %d follows %d" % (batch["prefix"], first, past - 1)
                )
            past = last + 1
        if past - 1 != batch["size_kg"]:
            raise Broken(
                pos,
                "batch %s: %d serials for %d kg" % (batch["prefix"], past - 1, batch["size_kg"]),
            )
        self.issued[batch["prefix"]] = batch["size_kg"]

    def _within(self, pos, prefix, first, last):
        if prefix not in self.issued or not 1 <= first <= last <= self.issued[prefix]:
            raise Broken(pos, "serials %s-%d-%d were never issued" % (prefix, first, last))

    def _not_ended(self, pos, prefix, first, last):
        for one, other in self.ended.get(prefix, ()):
            if first <= other and one <= last:
                raise Broken(pos, "serials %s-%d-%d were retired before" % (prefix, first, last))

    def _end(self, pos, prefix, first, last):
        self._within(pos, prefix, first, last)
        self._not_ended(pos, prefix, first, last)
        self.ended.setdefault(prefix, []).append((first, last))


def verify(lines, anchor=None):  # noqa: C901 -- one check after the other, in reading order
    """Return (count, last hash) of a whole log, or raise Broken(position, reason)."""
    prev, count, passed, serials = GENESIS, 0, anchor is None or anchor["pos"] == 0, Serials()
    for line in lines:
        count += 1
        try:
            link = json.loads(line)
            pos, envelope, event = link["pos"], link["envelope"], json.loads(link["envelope"])
        except (ValueError, KeyError, TypeError) as error:
            raise Broken(count, "the line cannot be read: %s" % error) from None
        if pos != count:
            raise Broken(count, "position %s stands where %d belongs" % (pos, count))
        if link["prev"] != prev:
            raise Broken(pos, "the hash before is not the one named")
        digest = hashlib.sha256(envelope.encode("utf-8")).hexdigest()
        words = "tanhui-seal-1\n%d\n%s\n%s\n" % (pos, prev, digest)
        prev = hashlib.sha256(words.encode("ascii")).hexdigest()
        if link["hash"] != prev:
            raise Broken(pos, "the hash is not that of the event")
        serials.read(pos, event)
        if anchor is not None and pos == anchor["pos"]:
            if prev != anchor["hash"]:
                raise Broken(pos, "the hash is not the anchor's")
            passed = True
    if not passed:
        raise Broken(count + 1, "the log ends before the anchor at position %d" % anchor["pos"])
    return count, prev


def main(arguments):
    """Verify the named log; print what was found."""
    if len(arguments) not in (1, 2):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    anchor = None
    try:
        if len(arguments) == 2:
            with open(arguments[1], encoding="utf-8") as handle:
                anchor = json.load(handle)
        with open(arguments[0], encoding="utf-8") as handle:
            count, last = verify(handle, anchor)
    except OSError as error:
        print("cannot read: %s" % error, file=sys.stderr)
        return 2
    except Broken as broken:
        print("断裂 BROKEN at position %d: %s" % broken.args)
        return 1
    print("完整 OK: %d events, last hash %s" % (count, last))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
