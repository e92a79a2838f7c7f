import type { FunctionPermission } from '@kappa/crds/function';

/*
 * Resource policies: who, besides a function's own account, may do what with it.
 *
 * **One store.** `spec.permissions` of the Function, whoever wrote it: AddPermission, PutResourcePolicy or kubectl. Each entry is one
 * statement that allows; nothing denies. It belongs to a qualifier: '' is the function called without one, else an alias or a version's
 * number; `$LATEST` has no policy, as on AWS. A function that is called by an alias is judged by the alias's statements alone.
 *
 * **One evaluated policy.** `spec.http.auth` of a Function or an Alias says how its URL asks:
 * - `AwsIam`: callers sign. Those of the function's account may; of others the policy decides.
 * - `Policy` (AuthType NONE of Lambda's API): nobody is asked, and the policy decides about anybody. Without a statement for `*`: 403.
 * - `None` (only in manifests, and where Lambda's API keeps what a manifest says): the same, plus two statements that the owner has given by
 *   writing it ({@link ownerGrants}). GetPolicy shows them; they go when the manifest says something else.
 * A call of a URL needs both `lambda:InvokeFunctionUrl` and `lambda:InvokeFunction`, as on AWS since October 2025.
 *
 * **Cheap.** Statements are compiled when a Function or an Alias changes, and whether a URL is open to anybody is decided then; a request of
 * an own caller or of an open URL compares nothing. All guards here fail closed.
 */

/** What a caller wants to do, and how. */
export interface AccessRequest {
  /** For example `lambda:InvokeFunction`. */
  readonly action: string;
  readonly caller: PolicyCaller;
  /** How the URL asks; only for `lambda:InvokeFunctionUrl`. */
  readonly functionUrlAuthType?: 'None' | 'AwsIam';
  /** Whether the call comes through a function URL. Default: it does not. */
  readonly invokedViaFunctionUrl?: boolean;
  /** On behalf of which resource a service calls, and in which account that is. Never taken from a caller's own words. */
  readonly sourceArn?: string;
  readonly sourceAccount?: string;
  readonly eventSourceToken?: string;
}

/** Who calls, as statements name callers. */
export type PolicyCaller =
  /** Nobody was asked. */
  | { readonly kind: 'anybody' }
  /** `arns`: the names that the caller has, of a session also its role's. */
  | { readonly kind: 'signed'; readonly accounts: readonly string[]; readonly arns: readonly string[] }
  /** An event source of this install, for example `s3.amazonaws.com`. */
  | { readonly kind: 'service'; readonly name: string };

/** A statement that is ready to be compared. */
export interface Grant {
  /** null = every action of Lambda. */
  readonly action: string | null;
  readonly principal: GrantedTo;
  readonly conditions: Conditions;
}

type GrantedTo =
  | { readonly kind: 'everybody' | 'nobody' }
  | { readonly kind: 'account' | 'arn' | 'service'; readonly name: string };
type Conditions = Pick<
  FunctionPermission,
  'sourceArn' | 'sourceAccount' | 'eventSourceToken' | 'functionUrlAuthType' | 'invokedViaFunctionUrl'
>;

/** Statements by qualifier. */
export type ResourcePolicy = ReadonlyMap<string, readonly Grant[]>;

const noGrants: readonly Grant[] = [];

/** The policy of a Function. @param permissions those that are stored, and those of {@link ownerGrants} */
export function compilePolicy(permissions: readonly FunctionPermission[]): ResourcePolicy {
  const policy = new Map<string, Grant[]>();
  for (const permission of permissions) {
    const grants = policy.get(permission.qualifier) ?? [];
    grants.push(compile(permission));
    policy.set(permission.qualifier, grants);
  }
  return policy;
}

/** The statements that count for a call. @param qualifier as the caller wrote it; null = none */
export function grantsOf(policy: ResourcePolicy, qualifier: string | null): readonly Grant[] {
  return policy.get(qualifier ?? '') ?? noGrants;
}

/** Whether one of the statements allows it. Fails closed. */
export function allows(grants: readonly Grant[], request: AccessRequest): boolean {
  return grants.some(
    ({ action, principal, conditions }) =>
      (action === null || action === request.action) &&
      isGrantedTo(principal, request.caller) &&
      holdAll(conditions, request),
  );
}

