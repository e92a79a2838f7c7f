#!/usr/bin/env node
/** The `kappa` command: wiring only. Run with `npx kappa` in the repository. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import { packageSource } from './package-source.ts';
import { rewriteManifests } from './rewrite-manifests.ts';
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

program.parseAsync().catch((error: unknown) => {
  console.error(`kappa: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
