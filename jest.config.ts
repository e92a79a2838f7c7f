import type { Config } from 'jest';

/** Tests lie beside the code. ESM all the way (ADR 0001): swc only strips types, Jest loads real ES modules. */
const config: Config = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'esnext', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }] },
  testMatch: ['<rootDir>/{crds,gateway,controller,local,cli,runtime-images,bench}/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/\\.kappa/'],
  modulePathIgnorePatterns: ['/\\.kappa/'],
  testTimeout: 30_000,
};

export default config;
