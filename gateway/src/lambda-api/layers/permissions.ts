import type {
  AddLayerVersionPermissionRequest,
  AddLayerVersionPermissionResponse,
  GetLayerVersionPolicyRequest,
  GetLayerVersionPolicyResponse,
  RemoveLayerVersionPermissionRequest,
} from '@aws-sdk/client-lambda';
import { layers } from '@kappa/crds/client/kinds';
import type { LayerObject, LayerPermission } from '@kappa/crds/layer';

import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { revisionIdOf } from '../revision.ts';
import { findLayerVersion, requireLayerVersion } from './find.ts';
import { type LayerVersionInput, type LayerVersionReference, readLayerVersion, requireOwn } from './reference.ts';

/** The whole policy as JSON text, bytes; Lambda's. */
const POLICY_MAX_BYTES = 20_480;
/** The definition's own. */
const MAX_PERMISSIONS = 50;

/** AddLayerVersionPermission: another account, or all, may use the version. */
export async function addLayerVersionPermission(
  call: OperationCall<AddLayerVersionPermissionRequest>,
  deps: ApiDeps,
): Promise<AddLayerVersionPermissionResponse> {
  const added = permissionOf(call.input);
  const { layer, reference } = await change(call, deps, 'AddLayerVersionPermission', (permissions) => {
    if (permissions.some(({ sid }) => sid === added.sid))
      throw lambdaException(
        'ResourceConflictException',
        `The statement id (${added.sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
      );
    return [...permissions, added];
  });
  return { Statement: JSON.stringify(statementOf(added, reference)), RevisionId: revisionIdOf(layer.metadata) };
}

/** RemoveLayerVersionPermission. Functions that use the version already go on to do so. */
export async function removeLayerVersionPermission(
  call: OperationCall<RemoveLayerVersionPermissionRequest>,
  deps: ApiDeps,
): Promise<object> {
  const { StatementId } = call.input;
  await change(call, deps, 'RemoveLayerVersionPermission', (permissions) => {
    const left = permissions.filter(({ sid }) => sid !== StatementId);
    if (left.length === permissions.length)
      throw new ResourceNotFound(`Statement ${StatementId} is not found in resource policy.`);
    return left;
  });
  return {};
}

/** GetLayerVersionPolicy. */
export async function getLayerVersionPolicy(
  call: OperationCall<GetLayerVersionPolicyRequest>,
  deps: ApiDeps,
): Promise<GetLayerVersionPolicyResponse> {
  const reference = readLayerVersion(call.input, call, deps.region);
  requireOwn(call, reference, 'GetLayerVersionPolicy');
  const { metadata, spec } = await requireLayerVersion(reference, call, deps);
  if (spec.permissions.length === 0) throw new ResourceNotFound('No policy is associated with the given resource.');
  return { Policy: policyOf(spec.permissions, reference), RevisionId: revisionIdOf(metadata) };
}

function permissionOf(input: AddLayerVersionPermissionRequest): LayerPermission {
  const { StatementId: sid = '', Principal = '', OrganizationId: organizationId } = input;
  if (organizationId !== undefined && Principal !== '*')
    throw new InvalidParameterValue('The principal must be * when an OrganizationId is given.');
  const principal = /^arn:.*::(\d{12}):root$/.exec(Principal)?.[1] ?? Principal;
  return { sid, principal, ...(organizationId !== undefined && { organizationId }) };
}

type Permissions = readonly LayerPermission[];

async function change(
  call: OperationCall<LayerVersionInput & { readonly RevisionId?: string | undefined }>,
  deps: ApiDeps,
  action: string,
  edit: (permissions: Permissions) => Permissions,
): Promise<{ readonly layer: LayerObject; readonly reference: LayerVersionReference }> {
  const reference = readLayerVersion(call.input, call, deps.region);
  requireOwn(call, reference, action);
  const found = await findLayerVersion(reference, call, deps);
  const changed =
    found === null
      ? null
      : await deps.objects.change(layers, found.metadata, (layer) => {
          requirePolicyRevision(call.input.RevisionId, layer);
          const permissions = edit(layer.spec.permissions);
          requireRoom(permissions, reference);
          return { ...layer, spec: { ...layer.spec, permissions } };
        });
  if (changed === null) throw new ResourceNotFound(`Layer version ${reference.arn} does not exist.`);
  return { layer: changed, reference };
}

function requirePolicyRevision(given: string | undefined, { metadata }: LayerObject): void {
  if (given === undefined || given === revisionIdOf(metadata)) return;
  throw lambdaException(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id',
  );
}

function requireRoom(permissions: Permissions, reference: LayerVersionReference): void {
  const bytes = Buffer.byteLength(policyOf(permissions, reference));
  if (bytes > POLICY_MAX_BYTES || permissions.length > MAX_PERMISSIONS)
    throw lambdaException(
      'PolicyLengthExceededException',
      `The final policy size (${bytes} bytes, ${permissions.length} statements) is bigger than the limit (${POLICY_MAX_BYTES} bytes, ${MAX_PERMISSIONS} statements).`,
    );
}

function policyOf(permissions: Permissions, reference: LayerVersionReference): string {
  const Statement = permissions.map((permission) => statementOf(permission, reference));
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement });
}

function statementOf({ sid, principal, organizationId }: LayerPermission, { arn }: LayerVersionReference): object {
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: principal === '*' ? '*' : { AWS: `arn:aws:iam::${principal}:root` },
    Action: 'lambda:GetLayerVersion',
    Resource: arn,
    ...(organizationId !== undefined && { Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } } }),
  };
}
