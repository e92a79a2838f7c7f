import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BlobStore, openBlobStore } from './blob-store.ts';
import { type S3Options, s3BlobStore } from './s3-store.ts';
import { blobStoreContract, sha256Of } from './testing.ts';
import { startTestS3, type TestS3, testCredentials } from './testing-versitygw.ts';
import { openWay, type Way } from './testing-way.ts';

const maxBlobBytes = 1024 * 1024;
let server: TestS3;
let directory: string;

beforeAll(async () => {
  server = await startTestS3();
}, 600_000);
afterAll(() => server.close());
const ways: Way[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-blobs-'));
});
afterEach(async () => {
  for (const way of ways.splice(0)) await way.close();
  await rm(directory, { recursive: true, force: true });
  await server.empty();
});

const s3 = (changes: Partial<S3Options> = {}): S3Options => ({
  endpoint: server.endpoint,
  bucket: 'kappa-code',
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: testCredentials,
  maxBlobBytes,
  spoolDirectory: join(directory, 'spool'),
  spoolMemoryBytes: 65_536,
  ...changes,
});

async function way(judge: Parameters<typeof openWay>[1]): Promise<string> {
  const opened = await openWay(server.endpoint, judge);
  ways.push(opened);
  return opened.endpoint;
}

describe('S3 store', () => {
  let store: BlobStore;
  beforeEach(() => {
    store = s3BlobStore(s3());
  });

  blobStoreContract(() => ({
    store,
    maxBlobBytes,
    directory,
    reopen: () => Promise.resolve(s3BlobStore(s3())),
    damage: (sha256) => server.damage('kappa-code', sha256, 'damaged'),
  }));

  test('before the first put there is no bucket, and that is an empty store', async () => {
    expect(await Array.fromAsync(store.list())).toEqual([]);
    expect(await store.sizeOf('a'.repeat(64))).toBeNull();
    await expect(store.get('a'.repeat(64))).rejects.toMatchObject({ code: 'NotFound', fault: 'caller' });
    await store.delete('a'.repeat(64));
  });

  test('a stray object among the installs is none', async () => {
    await store.addInstall('here');
    await server.damage('kappa-code', 'installs/READ.ME', '');
    await server.damage('kappa-code', 'installs/there', '');
    expect((await store.installs()).toSorted()).toEqual(['here', 'there']);
  });

  test('a large stream goes over a file that does not outlive the put', async () => {
    const bytes = Buffer.alloc(262_144, 7);
    const pieces = [...Array(16).keys()].map((n) => bytes.subarray(n * 16_384, (n + 1) * 16_384));
    const { sha256 } = await store.put(Readable.from(pieces));
    expect(sha256).toBe(sha256Of(bytes));
    expect(await store.get(sha256)).toEqual(bytes);
    expect(await readdir(join(directory, 'spool'))).toEqual([]);
  });

  test('a large stream is stored although the disk takes nothing', async () => {
    const bytes = Buffer.alloc(262_144, 8);
    const diskless = s3BlobStore(s3({ spoolDirectory: '/dev/full/none' }));
    const { sha256 } = await diskless.put(Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]));
    expect(await store.get(sha256)).toEqual(bytes);
  });

  test('who was stopped in the midst of retiring a blob takes nothing away that has come back meanwhile', async () => {
    const [isAsked, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const endpoint = await way(async ({ method }) => {
      if (method !== 'DELETE') return 'pass';
      isAsked.resolve();
      await letGo.promise;
      return 'pass';
    });
    const stopped = s3BlobStore(s3({ endpoint, silenceMs: 60_000 }));
    const bytes = randomBytes(1000);
    const { sha256 } = await store.put(bytes);
    const retiring = stopped.retire(sha256);
    await isAsked.promise;
    await store.reinstate(sha256);
    letGo.resolve();
    expect(await retiring).toBe(true);
    expect(await store.get(sha256)).toEqual(bytes);
    await store.reinstate(sha256);
    expect(await store.sizeOf(sha256)).toBe(1000);
  });

  test('a removal is asked about at each try', async () => {
    let removals = 0;
    const endpoint = await way(async ({ method }) => (method === 'DELETE' && ++removals === 1 ? 'SlowDown' : 'pass'));
    const slow = s3BlobStore(s3({ endpoint }));
    const { sha256 } = await store.put(randomBytes(1000));
    expect([await slow.retire(sha256, () => removals === 0), await store.sizeOf(sha256)]).toEqual([false, 1000]);
  });

  test('a copy has the time that its size takes', async () => {
    const endpoint = await way(async ({ isCopy }) => {
      if (isCopy) await pause(1_500);
      return 'pass';
    });
    const slow = s3BlobStore(s3({ endpoint, silenceMs: 1_000, maxBlobBytes: 20_000_000 }));
    const { sha256 } = await slow.put(randomBytes(10_000_000));
    expect(await slow.retire(sha256)).toBe(true);
    expect((await Array.fromAsync(slow.retired())).map((entry) => entry.sha256)).toEqual([sha256]);
  });

  test('a listing has every page', async () => {
    const puts = await Promise.all([...Array(30).keys()].map((n) => store.put(Buffer.from(`blob ${n}`))));
    const found = await Array.fromAsync(store.list());
    expect(found.map((entry) => entry.sha256).sort()).toEqual(puts.map((put) => put.sha256).sort());
  });

  test('a wrong key is the operator to mend', async () => {
    const wrong = s3BlobStore(s3({ credentials: { accessKeyId: 'kappa-test', secretAccessKey: 'wrong' } }));
    const expected = { code: 'Unavailable', fault: 'platform', message: expect.stringContaining('403') };
    await expect(wrong.put(Buffer.from('x'))).rejects.toMatchObject(expected);
    await expect(wrong.get('a'.repeat(64))).rejects.toMatchObject(expected);
  });
});

