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

const shared = new RouteHosts([
  ...['*.example.com', 'shop.example.com=shop', 'shop.example.com=till', '*.pay.example.com=bank'],
  ...['open.example.org', 'open.example.org=shop'],
]);

test.each<[reason: string, host: string, namespace: string, want: boolean]>([
  ['a host of any namespace', 'pets.example.com', 'pets', true],
  ['one of the namespaces that a host is given to', 'shop.example.com', 'shop', true],
  ['another one', 'shop.example.com', 'till', true],
  ['none of them', 'shop.example.com', 'pets', false],
  ['hosts below an ending', 'a.b.pay.example.com', 'bank', true],
  ['where a longer ending counts', 'a.pay.example.com', 'pets', false],
  ['the longer ending itself, which is below the other', 'pay.example.com', 'pets', true],
  ['a host that is given to all and to one', 'open.example.org', 'pets', true],
  ['a host that is not listed', 'example.org', 'shop', false],
])('admits: %s', (_reason, host, namespace, want) => {
  expect(shared.admits(host, namespace)).toBe(want);
});

test('hostIn: a host of one namespace is a host of routes like others', () => {
  expect(shared.hostIn('SHOP.example.com:443')).toBe('shop.example.com');
});
