import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { readPath } from './route-path.ts';
import type { RouteTable } from './table.ts';
import { atDefault, routeOwner, routeSpec, tableOf } from './testing.ts';

/** Which route answers: `METHOD path`, or null. */
function met(table: RouteTable, method: string, path: string, host?: string): string | null {
  const site = host === undefined ? atDefault : ({ kind: 'host', host } as const);
  const found = table.match(site, method, readPath(path) ?? []);
  return found === null ? null : `${found.method} ${found.route.spec.path}`;
}

describe('the most specific route wins', () => {
  const { table } = tableOf(
    routeOwner([
      { path: '/', methods: ['GET'] },
      { path: '/pets/{id}', methods: ['GET', 'DELETE'] },
      { path: '/pets/dog', methods: ['ANY'] },
      { path: '/pets/cat', methods: ['GET'] },
      { path: '/pets/{id}/toys/{toy}', methods: ['GET'] },
      { path: '/pets/{proxy+}', methods: ['GET'] },
      { path: '/{proxy+}', methods: ['ANY'] },
      { path: '/v/pets', methods: ['GET'] },
      { path: '/x', stage: 'prod', methods: ['GET'] },
    ]),
  );
  test.each<[reason: string, method: string, path: string, want: string | null]>([
    ['the root', 'GET', '/', 'GET /'],
    ['a greedy parameter takes no empty path', 'POST', '/', null],
    ['a literal before a parameter', 'GET', '/pets/cat', 'GET /pets/cat'],
    ['a literal for ANY before a parameter for the method', 'GET', '/pets/dog', 'ANY /pets/dog'],
    ['a parameter before the rest', 'GET', '/pets/7', 'GET /pets/{id}'],
    ['a path that does not answer the method is left for the next', 'DELETE', '/pets/cat', 'DELETE /pets/{id}'],
    ['and that for the rest', 'PUT', '/pets/cat', 'ANY /{proxy+}'],
    ['deeper ones', 'GET', '/pets/7/toys/8', 'GET /pets/{id}/toys/{toy}'],
    ['a way that ends nowhere is left for the rest', 'GET', '/pets/dog/toys', 'GET /pets/{proxy+}'],
    ['empty segments do not lead to another route', 'GET', '//pets//cat/', 'GET /pets/cat'],
    ['nor do encoded letters', 'GET', '/p%65ts/%63at', 'GET /pets/cat'],
    ['HEAD is no GET', 'HEAD', '/pets/cat', 'ANY /{proxy+}'],
    ['case counts', 'GET', '/Pets/cat', 'ANY /{proxy+}'],
    ['a stage is the first segment', 'GET', '/prod/x', 'GET /x'],
  ])('%s', (_reason, method, path, want) => {
    expect(met(table, method, path)).toBe(want);
  });

  test('other addresses have other routes', () => {
    expect(table.match({ kind: 'namespace', namespace: 'other' }, 'GET', [])).toBeNull();
    expect(met(table, 'GET', '/', 'pets.example.com')).toBeNull();
  });
});

test('no spelling of a path leads past its route to a less specific one', () => {
  const { table } = tableOf(routeOwner([{ path: '/admin/{id}/keys' }, { path: '/{proxy+}' }]));
  const letter = (char: string) => fc.constantFrom(char, encoded(char), encoded(char).toLowerCase());
  const segment = (text: string) => fc.tuple(...[...text].map(letter)).map((letters) => letters.join(''));
  const slashes = fc.constantFrom('/', '//', '///');
  const spelled = fc
    .tuple(slashes, segment('admin'), slashes, segment('x7'), slashes, segment('keys'), fc.constantFrom('', '/', '//'))
    .map((parts) => parts.join(''));
  fc.assert(fc.property(spelled, (path) => expect(met(table, 'GET', path)).toBe('ANY /admin/{id}/keys')));
});

test('no path with dots leads anywhere', () => {
  const dot = fc.constantFrom('.', '%2e', '%2E');
  const dots = fc.array(dot, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(''));
  const slash = fc.constantFrom('/', '%2f', '%2F', '%5c', '\\');
  const path = fc.tuple(slash, dots, slash).map(([before, some, after]) => `/public${before}${some}${after}admin`);
  fc.assert(fc.property(path, (text) => expect(readPath(text)).toBeNull()));
});

const encoded = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;

