import { expect, test } from '@jest/globals';

import { isWayRound } from './readings.ts';
import { readPath } from './route-path.ts';
import { atDefault, routeOwner, tableOf } from './testing.ts';
import { guarded } from './testing-rig.ts';

const jwt = { issuer: 'https://login.example.com', audience: ['a'], scopes: [], identitySource: '$request.header.A' };
const { table } = tableOf(
  routeOwner([
    { path: '/admin/{proxy+}', ...guarded() },
    { path: '/{area}/keys', ...guarded() },
    { path: '/files/{name}' },
    { path: '/files/{name}/meta' },
    { path: '/tokens/{name}', authorizer: { jwt } },
    { path: '/tokens/{name}/same', authorizer: { jwt: { ...jwt } } },
    { path: '/tokens/{name}/more', authorizer: { jwt: { ...jwt, scopes: ['write'] } } },
    { path: '/asked/{name}', ...guarded() },
    { path: '/asked/{name}/again', ...guarded() },
    { path: '/matrix;v=1' },
    { path: '/matrix', ...guarded() },
    { path: '/private', methods: ['POST'], ...guarded() },
    { path: '/{proxy+}' },
  ]),
);

test.each<[reason: string, path: string, want: boolean]>([
  ['an encoded slash', '/admin%2Fx', true],
  ['in small letters', '/admin%2fx', true],
  ['a backslash', '/admin\\x', true],
  ['an encoded backslash', '/admin%5Cx', true],
  ['a parameter of a segment', '/admin;a=1/x', true],
  ['an encoded one', '/admin%3Ba=1/x', true],
  ['a parameter of an empty segment', '/;a/admin/x', true],
  ['a parameter before an encoded slash', '/admin;a=1%2Fx', true],
  ['only what follows a semicolon is cut', '/a%2Fb/keys;x', true],
  ['only the slash separates', '/a%5Cb%2Fkeys', true],
  ['only the backslash separates', '/a%2Fb%5Ckeys', true],
  ['an encoded slash that leads to the same route', '/x%2Fa%2Fb', false],
  ['one that leads to an open route', '/files/a%2Fmeta', false],
  ['one that leads to a route that asks for the same token', '/tokens/a%2Fsame', false],
  ['one that leads to a route that asks for another', '/tokens/a%2Fmore', true],
  ['one that leads to a route about which a function is asked anew', '/asked/a%2Fagain', true],
  ['one in the rest', '/admin/a%2Fb', false],
  ['a semicolon in a parameter', '/files/a;b', false],
  ['a semicolon that the route names', '/matrix;v=1', false],
  ['another one', '/matrix;v=2', true],
  ['a route of another method', '/private;a', false],
  ['no such character', '/admin.x', false],
])('isWayRound: %s', (_reason, path, want) => {
  const segments = readPath(path);
  const met = segments && table.match(atDefault, 'GET', segments);
  if (segments === null || met === null) throw new Error(`${path} meets no route`);
  expect(isWayRound(table, { site: atDefault, method: 'GET', segments }, met.route)).toBe(want);
});
