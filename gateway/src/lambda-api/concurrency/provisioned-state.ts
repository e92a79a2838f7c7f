import type { ProvisionedConcurrencyStatusEnum } from '@aws-sdk/client-lambda';

import type { PoolPod } from '../../dispatch/types.ts';
import type { Directory } from '../../registry/directory.ts';
import { type Share, sharesOf } from '../../registry/provisioned.ts';
import { holdersOf, LATEST } from '../../registry/routing.ts';
import type { QualifiedExecutions, VersionView } from '../../registry/views.ts';
import { byQualifier } from '../functions/change.ts';

/** What there is of the execution environments that are provisioned for a version or an alias. */
export interface ProvisionedState {
  /** Pods that hold its versions, initialised, up to what was asked for. */
  readonly allocated: number;
  /** Those of them that can be reached now. */
  readonly available: number;
  readonly status: ProvisionedConcurrencyStatusEnum;
  /** In Lambda's words for programs; null = nothing is wrong. */
  readonly reason: string | null;
}

/** Lambda's reasons. */
const INIT_FAILED = 'FUNCTION_ERROR_INIT_FAILURE';
const NO_VERSION = 'The version, or the alias, does not exist.';
const SEVERAL = 'The version runs several invocations at once in each pod (perInstance): none are kept for it.';

/**
 * What is there for one of a function's entries, from the pods as this gateway sees them. A pod counts for one entry: where several want
 * the same version (two aliases), the first by qualifier gets them first.
 *
 * @param entries all of the function
 * @param key namespace/name of the function
 */
export function provisionedState(
  wanted: string,
  entries: readonly QualifiedExecutions[],
  key: string,
  directory: Pick<Directory, 'look' | 'podsOf'>,
): ProvisionedState {
  const { fn, aliases, versions } = directory.look(key);
  const holders = [...holdersOf(aliases)];
  const viewOf = (version: string): VersionView | undefined =>
    versions.find((view) => view.version === version && (version !== LATEST || view.name === fn?.latestVersion));
  const podsOf = (version: string): readonly PoolPod[] => {
    const view = viewOf(version);
    return view === undefined ? [] : directory.podsOf(view.uid);
  };
  const before = new Map<string, number>();
  for (const entry of entries.toSorted((a, b) => byQualifier(a.qualifier, b.qualifier))) {
    const shares = sharesOf(entry, holders);
    if (entry.qualifier === wanted) {
      const isSeveral = shares.some(({ version }) => (viewOf(version)?.perInstance ?? 1) > 1);
      if (isSeveral) return { ...nothing, status: 'FAILED', reason: SEVERAL };
      const isKnown = shares.length > 0 && shares.every(({ version }) => viewOf(version) !== undefined);
      return isKnown ? stateOf(entry, shares, podsOf, before) : { ...nothing, status: 'FAILED', reason: NO_VERSION };
    }
    for (const { version, executions } of shares) before.set(version, (before.get(version) ?? 0) + executions);
  }
  return { ...nothing, status: 'FAILED', reason: NO_VERSION };
}

const nothing = { allocated: 0, available: 0 };

function stateOf(
  { executions }: QualifiedExecutions,
  shares: readonly Share[],
  podsOf: (version: string) => readonly PoolPod[],
  before: ReadonlyMap<string, number>,
): ProvisionedState {
  const count = (holds: (pod: PoolPod) => boolean): number =>
    shares.reduce((sum, share) => {
      const there = podsOf(share.version).filter(holds).length - (before.get(share.version) ?? 0);
      return sum + Math.min(share.executions, Math.max(0, there));
    }, 0);
  const allocated = count(isAlive);
  const available = count((pod) => isAlive(pod) && pod.ready);
  if (available >= executions) return { allocated, available, status: 'READY', reason: null };
  const hasFailed = shares.some(({ version }) => podsOf(version).some((pod) => (pod.initError ?? '') !== ''));
  return hasFailed
    ? { allocated, available, status: 'FAILED', reason: INIT_FAILED }
    : { allocated, available, status: 'IN_PROGRESS', reason: null };
}

/** A pod is told to be claimed when it is initialised, or when that has failed. */
function isAlive({ terminating, state, initError = '' }: PoolPod): boolean {
  return !terminating && state === 'claimed' && initError === '';
}