describe('conflicts', () => {
  const young = routeOwner([{ path: '/pets/{x}', methods: ['GET', 'POST'] }], { name: 'young', createdMs: 2000 });
  const old = routeOwner([{ path: '/pets/{id}', methods: ['GET'] }], { name: 'old', createdMs: 1000 });

  test('the older Function has the place, whoever was seen first', () => {
    for (const owners of [
      [young, old],
      [old, young],
    ]) {
      const { table, problems } = tableOf(...owners);
      expect(table.match(atDefault, 'GET', ['pets', '7'])?.route.name).toBe('old');
      expect(table.match(atDefault, 'POST', ['pets', '7'])?.route.name).toBe('young');
      expect(problems).toEqual([
        {
          owner: expect.objectContaining({ name: 'young', uid: 'uid-young' }),
          reason: 'RouteConflict',
          message:
            'Its route GET /pets/{x} at /api/default does not answer: the older Function old has the same one. Change or remove one of them.',
        },
      ]);
    }
  });

  test('of the same second the first by name has it', () => {
    const { table } = tableOf({ ...young, name: 'b', createdMs: 1 }, { ...old, name: 'a', createdMs: 1 });
    expect(table.match(atDefault, 'GET', ['pets', '7'])?.route.name).toBe('a');
  });

  test('when the holder goes the other answers; when it comes back that is told again', () => {
    const { table, problems } = tableOf(young, old);
    table.set('default/old', null);
    expect(table.match(atDefault, 'GET', ['pets', '7'])?.route.name).toBe('young');
    table.set('default/old', old);
    expect(table.match(atDefault, 'GET', ['pets', '7'])?.route.name).toBe('old');
    expect(problems).toHaveLength(2);
  });

  test('what has been told is not told again while it lasts', () => {
    const { table, problems } = tableOf(young, old);
    table.set('default/other', routeOwner([{ path: '/others' }], { name: 'other' }));
    table.match(atDefault, 'GET', []);
    expect(problems).toHaveLength(1);
    expect(table.problems()).toEqual(problems);
    table.set('default/old', null);
    table.match(atDefault, 'GET', []);
    expect(table.problems()).toEqual([]);
  });

  test('a route twice in one Function', () => {
    const { problems } = tableOf(routeOwner([{ path: '/a/{x}' }, { path: '/a/{y}/' }]));
    expect(problems).toMatchObject([{ message: expect.stringContaining('another route of this Function') }]);
  });

  test('a stage and a path that mean the same', () => {
    const { problems } = tableOf(routeOwner([{ path: '/v1/x' }, { path: '/x', stage: 'v1' }]));
    expect(problems).toMatchObject([{ message: expect.stringContaining('ANY /v1/x at /api/default') }]);
  });
});

describe('hosts', () => {
  const shop = routeOwner([{ host: 'shop.example.com', path: '/pay' }], { namespace: 'shop', createdMs: 1 });
  const thief = routeOwner([{ host: 'shop.example.com', path: '/pay/card' }], { namespace: 'thief', createdMs: 2 });

  test('a host belongs to the namespace of its oldest Function', () => {
    const { table, problems } = tableOf(thief, shop);
    expect(met(table, 'GET', '/pay', 'shop.example.com')).toBe('ANY /pay');
    expect(met(table, 'GET', '/pay/card', 'shop.example.com')).toBeNull();
    expect(problems).toMatchObject([{ owner: { namespace: 'thief' }, reason: 'RouteHostRefused' }]);
  });

  test('a host that the install gives to a namespace is nobody else’s, however old', () => {
    const host = 'bank.example.com';
    const older = routeOwner([{ host, path: '/pay/card' }], { name: 'older', namespace: 'thief', createdMs: 1 });
    const bank = routeOwner([{ host, path: '/{proxy+}' }], { name: 'bank', namespace: 'bank', createdMs: 2 });
    const { table, problems } = tableOf(older, bank);
    expect(met(table, 'GET', '/pay/card', host)).toBe('ANY /{proxy+}');
    expect(problems).toEqual([
      {
        owner: expect.objectContaining({ namespace: 'thief' }),
        reason: 'RouteHostRefused',
        message:
          'Its routes at host bank.example.com do not answer: the install gives this host to another namespace (gateway.routeHosts of the chart).',
      },
    ]);
  });

  test('a host that the install does not let functions have', () => {
    const { table, problems } = tableOf(routeOwner([{ host: 'lambda.example.org' }, { path: '/x' }]));
    expect(met(table, 'GET', '/pets', 'lambda.example.org')).toBeNull();
    expect(met(table, 'GET', '/x')).toBe('ANY /x');
    expect(problems).toMatchObject([
      { reason: 'RouteHostRefused', message: expect.stringContaining('gateway.routeHosts') },
    ]);
  });
});

test('nothing is told before everything has been listed', () => {
  const { table, problems } = tableOf();
  expect(problems).toEqual([]);
  expect(table.size).toBe(0);
});

test('a route stays the same object until the routes of its Function change', () => {
  const { table } = tableOf(routeOwner([{}]));
  const before = table.match(atDefault, 'GET', ['pets'])?.route;
  table.set('default/hello', routeOwner([{}]));
  expect(table.match(atDefault, 'GET', ['pets'])?.route).toBe(before);
  table.set('default/hello', { ...routeOwner([]), routes: [routeSpec({ stage: '$default', methods: ['GET'] })] });
  expect(table.match(atDefault, 'GET', ['pets'])?.route).not.toBe(before);
  expect(before?.spec.methods).toEqual(['ANY']);
});
