import type { LeasedEvent } from '../../queue/event-queue.ts';
import { targetsOf } from '../plan.ts';
import type { AsyncSettings } from '../settings.ts';
import type { Teller, Telling } from './telling.ts';

/** What {@link deliverer} works with. */
export interface DeliverDeps {
  /** By the service in the ARN, e.g. `sqs`. */
  readonly tellers: Readonly<Record<string, Teller>>;
  readonly onFailed: (telling: Telling, err: unknown) => void;
  /** Calls back once; returns what takes it back. */
  readonly after: (ms: number, then: () => void) => () => void;
}

/** Who has not been told by then is told again later: what hangs would hold its event for ever. Above all time-outs of two requests in a row. */
const MAX_TELLING_MS = 30_000;

/** Tells all who have not heard of an event's final outcome; answers who has by now. Never rejects. */
export function deliverer({
  tellers,
  onFailed,
  after,
}: DeliverDeps): (leased: LeasedEvent, settings: AsyncSettings) => Promise<readonly string[]> {
  return async ({ event, progress }, settings) => {
    const { delivery } = progress;
    if (delivery === undefined) return [];
    const { condition, decidedMs, told = [] } = delivery;
    const [namespace = ''] = event.line.split('/');
    const heard = [...told];
    for (const { kind, arn } of targetsOf(condition, settings)) {
      if (heard.includes(arn)) continue;
      const telling = { kind, arn, namespace, event, progress, condition, decidedMs };
      try {
        await inTime(tellerOf(tellers, arn)(telling), after);
        heard.push(arn);
      } catch (err) {
        onFailed(telling, err);
      }
    }
    return heard;
  };
}

function tellerOf(tellers: Readonly<Record<string, Teller>>, arn: string): Teller {
  const teller = tellers[arn.split(':')[2] ?? ''];
  if (teller === undefined) throw new Error(`${arn} is of no service that can be told`);
  return teller;
}

async function inTime(telling: Promise<void>, after: DeliverDeps['after']): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = after(MAX_TELLING_MS, () => late.reject(new Error(`no answer in ${MAX_TELLING_MS} ms`)));
  try {
    await Promise.race([telling, late.promise]);
  } finally {
    cancel();
  }
}
