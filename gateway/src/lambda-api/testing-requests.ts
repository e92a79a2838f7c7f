import fc from 'fast-check';

import type { Operation } from './model/model.ts';
import { validStructure } from './model/testing.ts';
import { mutate, type Raw, rawOf } from './model/testing-mutations.ts';
import { type Verdict, verdictOn } from './model/testing-oracle.ts';

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What the model says of it; null where the wire itself was damaged: then anything but a fault of the platform may come. */
  readonly verdict: Verdict | null;
}

/** Values by member name that lead to what is there, so that more than the first check is reached. */
export type Anchors = Readonly<Record<string, readonly unknown[]>>;

/** Requests of an operation: good ones, ones that break a rule of the model or are next to one, in all spellings, and damaged ones. */
export function wireRequests(operation: Operation, anchors: Anchors): fc.Arbitrary<WireRequest> {
  return fc
    .tuple(inputs(operation, anchors), fc.constantFrom(0, 0, 0, 1, 1, 2), tape, spellings)
    .chain(([input, mutations, decisions, spelling]) => {
      let at = 0;
      const decide = (choices: number): number => (decisions[at++] ?? 0) % Math.max(1, choices);
      let raw = rawOf(operation.input, input);
      for (let left = mutations; left > 0; left -= 1) raw = mutate(operation.input, raw, decide);
      const request = spell(operation, raw, spelling);
      return fc.oneof({ weight: 3, arbitrary: fc.constant(request) }, { weight: 1, arbitrary: damaged(request) });
    })
    .filter(canTravel);
}

/** Larger heads and bodies are refused while they come in: see http/server.limits.test.ts. */
function canTravel({ target, headers, body, verdict }: WireRequest): boolean {
  const head = target.length + JSON.stringify(headers).length;
  return head < 60_000 && body.length <= (verdict === null ? 262_145 : 262_144);
}

const tape = fc.array(fc.nat({ max: 2 ** 20 }), { minLength: 24, maxLength: 24 });

/** What the model accepts: anything at all, with some of the members leading to what is there, or little else than those. */
function inputs({ input }: Operation, anchors: Anchors): fc.Arbitrary<Record<string, unknown>> {
  const { members } = input;
  const anchored = (freq: number): fc.Arbitrary<Record<string, unknown>> => {
    const known = members.filter(({ name }) => anchors[name] !== undefined);
    const choices = known.map(
      ({ name }) => [name, fc.option(fc.constantFrom(...(anchors[name] ?? [])), { freq })] as const,
    );
    return fc
      .record(Object.fromEntries(choices))
      .map((chosen) => Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== null)));
  };
  const anything = fc.tuple(validStructure(input), anchored(4));
  const little = fc.tuple(
    validStructure({ ...input, members: members.filter(({ isRequired }) => isRequired) }),
    anchored(20),
  );
  return fc.oneof(anything, little).map(([made, chosen]) => ({ ...made, ...chosen }));
}

/** The same request may be written in many ways. */
interface Spelling {
  readonly label: (text: string) => string;
  readonly query: (text: string) => string;
  readonly endsWithSlash: boolean;
  readonly hasMore: boolean;
  readonly isEscaped: boolean;
  readonly contentType: string | null;
}

const everyByte = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
/** What may stand in a path as it is, stays. */
const asFewAsMayBe = (text: string): string =>
  encodeURIComponent(text).replaceAll(/%(?:3A|40|24|2C|2B|3D|26|3B)/g, decodeURIComponent);

const spellings: fc.Arbitrary<Spelling> = fc.record({
  label: fc.constantFrom(encodeURIComponent, everyByte, asFewAsMayBe),
  query: fc.constantFrom(encodeURIComponent, everyByte, (text: string) =>
    encodeURIComponent(text).replaceAll('%20', '+'),
  ),
  endsWithSlash: fc.boolean(),
  hasMore: fc.boolean(),
  isEscaped: fc.boolean(),
  contentType: fc.constantFrom(
    null,
    'application/json',
    'application/x-amz-json-1.1',
    'text/plain; charset=utf-16',
    'multipart/form-data',
  ),
});

