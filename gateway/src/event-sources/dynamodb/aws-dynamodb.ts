/** What is used of the AWS SDK, by name, so that a bundle has that and not all of it. */
export {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams';
