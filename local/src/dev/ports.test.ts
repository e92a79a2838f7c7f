import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { choosePorts } from './ports.ts';

test('0 becomes a free port', async () => {
  const ports = await choosePorts({ gateway: 0, api: 0, controller: 0 });
  expect(new Set(Object.values(ports)).size).toBe(3);
  expect(Math.min(...Object.values(ports))).toBeGreaterThan(0);
});

test('a port in use is named, with the variable that moves it', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await expect(choosePorts({ gateway: 0, api: port, controller: 0 })).rejects.toThrow(
      `port ${port} on 127.0.0.1 is in use by another program; KAPPA_API_PORT chooses another one`,
    );
  } finally {
    server.close();
  }
});
