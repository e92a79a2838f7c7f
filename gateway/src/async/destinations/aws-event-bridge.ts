/** What is used of the AWS SDK, by name, so that a bundle has that and not all of it. */
export { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
