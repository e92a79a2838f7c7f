import type { SQSClient } from '@aws-sdk/client-sqs';

import { type AwsResource, awsProblem } from '../aws-problem.ts';
import type { QueueMessage, SourceRecord } from '../record.ts';
import type { OpenQueue, QueueAction, ReceiveWish } from '../source.ts';
import { messageOf, type QueueName } from './record.ts';

/** As many as one call takes. */
const PORTION = 10;
/** A message is kept for so long at least, seconds, whatever the queue says: or it would be given to others while it is on its way here. */
const MIN_HOLD_S = 5;
/** Longest wait of a receive, seconds. */
const MAX_WAIT_S = 20;

export interface SqsQueueOptions {
  readonly client: SQSClient;
  readonly url: string;
  readonly name: QueueName;
  /** For people. */
  readonly resource: AwsResource;
  /** The queue's when it was opened, seconds. */
  readonly visibilityTimeoutS: number;
  readonly now: () => number;
}

/** A queue of SQS. */
export class SqsQueue implements OpenQueue {
  readonly kind = 'queue';
  readonly holdMs: number;
  readonly #options: SqsQueueOptions;

  constructor(options: SqsQueueOptions) {
    this.#options = options;
    this.holdMs = Math.max(options.visibilityTimeoutS, MIN_HOLD_S) * 1_000;
  }

  async receive({ max, waitMs, signal }: ReceiveWish): Promise<readonly QueueMessage[]> {
    const { client, url, name, now } = this.#options;
    const { ReceiveMessageCommand } = await import('./aws-sqs.ts');
    const command = new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: Math.min(max, PORTION),
      WaitTimeSeconds: Math.min(Math.ceil(waitMs / 1_000), MAX_WAIT_S),
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
      VisibilityTimeout: this.holdMs / 1_000, // the queue's may have become shorter than what is held by
    });
    const { Messages = [] } = await client.send(command, { abortSignal: signal }).catch(this.#explain);
    return Messages.map((message) => messageOf(message, name, now()));
  }

  async settle(messages: readonly QueueMessage[], action: QueueAction): Promise<readonly QueueMessage[]> {
    const { visibilityTimeoutS } = this.#options;
    if (action === 'delete') return this.#each(messages, (some) => this.#delete(some));
    if (action === 'release') return this.#each(messages, (some) => this.#keep(some, 0));
    if (action === 'hold') return this.#each(messages, (some) => this.#keep(some, this.holdMs / 1_000));
    // Else the queue itself does what has to be done, when its time is over.
    if (visibilityTimeoutS >= MIN_HOLD_S) return [];
    return this.#each(messages, (some) => this.#keep(some, visibilityTimeoutS));
  }

  eventOf(records: readonly SourceRecord[]): string {
    return `{"Records":[${records.map(({ text }) => text).join(',')}]}`;
  }

  close(): Promise<void> {
    this.#options.client.destroy();
    return Promise.resolve();
  }

  /** In tens, at the same time. */
  async #each(
    messages: readonly QueueMessage[],
    call: (some: readonly QueueMessage[]) => Promise<readonly string[]>,
  ): Promise<readonly QueueMessage[]> {
    const portions = Array.from({ length: Math.ceil(messages.length / PORTION) }, (_, at) =>
      messages.slice(at * PORTION, (at + 1) * PORTION),
    );
    const failed = await Promise.all(
      portions.map(async (some) => (await call(some)).map((place) => some[Number(place)])),
    ).catch(this.#explain);
    return failed.flat().filter((message) => message !== undefined);
  }

  /** Answers places of those that failed. */
  async #delete(some: readonly QueueMessage[]): Promise<readonly string[]> {
    const { DeleteMessageBatchCommand } = await import('./aws-sqs.ts');
    const Entries = some.map(({ handle }, at) => ({ Id: String(at), ReceiptHandle: handle }));
    const { Failed = [] } = await this.#options.client.send(
      new DeleteMessageBatchCommand({ QueueUrl: this.#options.url, Entries }),
    );
    return Failed.map(({ Id }) => Id ?? '');
  }

  /** Answers places of those that failed. */
  async #keep(some: readonly QueueMessage[], seconds: number): Promise<readonly string[]> {
    const { ChangeMessageVisibilityBatchCommand } = await import('./aws-sqs.ts');
    const Entries = some.map(({ handle }, at) => ({
      Id: String(at),
      ReceiptHandle: handle,
      VisibilityTimeout: seconds,
    }));
    const { Failed = [] } = await this.#options.client.send(
      new ChangeMessageVisibilityBatchCommand({ QueueUrl: this.#options.url, Entries }),
    );
    return Failed.map(({ Id }) => Id ?? '');
  }

  readonly #explain = (error: unknown): never => {
    throw awsProblem(error, this.#options.resource);
  };
}
