import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type BuildResult, build } from 'esbuild';

import { httpByRequire, ownSources, withoutBodyParser } from './sources.ts';

let root = '';
const data: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kappa-sources-'));
  data.length = 0;
  await mkdir(join(root, 'part/src/generated'), { recursive: true });
  await mkdir(join(root, 'part/manifests'));
  await writeFile(join(root, 'part/manifests/one.yaml'), '');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function bundled(source: string): Promise<BuildResult<{ write: false }>> {
  await writeFile(join(root, 'part/src/main.ts'), source);
  return build({
    absWorkingDir: root,
    entryPoints: ['part/src/main.ts'],
    outdir: join(root, 'dist'),
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    plugins: [httpByRequire, withoutBodyParser, ownSources({ root, onData: (path) => data.push(path) })],
  });
}

test.each<[reason: string, source: string, want: string[]]>([
  ['a file', "f(new URL('../manifests/one.yaml', import.meta.url));", ['part/manifests/one.yaml']],
  ['the folder of a template', `f(new URL(\`./generated/\${x}.json\`, import.meta.url));`, ['part/src/generated/']],
  ['over several lines', "f(new URL(\n  './generated',\n  import.meta.url,\n));", ['part/src/generated']],
  ['none', 'f(1);', []],
])('what a source names comes along: %s', async (_reason, source, want) => {
  await bundled(`declare const f: (x: unknown) => void, x: string;\n${source}`);
  expect(data).toEqual(want);
});

test('a source is named as it is seen from a bundle', async () => {
  const { outputFiles } = await bundled('console.log(import.meta.url);');
  expect(outputFiles[0]?.text).toContain('new URL("../part/src/main.ts", import.meta.url).href');
});

test.each<[reason: string, source: string]>([
  ['a folder by its path', 'console.log(import.meta.dirname);'],
  ['a package by its name', "console.log(import.meta.resolve('x'));"],
  ['what CommonJS has', 'console.log(__dirname);'],
  ['a package that is loaded late, not by a source that names what it takes', "console.log(await import('x'));"],
  ['a file that is not there', "console.log(new URL('./none.json', import.meta.url));"],
])('what a bundle would not find fails its build: %s', async (_reason, source) => {
  await expect(bundled(source)).rejects.toThrow(/part\/src\/main\.ts: .+ is not in a bundle/);
});

test('importing http loads no undici', async () => {
  const { outputFiles } = await bundled(`import http, { METHODS } from 'node:http';
    console.log(METHODS === http.METHODS, process.moduleLoadList.filter((name) => name.includes('undici/')));`);
  const require = 'const require = process.getBuiltinModule("node:module").createRequire("file:///");';
  const script = `${require}${outputFiles[0]?.text}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(stdout).toBe('true []\n');
});

test('who reads bodies with Express hears that its parser is left out', async () => {
  const { outputFiles } = await bundled("import * as parser from 'body-parser';\nparser.urlencoded();");
  const text = outputFiles[0]?.text ?? '';
  await expect(import(`data:text/javascript,${encodeURIComponent(text)}`)).rejects.toThrow(
    'body-parser is not in the bundle',
  );
});
