import { Optional } from '@marcbachmann/cel-js';
import type { Rule } from './cel-rules.ts';
import { toCelValue } from './cel-values.ts';
import { childPath, type FieldError, fieldError } from './field-error.ts';
import { deepEqual, isObject } from './json.ts';
import { childSites, type Site } from './value-validation.ts';

/** Runs the `x-kubernetes-validations` of every node of the object; appends to `errors`. */
export function validateRules(site: Site, errors: FieldError[]): void {
  if (site.value === null) return;
  for (const rule of site.node.rules) {
    const error = checkRule(rule, site);
    if (error !== null) errors.push(error);
  }
  for (const child of childSites(site)) validateRules(child, errors);
}

function checkRule(rule: Rule, site: Site): FieldError | null {
  const { node, value, old } = site;
  const hasOld = old !== undefined;
  if (rule.usesOldSelf && !rule.optionalOldSelf && !hasOld) return null;
  if (!rule.usesOldSelf && hasOld && deepEqual(old, value)) return null;
  const oldValue = hasOld ? toCelValue(node, old) : undefined;
  const context = {
    self: toCelValue(node, value),
    oldSelf: rule.optionalOldSelf ? optional(oldValue) : (oldValue ?? null),
  };
  try {
    return rule.expression(context) === true ? null : refusal(rule, site, context);
  } catch (error) {
    const text = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return fieldError(site.path, 'Invalid', `${text} evaluating rule: ${rule.message}`, node.type);
  }
}

function optional(value: unknown): Optional {
  return value === undefined ? Optional.none() : Optional.of(value);
}

function refusal(rule: Rule, site: Site, context: Record<string, unknown>): FieldError {
  const path = rule.fieldPath === '' ? site.path : childPath(site.path, rule.fieldPath.replace(/^\./, ''));
  const shown = isObject(site.value) || Array.isArray(site.value) ? undefined : site.value;
  return fieldError(path, rule.reason, messageOf(rule, context), shown);
}

/** A message expression that fails or gives nothing usable falls back to the fixed message, as on the server. */
function messageOf(rule: Rule, context: Record<string, unknown>): string {
  if (rule.messageExpression === null) return rule.message;
  try {
    const text: unknown = rule.messageExpression(context);
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text : rule.message;
  } catch {
    return rule.message;
  }
}
