import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { type BlobEntry, type BlobStore, spool } from './blob-store.ts';

/** A store under test, and how its bytes are damaged behind its back. */
export interface StoreUnderTest {
  /** Largest blob that it takes; at least 1 MiB. */
  readonly maxBlobBytes: number;
  /** A second view of the same blobs: another process, or after a restart. */
  reopen(): Promise<BlobStore>;
  damage(sha256: string): Promise<void>;
  /** Where a test may write. */
  readonly directory: string;
  readonly store: BlobStore;
}

export function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What every BlobStore must do; call it inside `describe`. `under` is asked anew in each test. */
export function blobStoreContract(under: () => StoreUnderTest): void {
  test('what was put comes back, to another process too', async () => {
    const { store, reopen } = under();
    const bytes = randomBytes(1000);
    const digest = await store.put(bytes);
    expect(digest).toEqual({ sha256: sha256Of(bytes), sizeBytes: 1000 });
    expect(await store.get(digest.sha256)).toEqual(bytes);
    expect(await (await reopen()).get(digest.sha256)).toEqual(bytes);
    expect(await store.has(digest.sha256)).toBe(true);
    expect(await store.sizeOf(digest.sha256)).toBe(digest.sizeBytes);
  });

  test('a stream is stored like a buffer, an empty blob like any other', async () => {
    const { store } = under();
    const bytes = randomBytes(700_000);
    const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 500_000), bytes.subarray(500_000)];
    expect(await store.put(Readable.from(pieces), sha256Of(bytes))).toEqual({
      sha256: sha256Of(bytes),
      sizeBytes: 700_000,
    });
    expect(await store.get(sha256Of(bytes))).toEqual(bytes);
    const empty = await store.put(Buffer.alloc(0));
    expect((await store.get(empty.sha256)).length).toBe(0);
  });

  test('bytes that are not what was announced are not stored', async () => {
    const { store } = under();
    const announced = sha256Of(Buffer.from('announced'));
    const sent = Buffer.from('sent');
    await expect(store.put(sent, announced)).rejects.toMatchObject({ code: 'DigestMismatch' });
    expect(await store.has(announced)).toBe(false);
    expect(await store.sizeOf(announced)).toBeNull();
    expect(await store.has(sha256Of(sent))).toBe(false);
  });

  test('a stream that breaks or is too long leaves nothing', async () => {
    const { store, maxBlobBytes } = under();
    const broken = async function* () {
      yield Buffer.from('begin');
      throw new Error('sender went away');
    };
    await expect(store.put(Readable.from(broken()))).rejects.toThrow('sender went away');
    const tooLong = async function* () {
      for (let sent = 0; sent <= maxBlobBytes; sent += 65_536) yield Buffer.alloc(65_536);
    };
    await expect(store.put(Readable.from(tooLong()))).rejects.toMatchObject({ code: 'TooLarge' });
    expect(await listed(store)).toEqual([]);
  });

  contentIsSafe(under);
  blobsGoInTwoSteps(under);
  storesKnowTheirInstalls(under);
}

function contentIsSafe(under: () => StoreUnderTest): void {
  test('many puts of the same bytes at the same time are one blob', async () => {
    const { store, reopen } = under();
    const bytes = randomBytes(300_000);
    const other = await reopen();
    await Promise.all([...Array(8).keys()].map((n) => (n % 2 === 0 ? store : other).put(Readable.from([bytes]))));
    expect((await listed(store)).map((entry) => entry.sha256)).toEqual([sha256Of(bytes)]);
    expect(await other.get(sha256Of(bytes))).toEqual(bytes);
  });

  test('many reads at the same time all get the bytes', async () => {
    const { store, reopen } = under();
    const { sha256 } = await store.put(randomBytes(100_000));
    const other = await reopen();
    const all = await Promise.all([...Array(8).keys()].map(() => other.get(sha256)));
    for (const bytes of all) expect(sha256Of(bytes)).toBe(sha256);
  });

  test('a damaged blob is told from a missing one, and mended by putting it again', async () => {
    const { store, reopen, damage } = under();
    const bytes = randomBytes(1000);
    const { sha256 } = await store.put(bytes);
    await damage(sha256);
    const other = await reopen();
    await expect(other.get(sha256)).rejects.toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining(sha256),
    });
    await other.put(bytes, sha256);
    expect(await other.get(sha256)).toEqual(bytes);
  });

  test('a missing blob is NotFound; deleting it is fine', async () => {
    const { store } = under();
    const { sha256 } = await store.put(Buffer.from('gone soon'));
    await store.get(sha256);
    await store.delete(sha256);
    await store.delete(sha256);
    expect(await store.has(sha256)).toBe(false);
    await expect(store.get(sha256)).rejects.toMatchObject({ code: 'NotFound' });
  });

  test.each(['', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63)])('%j is no digest', async (name) => {
    const { store } = under();
    await expect(store.get(name)).rejects.toMatchObject({ code: 'BadDigest' });
    await expect(store.has(name)).rejects.toMatchObject({ code: 'BadDigest' });
    await expect(store.delete(name)).rejects.toMatchObject({ code: 'BadDigest' });
    await expect(store.put(Buffer.alloc(1), name)).rejects.toMatchObject({ code: 'BadDigest' });
  });
}

