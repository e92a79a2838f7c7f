import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import type { Target } from '../dispatch/types.ts';
import type { RoutedAlias } from './routing.ts';

/** Calls with the same text in this header get the same version of an alias with weights. Functions do not see it. */
export const STICKY_HEADER = 'x-kappa-sticky-key';

/** A call that brings none. */
export const noHeaders: IncomingHttpHeaders = Object.freeze({});

/**
 * The version that a call of an alias runs: by chance, in the proportion of the weights, or by the key in its headers.
 *
 * A key is a point between 0 and 1, always the same for the alias. The newer of the two versions (the higher number) has the points below its
 * share, whichever of them is called additional. So while a version is rolled out keys only come to it, and while it is rolled back they
 * only leave it, in the reverse order; no gateway has to remember any.
 *
 * @param arn of the alias
 * @param random 0..1
 */
export function chooseVersion(
  { target, additional }: Pick<RoutedAlias, 'target' | 'additional'>,
  arn: string,
  random: () => number,
  headers: IncomingHttpHeaders,
): Target {
  if (additional === null) return target;
  const key = headers[STICKY_HEADER];
  if (typeof key !== 'string' || key === '') return random() < additional.weight ? additional.target : target;
  const isSecondNewer = Number(additional.target.version) > Number(target.version);
  const point = pointOf(arn, key);
  if (isSecondNewer) return point < additional.weight ? additional.target : target;
  return point < 1 - additional.weight ? target : additional.target;
}

/** Where a key is, 0 ≤ point < 1; evenly spread. */
function pointOf(arn: string, key: string): number {
  return Number.parseInt(hash('sha256', `${arn}\n${key}`, 'hex').slice(0, POINT_DIGITS), 16) / 16 ** POINT_DIGITS;
}

/** 48 bits: all of them fit into a number. */
const POINT_DIGITS = 12;
