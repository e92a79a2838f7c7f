import { expect, test } from '@jest/globals';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka';

import { type ProblemReason, SourceProblem } from '../source-problem.ts';
import { toKafkaProblem } from './errors.ts';

const within = (error: Error): Error => new MultipleErrors('produce failed 3 times.', [error]);
const coded = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

test.each<[reason: string, error: unknown, problem: ProblemReason, detail: string]>([
  [
    'no such topic',
    within(new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION')),
    'SourceNotFound',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ],
  ['no such topic, by the producer', within(new UserError('Unknown topic x.')), 'SourceNotFound', 'Unknown topic x.'],
  ['may not read', new ProtocolError('TOPIC_AUTHORIZATION_FAILED'), 'AccessDenied', 'TOPIC_AUTHORIZATION_FAILED'],
  [
    'wrong password',
    new NetworkError('Connection to b:1 failed.', { cause: new AuthenticationError('SASL authentication failed.') }),
    'AccessDenied',
    'SASL authentication failed.',
  ],
  ['gone', new ProtocolError('OFFSET_OUT_OF_RANGE'), 'PositionLost', 'OFFSET_OUT_OF_RANGE'],
  ['quota', new ProtocolError('THROTTLING_QUOTA_EXCEEDED'), 'Throttled', 'THROTTLING_QUOTA_EXCEEDED'],
  ['too old', new ProtocolError('UNSUPPORTED_VERSION'), 'InvalidSource', 'UNSUPPORTED_VERSION'],
  ['leader moved', new ProtocolError('NOT_LEADER_OR_FOLLOWER'), 'Unreachable', 'NOT_LEADER_OR_FOLLOWER'],
  ['nobody there', new NetworkError('failed', { cause: coded('ECONNREFUSED') }), 'Unreachable', 'ECONNREFUSED'],
  [
    'an unknown certificate',
    new NetworkError('failed', { cause: coded('DEPTH_ZERO_SELF_SIGNED_CERT') }),
    'Unreachable',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ],
  ['no error at all', 'what?', 'Unreachable', 'no reason given'],
])('toKafkaProblem: %s', (_reason, error, reason, detail) => {
  const problem = toKafkaProblem(error, 'Kafka at b:1');
  expect(problem).toMatchObject({ reason, message: expect.stringMatching(/^Kafka at b:1 /) });
  expect(problem.message).toContain(`(${detail})`);
});

test('of several servers the one that answered is told of', () => {
  const silent = new SourceProblem('Unreachable', 'no answer');
  const refused = new SourceProblem('AccessDenied', 'no');
  expect(toKafkaProblem(new AggregateError([silent, refused]), 'Kafka')).toBe(refused);
  expect(toKafkaProblem(new AggregateError([silent]), 'Kafka')).toBe(silent);
});
