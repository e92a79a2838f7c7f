/** What is used of the AWS SDK, by name, so that a bundle has that and not all of it. */
export { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
