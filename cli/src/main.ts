#!/usr/bin/env node
/** The `kappa` command: wiring only. Run with `npx kappa` in the repository. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { dropEvent, type EventsClient, eventsTable, listEvents, readLimit, replayEvent, showEvent } from './events.ts';
import { packageSource } from './package-source.ts';
import { rewriteManifests } from './rewrite-manifests.ts';
import { accessKeyOf } from './sign-request.ts';
import { uploadBlob } from './upload-blob.ts';

const defaultEndpoint = process.env['KAPPA_ENDPOINT'] ?? `http://127.0.0.1:${process.env['KAPPA_PORT'] ?? '9000'}`;

const program = new Command('kappa')
  .description('Package, upload and apply functions. What it applies is ordinary Kubernetes: kubectl sees all of it.')
  .option('--endpoint <url>', 'the gateway', defaultEndpoint);

const upload = (path: string): Promise<string> =>
  packageSource(path).then((zip) => uploadBlob(program.opts<{ endpoint: string }>().endpoint, zip));

program
  .command('package <path>')
  .description('zip a folder (or take a .zip), upload it, print its sha256')
  .action(async (path: string) => console.log(await upload(path)));

program
  .command('apply')
  .description('kubectl apply, with `code: {directory: ./src}` replaced by the uploaded zip')
  .requiredOption('-f, --filename <file>', 'manifest')
  .option('--dry-run', 'print the manifest instead of applying it')
  .action(async ({ filename, dryRun }: { filename: string; dryRun?: boolean }) => {
    const folder = dirname(resolve(filename));
    const manifest = await rewriteManifests(readFileSync(filename, 'utf8'), (path) => upload(resolve(folder, path)));
    if (dryRun === true) {
      console.log(manifest);
      return;
    }
    const kubectl = process.env['KAPPA_KUBECTL'] ?? 'kubectl';
    const { status, error } = spawnSync(kubectl, ['apply', '-f', '-'], {
      input: manifest,
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    if (error !== undefined)
      throw new Error(`cannot run ${kubectl} (make kubectl provides one; KAPPA_KUBECTL names it)`, { cause: error });
    process.exitCode = status ?? 1;
  });

const events = program
  .command('events')
  .description('asynchronous invocations that were given up; signs with AWS_ACCESS_KEY_ID where it is set')
  .option('--object <namespace/name>', 'the Function object, where it is gone and its name does not tell which it was');

const client = (): EventsClient => ({
  endpoint: program.opts<{ endpoint: string }>().endpoint,
  key: accessKeyOf(process.env),
  nowMs: Date.now(),
  object: events.opts<{ object?: string }>().object,
});

events
  .command('list <function>')
  .description('dead events of a function, newest first')
  .option('--limit <n>', 'how many at most', readLimit, 100)
  .option('--json', 'as JSON')
  .action(async (name: string, { limit, json }: { limit: number; json?: boolean }) => {
    const found = await listEvents(client(), name, limit);
    console.log(json === true ? JSON.stringify(found, null, 2) : eventsTable(found, `${name} has no dead events`));
  });

events
  .command('show <function> <id>')
  .description('one event with its payload and the last answer, JSON; also one that waits or runs')
  .action(async (name: string, id: string) => console.log(await showEvent(client(), name, id)));

events
  .command('replay <function> <ids...>')
  .description('let dead events run again, as if they had just come')
  .action(async (name: string, ids: string[]) => {
    for (const id of ids) await replayEvent(client(), name, id);
  });

events
  .command('drop <function> <ids...>')
  .description('remove dead or waiting events for good')
  .action(async (name: string, ids: string[]) => {
    for (const id of ids) await dropEvent(client(), name, id);
  });

program.parseAsync().catch((error: unknown) => {
  console.error(`kappa: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