/** Whether somebody may call a function's URL: both actions are needed. */
export function allowsUrl(
  grants: readonly Grant[],
  caller: PolicyCaller,
  functionUrlAuthType: 'None' | 'AwsIam',
): boolean {
  return (
    allows(grants, { action: 'lambda:InvokeFunctionUrl', caller, functionUrlAuthType }) &&
    allows(grants, { action: 'lambda:InvokeFunction', caller, invokedViaFunctionUrl: true })
  );
}

/** What a manifest's `auth: None` grants: the URL, and nothing else, to everybody. @param qualifier '' or the alias */
export function ownerGrants(qualifier: string): readonly FunctionPermission[] {
  return [
    {
      sid: 'kappa-http-auth-none-url',
      qualifier,
      action: 'lambda:InvokeFunctionUrl',
      principal: '*',
      functionUrlAuthType: 'None',
    },
    {
      sid: 'kappa-http-auth-none-invoke',
      qualifier,
      action: 'lambda:InvokeFunction',
      principal: '*',
      invokedViaFunctionUrl: true,
    },
  ];
}

/** Begins the names of {@link ownerGrants}; no stored statement may have it. */
export const reservedSidPrefix = 'kappa-';

/** What a statement's principal is; `nobody` when it is none of Lambda's forms. */
export function principalOf(principal: string): GrantedTo {
  if (principal === '*') return { kind: 'everybody' };
  const account = /^(?:(\d{12})|arn:aws[a-z-]*:iam::(\d{12}):root)$/.exec(principal);
  if (account !== null) return { kind: 'account', name: account[1] ?? account[2] ?? '' };
  if (/^arn:aws[a-z-]*:(iam|sts)::\d{12}:(user|role|assumed-role|federated-user)\/\S+$/.test(principal))
    return { kind: 'arn', name: principal };
  if (/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*\.(amazonaws|amazon)\.com(\.cn)?$/.test(principal))
    return { kind: 'service', name: principal };
  return { kind: 'nobody' };
}

function compile({ action, principal, principalOrgId, ...conditions }: FunctionPermission): Grant {
  return {
    action: action === '*' || action === 'lambda:*' ? null : action,
    // nobody is in an organization here
    principal: principalOrgId === undefined ? principalOf(principal) : { kind: 'nobody' },
    conditions,
  };
}

function isGrantedTo(principal: GrantedTo, caller: PolicyCaller): boolean {
  switch (principal.kind) {
    case 'everybody':
      return true;
    case 'account':
      return caller.kind === 'signed' && caller.accounts.includes(principal.name);
    case 'arn':
      return caller.kind === 'signed' && caller.arns.includes(principal.name);
    case 'service':
      return caller.kind === 'service' && caller.name === principal.name;
    case 'nobody':
      return false;
  }
}

/** A condition about something that the request does not have fails. */
function holdAll(conditions: Conditions, request: AccessRequest): boolean {
  const { sourceArn, sourceAccount, eventSourceToken, functionUrlAuthType, invokedViaFunctionUrl } = conditions;
  return (
    (functionUrlAuthType === undefined || functionUrlAuthType === request.functionUrlAuthType) &&
    (invokedViaFunctionUrl === undefined || invokedViaFunctionUrl === (request.invokedViaFunctionUrl ?? false)) &&
    (sourceAccount === undefined || sourceAccount === request.sourceAccount) &&
    (eventSourceToken === undefined || eventSourceToken === request.eventSourceToken) &&
    (sourceArn === undefined || (request.sourceArn !== undefined && isLikeArn(sourceArn, request.sourceArn)))
  );
}

/** ArnLike: each of the six parts for itself, so that `*` never reaches into the next one. */
function isLikeArn(pattern: string, arn: string): boolean {
  const wanted = partsOf(pattern);
  const given = partsOf(arn);
  return wanted.length === given.length && wanted.every((part, at) => isLike(part, given[at] ?? ''));
}

/** The last part has colons of its own. */
function partsOf(arn: string): readonly string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** `*` = any characters, `?` = one. At most pattern × text steps, whatever the pattern is: no regular expression. */
function isLike(pattern: string, text: string): boolean {
  let at = 0;
  let starAt = -1; // the last star, and how far into the text it reaches
  let reach = 0;
  let next = 0;
  while (next < text.length) {
    if (pattern[at] === '*') {
      starAt = at;
      at += 1;
      reach = next;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[next])) {
      at += 1;
      next += 1;
    } else {
      if (starAt < 0) return false;
      at = starAt + 1;
      reach += 1;
      next = reach;
    }
  }
  return [...pattern.slice(at)].every((rest) => rest === '*');
}
