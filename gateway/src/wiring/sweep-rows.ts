import type { Informer } from '@kappa/crds/client/informer';

import type { CheckpointStore } from '../event-sources/checkpoints/checkpoint-store.ts';
import type { SeenMapping } from '../event-sources/mapping/mappings.ts';
import { RowSweeper } from '../event-sources/owner/row-sweeper.ts';
import type { PollerClock } from '../event-sources/poll/poller.ts';
import type { Context } from './context.ts';
import type { Membership } from './join-ring.ts';

/** What is kept of mappings that are gone is looked for so often. */
const SWEEP_MS = 300_000;

/** What {@link sweepRows} works with. */
export interface SweepParts {
  readonly store: CheckpointStore;
  readonly informer: Informer<SeenMapping | null>;
  readonly membership: Pick<Membership, 'ownership'>;
  readonly clock: PollerClock;
}

/** Removes what is kept of mappings that are gone, on one of the gateways, until the life ends. */
export async function sweepRows(
  { life, teller }: Context,
  { store, informer, membership, clock }: SweepParts,
): Promise<void> {
  const known = (): ReadonlySet<string> | null =>
    informer.hasSynced && !informer.isStale && !informer.isFailing
      ? new Set(informer.list().flatMap((seen) => (seen === null ? [] : [seen.view.uid])))
      : null;
  const sweeper = new RowSweeper({ store, known, nowMs: clock.nowMs });
  const onProblem = teller('rows', 'what is kept of event source mappings that are gone is not removed now');
  while (!life.signal.aborted) {
    await clock.sleep(SWEEP_MS, life.signal).catch(() => undefined);
    if (membership.ownership.ranksFirst?.('esm') === true) await sweeper.sweep().catch(onProblem);
  }
}