function blobsGoInTwoSteps(under: () => StoreUnderTest): void {
  test('what is spooled is stored like any other content, and stays the caller’s to discard', async () => {
    const { store, directory } = under();
    for (const memoryBytes of [1, 1_000_000]) {
      const bytes = randomBytes(200_000);
      const held = await spool(Readable.from([bytes]), { directory, maxBytes: 1_000_000, memoryBytes });
      expect(await store.put(held, sha256Of(bytes))).toEqual({ sha256: sha256Of(bytes), sizeBytes: 200_000 });
      expect(await store.get(sha256Of(bytes))).toEqual(bytes);
      expect(await held.read(199_990, 100)).toEqual(bytes.subarray(199_990));
      await held.discard();
    }
  });

  test('a retired blob is not there for those who ask, still read, and comes back whole', async () => {
    const { store, reopen } = under();
    const bytes = randomBytes(1000);
    const { sha256 } = await store.put(bytes);
    const kept = await store.put(Buffer.from('kept'));
    await store.retire(sha256);
    expect([await store.has(sha256), await store.sizeOf(sha256)]).toEqual([false, null]);
    expect((await listed(store)).map((entry) => entry.sha256)).toEqual([kept.sha256]);
    expect(await Array.fromAsync(store.retired())).toEqual([
      { sha256, sizeBytes: 1000, modifiedMs: expect.any(Number) },
    ]);
    expect(await (await reopen()).get(sha256)).toEqual(bytes);
    await store.reinstate(sha256);
    expect(await store.sizeOf(sha256)).toBe(1000);
    expect(await store.retire(sha256)).toBe(true);
    expect([await store.sizeOf(sha256), (await Array.fromAsync(store.retired())).length]).toEqual([null, 1]);
  });

  test('what may not be removed any more stays, whatever was begun', async () => {
    const { store, reopen } = under();
    const bytes = randomBytes(1000);
    const { sha256 } = await store.put(bytes);
    expect(await store.retire(sha256, () => false)).toBe(false);
    expect(await store.sizeOf(sha256)).toBe(1000);
    await store.retire(sha256);
    expect(await store.purge(sha256, () => false)).toBe(false);
    expect(await (await reopen()).get(sha256)).toEqual(bytes);
  });

  test('one that is put again is there, whatever becomes of its retired copy', async () => {
    const { store, reopen } = under();
    const bytes = randomBytes(1000);
    const { sha256 } = await store.put(bytes);
    await store.retire(sha256);
    await store.put(bytes);
    await store.purge(sha256);
    expect(await (await reopen()).get(sha256)).toEqual(bytes);
    await store.retire(sha256);
    await store.put(bytes);
    await store.reinstate(sha256);
    expect(await store.sizeOf(sha256)).toBe(1000);
  });

  test('a purged blob is gone; each step is fine for one that is not there, also twice and by two at a time', async () => {
    const { store, reopen } = under();
    const { sha256 } = await store.put(randomBytes(1000));
    const other = await reopen();
    await Promise.all([store.retire(sha256), other.retire(sha256)]);
    await Promise.all([store.purge(sha256), other.purge(sha256)]);
    await expect((await reopen()).get(sha256)).rejects.toMatchObject({ code: 'NotFound' });
    const steps = [() => store.purge(sha256), () => store.reinstate(sha256), () => store.retire(sha256)];
    for (const step of [...steps, ...steps.toReversed()]) await step();
    expect([...(await listed(store)), ...(await Array.fromAsync(store.retired()))]).toEqual([]);
  });
}

function storesKnowTheirInstalls(under: () => StoreUnderTest): void {
  test('each install that says so has its code here, also when several do at the same time', async () => {
    const { store, reopen } = under();
    const other = await reopen();
    expect(await store.installs()).toEqual([]);
    await Promise.all([store.addInstall('first'), other.addInstall('second'), store.addInstall('first')]);
    expect([...(await other.installs())].sort()).toEqual(['first', 'second']);
    expect([...(await listed(store)), ...(await Array.fromAsync(store.retired()))]).toEqual([]);
    await expect(store.addInstall('../first')).rejects.toMatchObject({ code: 'BadDigest' });
  });
}

async function listed(store: BlobStore): Promise<BlobEntry[]> {
  return Array.fromAsync(store.list());
}
