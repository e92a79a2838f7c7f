import type {
  DeleteProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigRequest,
  GetProvisionedConcurrencyConfigResponse,
  ListProvisionedConcurrencyConfigsRequest,
  ListProvisionedConcurrencyConfigsResponse,
  PutProvisionedConcurrencyConfigRequest,
} from '@aws-sdk/client-lambda';
import type { FunctionConcurrencyProvisionedByQualifierEntry, FunctionObject } from '@kappa/crds/function';

import { InvalidParameterValue } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import { findAlias } from '../aliases/find.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { byQualifier, changeSpec, entryOf, withEntry, withoutEntry } from '../functions/change.ts';
import { keyOf, requireFunction } from '../functions/find.ts';
import { type Meant, requireMeant } from '../functions/resolve.ts';
import { pageOf } from '../paging.ts';
import { findVersion } from '../versions/find.ts';
import { requireNoOverlap } from './overlap.ts';
import { provisionedState } from './provisioned-state.ts';
import { requireProvisionedRoom } from './room.ts';

type Entry = FunctionConcurrencyProvisionedByQualifierEntry;
/** One configuration as it is answered. */
type Config = Omit<GetProvisionedConcurrencyConfigResponse, '$metadata'>;

/** PutProvisionedConcurrencyConfig: the pods are claimed and initialised afterwards. */
export async function putProvisionedConcurrency(
  call: OperationCall<PutProvisionedConcurrencyConfigRequest>,
  deps: ApiDeps,
): Promise<Config> {
  const { ProvisionedConcurrentExecutions: executions = 0 } = call.input;
  const qualifier = qualifierOf(
    call,
    'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  );
  const meant = await requireMeant(call, deps);
  requirePublished(meant);
  await requireOneAtATime(meant, deps);
  const entry = { qualifier, executions, lastModified: new Date(deps.now()).toISOString() };
  const changed = await changeSpec(call, deps, async (spec, fn) => {
    await requireNoOverlap(entry, fn, deps);
    const concurrency = {
      ...spec.concurrency,
      provisionedByQualifier: withEntry(spec.concurrency.provisionedByQualifier, entry),
    };
    requireProvisionedRoom({ ...fn, spec: { ...spec, concurrency } }, call.accountId, deps);
    return { ...spec, concurrency };
  });
  return configOf(entry, changed, deps);
}

/** GetProvisionedConcurrencyConfig. */
export async function getProvisionedConcurrency(
  call: OperationCall<GetProvisionedConcurrencyConfigRequest>,
  deps: ApiDeps,
): Promise<Config> {
  const qualifier = qualifierOf(call, NOT_PUBLISHED);
  const { fn } = await requireMeant(call, deps);
  const entry = entryOf(fn.spec.concurrency.provisionedByQualifier, qualifier);
  if (entry === undefined)
    throw lambdaException(
      'ProvisionedConcurrencyConfigNotFoundException',
      'No Provisioned Concurrency Config found for this function',
    );
  return configOf(entry, fn, deps);
}

/** DeleteProvisionedConcurrencyConfig; one that is not there is fine, as in Lambda. */
export async function deleteProvisionedConcurrency(
  call: OperationCall<DeleteProvisionedConcurrencyConfigRequest>,
  deps: ApiDeps,
): Promise<object> {
  const qualifier = qualifierOf(call, NOT_PUBLISHED);
  await changeSpec(call, deps, (spec) => {
    const { provisionedByQualifier, ...rest } = spec.concurrency;
    if (entryOf(provisionedByQualifier, qualifier) === undefined) return spec;
    const left = withoutEntry(provisionedByQualifier, qualifier);
    return { ...spec, concurrency: { ...rest, ...(left !== undefined && { provisionedByQualifier: left }) } };
  });
  return {};
}

/** ListProvisionedConcurrencyConfigs: versions by number, then aliases by name. */
export async function listProvisionedConcurrency(
  call: OperationCall<ListProvisionedConcurrencyConfigsRequest>,
  deps: ApiDeps,
): Promise<ListProvisionedConcurrencyConfigsResponse> {
  const fn = await requireFunction(call, deps);
  const sorted = (fn.spec.concurrency.provisionedByQualifier ?? []).toSorted((a, b) =>
    byQualifier(a.qualifier, b.qualifier),
  );
  const { entries, ...next } = pageOf(sorted, call.input, ({ qualifier }) => qualifier, byQualifier);
  const configs = entries.map((entry) => ({
    FunctionArn: `${call.fn.arn}:${entry.qualifier}`,
    ...configOf(entry, fn, deps),
  }));
  return { ProvisionedConcurrencyConfigs: configs, ...next };
}

const NOT_PUBLISHED = 'The function resource provided must be an alias or a published version.';

/** @param refusal of `$LATEST` */
function qualifierOf({ fn }: OperationCall<unknown>, refusal: string): string {
  if (fn.qualifier === null || fn.qualifier === LATEST) throw new InvalidParameterValue(refusal);
  return fn.qualifier;
}

function requirePublished({ version }: Meant): void {
  if (version !== null) return;
  throw new InvalidParameterValue(
    'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
  );
}

/** The Function says that of itself only: of what is published counts what it was then. */
async function requireOneAtATime({ fn, version, aliasName }: Meant, deps: ApiDeps): Promise<void> {
  const alias = aliasName === null ? null : await findAlias(fn, aliasName, deps);
  const second = alias?.spec.additionalVersion?.functionVersion;
  for (const each of [version, second === undefined ? null : await findVersion(fn, second, deps)]) {
    const { version: number, perInstance } = each?.spec ?? { version: '', perInstance: 1 };
    if (perInstance > 1)
      throw new InvalidParameterValue(
        `Provisioned concurrency is for functions that take one invocation at a time in each environment: version ${number} takes ${perInstance} (perInstance). Publish one that takes one.`,
      );
  }
}

function configOf(entry: Entry, fn: FunctionObject, { directory }: ApiDeps): Config {
  const entries = withEntry(fn.spec.concurrency.provisionedByQualifier, entry);
  const { allocated, available, status, reason } = provisionedState(
    entry.qualifier,
    entries,
    keyOf(fn.metadata),
    directory,
  );
  return {
    RequestedProvisionedConcurrentExecutions: entry.executions,
    AllocatedProvisionedConcurrentExecutions: allocated,
    AvailableProvisionedConcurrentExecutions: available,
    Status: status,
    ...(reason !== null && { StatusReason: reason }),
    LastModified: instantText(entry.lastModified ?? new Date(fn.metadata.creationTimestampMs ?? 0).toISOString()),
  };
}

/** Lambda writes `2026-11-22T02:16:16+0000` here. */
function instantText(iso: string): string {
  return iso.replace(/(\.\d+)?Z$/, '+0000');
}
