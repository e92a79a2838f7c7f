import { expect, test } from '@jest/globals';

import { inEachRegion, signedRegion } from './signed-region.ts';

const header = (credential: string): { headers: { authorization: string }; url: string } => ({
  headers: { authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=ab` },
  url: '/',
});
const presigned = (query: string): { headers: Record<string, string>; url: string } => ({
  headers: {},
  url: `/2015-03-31/functions?${query}`,
});

test.each([
  ['none', { headers: {}, url: '/' }, null],
  ['a header', header('AKID/20260101/eu-west-1/lambda/aws4_request'), 'eu-west-1'],
  ['a region with three words', header('AKID/20260101/us-gov-west-1/lambda/aws4_request'), 'us-gov-west-1'],
  ['no region', header('AKID/20260101/local/lambda/aws4_request'), null],
  ['no date', header('AKID/today/eu-west-1/lambda/aws4_request'), null],
  ['another scheme', { headers: { authorization: 'Bearer abc' }, url: '/' }, null],
  [
    'a presigned URL',
    presigned('X-Amz-Credential=AKID%2F20260101%2Feu-west-1%2Flambda%2Faws4_request&a=b'),
    'eu-west-1',
  ],
  [
    'one with plain slashes',
    presigned('a=b&X-Amz-Credential=AKID/20260101/eu-west-1/lambda/aws4_request'),
    'eu-west-1',
  ],
  ['a path in its place', header('AKID/20260101/../lambda/aws4_request'), null],
])('the region of a request: %s', (_title, req, region) => {
  expect(signedRegion(req)).toBe(region);
});

test('each region has its own, made once, and there is no end of names', () => {
  const made: string[] = [];
  const doorOf = inEachRegion('us-east-1', (region) => {
    made.push(region);
    return { region };
  });
  const from = (region: string) => doorOf(header(`AKID/20260101/${region}/lambda/aws4_request`));
  expect([from('eu-west-1').region, from('us-east-1').region, from('local').region]).toEqual([
    'eu-west-1',
    'us-east-1',
    'us-east-1',
  ]);
  expect(from('eu-west-1')).toBe(from('eu-west-1'));
  expect(made).toEqual(['us-east-1', 'eu-west-1']);
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  for (const one of letters)
    for (const other of letters) expect(from(`${one}${other}-west-1`).region).toBe(`${one}${other}-west-1`);
  expect(doorOf({ headers: {}, url: '/' })).toBe(from('us-east-1'));
});
