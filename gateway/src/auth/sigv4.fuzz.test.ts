import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SignedRequest } from './testing.ts';
import { check, refusalOf, signed } from './testing-authenticator.ts';

/* Against AWS's own signer: what it signs is taken, and the same with one character changed is not. */

const text = fc.string({ unit: 'grapheme', maxLength: 10 });
const query = fc.dictionary(
  text.filter((name) => name !== '' && name !== '__proto__' && !/^x-amz-/i.test(name)),
  fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })),
  { maxKeys: 4 },
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  path: fc.array(text.map(encodeURIComponent), { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
  query,
  headers: fc.record({ 'x-amz-meta': fc.string({ unit: fc.constantFrom(...'ab \t.,"=') }) }),
  body: text,
  declaresBody: fc.boolean(),
});
const form = fc.option(fc.integer({ min: 1, max: 604_800 }), { nil: undefined });

test('what the SDK signs, in the header or the query, is taken', async () => {
  const property = fc.asyncProperty(request, form, async (toSign, expiresIn) => {
    const made = await signed({ ...toSign, ...(expiresIn !== undefined && { expiresIn }) });
    expect(check(made, toSign.body).accessKeyId).toBe('AKKAPPATEST');
  });
  await fc.assert(property, { numRuns: 300 });
});

test('one character changed anywhere in method, path, query, signed headers or body is refused, and never a crash', async () => {
  const property = fc.asyncProperty(request, form, fc.nat(), fc.nat(), async (toSign, expiresIn, place, at) => {
    const made = await signed({ ...toSign, ...(expiresIn !== undefined && { expiresIn }) });
    const { changed, body } = alter(made, toSign.body, place, at);
    expect(refusalOf(changed, body)).toMatchObject({ code: expect.stringMatching(/Exception$/) });
  });
  await fc.assert(property, { numRuns: 500 });
});

/** Changes a letter or digit to another one: other characters may have several spellings of the same request. */
function alter(
  request: SignedRequest,
  body: string,
  place: number,
  at: number,
): { readonly changed: SignedRequest; readonly body: string } {
  const swap = (from: string): string => {
    const spots = [...from.matchAll(/(?<!%|%.)[a-zA-Z0-9]/g)].map(({ index }) => index);
    const spot = spots[at % Math.max(1, spots.length)];
    if (spot === undefined) return `${from}a`;
    return `${from.slice(0, spot)}${from[spot] === 'k' ? 'j' : 'k'}${from.slice(spot + 1)}`;
  };
  const header = (name: string) => ({
    ...request,
    headers: { ...request.headers, [name]: swap(request.headers[name] ?? '') },
  });
  const signs = 'authorization' in request.headers;
  const changes = [
    () => ({ changed: { ...request, method: swap(request.method) }, body }),
    () => ({ changed: { ...request, target: swap(request.target) }, body }),
    () => ({ changed: header('host'), body }),
    () => ({ changed: signs ? header('authorization') : header('host'), body }),
    () => ({ changed: request, body: `${body}k` }),
  ];
  return (changes[place % changes.length] ?? changes[0])?.() ?? { changed: request, body: `${body}k` };
}
