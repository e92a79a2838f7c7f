import { unpackedMaxBytes, zipMaxBytes } from '@kappa/crds/limits';

/** The controller's settings; every one has a default that suits local mode. */
export interface ControllerConfig {
  /** `KAPPA_CONTROLLER_HOST` (default: loopback), `KAPPA_CONTROLLER_PORT`: where /healthz, /readyz and /metrics are. */
  readonly host: string;
  readonly port: number;
  /** `KAPPA_REGION`. */
  readonly region: string;
  /** `KAPPA_BLOB_DIR`: the blob store, shared with the gateway; with an S3 store, its cache. */
  readonly blobDir: string;
  /** `KAPPA_BLOB_CACHE_BYTES`: bound of that cache; code passes through here only once. */
  readonly blobCacheBytes: number;
  /** `KAPPA_S3_ENDPOINT`, `KAPPA_S3_BUCKET`, `KAPPA_S3_REGION`: the blob store in a cluster; null = the directory. */
  readonly s3: { readonly endpoint: string; readonly bucket: string; readonly region: string } | null;
  /** `KAPPA_CODE_MAX_ZIPPED_BYTES`, `KAPPA_CODE_MAX_UNPACKED_BYTES`: bounds of packages. */
  readonly codeLimits: { readonly zippedBytes: number; readonly unpackedBytes: number };
  /** `KAPPA_CODE_KEEP_SECONDS`: code that nobody refers to is retired after so long, and removed after as long again; 0 = it stays. With S3 at least an hour. */
  readonly codeKeepSeconds: number;
  /** `KAPPA_POOL_NAMESPACE`: where pools and their pods live. */
  readonly poolNamespace: string;
  /** `KAPPA_SYSTEM_NAMESPACE`: where the leader's lease lives. */
  readonly systemNamespace: string;
  /** `KAPPA_RUNTIMES_FILE`: the table of runtimes. */
  readonly runtimesFile: string;
  /** `KAPPA_IMAGE_PREFIX`: put before every runtime image. */
  readonly imagePrefix: string;
  /** `KAPPA_IMAGE_SUFFIX`: put after every runtime image's tag; a new one rolls the pools. */
  readonly imageSuffix: string;
  /** `KAPPA_POOL_PRIORITY_CLASS`: PriorityClass of pool pods; empty = none. */
  readonly poolPriorityClass: string;
  /** `KAPPA_POOL_TMP_MIB`, `KAPPA_POOL_TMP_IN_MEMORY`: size of every function's `/tmp`, and whether it is memory instead of disk. */
  readonly poolTmp: { readonly sizeMiB: number; readonly isInMemory: boolean };
  /** `KAPPA_POOL_PULL_SECRETS`: names of Secrets beside the pools that their images are pulled with, comma separated. */
  readonly poolPullSecrets: readonly string[];
  /** `KAPPA_POOL_ROLL_AFTER_SECONDS`: claimed pods of an older template are replaced one by one after so long. */
  readonly poolRollAfterSeconds: number;
  /** `KAPPA_PUBLIC_URL`: the gateway as callers see it, no slash at the end. */
  readonly publicUrl: string;
  /** `KAPPA_POOL_MIN_REPLICAS`: floor of a new pool, generic pods. */
  readonly poolMinReplicas: number;
  /** `KAPPA_POOL_MAX_STARTING`: generic pods of one pool that may be starting at once. */
  readonly poolMaxStarting: number;
  /** `KAPPA_ALLOW_LOCAL_CODE`: whether `code.url` may be plain http and lead to addresses that are not public. */
  readonly allowLocalCode: boolean;
  /** `KAPPA_IMAGE_FUNCTIONS`: pods run images, so that functions may be made from users' own. */
  readonly imageFunctions: boolean;
  /** `KAPPA_IMAGE_REGISTRIES`: origins of registries that may be private and plain http, comma separated, no slash at the end. */
  readonly imageRegistries: readonly string[];
  /** `KAPPA_IDENTITY`: this process in the lease, for example the pod's name; unique. Default: a random one. */
  readonly identity: string;
}

/** A removal that was decided upon may reach a bucket so late: the time for a large copy, and for how long a store believes a signature. */
const s3KeepMinSeconds = 3_600;

