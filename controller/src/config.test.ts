import { expect, test } from '@jest/globals';
import { parseConfig } from './config.ts';

test('an empty environment is local mode', () => {
  expect(parseConfig({})).toMatchObject({ port: 9002, publicUrl: 'http://127.0.0.1:9000', poolPullSecrets: [] });
  expect(parseConfig({})).toMatchObject({
    codeLimits: { zippedBytes: 52_428_800, unpackedBytes: 262_144_000 },
    codeKeepSeconds: 86_400,
  });
});

test('every bad variable is named at once', () => {
  const env = { KAPPA_CONTROLLER_PORT: '70000', KAPPA_POOL_MAX_STARTING: '0', KAPPA_PUBLIC_URL: 'nope' };
  expect(() => parseConfig(env)).toThrow(
    'bad configuration: KAPPA_PUBLIC_URL is not a URL; KAPPA_CONTROLLER_PORT not in [0, 65535]; KAPPA_POOL_MAX_STARTING not in [1, 1000]',
  );
});

test('in a cluster', () => {
  const env = {
    KAPPA_CONTROLLER_HOST: '0.0.0.0',
    KAPPA_HOST: '127.0.0.2',
    KAPPA_IMAGE_PREFIX: 'registry.example/',
    KAPPA_IMAGE_SUFFIX: '-0.2.0',
    KAPPA_POOL_PRIORITY_CLASS: 'functions',
    KAPPA_POOL_PULL_SECRETS: 'registry,mirror',
    KAPPA_POOL_TMP_MIB: '10240',
    KAPPA_POOL_TMP_IN_MEMORY: 'true',
    KAPPA_S3_ENDPOINT: 'http://kappa-store:7070',
    KAPPA_IDENTITY: 'kappa-controller-0',
  };
  expect(parseConfig(env)).toMatchObject({
    host: '0.0.0.0',
    imagePrefix: 'registry.example/',
    imageSuffix: '-0.2.0',
    poolPriorityClass: 'functions',
    poolPullSecrets: ['registry', 'mirror'],
    poolTmp: { sizeMiB: 10_240, isInMemory: true },
    poolRollAfterSeconds: 600,
    s3: { endpoint: 'http://kappa-store:7070', bucket: 'kappa-code', region: 'us-east-1' },
    identity: 'kappa-controller-0',
  });
});

test('code in S3 is kept for an hour at least, or for good', () => {
  const env = (seconds: string) => ({ KAPPA_S3_ENDPOINT: 'http://s3:7070', KAPPA_CODE_KEEP_SECONDS: seconds });
  expect(() => parseConfig(env('3599'))).toThrow('KAPPA_CODE_KEEP_SECONDS below 3600');
  expect([parseConfig(env('0')), parseConfig(env('3600'))]).toMatchObject([
    { codeKeepSeconds: 0 },
    { codeKeepSeconds: 3_600 },
  ]);
});
