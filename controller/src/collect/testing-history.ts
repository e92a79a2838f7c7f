import { BlobError, type BlobStore } from '@kappa/gateway/blobs';
import fc from 'fast-check';
import { type Collection, collectBlobs } from './collect.ts';
import { type Meanwhile, TestObjects, TimedBlobs } from './testing.ts';
import type { Gate } from './testing-gate.ts';

/*
 * Random histories of uploads, functions, versions and layers, whose steps happen between any two calls of the rounds that run meanwhile. What an
 * object refers to can be read at every moment; what nobody refers to is gone in the end.
 */

const HOUR_MS = 3_600_000;
/** How long code is kept. */
export const KEEP_MS = 24 * HOUR_MS;
/** Who has uploaded refers to it within so long, or not at all. */
const UPLOAD_MS = 600_000;

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
/** Where rounds are held: few things happen to few contents, so that much of it happens to one. */
const heldWeights = { upload: 3, function: 3, deleteFunction: 2, wait: 2, round: 3 } as const;
const taken = <Kind extends string>(weightOf: Readonly<Record<Kind, number>>): Kind[] =>
  (Object.keys(weightOf) as Kind[]).flatMap((kind) => Array<Kind>(weightOf[kind]).fill(kind));
/** One of a history. */
export interface Step {
  /** `first`, `second`: requests of that round pass. */
  readonly kind: StepKind | 'first' | 'second';
  /** Which function, layer, content; how long; how many requests. */
  readonly n: number;
}
/** Any step. */
export const step = fc.record<Step>({ kind: fc.constantFrom(...taken(weights)), n: fc.nat(3) });
/** Any step where rounds are held. */
export const heldStep = fc.oneof(
  fc.record<Step>({ kind: fc.constantFrom(...taken(heldWeights)), n: fc.nat(1) }),
  fc.record<Step>({ kind: fc.constantFrom('first', 'second'), n: fc.nat(20) }),
);
/** How many steps happen before each call of a round. */
export const pace = fc.array(fc.nat(2), { minLength: 1, maxLength: 20, size: 'max' });

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

/** Blobs as rounds see them, each of whose requests passes the gate. */
export interface HeldBlobs {
  readonly store: BlobStore;
  readonly gate: Gate;
}

/** Rounds at a time: two controllers may believe that they lead. */
const MAX_ROUNDS = 2;

/** One history: its time, its objects, its blobs. */
export class History {
  nowMs = 10 * KEEP_MS;
  readonly objects = new TestObjects((call) =>
    this.#gate === null ? this.#meanwhile(call) : this.#gate.pass().then(call),
  );
  readonly blobs: TimedBlobs;
  readonly #steps: Step[];
  readonly #pace: readonly number[];
  readonly #gate: Gate | null;
  /** Uploads that nothing refers to yet, and until when something may. */
  #uploads: { readonly sha256: string; readonly untilMs: number }[] = [];
  #calls = 0;
  #versions = 0;
  /** The call that is made now. */
  #turn: Promise<unknown> = Promise.resolve();

  /** @param held the same blobs as rounds see them, held at a gate before each of their requests. Default: others get between their calls only */
  constructor(store: BlobStore, steps: readonly Step[], paces: readonly number[] = [0], held: HeldBlobs | null = null) {
    this.#gate = held?.gate ?? null;
    const meanwhile: Meanwhile = (call) => (held === null ? this.#meanwhile(call) : call());
    this.blobs = new TimedBlobs({ store, ofRounds: held?.store ?? store, nowMs: () => this.nowMs, meanwhile });
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

  async #letGo(round: number, count: number): Promise<void> {
    for (let left = count; left > 0 && this.#gate !== null && this.#gate.active > 0; left -= 1) {
      await this.#gate.letGo(round);
      await this.#nothingIsLost();
    }
  }

  /** Nothing happens any more: what nobody refers to goes. */
  async settle(): Promise<void> {
    this.#uploads = [];
    await this.#gate?.open();
    for (let round = 0; round < 4; round += 1) {
      await this.#round();
      await this.#nothingIsLost();
      this.nowMs += KEEP_MS;
    }
  }

  /** Lets some of the steps happen, then makes the call. Calls are made one after the other. */
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
    else if (kind === 'round' || kind === 'twoRounds') await this.#rounds(kind === 'round' ? 1 : 2);
    else if (kind === 'wait') this.#wait(n);
    else if (kind === 'first' || kind === 'second') await this.#letGo(kind === 'first' ? 0 : 1, n);
    else this.#change(kind, n);
  }

  async #rounds(count: number): Promise<void> {
    const gate = this.#gate;
    if (gate === null) await Promise.all([...Array(count)].map(() => this.#round()));
    else if (gate.active < MAX_ROUNDS) await gate.start(() => this.#round());
  }

  async #round(): Promise<void> {
    const { ending } = await collectBlobs(this.collection());
    if (ending.kind === 'failed' && !(this.#gate !== null && isRefusal(ending.problem))) throw ending.problem;
  }

  async #upload(n: number): Promise<void> {
    const sha256 = await this.blobs.put(Buffer.from(`content ${n}`));
    this.#uploads.push({ sha256, untilMs: this.nowMs + UPLOAD_MS });
  }

  #wait(n: number): void {
    const isHeld = this.#gate !== null && this.#gate.active > 0; // then mostly short: rounds that are held for long do nothing
    this.nowMs += (this.#gate === null || isHeld ? [1_000, 60_000, 13 * HOUR_MS, 30 * HOUR_MS][n] : 30 * HOUR_MS) ?? 0;
    this.#uploads = this.#uploads.filter(({ untilMs }) => untilMs > this.nowMs);
  }

  #change(kind: Exclude<StepKind, 'upload' | 'round' | 'twoRounds' | 'wait'>, n: number): void {
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

/** A removal came to the store too late. */
function isRefusal(problem: unknown): boolean {
  return problem instanceof BlobError && problem.message.includes('RequestTimeTooSkewed');
}

/** By zip, by url, or with inline code, which only the status tells. */
function makeFunction(sha256: string, n: number): TestFunction {
  const codeSha256 = Buffer.from(sha256, 'hex').toString('base64');
  const code = [{ zip: { sha256 } }, { zip: { sha256 } }, { url: { sha256 } }, {}][n] ?? {};
  return { spec: { code }, ...(n >= 2 && { status: { codeSha256 } }) };
}
