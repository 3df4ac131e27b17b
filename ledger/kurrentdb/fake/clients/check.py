"""Asks a server what the official Python client relies on (kurrentdbclient, PyPI).

    check.py promises URL            URL of a server without users, ending in `tls=false`
    check.py secured URL CA          of one with TLS and the user admin:changeit
    check.py write URL STREAM FILE   appends the events of FILE, one JSON object a line
    check.py read URL STREAM FILE    holds the stream against FILE
    check.py metadata URL STREAM     sets the access that docs/kurrentdb.md names
"""

import base64
import json
import sys
import threading
import uuid

from kurrentdbclient import CaughtUp, KurrentDBClient, NewEvent, StreamState
from kurrentdbclient import exceptions as errors

TYPE = "daybook.entry"
BINARY = "application/octet-stream"


def told(what):
    print(f"ok: python: {what}", flush=True)


def must(holds, what):
    if not holds:
        sys.exit(f"failed: python: {what}")


def refused(kind, call, what):
    try:
        call()
    except kind as error:
        told(what)
        return error
    sys.exit(f"failed: python: {what}: nothing was refused")


def event(number, size=10):
    return NewEvent(type=TYPE, data=f"{number}:".encode() + b"x" * size, content_type=BINARY)


def appends(client, stream):
    one, two, three = (event(n) for n in range(3))
    client.append_to_stream(stream, events=one, current_version=StreamState.NO_STREAM)
    client.append_to_stream(stream, events=[two, three], current_version=0)
    must(client.get_current_version(stream) == 2, "three events are there")
    told("appends one event, and several at once, at the revision expected")
    wrong = refused(
        errors.WrongCurrentVersionError,
        lambda: client.append_to_stream(stream, events=[event(9)], current_version=7),
        "is refused at another revision",
    )
    must("is 2 not 7" in str(wrong), f"the refusal names the revision: {wrong}")
    refused(
        errors.WrongCurrentVersionError,
        lambda: client.append_to_stream(stream, events=event(9), current_version=StreamState.NO_STREAM),
        "is refused where a stream is there already",
    )
    client.append_to_stream(stream, events=[two, three], current_version=0)
    client.append_to_stream(stream, events=one, current_version=StreamState.NO_STREAM)
    must(client.get_current_version(stream) == 2, "the same again changes nothing")
    told("appends the same again without effect")
    refused(
        errors.WrongCurrentVersionError,
        lambda: client.append_to_stream(stream, events=[two, event(9)], current_version=0),
        "is refused when a batch is there in part",
    )
    client.append_to_stream(stream, events=event(3), current_version=StreamState.ANY)
    client.append_to_stream(stream, events=[event(4)], current_version=StreamState.EXISTS)
    must(client.get_current_version(stream) == 4, "any revision will do when none is named")
    told("appends anywhere when no revision is named")
    refused(
        errors.MaximumAppendSizeExceededError,
        lambda: client.append_to_stream(stream, events=[event(0, 2_000_000)], current_version=4),
        "is refused when an append is too large",
    )
    must(client.get_current_version(stream) == 4, "nothing of it is there")


def reads(client, stream):
    numbers = lambda events: [int(one.data.split(b":")[0]) for one in events]
    must(numbers(client.get_stream(stream)) == [0, 1, 2, 3, 4], "all are read")
    must(numbers(client.get_stream(stream, stream_position=3)) == [3, 4], "from a revision on")
    must(numbers(client.get_stream(stream, limit=2)) == [0, 1], "so many")
    must(numbers(client.get_stream(stream, backwards=True)) == [4, 3, 2, 1, 0], "backwards")
    must(
        numbers(client.get_stream(stream, stream_position=2, backwards=True, limit=2)) == [2, 1],
        "backwards from a revision",
    )
    first = client.get_stream(stream, limit=1)[0]
    must(first.type == TYPE and first.content_type == BINARY, "type and content type are kept")
    must(first.stream_position == 0 and first.stream_name == stream, "place and stream are told")
    must(first.recorded_at is not None, "the time is told")
    told("reads forwards and backwards, from any revision, so many as asked for")
    refused(errors.NotFoundError, lambda: client.get_stream("no-such"), "is told of a missing stream")
    every = [one for one in client.read_all() if one.stream_name == stream]
    must(numbers(every) == [0, 1, 2, 3, 4], "everything is read")
    told("reads everything, without the server's own events")


