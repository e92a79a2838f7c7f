import { expect, test } from '@jest/globals';
import { parseConfig } from './config.ts';

test('the defaults are the documented ones', () => {
  expect(parseConfig({}, [], '/repo')).toEqual({
    stateDir: '/repo/.kappa',
    ports: { gateway: 9000, api: 9010, controller: 9002 },
    examples: true,
  });
});

test('everything can be chosen', () => {
  const env = { KAPPA_STATE_DIR: '/x', KAPPA_PORT: '1', KAPPA_API_PORT: '0', KAPPA_CONTROLLER_PORT: '3' };
  expect(parseConfig(env, ['--no-examples'], '/repo')).toEqual({
    stateDir: '/x',
    ports: { gateway: 1, api: 0, controller: 3 },
    examples: false,
  });
});

test('all mistakes are told at once', () => {
  expect(() => parseConfig({ KAPPA_PORT: 'x', KAPPA_API_PORT: '70000' }, ['--what'], '/')).toThrow(
    'unknown argument --what; KAPPA_PORT not in [0, 65535]; KAPPA_API_PORT not in [0, 65535]',
  );
});
