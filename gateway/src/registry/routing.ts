import { compilePolicy, ownerGrants, type ResourcePolicy } from '../auth/resource-policy.ts';
import type { Target, TargetRole } from '../dispatch/types.ts';
import { type LoopGuard, loopGuard } from '../loops/loop-guard.ts';
import { provisionedOf } from './provisioned.ts';
import { type RoutedUrl, routeUrl } from './routed-url.ts';
import type { AliasView, FunctionView, VersionView } from './views.ts';

/** A function as the gateway routes to it. Frozen; replaced as a whole on every change of what it is made from. */
export interface RoutedFunction {
  readonly namespace: string;
  /** metadata.name of the Function. */
  readonly name: string;
  /** Lambda's name. */
  readonly functionName: string;
  readonly accountId: string;
  /** Undefined = the install's own. */
  readonly region: string | undefined;
  /** ARN without a qualifier. */
  readonly arn: string;
  /** null = the function has no URL. */
  readonly http: RoutedUrl | null;
  /** Who else may do what with it. */
  readonly policy: ResourcePolicy;
  /** Counts its runs in a chain of invocations. */
  readonly loops: LoopGuard;
  /**
   * Something better is about to come: the controller has not looked at the newest generation, or its version has not
   * arrived here.
   */
  readonly isPending: boolean;
  readonly state: 'Pending' | 'Active' | 'Failed';
  /** Why it is not Active, for people; may be empty. */
  readonly stateReason: string;
  /** What `$LATEST` means; null = there has never been one. */
  readonly latest: Target | null;
  /** Published versions by number; null = none. */
  readonly versions: ReadonlyMap<string, Target> | null;
  /** null = none. */
  readonly aliases: ReadonlyMap<string, RoutedAlias> | null;
}

/** An alias whose versions exist. */
export interface RoutedAlias {
  readonly target: Target;
  /** A second version that takes `weight` (0..1) of the calls. */
  readonly additional: { readonly target: Target; readonly weight: number } | null;
  /** null = the alias has no URL. */
  readonly http: RoutedUrl | null;
}

/** Everything that is known of one function. */
export interface Observed {
  readonly fn: FunctionView;
  /** All FunctionVersions of it, by metadata.name. */
  readonly versions: ReadonlyMap<string, VersionView>;
  readonly aliases: readonly AliasView[];
  readonly accountId: string;
  /** Undefined = the install's own. */
  readonly region?: string | undefined;
}

/** What routing needs beside the objects. */
export interface RoutingOptions {
  /** The install's own. */
  readonly region: string;
  /** @param region default: the install's own */
  readonly arnOf: (accountId: string, functionName: string, region?: string) => string;
  readonly environmentOf: (namespace: string, version: VersionView) => Target['environment'];
  /** How a function of an account gets credentials of its role; undefined = it has none. Absent = no function gets any. */
  readonly roleOf?: (accountId: string, functionArn: string, version: VersionView) => TargetRole | undefined;
}

/**
 * What the gateway routes to, from what was observed. Pure. A target of `previous` that says the same is taken over,
 * so that its cached
 * environment lives on. While the version that `$LATEST` should be has not arrived, the previous one goes on, as long
 * as it exists.
 */
export function routeFunction(
  observed: Observed,
  previous: RoutedFunction | null,
  options: RoutingOptions,
): RoutedFunction {
  const { fn, accountId } = observed;
  const known = knownTargets(previous);
  const holders = [...holdersOf(observed.aliases)];
  const seen = { ...observed, aliases: holders };
  const targetOf = (version: VersionView): Target => makeTarget(version, seen, known, options);
  const wanted = fn.latestVersion === null ? undefined : observed.versions.get(fn.latestVersion);
  const latest = wanted ?? previousLatest(observed, previous);
  const versions = new Map<string, Target>();
  for (const version of observed.versions.values()) {
    if (version.version !== LATEST) versions.set(version.version, targetOf(version));
  }
  const latestTarget = latest === undefined ? null : targetOf(latest);
  const policy = policyOf(fn, holders);
  const urlOf = ({ alias, http }: Pick<AliasView, 'http'> & { readonly alias: string | null }): RoutedUrl | null =>
    http === null ? null : routeUrl(http, { namespace: fn.namespace, name: fn.name, alias }, policy);
  const aliases = routeAliases(
    holders,
    (version) => (version === LATEST ? latestTarget : (versions.get(version) ?? null)),
    urlOf,
  );
  const arn = options.arnOf(accountId, fn.functionName, observed.region);
  return Object.freeze({
    namespace: fn.namespace,
    name: fn.name,
    functionName: fn.functionName,
    accountId,
    region: observed.region,
    arn,
    http: urlOf({ alias: null, http: fn.http }),
    policy,
    loops: loopGuard({ arn, namespace: fn.namespace, name: fn.name, mayLoop: fn.mayLoop }),
    isPending: isPending(fn, wanted !== undefined, latestTarget !== null),
    state: fn.state,
    stateReason: fn.stateReason,
    latest: latestTarget,
    versions: versions.size === 0 ? null : versions,
    aliases: aliases.size === 0 ? null : aliases,
  });
}

/** The name of the version that changes. */
export const LATEST = '$LATEST';

