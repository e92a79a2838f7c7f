import { expect, test } from '@jest/globals';

import { parseConfig } from '../config.ts';
import { guardRules } from './guard-rules.ts';

test('mappings may name neither Redis, store nor gateways of the install', () => {
  const config = parseConfig({
    KAPPA_REDIS_URL: 'rediss://kappa-redis:6379/1',
    KAPPA_S3_ENDPOINT: 'http://kappa-store:7070',
    KAPPA_INTERNAL_URL: 'http://kappa-gateway.kappa-system',
    KAPPA_PEER_SERVICE: 'kappa-gateway-peers',
    KAPPA_POD_IP: '10.244.1.9',
    KAPPA_EVENT_SOURCE_ALLOW: 'rabbit.example.org',
    KAPPA_EVENT_SOURCE_REFUSE: 'kubernetes.default.svc',
  });
  expect(guardRules(config)).toEqual({
    allow: ['rabbit.example.org'],
    refuse: [
      'kubernetes.default.svc',
      'kappa-redis',
      'kappa-store',
      'kappa-gateway.kappa-system',
      'kappa-gateway-peers.kappa-system',
      '10.244.1.9',
    ],
  });
});
