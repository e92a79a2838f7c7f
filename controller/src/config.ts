/** The controller's settings; every one has a default that suits local mode. */
export interface ControllerConfig {
  /** `KAPPA_HOST`, `KAPPA_CONTROLLER_PORT`: where /healthz, /readyz and /metrics are. */
  readonly host: string;
  readonly port: number;
  /** `KAPPA_REGION`. */
  readonly region: string;
  /** `KAPPA_BLOB_DIR`: the blob store, shared with the gateway. */
  readonly blobDir: string;
  /** `KAPPA_POOL_NAMESPACE`: where pools and their pods live. */
  readonly poolNamespace: string;
  /** `KAPPA_SYSTEM_NAMESPACE`: where the leader's lease lives. */
  readonly systemNamespace: string;
  /** `KAPPA_RUNTIMES_FILE`: the table of runtimes. */
  readonly runtimesFile: string;
  /** `KAPPA_IMAGE_PREFIX`: put before every runtime image. */
  readonly imagePrefix: string;
  /** `KAPPA_PUBLIC_URL`: the gateway as callers see it, no slash at the end. */
  readonly publicUrl: string;
  /** `KAPPA_POOL_MIN_REPLICAS`: floor of a new pool, generic pods. */
  readonly poolMinReplicas: number;
  /** `KAPPA_POOL_MAX_STARTING`: generic pods of one pool that may be starting at once. */
  readonly poolMaxStarting: number;
  /** `KAPPA_ALLOW_LOCAL_CODE`: whether `code.url` may be plain http and lead to addresses that are not public. */
  readonly allowLocalCode: boolean;
  /** `KAPPA_IDENTITY`: this process in the lease; unique. */
  readonly identity: string;
}

/** Reads the environment once, at the edge. Throws one error that names every bad variable. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Readonly<ControllerConfig> {
  const problems: string[] = [];
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const value = Number(env[name] ?? fallback);
    if (!(Number.isInteger(value) && value >= min && value <= max)) problems.push(`${name} not in [${min}, ${max}]`);
    return value;
  };
  const text = (name: string, fallback: string): string => env[name] ?? fallback;
  const publicUrl = text('KAPPA_PUBLIC_URL', `http://127.0.0.1:${text('KAPPA_PORT', '9000')}`).replace(/\/$/, '');
  if (!URL.canParse(publicUrl)) problems.push('KAPPA_PUBLIC_URL is not a URL');
  const config = {
    host: text('KAPPA_HOST', '127.0.0.1'),
    port: integer('KAPPA_CONTROLLER_PORT', 9002, 0, 65_535),
    region: text('KAPPA_REGION', 'us-east-1'),
    blobDir: text('KAPPA_BLOB_DIR', '.kappa/blobs'),
    poolNamespace: text('KAPPA_POOL_NAMESPACE', 'kappa-functions'),
    systemNamespace: text('KAPPA_SYSTEM_NAMESPACE', 'kappa-system'),
    runtimesFile: text('KAPPA_RUNTIMES_FILE', 'runtime-images/runtimes.yaml'),
    imagePrefix: text('KAPPA_IMAGE_PREFIX', ''),
    publicUrl,
    poolMinReplicas: integer('KAPPA_POOL_MIN_REPLICAS', 2, 0, 1_000),
    poolMaxStarting: integer('KAPPA_POOL_MAX_STARTING', 4, 1, 1_000),
    allowLocalCode: text('KAPPA_ALLOW_LOCAL_CODE', 'false') === 'true',
    identity: text('KAPPA_IDENTITY', ''),
  };
  if (problems.length > 0) throw new Error(`bad configuration: ${problems.join('; ')}`);
  return Object.freeze(config);
}