/** Every target of the function, each once. */
export function targetsOf(fn: RoutedFunction): readonly Target[] {
  const published = fn.versions === null ? [] : [...fn.versions.values()];
  return fn.latest === null ? published : [fn.latest, ...published];
}

function isPending(fn: FunctionView, hasArrived: boolean, canRun: boolean): boolean {
  if (fn.generation > fn.observedGeneration) return true;
  return fn.latestVersion === null ? !canRun && fn.state === 'Pending' : !hasArrived;
}

function imageOf({ process, workingDirectory }: NonNullable<VersionView['image']>): NonNullable<Target['image']> {
  return { process, ...(workingDirectory !== undefined && { workingDirectory }) };
}

function knownTargets(previous: RoutedFunction | null): ReadonlyMap<string, Target> {
  return new Map(previous === null ? [] : targetsOf(previous).map((target) => [target.versionUid, target]));
}

function previousLatest({ versions }: Observed, previous: RoutedFunction | null): VersionView | undefined {
  return previous?.latest ? versions.get(previous.latest.versionName) : undefined;
}

/** What is stored, and what the owner grants by `auth: None` of the function or an alias. */
function policyOf({ permissions, http }: FunctionView, aliases: readonly AliasView[]): ResourcePolicy {
  const owners = [{ qualifier: '', http }, ...aliases.map((alias) => ({ qualifier: alias.alias, http: alias.http }))];
  const open = owners.filter((owner) => owner.http?.auth === 'None');
  return compilePolicy([...permissions, ...open.flatMap(({ qualifier }) => ownerGrants(qualifier))]);
}

function routeAliases(
  aliases: readonly AliasView[],
  targetOf: (version: string) => Target | null,
  urlOf: (alias: AliasView) => RoutedUrl | null,
): ReadonlyMap<string, RoutedAlias> {
  const routed = new Map<string, RoutedAlias>();
  for (const alias of aliases) {
    const target = targetOf(alias.version);
    if (target === null) continue;
    const second = alias.additional === null ? null : targetOf(alias.additional.version);
    const additional =
      second === null || alias.additional === null ? null : { target: second, weight: alias.additional.weight };
    routed.set(alias.alias, { target, additional, http: urlOf(alias) });
  }
  return routed;
}

/**
 * The aliases by which calls are routed, one for each name. Of two objects with one name the older has it, then the first by name: the same on
 * every gateway, whatever came first.
 */
export function holdersOf(aliases: readonly AliasView[]): Iterable<AliasView> {
  const holders = new Map<string, AliasView>();
  for (const alias of aliases) {
    const holder = holders.get(alias.alias);
    if (holder === undefined || isOlder(alias, holder)) holders.set(alias.alias, alias);
  }
  return holders.values();
}

function isOlder(one: AliasView, other: AliasView): boolean {
  return one.createdMs === other.createdMs ? one.name < other.name : one.createdMs < other.createdMs;
}

function makeTarget(
  version: VersionView,
  { fn, accountId, aliases, region: otherRegion }: Observed,
  known: ReadonlyMap<string, Target>,
  options: RoutingOptions,
): Target {
  const region = otherRegion ?? options.region;
  const provisionedConcurrency = provisionedOf(version, fn, aliases);
  const old = known.get(version.uid);
  const isSame =
    old?.accountId === accountId &&
    old.region === region &&
    old.reservedConcurrency === fn.reserved &&
    old.limitQueue?.maxWaitMs === fn.limitQueue?.maxWaitMs &&
    old.limitQueue?.maxCount === fn.limitQueue?.maxCount &&
    old.provisionedConcurrency === provisionedConcurrency;
  if (isSame) return old;
  const arn = options.arnOf(accountId, fn.functionName, region);
  const role =
    old?.accountId === accountId && old.region === region ? old.role : options.roleOf?.(accountId, arn, version);
  return Object.freeze({
    ...(role !== undefined && { role }),
    ...(fn.limitQueue !== null && { limitQueue: fn.limitQueue }),
    versionUid: version.uid,
    versionName: version.name,
    namespace: fn.namespace,
    accountId,
    functionObjectName: fn.name,
    functionName: fn.functionName,
    version: version.version,
    pool: version.image?.pool ?? version.runtime,
    runtime: version.runtime,
    handler: version.handler,
    memoryMiB: version.memoryMiB,
    timeoutMs: version.timeoutSeconds * 1000,
    perInstance: version.perInstance,
    reservedConcurrency: fn.reserved,
    provisionedConcurrency,
    idleTimeoutMs: version.idleTimeoutSeconds * 1000,
    codeSha256: version.codeSha256,
    codeBytes: version.codeBytes,
    layers: version.layers,
    ...(version.image !== undefined && { image: imageOf(version.image) }),
    logFormat: version.logFormat,
    ...(version.applicationLogLevel !== undefined && { applicationLogLevel: version.applicationLogLevel }),
    ...(version.systemLogLevel !== undefined && { systemLogLevel: version.systemLogLevel }),
    ...(version.idle !== undefined && { idle: version.idle }),
    region,
    environment: old?.environment ?? options.environmentOf(fn.namespace, version),
  });
}
