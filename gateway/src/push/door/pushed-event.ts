import type { IncomingHttpHeaders } from 'node:http';

/** Something that was sent to a mapping, as its function shall get it. */
export interface PushedEvent {
  /** The same when the sender sends it again. */
  readonly id: string;
  /** JSON. */
  readonly payload: Buffer;
}

/** One request to the door, read. */
export interface PushRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Random, for events whose sender gives them no name. */
  readonly requestId: string;
}

/** What a request was about. */
export interface Taken {
  /** To be kept for the function. */
  readonly events: readonly PushedEvent[];
  /** Those that nobody wanted. */
  readonly filtered: number;
}

/** Whether an event is wanted; of S3 and SNS a record, of CloudEvents the event. */
export type IsWanted = (event: unknown) => boolean;
