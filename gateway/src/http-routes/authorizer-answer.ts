import { isRecord } from '../function-url/answer.ts';

/** What an authorizer's function has answered. It is kept, and asked for each request. */
export interface Verdict {
  /** By the simple form; null = by a policy. */
  readonly isAuthorized: boolean | null;
  readonly statements: readonly Statement[];
  readonly principalId: string | null;
  /** Handed on to the route's function. */
  readonly context: Readonly<Record<string, unknown>>;
}

interface Statement {
  readonly isAllow: boolean;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly hasConditions: boolean;
}

/** Statements and patterns of one policy (Kappa's own limits). */
const MAX_PATTERNS = 1000;

/**
 * Reads `{isAuthorized, context}` or `{principalId, policyDocument, context}`.
 *
 * @returns a text when it is neither
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
 */
export function parseVerdict(payload: Buffer): Verdict | string {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString());
  } catch {
    return 'it is not JSON';
  }
  if (!isRecord(value)) return 'it is not an object';
  const { isAuthorized, principalId, policyDocument, context = {} } = value;
  if (!isRecord(context)) return 'context is not an object';
  const shared = { principalId: typeof principalId === 'string' ? principalId : null, context };
  if (typeof isAuthorized === 'boolean') return { ...shared, isAuthorized, statements: [] };
  if (!isRecord(policyDocument)) return 'it has neither isAuthorized nor policyDocument';
  const statements = parseStatements(policyDocument['Statement']);
  return typeof statements === 'string' ? statements : { ...shared, isAuthorized: null, statements };
}

function parseStatements(given: unknown): readonly Statement[] | string {
  const statements: Statement[] = [];
  let patterns = 0;
  for (const each of [given].flat()) {
    if (!isRecord(each)) return 'a statement of policyDocument is not an object';
    const effect = each['Effect'];
    const actions = texts(each['Action']);
    const resources = texts(each['Resource']);
    if (effect !== 'Allow' && effect !== 'Deny') return 'Effect of a statement is neither Allow nor Deny';
    if (actions === null || resources === null) return 'a statement needs Action and Resource, texts or lists of texts';
    patterns += actions.length + resources.length;
    if (patterns > MAX_PATTERNS) return `policyDocument has more than ${MAX_PATTERNS} actions and resources`;
    statements.push({ isAllow: effect === 'Allow', actions, resources, hasConditions: 'Condition' in each });
  }
  return statements;
}

function texts(value: unknown): readonly string[] | null {
  const list = [value].flat();
  return list.length > 0 && list.every((text) => typeof text === 'string') ? list : null;
}

/**
 * Whether a verdict lets a request in: some statement allows it, none denies it. Conditions are not looked at: with one a statement allows
 * nothing, and denies all the same. Fails closed.
 *
 * @param routeArn `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`
 */
export function letsIn({ isAuthorized, statements }: Verdict, routeArn: string): boolean {
  if (isAuthorized !== null) return isAuthorized;
  const concerned = statements.filter(
    ({ actions, resources }) =>
      actions.some((action) => isLike('execute-api:invoke', action.toLowerCase())) &&
      resources.some((resource) => isLike(routeArn, resource)),
  );
  return (
    concerned.some(({ isAllow, hasConditions }) => isAllow && !hasConditions) &&
    concerned.every(({ isAllow }) => isAllow)
  );
}

/** Whether a text is like a pattern with `*` (any characters) and `?` (one). Takes at most text × pattern steps. */
export function isLike(text: string, pattern: string): boolean {
  let at = 0;
  let star = -1;
  let retryAt = 0;
  let next = 0;
  while (at < text.length) {
    if (next < pattern.length && pattern[next] === '*') {
      star = next;
      next += 1;
      retryAt = at;
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next += 1;
      at += 1;
    } else if (star >= 0) {
      retryAt += 1;
      at = retryAt;
      next = star + 1;
    } else return false;
  }
  while (pattern[next] === '*') next += 1;
  return next === pattern.length;
}
