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
/** Characters of one pattern. */
const MAX_PATTERN_CHARS = 1024;
/** Characters of all patterns of one policy. */
const MAX_POLICY_CHARS = 32 * 1024;
/** Steps that a policy may take: with the longest one, for an ARN of 610 characters. */
const MAX_STEPS = 20_000_000;

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
  let chars = 0;
  for (const each of [given].flat()) {
    const statement = parseStatement(each);
    if (typeof statement === 'string') return statement;
    const { actions, resources } = statement;
    patterns += actions.length + resources.length;
    chars += charsOf(actions) + charsOf(resources);
    if (patterns > MAX_PATTERNS) return `policyDocument has more than ${MAX_PATTERNS} actions and resources`;
    if (chars > MAX_POLICY_CHARS) return `actions and resources have more than ${MAX_POLICY_CHARS} characters`;
    statements.push(statement);
  }
  return statements;
}

function parseStatement(given: unknown): Statement | string {
  if (!isRecord(given)) return 'a statement of policyDocument is not an object';
  const effect = given['Effect'];
  const actions = texts(given['Action']);
  const resources = texts(given['Resource']);
  if (effect !== 'Allow' && effect !== 'Deny') return 'Effect of a statement is neither Allow nor Deny';
  if (actions === null || resources === null) return 'a statement needs Action and Resource, texts or lists of texts';
  if ([...actions, ...resources].some(({ length }) => length > MAX_PATTERN_CHARS))
    return `an action or resource is longer than ${MAX_PATTERN_CHARS} characters`;
  return { isAllow: effect === 'Allow', actions, resources, hasConditions: 'Condition' in given };
}

function charsOf(patterns: readonly string[]): number {
  return patterns.reduce((sum, { length }) => sum + length, 0);
}

function texts(value: unknown): readonly string[] | null {
  const list = [value].flat();
  return list.length > 0 && list.every((text) => typeof text === 'string') ? list : null;
}

/**
 * Whether a verdict lets a request in: some statement allows it, none denies it. Conditions are not looked at: with one a statement allows
 * nothing, and denies all the same. A long policy lets in no path that is so long that the two could hold other requests up. Fails closed.
 *
 * @param routeArn `arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/path`
 */
export function letsIn({ isAuthorized, statements }: Verdict, routeArn: string): boolean {
  if (isAuthorized !== null) return isAuthorized;
  const chars = statements.reduce((sum, { resources }) => sum + charsOf(resources), 0);
  if (chars * routeArn.length > MAX_STEPS) return false;
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
