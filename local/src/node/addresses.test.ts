import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { makeAddresses } from './addresses.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('addresses of one install are different, on loopback, and in its own range', async () => {
  const addresses = makeAddresses('/a/.kappa', [], 0);
  const taken = [await addresses.take(), await addresses.take(), await addresses.take()];
  expect(new Set(taken).size).toBe(3);
  const range = (ip = '') => ip.split('.').slice(0, 3).join('.');
  expect(taken[0]).toMatch(/^127\.\d+\.\d+\.1$/);
  expect(range(await makeAddresses('/b/.kappa', [], 0).take())).not.toBe(range(taken[0]));
});

test('an address that was given back comes last', async () => {
  const addresses = makeAddresses('/a', [], 0);
  const first = await addresses.take();
  addresses.release(first);
  const later = await Promise.all(Array.from({ length: 500 }, () => addresses.take()));
  expect(later).not.toContain(first);
});

test('an address of an adopted pod, or with a port in use, is passed over', async () => {
  const port = await listen(await makeAddresses('/a', [], 0).take());
  const addresses = makeAddresses('/a', [port], 0);
  const free = await addresses.take();
  expect(free).toMatch(/\.2$/);
  const others = makeAddresses('/a', [port], 0);
  others.keep(free);
  expect(await others.take()).toMatch(/\.3$/);
});

test('a port that a program holds on all addresses is named', async () => {
  const port = await listen('0.0.0.0');
  await expect(makeAddresses('/a', [port], 0).take()).rejects.toThrow(`ports ${port} are not free`);
});
