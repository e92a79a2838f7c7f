import type { IncomingHttpHeaders } from 'node:http';
import type { EventSourceMappingCloudEvents } from '@kappa/crds/event-source-mapping';

import { InvalidRequestContent, RequestTooLarge } from '../../errors.ts';
import type { IsWanted, PushRequest, Taken } from '../door/pushed-event.ts';
import { eventIdOf } from '../event-id.ts';
import { parseJson } from '../json.ts';
import { type CloudEvent, checkCloudEvent } from './cloud-event.ts';

/** Events of one request. */
const MAX_BATCH = 1000;

/**
 * CloudEvents over HTTP: one structured, many batched, or one binary. Each that is wanted is an event of its own, in the JSON format. Source and id
 * name an event, so one that is sent again while it waits is kept once.
 *
 * @throws InvalidRequestContent when any of them is none
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
export function takeCloudEvents(
  { headers, body }: Pick<PushRequest, 'headers' | 'body'>,
  { types }: EventSourceMappingCloudEvents,
  { uid, isWanted }: { readonly uid: string; readonly isWanted: IsWanted },
): Taken {
  const all = eventsIn(headers, body);
  const wanted = all.filter((event) => (types === undefined || types.includes(event.type)) && isWanted(event));
  const events = wanted.map((event) => ({
    id: eventIdOf(uid, event.source, event.id),
    payload: Buffer.from(JSON.stringify(event)),
  }));
  return { events, filtered: all.length - wanted.length };
}

function eventsIn(headers: IncomingHttpHeaders, body: Buffer): readonly CloudEvent[] {
  const [type = ''] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const mediaType = type.trim();
  if (mediaType === 'application/cloudevents-batch+json') {
    const list = parseJson(body);
    if (!Array.isArray(list)) throw new InvalidRequestContent('A batch of CloudEvents is a JSON list.');
    if (list.length > MAX_BATCH) throw new RequestTooLarge(`A batch has at most ${MAX_BATCH} CloudEvents.`);
    return list.map(checkCloudEvent);
  }
  if (mediaType === 'application/cloudevents+json') return [checkCloudEvent(parseJson(body))];
  if (mediaType.startsWith('application/cloudevents'))
    throw new InvalidRequestContent(`CloudEvents are taken in JSON, not as ${mediaType.slice(0, 100)}.`);
  if (headers['ce-specversion'] !== undefined) return [binaryEvent(headers, body, mediaType)];
  throw new InvalidRequestContent(
    'The request has no CloudEvent: neither headers ce-specversion, ce-id … nor the type application/cloudevents+json or application/cloudevents-batch+json.',
  );
}

/** Attributes are headers; the body is the data. */
function binaryEvent(headers: IncomingHttpHeaders, body: Buffer, mediaType: string): CloudEvent {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') && value !== undefined ? [[name.slice('ce-'.length), decoded(String(value))] as const] : [],
  );
  const { 'content-type': datacontenttype } = headers;
  return checkCloudEvent({
    ...Object.fromEntries(attributes),
    ...(datacontenttype !== undefined && { datacontenttype }),
    ...(body.length > 0 && dataOf(body, mediaType)),
  });
}

function dataOf(body: Buffer, mediaType: string): { readonly data: unknown } | { readonly data_base64: string } {
  if (mediaType === 'application/json' || mediaType.endsWith('+json')) return { data: parseJson(body) };
  const isText = mediaType.startsWith('text/') || mediaType === 'application/xml' || mediaType.endsWith('+xml');
  const text = isText ? body.toString() : undefined;
  // what is no UTF-8 would come out as something else
  if (text !== undefined && Buffer.from(text).equals(body)) return { data: text };
  return { data_base64: body.toString('base64') };
}

/** Values of headers are percent-encoded UTF-8; single quoted parts of the old form are left as they are. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
