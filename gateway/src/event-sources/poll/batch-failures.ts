/** Which records of a batch have failed, by what the function answered. */
export type Failures =
  | { readonly kind: 'none' }
  | { readonly kind: 'some'; readonly ids: ReadonlySet<string> }
  /** The whole batch. `why` = the answer cannot be meant: null = it names every record. */
  | { readonly kind: 'all'; readonly why: string | null };

/**
 * Reads `batchItemFailures` of an answer. Pure.
 *
 *   answer                                                   | failed
 *   nothing, null, {}, no list, null as list, an empty list  | none
 *   a value that is no object                                | none
 *   no JSON                                                  | all
 *   identifiers of the batch                                 | some, or all when it names each
 *   an identifier that is empty, null, unknown, or not there | all
 *
 * @param ids of the batch
 * @see AWS Lambda developer guide, "Implementing partial batch responses"
 */
export function readFailures(answer: Buffer, ids: ReadonlySet<string>): Failures {
  if (answer.length === 0) return { kind: 'none' };
  let value: unknown;
  try {
    value = JSON.parse(answer.toString('utf8'));
  } catch {
    return { kind: 'all', why: 'it is not JSON' };
  }
  const list = memberOf(value, 'batchItemFailures') ?? [];
  if (!Array.isArray(list)) return { kind: 'all', why: 'batchItemFailures is no list' };
  const failed = new Set<string>();
  for (const item of list) {
    const id = identifierOf(memberOf(item, 'itemIdentifier'));
    if (id === null) return { kind: 'all', why: 'an itemIdentifier is missing or empty' };
    if (!ids.has(id)) return { kind: 'all', why: 'an itemIdentifier is not of this batch' };
    failed.add(id);
  }
  if (failed.size === 0) return { kind: 'none' };
  return failed.size === ids.size ? { kind: 'all', why: null } : { kind: 'some', ids: failed };
}

/** A text, or Kafka's pair: `{"partition": "orders-0", "offset": 15}` is `orders-0:15`. */
function identifierOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  const partition = memberOf(value, 'partition');
  const offset = memberOf(value, 'offset');
  return typeof partition === 'string' && typeof offset === 'number' ? `${partition}:${offset}` : null;
}

function memberOf(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
