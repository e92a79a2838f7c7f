import type { KeyObject } from 'node:crypto';
import type { EventSourceMappingSns } from '@kappa/crds/event-source-mapping';

import { LambdaError } from '../../errors.ts';
import type { IsWanted, PushRequest, Taken } from '../door/pushed-event.ts';
import { eventIdOf } from '../event-id.ts';
import { isSigned, isTimely, parseSnsMessage, type SnsMessage } from './sns-message.ts';
import { snsRecord } from './sns-record.ts';

/** What {@link takeMessage} works with. */
export interface TakeMessageDeps {
  readonly uid: string;
  readonly namespace: string;
  readonly isWanted: IsWanted;
  readonly service: {
    readonly keyOf: (namespace: string, url: string) => Promise<KeyObject>;
    readonly confirm: (namespace: string, url: string) => Promise<void>;
  };
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * A message of a topic: a notification is an event, a subscription is confirmed.
 *
 * @throws LambdaError 400 for what is no message, 403 for one that is not of the topic, not signed by its service, or too old
 */
export async function takeMessage(
  { body }: Pick<PushRequest, 'body'>,
  { topicArn, verify }: EventSourceMappingSns,
  deps: TakeMessageDeps,
): Promise<Taken> {
  const message = parseSnsMessage(body);
  if (message.topicArn !== topicArn)
    throw refused(`${message.topicArn.slice(0, 350)} is not the topic of this mapping`);
  if (verify === 'Signature') await checkSignature(message, deps);
  if (message.type === 'SubscriptionConfirmation')
    await deps.service.confirm(deps.namespace, message.subscribeUrl ?? '');
  if (message.type !== 'Notification') return { events: [], filtered: 0 };
  const record = snsRecord(message);
  if (!deps.isWanted(record)) return { events: [], filtered: 1 };
  const payload = Buffer.from(JSON.stringify({ Records: [record] }));
  return { events: [{ id: eventIdOf(deps.uid, message.messageId), payload }], filtered: 0 };
}

async function checkSignature(message: SnsMessage, { namespace, service, now }: TakeMessageDeps): Promise<void> {
  if (!isTimely(message, now())) throw refused('its Timestamp is not of the last hour');
  const key = await service.keyOf(namespace, message.signingCertUrl);
  if (!isSigned(message, key)) throw refused('its signature is wrong');
}

function refused(why: string): LambdaError {
  return new LambdaError('AccessDeniedException', `The message is refused: ${why}.`, { status: 403, fault: 'caller' });
}
