import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type CollectionPlan, type Listed, planCollection, type Stock } from './plan.ts';
import { readReferences } from './references.ts';

/** The things this needs of a blob store (door `@kappa/gateway/blobs`). */
export interface CollectedBlobs {
  list(): AsyncIterable<Listed>;
  retired(): AsyncIterable<Listed>;
  retire(sha256: string): Promise<void>;
  reinstate(sha256: string): Promise<void>;
  purge(sha256: string): Promise<void>;
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
  /** False when it was ended early: this process leads no more, or what it knew got old. The next round goes on. */
  readonly isWhole: boolean;
}

/** What the API server said counts for so long: a process that was stopped meanwhile does nothing by it. */
const FRESH_MS = 60_000;

/**
 * One round of removing blobs that nobody refers to: observe → plan → apply. The store is listed first and the API server asked last, so that a
 * reference is seen however late it was made. Two that do this at the same time do no harm: each step is fine for a blob that has gone on already,
 * and none takes away what was put.
 *
 * @throws KubernetesError, ParseError, BlobError: nothing is done on incomplete knowledge
 */
export async function collectBlobs(collection: Collection): Promise<Round> {
  const { blobs, keepMs, nowMs, elapsedMs } = collection;
  const [listed, retired] = [await Array.fromAsync(blobs.list()), await Array.fromAsync(blobs.retired())];
  const askedMs = elapsedMs();
  const references = await readReferences(collection.kubernetes);
  const stock = { blobs: listed, retired, references };
  const plan = planCollection(stock, nowMs(), keepMs);
  const mayGoOn = (): boolean => collection.isActing() && elapsedMs() - askedMs < FRESH_MS;
  return { ...amounts(stock), ...(await apply(plan, blobs, mayGoOn)) };
}

async function apply(
  { reinstate, retire, purge }: CollectionPlan,
  blobs: CollectedBlobs,
  mayGoOn: () => boolean,
): Promise<Pick<Round, 'purged' | 'isWhole'>> {
  const steps: readonly [listed: readonly Listed[], step: (sha256: string) => Promise<void>][] = [
    [reinstate, (sha256) => blobs.reinstate(sha256)],
    [retire, (sha256) => blobs.retire(sha256)],
    [purge, (sha256) => blobs.purge(sha256)],
  ];
  const purged: Listed[] = [];
  for (const [listed, step] of steps) {
    for (const blob of listed) {
      if (!mayGoOn()) return { purged: amountOf(purged), isWhole: false };
      await step(blob.sha256);
      if (listed === purge) purged.push(blob);
    }
  }
  return { purged: amountOf(purged), isWhole: true };
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
