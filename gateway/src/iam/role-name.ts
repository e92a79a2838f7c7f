import { createHash } from 'node:crypto';
import { isFunctionName, toLambdaName, toObjectName } from '@kappa/crds/names';

/** IAM's names of roles. */
export const roleNamePattern = /^[\w+=,.@-]{1,64}$/;
const roleArn = /^arn:aws[a-zA-Z-]*:iam::(\d{12}):role\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/;
/** Names that a ServiceAccount can have, but for those that {@link toObjectName} makes of others. */
const plainName = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const encodedName = /\.[nph][0-9a-f]{1,32}$/;

/**
 * metadata.name of the ServiceAccount that a role is: its own name where Kubernetes takes it, else as function names are mapped
 * (`My_Role` → `my-role.nd`), else, with one of `+=,@`, a digest.
 *
 * @param name as `roleNamePattern` has it
 */
export function roleObjectName(name: string): string {
  if (plainName.test(name) && !encodedName.test(name)) return name;
  if (isFunctionName(name)) return toObjectName(name);
  return `role.h${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/** The role's name of a ServiceAccount that does not say another one. */
export function roleNameOf(objectName: string): string {
  return toLambdaName(objectName) ?? objectName;
}

/** ARN of the role that a function has: what it says, or that of its ServiceAccount; undefined = it has none. */
export function roleArnOf(
  { role, serviceAccountName }: { readonly role?: string; readonly serviceAccountName?: string },
  accountId: string,
): string | undefined {
  if (role !== undefined || serviceAccountName === undefined) return role;
  return `arn:aws:iam::${accountId}:role/${roleNameOf(serviceAccountName)}`;
}

/** Account and name in the ARN of a role, whatever its path; null = it is none. */
export function parseRoleArn(arn: string): { readonly accountId: string; readonly name: string } | null {
  const [, accountId, name] = roleArn.exec(arn) ?? [];
  return accountId === undefined || name === undefined ? null : { accountId, name };
}
