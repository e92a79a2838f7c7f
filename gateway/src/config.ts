import {
  accountConcurrencyDefault,
  requestHeadersMaxBytes,
  requestsPerSecondPerConcurrency,
  scaleOutEnvironments,
  streamPayloadDefaultBytes,
  unpackedMaxBytes,
  zipMaxBytes,
} from '@kappa/crds/limits';

import { type GuardedHosts, parseGuarded } from './event-sources/guard-rules.ts';
import { RouteHosts } from './http-routes/route-hosts.ts';
import type { CodeLimits } from './lambda-api/code-limits.ts';
import { type CodeSource, parseCodeSources } from './lambda-api/functions/code-sources.ts';
import { defaultLimits, type QueueLimits } from './queue/queue-limits.ts';
import { type EndpointVariables, parseEndpoints } from './registry/endpoints.ts';

/** The gateway's settings; every one has a default that suits local mode. */
export interface GatewayConfig {
  /** `KAPPA_HOST`, `KAPPA_PORT`: the address of everything that callers see. Without authentication a loopback address only. */
  readonly host: string;
  readonly port: number;
  /** `KAPPA_ADMIN_PORT`: health and metrics have a port of their own, on the same host; null = they are on the callers' port. */
  readonly adminPort: number | null;
  /** `KAPPA_REGION`: region of this install, in ARNs. */
  readonly region: string;
  /** `KAPPA_ZONE`: own zone; empty when unknown. Several gateways learn theirs from the peers' Service. */
  readonly zone: string;
  /** `KAPPA_PUBLIC_URL`: this install as callers see it, no slash at the end. Default: the callers' port on this machine. */
  readonly publicUrl: string;
  /** `KAPPA_INTERNAL_URL`: the same as functions reach it. Default: as callers do. */
  readonly internalUrl: string;
  /**
   * `KAPPA_AWS_ENDPOINTS`: where functions find AWS's services, a JSON object of variables; empty values take one away. Default: Lambda is at
   * `internalUrl`.
   */
  readonly endpoints: EndpointVariables;
  /** `KAPPA_URL_DOMAIN`: functions have hosts `NAME.NAMESPACE.<domain>`. */
  readonly urlDomain: string;
  /**
   * `KAPPA_ROUTE_HOSTS`: hosts at which functions may have routes of HTTP APIs, by commas, `HOST` or `HOST=NAMESPACE`; `*.` before a name stands
   * for one or more labels. All paths there are the routes', so none of them may be a host of this install.
   */
  readonly routeHosts: readonly string[];
  /**
   * `KAPPA_PRIVATE_ISSUERS`: issuers of tokens that may be plain http and at addresses that are not public: origins, by commas; `*` = all.
   * Default: none.
   */
  readonly privateIssuers: readonly string[];
  /** `KAPPA_BLOB_DIR`: the blob store, shared with the controller; with an S3 store, its cache. */
  readonly blobDir: string;
  /** `KAPPA_BLOB_CACHE_BYTES`: bound of that cache. */
  readonly blobCacheBytes: number;
  /** `KAPPA_S3_ENDPOINT`, `KAPPA_S3_BUCKET`, `KAPPA_S3_REGION`: the blob store in a cluster; null = the directory. */
  readonly s3: { readonly endpoint: string; readonly bucket: string; readonly region: string } | null;
  /** `KAPPA_CODE_MAX_ZIPPED_BYTES`, `KAPPA_CODE_MAX_UNPACKED_BYTES`: bounds of packages. */
  readonly codeLimits: CodeLimits;
  /** `KAPPA_CODE_SOURCES`: from which buckets whose code may be fetched. @see parseCodeSources */
  readonly codeSources: readonly CodeSource[];
  /** `KAPPA_SNAPSHOT_DIR`: where the last view of the cluster is kept for a restart; empty = nowhere. */
  readonly snapshotDir: string;
  /** `KAPPA_PEER_SERVICE`: Service whose endpoints are all gateways; empty = this is the only one. */
  readonly peerService: string;
  /** `KAPPA_PEER_PORT`: where gateways speak to each other, on `KAPPA_POD_IP`. */
  readonly peerPort: number;
  /** `KAPPA_POD_IP`: own address among gateways. */
  readonly podIp: string;
  /** `KAPPA_NAMESPACE`: own namespace: peers and access keys are in it. */
  readonly namespace: string;
  /** `KAPPA_SIGNING_KEY_FILE`: Ed25519 private key, PKCS#8 PEM, that agents know the public half of. */
  readonly signingKeyFile: string;
  /** `KAPPA_POOL_NAMESPACE`: where pools and their pods live. */
  readonly poolNamespace: string;
  /** `KAPPA_POD_NAME`: name of this gateway, the same in each life; empty = a random one. */
  readonly name: string;
  /**
   * `KAPPA_AUTH`: `sigv4` = callers of the Lambda API sign with an access key; `none` = nobody is asked, for this machine's own callers
   * only.
   */
  readonly auth: 'none' | 'sigv4';
  /** `KAPPA_LINK_PORT`: port of the agents' link. */
  readonly linkPort: number;
  /** `KAPPA_CAPACITY_WAIT_MS`: a request waits so long for a pod; no part of the function's timeout. */
  readonly capacityWaitMs: number;
  /** `KAPPA_ACCOUNT_CONCURRENCY`: concurrent executions of one account. */
  readonly accountConcurrency: number;
  /** `KAPPA_CALLS_PER_CONCURRENCY`: calls in a second for each unit of concurrency; 0 = no limit. */
  readonly callsPerConcurrency: number;
  /** `KAPPA_SCALE_OUT`: execution environments that one function may get every ten seconds. */
  readonly scaleOut: number;
  /** `KAPPA_UPDATE_HOLD_MS`: calls wait so long, from the first sight of an update of their function, for it to be served. */
  readonly updateHoldMs: number;
  /** `KAPPA_START_WAIT_MS`: a request waits so long for the first view of the cluster after the start. */
  readonly startWaitMs: number;
  /** `KAPPA_MAX_BUFFERED_BYTES`: request bodies held at one time. */
  readonly maxBufferedBytes: number;
  /** `KAPPA_MAX_HEADER_BYTES`: request line and headers of one request. */
  readonly maxHeaderBytes: number;
  /** `KAPPA_REQUEST_TIMEOUT_MS`: time for a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** `KAPPA_KEEP_ALIVE_MS`: how long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** `KAPPA_STREAM_MAX_BYTES`: largest streamed answer. */
  readonly streamMaxBytes: number;
  /** `KAPPA_LAG_MS`: on SIGTERM the gateway serves on for so long, until the cluster has heard that it is not ready. */
  readonly lagMs: number;
  /** `KAPPA_GRACE_MS`: and then waits so long for what is in flight. */
  readonly graceMs: number;
  /** `KAPPA_RECENT_LOGS_MIB`: memory for the newest log lines of functions; 0 = none are kept, and agents send none. */
  readonly recentLogsMiB: number;
  /**
   * `KAPPA_SHIP_ACCESS_KEY_ID`, `KAPPA_SHIP_SECRET_ACCESS_KEY`: with what log lines are shipped (docs/logs.md), and records of invocations are
   * delivered (docs/events.md); null = with what the AWS SDK finds.
   */
  readonly shipCredentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null;
  /** `KAPPA_REDIS_URL`, `KAPPA_REDIS_PASSWORD`: where asynchronous invocations wait; null = in `eventsFile`. */
  readonly redis: { readonly url: string; readonly password: string } | null;
  /** `KAPPA_EVENTS_FILE`: the same in local mode, one SQLite file. */
  readonly eventsFile: string;
  /**
   * `KAPPA_QUEUE_LINE_EVENTS`, `KAPPA_QUEUE_MIB` (0 = as much as the store has room for), `KAPPA_QUEUE_DEAD_EVENTS`, `KAPPA_QUEUE_DEAD_DAYS`:
   * how many may wait, and how many dead ones are kept for how long.
   */
  readonly queueLimits: QueueLimits;
  /**
   * `KAPPA_EVENT_SOURCE_ALLOW`, `KAPPA_EVENT_SOURCE_REFUSE`: addresses, networks and names, by commas, that mappings may name all the same, and may
   * not name besides this install's own. Default: this machine may be named, nothing is refused.
   */
  readonly eventSources: GuardedHosts;
  /** `KAPPA_LOG_LEVEL`: pino's levels. */
  readonly logLevel: string;
}

