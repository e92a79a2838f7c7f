import { denied } from '../auth/authorizer.ts';
import type { Principal } from '../auth/principal.ts';
import { accessDenied } from '../auth/sigv4-error.ts';
import { InvalidParameterValue } from '../errors.ts';
import { parseRoleArn } from './role-name.ts';
import type { Roles } from './roles.ts';
import { trusts } from './trust.ts';

/** Whether a caller may give a function of an account this role. @throws (rejects with) LambdaError with codes and texts of Lambda */
export type PassRole = (principal: Principal, accountId: string, roleArn: string) => Promise<void>;

const lambda = { kind: 'service', name: 'lambda.amazonaws.com' } as const;

/** As AWS asks for `iam:PassRole`; in the cluster it is `impersonate` of the ServiceAccount. */
export function passRole(roles: Roles): PassRole {
  return async (principal, accountId, roleArn) => {
    const named = parseRoleArn(roleArn);
    if (named !== null && named.accountId !== accountId) throw accessDenied('Cross-account pass role is not allowed.');
    const role = named === null ? null : await roles.find(accountId, named.name);
    const isTrusting = role !== null && (role.trustPolicy === undefined || trusts(role.trustPolicy, lambda));
    if (!isTrusting) throw new InvalidParameterValue('The role defined for the function cannot be assumed by Lambda.');
    if (!(await roles.allows(principal, accountId, 'impersonate', role.name)))
      throw denied(principal, { action: 'iam:PassRole', resource: roleArn });
  };
}
