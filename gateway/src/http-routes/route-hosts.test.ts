import { expect, test } from '@jest/globals';

import { noRouteHosts, RouteHosts } from './route-hosts.ts';

const hosts = new RouteHosts(['api.example.com', '*.apps.example.com']);

test.each<[reason: string, header: string, want: string | null]>([
  ['a name that is listed', 'api.example.com', 'api.example.com'],
  ['whatever its case and port', 'API.example.COM:8443', 'api.example.com'],
  ['one label before an ending', 'pets.apps.example.com', 'pets.apps.example.com'],
  ['more labels before an ending', 'a.b.apps.example.com', 'a.b.apps.example.com'],
  ['the ending itself', 'apps.example.com', null],
  ['an ending with no label', '.apps.example.com', null],
  ['an ending of a longer label', 'xapps.example.com', null],
  ['a longer name', 'api.example.com.evil.org', null],
  ['an address', '127.0.0.1:9000', null],
  ['an address in IPv6', '[::1]:9000', null],
  ['what is too long for a name', `${'a.'.repeat(150)}apps.example.com`, null],
  ['nothing', '', null],
])('hostIn: %s', (_reason, header, want) => {
  expect(hosts.hostIn(header)).toBe(want);
  expect(hosts.hostIn(header)).toBe(want); // remembered
});

test('hostIn: more hosts than are remembered', () => {
  for (let n = 0; n < 3000; n += 1) expect(hosts.hostIn(`h${n}.apps.example.com`)).toBe(`h${n}.apps.example.com`);
  expect(hosts.hostIn('x')).toBeNull();
});

test('hostIn: an install without hosts of routes', () => {
  expect(noRouteHosts.hostIn('api.example.com')).toBeNull();
});