/**
 * Reads the environment once, at the edge. Fails closed: without authentication it serves nobody but this machine.
 *
 * @throws Error that names every bad variable
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Readonly<GatewayConfig> {
  const problems: string[] = [];
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const value = Number(env[name] ?? fallback);
    if (!(Number.isInteger(value) && value >= min && value <= max)) problems.push(`${name} not in [${min}, ${max}]`);
    return value;
  };
  const text = (name: string, fallback: string, form: RegExp): string => {
    const value = env[name] ?? fallback;
    if (!form.test(value)) problems.push(`${name} is not like ${form.source}`);
    return value;
  };
  const auth = text('KAPPA_AUTH', 'none', /^(none|sigv4)$/) === 'sigv4' ? 'sigv4' : 'none';
  const s3Endpoint = text('KAPPA_S3_ENDPOINT', '', /^(https?:\/\/\S+)?$/);
  const url = (name: string, fallback: string): string => text(name, fallback, /^https?:\/\/\S+$/).replace(/\/$/, '');
  const publicUrl = url('KAPPA_PUBLIC_URL', `http://127.0.0.1:${env['KAPPA_PORT'] ?? 9000}`);
  const internalUrl = url('KAPPA_INTERNAL_URL', publicUrl);
  const endpoints = parseEndpoints(env['KAPPA_AWS_ENDPOINTS'] ?? '{}');
  if (endpoints === null) problems.push('KAPPA_AWS_ENDPOINTS is no JSON object of AWS_ENDPOINT_URL… and URLs');
  const config: GatewayConfig = {
    host: text('KAPPA_HOST', '127.0.0.1', /^\S+$/),
    port: integer('KAPPA_PORT', 9000, 0, 65_535),
    adminPort: integer('KAPPA_ADMIN_PORT', 0, 0, 65_535) || null,
    region: text('KAPPA_REGION', 'us-east-1', /^[a-z]{2}(-[a-z]+)+-\d$/),
    zone: text('KAPPA_ZONE', '', /^\S*$/),
    publicUrl,
    internalUrl,
    endpoints: { AWS_ENDPOINT_URL_LAMBDA: internalUrl, ...endpoints },
    urlDomain: text('KAPPA_URL_DOMAIN', 'fn.localhost', /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
    ...routesOf(text, problems, [publicUrl, internalUrl]),
    blobDir: text('KAPPA_BLOB_DIR', '.kappa/blobs', /./),
    blobCacheBytes: integer('KAPPA_BLOB_CACHE_BYTES', 1024 ** 3, 1024 * 1024, 2 ** 40),
    s3:
      s3Endpoint === ''
        ? null
        : {
            endpoint: s3Endpoint,
            bucket: text('KAPPA_S3_BUCKET', 'kappa-code', /^[a-z0-9.-]{3,63}$/),
            region: text('KAPPA_S3_REGION', 'us-east-1', /^[\w-]+$/),
          },
    codeLimits: parseCodeLimits(integer),
    codeSources: parseOr(problems, [], () => parseCodeSources(env)),
    snapshotDir: text('KAPPA_SNAPSHOT_DIR', '', /^/),
    peerService: text('KAPPA_PEER_SERVICE', '', /^[a-z0-9-]{0,63}$/),
    peerPort: integer('KAPPA_PEER_PORT', 9200, 0, 65_535),
    podIp: text('KAPPA_POD_IP', '127.0.0.1', /^[\d.a-f:]+$/),
    namespace: text('KAPPA_NAMESPACE', 'kappa-system', /^[a-z0-9-]{1,63}$/),
    signingKeyFile: text('KAPPA_SIGNING_KEY_FILE', '.kappa/gateway.key', /./),
    poolNamespace: text('KAPPA_POOL_NAMESPACE', 'kappa-functions', /^[a-z0-9-]{1,63}$/),
    name: text('KAPPA_POD_NAME', '', /^[\w.-]*$/),
    auth,
    linkPort: integer('KAPPA_LINK_PORT', 9100, 1, 65_535),
    capacityWaitMs: integer('KAPPA_CAPACITY_WAIT_MS', 30_000, 100, 900_000),
    ...concurrencyOf(integer),
    updateHoldMs: integer('KAPPA_UPDATE_HOLD_MS', 2_000, 0, 10_000),
    startWaitMs: integer('KAPPA_START_WAIT_MS', 5_000, 0, 60_000),
    maxBufferedBytes: integer('KAPPA_MAX_BUFFERED_BYTES', 256 * 1024 * 1024, 1024 * 1024, 2 ** 40),
    maxHeaderBytes: integer('KAPPA_MAX_HEADER_BYTES', 64 * 1024, 1024, requestHeadersMaxBytes),
    requestTimeoutMs: integer('KAPPA_REQUEST_TIMEOUT_MS', 120_000, 100, 3_600_000),
    keepAliveMs: integer('KAPPA_KEEP_ALIVE_MS', 75_000, 0, 3_600_000),
    streamMaxBytes: integer('KAPPA_STREAM_MAX_BYTES', streamPayloadDefaultBytes, 1, 2 ** 40),
    lagMs: integer('KAPPA_LAG_MS', 0, 0, 600_000),
    graceMs: integer('KAPPA_GRACE_MS', 960_000, 0, 3_600_000),
    recentLogsMiB: integer('KAPPA_RECENT_LOGS_MIB', 32, 0, 4096),
    shipCredentials: keyOf(env['KAPPA_SHIP_ACCESS_KEY_ID'], env['KAPPA_SHIP_SECRET_ACCESS_KEY']),
    ...queueOf(env, text, integer),
    eventSources: parseGuarded(text),
    logLevel: text('KAPPA_LOG_LEVEL', 'info', /^(fatal|error|warn|info|debug|trace|silent)$/),
  };
  if (auth === 'none' && !isLoopback(config.host)) {
    problems.push(
      `KAPPA_HOST ${config.host} can be reached from other machines and KAPPA_AUTH is none: everybody could invoke every function`,
    );
  }
  if (problems.length > 0) throw new Error(`bad configuration: ${problems.join('; ')}`);
  return Object.freeze(config);
}

/** What a zip may have, the agents take no more of; unpacked code has to fit into a function's memory. */
function parseCodeLimits(integer: (name: string, fallback: number, min: number, max: number) => number): CodeLimits {
  return {
    zippedBytes: integer('KAPPA_CODE_MAX_ZIPPED_BYTES', zipMaxBytes, 1024, unpackedMaxBytes),
    unpackedBytes: integer('KAPPA_CODE_MAX_UNPACKED_BYTES', unpackedMaxBytes, 1024, 10 * 1024 ** 3),
  };
}

