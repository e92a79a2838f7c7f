import { types } from 'node:util';

import { type ProblemReason, SourceProblem } from '../source-problem.ts';

/**
 * What Kafka's names of errors mean for a mapping.
 *
 * @see https://kafka.apache.org/protocol#protocol_error_codes
 */
const reasons: Readonly<Record<string, ProblemReason>> = {
  SASL_AUTHENTICATION_FAILED: 'AccessDenied',
  UNSUPPORTED_SASL_MECHANISM: 'AccessDenied',
  ILLEGAL_SASL_STATE: 'AccessDenied',
  TOPIC_AUTHORIZATION_FAILED: 'AccessDenied',
  GROUP_AUTHORIZATION_FAILED: 'AccessDenied',
  CLUSTER_AUTHORIZATION_FAILED: 'AccessDenied',
  UNKNOWN_TOPIC_OR_PARTITION: 'SourceNotFound',
  INVALID_TOPIC_EXCEPTION: 'SourceNotFound',
  OFFSET_OUT_OF_RANGE: 'PositionLost',
  THROTTLING_QUOTA_EXCEEDED: 'Throttled',
  UNSUPPORTED_VERSION: 'InvalidSource',
};

const texts: Readonly<Record<ProblemReason, string>> = {
  AccessDenied:
    'does not let the mapping in: check the Secrets of sourceAccessConfigurations, and what its user may do',
  SourceNotFound: 'has no such topic',
  PositionLost: 'has the records no more that were to be read next',
  Throttled: 'asks for fewer calls',
  InvalidSource: 'does not speak the versions of the protocol that are needed (Kafka 2.7 or later)',
  Unreachable: 'does not answer as it should',
  CredentialsMissing: 'wants credentials',
};

/** The error's own name for what went wrong, by which Kafka's errors are told apart; null = it is none of Kafka's. */
export function kafkaNameOf(error: unknown): string | null {
  for (const one of causesOf(error)) {
    const name = Reflect.get(one, 'apiId');
    if (typeof name === 'string') return name;
  }
  return null;
}

/**
 * What a failed call to Kafka means for the mapping. The message has no more than names and addresses in it.
 *
 * @param where e.g. `Kafka at b1:9092`
 */
export function toKafkaProblem(error: unknown, where: string): SourceProblem {
  const causes = causesOf(error);
  const problems = causes.filter((one) => one instanceof SourceProblem);
  const [told] = [...problems.filter((problem) => problem.reason !== 'Unreachable'), ...problems];
  if (told !== undefined) return told;
  const name = kafkaNameOf(error);
  const reason = reasonOf(name, causes);
  const detail = name ?? detailOf(error);
  return new SourceProblem(reason, `${where} ${texts[reason]} (${detail})`, { cause: error });
}

function reasonOf(name: string | null, causes: readonly Error[]): ProblemReason {
  if (name !== null) return reasons[name] ?? 'Unreachable';
  if (causes.some((one) => Reflect.get(one, 'code') === 'PLT_KFK_AUTHENTICATION')) return 'AccessDenied';
  // The client's producer has this in place of UNKNOWN_TOPIC_OR_PARTITION.
  return causes.some(({ message }) => message.startsWith('Unknown topic ')) ? 'SourceNotFound' : 'Unreachable';
}

/** The most telling code or text: a system's or TLS's one goes before the client's own. */
function detailOf(error: unknown): string {
  const causes = causesOf(error);
  const own = causes.find((one) => /^(E[A-Z]{3,}|ERR_TLS|ERR_SSL|[A-Z_]*CERT)/.test(String(Reflect.get(one, 'code'))));
  if (own !== undefined) return String(Reflect.get(own, 'code'));
  const last = causes.at(-1);
  return last === undefined ? 'no reason given' : last.message.slice(0, 200);
}

/** The error and all that caused it, outermost first; at most 50. */
function causesOf(error: unknown): readonly Error[] {
  const found: Error[] = [];
  const open: unknown[] = [error];
  while (open.length > 0 && found.length < 50) {
    const one = open.shift();
    if (!types.isNativeError(one) || found.includes(one)) continue;
    found.push(one);
    if ('errors' in one && Array.isArray(one.errors)) open.push(...one.errors);
    open.push(one.cause);
  }
  return found;
}
