import type { KubeObject } from './object.ts';
import type { ResourceType } from './resource.ts';
import { badRequest } from './status.ts';

/** Says whether an object is selected. */
export type Matches = (object: KubeObject) => boolean;

/** The label selector grammar: `a=b,a==b,a!=b,a in (x,y),a notin (x),a,!a,a>1,a<2`. @throws ApiError 400 */
export function parseLabelSelector(selector: string): Matches {
  const requirements = splitOutsideParentheses(selector).map(parseRequirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((matches) => matches(labels));
  };
}

type MatchesLabels = (labels: Readonly<Record<string, string>>) => boolean;

/** A label's value; what every object inherits is no label. */
function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function splitOutsideParentheses(selector: string): string[] {
  const parts = selector.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.filter((part) => part !== '');
}

const keyPattern = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const setRequirement = new RegExp(`^(${keyPattern})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const equalityRequirement = new RegExp(`^(${keyPattern})\\s*(==|=|!=|>|<)\\s*([-A-Za-z0-9_.]*)$`);
const existenceRequirement = new RegExp(`^(!?)\\s*(${keyPattern})$`);

function parseRequirement(part: string): MatchesLabels {
  const set = setRequirement.exec(part);
  if (set !== null) return setMatcher(set[1] ?? '', set[2] ?? '', set[3] ?? '');
  const equality = equalityRequirement.exec(part);
  if (equality !== null) return equalityMatcher(equality[1] ?? '', equality[2] ?? '', equality[3] ?? '', part);
  const existence = existenceRequirement.exec(part);
  if (existence === null) throw badRequest(`unable to parse requirement: couldn't parse the selector string "${part}"`);
  const key = existence[2] ?? '';
  return existence[1] === '!' ? (labels) => !Object.hasOwn(labels, key) : (labels) => Object.hasOwn(labels, key);
}

function setMatcher(key: string, operator: string, list: string): MatchesLabels {
  const values = new Set(list.split(',').map((value) => value.trim()));
  const isIn: MatchesLabels = (labels) => values.has(labelOf(labels, key) ?? '') && Object.hasOwn(labels, key);
  return operator === 'in' ? isIn : (labels) => !isIn(labels);
}

function equalityMatcher(key: string, operator: string, value: string, part: string): MatchesLabels {
  if (operator === '=' || operator === '==') return (labels) => labelOf(labels, key) === value;
  if (operator === '!=') return (labels) => labelOf(labels, key) !== value;
  const bound = Number(value);
  if (!Number.isInteger(bound) || value === '') {
    throw badRequest(`unable to parse requirement: "${part}" needs an integer`);
  }
  return (labels) => {
    const actual = Number(labelOf(labels, key) ?? Number.NaN);
    return Number.isInteger(actual) && (operator === '>' ? actual > bound : actual < bound);
  };
}

/**
 * A field selector: `a=b,a==b,a!=b` over metadata.name, metadata.namespace and what the kind offers. @throws ApiError
 * 400
 */
export function parseFieldSelector(selector: string, type: ResourceType): Matches {
  const terms = selector.split(/(?<!\\),/).filter((term) => term.trim() !== '');
  const matchers = terms.map((term) => parseTerm(term, type));
  return (object) => matchers.every((matches) => matches(object));
}

function parseTerm(term: string, type: ResourceType): Matches {
  const match = /^\s*([^=!\s]+)\s*(==|=|!=)(.*)$/.exec(term);
  if (match === null) throw badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  const field = match[1] ?? '';
  const read = fieldReader(field, type);
  const wanted = (match[3] ?? '').replaceAll(/\\([\\,=])/g, '$1');
  return match[2] === '!=' ? (object) => read(object) !== wanted : (object) => read(object) === wanted;
}

function fieldReader(field: string, type: ResourceType): (object: KubeObject) => string {
  if (field === 'metadata.name') return (object) => object.metadata.name;
  if (field === 'metadata.namespace') return (object) => object.metadata.namespace ?? '';
  const read = Object.hasOwn(type.selectableFields, field) ? type.selectableFields[field] : undefined;
  if (read === undefined) throw badRequest(`field label not supported: ${field}`);
  return read;
}

/** Both selectors of a list or watch as one; objects are as stored. */
export function parseSelectors(query: URLSearchParams, type: ResourceType): Matches {
  const label = query.get('labelSelector') ?? '';
  const field = query.get('fieldSelector') ?? '';
  const matchers = [
    ...(label === '' ? [] : [parseLabelSelector(label)]),
    ...(field === '' ? [] : [parseFieldSelector(field, type)]),
  ];
  return (object) => matchers.every((matches) => matches(object));
}
