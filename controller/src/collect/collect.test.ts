import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDirectoryBlobStore } from '@kappa/gateway/blobs';
import fc from 'fast-check';
import { type Collection, collectBlobs } from './collect.ts';
import { TestObjects, TimedBlobs } from './testing.ts';

/*
 * Random histories of uploads, functions, versions and layers, whose steps happen between any two calls of the rounds that run meanwhile. What an
 * object refers to can be read at every moment; what nobody refers to is gone in the end.
 */

const HOUR_MS = 3_600_000;
const KEEP_MS = 24 * HOUR_MS;
/** Who has uploaded refers to it within so long, or not at all. */
const UPLOAD_MS = 600_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kappa-collect-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** How often each is taken. */
const weights = {
  upload: 6,
  function: 4,
  layer: 4,
  publish: 2,
  copy: 1,
  useLayer: 4,
  deleteFunction: 2,
  deleteVersion: 1,
  deleteLayer: 2,
  wait: 5,
  round: 4,
  twoRounds: 1,
} as const;
type StepKind = keyof typeof weights;
const kinds = (Object.keys(weights) as StepKind[]).flatMap((kind) => Array<StepKind>(weights[kind]).fill(kind));
interface Step {
  readonly kind: StepKind;
  /** Which function, layer, content; how long. */
  readonly n: number;
}
const step = fc.record<Step>({ kind: fc.constantFrom(...kinds), n: fc.nat(3) });
/** How many steps happen before each call of a round. */
const pace = fc.array(fc.nat(2), { minLength: 1, maxLength: 20, size: 'max' });

interface TestFunction {
  readonly spec: { readonly code: { readonly zip?: { readonly sha256: string } } };
  readonly status?: { readonly codeSha256: string };
}
interface TestVersion {
  readonly spec: {
    readonly code: { readonly sha256: string };
    readonly layers: readonly { readonly sha256: string }[];
  };
}

class History {
  nowMs = 10 * KEEP_MS;
  readonly objects = new TestObjects((call) => this.#meanwhile(call));
  readonly blobs: TimedBlobs;
  readonly #steps: Step[];
  readonly #pace: readonly number[];
  /** Uploads that nothing refers to yet, and until when something may. */
  #uploads: { readonly sha256: string; readonly untilMs: number }[] = [];
  #calls = 0;
  #versions = 0;
  /** The call that is made now. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    blobs: Awaited<ReturnType<typeof openDirectoryBlobStore>>,
    steps: readonly Step[],
    paces: readonly number[],
  ) {
    this.blobs = new TimedBlobs(
      blobs,
      () => this.nowMs,
      (call) => this.#meanwhile(call),
    );
    this.#steps = [...steps];
    this.#pace = paces;
    this.#function('always', { spec: { code: {} } });
  }

  collection(): Collection {
    const { objects, blobs } = this;
    const elapsedMs = () => this.nowMs;
    return { kubernetes: objects, blobs, keepMs: KEEP_MS, isActing: () => true, nowMs: elapsedMs, elapsedMs };
  }

  async run(): Promise<void> {
    for (let next = this.#steps.shift(); next !== undefined; next = this.#steps.shift()) {
      await this.#take(next);
      await this.#nothingIsLost();
    }
  }

  /** Nothing happens any more: what nobody refers to goes. */
  async settle(): Promise<void> {
    this.#uploads = [];
    for (let round = 0; round < 4; round += 1) {
      await collectBlobs(this.collection());
      await this.#nothingIsLost();
      this.nowMs += KEEP_MS;
    }
  }

  #meanwhile<R>(call: () => Promise<R>): Promise<R> {
    const done = this.#turn.then(() => this.#others()).then(call);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #others(): Promise<void> {
    const count = this.#pace[this.#calls++ % this.#pace.length] ?? 0;
    for (const next of this.#steps.splice(0, count)) {
      if (next.kind !== 'round' && next.kind !== 'twoRounds') await this.#take(next);
      await this.#nothingIsLost();
    }
  }

