import { expect, test } from '@jest/globals';
import { parseConfig } from './config.ts';

test('the defaults are those of a single local node', () => {
  expect(parseConfig({ KAPPA_STATE_DIR: '/s' }, '/repo')).toMatchObject({
    stateDir: '/s',
    nodeName: 'local-a',
    zone: 'local-a',
    agent: '/repo/runtime-images/agent/bin/agent',
    runtimeImages: '/repo/runtime-images',
  });
});

test('all mistakes are told at once', () => {
  expect(() => parseConfig({ KAPPA_NODE_NAME: 'A b', KAPPA_ZONE: '' }, '/repo')).toThrow(
    'KAPPA_NODE_NAME is not a DNS name; KAPPA_ZONE is not a DNS name',
  );
});
