import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { BlobStore } from '@kappa/gateway/blobs';
import {
  openWay,
  s3BlobStore,
  startTestS3,
  type TestS3,
  testCredentials,
  type Verdict,
  type Way,
} from '@kappa/gateway/testing-s3';
import fc from 'fast-check';
import { Gate } from './testing-gate.ts';
import { History, heldStep, type Step } from './testing-history.ts';

/*
 * The same histories on a real S3 server. Others get between any two requests, so also between the copy and the removal of one step, while a second
 * round runs. A removal that is signed and held for long is refused, as stores do.
 */

/** So long a store believes a signature. */
const SIGNED_MS = 900_000;

let server: TestS3;
let directory: string;
let way: Way;
/** The history that runs now. */
let running: { readonly history: History; readonly gate: Gate } | null = null;

beforeAll(async () => {
  server = await startTestS3();
}, 600_000);
afterAll(() => server.close());
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-collect-'));
  way = await openWay(server.endpoint, wait);
});
afterEach(async () => {
  await way.close();
  await rm(directory, { recursive: true, force: true });
});

async function wait({ method }: { readonly method: string }): Promise<Verdict> {
  if (running === null) return 'pass';
  const { history, gate } = running;
  const sentMs = history.nowMs;
  await gate.pass();
  return method === 'DELETE' && history.nowMs - sentMs > SIGNED_MS ? 'RequestTimeTooSkewed' : 'pass';
}

function open(endpoint: string, bucket: string): BlobStore {
  const s3 = { endpoint, bucket, region: 'us-east-1', forcePathStyle: true, credentials: testCredentials };
  return s3BlobStore({ ...s3, maxBlobBytes: 1_000_000, spoolDirectory: directory });
}

async function play(bucket: string, steps: readonly Step[]): Promise<void> {
  const store = open(server.endpoint, bucket);
  const gate = new Gate();
  const held = { gate, store: open(way.endpoint, bucket) };
  const history = new History(store, steps, undefined, held);
  running = { history, gate };
  try {
    await history.run();
    await history.settle();
  } finally {
    running = null;
  }
  const left = [...(await Array.fromAsync(store.list())), ...(await Array.fromAsync(store.retired()))];
  const references = history.objects.references();
  expect(left.map(({ sha256 }) => sha256).filter((sha256) => !references.has(sha256))).toEqual([]);
}

test('nothing that is referred to is lost in a bucket, whoever is stopped between two requests', async () => {
  let runs = 0;
  const steps = fc.array(heldStep, { minLength: 30, maxLength: 80, size: 'max' });
  const property = fc.asyncProperty(steps, (history) => play(`random-${runs++}`, history));
  await fc.assert(property, { numRuns: 40, endOnFailure: true, interruptAfterTimeLimit: 120_000 });
  expect(runs).toBeGreaterThanOrEqual(10);
}, 300_000);

const old: readonly Step[] = [
  { kind: 'upload', n: 0 },
  { kind: 'wait', n: 0 },
];
const wholeRound: readonly Step[] = [
  { kind: 'round', n: 0 },
  { kind: 'first', n: 40 },
];
const comesBack: readonly Step[] = [
  { kind: 'upload', n: 0 },
  { kind: 'function', n: 0 },
];

test.each<[what: string, before: readonly Step[]]>([
  ['retires it', old],
  ['purges it', [...old, ...wholeRound, { kind: 'wait', n: 0 }]],
  ['retires it, whose retired copy is still there', [...old, ...wholeRound, ...old]],
])(
  'code that comes back while a round %s, and while another one runs, stays',
  async (what, before) => {
    for (let stoppedAt = 0; stoppedAt <= 16; stoppedAt += 1) {
      const stopped: readonly Step[] = [
        { kind: 'round', n: 0 },
        { kind: 'first', n: stoppedAt },
      ];
      const meanwhile: readonly Step[] = [...comesBack, { kind: 'round', n: 0 }, { kind: 'second', n: 40 }];
      const bucket = `sweep-${what.slice(0, 3)}${what.length}-${stoppedAt}`;
      await play(bucket, [...before, ...stopped, ...meanwhile, { kind: 'first', n: 40 }]);
    }
  },
  150_000,
);
