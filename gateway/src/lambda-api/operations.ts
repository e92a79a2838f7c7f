import { getAccountSettings } from './account/settings.ts';
import { createAlias, deleteAlias, getAlias, listAliases, updateAlias } from './aliases/aliases.ts';
import type { ApiDeps, Handler, OperationCall } from './call.ts';
import {
  deleteFunctionCodeSigningConfig,
  getFunctionCodeSigningConfig,
  listCodeSigningConfigs,
  putFunctionCodeSigningConfig,
  refuseUnknownConfig,
} from './code-signing/code-signing.ts';
import {
  deleteProvisionedConcurrency,
  getProvisionedConcurrency,
  listProvisionedConcurrency,
  putProvisionedConcurrency,
} from './concurrency/provisioned.ts';
import { deleteFunctionConcurrency, getFunctionConcurrency, putFunctionConcurrency } from './concurrency/reserved.ts';
import {
  deleteEventInvokeConfig,
  getEventInvokeConfig,
  listEventInvokeConfigs,
  putEventInvokeConfig,
  updateEventInvokeConfig,
} from './event-invoke/configs.ts';
import {
  createMapping,
  deleteMapping,
  getMapping,
  listMappings,
  updateMapping,
} from './event-source-mappings/mappings.ts';
import { createFunction } from './functions/create.ts';
import { deleteFunction } from './functions/delete.ts';
import { getFunction, getFunctionConfiguration } from './functions/get.ts';
import { listFunctions } from './functions/list.ts';
import { updateFunctionCode, updateFunctionConfiguration } from './functions/update.ts';
import { invokeAsync } from './invoke-async.ts';
import {
  deleteLayerVersion,
  getLayerVersion,
  getLayerVersionByArn,
  listLayers,
  listLayerVersions,
  publishLayerVersion,
} from './layers/layers.ts';
import {
  addLayerVersionPermission,
  getLayerVersionPolicy,
  removeLayerVersionPermission,
} from './layers/permissions.ts';
import type { OperationName } from './model/model.ts';
import { deleteResourcePolicy, getResourcePolicy, putResourcePolicy } from './permissions/documents.ts';
import { addPermission, getPolicy, removePermission } from './permissions/permissions.ts';
import { getRecursionConfig, putRecursionConfig } from './recursion/recursion.ts';
import { getRuntimeManagementConfig, putRuntimeManagementConfig } from './runtime-management/configs.ts';
import { listTags, tagResource, untagResource } from './tags/tags.ts';
import {
  createFunctionUrlConfig,
  deleteFunctionUrlConfig,
  getFunctionUrlConfig,
  listFunctionUrlConfigs,
  updateFunctionUrlConfig,
} from './urls/urls.ts';
import { listVersions, publish } from './versions/versions.ts';

/** What becomes of an operation. */
export type OperationEntry =
  | {
      /** `stored`: what it sets is kept and answered, without effect. */
      readonly status: 'supported' | 'stored';
      /** The action, after `lambda:`, that the caller needs. */
      readonly action: string;
      readonly handler: (call: OperationCall<unknown>, deps: ApiDeps) => Promise<object>;
    }
  | {
      readonly status: 'unsupported';
      /** Why, as callers are told. */
      readonly reason: string;
    };

const reasons = {
  durable: 'durable functions are not available in this install',
  capacityProviders: 'capacity providers are not available in this install: functions run in pools of the cluster',
  codeSigning: 'code signing is not available in this install',
  scaling: 'bounds on the number of environments are not available in this install',
};

