import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const cache = join(import.meta.dirname, '../../.cache');
/** All packages together may take so long, milliseconds. */
const LIMIT_MS = 600_000;

/**
 * A folder for PYTHONPATH with what `e2e/NAME/requirements.txt` pins by version and digest, installed once by pip from the registry that this
 * machine is set up for; later calls find it there, whole or not at all.
 *
 * @throws Error when a package cannot be had, or is not the pinned one
 */
export function providePythonPackages(name: string): string {
  const requirements = join(import.meta.dirname, '..', name, 'requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cache, `${name}-${digest}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  try {
    const found = ['--find-links', join(cache, 'botocore')]; // where `make generate` keeps the wheel that it reads
    const options = ['--quiet', '--disable-pip-version-check', '--root-user-action=ignore', '--no-deps'];
    const pinned = ['--only-binary=:all:', '--require-hashes', '--target', fresh, '--requirement', requirements];
    execFileSync('python3', ['-m', 'pip', 'install', ...options, ...found, ...pinned], {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: LIMIT_MS,
    });
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}
