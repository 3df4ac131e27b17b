// Asks a server what the official Node client relies on (@kurrent/kurrentdb-client, npm).
//
//     check.mjs promises URL            URL of a server without users, ending in `tls=false`
//     check.mjs secured URL CA          of one with TLS and the user admin:changeit
//     check.mjs write URL STREAM FILE   appends the events of FILE, one JSON object a line
//     check.mjs read URL STREAM FILE    holds the stream against FILE

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.DAYBOOK_NODE_CLIENTS ?? process.cwd()}/x.js`);
const kurrent = require("@kurrent/kurrentdb-client");
const { KurrentDBClient, NO_STREAM, ANY, BACKWARDS, FORWARDS, START, END } = kurrent;

const TYPE = "daybook.entry";

const told = (what) => console.log(`ok: node: ${what}`);
const must = (holds, what) => {
  if (!holds) {
    console.error(`failed: node: ${what}`);
    process.exit(1);
  }
};
const same = (found, expected, what) =>
  must(JSON.stringify(found) === JSON.stringify(expected), `${what}: ${JSON.stringify(found)}`);

async function refused(kinds, call, what) {
  try {
    await call();
  } catch (error) {
    const known = kinds.some((kind) => error instanceof kind);
    must(known, `${what}: ${error.constructor.name}: ${error.message}`);
    told(what);
    return error;
  }
  must(false, `${what}: nothing was refused`);
}

const event = (number, size = 10) =>
  kurrent.binaryEvent({
    id: randomUUID(),
    type: TYPE,
    data: Buffer.concat([Buffer.from(`${number}:`), Buffer.alloc(size, "x")]),
  });

const open = (url) => KurrentDBClient.connectionString(url);

async function all(client, stream, options = {}) {
  const events = [];
  for await (const { event } of client.readStream(stream, options)) {
    events.push(event);
  }
  return events;
}

const revisions = (events) => events.map((event) => Number(event.revision));

async function appends(client, stream) {
  const [one, two, three] = [event(0), event(1), event(2)];
  const first = await client.appendToStream(stream, one, { streamState: NO_STREAM });
  must(first.success && first.nextExpectedRevision === 0n, "the first is at revision 0");
  const more = await client.appendToStream(stream, [two, three], { streamState: 0n });
  must(more.nextExpectedRevision === 2n, "the others behind it");
  told("appends one event, and several at once, at the revision expected");
  const { WrongExpectedVersionError } = kurrent;
  const wrong = await refused(
    [WrongExpectedVersionError],
    () => client.appendToStream(stream, event(9), { streamState: 7n }),
    "is refused at another revision",
  );
  must(wrong.actualState === 2n, `the refusal names the revision: ${wrong.actualState}`);
  await refused(
    [WrongExpectedVersionError],
    () => client.appendToStream(stream, event(9), { streamState: NO_STREAM }),
    "is refused where a stream is there already",
  );
  const again = await client.appendToStream(stream, [two, three], { streamState: 0n });
  must(again.nextExpectedRevision === 2n, "the same again changes nothing");
  told("appends the same again without effect");
  await refused(
    [WrongExpectedVersionError],
    () => client.appendToStream(stream, [two, event(9)], { streamState: 0n }),
    "is refused when a batch is there in part",
  );
  await client.appendToStream(stream, [event(3), event(4)], { streamState: ANY });
  told("appends anywhere when no revision is named");
  await refused(
    [kurrent.MaxAppendSizeExceededError],
    () => client.appendToStream(stream, event(0, 2_000_000), { streamState: 4n }),
    "is refused when an append is too large",
  );
  const credentials = { username: "nobody", password: "here" };
  // with credentials of its own a call is a plain append
  await client.appendToStream(stream, event(5), { streamState: 4n, credentials });
  told("appends by the plain call as well");
}

async function reads(client, stream) {
  same(revisions(await all(client, stream)), [0, 1, 2, 3, 4, 5], "all are read");
  const from = { fromRevision: 4n, direction: FORWARDS };
  same(revisions(await all(client, stream, from)), [4, 5], "from a revision on");
  same(revisions(await all(client, stream, { fromRevision: START, maxCount: 2 })), [0, 1], "so many");
  const back = { fromRevision: END, direction: BACKWARDS, maxCount: 3 };
  same(revisions(await all(client, stream, back)), [5, 4, 3], "backwards");
  const [first] = await all(client, stream, { maxCount: 1 });
  must(first.type === TYPE && first.streamId === stream && !first.isJson, "type and stream are told");
  must(Math.abs(first.created - Date.now()) < 600_000, "the time is told");
  told("reads forwards and backwards, from any revision, so many as asked for");
  await refused(
    [kurrent.StreamNotFoundError],
    () => all(client, "no-such"),
    "is told of a missing stream",
  );
}

async function subscribes(client, url, stream) {
  const subscription = client.subscribeToStream(stream, { fromRevision: 3n });
  let caughtUp = 0;
  subscription.on("caughtUp", () => {
    caughtUp += 1;
    open(url).appendToStream(stream, event(6), { streamState: 5n });
  });
  const seen = [];
  for await (const { event } of subscription) {
    seen.push(Number(event.revision));
    if (event.revision === 6n) break;
  }
  same(seen, [4, 5, 6], "what was there and what came is told");
  must(caughtUp === 1, "it is told when it caught up");
  told("subscribes behind a revision, catches up, and is told what comes");
}

async function settings(client, stream) {
  await client.setStreamMetadata(stream, { maxCount: 2 });
  same(revisions(await all(client, stream)), [5, 6], "two events stay");
  const { metadata } = await client.getStreamMetadata(stream);
  must(metadata.maxCount === 2, "metadata come back");
  await client.setStreamMetadata(stream, { truncateBefore: 6 });
  same(revisions(await all(client, stream)), [6], "what is cut off is gone");
  told("sets metadata, and $maxCount and $tb hide events");
  await client.tombstoneStream(stream);
  await refused(
    [kurrent.StreamDeletedError],
    () => all(client, stream),
    "is told of a stream that was deleted for good",
  );
}

async function promises(url) {
  const client = open(url);
  const stream = `node-${randomUUID()}`;
  await appends(client, stream);
  await reads(client, stream);
  await subscribes(client, url, stream);
  await settings(client, stream);
}

async function secured(url, ca) {
  const named = (login) => url.replace("://", `://${login}@`) + `&tlsCaFile=${encodeURIComponent(ca)}`;
  const client = open(named("admin:changeit"));
  const stream = `node-${randomUUID()}`;
  await client.appendToStream(stream, event(0), { streamState: NO_STREAM });
  same(revisions(await all(client, stream)), [0], "an event is there");
  told("calls over TLS with a user and a password");
  await refused(
    [kurrent.AccessDeniedError, kurrent.UnknownError],
    () => all(open(named("admin:wrong")), stream),
    "is refused with a wrong password",
  );
}

const lines = (path) =>
  readFileSync(path, "utf8").trim().split("\n").map((line) => Buffer.from(JSON.parse(line).data, "base64"));

async function write(url, stream, path) {
  const client = open(url);
  const events = lines(path).map((data) => kurrent.binaryEvent({ id: randomUUID(), type: TYPE, data }));
  for (let at = 0; at < events.length; at += 100) {
    const streamState = at === 0 ? NO_STREAM : BigInt(at - 1);
    await client.appendToStream(stream, events.slice(at, at + 100), { streamState });
  }
  told(`wrote ${events.length} events`);
}

async function read(url, stream, path) {
  const expected = lines(path);
  const events = await all(open(url), stream);
  must(events.length === expected.length, "so many events as the file has");
  events.forEach((event, at) => {
    must(Buffer.compare(Buffer.from(event.data), expected[at]) === 0, `event ${at} is that of the file`);
    must(event.type === TYPE && !event.isJson, "its type");
  });
  told(`read ${events.length} events that Daybook wrote`);
}

const [, , what, ...rest] = process.argv;
await { promises, secured, write, read }[what](...rest);
process.exit(0);