/** Every operation of the service model has a row. */
export const operations: Readonly<Record<OperationName, OperationEntry>> = {
  AddLayerVersionPermission: supported('AddLayerVersionPermission', addLayerVersionPermission),
  AddPermission: supported('AddPermission', addPermission),
  CheckpointDurableExecution: unsupported(reasons.durable),
  CreateAlias: supported('CreateAlias', createAlias),
  CreateCapacityProvider: unsupported(reasons.capacityProviders),
  CreateCodeSigningConfig: unsupported(reasons.codeSigning),
  CreateEventSourceMapping: supported('CreateEventSourceMapping', createMapping),
  CreateFunction: supported('CreateFunction', createFunction),
  CreateFunctionUrlConfig: supported('CreateFunctionUrlConfig', createFunctionUrlConfig),
  DeleteAlias: supported('DeleteAlias', deleteAlias),
  DeleteCapacityProvider: unsupported(reasons.capacityProviders),
  DeleteCodeSigningConfig: supported('DeleteCodeSigningConfig', refuseUnknownConfig),
  DeleteDurableExecution: unsupported(reasons.durable),
  DeleteEventSourceMapping: supported('DeleteEventSourceMapping', deleteMapping),
  DeleteFunction: supported('DeleteFunction', deleteFunction),
  DeleteFunctionCodeSigningConfig: supported('DeleteFunctionCodeSigningConfig', deleteFunctionCodeSigningConfig),
  DeleteFunctionConcurrency: supported('DeleteFunctionConcurrency', deleteFunctionConcurrency),
  DeleteFunctionEventInvokeConfig: supported('DeleteFunctionEventInvokeConfig', deleteEventInvokeConfig),
  DeleteFunctionUrlConfig: supported('DeleteFunctionUrlConfig', deleteFunctionUrlConfig),
  DeleteLayerVersion: supported('DeleteLayerVersion', deleteLayerVersion),
  DeleteProvisionedConcurrencyConfig: supported('DeleteProvisionedConcurrencyConfig', deleteProvisionedConcurrency),
  DeleteResourcePolicy: supported('DeleteResourcePolicy', deleteResourcePolicy),
  GetAccountSettings: supported('GetAccountSettings', getAccountSettings),
  GetAlias: supported('GetAlias', getAlias),
  GetCapacityProvider: unsupported(reasons.capacityProviders),
  GetCodeSigningConfig: supported('GetCodeSigningConfig', refuseUnknownConfig),
  GetDurableExecution: unsupported(reasons.durable),
  GetDurableExecutionHistory: unsupported(reasons.durable),
  GetDurableExecutionState: unsupported(reasons.durable),
  GetEventSourceMapping: supported('GetEventSourceMapping', getMapping),
  GetFunction: supported('GetFunction', getFunction),
  GetFunctionCodeSigningConfig: supported('GetFunctionCodeSigningConfig', getFunctionCodeSigningConfig),
  GetFunctionConcurrency: supported('GetFunctionConcurrency', getFunctionConcurrency),
  GetFunctionConfiguration: supported('GetFunctionConfiguration', getFunctionConfiguration),
  GetFunctionEventInvokeConfig: supported('GetFunctionEventInvokeConfig', getEventInvokeConfig),
  GetFunctionRecursionConfig: supported('GetFunctionRecursionConfig', getRecursionConfig),
  GetFunctionScalingConfig: unsupported(reasons.scaling),
  GetFunctionUrlConfig: supported('GetFunctionUrlConfig', getFunctionUrlConfig),
  GetLayerVersion: supported('GetLayerVersion', getLayerVersion),
  GetLayerVersionByArn: supported('GetLayerVersion', getLayerVersionByArn),
  GetLayerVersionPolicy: supported('GetLayerVersionPolicy', getLayerVersionPolicy),
  GetPolicy: supported('GetPolicy', getPolicy),
  GetProvisionedConcurrencyConfig: supported('GetProvisionedConcurrencyConfig', getProvisionedConcurrency),
  GetResourcePolicy: supported('GetResourcePolicy', getResourcePolicy),
  GetRuntimeManagementConfig: stored('GetRuntimeManagementConfig', getRuntimeManagementConfig),
  Invoke: { status: 'supported', action: 'InvokeFunction', handler: servedElsewhere },
  InvokeAsync: supported('InvokeAsync', invokeAsync),
  InvokeWithResponseStream: { status: 'supported', action: 'InvokeFunction', handler: servedElsewhere },
  ListAliases: supported('ListAliases', listAliases),
  ListCapacityProviders: unsupported(reasons.capacityProviders),
  ListCodeSigningConfigs: supported('ListCodeSigningConfigs', listCodeSigningConfigs),
  ListDurableExecutionsByFunction: unsupported(reasons.durable),
  ListEventSourceMappings: supported('ListEventSourceMappings', listMappings),
  ListFunctionEventInvokeConfigs: supported('ListFunctionEventInvokeConfigs', listEventInvokeConfigs),
  ListFunctionUrlConfigs: supported('ListFunctionUrlConfigs', listFunctionUrlConfigs),
  ListFunctionVersionsByCapacityProvider: unsupported(reasons.capacityProviders),
  ListFunctions: supported('ListFunctions', listFunctions),
  ListFunctionsByCodeSigningConfig: supported('ListFunctionsByCodeSigningConfig', refuseUnknownConfig),
  ListLayerVersions: supported('ListLayerVersions', listLayerVersions),
  ListLayers: supported('ListLayers', listLayers),
  ListProvisionedConcurrencyConfigs: supported('ListProvisionedConcurrencyConfigs', listProvisionedConcurrency),
  ListTags: supported('ListTags', listTags),
  ListVersionsByFunction: supported('ListVersionsByFunction', listVersions),
  PauseDurableExecution: unsupported(reasons.durable),
  PublishLayerVersion: supported('PublishLayerVersion', publishLayerVersion),
  PublishVersion: supported('PublishVersion', publish),
  PutFunctionCodeSigningConfig: supported('PutFunctionCodeSigningConfig', putFunctionCodeSigningConfig),
  PutFunctionConcurrency: supported('PutFunctionConcurrency', putFunctionConcurrency),
  PutFunctionEventInvokeConfig: supported('PutFunctionEventInvokeConfig', putEventInvokeConfig),
  PutFunctionRecursionConfig: supported('PutFunctionRecursionConfig', putRecursionConfig),
  PutFunctionScalingConfig: unsupported(reasons.scaling),
  PutProvisionedConcurrencyConfig: supported('PutProvisionedConcurrencyConfig', putProvisionedConcurrency),
  PutResourcePolicy: supported('PutResourcePolicy', putResourcePolicy),
  PutRuntimeManagementConfig: stored('PutRuntimeManagementConfig', putRuntimeManagementConfig),
  RemoveLayerVersionPermission: supported('RemoveLayerVersionPermission', removeLayerVersionPermission),
  RemovePermission: supported('RemovePermission', removePermission),
  ResumeDurableExecution: unsupported(reasons.durable),
  SendDurableExecutionCallbackFailure: unsupported(reasons.durable),
  SendDurableExecutionCallbackHeartbeat: unsupported(reasons.durable),
  SendDurableExecutionCallbackSuccess: unsupported(reasons.durable),
  StopDurableExecution: unsupported(reasons.durable),
  TagResource: supported('TagResource', tagResource),
  UntagResource: supported('UntagResource', untagResource),
  UpdateAlias: supported('UpdateAlias', updateAlias),
  UpdateCapacityProvider: unsupported(reasons.capacityProviders),
  UpdateCodeSigningConfig: supported('UpdateCodeSigningConfig', refuseUnknownConfig),
  UpdateEventSourceMapping: supported('UpdateEventSourceMapping', updateMapping),
  UpdateFunctionCode: supported('UpdateFunctionCode', updateFunctionCode),
  UpdateFunctionConfiguration: supported('UpdateFunctionConfiguration', updateFunctionConfiguration),
  UpdateFunctionEventInvokeConfig: supported('UpdateFunctionEventInvokeConfig', updateEventInvokeConfig),
  UpdateFunctionUrlConfig: supported('UpdateFunctionUrlConfig', updateFunctionUrlConfig),
};

type ServedEntry = Exclude<OperationEntry, { status: 'unsupported' }>;

/** Answers with effect. */
function supported<Input>(action: string, handler: Handler<Input, object>): ServedEntry {
  // The input was made and checked by the model that the SDK's types are made from.
  return { status: 'supported', action, handler: (call, deps) => handler(call as OperationCall<Input>, deps) };
}

/** Kept and answered; what is kept has no effect. */
function stored<Input>(action: string, handler: Handler<Input, object>): OperationEntry {
  return { ...supported(action, handler), status: 'stored' };
}

function unsupported(reason: string): OperationEntry {
  return { status: 'unsupported', reason };
}

/** What runs functions has a way of its own through the server: see http/route.ts. */
function servedElsewhere(): Promise<object> {
  throw new Error('Invoke came to the control API');
}
