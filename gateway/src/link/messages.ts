import { bad, checkOptional, type Fields, number, object, oneOf, text, textList } from './fields.ts';
import { ErrorCode } from './generated/frames.ts';
import { LinkError } from './link-error.ts';

/** The agent's greeting. */
export interface Hello {
  readonly protocol: number;
  readonly oldestProtocol: number;
  readonly podUid: string;
  /** base64, 32 bytes, fresh per connection. */
  readonly nonce: string;
  /** What this agent can do that others of its protocol cannot. */
  readonly features: readonly string[];
}

/** The gateway that a claimed pod takes invocations from. */
export interface Holder {
  /** One life of one gateway. */
  readonly gatewayId: string;
  /** Of the claim or adoption that made it the holder. */
  readonly epoch: number;
}

/** What a pod is at one moment. */
export interface PodState {
  /** The version that the pod holds; null while generic. */
  readonly claim: { readonly versionUid: string } | null;
  /** Null while generic, and always with protocol 1. */
  readonly holder: Holder | null;
  /** Request ids that run. */
  readonly busy: readonly string[];
}

/** What a pod is when the link to it opens. */
export interface Welcome extends PodState {
  readonly state: 'Warm' | 'Claimed';
  readonly perInstance: number;
}

/** LOG: finished lines of the log of a function. */
export interface LogLines {
  /** Name of the log stream. */
  readonly stream: string;
  /** Number of the first line in the stream: 0, 1, 2, … */
  readonly first: number;
  /** Each line after its time (u64, epoch milliseconds) and its length (u32), big endian. Borrowed: who keeps it copies it. */
  readonly entries: Buffer;
}

/** Head of RESPONSE. */
export interface ResponseHead {
  readonly kind: 'response' | 'error';
  readonly contentType?: string;
  readonly errorType?: string;
  /** True: the answer follows in DATA, as the function writes it. */
  readonly streamed?: boolean;
}

/** Body of REPORT. */
export interface ReportBody {
  readonly requestId: string;
  readonly status: 'success' | 'error' | 'timeout' | 'failure';
  readonly errorType?: string;
  readonly durationMs: number;
  readonly billedDurationMs: number;
  readonly initDurationMs?: number;
  readonly memorySizeMiB: number;
  readonly maxMemoryMiB: number;
  readonly logTail?: string;
  /** Anything but true = the agent exits by itself; the pod takes no further invocation. */
  readonly reusable?: boolean;
}

const kinds: readonly ResponseHead['kind'][] = ['response', 'error'];
const statuses: readonly ReportBody['status'][] = ['success', 'error', 'timeout', 'failure'];

/** @throws LinkError BadFrame */
export function parseHello(body: unknown): Hello {
  const fields = object(body);
  return {
    protocol: number(fields, 'protocol'),
    oldestProtocol: number(fields, 'oldestProtocol'),
    podUid: text(fields, 'podUid'),
    nonce: text(fields, 'nonce'),
    features: textList(fields, 'features'),
  };
}

/** @throws LinkError BadFrame */
export function parseWelcome(body: unknown): Welcome {
  const fields = object(body);
  return {
    ...parseState(body),
    state: oneOf(fields, 'state', ['Warm', 'Claimed']),
    perInstance: number(fields, 'perInstance'),
  };
}

/** Body of STATE and FENCED, part of WELCOME's. @throws LinkError BadFrame */
export function parseState(body: unknown): PodState {
  const fields = object(body);
  const claim = fields['claim'] ?? null;
  const holder = fields['holder'] ?? null;
  return {
    claim: claim === null ? null : { versionUid: text(object(claim), 'versionUid') },
    holder: holder === null ? null : parseHolder(object(holder)),
    busy: parseBusy(body),
  };
}

function parseHolder(fields: Fields): Holder {
  return { gatewayId: text(fields, 'gatewayId'), epoch: number(fields, 'epoch') };
}

/** Head of LOG. @throws LinkError BadFrame */
export function parseLogHead(body: unknown): Omit<LogLines, 'entries'> {
  const fields = object(body);
  const first = number(fields, 'first');
  if (!Number.isSafeInteger(first) || first < 0) throw bad('first');
  return { stream: text(fields, 'stream'), first };
}

/** The request ids of WELCOME, STATE, ADOPTED, FENCED. @throws LinkError BadFrame */
export function parseBusy(body: unknown): readonly string[] {
  const busy = object(body)['busy'] ?? [];
  if (!Array.isArray(busy)) throw bad('busy');
  return busy.map(String);
}

/** Checks in place instead of copying: once per request. @throws LinkError BadFrame */
export function parseResponseHead(body: unknown): ResponseHead {
  const fields = object(body);
  oneOf(fields, 'kind', kinds);
  checkOptional(fields, 'contentType', 'string');
  checkOptional(fields, 'errorType', 'string');
  return fields as unknown as ResponseHead;
}

/** Head of an agent's ABORTED: the error's type. @throws LinkError BadFrame */
export function parseAborted(body: unknown): string | undefined {
  const fields = object(body);
  checkOptional(fields, 'errorType', 'string');
  const { errorType } = fields;
  return typeof errorType === 'string' ? errorType : undefined;
}

/**
 * Checks in place instead of copying: once per request. An agent that does not say `reusable: true` is not trusted
 * with a second invocation: fails closed.
 * @throws LinkError BadFrame
 */
export function parseReport(body: unknown): ReportBody {
  const fields = object(body);
  text(fields, 'requestId');
  oneOf(fields, 'status', statuses);
  number(fields, 'durationMs');
  number(fields, 'billedDurationMs');
  number(fields, 'memorySizeMiB');
  number(fields, 'maxMemoryMiB');
  checkOptional(fields, 'initDurationMs', 'number');
  checkOptional(fields, 'errorType', 'string');
  checkOptional(fields, 'logTail', 'string');
  return fields as unknown as ReportBody;
}

/** Body of SPECIALIZED. */
export interface SpecializedBody {
  readonly versionUid: string;
  readonly alreadyClaimed: boolean;
  readonly initError?: string;
}

/** @throws LinkError BadFrame */
export function parseSpecialized(body: unknown): SpecializedBody {
  const fields = object(body);
  checkOptional(fields, 'initError', 'string');
  const { initError } = fields;
  return {
    versionUid: text(fields, 'versionUid'),
    alreadyClaimed: fields['alreadyClaimed'] === true,
    ...(typeof initError === 'string' && { initError }),
  };
}

/** Body of ERROR; a code that this gateway does not know (a newer agent) counts as `Internal`. @throws LinkError BadFrame */
export function parseError(body: unknown): LinkError {
  const fields = object(body);
  const name = text(fields, 'code');
  const code = Object.values(ErrorCode).find((known) => known === name);
  const message = code === undefined ? `${name}: ${fields['message']}` : `${fields['message']}`;
  const epoch = fields['epoch'];
  return new LinkError(code ?? 'Internal', message, typeof epoch === 'number' ? { epoch } : {});
}
