import { messageOf } from './message.ts';
import type { Teller } from './telling.ts';

/** A text on its way to one ARN. */
export interface Letter {
  readonly arn: string;
  /** Whose neighbours are told. */
  readonly namespace: string;
  readonly body: string;
  /** Only queues and topics take them. */
  readonly attributes: Readonly<
    Record<string, { readonly DataType: 'String' | 'Number'; readonly StringValue: string }>
  >;
  /** The name that it has in a bucket: a letter that is sent twice is there once. */
  readonly key: string;
}

/** Sends a letter. Rejects when that was not confirmed; it may have come all the same. */
export type Sender = (letter: Letter) => Promise<void>;

/** Tells of asynchronous invocations by messages. */
export function messageTeller(send: Sender): Teller {
  return (telling) =>
    send({ arn: telling.arn, namespace: telling.namespace, key: telling.event.id, ...messageOf(telling) });
}
