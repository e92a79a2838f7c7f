import type { LookupAddress } from 'node:dns';
import { createConnection, createServer } from 'node:net';
import { expect, test } from '@jest/globals';

import { type AddressGuard, addressGuard, checkAddresses, guardedLookup } from './address-guard.ts';

const at = (...addresses: readonly string[]): readonly LookupAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

const names: Readonly<Record<string, readonly LookupAddress[]>> = {
  'kafka.shop': at('10.96.7.7'),
  'broker.example.org': at('203.0.113.9', '2001:db8::9'),
  'mine.example.org': at('127.0.0.1'),
  'half.example.org': at('203.0.113.9', '169.254.169.254'),
  'kappa-redis': at('10.244.1.5'),
  'redis.elsewhere.example.org': at('10.244.1.5'),
  'shared.example.org': at('10.244.1.5'),
  empty: [],
};

const guard = addressGuard({
  allow: ['127.9.0.0/16', '10.244.3.3', 'Shared.example.org'],
  refuse: ['kappa-redis', 'gone.kappa-system', '10.0.0.1', '10.244.3.0/24', 'fd00:10::/64'],
  resolve: (name) => {
    const found = names[name.toLowerCase()];
    return found === undefined
      ? Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
      : Promise.resolve(found);
  },
});

test.each([
  '10.96.7.7',
  '192.168.1.4',
  '203.0.113.9',
  'fd00:11::7',
  '[2001:db8::1]',
  'kafka.shop',
  'broker.example.org',
  // by `allow`
  '127.9.1.1',
  '10.244.3.3',
  'SHARED.example.org',
])('a mapping may name %s', async (host) => {
  expect((await guard(host)).length).toBeGreaterThan(0);
});

test.each([
  '127.0.0.1',
  '0.0.0.0',
  '169.254.169.254',
  '224.0.0.1',
  '255.255.255.255',
  '100.100.100.200',
  '168.63.129.16',
  '::',
  '::1',
  '[::1]',
  '::ffff:127.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::7f00:1',
  'fe80::1',
  'ff02::1',
  'fd00:ec2::254',
  'mine.example.org',
  'half.example.org',
  // by `refuse`
  'kappa-redis',
  'redis.elsewhere.example.org',
  '10.244.1.5',
  '::ffff:10.244.1.5',
  '10.0.0.1',
  '10.244.3.4',
  'fd00:10::1',
])('a mapping may not name %s', async (host) => {
  await expect(guard(host)).rejects.toMatchObject({
    reason: 'InvalidSource',
    message: expect.stringMatching(/eventSources\.allow/),
  });
});

test.each(['none.example.org', 'empty'])('%s leads nowhere: told, and asked again', async (host) => {
  await expect(guard(host)).rejects.toMatchObject({ reason: 'Unreachable' });
});

test('when nobody can say where the own services are, nobody is let through', async () => {
  let isDown = true;
  const resolve = (name: string): Promise<readonly LookupAddress[]> =>
    name === 'own' && isDown
      ? Promise.reject(Object.assign(new Error('try again'), { code: 'EAI_AGAIN' }))
      : Promise.resolve(at(name === 'own' ? '10.1.1.1' : '10.2.2.2'));
  const strict = addressGuard({ allow: [], refuse: ['own'], resolve });
  await expect(strict('kafka')).rejects.toMatchObject({ reason: 'Unreachable' });
  isDown = false;
  await expect(strict('kafka')).resolves.toEqual(at('10.2.2.2'));
});

test('a socket goes where the guard says, and nowhere when it says no', async () => {
  const server = createServer((socket) => socket.end('here')).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const ask = (asked: AddressGuard): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const socket = createConnection({ host: 'rebound.example.org', port, lookup: guardedLookup(asked) });
      socket.once('data', (bytes) => resolve(bytes.toString())).once('error', reject);
    });
  let answer = at('127.0.0.1');
  const asked = addressGuard({ allow: ['127.0.0.1'], refuse: [], resolve: () => Promise.resolve(answer) });
  await expect(ask(asked)).resolves.toBe('here');
  answer = at('127.0.0.2');
  await expect(ask(asked)).rejects.toMatchObject({ reason: 'InvalidSource' });
  await new Promise((resolve) => server.close(resolve));
});

test('sockets take addresses as they are, so these are checked before', async () => {
  await expect(checkAddresses(guard, ['mine.example.org', '10.96.7.7'])).resolves.toBeUndefined();
  await expect(checkAddresses(guard, ['10.96.7.7', '[::1]'])).rejects.toMatchObject({ reason: 'InvalidSource' });
});
