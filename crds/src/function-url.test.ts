import { expect, test } from '@jest/globals';

import { type FunctionUrlOwner, functionUrlAddress, functionUrlId } from './function-url.ts';

const hello: FunctionUrlOwner = { namespace: 'default', name: 'hello', alias: null };

test('an ID is for ever: it stands in callers’ configuration', () => {
  expect(functionUrlId(hello)).toBe('vadoet6euuwj2pqboblmqfyex5tuu3j4');
});

test('IDs are labels of a host name, and no two owners share one', () => {
  const owners: FunctionUrlOwner[] = [
    hello,
    { ...hello, alias: 'live' },
    { ...hello, alias: 'Live' },
    { ...hello, alias: 'hello' },
    { ...hello, name: 'hello-live' },
    { ...hello, name: 'hello.live' },
    { ...hello, namespace: 'default-hello', name: 'live' },
    { ...hello, namespace: 'default', name: 'ello' },
  ];
  const ids = owners.map(functionUrlId);
  expect(new Set(ids).size).toBe(owners.length);
  for (const id of ids) expect(id).toMatch(/^[a-z2-7]{32}$/);
});

test.each([
  ['a function', null, 'https://kappa.example/fn/default/hello/'],
  ['an alias', 'Live', 'https://kappa.example/fn/default/hello:Live/'],
])('the address of %s', (_reason, alias, want) => {
  expect(functionUrlAddress('https://kappa.example', { ...hello, alias })).toBe(want);
});