def subscribes(client, url, stream):
    subscription = client.subscribe_to_stream(stream, stream_position=2, include_caught_up=True)
    numbers, caught = [], 0
    later = None
    for one in subscription:
        if isinstance(one, CaughtUp):
            caught += 1
            writer = KurrentDBClient(uri=url)
            append = lambda: writer.append_to_stream(stream, events=event(5), current_version=4)
            later = threading.Thread(target=append)
            later.start()
            continue
        numbers.append(one.stream_position)
        if numbers[-1] == 5:
            subscription.stop()
            break
    later.join()
    must(numbers == [3, 4, 5], f"what was there and what came is told: {numbers}")
    must(caught == 1, "it is told when it caught up")
    told("subscribes behind a revision, catches up, and is told what comes")


def settings(client, stream):
    client.set_stream_metadata(stream, metadata={"$maxCount": 2})
    kept = [one.stream_position for one in client.get_stream(stream)]
    must(kept == [4, 5], f"two events stay: {kept}")
    metadata, version = client.get_stream_metadata(stream)
    must(metadata == {"$maxCount": 2} and version == 0, "metadata come back")
    client.set_stream_metadata(stream, metadata={"$tb": 5})
    kept = [one.stream_position for one in client.get_stream(stream)]
    must(kept == [5], f"what is cut off is gone: {kept}")
    client.set_stream_metadata(stream, metadata={})
    told("sets metadata, and $maxCount and $tb hide events")
    client.delete_stream(stream, current_version=StreamState.EXISTS)
    refused(errors.NotFoundError, lambda: client.get_stream(stream), "is told of a deleted stream")
    client.append_to_stream(stream, events=event(6), current_version=StreamState.ANY)
    kept = [one.stream_position for one in client.get_stream(stream)]
    must(kept == [6], f"it goes on behind its end: {kept}")
    client.tombstone_stream(stream, current_version=StreamState.EXISTS)
    refused(
        (errors.StreamIsDeletedError, errors.StreamTombstonedError),
        lambda: client.get_stream(stream),
        "is told of a stream that was deleted for good",
    )


def promises(url):
    client = KurrentDBClient(uri=url)
    stream = f"python-{uuid.uuid4()}"
    appends(client, stream)
    reads(client, stream)
    subscribes(client, url, stream)
    settings(client, stream)


def secured(url, ca):
    with_user = url.replace("://", "://admin:changeit@")
    authority = open(ca, "rb").read()
    client = KurrentDBClient(uri=with_user, root_certificates=authority)
    stream = f"python-{uuid.uuid4()}"
    client.append_to_stream(stream, events=event(0), current_version=StreamState.NO_STREAM)
    must(len(client.get_stream(stream)) == 1, "an event is there")
    told("calls over TLS with a user and a password")
    wrong = KurrentDBClient(uri=url.replace("://", "://admin:wrong@"), root_certificates=authority)
    refused(
        (errors.UnauthenticatedError, errors.AccessDeniedError),
        lambda: wrong.get_stream(stream),
        "is refused with a wrong password",
    )


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def write(url, stream, path):
    client = KurrentDBClient(uri=url)
    events = [
        NewEvent(type=TYPE, data=base64.b64decode(line["data"]), content_type=BINARY)
        for line in lines(path)
    ]
    version = StreamState.NO_STREAM
    for at in range(0, len(events), 100):
        client.append_to_stream(stream, events=events[at : at + 100], current_version=version)
        version = at + len(events[at : at + 100]) - 1
    told(f"wrote {len(events)} events")


def read(url, stream, path):
    client = KurrentDBClient(uri=url)
    expected = [base64.b64decode(line["data"]) for line in lines(path)]
    events = client.get_stream(stream)
    must([one.data for one in events] == expected, "the events are those of the file")
    must(all(one.type == TYPE and one.content_type == BINARY for one in events), "their type")
    must(len({one.id for one in events}) == len(events), "each has an id of its own")
    must(all(one.id.version == 8 for one in events), "ids are UUIDs of version 8")
    told(f"read {len(events)} events that Daybook wrote")


def metadata(url, stream):
    """What docs/kurrentdb.md tells administrators to do, word for word."""
    client = KurrentDBClient(uri=url)
    client.set_stream_metadata(stream, current_version=StreamState.ANY, metadata={"$acl": {
        "$r": ["daybook", "auditors"],
        "$w": ["daybook"],
        "$d": [],
        "$mr": ["daybook", "auditors"],
        "$mw": [],
    }})
    told("set the access of a stream")


if __name__ == "__main__":
    {
        "promises": promises, "secured": secured, "write": write, "read": read, "metadata": metadata,
    }[sys.argv[1]](*sys.argv[2:])