describe('a store that is away', () => {
  test('refuses: every call fails at once and says when to come back', async () => {
    const store = s3BlobStore(s3({ endpoint: 'http://127.0.0.1:1' }));
    const expected = { code: 'Unavailable', fault: 'platform', retryAfterSeconds: 1 };
    await expect(store.get('a'.repeat(64))).rejects.toMatchObject(expected);
    await expect(store.sizeOf('a'.repeat(64))).rejects.toMatchObject(expected);
    await expect(store.put(Buffer.from('x'))).rejects.toMatchObject(expected);
    await expect(store.delete('a'.repeat(64))).rejects.toMatchObject(expected);
    await expect(Array.fromAsync(store.list())).rejects.toMatchObject(expected);
  });

  test('is silent: calls end in bounded time', async () => {
    const { server: silent, endpoint, close } = await silentServer();
    const store = s3BlobStore(s3({ endpoint, connectMs: 100, silenceMs: 200 }));
    const startMs = performance.now();
    await expect(store.get('a'.repeat(64))).rejects.toMatchObject({ code: 'Unavailable' });
    await expect(store.put(Buffer.from('x'))).rejects.toMatchObject({ code: 'Unavailable' });
    expect(performance.now() - startMs).toBeLessThan(5_000);
    expect(silent.listening).toBe(true);
    await close();
  });

  test('cold starts go on from the cache, also of a process that starts meanwhile', async () => {
    const { endpoint, bucket, region, forcePathStyle, credentials } = s3();
    const config = {
      s3: { endpoint, bucket, region, forcePathStyle, credentials },
      dir: directory,
      maxBlobBytes,
      cacheBytes: 10_000_000,
    };
    const before = await openBlobStore(config);
    const bytes = Buffer.from('code');
    const { sha256 } = await before.put(bytes);
    await before.get(sha256);
    await until(async () => (await readdir(directory)).includes(sha256.slice(0, 2)));
    await server.stop();
    try {
      const after = await openBlobStore(config);
      expect(await after.get(sha256)).toEqual(bytes);
      expect(await after.sizeOf(sha256)).toBe(4);
      await expect(after.get('b'.repeat(64))).rejects.toMatchObject({ code: 'Unavailable' });
    } finally {
      await server.start();
    }
    expect(await before.has(sha256)).toBe(true);
  });
});

async function silentServer(): Promise<{ server: Server; endpoint: string; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  };
  return { server: silent, endpoint: `http://127.0.0.1:${address.port}`, close };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never held');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
