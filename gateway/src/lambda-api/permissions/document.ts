import type { FunctionPermission } from '@kappa/crds/function';

import { principalOf } from '../../auth/resource-policy.ts';

/** A statement as IAM writes it. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: string | Readonly<Record<string, string>>;
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Condition;
}

type Condition = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Where a condition of ours stands in a statement. */
interface ConditionPlace {
  readonly operator: string;
  readonly key: string;
  readonly read: (permission: FunctionPermission) => string | undefined;
}

const places: readonly ConditionPlace[] = [
  {
    operator: 'StringEquals',
    key: 'lambda:FunctionUrlAuthType',
    read: ({ functionUrlAuthType: type }) => (type === undefined ? undefined : authTypes[type]),
  },
  { operator: 'StringEquals', key: 'aws:PrincipalOrgID', read: ({ principalOrgId }) => principalOrgId },
  { operator: 'StringEquals', key: 'AWS:SourceAccount', read: ({ sourceAccount }) => sourceAccount },
  { operator: 'StringEquals', key: 'lambda:EventSourceToken', read: ({ eventSourceToken }) => eventSourceToken },
  { operator: 'ArnLike', key: 'AWS:SourceArn', read: ({ sourceArn }) => sourceArn },
  {
    operator: 'Bool',
    key: 'lambda:InvokedViaFunctionUrl',
    read: ({ invokedViaFunctionUrl: is }) => (is === undefined ? undefined : String(is)),
  },
];

/** Lambda's words for ours. */
export const authTypes = { None: 'NONE', AwsIam: 'AWS_IAM' } as const;

/** The statement in Lambda's form. @param resource ARN, with the qualifier if there is one */
export function statementOf(permission: FunctionPermission, resource: string): Statement {
  const Condition = conditionOf(permission);
  return {
    Sid: permission.sid,
    Effect: 'Allow',
    Principal: shownPrincipal(permission.principal),
    Action: permission.action,
    Resource: resource,
    ...(Object.keys(Condition).length > 0 && { Condition }),
  };
}

/** The policy document as JSON text. */
export function policyDocument(permissions: readonly FunctionPermission[], resource: string): string {
  const statements = permissions.map((permission) => statementOf(permission, resource));
  return JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: statements });
}

function conditionOf(permission: FunctionPermission): Condition {
  const condition: Record<string, Record<string, string>> = {};
  for (const { operator, key, read } of places) {
    const value = read(permission);
    if (value !== undefined) condition[operator] = { ...condition[operator], [key]: value };
  }
  return condition;
}

function shownPrincipal(principal: string): Statement['Principal'] {
  const to = principalOf(principal);
  if (to.kind === 'everybody') return '*';
  if (to.kind === 'account') return { AWS: `arn:aws:iam::${to.name}:root` };
  return to.kind === 'service' ? { Service: principal } : { AWS: principal };
}
