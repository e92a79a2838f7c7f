import { isConflict, isNotFound } from '@kappa/crds/client/errors';
import { type ConfigMap, configMaps } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

/** What {@link takeEpoch} works with. */
export interface EpochDeps {
  readonly kubernetes: Pick<Kubernetes, 'get' | 'create' | 'replace'>;
  /** Where the record is kept: the namespace of the pools. */
  readonly namespace: string;
  /** The wall clock, epoch milliseconds. */
  readonly wallMs: number;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
  /** Hears why the record could not be kept. */
  readonly onProblem: (problem: unknown) => void;
}

/** The ConfigMap with the last epoch. Not the one with the public key: who writes this one may not replace that one. */
export const epochRecord = 'kappa-gateway-epoch';

/** The start of the gateway waits so long for the record. */
const LIMIT_MS = 2_000;
/** Gateways that start at the same time get in each other's way. */
const MAX_TRIES = 10;

/**
 * The owner epoch of this life of the gateway, higher than that of every life before: agents refuse a lower one for good, so a
 * wall clock that has stepped back may not decide alone. It is max(wall clock, last one + 1), and the last one is kept in the
 * cluster, which all gateways share and which outlives each of them. When it cannot be read or written, the wall clock has to do.
 *
 * @returns whole, > 0; never rejects
 */
export async function takeEpoch(deps: EpochDeps): Promise<number> {
  const late = Promise.withResolvers<never>();
  const cancel = deps.schedule(LIMIT_MS, () =>
    late.reject(new Error(`the Kubernetes API did not answer within ${LIMIT_MS / 1000} s`)),
  );
  try {
    return await Promise.race([raise(deps), late.promise]);
  } catch (problem) {
    deps.onProblem(problem);
    return deps.wallMs;
  } finally {
    cancel();
  }
}

async function raise(deps: EpochDeps): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await raiseOnce(deps);
    } catch (problem) {
      if (!isConflict(problem) || tries === MAX_TRIES) throw problem;
    }
  }
}

async function raiseOnce({ kubernetes, namespace, wallMs }: EpochDeps): Promise<number> {
  const record = await read(kubernetes, namespace);
  const last = Number(record?.data?.['epoch'] ?? 0);
  const epoch = Math.max(wallMs, Number.isSafeInteger(last) ? last + 1 : 0);
  const data = { epoch: String(epoch) };
  const metadata = { namespace, name: epochRecord };
  if (record === null) await kubernetes.create(configMaps, { metadata, data });
  else {
    const { resourceVersion } = record.metadata;
    await kubernetes.replace(configMaps, { metadata: { ...metadata, resourceVersion }, data });
  }
  return epoch;
}

async function read(kubernetes: Pick<Kubernetes, 'get'>, namespace: string): Promise<ConfigMap | null> {
  try {
    return await kubernetes.get(configMaps, namespace, epochRecord);
  } catch (problem) {
    if (isNotFound(problem)) return null;
    throw problem;
  }
}
