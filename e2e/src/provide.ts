/**
 * Brings what only tests need, before the first of them runs: none then waits for a registry within its own time. Each thing is tried twice; what
 * cannot be had then is left to the tests that need it, and the others run. What is there already costs nothing; a test that is run by hand brings
 * its own.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { provideRabbit } from '@kappa/gateway/testing-rabbitmq';
import { provideTestS3 } from '@kappa/gateway/testing-s3';
import { provideJars } from '@kappa/gateway/testing-servers';
import { unpackedAwsCli } from './aws-cli.ts';
import { providePythonPackages } from './python-packages.ts';

const run = promisify(execFile);
/** Each thing may take so long, milliseconds. */
const LIMIT_MS = 600_000;

const things: Readonly<Record<string, () => Promise<unknown>>> = {
  'the aws commands': async () => [unpackedAwsCli(1), unpackedAwsCli(2)],
  boto3: async () => providePythonPackages('boto3'),
  moto: async () => providePythonPackages('moto'),
  'the S3 server': provideTestS3,
  ElasticMQ: async () => provideJars('elasticmq'),
  'DynamoDB Local': async () => provideJars('dynamodb'),
  'Event Ruler': async () => provideJars('event-ruler'),
  'the Kafka broker': async () => provideJars('kafka'),
  RabbitMQ: provideRabbit,
  // The modules, pinned by go.sum, and what the compiler makes of them.
  'the SDK for Go': () =>
    run('go', ['vet', '.'], {
      cwd: join(import.meta.dirname, '../go-sdk'),
      timeout: LIMIT_MS,
    }),
};

for (const [name, provide] of Object.entries(things)) {
  for (const next of ['once more', 'tests that need it will fail']) {
    try {
      await provide();
      break;
    } catch (error) {
      console.error(`${name}: ${error instanceof Error ? error.message : error}; ${next}`);
    }
  }
}
