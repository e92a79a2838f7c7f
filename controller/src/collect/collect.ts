import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type CollectionPlan, type Listed, planCollection, type Stock } from './plan.ts';
import { readReferences } from './references.ts';

/** The things this needs of a blob store (door `@kappa/gateway/blobs`). */
export interface CollectedBlobs {
  list(): AsyncIterable<Listed>;
  retired(): AsyncIterable<Listed>;
  retire(sha256: string, mayRemove: () => boolean): Promise<boolean>;
  reinstate(sha256: string): Promise<void>;
  purge(sha256: string, mayRemove: () => boolean): Promise<boolean>;
}

/** What a round is made with. */
export interface Collection {
  readonly kubernetes: Pick<Kubernetes, 'page'>;
  readonly blobs: CollectedBlobs;
  /** How long a blob that nobody refers to stays before it is retired, and again before it is purged; milliseconds, > 0. */
  readonly keepMs: number;
  /** Whether this process may act now: asked before each step. */
  readonly isActing: () => boolean;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
}

/** Blobs, and their bytes together. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}

/** What a round has found and done. */
export interface Round {
  readonly used: Amount;
  /** Referred to by nobody, not retired yet. */
  readonly unused: Amount;
  readonly retired: Amount;
  /** Gone for good. */
  readonly purged: Amount;
  readonly ending: Ending;
}

/** How a round came to its end. The next one goes on where it stopped. */
export type Ending =
  | { readonly kind: 'done' }
  /** Early: this process leads no more, or what it knew got old. */
  | { readonly kind: 'ended' }
  /** The store did not do some of the steps; the others are done, or left to the next round. `problem` is the first one's. */
  | { readonly kind: 'failed'; readonly problem: unknown };

/** What the API server said counts for so long: a process that was stopped meanwhile does nothing by it. */
const FRESH_MS = 60_000;
/**
 * Retiring has so long from there: a slow store copies a large blob. With both, and with the quarter of an hour that a store believes a signature,
 * nothing is taken away by knowledge that is an hour old: the shortest time that code is kept in a cluster.
 */
const RETIRE_MS = 600_000;

/**
 * One round of removing blobs that nobody refers to: observe → plan → apply. The store is listed first and the API server asked last, so that a
 * reference is seen however late it was made. Two that do this at the same time do no harm, also when one is stopped in the midst of a step: each
 * step is fine for a blob that has gone on already, and none takes away what was put.
 *
 * @throws KubernetesError, ParseError, BlobError: nothing is done on incomplete knowledge, and nothing was done
 */
export async function collectBlobs(collection: Collection): Promise<Round> {
  const { blobs, keepMs, nowMs, elapsedMs } = collection;
  const [listed, retired] = [await Array.fromAsync(blobs.list()), await Array.fromAsync(blobs.retired())];
  const askedMs = elapsedMs();
  const references = await readReferences(collection.kubernetes);
  const stock = { blobs: listed, retired, references };
  const plan = planCollection(stock, nowMs(), keepMs);
  const isFresh = (forMs: number) => (): boolean => collection.isActing() && elapsedMs() - askedMs < forMs;
  return { ...amounts(stock), ...(await apply(plan, blobs, isFresh)) };
}

async function apply(
  { reinstate, retire, purge }: CollectionPlan,
  blobs: CollectedBlobs,
  isFresh: (forMs: number) => () => boolean,
): Promise<Pick<Round, 'purged' | 'ending'>> {
  const mayGoOn = isFresh(FRESH_MS);
  const mayRetire = isFresh(FRESH_MS + RETIRE_MS);
  const steps: readonly [listed: readonly Listed[], step: (sha256: string) => Promise<boolean>][] = [
    [reinstate, (sha256) => blobs.reinstate(sha256).then(() => true)],
    [retire, (sha256) => blobs.retire(sha256, mayRetire)],
    [purge, (sha256) => blobs.purge(sha256, mayGoOn)],
  ];
  const purged: Listed[] = [];
  const problems: unknown[] = [];
  const over = (kind: 'done' | 'ended'): Pick<Round, 'purged' | 'ending'> => ({
    purged: amountOf(purged),
    ending: problems.length > 0 ? { kind: 'failed', problem: problems[0] } : { kind },
  });
  for (const [listed, step] of steps) {
    for (const blob of listed) {
      const result = mayGoOn() ? await step(blob.sha256).catch((problem: unknown) => ({ problem })) : false;
      if (result === false) return over('ended');
      if (result !== true)
        problems.push(result.problem); // of this blob: the others need not wait for it
      else if (listed === purge) purged.push(blob);
    }
  }
  return over('done');
}

function amounts({ blobs, retired, references }: Stock): Pick<Round, 'used' | 'unused' | 'retired'> {
  const isUsed = ({ sha256 }: Listed): boolean => references.digests.has(sha256);
  return {
    used: amountOf(blobs.filter(isUsed)),
    unused: amountOf(blobs.filter((blob) => !isUsed(blob))),
    retired: amountOf(retired),
  };
}

function amountOf(blobs: readonly Listed[]): Amount {
  return { count: blobs.length, bytes: blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}