  async #nothingIsLost(): Promise<void> {
    for (const sha256 of this.objects.references())
      if (!(await this.blobs.isReadable(sha256))) throw new Error(`lost ${sha256}`);
  }

  async #take({ kind, n }: Step): Promise<void> {
    if (kind === 'upload') await this.#upload(n);
    else if (kind === 'round') await collectBlobs(this.collection());
    else if (kind === 'twoRounds') await Promise.all([1, 2].map(() => collectBlobs(this.collection())));
    else if (kind === 'wait') this.#wait(n);
    else this.#change(kind, n);
  }

  async #upload(n: number): Promise<void> {
    const sha256 = await this.blobs.put(Buffer.from(`content ${n}`));
    this.#uploads.push({ sha256, untilMs: this.nowMs + UPLOAD_MS });
  }

  #wait(n: number): void {
    this.nowMs += [1_000, 60_000, 13 * HOUR_MS, 30 * HOUR_MS][n] ?? 0;
    this.#uploads = this.#uploads.filter(({ untilMs }) => untilMs > this.nowMs);
  }

  #change(kind: Exclude<Step['kind'], 'upload' | 'round' | 'twoRounds' | 'wait'>, n: number): void {
    const { stored } = this.objects;
    const versions = [...stored.keys()].filter((key) => key.startsWith('functionversions/'));
    if (kind === 'function') this.#refer((sha256) => this.#function(`${n}`, makeFunction(sha256, n)));
    if (kind === 'layer') this.#refer((sha256) => stored.set(`layers/${n}`, { spec: { code: { zip: { sha256 } } } }));
    if (kind === 'publish') this.#publish(n, this.#version(n)?.spec.layers ?? []);
    if (kind === 'copy') this.#copy(n);
    if (kind === 'useLayer') this.#useLayer(n);
    if (kind === 'deleteFunction') stored.delete(`functions/${n}`);
    if (kind === 'deleteVersion') stored.delete(versions[n] ?? '');
    if (kind === 'deleteLayer') stored.delete(`layers/${n}`);
  }

  #version(n: number): TestVersion | undefined {
    const versions = [...this.objects.stored].filter(([key]) => key.startsWith('functionversions/'));
    return versions[n]?.[1] as TestVersion | undefined;
  }

  #function(name: string, fn: TestFunction): void {
    this.objects.stored.set(`functions/${name}`, fn);
  }

  #refer(to: (sha256: string) => void): void {
    const upload = this.#uploads.shift();
    if (upload !== undefined) to(upload.sha256);
  }

  #publish(n: number, layers: TestVersion['spec']['layers']): void {
    const { spec, status } = (this.objects.stored.get(`functions/${n}`) ?? {}) as Partial<TestFunction>;
    const sha256 = spec?.code.zip?.sha256 ?? Buffer.from(status?.codeSha256 ?? '', 'base64').toString('hex');
    if (sha256 !== '')
      this.objects.stored.set(`functionversions/${this.#versions++}`, { spec: { code: { sha256 }, layers } });
  }

  /** What kubectl does: a function of the code of a version, without an upload. */
  #copy(n: number): void {
    const sha256 = this.#version(n)?.spec.code.sha256;
    if (sha256 !== undefined) this.#function(`copy-${n}`, { spec: { code: { zip: { sha256 } } } });
  }

  #useLayer(n: number): void {
    const layers = [...this.objects.stored].filter(([key]) => key.startsWith('layers/'));
    const layer = layers[n % layers.length]?.[1] as TestFunction | undefined;
    const sha256 = layer?.spec.code.zip?.sha256;
    if (sha256 !== undefined) this.#publish(n, [{ sha256 }]);
  }
}

/** By zip, by url, or with inline code, which only the status tells. */
function makeFunction(sha256: string, n: number): TestFunction {
  const codeSha256 = Buffer.from(sha256, 'hex').toString('base64');
  const code = [{ zip: { sha256 } }, { zip: { sha256 } }, { url: { sha256 } }, {}][n] ?? {};
  return { spec: { code }, ...(n >= 2 && { status: { codeSha256 } }) };
}

test('whatever happens between two calls of a round, nothing that is referred to is lost, and nothing else stays', async () => {
  let runs = 0;
  const property = fc.asyncProperty(fc.array(step, { maxLength: 150, size: 'max' }), pace, async (steps, paces) => {
    const store = await openDirectoryBlobStore(join(directory, `${runs++}`), { cacheBytes: 1, maxCachedBlobBytes: 0 });
    const history = new History(store, steps, paces);
    await history.run();
    await history.settle();
    const left = [...(await Array.fromAsync(store.list())), ...(await Array.fromAsync(store.retired()))];
    const references = history.objects.references();
    expect(left.map(({ sha256 }) => sha256).filter((sha256) => !references.has(sha256))).toEqual([]);
  });
  await fc.assert(property, { numRuns: 100, endOnFailure: true }); // made smaller step by step, a history takes minutes
}, 120_000);

test('a process that leads no more, or was stopped since it asked, does nothing', async () => {
  const store = await openDirectoryBlobStore(directory);
  const { sha256 } = await store.put(Buffer.from('old'));
  const history = new History(store, [], [0]);
  history.nowMs = Date.now() + 2 * KEEP_MS;
  const notLeading = await collectBlobs({ ...history.collection(), isActing: () => false });
  expect([notLeading.isWhole, await store.has(sha256)]).toEqual([false, true]);
  let askedMs = 0;
  const elapsedMs = () => (askedMs += 100_000);
  const stopped = await collectBlobs({ ...history.collection(), elapsedMs });
  expect([stopped.isWhole, await store.has(sha256)]).toEqual([false, true]);
  expect((await collectBlobs(history.collection())).isWhole).toBe(true);
  expect(await store.has(sha256)).toBe(false);
});

test('when the API server does not answer, nothing happens', async () => {
  const store = await openDirectoryBlobStore(directory);
  const { sha256 } = await store.put(Buffer.from('old'));
  const history = new History(store, [], [0]);
  history.nowMs = Date.now() + 2 * KEEP_MS;
  const kubernetes = { page: () => Promise.reject(new Error('away')) };
  await expect(collectBlobs({ ...history.collection(), kubernetes })).rejects.toThrow('away');
  expect(await store.has(sha256)).toBe(true);
});
