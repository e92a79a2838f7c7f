import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fromJson } from '../model/convert.ts';
import type { Shape } from '../model/shapes.ts';
import { TakeOut } from './take-out.ts';

const path = ['Code', 'ZipFile'];

/** What becomes of a document that comes in such pieces. */
function read(text: string, pieceBytes = 7, at = path) {
  const taken = new TakeOut({ path: at, maxRestBytes: 10_000, tooLarge: () => new Error('too large') });
  const bytes = Buffer.from(text);
  const decoded: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += pieceBytes)
    decoded.push(...taken.push(bytes.subarray(from, from + pieceBytes)));
  const code = taken.hasFound ? Buffer.concat(decoded) : null;
  return { code, rest: taken.rest().toString() };
}

const base64 = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** As it comes out of JSON, which has no -0. */
const noise = fc
  .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
  .map((value): object => JSON.parse(JSON.stringify(value)));

test('whatever is around it and however it comes: the code is taken out, and the rest is the same document', () => {
  fc.assert(
    fc.property(
      noise,
      noise,
      base64,
      fc.integer({ min: 1, max: 50 }),
      fc.boolean(),
      (outer, inner, zip, size, isIndented) => {
        const document = { ...outer, Code: { ...inner, ZipFile: zip } };
        const { code, rest } = read(JSON.stringify(document, null, isIndented ? 2 : 0), size);
        expect(code?.toString('base64')).toBe(zip);
        expect(JSON.parse(rest)).toEqual({ ...outer, Code: { ...inner, ZipFile: '' } });
      },
    ),
  );
});

test('a member of that name elsewhere stays where it is', () => {
  fc.assert(
    fc.property(noise, fc.integer({ min: 1, max: 50 }), (inner, size) => {
      const { Code: _code, ...others } = { Code: null, ...inner };
      const elsewhere = {
        ZipFile: 'top',
        Other: { ZipFile: 'other' },
        Code: [{ ZipFile: 'listed' }, 'ZipFile'],
        ...others,
      };
      const deeper = { Code: { Code: { ZipFile: 'deep' }, ZipFile: null, x: ['Code', { ZipFile: 'x' }] } };
      for (const document of [elsewhere, deeper]) {
        const text = JSON.stringify(document);
        expect(read(text, size)).toEqual({ code: null, rest: text });
      }
    }),
  );
});

test('at the root', () => {
  expect(read('{ "DryRun" : true , "ZipFile" : "QUJD" }', 1, ['ZipFile'])).toEqual({
    code: Buffer.from('ABC'),
    rest: '{ "DryRun" : true , "ZipFile" : "" }',
  });
});

const blob = { kind: 'blob' } as Shape;

/** What a call gives, or the text of what it throws. */
function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (err) {
    return String(err);
  }
}

describe('base64', () => {
  const code = (text: string, pieceBytes: number) => read(`{"Code":{"ZipFile":"${text}"}}`, pieceBytes).code;

  test.each([1, 2, 3, 5, 100])('as some clients write it, in pieces of %d', (pieceBytes) => {
    const bytes = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xfb, 0xef, 0xbe]), randomBytes(100), Buffer.of(1)]);
    const text = bytes.toString('base64');
    expect(code(text.replaceAll('/', '\\/'), pieceBytes)).toEqual(bytes);
    expect(code(text.replaceAll('=', '\\u003d').replaceAll('+', '\\u002B'), pieceBytes)).toEqual(bytes);
    expect(code(text.replaceAll('=', ''), pieceBytes)).toEqual(bytes);
    expect(code('', pieceBytes)).toEqual(Buffer.alloc(0));
  });

  test.each(['QUJ', 'Q', 'QQ==QUJD', 'QQ=', 'QQ===', 'QU-D', 'QU_D', 'QU D', 'QU\\nD', 'Q\\"UJ', 'Q\\\\/J', 'Qé=='])(
    'is as strict as any other blob: %j',
    (text) => {
      const asWhole = (): unknown => fromJson(blob, JSON.parse(`"${text}"`));
      const want = attempt(asWhole);
      for (const pieceBytes of [1, 4, 100]) expect(attempt(() => code(text, pieceBytes))).toEqual(want);
    },
  );
});

test.each<[reason: string, text: string, message: string]>([
  ['it is there twice', '{"Code":{"ZipFile":"QUJD","ZipFile":"QUJD"}}', 'The request body has ZipFile twice.'],
  ['the rest is too large', `{"Description":"${'x'.repeat(10_000)}"}`, 'too large'],
])('refused: %s', (_reason, text, message) => {
  expect(() => read(text)).toThrow(message);
});

test.each([
  '{"Code":{"ZipFile":"QUJD',
  '{"Code":{"ZipFile":"QUJD"}',
  '{"Code":{"ZipFile":"QUJD"}}}',
  '}}{"a',
  '[[',
  '{"\\',
])('what is no JSON stays none: %s', (text) => {
  expect(() => JSON.parse(read(text).rest)).toThrow();
});
