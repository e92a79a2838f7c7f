import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { objectNameMaxChars } from './limits.ts';
import {
  functionArn,
  functionNameOf,
  isFunctionName,
  parseFunctionReference,
  toLambdaName,
  toObjectName,
} from './names.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const alphabet = [...'abcxyzABCXYZ0189-_'];
const lambdaNames = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 64 });
const qualifiers = fc.oneof(
  fc.constantFrom('$LATEST', '$LATEST.PUBLISHED', '1', '999', 'live', 'A_b-C'),
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 128 }),
);

describe('toObjectName', () => {
  test.each([
    ['a plain name stays', 'hello-node', 'hello-node'],
    ['digits may begin', '1up', '1up'],
    ['upper case and underscore', 'My_Func', 'my-func.nd'],
    ['hyphens at the ends', '-a-', 'x-a-x.p0'],
    ['one underscore', '_', 'x-x.p1'],
    ['two hyphens inside stay', 'a--b', 'a--b'],
  ])('%s', (_reason, name, objectName) => {
    expect(toObjectName(name)).toBe(objectName);
    expect(toLambdaName(objectName)).toBe(name);
  });

  test('comes back, is a DNS-1123 subdomain and fits', () => {
    fc.assert(
      fc.property(lambdaNames, (name) => {
        const objectName = toObjectName(name);
        expect(toLambdaName(objectName)).toBe(name);
        expect(objectName).toMatch(subdomain);
        expect(objectName.length).toBeLessThanOrEqual(objectNameMaxChars);
      }),
      { numRuns: 2_000 },
    );
  });

  test('never gives two functions one object', () => {
    const similar = fc.string({ unit: fc.constantFrom('a', 'A', '-', '_', 'x'), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(similar, similar, (one, other) => {
        expect(toObjectName(one) === toObjectName(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([[''], ['a'.repeat(65)], ['a.b'], ['ä'], ['a b'], ['a\n']])('refuses %j', (name) => {
    expect(() => toObjectName(name)).toThrow(RangeError);
  });
});

describe('toLambdaName', () => {
  test.each([
    ['a foreign suffix', 'a.b'],
    ['a mask that says nothing', 'a.n0'],
    ['a mask with leading zeros', 'a.n01'],
    ['a mask beyond the name', 'a.n2'],
    ['a mask on a digit', '1.n1'],
    ['padding that is not needed', 'xax.p0'],
    ['no room between the padding', 'x.p1'],
    ['a plain name that is too long', 'a'.repeat(65)],
    ['upper case', 'A'],
  ])('%s is no name of ours', (_reason, objectName) => {
    expect(toLambdaName(objectName)).toBeNull();
  });

  test('whatever it reads is written the same', () => {
    const likely = fc.tuple(
      fc.string({ unit: fc.constantFrom(...'axb-0'), maxLength: 6 }),
      fc.constantFrom('n', 'p'),
      fc.string({ unit: fc.constantFrom(...'0123f'), maxLength: 3 }),
    );
    fc.assert(
      fc.property(likely, ([base, tag, mask]) => {
        const name = toLambdaName(`${base}.${tag}${mask}`);
        if (name !== null) expect(toObjectName(name)).toBe(`${base}.${tag}${mask}`);
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  ['spec says it', { metadata: { name: 'my-func' }, spec: { functionName: 'My_Func' } }, 'My_Func'],
  ['the object name is one', { metadata: { name: 'hello' }, spec: {} }, 'hello'],
  ['the object name stands for one', { metadata: { name: 'a.n1' }, spec: {} }, 'A'],
])('functionNameOf: %s', (_reason, fn, name) => {
  expect(functionNameOf(fn)).toBe(name);
});

describe('parseFunctionReference', () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:My_Func';
  test.each([
    ['a name', 'My_Func', { name: 'My_Func' }],
    ['a name with an alias', 'f:live', { name: 'f', qualifier: 'live' }],
    ['a name with $LATEST', 'f:$LATEST', { name: 'f', qualifier: '$LATEST' }],
    ['a partial ARN', '123456789012:function:f', { name: 'f', accountId: '123456789012' }],
    [
      'a partial ARN with a version',
      '123456789012:function:f:7',
      { name: 'f', accountId: '123456789012', qualifier: '7' },
    ],
    ['an ARN', arn, { name: 'My_Func', accountId: '000000000000', region: 'us-east-1' }],
    [
      'an ARN with a qualifier',
      `${arn}:$LATEST.PUBLISHED`,
      { name: 'My_Func', accountId: '000000000000', region: 'us-east-1', qualifier: '$LATEST.PUBLISHED' },
    ],
    [
      'another partition',
      'arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f',
      { name: 'f', accountId: '123456789012', region: 'us-gov-west-1' },
    ],
    ['the short form without account', 'function:f:live', { name: 'f', qualifier: 'live' }],
    ['a function that is called function', 'function', { name: 'function' }],
    ['an account and a name alone', '123456789012:f', { name: 'f', accountId: '123456789012' }],
  ])('%s', (_reason, text, reference) => {
    expect(parseFunctionReference(text)).toEqual(reference);
  });

  test.each([
    [''],
    [':'],
    ['f:'],
    [':live'],
    ['f:a:b'],
    ['f:$OTHER'],
    ['f/g'],
    ['a'.repeat(65)],
    ['arn:aws:s3:::bucket'],
    ['arn:aws:lambda:us-east-1:1:function:f'],
    [`${arn}:`],
    ['f\n'],
    [`f:${'a'.repeat(129)}`],
  ])('refuses %j', (text) => {
    expect(parseFunctionReference(text)).toBeNull();
  });

  test('reads every ARN that functionArn makes', () => {
    const accounts = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(lambdaNames, accounts, fc.option(qualifiers, { nil: undefined }), (name, accountId, qualifier) => {
        const parts = { region: 'eu-west-2', accountId, name, ...(qualifier === undefined ? {} : { qualifier }) };
        expect(parseFunctionReference(functionArn(parts))).toEqual(parts);
      }),
    );
  });

  test('never throws, and names are names', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const reference = parseFunctionReference(text);
        expect(reference === null || isFunctionName(reference.name)).toBe(true);
      }),
    );
  });
});
