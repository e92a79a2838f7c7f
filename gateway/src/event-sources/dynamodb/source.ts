import type { EventSource, SourceTraits } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';

/** As Lambda has it for DynamoDB. No member is the user's text: `dynamodb` is JSON in any case. */
export const dynamodbTraits: SourceTraits = Object.freeze({
  batchSize: 100,
  batchWindowMs: 0,
  dataKeys: [],
  onMismatch: 'drop',
  userAction: 'User action',
});

/** Changes of tables of DynamoDB: the ARN is that of the table's stream, as it says itself (`LatestStreamArn`). The SDK is loaded with the first mapping. */
export const dynamodb: EventSource = {
  name: 'dynamodb',
  serves: ({ source }) => source.eventSourceArn?.split(':')[2] === 'dynamodb',
  traits: dynamodbTraits,
  open: async ({ source }, deps) => {
    const { eventSourceArn: arn = '' } = source;
    const [, , , region = ''] = arn.split(':');
    const [, table] = /:table\/([\w.-]+)\/stream\/\S+$/.exec(arn) ?? [];
    if (table === undefined)
      throw new SourceProblem(
        'InvalidSource',
        `${arn} is no ARN of a table's stream: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL (its LatestStreamArn)`,
      );
    const { openDynamo } = await import('./open.ts');
    return openDynamo({ arn, region, table }, deps);
  },
};
