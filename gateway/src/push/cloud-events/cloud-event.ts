import { InvalidRequestContent } from '../../errors.ts';
import { isJsonObject, type JsonObject } from '../json.ts';

/** A CloudEvent in the JSON format. */
export type CloudEvent = JsonObject & { readonly id: string; readonly source: string; readonly type: string };

const REQUIRED = ['id', 'source', 'type'] as const;
/** Of what is not required the texts. */
const TEXTS: ReadonlySet<string> = new Set(['datacontenttype', 'dataschema', 'subject']);

/**
 * Checks a CloudEvent 1.0 as the JSON format has it.
 *
 * @throws InvalidRequestContent that names the attribute
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export function checkCloudEvent(value: unknown): CloudEvent {
  if (!isJsonObject(value)) throw noCloudEvent('it is no JSON object');
  const event = withoutUnset(value);
  const problem = problemOf(event);
  if (problem !== undefined) throw noCloudEvent(problem);
  const { id, source, type } = event;
  return { ...event, id: String(id), source: String(source), type: String(type) };
}

/** Senders may write null for what is not set. */
function withoutUnset({ data, ...members }: JsonObject): JsonObject {
  const set = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
  // data may be null, where it is not the other form's that is not set
  return data === undefined || (data === null && 'data_base64' in set) ? set : { ...set, data };
}

/** What is wrong with it; undefined = nothing. */
function problemOf(event: JsonObject): string | undefined {
  if (event['specversion'] !== '1.0') return `specversion is ${textOf(event['specversion'])}, not "1.0"`;
  const missing = REQUIRED.find((name) => !isText(event[name]));
  if (missing !== undefined) return `the attribute ${missing} is missing`;
  const { time, data_base64: base64, data, ...attributes } = event;
  if (time !== undefined && !isTimestamp(time)) return `time is ${textOf(time)}, not like 2026-11-22T10:00:00Z`;
  if (base64 !== undefined && (typeof base64 !== 'string' || data !== undefined))
    return 'data_base64 is a text, in place of data';
  return firstOf(Object.entries(attributes), ([name, attribute]) => {
    if (!/^[a-z0-9]+$/.test(name)) return `${name.slice(0, 50)} is no name of an attribute: those are of a-z and 0-9`;
    if (TEXTS.has(name) && !isText(attribute)) return `${name} is ${textOf(attribute)}, no text`;
    return typeof attribute === 'object' && attribute !== null ? `${name} is no text, number or boolean` : undefined;
  });
}

function noCloudEvent(why: string): InvalidRequestContent {
  return new InvalidRequestContent(`The request has no CloudEvent: ${why}.`);
}

function firstOf<T>(all: readonly T[], of: (one: T) => string | undefined): string | undefined {
  for (const one of all) {
    const found = of(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** RFC 3339. */
function isTimestamp(text: unknown): boolean {
  return (
    typeof text === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}

function textOf(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 100);
}
