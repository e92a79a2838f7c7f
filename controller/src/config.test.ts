import { expect, test } from '@jest/globals';
import { parseConfig } from './config.ts';

test('an empty environment is local mode', () => {
  expect(parseConfig({})).toMatchObject({ port: 9002, publicUrl: 'http://127.0.0.1:9000', allowLocalCode: false });
});

test('every bad variable is named at once', () => {
  const env = { KAPPA_CONTROLLER_PORT: '70000', KAPPA_POOL_MAX_STARTING: '0', KAPPA_PUBLIC_URL: 'nope' };
  expect(() => parseConfig(env)).toThrow(
    'bad configuration: KAPPA_PUBLIC_URL is not a URL; KAPPA_CONTROLLER_PORT not in [0, 65535]; KAPPA_POOL_MAX_STARTING not in [1, 1000]',
  );
});
