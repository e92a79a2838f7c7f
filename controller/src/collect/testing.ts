import type { Kind } from '@kappa/crds/client/kinds';
import type { Page, PageOptions } from '@kappa/crds/client/kubernetes';
import { BlobError, type BlobStore } from '@kappa/gateway/blobs';
import type { CollectedBlobs } from './collect.ts';
import type { Listed } from './plan.ts';

/** Lets others do their work first, then makes the call, with nothing in between. */
export type Meanwhile = <R>(call: () => Promise<R>) => Promise<R>;

/** Objects in memory, paged as the API server pages: each list is what there was when it began. */
export class TestObjects {
  /** By plural and name. */
  readonly stored = new Map<string, object>();
  readonly #lists = new Map<string, readonly object[]>();
  readonly #meanwhile: Meanwhile;

  constructor(meanwhile: Meanwhile) {
    this.#meanwhile = meanwhile;
  }

  page<T>(kind: Kind<T>, options: PageOptions): Promise<Page<T>> {
    return this.#meanwhile(async () => this.#page(kind, options));
  }

  #page<T>(kind: Kind<T>, { from = '' }: PageOptions): Page<T> {
    const [list = `${this.#lists.size}`, at = '0'] = from === '' ? [] : from.split('/');
    const prefix = `${kind.plural}/`;
    const all =
      this.#lists.get(list) ?? [...this.stored].flatMap(([key, object]) => (key.startsWith(prefix) ? [object] : []));
    this.#lists.set(list, all);
    const next = Number(at) + 2;
    return { items: all.slice(Number(at), next) as T[], next: next < all.length ? `${list}/${next}` : null };
  }

  /** Digests that some object refers to now. */
  references(): ReadonlySet<string> {
    const text = JSON.stringify([...this.stored.values()]);
    const inStatus = [...text.matchAll(/"codeSha256":"([^"]+)"/g)].map(([, base64 = '']) =>
      Buffer.from(base64, 'base64').toString('hex'),
    );
    return new Set([...inStatus, ...(text.match(/[0-9a-f]{64}/g) ?? [])]);
  }
}

/** What {@link TimedBlobs} is made of. */
interface TimedBlobsParts {
  /** As those who upload and read see it. */
  readonly store: BlobStore;
  /** As rounds see it. */
  readonly ofRounds: BlobStore;
  readonly nowMs: () => number;
  readonly meanwhile: Meanwhile;
}

/** A real blob store whose times are the test's. */
export class TimedBlobs implements CollectedBlobs {
  readonly #parts: TimedBlobsParts;
  readonly #putMs = new Map<string, number>();
  readonly #retiredMs = new Map<string, number>();

  constructor(parts: TimedBlobsParts) {
    this.#parts = parts;
  }

  /** As an upload does; nothing happens meanwhile. */
  async put(bytes: Buffer): Promise<string> {
    const { sha256 } = await this.#parts.store.put(bytes);
    this.#putMs.set(sha256, this.#parts.nowMs());
    return sha256;
  }

  /** Whether it can be read. */
  async isReadable(sha256: string): Promise<boolean> {
    return this.#parts.store.get(sha256).then(
      () => true,
      (error) => {
        if (error instanceof BlobError && error.code === 'NotFound') return false;
        throw error;
      },
    );
  }

  async *list(): AsyncIterable<Listed> {
    const { ofRounds, meanwhile } = this.#parts;
    const blobs = await meanwhile(() => Array.fromAsync(ofRounds.list()));
    for (const blob of blobs) yield { ...blob, modifiedMs: this.#putMs.get(blob.sha256) ?? 0 };
  }

  async *retired(): AsyncIterable<Listed> {
    const { ofRounds, meanwhile } = this.#parts;
    const blobs = await meanwhile(() => Array.fromAsync(ofRounds.retired()));
    for (const blob of blobs) yield { ...blob, modifiedMs: this.#retiredMs.get(blob.sha256) ?? 0 };
  }

  retire(sha256: string, mayRemove: () => boolean): Promise<boolean> {
    const { store, ofRounds, nowMs, meanwhile } = this.#parts;
    return meanwhile(async () => {
      if (await store.has(sha256)) this.#retiredMs.set(sha256, nowMs());
      return ofRounds.retire(sha256, mayRemove);
    });
  }

  reinstate(sha256: string): Promise<void> {
    const { ofRounds, nowMs, meanwhile } = this.#parts;
    return meanwhile(() => {
      this.#putMs.set(sha256, nowMs());
      return ofRounds.reinstate(sha256);
    });
  }

  purge(sha256: string, mayRemove: () => boolean): Promise<boolean> {
    const { ofRounds, meanwhile } = this.#parts;
    return meanwhile(() => ofRounds.purge(sha256, mayRemove));
  }
}
