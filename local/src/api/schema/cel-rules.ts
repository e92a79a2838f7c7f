import type { ParseResult } from '@marcbachmann/cel-js';
import { celEnvironment } from './cel-library.ts';
import { isObject, listOr, objectOr, textOr } from './json.ts';

/** One entry of `x-kubernetes-validations`, compiled. */
export interface Rule {
  readonly expression: ParseResult;
  /** A transition rule: it compares with the value before the update. */
  readonly usesOldSelf: boolean;
  /** `oldSelf` is an optional and the rule runs on creation too. */
  readonly optionalOldSelf: boolean;
  /** What the user reads when the rule fails. */
  readonly message: string;
  readonly messageExpression: ParseResult | null;
  /** `.spec.name` below the node of the rule; `''` for the node itself. */
  readonly fieldPath: string;
  readonly reason: 'Invalid' | 'Forbidden' | 'Required' | 'Duplicate';
}

const environment = celEnvironment();

/**
 * Compiles the rules of one schema node.
 *
 * @param fail called with the reason when a rule is not usable; must throw
 */
export function compileRules(source: unknown, fail: (message: string, cause?: unknown) => never): readonly Rule[] {
  return listOr(source).map((one) => compileRule(objectOr(one), fail));
}

function compileRule(raw: Record<string, unknown>, fail: (message: string, cause?: unknown) => never): Rule {
  const text = textOr(raw['rule']);
  if (text.trim() === '') fail('rule: Required value');
  const expression = compileExpression(text, 'bool', fail);
  const messageText = textOr(raw['messageExpression']);
  const message = textOr(raw['message']).trim();
  return {
    expression,
    usesOldSelf: mentions(expression.ast, 'oldSelf'),
    optionalOldSelf: raw['optionalOldSelf'] === true,
    message: message === '' ? `failed rule: ${text.trim()}` : message,
    messageExpression: messageText === '' ? null : compileExpression(messageText, 'string', fail),
    fieldPath: textOr(raw['fieldPath']),
    reason: parseReason(raw['reason']),
  };
}

function compileExpression(text: string, type: string, fail: (message: string, cause?: unknown) => never): ParseResult {
  try {
    const expression = environment.parse(text);
    const check = expression.check();
    if (!check.valid) fail(`compilation failed: ${check.error?.message ?? 'type error'}: ${text}`);
    if (check.type !== type && check.type !== 'dyn') fail(`must evaluate to a ${type}: ${text}`);
    return expression;
  } catch (error) {
    if (error instanceof Error && error.name === 'ParseError') fail(`compilation failed: ${error.message}`, error);
    throw error;
  }
}

function parseReason(source: unknown): Rule['reason'] {
  if (source === 'FieldValueForbidden') return 'Forbidden';
  if (source === 'FieldValueRequired') return 'Required';
  return source === 'FieldValueDuplicate' ? 'Duplicate' : 'Invalid';
}

/** True when the syntax tree reads the variable anywhere. */
function mentions(node: unknown, variable: string): boolean {
  if (Array.isArray(node)) return node.some((one) => mentions(one, variable));
  if (!isObject(node)) return false;
  if (node['op'] === 'id') return node['args'] === variable;
  return mentions(node['args'], variable);
}
