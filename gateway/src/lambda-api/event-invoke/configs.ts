import type {
  DeleteFunctionEventInvokeConfigRequest,
  FunctionEventInvokeConfig,
  GetFunctionEventInvokeConfigRequest,
  ListFunctionEventInvokeConfigsRequest,
  ListFunctionEventInvokeConfigsResponse,
  PutFunctionEventInvokeConfigRequest,
  UpdateFunctionEventInvokeConfigRequest,
} from '@aws-sdk/client-lambda';
import type { FunctionEventInvokeEntry } from '@kappa/crds/function';

import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { byQualifier, changeSpec, entryOf, withEntry, withoutEntry } from '../functions/change.ts';
import { findFunction } from '../functions/find.ts';
import { requireMeant } from '../functions/resolve.ts';
import { pageOf } from '../paging.ts';
import { checkDestinations, requireFunctions } from './destinations.ts';

type WriteCall = OperationCall<PutFunctionEventInvokeConfigRequest | UpdateFunctionEventInvokeConfigRequest>;

/** PutFunctionEventInvokeConfig: takes the place of what was there. */
export async function putEventInvokeConfig(call: WriteCall, deps: ApiDeps): Promise<FunctionEventInvokeConfig> {
  return write(call, deps, () => ({ qualifier: qualifierOf(call) }));
}

/** UpdateFunctionEventInvokeConfig; what the request does not mention stays. */
export async function updateEventInvokeConfig(call: WriteCall, deps: ApiDeps): Promise<FunctionEventInvokeConfig> {
  return write(call, deps, (before) => {
    if (before === undefined) throw configNotFound(call);
    return before;
  });
}

/** GetFunctionEventInvokeConfig. */
export async function getEventInvokeConfig(
  call: OperationCall<GetFunctionEventInvokeConfigRequest>,
  deps: ApiDeps,
): Promise<FunctionEventInvokeConfig> {
  const fn = await findFunction(call, deps);
  const entry = entryOf(fn?.spec.eventInvoke, qualifierOf(call));
  if (entry === undefined) throw configNotFound(call);
  return configOf(entry, call);
}

/** DeleteFunctionEventInvokeConfig. */
export async function deleteEventInvokeConfig(
  call: OperationCall<DeleteFunctionEventInvokeConfigRequest>,
  deps: ApiDeps,
): Promise<object> {
  if ((await findFunction(call, deps)) === null) throw configNotFound(call);
  await changeSpec(call, deps, ({ eventInvoke, ...spec }) => {
    const qualifier = qualifierOf(call);
    if (entryOf(eventInvoke, qualifier) === undefined) throw configNotFound(call);
    const rest = withoutEntry(eventInvoke, qualifier);
    return { ...spec, ...(rest !== undefined && { eventInvoke: rest }) };
  });
  return {};
}

/** ListFunctionEventInvokeConfigs: `$LATEST`, versions by number, aliases by name. */
export async function listEventInvokeConfigs(
  call: OperationCall<ListFunctionEventInvokeConfigsRequest>,
  deps: ApiDeps,
): Promise<ListFunctionEventInvokeConfigsResponse> {
  const fn = await findFunction(call, deps);
  if (fn === null) throw noSuchFunction();
  const sorted = (fn.spec.eventInvoke ?? []).toSorted((a, b) => byQualifier(a.qualifier, b.qualifier));
  const { entries, ...next } = pageOf(sorted, call.input, ({ qualifier }) => qualifier, byQualifier);
  return { FunctionEventInvokeConfigs: entries.map((entry) => configOf(entry, call)), ...next };
}

async function write(
  call: WriteCall,
  deps: ApiDeps,
  begin: (before: FunctionEventInvokeEntry | undefined) => FunctionEventInvokeEntry,
): Promise<FunctionEventInvokeConfig> {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = call.input;
  if (MaximumRetryAttempts === undefined && MaximumEventAgeInSeconds === undefined && DestinationConfig === undefined)
    throw new InvalidParameterValue('You must specify at least one of error handling or destination setting.');
  checkDestinations(DestinationConfig ?? {}, call.fn.name);
  await requireFunctions(DestinationConfig ?? {}, call, deps);
  await requireMeant(call, deps).catch((err: unknown) => {
    throw err instanceof ResourceNotFound ? noSuchFunction() : err;
  });
  const lastModified = new Date(deps.now()).toISOString();
  const { spec } = await changeSpec(call, deps, ({ eventInvoke, ...rest }) => {
    const before = begin(entryOf(eventInvoke, qualifierOf(call)));
    return { ...rest, eventInvoke: withEntry(eventInvoke, { ...merged(before, call), lastModified }) };
  });
  const entry = entryOf(spec.eventInvoke, qualifierOf(call));
  return configOf(entry ?? { qualifier: qualifierOf(call) }, call);
}

/** The entry with what the request says; an empty destination is none. */
function merged(before: FunctionEventInvokeEntry, { input }: WriteCall): FunctionEventInvokeEntry {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = input;
  const { onSuccess, onFailure, ...rest } = before;
  const destinations = {
    onSuccess: DestinationConfig === undefined ? onSuccess : DestinationConfig.OnSuccess?.Destination,
    onFailure: DestinationConfig === undefined ? onFailure : DestinationConfig.OnFailure?.Destination,
  };
  return {
    ...rest,
    ...(MaximumRetryAttempts !== undefined && { maximumRetryAttempts: MaximumRetryAttempts }),
    ...(MaximumEventAgeInSeconds !== undefined && { maximumEventAgeSeconds: MaximumEventAgeInSeconds }),
    ...(destinations.onSuccess && { onSuccess: destinations.onSuccess }),
    ...(destinations.onFailure && { onFailure: destinations.onFailure }),
  };
}

function configOf(entry: FunctionEventInvokeEntry, { fn }: OperationCall<unknown>): FunctionEventInvokeConfig {
  const { qualifier, maximumRetryAttempts, maximumEventAgeSeconds, onSuccess, onFailure, lastModified } = entry;
  return {
    ...(lastModified !== undefined && { LastModified: new Date(lastModified) }),
    FunctionArn: `${fn.arn}:${qualifier}`,
    ...(maximumRetryAttempts !== undefined && { MaximumRetryAttempts: maximumRetryAttempts }),
    ...(maximumEventAgeSeconds !== undefined && { MaximumEventAgeInSeconds: maximumEventAgeSeconds }),
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    },
  };
}

function qualifierOf({ fn }: OperationCall<unknown>): string {
  return fn.qualifier ?? LATEST;
}

function configNotFound(call: OperationCall<unknown>): ResourceNotFound {
  return new ResourceNotFound(`The function ${call.fn.arn}:${qualifierOf(call)} doesn't have an EventInvokeConfig`);
}

function noSuchFunction(): ResourceNotFound {
  return new ResourceNotFound("The function doesn't exist.");
}
