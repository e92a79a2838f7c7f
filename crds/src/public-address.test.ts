import { expect, test } from '@jest/globals';
import { AddressRefused, isPublicAddress, publicLookup } from './public-address.ts';

test.each([
  ['this host', '127.0.0.1', false],
  ['this host, all of it', '127.254.3.2', false],
  ['any address', '0.0.0.0', false],
  ['cloud metadata', '169.254.169.254', false],
  ['a private network', '10.96.0.1', false],
  ['another', '172.31.255.1', false],
  ['a home', '192.168.1.1', false],
  ['carrier NAT', '100.64.0.1', false],
  ['multicast', '224.0.0.1', false],
  ['IPv6 loopback', '::1', false],
  ['IPv6 unique local', 'fd00::1', false],
  ['IPv6 link-local', 'fe80::1', false],
  ['IPv4 in IPv6', '::ffff:127.0.0.1', false],
  ['IPv4 in IPv6, hexadecimal', '::ffff:a9fe:a9fe', false],
  ['NAT64 of anything', '64:ff9b::a00:1', false],
  ['no address at all', 'example.org', false],
  ['just outside 172.16/12', '172.32.0.1', true],
  ['the internet', '93.184.215.14', true],
  ['the internet, IPv6', '2606:2800:220:1::1', true],
])('%s: %s is public: %s', (_reason, address, want) => {
  expect(isPublicAddress(address)).toBe(want);
});

test('a name that leads home is refused', async () => {
  const error = await new Promise((resolve) => publicLookup('localhost', {}, resolve));
  expect(error).toBeInstanceOf(AddressRefused);
});