function parseOr<T>(problems: string[], otherwise: T, parse: () => T): T {
  try {
    return parse();
  } catch (err) {
    problems.push(err instanceof Error ? err.message : String(err));
    return otherwise;
  }
}

function listOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}

/** @param text reads a variable: its name, default and form @param own addresses of this install */
function routesOf(
  text: (name: string, fallback: string, form: RegExp) => string,
  problems: string[],
  own: readonly string[],
): Pick<GatewayConfig, 'routeHosts' | 'privateIssuers'> {
  const host = String.raw`(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*`;
  const entry = `${host}(=[a-z0-9]([-a-z0-9]*[a-z0-9])?)?`;
  const routeHosts = listOf(text('KAPPA_ROUTE_HOSTS', '*.api.localhost', new RegExp(`^(${entry}(,${entry})*)?$`)));
  const hosts = new RouteHosts(routeHosts);
  for (const url of own) {
    const { hostname } = URL.canParse(url) ? new URL(url) : { hostname: '' };
    if (hosts.has(hostname)) problems.push(`KAPPA_ROUTE_HOSTS has ${hostname}, which is this install's own`);
  }
  const origin = String.raw`https?:\/\/[^\s,/]+`;
  const privateIssuers = text('KAPPA_PRIVATE_ISSUERS', '', new RegExp(`^(\\*|(${origin})(,${origin})*)?$`));
  return { routeHosts, privateIssuers: listOf(privateIssuers) };
}

