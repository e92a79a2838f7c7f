import type { AsyncEvent, Condition, Delivery, Progress } from './event.ts';

/** An event as a store keeps it: what is large in fields of its own, the rest as JSON. */
export interface EventRecord {
  /** JSON of what never changes, but for the payload. */
  readonly header: string;
  readonly payload: Buffer;
  readonly acceptedMs: number;
  /** JSON of the progress, but for the payload of the last answer. */
  readonly progress: string;
  /** Payload of the last answer. */
  readonly last: Buffer | null;
}

const conditions: ReadonlySet<string> = new Set<Condition>([
  'Success',
  'RetriesExhausted',
  'EventAgeExceeded',
  'ZeroReservedConcurrency',
  'RecursiveInvocationDropped',
  'FunctionNotFound',
]);

/** Of an event that has just come. */
export const noProgress: Progress = { attempts: 0, refusals: 0 };

export function headerText({ qualifier, invokedArn, accountId, traceId }: AsyncEvent): string {
  return JSON.stringify({ qualifier, invokedArn, accountId, traceId });
}

export function progressText({ attempts, refusals, missing, last, delivery }: Progress): string {
  return JSON.stringify({ attempts, refusals, missing, last: last && { ...last, payload: undefined }, delivery });
}

/** @throws Error when it is no event: another program wrote it */
export function parseEvent(line: string, id: string, record: Omit<EventRecord, 'progress' | 'last'>): AsyncEvent {
  const { qualifier, invokedArn, accountId, traceId } = parseObject(record.header);
  return {
    id,
    line,
    ...(qualifier === undefined ? {} : { qualifier: String(qualifier) }),
    invokedArn: String(invokedArn),
    accountId: String(accountId),
    payload: record.payload,
    ...(traceId === undefined ? {} : { traceId: String(traceId) }),
    acceptedMs: record.acceptedMs,
  };
}

/** @throws Error when it is no progress: another program wrote it */
export function parseProgress({ progress, last: payload }: Pick<EventRecord, 'progress' | 'last'>): Progress {
  const { attempts, refusals, missing, last, delivery } = parseObject(progress);
  return {
    attempts: Number(attempts),
    refusals: Number(refusals),
    ...(missing === undefined ? {} : { missing: Number(missing) }),
    ...(last === undefined ? {} : { last: parseResult(last, payload) }),
    ...(delivery === undefined ? {} : { delivery: parseDelivery(delivery) }),
  };
}

/** What `parse` makes of those it can read: one that another program spoilt does not stand in the way of the others. */
export function parseEach<Entry extends { readonly id: string }, Parsed>(
  line: string,
  entries: readonly Entry[],
  parse: (entry: Entry) => Parsed,
  onProblem: (problem: Error) => void,
): readonly Parsed[] {
  const parsed: Parsed[] = [];
  for (const entry of entries) {
    try {
      parsed.push(parse(entry));
    } catch (error) {
      onProblem(new Error(`event ${entry.id} of ${line} can't be read: ${String(error)}`, { cause: error }));
    }
  }
  return parsed;
}

/** @throws Error when it is none */
export function parseCondition(text: string): Condition {
  if (!conditions.has(text)) throw new Error(`no condition of an event: ${text}`);
  return text as Condition;
}

function parseResult(value: unknown, payload: Buffer | null): NonNullable<Progress['last']> {
  const { statusCode, functionError, executedVersion, payloadCut } = fieldsOf(value);
  return {
    statusCode: Number(statusCode),
    ...(functionError === undefined ? {} : { functionError: String(functionError) }),
    ...(executedVersion === undefined ? {} : { executedVersion: String(executedVersion) }),
    ...(payload === null ? {} : { payload }),
    ...(payloadCut === true ? { payloadCut } : {}),
  };
}

function parseDelivery(value: unknown): Delivery {
  const { condition, decidedMs, failures, told } = fieldsOf(value);
  return {
    condition: parseCondition(String(condition)),
    decidedMs: Number(decidedMs),
    failures: Number(failures),
    ...(Array.isArray(told) ? { told: told.map(String) } : {}),
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  return fieldsOf(JSON.parse(text));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('no record of an event');
  return { ...value };
}
