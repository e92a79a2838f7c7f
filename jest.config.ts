import type { Config } from 'jest';

/** ESM all the way: swc only strips types, Jest loads real ES modules (docs/adr/0001-node-and-esm.md). */
const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'esnext', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  testPathIgnorePatterns: ['/node_modules/', '/\\.kappa/', '/\\.cache/'],
  modulePathIgnorePatterns: ['/\\.kappa/', '/\\.cache/'],
} satisfies Config;

/** Beside the code, but with servers, agents and runtimes of their own: in CI they may be played again (.ci/jest.ts). */
const withProcesses = [
  'bundle/src/bundle.test.ts',
  'controller/src/{main,collect/collect-s3,image/life}.test.ts',
  'gateway/src/{main,whole-path,blobs/s3-store}.test.ts',
  'gateway/src/dispatch/dispatcher.{test,faults.test,image.test,offers.test,provisioned.test,ring.test,stream.test}.ts',
  'gateway/src/event-sources/{dynamodb,kafka,kinesis,rabbitmq,redis-streams,sqs}/**/*.test.ts',
  'gateway/src/queue/{checkpoints,contract*,redis-*,sqlite-faults}.test.ts',
  'gateway/src/schedules/firing-gateways.test.ts',
  'local/src/{dev,node}/**/*.test.ts',
  'runtime-images/**/*.test.ts',
];

const config: Config = {
  maxWorkers: 2,
  testTimeout: 60_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/.ci/*.test.ts',
        '<rootDir>/{crds,gateway,controller,bundle,local,cli,bench,e2e}/src/**/*.test.ts',
        '<rootDir>/e2e/{cluster,images}/src/**/*.test.ts',
        ...withProcesses.map((path) => `!**/${path}`), // <rootDir> is not known behind the !
      ],
    },
    { ...common, displayName: 'processes', testMatch: withProcesses.map((path) => `<rootDir>/${path}`) },
    { ...common, displayName: 'contract', testMatch: ['<rootDir>/local/contract/**/*.test.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/e2e/specs/**/*.test.ts'] },
    { ...common, displayName: 'images', testMatch: ['<rootDir>/e2e/image-specs/**/*.test.ts'] },
    {
      ...common,
      displayName: 'cluster',
      setupFilesAfterEnv: ['<rootDir>/.ci/second-try.ts'],
      testMatch: ['<rootDir>/e2e/cluster-specs/**/*.test.ts'],
    },
  ],
};

export default config;
