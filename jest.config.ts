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
/** Of tests that run whole processes; a unit test is never played again. */
const withProcesses = { ...common, setupFilesAfterEnv: ['<rootDir>/.ci/second-try.ts'] } satisfies Config;

const config: Config = {
  maxWorkers: 2,
  testTimeout: 60_000,
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [
        '<rootDir>/{crds,gateway,controller,bundle,local,cli,bench,e2e}/src/**/*.test.ts',
        '<rootDir>/runtime-images/**/*.test.ts',
        '<rootDir>/e2e/{cluster,images}/src/**/*.test.ts',
      ],
    },
    { ...withProcesses, displayName: 'contract', testMatch: ['<rootDir>/local/contract/**/*.test.ts'] },
    { ...withProcesses, displayName: 'e2e', testMatch: ['<rootDir>/e2e/specs/**/*.test.ts'] },
    { ...withProcesses, displayName: 'images', testMatch: ['<rootDir>/e2e/image-specs/**/*.test.ts'] },
    {
      ...withProcesses,
      displayName: 'cluster',
      testMatch: ['<rootDir>/e2e/cluster-specs/**/*.test.ts'],
    },
  ],
};

export default config;