/** An access key; null unless both halves are there. */
function keyOf(accessKeyId = '', secretAccessKey = ''): GatewayConfig['shipCredentials'] {
  return accessKeyId === '' || secretAccessKey === '' ? null : { accessKeyId, secretAccessKey };
}

/** Whether a host name or address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** @param integer reads a variable: its name, default and bounds */
function concurrencyOf(
  integer: (name: string, fallback: number, min: number, max: number) => number,
): Pick<GatewayConfig, 'accountConcurrency' | 'callsPerConcurrency' | 'scaleOut'> {
  return {
    accountConcurrency: integer('KAPPA_ACCOUNT_CONCURRENCY', accountConcurrencyDefault, 1, 1_000_000),
    callsPerConcurrency: integer('KAPPA_CALLS_PER_CONCURRENCY', requestsPerSecondPerConcurrency, 0, 1_000_000),
    scaleOut: integer('KAPPA_SCALE_OUT', scaleOutEnvironments, 1, 1_000_000),
  };
}

/** @param text and integer read a variable: its name, default, and form or bounds */
function queueOf(
  env: Readonly<Record<string, string | undefined>>,
  text: (name: string, fallback: string, form: RegExp) => string,
  integer: (name: string, fallback: number, min: number, max: number) => number,
): Pick<GatewayConfig, 'redis' | 'eventsFile' | 'queueLimits'> {
  const url = text('KAPPA_REDIS_URL', '', /^(rediss?:\/\/[^\s@]+)?$/);
  const mib = integer('KAPPA_QUEUE_MIB', 0, 0, 1024 ** 2);
  return {
    redis: url === '' ? null : { url, password: env['KAPPA_REDIS_PASSWORD'] ?? '' },
    eventsFile: text('KAPPA_EVENTS_FILE', '.kappa/events.db', /./),
    queueLimits: {
      eventsPerLine: integer('KAPPA_QUEUE_LINE_EVENTS', defaultLimits.eventsPerLine, 1, 100_000_000),
      bytes: mib === 0 ? null : mib * 1024 ** 2,
      deadPerLine: integer('KAPPA_QUEUE_DEAD_EVENTS', defaultLimits.deadPerLine, 0, 10_000_000),
      deadKeptMs: integer('KAPPA_QUEUE_DEAD_DAYS', 14, 0, 3650) * 24 * 3_600_000,
    },
  };
}
