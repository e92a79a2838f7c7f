import { setImmediate as turn } from 'node:timers/promises';
import { placeOf } from '@kappa/crds/accounts';
import { LRUCache } from 'lru-cache';

import type { DispatchOptions } from '../dispatch/options.ts';
import type { Target } from '../dispatch/types.ts';
import { AllLogs } from '../logs/all-logs.ts';
import { cloudWatchSender } from '../logs/cloudwatch.ts';
import { groupPrefix } from '../logs/log-group.ts';
import { RecentLogs, type RecentLogsStats } from '../logs/recent-logs.ts';
import { Shipper, type ShipperStats } from '../logs/shipper.ts';
import type { EndpointVariables } from '../registry/endpoints.ts';
import type { Context } from './context.ts';

/** What becomes of functions' log lines. */
export interface Logs {
  /** The recent ones of all gateways; null = none are kept. */
  readonly all: AllLogs | null;
  /** Takes lines of a version. */
  readonly logged: NonNullable<DispatchOptions['logged']>;
  readonly stats: () => RecentLogsStats;
  readonly shipping: () => ShipperStats;
}

/** What {@link openLogs} connects. */
export interface LogsParts {
  /** The version that may be called now. */
  readonly targetOf: (versionUid: string) => Target | undefined;
  readonly askOthers: (question: Buffer) => Promise<readonly Buffer[]>;
  /** Where a namespace's functions find AWS's services. */
  readonly endpointsOf: (namespace: string) => EndpointVariables;
}

/** Versions whose pods may still write when nobody calls them any more. */
const MAX_VERSIONS = 10_000;

/** Where lines are shipped to. */
const shipTo = 'AWS_ENDPOINT_URL_CLOUDWATCH_LOGS';

/**
 * Keeps recent logs, and ships lines of namespaces that have a place for them. null = nobody wants lines: then agents are not asked for any.
 */
export function openLogs(context: Context, parts: LogsParts): Logs | null {
  const { config } = context;
  const maxBytes = config.recentLogsMiB * 1024 * 1024;
  if (maxBytes === 0 && (config.endpoints[shipTo] ?? '') === '') return null;
  const own = new RecentLogs({ maxBytes, now: Date.now });
  const shipper = makeShipper(context);
  const owners = new LRUCache<string, Owner>({ max: MAX_VERSIONS });
  const { targetOf, askOthers, endpointsOf } = parts;
  return {
    all: maxBytes === 0 ? null : new AllLogs({ own, askOthers, pause: () => turn() }),
    logged: (versionUid, lines) => {
      const owner = targetOf(versionUid) ?? owners.get(versionUid); // its namespace may have another account by now
      if (owner === undefined) return; // a version that was gone before its first line came
      const { accountId, functionName, namespace, region } = owner;
      owners.set(versionUid, { accountId, functionName, namespace, region });
      const place = placeOf(accountId, region === config.region ? undefined : region);
      if (maxBytes > 0) own.take({ accountId: place, functionName }, lines);
      const endpoint = endpointsOf(namespace)[shipTo];
      if (endpoint === undefined || endpoint === config.internalUrl || endpoint === config.publicUrl) return; // nobody ships to himself
      shipper.take({ endpoint, group: `${groupPrefix}${functionName}`, stream: lines.stream }, lines);
    },
    stats: () => own.stats(),
    shipping: () => shipper.stats(),
  };
}

/** Whose lines a version's are. */
type Owner = Pick<Target, 'accountId' | 'functionName' | 'namespace' | 'region'>;

function makeShipper({ config, clock, problem }: Context): Shipper {
  return new Shipper({
    send: cloudWatchSender({
      region: config.region,
      ownEndpoint: config.endpoints[shipTo] ?? null,
      credentials: config.shipCredentials,
    }),
    after: (ms, then) => void clock.after(ms, then),
    onDropped: (why, { endpoint, group }) =>
      problem(`shipping ${endpoint} ${why}`, { endpoint, group, problem: why }, 'log lines were not shipped'),
  });
}
