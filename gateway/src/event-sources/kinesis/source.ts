import type { EventSource, SourceTraits } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';

/** As Lambda has it for Kinesis. */
export const kinesisTraits: SourceTraits = Object.freeze({
  batchSize: 100,
  batchWindowMs: 0,
  dataKeys: ['data'],
  onMismatch: 'drop',
  userAction: 'User action',
});

/** Streams of Kinesis: `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`, on any server that speaks its protocol. The SDK is loaded with the first mapping. */
export const kinesis: EventSource = {
  name: 'kinesis',
  serves: ({ source }) => source.eventSourceArn?.split(':')[2] === 'kinesis',
  traits: kinesisTraits,
  open: async ({ source }, deps) => {
    const { eventSourceArn: arn = '' } = source;
    const [, , , region = '', account = '', place = ''] = arn.split(':');
    const [, name] = /^stream\/([\w.-]+)$/.exec(place) ?? [];
    if (name === undefined)
      throw new SourceProblem(
        'InvalidSource',
        `${arn} is no ARN of a stream: arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`,
      );
    const { openKinesis } = await import('./open.ts');
    return openKinesis({ arn, region, account, name }, deps);
  },
};