function spell(operation: Operation, raw: Raw, spelling: Spelling): WireRequest {
  const { input, path, method } = operation;
  const [template = '', constants = ''] = path.split('?');
  const there = input.members.filter(({ name }) => raw[name] !== undefined && raw[name] !== null);
  const at = (place: string) => there.filter(({ location }) => location === place);
  const target = template.replaceAll(/\{(\w+)\}/g, (_whole, label) => spelling.label(String(raw[label])));
  const pairs = at('querystring').flatMap(({ name, wireName }) =>
    [raw[name]].flat().map((text) => `${wireName}=${spelling.query(String(text))}`),
  );
  const query = [constants, ...pairs, ...(spelling.hasMore ? ['more=x%20y', ''] : [])].filter((pair) => pair !== '');
  const texts = at('header').map(({ name, wireName }) => [wireName, String(raw[name])] as const);
  const headers = Object.fromEntries(texts.map(([name, text]) => [name, headerText(text)]));
  const travels = texts.every(([, text]) => headerText(text) === text);
  return {
    method,
    target: `${target}${spelling.endsWithSlash ? '/' : ''}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    headers: { ...headers, ...(spelling.contentType !== null && { 'content-type': spelling.contentType }) },
    body: bodyOf(operation, raw, spelling),
    verdict: travels ? verdictOn(operation.name, raw) : null,
  };
}

/** What HTTP lets through unchanged. */
function headerText(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').trim();
}

function bodyOf({ input: { members, payload } }: Operation, raw: Raw, { hasMore, isEscaped }: Spelling): Buffer {
  if (payload?.shape.kind === 'blob') return Buffer.from((raw[payload.name] as Uint8Array | undefined) ?? []);
  const inBody = members.filter(({ location }) => location === 'body');
  if (payload === null && inBody.length === 0) return Buffer.alloc(0);
  const more = hasMore ? { __proto: 1, Unknown: { deep: [null, 1.5] }, unknown: 'x' } : {};
  const fields = Object.fromEntries(inBody.map(({ name }) => [name, raw[name]]));
  const json = JSON.stringify(payload === null ? { ...fields, ...more } : raw[payload.name]) ?? '';
  return Buffer.from(isEscaped ? json.replaceAll(/[^ -~]/g, escaped) : json);
}

function escaped(unit: string): string {
  return [...Array(unit.length).keys()].map((at) => `\\u${unit.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
}

/** The same request after something has gone wrong on the way, or in whoever made it. */
function damaged(request: WireRequest): fc.Arbitrary<WireRequest> {
  const { target, body } = request;
  const of = (changes: Partial<WireRequest>): WireRequest => ({ ...request, verdict: null, ...changes });
  const text = body.toString('utf8');
  const bodies = [
    body.subarray(0, body.length >> 1),
    Buffer.from(`${text}}`),
    Buffer.from(`\ufeff${text}`),
    Buffer.from(text, 'utf16le'),
    Buffer.concat([body, Buffer.of(0xff, 0xfe, 0)]),
    ...['null', '[]', '"x"', '7', 'true', '{', '{"a":1,}', "{'a':1}", '{"__proto__":{"FunctionName":"f"}}', '\0'].map(
      (json) => Buffer.from(json),
    ),
    Buffer.from('['.repeat(100_000)),
    Buffer.from(text.replace(/"[^"]{0,40}"/, (found) => `"${'\u{1f600}'.repeat(40_000)}${found.slice(1)}`)),
    Buffer.alloc(262_145, 0x20),
  ];
  const segments = target.split('?')[0]?.split('/') ?? [];
  const last = segments.at(-1) === '' ? segments.length - 2 : segments.length - 1;
  const labels = [
    '%zz',
    '%c0%af',
    '%00',
    '..',
    '%2e%2e%2f',
    '%252F',
    '',
    '%f0%9f%98%80',
    'x'.repeat(8_000),
    '$LATEST:$LATEST',
  ];
  const places = [3, last].filter((place) => place > 2 && place < segments.length);
  const targets = places.flatMap((place) => labels.map((label) => segments.with(place, label).join('/')));
  return fc.oneof(
    fc.constantFrom(...bodies).map((other) => of({ body: other })),
    fc
      .constantFrom(`${target}${target.includes('?') ? '&' : '?'}Qualifier=%zz&Qualifier=%00&=&x`, ...targets)
      .map((other) => of({ target: other })),
    fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD').map((method) => of({ method })),
    fc
      .constantFrom({ 'content-encoding': 'gzip' }, { 'transfer-encoding': 'chunked' }, { expect: '100-continue' })
      .map((headers) => of({ headers: { ...request.headers, ...headers } })),
  );
}
