import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What never gets into an image (.dockerignore says the same to the builders): changing it rebuilds nothing. */
const leftOut =
  /(^|\/)(node_modules|__pycache__|\.cache|bin|testdata|testgateway|testruntime)$|\.test\.ts$|(^|\/)testing[^/]*\.ts$|_test\.go$|(^|\/)(test_[^/]*|pod_testing)\.py$/;

/** All files below `paths` (relative to `root`; files or folders) that can get into an image, sorted, without repeats. */
export function listInputs(root: string, paths: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (!lstatSync(join(root, path)).isDirectory()) {
      found.add(path);
      return;
    }
    for (const name of readdirSync(join(root, path))) {
      const child = `${path}/${name}`;
      if (!leftOut.test(child)) visit(child);
    }
  };
  for (const path of paths) visit(path);
  return [...found].sort();
}

/**
 * Name of what is built from `paths` and `facts` (package lists, versions, hashes of other inputs): 16 hexadecimal digits that change
 * with any name, content or executable bit. Times and owners do not count: a fresh checkout finds what the last one built.
 */
export function hashInputs(root: string, paths: readonly string[], facts: readonly string[]): string {
  const hash = createHash('sha256');
  const add = (text: string | Buffer): void => {
    hash.update(`${text.length}:`).update(text);
  };
  for (const fact of facts) add(fact);
  for (const path of listInputs(root, paths)) {
    const stat = lstatSync(join(root, path));
    add(path);
    add((stat.mode & 0o111) === 0 ? '-' : 'x');
    add(stat.isSymbolicLink() ? readlinkSync(join(root, path)) : readFileSync(join(root, path)));
  }
  return hash.digest('hex').slice(0, 16);
}
