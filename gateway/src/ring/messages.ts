import { bad, type Fields, object, text } from '../link/fields.ts';
import type { Vote } from './terms.ts';

export { bad, object, text } from '../link/fields.ts';

/** Body of RING: what one gateway tells another. @see runtime-images/link/frames.yaml */
export interface RingMessage extends Vote {
  /** Rises with every RING of a gateway's life. */
  readonly seq: number;
  /** The `seq` that this one answers: only an answer is a vote. 0 = asked by itself. */
  readonly ackSeq: number;
  /** The sender's electorates are complete: a new life may take them over. */
  readonly admitted: boolean;
  /** The sender holds nothing any more and takes no new work. */
  readonly leaving: boolean;
  /** Account id → its unanswered requests at the sender; zeros left out. */
  readonly accounts: Readonly<Record<string, number>>;
  /** `namespace/name` → invocations that run at the sender, where they are many. */
  readonly hot: Readonly<Record<string, number>>;
  /** Told once a second; absent = as told last. */
  readonly second?: SecondWords;
}

/** What one gateway tells of its last second. */
export interface SecondWords {
  /** `namespace/name` → calls of the sender's own callers. */
  readonly calls: Readonly<Record<string, number>>;
  /** Functions that the sender finds to be called steadily. */
  readonly steady: readonly string[];
  /** Account id → calls that the sender let in, of functions without reserved concurrency. Older gateways do not say. */
  readonly accountCalls: Readonly<Record<string, number>>;
}

/** A gateway never lists more; memory stays bounded if one does. */
const MAX_LISTED = 256;
const MAX_COUNTS = 20_000;

/** @throws LinkError BadFrame */
export function parseRing(body: unknown): RingMessage {
  const fields = object(body);
  return {
    seq: whole(fields, 'seq'),
    ackSeq: whole(fields, 'ackSeq'),
    views: lists(fields, 'views'),
    electorates: lists(fields, 'electorates'),
    admitted: fields['admitted'] === true,
    leaving: fields['leaving'] === true,
    accounts: counts(fields, 'accounts'),
    hot: counts(fields, 'hot'),
    ...(fields['second'] === undefined ? {} : { second: parseSecond(object(fields['second'])) }),
  };
}

function parseSecond(fields: Fields): SecondWords {
  return {
    calls: counts(fields, 'calls'),
    steady: texts(fields['steady'], 'steady', MAX_COUNTS),
    accountCalls: fields['accountCalls'] === undefined ? {} : counts(fields, 'accountCalls'),
  };
}

/** Greeting of the listener. */
export interface PeerHello {
  readonly protocol: number;
  readonly oldestProtocol: number;
  readonly gatewayId: string;
  readonly nonce: string;
}

/** @throws LinkError BadFrame */
export function parsePeerHello(body: unknown): PeerHello {
  const fields = object(body);
  return {
    protocol: whole(fields, 'protocol'),
    oldestProtocol: whole(fields, 'oldestProtocol'),
    gatewayId: text(fields, 'gatewayId'),
    nonce: text(fields, 'nonce'),
  };
}

/** Answer of the dialler. */
export interface PeerAuth {
  readonly protocol: number;
  readonly gatewayId: string;
  readonly nonce: string;
  readonly signature: string;
}

/** @throws LinkError BadFrame */
export function parsePeerAuth(body: unknown): PeerAuth {
  const fields = object(body);
  return {
    protocol: whole(fields, 'protocol'),
    gatewayId: text(fields, 'gatewayId'),
    nonce: text(fields, 'nonce'),
    signature: text(fields, 'signature'),
  };
}

/** @throws LinkError BadFrame */
export function parsePeerWelcome(body: unknown): { readonly signature: string } {
  return { signature: text(object(body), 'signature') };
}

/** @throws LinkError BadFrame */
export function optionalText(fields: Fields, name: string): string | undefined {
  return fields[name] === undefined ? undefined : text(fields, name);
}

/** A whole number >= 0. @throws LinkError BadFrame */
export function whole(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw bad(name);
  return value;
}

function lists(fields: Fields, name: string): readonly (readonly string[])[] {
  const value = fields[name];
  if (!Array.isArray(value) || value.length > MAX_LISTED) throw bad(name);
  return value.map((list: unknown) => texts(list, name, MAX_LISTED));
}

function texts(value: unknown, name: string, limit: number): readonly string[] {
  if (!Array.isArray(value) || value.length > limit) throw bad(name);
  return value.map((each: unknown) => {
    if (typeof each !== 'string') throw bad(name);
    return each;
  });
}

function counts(fields: Fields, name: string): Readonly<Record<string, number>> {
  const value = object(fields[name]);
  const keys = Object.keys(value);
  if (keys.length > MAX_COUNTS) throw bad(name);
  return Object.fromEntries(keys.map((key) => [key, whole(value, key)]));
}
