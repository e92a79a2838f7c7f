import type {
  AddPermissionRequest,
  AddPermissionResponse,
  GetPolicyRequest,
  GetPolicyResponse,
  RemovePermissionRequest,
} from '@aws-sdk/client-lambda';
import type { FunctionPermission } from '@kappa/crds/function';

import { reservedSidPrefix } from '../../auth/resource-policy.ts';
import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { policyDocument, statementOf } from './document.ts';
import { checked } from './parse-document.ts';
import { changePolicy, ownersOwn, policyRevisionOf, readPolicy, requirePolicy } from './store.ts';

/** AddPermission. */
export async function addPermission(
  call: OperationCall<AddPermissionRequest>,
  deps: ApiDeps,
): Promise<AddPermissionResponse> {
  const added = permissionOf(call);
  const { resource } = await changePolicy(call, call.input.RevisionId, deps, ({ stored }) => {
    if (stored.some(({ sid }) => sid === added.sid)) throw alreadyThere(added.sid);
    return [...stored, added];
  });
  return { Statement: JSON.stringify(statementOf(added, resource)) };
}

/** RemovePermission. */
export async function removePermission(call: OperationCall<RemovePermissionRequest>, deps: ApiDeps): Promise<object> {
  const { StatementId = '', RevisionId } = call.input;
  await changePolicy(call, RevisionId, deps, (policy) => {
    requirePolicy(policy, 'No policy is associated with the given resource.');
    if (policy.owner.some(({ sid }) => sid === StatementId)) throw ownersOwn(StatementId);
    const rest = policy.stored.filter(({ sid }) => sid !== StatementId);
    if (rest.length === policy.stored.length)
      throw new ResourceNotFound(`Statement ${StatementId} is not found in resource policy.`);
    return rest;
  });
  return {};
}

/** GetPolicy: what is stored, and what the owner grants by a manifest. */
export async function getPolicy(call: OperationCall<GetPolicyRequest>, deps: ApiDeps): Promise<GetPolicyResponse> {
  const policy = await readPolicy(call, deps);
  const all = requirePolicy(policy, 'The resource you requested does not exist.');
  return { Policy: policyDocument(all, policy.resource), RevisionId: policyRevisionOf(policy) };
}

function permissionOf({ input, fn }: OperationCall<AddPermissionRequest>): FunctionPermission {
  const { StatementId: sid = '', Action: action = '', Principal: principal = '', FunctionUrlAuthType: type } = input;
  const { SourceArn, SourceAccount, PrincipalOrgID, EventSourceToken, InvokedViaFunctionUrl } = input;
  if (sid.startsWith(reservedSidPrefix))
    throw new InvalidParameterValue(`Statement ids that begin with ${reservedSidPrefix} are reserved.`);
  return checked({
    sid,
    qualifier: fn.qualifier ?? '',
    action,
    principal,
    ...(SourceArn !== undefined && { sourceArn: SourceArn }),
    ...(SourceAccount !== undefined && { sourceAccount: SourceAccount }),
    ...(PrincipalOrgID !== undefined && { principalOrgId: PrincipalOrgID }),
    ...(EventSourceToken !== undefined && { eventSourceToken: EventSourceToken }),
    ...(type !== undefined && { functionUrlAuthType: type === 'NONE' ? 'None' : 'AwsIam' }),
    ...(InvokedViaFunctionUrl !== undefined && { invokedViaFunctionUrl: InvokedViaFunctionUrl }),
  });
}

function alreadyThere(sid: string): Error {
  return lambdaException(
    'ResourceConflictException',
    `The statement id (${sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
  );
}
