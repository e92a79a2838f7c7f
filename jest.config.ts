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
        '<rootDir>/runtime-images/**/*.test.ts',
        '<rootDir>/e2e/{cluster,images}/src/**/*.test.ts',
      ],
    },
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
