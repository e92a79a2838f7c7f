import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ShapeRow } from './table.ts';

/** The package whose model is used. A newer one: change both lines, run `make generate`, read the diff. */
const version = '1.44.5';
const sha256 = '8f16a56d1dff125dd65322ae021efa7ba5195a6db5102b96862566055b748921';

const wheelName = `botocore-${version}-py3-none-any.whl`;
const modelPath = 'botocore/data/lambda/2015-03-31/service-2.json.gz';
const cached = join(import.meta.dirname, '../../../../.cache/botocore', wheelName);

/** The part of botocore's service model that matters here. */
export interface ServiceModel {
  readonly operations: Readonly<Record<string, ServiceOperation>>;
  readonly shapes: Readonly<Record<string, ServiceShape>>;
}

/** An operation of botocore's model. */
export interface ServiceOperation {
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode: number };
  readonly input: { readonly shape: string };
  readonly output?: { readonly shape: string };
  readonly errors: readonly { readonly shape: string }[];
}

/** A member of a structure of botocore's model. */
export interface ServiceMember {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header' | 'statusCode';
  readonly locationName?: string;
}

/** A shape of botocore's model: as the table's, but that it names other shapes by an object. */
export interface ServiceShape extends Omit<ShapeRow, 'members' | 'member' | 'key' | 'value'> {
  readonly members?: Readonly<Record<string, ServiceMember>>;
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly exception?: true;
  readonly error?: { readonly httpStatusCode: number; readonly senderFault?: true };
}

/** Name and version of where the model comes from. */
export const source = `botocore ${version}`;

/**
 * Lambda's service model out of the pinned wheel, which is downloaded once into `.cache/` by pip from the registry that
 * this machine is set up for.
 *
 * @throws Error when the download fails or is not the pinned file
 */
export function readServiceModel(): ServiceModel {
  if (!existsSync(cached)) download();
  const digest = createHash('sha256').update(readFileSync(cached)).digest('hex');
  if (digest !== sha256) throw new Error(`${cached} has sha256 ${digest}, not the pinned ${sha256}: delete it`);
  // A wheel is a zip: Python, which brought it, reads it too.
  const script = 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))';
  const packed = execFileSync('python3', ['-c', script, cached, modelPath], { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(gunzipSync(packed).toString('utf8'));
}

function download(): void {
  const fresh = `${dirname(cached)}/fresh-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--dest', fresh];
    execFileSync('python3', ['-m', 'pip', 'download', ...options, `botocore==${version}`], { stdio: 'inherit' });
    renameSync(join(fresh, wheelName), cached);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}
