import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import type { TestFiles } from '../nodejs/zip.ts';

/** The classes of one source file below functions/, as a package has them. Needs a JDK and what `make setup` has built. */
export async function compileJava(path: string): Promise<TestFiles> {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-java-'));
  const client = join(import.meta.dirname, '../java/build/*');
  const source = join(import.meta.dirname, 'functions', path);
  try {
    const options = ['-d', folder, '--release', '17', '-encoding', 'UTF-8', '-cp', client];
    await promisify(execFile)('javac', [...options, source]);
    return Object.fromEntries(
      globSync('**/*.class', { cwd: folder }).map((name) => [name, readFileSync(join(folder, name))]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