/** Reads the environment once, at the edge. Throws one error that names every bad variable. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Readonly<ControllerConfig> {
  const problems: string[] = [];
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const value = Number(env[name] ?? fallback);
    if (!(Number.isInteger(value) && value >= min && value <= max)) problems.push(`${name} not in [${min}, ${max}]`);
    return value;
  };
  const text = (name: string, fallback: string): string => env[name] ?? fallback;
  const list = (name: string): readonly string[] =>
    text(name, '')
      .split(',')
      .filter((item) => item !== '');
  const imageRegistries = list('KAPPA_IMAGE_REGISTRIES');
  if (imageRegistries.some((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin))
    problems.push('KAPPA_IMAGE_REGISTRIES is not a list of origins like http://registry.local:5000');
  const publicUrl = text('KAPPA_PUBLIC_URL', `http://127.0.0.1:${text('KAPPA_PORT', '9000')}`).replace(/\/$/, '');
  if (!URL.canParse(publicUrl)) problems.push('KAPPA_PUBLIC_URL is not a URL');
  const s3Endpoint = text('KAPPA_S3_ENDPOINT', '');
  if (s3Endpoint !== '' && !URL.canParse(s3Endpoint)) problems.push('KAPPA_S3_ENDPOINT is not a URL');
  const config = {
    host: text('KAPPA_CONTROLLER_HOST', '127.0.0.1'),
    port: integer('KAPPA_CONTROLLER_PORT', 9002, 0, 65_535),
    region: text('KAPPA_REGION', 'us-east-1'),
    blobDir: text('KAPPA_BLOB_DIR', '.kappa/blobs'),
    blobCacheBytes: integer('KAPPA_BLOB_CACHE_BYTES', 256 * 1024 ** 2, 1024 ** 2, 2 ** 40),
    s3: s3Endpoint === '' ? null : parseS3(s3Endpoint, text),
    codeLimits: {
      zippedBytes: integer('KAPPA_CODE_MAX_ZIPPED_BYTES', zipMaxBytes, 1024, unpackedMaxBytes),
      unpackedBytes: integer('KAPPA_CODE_MAX_UNPACKED_BYTES', unpackedMaxBytes, 1024, 10 * 1024 ** 3),
    },
    codeKeepSeconds: integer('KAPPA_CODE_KEEP_SECONDS', 86_400, 0, 31_536_000),
    poolNamespace: text('KAPPA_POOL_NAMESPACE', 'kappa-functions'),
    systemNamespace: text('KAPPA_SYSTEM_NAMESPACE', 'kappa-system'),
    runtimesFile: text('KAPPA_RUNTIMES_FILE', 'runtime-images/runtimes.yaml'),
    imagePrefix: text('KAPPA_IMAGE_PREFIX', ''),
    imageSuffix: text('KAPPA_IMAGE_SUFFIX', ''),
    poolPriorityClass: text('KAPPA_POOL_PRIORITY_CLASS', ''),
    poolTmp: {
      sizeMiB: integer('KAPPA_POOL_TMP_MIB', 512, 512, 10_240),
      isInMemory: text('KAPPA_POOL_TMP_IN_MEMORY', 'false') === 'true',
    },
    poolPullSecrets: list('KAPPA_POOL_PULL_SECRETS'),
    poolRollAfterSeconds: integer('KAPPA_POOL_ROLL_AFTER_SECONDS', 600, 0, 604_800),
    publicUrl,
    poolMinReplicas: integer('KAPPA_POOL_MIN_REPLICAS', 2, 0, 1_000),
    poolMaxStarting: integer('KAPPA_POOL_MAX_STARTING', 4, 1, 1_000),
    allowLocalCode: text('KAPPA_ALLOW_LOCAL_CODE', 'false') === 'true',
    imageFunctions: text('KAPPA_IMAGE_FUNCTIONS', 'false') === 'true',
    imageRegistries,
    identity: text('KAPPA_IDENTITY', ''),
  };
  if (config.s3 !== null && config.codeKeepSeconds > 0 && config.codeKeepSeconds < s3KeepMinSeconds)
    problems.push(`KAPPA_CODE_KEEP_SECONDS below ${s3KeepMinSeconds}: too short for code in S3`);
  if (problems.length > 0) throw new Error(`bad configuration: ${problems.join('; ')}`);
  return Object.freeze(config);
}

function parseS3(endpoint: string, text: (name: string, fallback: string) => string) {
  return {
    endpoint,
    bucket: text('KAPPA_S3_BUCKET', 'kappa-code'),
    region: text('KAPPA_S3_REGION', 'us-east-1'),
  };
}
