import type { FunctionObject, FunctionPermission } from '@kappa/crds/function';

import { ownerGrants } from '../../auth/resource-policy.ts';
import { InvalidParameterValue, ResourceNotFound } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import { findAlias } from '../aliases/find.ts';
import type { ApiDeps, CallOfFunction, NamedFunction } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { changeSpec } from '../functions/change.ts';
import { functionNotFound, requireFunction } from '../functions/find.ts';
import { isNumber } from '../functions/resolve.ts';
import { revisionIdOf } from '../revision.ts';
import { findVersion } from '../versions/find.ts';
import { policyDocument } from './document.ts';

/** Of one policy's JSON, bytes. */
const MAX_POLICY_BYTES = 20_480;

/** The policy of a function, a version or an alias. */
export interface Policy {
  readonly fn: FunctionObject;
  /** What `spec.permissions` has of it. */
  readonly stored: readonly FunctionPermission[];
  /** What its owner grants by a manifest's `auth: None`; it counts, and cannot be changed here. */
  readonly owner: readonly FunctionPermission[];
  /** ARN that its statements are about. */
  readonly resource: string;
}

/** @throws ResourceNotFound, InvalidParameterValue for `$LATEST` */
export async function readPolicy(call: CallOfFunction, deps: ApiDeps): Promise<Policy> {
  if (call.fn.qualifier === LATEST)
    throw new InvalidParameterValue('We currently do not support adding policies for $LATEST.');
  const fn = await requireFunction(call, deps);
  const owner = (await isOpened(fn, call.fn, deps)) ? ownerGrants(qualifierOf(call.fn)) : [];
  return policyIn(fn, owner, call.fn);
}

/**
 * Changes the stored statements of a call's qualifier.
 *
 * @param revisionId that of the function must be it; undefined = any
 * @param edit may be called several times; what it throws ends the change
 * @throws PreconditionFailed, PolicyLengthExceeded, and what {@link readPolicy} throws
 */
export async function changePolicy(
  call: CallOfFunction,
  revisionId: string | undefined,
  deps: ApiDeps,
  edit: (policy: Policy) => readonly FunctionPermission[],
): Promise<Policy> {
  const { owner, resource } = await readPolicy(call, deps);
  const qualifier = qualifierOf(call.fn);
  const changed = await changeSpec(call, deps, ({ permissions = [], ...spec }, fn) => {
    requirePolicyRevision(revisionId, fn);
    const edited = edit(policyIn(fn, owner, call.fn));
    requireSize(policyDocument([...edited, ...owner], resource));
    const all = [...permissions.filter((other) => other.qualifier !== qualifier), ...edited];
    return { ...spec, ...(all.length > 0 && { permissions: all }) };
  });
  return policyIn(changed, owner, call.fn);
}

/** RevisionId of a policy: that of its function. */
export function policyRevisionOf({ fn }: Policy): string {
  return revisionIdOf(fn.metadata);
}

/** @throws ResourceNotFound when there is no policy */
export function requirePolicy(policy: Policy, message: string): readonly FunctionPermission[] {
  const all = [...policy.stored, ...policy.owner];
  if (all.length === 0) throw new ResourceNotFound(message);
  return all;
}

/** A statement that the manifest makes cannot be taken away here. */
export function ownersOwn(sid: string): InvalidParameterValue {
  return new InvalidParameterValue(
    `Statement ${sid} is what auth: None in the manifest grants: it goes when spec.http says AwsIam or Policy.`,
  );
}

function policyIn(fn: FunctionObject, owner: readonly FunctionPermission[], named: NamedFunction): Policy {
  const qualifier = qualifierOf(named);
  const stored = (fn.spec.permissions ?? []).filter((permission) => permission.qualifier === qualifier);
  return { fn, stored, owner, resource: qualifier === '' ? named.arn : `${named.arn}:${qualifier}` };
}

/** Whether a manifest's `auth: None` opens the URL of what the call names. @throws ResourceNotFound when that is not there */
async function isOpened(fn: FunctionObject, named: NamedFunction, deps: ApiDeps): Promise<boolean> {
  const { qualifier, arn } = named;
  if (qualifier === null) return fn.spec.http?.auth === 'None';
  if (isNumber(qualifier)) {
    if ((await findVersion(fn, qualifier, deps)) === null) throw functionNotFound(named);
    return false;
  }
  const alias = await findAlias(fn, qualifier, deps);
  if (alias === null) throw new ResourceNotFound(`Cannot find alias arn: ${arn}:${qualifier}`);
  return alias.spec.http?.auth === 'None';
}

function qualifierOf({ qualifier }: NamedFunction): string {
  return qualifier ?? '';
}

function requirePolicyRevision(given: string | undefined, { metadata }: FunctionObject): void {
  if (given === undefined || given === revisionIdOf(metadata)) return;
  throw lambdaException(
    'PreconditionFailedException',
    'The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest RevisionId',
  );
}

function requireSize(document: string): void {
  const bytes = Buffer.byteLength(document);
  if (bytes <= MAX_POLICY_BYTES) return;
  throw lambdaException(
    'PolicyLengthExceededException',
    `The final policy size (${bytes}) is bigger than the limit (${MAX_POLICY_BYTES}).`,
  );
}
