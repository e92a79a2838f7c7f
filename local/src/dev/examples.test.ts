import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parseFunction } from '@kappa/crds/function';
import { parseAllDocuments } from 'yaml';
import { repository } from './platform.ts';

const folder = join(repository, 'examples');

/** All documents of the examples, by file. `kappa apply` puts a digest where a folder is named, so that is done here too. */
function documents(file: string): Record<string, unknown>[] {
  return parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    if (document.getIn(['spec', 'code', 'directory']) !== undefined) {
      document.setIn(['spec', 'code'], { zip: { sha256: '0'.repeat(64) } });
    }
    return document.toJS();
  });
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));

test.each(files)('%s has valid Functions', (file) => {
  const functions = documents(file).filter(({ kind }) => kind === 'Function');
  expect(functions.length).toBeGreaterThan(0);
  for (const manifest of functions) expect(parseFunction(manifest).metadata.name).not.toBe('');
});

test('the two that make dev applies are named as promised, open, and small', () => {
  for (const [name, runtime] of [
    ['hello-node', 'nodejs24.x'],
    ['hello-python', 'python3.13'],
  ]) {
    const [manifest] = documents(`${name}.yaml`);
    expect(manifest).toMatchObject({ metadata: { name }, spec: { runtime, http: { auth: 'None' } } });
    expect(readFileSync(join(folder, `${name}.yaml`), 'utf8').split('\n').length).toBeLessThan(30);
  }
});
